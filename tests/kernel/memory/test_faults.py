"""What a fault means: which page it gives, or which signal."""

from __future__ import annotations

import pytest

from kernel.abi import flags as f
from kernel.abi.layout import STACK_TOP, USER_END
from kernel.abi.signos import SIGBUS, SIGKILL, SIGSEGV
from kernel.memory.faults import Trap
from tests.support.memory_machine import PAGE, PRIVATE, RW, SHARED, MemoryMachine, Segfault

MAPERR = Trap(SIGSEGV, f.SEGV_MAPERR)
ACCERR = Trap(SIGSEGV, f.SEGV_ACCERR)


@pytest.fixture
def machine():
    return MemoryMachine()


def trap_of(machine, number, address, write, execute=False):
    with pytest.raises(Segfault) as refused:
        machine.frame_of(number, address, write, execute)
    return refused.value.trap


@pytest.mark.parametrize("address", [0, 8, 0x50_0000, USER_END - 8, USER_END, -8, 0xFFFF_FFFF_8000_0000])
def test_an_address_without_a_mapping_is_maperr(machine, address):
    assert trap_of(machine, machine.new_space(), address, write=False) == MAPERR


@pytest.mark.parametrize(("prot", "write", "execute"), [
    (f.PROT_NONE, False, False), (f.PROT_READ, True, False), (f.PROT_EXEC, True, False), (RW, False, True)])
def test_an_access_that_the_mapping_does_not_allow_is_accerr(machine, prot, write, execute):
    number = machine.new_space()
    assert trap_of(machine, number, machine.mmap(number, PAGE, prot), write, execute) == ACCERR


@pytest.mark.parametrize("prot", [f.PROT_READ, f.PROT_WRITE, f.PROT_EXEC])
def test_whatever_is_not_prot_none_can_be_read(machine, prot):
    number = machine.new_space()
    assert machine.load(number, machine.mmap(number, PAGE, prot)) == 0


def test_first_touch_gives_a_page_of_zeros(machine):
    number = machine.new_space()
    address = machine.mmap(number, 4 * PAGE)
    before = machine.used
    assert machine.load(number, address + 5000) == 0
    assert machine.last.kind == "zero"
    assert machine.used == before + 1
    assert machine.memory.resident_pages(number)[1] == 1


def test_a_page_beyond_the_end_of_the_file_is_a_bus_error(machine):
    number = machine.new_space()
    address = machine.mmap(number, 3 * PAGE, flags=f.MAP_SHARED, file=machine.file(2, b"x" * 5000))
    assert machine.load(number, address + PAGE) == ord("x")
    assert machine.load(number, address + 2 * PAGE - 1) == 0
    assert trap_of(machine, number, address + 2 * PAGE, write=False) == Trap(SIGBUS, f.BUS_ADRERR)


def test_a_page_that_was_cut_off_is_a_bus_error_even_where_it_was_copied(machine):
    number = machine.new_space()
    address = machine.mmap(number, 2 * PAGE, flags=f.MAP_PRIVATE, file=machine.file(2, b"x" * 8192))
    machine.store(number, address + PAGE, 1)
    machine.load(number, address)
    machine.truncate(2, 4096)
    assert machine.load(number, address) == ord("x")
    assert trap_of(machine, number, address + PAGE, write=False).signo == SIGBUS
    assert not machine.violations()


def test_a_private_file_page_is_copied_on_write_and_the_file_keeps_its_own(machine):
    number = machine.new_space()
    address = machine.mmap(number, PAGE, flags=f.MAP_PRIVATE, file=machine.file(2, b"file"))
    assert machine.load(number, address) == ord("f")
    machine.store(number, address, ord("P"))
    assert machine.last.kind == "cow_copy"
    assert machine.memory.objects.read(2, 0, 4) == b"file"
    assert machine.load(number, address) == ord("P")


def test_a_shared_file_page_is_the_files_own(machine):
    number, other = machine.new_space(), machine.new_space()
    file = machine.file(2, b"file")
    first = machine.mmap(number, PAGE, flags=f.MAP_SHARED, file=file)
    second = machine.mmap(other, PAGE, flags=f.MAP_SHARED, file=file)
    machine.store(number, first, ord("F"))
    assert machine.load(other, second) == ord("F")
    assert machine.memory.objects.read(2, 0, 4) == b"File"
    machine.memory.objects.write(2, 1, b"I")
    assert machine.load(number, first + 1) == ord("I")


def test_the_first_writer_copies_and_the_last_gets_its_page_back(machine):
    parent = machine.new_space()
    address = machine.mmap(parent, PAGE)
    machine.store(parent, address, 1)
    child = machine.fork(parent)
    machine.store(child, address, 2)
    assert machine.last.kind == "cow_copy"
    assert machine.last.copied == PAGE
    machine.store(parent, address, 3)
    assert machine.last.kind == "cow_last"
    assert machine.load(child, address) == 2


def test_after_the_childs_exit_the_parent_writes_without_a_fault(machine):
    parent = machine.new_space()
    address = machine.mmap(parent, PAGE)
    machine.store(parent, address, 1)
    machine.exit(machine.fork(parent))
    machine.last = None
    machine.store(parent, address, 2)
    assert machine.last is None


def test_fork_costs_no_frame_and_no_count(machine):
    parent = machine.new_space()
    address = machine.mmap(parent, 64 * PAGE)
    for page in range(64):
        machine.store(parent, address + page * PAGE, page)
    before, counts = machine.used, dict(machine.memory.frames.counts)
    machine.fork(parent)
    assert machine.used == before
    assert machine.memory.frames.counts == counts


def test_a_shared_anonymous_mapping_stays_shared_after_fork(machine):
    parent = machine.new_space()
    address = machine.mmap(parent, 2 * PAGE, flags=SHARED)
    machine.store(parent, address, 1)
    child = machine.fork(parent)
    machine.store(child, address, 2)
    machine.store(child, address + PAGE, 3)
    assert machine.load(parent, address) == 2
    assert machine.load(parent, address + PAGE) == 3


def test_without_frames_the_thread_is_killed(machine):
    machine = MemoryMachine(frames=4)
    number = machine.new_space()
    address = machine.mmap(number, 4 * PAGE, flags=PRIVATE)
    for page in range(4):
        machine.store(number, address + page * PAGE, 1)
    other = machine.mmap(number, PAGE)
    assert trap_of(machine, number, other, write=True) == Trap(SIGKILL, 0)
    assert not machine.violations()


def test_the_stack_grows_at_a_fault_and_its_guard_is_maperr(machine):
    number = machine.new_space(stack=b"top", stack_limit=4 * PAGE)
    machine.store(number, STACK_TOP - 4 * PAGE, 1)
    assert machine.load(number, STACK_TOP - 3) == ord("t")
    assert trap_of(machine, number, STACK_TOP - 4 * PAGE - 1, write=True) == MAPERR


def test_a_page_can_be_hidden_and_shown_again(machine):
    number = machine.new_space()
    address = machine.mmap(number, PAGE)
    machine.store(number, address, 5)
    assert machine.mprotect(number, address, PAGE, f.PROT_NONE) == 0
    assert trap_of(machine, number, address, write=False) == ACCERR
    assert machine.mprotect(number, address, PAGE, RW) == 0
    assert machine.load(number, address) == 5
    machine.store(number, address, 6)
    assert not machine.violations()
