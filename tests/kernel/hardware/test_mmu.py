"""The page walk: what it finds, what it refuses, and the bits that it sets."""

from __future__ import annotations

import pytest

from kernel.hardware import NOT_PRESENT, PROTECTION, Block, Hardware, PageTable, walk
from kernel.hardware.mmu import ACCESSED, DIRTY, EXECUTABLE, FRAME_SHIFT, PRESENT, USER, WRITABLE


def table_with(flags: int, sharers: int = 1) -> PageTable:
    block = Block(1, sharers=sharers, live=1)
    block.entries[5] = 9 << FRAME_SHIFT | flags
    return PageTable(1, {2: block})


PAGE = 2 * 512 + 5


def test_a_page_without_block_or_entry_is_not_present():
    assert walk(table_with(PRESENT | USER), 5, write=False, execute=False) == NOT_PRESENT
    assert walk(table_with(PRESENT | USER), PAGE + 1, write=False, execute=False) == NOT_PRESENT


def test_a_read_sets_accessed_and_a_write_sets_dirty():
    table = table_with(PRESENT | USER | WRITABLE)
    assert walk(table, PAGE, write=False, execute=False) == 9
    assert table.entry(PAGE) & (ACCESSED | DIRTY) == ACCESSED
    assert walk(table, PAGE, write=True, execute=False) == 9
    assert table.entry(PAGE) & (ACCESSED | DIRTY) == ACCESSED | DIRTY


@pytest.mark.parametrize(("flags", "write", "execute"), [
    (PRESENT, False, False),
    (PRESENT | WRITABLE, True, False),
    (PRESENT | USER, True, False),
    (PRESENT | USER | WRITABLE, False, True),
])
def test_an_access_that_the_entry_does_not_allow_is_a_protection_fault_and_sets_no_bit(flags, write, execute):
    table = table_with(flags)
    assert walk(table, PAGE, write, execute) == PROTECTION
    assert table.entry(PAGE) == 9 << FRAME_SHIFT | flags


def test_an_executable_page_can_be_executed():
    assert walk(table_with(PRESENT | USER | EXECUTABLE), PAGE, write=False, execute=True) == 9


def test_nothing_can_be_written_through_a_shared_block():
    table = table_with(PRESENT | USER | WRITABLE, sharers=2)
    assert walk(table, PAGE, write=True, execute=False) == PROTECTION
    assert walk(table, PAGE, write=False, execute=False) == 9


def test_cores_are_found_by_the_space_that_they_have_loaded():
    hardware = Hardware.with_frames(8)
    hardware.cr3.update({3: 1, 0: 1, 2: 7})
    assert hardware.loaded_by(1) == [0, 3]
    assert hardware.loaded_by(9) == []
