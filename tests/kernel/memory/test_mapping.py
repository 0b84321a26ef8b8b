"""mmap, munmap, mprotect, brk, msync: Linux's errnos and side effects."""

from __future__ import annotations

import pytest

from kernel.abi import flags as f
from kernel.abi.errno_values import EACCES, EEXIST, EINVAL, ENOMEM, EOPNOTSUPP, EPERM
from kernel.abi.errnos import SysError
from kernel.abi.layout import MMAP_MIN, STACK_TOP
from kernel.memory import address_space
from kernel.memory.mapping import check_sync
from tests.support.memory_machine import HEAP, PAGE, PRIVATE, RW, SHARED, MemoryMachine, Segfault

FIXED = PRIVATE | f.MAP_FIXED
PLACE = 0x20_0000


@pytest.fixture
def machine():
    return MemoryMachine()


@pytest.fixture
def number(machine):
    return machine.new_space()


def fails_with(errno, call, *args, **more):
    with pytest.raises(SysError) as refused:
        call(*args, **more)
    assert refused.value.errno == errno


@pytest.mark.parametrize(("errno", "more"), [
    (EINVAL, {"length": 0}),
    (EINVAL, {"offset": 1}),
    (ENOMEM, {"length": 1 << 62}),
    (ENOMEM, {"length": 257 * PAGE}),  # more than all memory
    (EINVAL, {"flags": f.MAP_ANONYMOUS}),
    (EINVAL, {"flags": f.MAP_ANONYMOUS | f.MAP_SHARED_VALIDATE}),
    (EINVAL, {"flags": FIXED, "address": PLACE + 1}),
    (ENOMEM, {"flags": FIXED, "address": STACK_TOP}),
    (EPERM, {"flags": FIXED, "address": 0}),
    (EPERM, {"flags": FIXED, "address": MMAP_MIN - PAGE, "privileged": False}),
])
def test_mmap_refuses(machine, number, errno, more):
    fails_with(errno, machine.mmap, number, **{"length": PAGE, **more})
    assert not machine.violations()


def test_a_privileged_program_may_map_low_but_never_null(machine, number):
    assert machine.mmap(number, PAGE, flags=FIXED, address=PAGE) == PAGE


def test_a_shared_mapping_of_a_file_not_open_for_writing_is_never_writable(machine, number):
    file = machine.file(2, b"x", may_write=False)
    fails_with(EACCES, machine.mmap, number, PAGE, RW, f.MAP_SHARED, file=file)
    address = machine.mmap(number, PAGE, f.PROT_READ, f.MAP_SHARED, file=file)
    assert machine.mprotect(number, address, PAGE, RW) == EACCES
    private = machine.mmap(number, PAGE, f.PROT_READ, f.MAP_PRIVATE, file=file)
    assert machine.mprotect(number, private, PAGE, RW) == 0


def test_map_shared_validate_refuses_unknown_flags(machine, number):
    file = machine.file(2, b"x")
    fails_with(EOPNOTSUPP, machine.mmap, number, PAGE, RW, f.MAP_SHARED_VALIDATE | 0x800_0000, file=file)
    machine.mmap(number, PAGE, RW, f.MAP_SHARED_VALIDATE, file=file)


def test_map_fixed_replaces_and_noreplace_refuses(machine, number):
    machine.mmap(number, 3 * PAGE, flags=FIXED, address=PLACE)
    machine.store(number, PLACE + PAGE, 9)
    used = machine.used
    fails_with(EEXIST, machine.mmap, number, PAGE, flags=PRIVATE | f.MAP_FIXED_NOREPLACE, address=PLACE + PAGE)
    assert machine.load(number, PLACE + PAGE) == 9
    machine.mmap(number, PAGE, flags=FIXED, address=PLACE + PAGE)
    assert machine.used == used - 1
    assert machine.load(number, PLACE + PAGE) == 0


def test_a_mapping_may_be_replaced_by_one_of_the_same_object(machine, number):
    file = machine.file(2, b"abc")
    address = machine.mmap(number, PAGE, flags=f.MAP_SHARED, file=file)
    machine.memory.drop_object(2)
    machine.mmap(number, PAGE, flags=f.MAP_SHARED | f.MAP_FIXED, address=address, file=file)
    assert machine.load(number, address) == ord("a")
    machine.munmap(number, address, PAGE)
    assert 2 not in machine.memory.objects.table
    assert machine.used == 0


def test_map_populate_makes_pages_present(machine, number):
    machine.mmap(number, 3 * PAGE, flags=PRIVATE | f.MAP_POPULATE)
    assert machine.memory.resident_pages(number)[1] == 3


@pytest.mark.parametrize(("address", "length"), [(PLACE + 1, PAGE), (PLACE, 0), (STACK_TOP, PAGE), (PLACE, STACK_TOP), (-PAGE, PAGE)])
def test_munmap_refuses(machine, number, address, length):
    fails_with(EINVAL, machine.munmap, number, address, length)


def test_munmap_of_nothing_succeeds(machine, number):
    machine.munmap(number, PLACE, 100 * PAGE)


def test_munmap_frees_the_frames_and_splits_the_area(machine, number):
    address = machine.mmap(number, 5 * PAGE)
    for page in range(5):
        machine.store(number, address + page * PAGE, page)
    machine.munmap(number, address + PAGE, 2 * PAGE - 1)  # rounded up
    assert machine.used == 3
    with pytest.raises(Segfault):
        machine.load(number, address + 2 * PAGE)
    assert machine.load(number, address + 3 * PAGE) == 3
    assert not machine.violations()


@pytest.mark.parametrize(("errno", "arguments"), [
    (EINVAL, (PLACE + 1, PAGE, 1)), (EINVAL, (PLACE, PAGE, 16)), (0, (PLACE, 0, 1)), (ENOMEM, (PLACE, PAGE, 1)),
    (ENOMEM, (STACK_TOP - PAGE, STACK_TOP, 1))])
def test_mprotect_refuses(machine, number, errno, arguments):
    assert machine.mprotect(number, *arguments) == errno


def test_mprotect_over_a_hole_changes_what_comes_before_it(machine, number):
    machine.mmap(number, 4 * PAGE, flags=FIXED, address=PLACE)
    machine.munmap(number, PLACE + 2 * PAGE, PAGE)
    assert machine.mprotect(number, PLACE, 4 * PAGE, f.PROT_READ) == ENOMEM
    prots = [(area.start, area.prot) for area in machine.space(number).areas if area.start < PLACE + 4 * PAGE]
    assert prots == [(PLACE, f.PROT_READ), (PLACE + 3 * PAGE, RW)]


def test_parts_of_a_shared_mapping_may_differ_in_protection(machine, number):
    address = machine.mmap(number, 3 * PAGE, flags=SHARED)
    machine.store(number, address + PAGE, 1)
    assert machine.mprotect(number, address + PAGE, PAGE, f.PROT_READ) == 0
    with pytest.raises(Segfault):
        machine.store(number, address + PAGE, 2)
    assert not machine.violations()
    machine.munmap(number, address, 3 * PAGE)
    assert machine.used == 0


def test_the_limit_of_areas_is_enomem(machine, number, monkeypatch):
    monkeypatch.setattr("kernel.memory.mapping.MAX_AREAS", 3)
    monkeypatch.setattr(address_space, "MAX_AREAS", 3)
    address = machine.mmap(number, 3 * PAGE)
    assert machine.mprotect(number, address + PAGE, PAGE, 0) == ENOMEM
    machine.mmap(number, PAGE, f.PROT_READ)
    fails_with(ENOMEM, machine.mmap, number, PAGE, f.PROT_NONE)
    fails_with(ENOMEM, machine.munmap, number, address + PAGE, PAGE)


def test_many_areas_are_placed_quickly(machine, number):
    for count in range(2000):
        machine.mmap(number, PAGE, 1 + count % 2)
    assert len(machine.space(number).areas) == 2001


def test_brk_grows_asks_and_shrinks(machine, number):
    assert machine.brk(number, 0) == HEAP
    assert machine.brk(number, HEAP + 10_000) == HEAP + 10_000
    machine.store(number, HEAP + 9_999, 1)
    assert machine.space(number).areas[0].name == "[heap]"
    assert machine.brk(number, HEAP - 1) == HEAP + 10_000
    assert machine.brk(number, HEAP + 1) == HEAP + 1
    assert machine.used == 0
    assert machine.brk(number, HEAP) == HEAP
    assert len(machine.space(number).areas) == 1


def test_brk_stays_where_something_is_in_the_way_or_memory_is_too_small(machine, number):
    machine.mmap(number, PAGE, flags=FIXED, address=HEAP + 4 * PAGE)
    assert machine.brk(number, HEAP + 4 * PAGE) == HEAP
    assert machine.brk(number, HEAP + 3 * PAGE) == HEAP + 3 * PAGE
    assert machine.brk(number, HEAP + (1 << 30)) == HEAP + 3 * PAGE


@pytest.mark.parametrize(("errno", "arguments"), [
    (EINVAL, (PLACE, PAGE, 8)), (EINVAL, (PLACE + 1, PAGE, f.MS_SYNC)), (EINVAL, (PLACE, PAGE, f.MS_SYNC | f.MS_ASYNC)),
    (ENOMEM, (PLACE, 2 * PAGE, f.MS_SYNC)), (ENOMEM, (PLACE - PAGE, PAGE, 0)), (0, (PLACE, PAGE, f.MS_SYNC)), (0, (PLACE, 0, 0))])
def test_msync_only_checks(machine, number, errno, arguments):
    machine.mmap(number, PAGE, flags=FIXED, address=PLACE)
    if errno:
        fails_with(errno, check_sync, machine.space(number), *arguments)
    else:
        check_sync(machine.space(number), *arguments)


def test_maps_shows_areas_with_their_resident_pages(machine, number):
    address = machine.mmap(number, 3 * PAGE, flags=SHARED)
    machine.store(number, address, 1)
    line = next(line for line in machine.memory.maps(number) if line.start == address)
    assert (line.end, line.prot, line.shared, line.name, line.resident) == (address + 3 * PAGE, RW, True, "/dev/zero (deleted)", 1)
