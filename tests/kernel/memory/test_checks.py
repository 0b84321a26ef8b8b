"""Each invariant of the owner sees the corruption that it is named for."""

from __future__ import annotations

import pytest

from kernel.hardware.mmu import EXECUTABLE, FRAME_SHIFT, PRESENT, USER, WRITABLE
from kernel.memory.shootdown import Change, PageRange
from tests.support.memory_machine import PAGE, SHARED, MemoryMachine

PRIVATE_AT, SHARED_AT = 0x20_0000, 0x30_0000


class Corrupted(MemoryMachine):
    """A parent and a child, private and shared pages, a file."""

    def __init__(self) -> None:
        super().__init__()
        self.file(2, b"content")
        self.parent = self.new_space()
        self.mmap(self.parent, 4 * PAGE, address=PRIVATE_AT)
        self.mmap(self.parent, 4 * PAGE, flags=SHARED, address=SHARED_AT)
        self.store(self.parent, PRIVATE_AT, 1)
        self.store(self.parent, SHARED_AT, 1)
        self.child = self.fork(self.parent)

    def block(self, address: int):
        return self.memory.hardware.tables[self.parent].blocks[address >> 21]

    def index(self, address: int) -> int:
        return address >> 12 & 511


def too_many_references(machine):
    machine.memory.frames.counts[1] += 1


def frame_of_nobody(machine):
    machine.memory.frames.allocate()


def free_and_used(machine):
    machine.memory.frames.free.append(1)


def wrong_sharers(machine):
    machine.block(PRIVATE_AT).sharers = 1


def wrong_live(machine):
    machine.block(PRIVATE_AT).live = 7


def table_without_space(machine):
    machine.memory.tables.create(99)


def entry_without_area(machine):
    frame = machine.memory.frames.allocate()
    machine.memory.tables.set(machine.parent, 0x90_0000 >> 12, frame.number, PRESENT | USER)


def entry_with_more_rights(machine):
    machine.block(PRIVATE_AT).entries[machine.index(PRIVATE_AT)] |= EXECUTABLE


def writable_and_not_alone(machine):
    machine.store(machine.child, PRIVATE_AT + PAGE, 1)  # the child has a block of its own now
    machine.block(PRIVATE_AT).entries[machine.index(PRIVATE_AT)] |= WRITABLE


def writable_in_a_read_only_area(machine):
    machine.mprotect(machine.parent, PRIVATE_AT, PAGE, 1)
    machine.block(PRIVATE_AT).entries[machine.index(PRIVATE_AT)] |= WRITABLE


def shared_page_of_another_frame(machine):
    machine.memory.objects.table[1].pages.clear()


def object_of_nobody(machine):
    machine.memory.objects.table[2].held_by_file = False


def object_mapped_by_a_stranger(machine):
    machine.memory.objects.table[2].mapped_by[machine.parent] = None


def page_beyond_the_end(machine):
    machine.memory.objects.table[2].size = 0


def object_that_does_not_exist(machine):
    del machine.memory.objects.table[1]


def unsettled(machine):
    machine.memory.unsettled.append(1)


def frames_lost_in_a_shootdown(machine):
    machine.memory.shootdowns.begin(Change(None, [PageRange(1, 0, 1)], [1]), [0])


@pytest.mark.parametrize(("name", "corrupt"), [
    ("frame_references", too_many_references),
    ("frame_references", frame_of_nobody),
    ("frame_references", frames_lost_in_a_shootdown),
    ("frames_accounted", free_and_used),
    ("block_sharers", wrong_sharers),
    ("block_sharers", wrong_live),
    ("block_sharers", table_without_space),
    ("entries_inside_areas", entry_without_area),
    ("entries_inside_areas", entry_with_more_rights),
    ("writable_only_if_allowed", writable_and_not_alone),
    ("writable_only_if_allowed", writable_in_a_read_only_area),
    ("shared_pages", shared_page_of_another_frame),
    ("object_references", object_of_nobody),
    ("object_references", object_mapped_by_a_stranger),
    ("object_references", page_beyond_the_end),
    ("object_references", object_that_does_not_exist),
    ("object_references", unsettled),
])
def test_corruption_is_seen(name, corrupt):
    machine = Corrupted()
    assert machine.violations() == []
    corrupt(machine)
    assert name in machine.violations()


def test_a_frame_in_a_pending_shootdown_counts_as_referenced():
    machine = Corrupted()
    frame = machine.block(SHARED_AT).entries[machine.index(SHARED_AT)] >> FRAME_SHIFT
    machine.memory.frames.hold(frame)
    machine.memory.shootdowns.begin(Change(None, [PageRange(machine.parent, 0, 1)], [frame]), [0])
    assert machine.violations() == []
