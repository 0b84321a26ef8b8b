"""A space's life: exec's segments, the last release, copies of all state."""

from __future__ import annotations

import copy

import pytest

from kernel.abi import flags as f
from kernel.abi.errno_values import ENOMEM
from kernel.abi.errnos import SysError
from kernel.abi.layout import STACK_TOP
from kernel.memory.memory import ImageToMap, SegmentToMap
from tests.support.memory_machine import PAGE, PRIVATE, RW, SHARED, MemoryMachine, Segfault

TEXT, DATA, MIXED = 0x40_0000, 0xA0_0000, 0x60_0000
IMAGE = ImageToMap(2, "/bin/prog", (
    SegmentToMap(TEXT, 5000, f.PROT_READ | f.PROT_EXEC, 0, 5000, b"", ".text"),
    SegmentToMap(MIXED + 16, 3 * PAGE, RW, 16, 100, b"", ".mixed"),
    SegmentToMap(DATA, 2 * PAGE, RW, -1, 0, b"init", ".data"),
), DATA + 2 * PAGE + 1)


def with_image(frames: int = 256) -> tuple[MemoryMachine, int]:
    machine = MemoryMachine(frames)
    machine.file(2, bytes(range(1, 251)) * 20)
    return machine, machine.memory.create(IMAGE, 64 * PAGE, b"stack").number


def test_segments_are_mapped_from_the_file_and_from_data():
    machine, number = with_image()
    assert machine.load(number, TEXT + 10) == 11
    assert machine.load(number, DATA) == ord("i")
    assert machine.load(number, DATA + 4) == 0
    assert machine.load(number, DATA + PAGE) == 0
    assert machine.load(number, STACK_TOP - 5) == ord("s")
    with pytest.raises(Segfault):
        machine.store(number, TEXT, 1)
    assert machine.brk(number, 0) == DATA + 3 * PAGE
    assert not machine.violations()


def test_a_segment_larger_than_its_file_part_ends_in_zeros():
    machine, number = with_image()
    assert machine.load(number, MIXED + 16 + 99) == machine.memory.objects.read(2, 115, 1)[0]
    assert machine.load(number, MIXED + 16 + 100) == 0
    assert machine.load(number, MIXED + 2 * PAGE) == 0


def test_a_space_that_does_not_fit_leaves_nothing():
    machine = MemoryMachine(frames=6)
    machine.file(2, bytes(5000))
    before = machine.used
    with pytest.raises(SysError) as refused:
        machine.memory.create(IMAGE, 64 * PAGE, bytes(5 * PAGE))
    assert refused.value.errno == ENOMEM
    assert machine.used == before
    assert not machine.violations()


def test_the_last_process_frees_the_space():
    machine, number = with_image()
    cached = machine.memory.statistics().cached
    machine.store(number, DATA, 1)
    machine.space(number).users += 1
    machine.exit(number)
    assert machine.load(number, DATA) == 1
    table = machine.memory.hardware.tables[number]
    machine.exit(number)
    assert machine.used == cached
    assert not machine.memory.spaces
    assert table.entry(DATA >> 12) == 0


def test_statistics_count_frames():
    machine, number = with_image()
    statistics = machine.memory.statistics()
    assert statistics.total == 256
    assert statistics.used + statistics.free == 256
    assert statistics.cached == 2
    assert machine.memory.resident_pages(number) == (2 + 4 + 2 + 1, 3)


def test_a_copy_is_equal_and_goes_its_own_way():
    machine, number = with_image()
    machine.mmap(number, 2 * PAGE, flags=SHARED)
    machine.fork(number)
    copied = copy.deepcopy(machine)
    assert copied.memory == machine.memory
    assert not copied.violations()
    copied.store(number, DATA, 9)
    assert copied.memory != machine.memory
    assert machine.load(number, DATA) == ord("i")


def test_a_stack_of_many_pages_is_written_whole():
    machine = MemoryMachine()
    stack = bytes(range(256)) * 40
    number = machine.new_space(stack=stack)
    assert [machine.load(number, STACK_TOP - len(stack) + at) for at in (0, 5000, 10_239)] == [stack[0], stack[5000], stack[10_239]]
    assert machine.mmap(number, PAGE, flags=PRIVATE) < STACK_TOP - 64 * PAGE
