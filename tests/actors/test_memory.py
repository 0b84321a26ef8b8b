"""The actor `memory`: shootdowns, what waits for them, futex words, the page cache."""

from __future__ import annotations

import pytest

from actors.events import FutexWaitEvent, PageFaultUser, TlbShootdown
from actors.messages import core, files, ipc, memory
from actors.ranks import FILES, FIRST_CORE, IPC, PROCESSES
from kernel.abi import flags as f
from kernel.abi.errno_values import E2BIG, EAGAIN, EINVAL, ENOSPC, ENOSYS, ESRCH
from kernel.abi.errnos import Failure
from kernel.abi.layout import STACK_TOP
from kernel.abi.signos import SIGSEGV
from kernel.hardware import walk
from kernel.memory.faults import Trap
from kernel.processes.image import Image, Segment
from tests.support.memory_actor import LoneMemory, caller

CORE0, CORE1 = FIRST_CORE, FIRST_CORE + 1
RW = f.PROT_READ | f.PROT_WRITE
PRIVATE = f.MAP_PRIVATE | f.MAP_ANONYMOUS
PAGE = 4096
TEXT = Segment(0x40_0000, 5000, f.PROT_READ | f.PROT_EXEC, 0, 5000)
DATA = Segment(0xA0_0000, PAGE, RW, -1, 0, b"data")
IMAGE = Image("prog", 0x40_1000, "", (TEXT, DATA), 0xA0_1000)


class Setting:
    """One space, loaded by cores 0 and 1."""

    def __init__(self) -> None:
        self.actor = LoneMemory()
        self.ready = self.actor.reply_to(PROCESSES, self.new_space())
        self.space = self.ready.space
        self.caller = caller(self.space)
        self.actor.state.hardware.cr3.update({0: self.space, 1: self.space})
        self.address = self.mmap()

    def new_space(self, argv=(b"prog",)):
        return memory.NewSpace(IMAGE, 2, argv, (b"A=b",), b"/bin/prog", 8 << 20, bytes(16), (0, 0, 0, 0), seed=bytes(6000))

    def mmap(self, flags=PRIVATE, address=0, file=None):
        return self.actor.reply_to(CORE0, memory.Mmap(self.caller, 1, address, 2 * PAGE, RW, flags, file, 0))

    def fault(self, address, write=True, asker=CORE0, space=0):
        return memory.PageFault(space or self.space, address, write, False)

    def touch(self, address, space=0):
        assert self.actor.reply_to(CORE0, self.fault(address, space=space)) is None

    def acknowledge(self, number):
        """Core `number` serves the shootdowns that it was told."""
        mine = [message for target, message in self.actor.told if target == FIRST_CORE + number]
        self.actor.told = [told for told in self.actor.told if told[0] != FIRST_CORE + number]
        for message in mine:
            self.actor.request(FIRST_CORE + number, memory.ShootdownAck(message.token, number))
        assert list(self.actor.state.check()) == []

    def futex(self, op, value=0, word=0, value3=0):
        return memory.Futex(self.caller, 5, word or self.address, op, value, None, 0, value3)


@pytest.fixture
def setting():
    return Setting()


def test_munmap_is_answered_and_frees_its_frames_at_the_last_acknowledgement(setting):
    setting.touch(setting.address)
    used = setting.actor.state.frames.used
    setting.actor.request(CORE0, memory.Munmap(setting.caller, 2, setting.address, 2 * PAGE))
    assert setting.actor.told == [(number, core.Shootdown(1, setting.space, setting.address >> 12, 2)) for number in (CORE0, CORE1)]
    assert list(setting.actor.state.check()) == []
    setting.acknowledge(0)
    assert setting.actor.answers == []
    assert setting.actor.state.frames.used == used
    setting.acknowledge(1)
    assert setting.actor.answers == [(CORE0, None)]
    assert setting.actor.state.frames.used == used - 1


def test_munmap_of_what_was_never_touched_interrupts_nobody(setting):
    assert setting.actor.reply_to(CORE0, memory.Munmap(setting.caller, 2, setting.address, 2 * PAGE)) is None
    assert not setting.actor.told


def test_changes_of_areas_wait_for_a_pending_one_in_their_order(setting):
    setting.touch(setting.address)
    setting.actor.request(CORE0, memory.Munmap(setting.caller, 2, setting.address, 2 * PAGE))
    setting.actor.request(CORE1, memory.Mmap(setting.caller, 3, setting.address, PAGE, RW, PRIVATE | f.MAP_FIXED, None, 0))
    setting.actor.request(FIRST_CORE + 2, memory.Brk(setting.caller, 3, 0))
    assert setting.actor.answers == []
    setting.acknowledge(0)
    setting.acknowledge(1)
    assert setting.actor.answers == [(CORE0, None), (CORE1, setting.address), (FIRST_CORE + 2, 0xA0_1000)]


def test_a_fault_on_a_page_being_unmapped_waits_and_is_then_a_signal(setting):
    setting.touch(setting.address)
    setting.actor.request(CORE0, memory.Munmap(setting.caller, 2, setting.address, 2 * PAGE))
    setting.actor.request(CORE1, setting.fault(setting.address))
    assert setting.actor.answers == []
    setting.acknowledge(0)
    setting.acknowledge(1)
    assert setting.actor.answers == [(CORE0, None), (CORE1, Trap(SIGSEGV, f.SEGV_MAPERR))]


def test_a_parked_request_that_fails_answers_its_errno(setting):
    setting.touch(setting.address)
    setting.actor.request(CORE0, memory.Munmap(setting.caller, 2, setting.address, 2 * PAGE))
    setting.actor.request(CORE1, memory.Munmap(setting.caller, 3, 1, PAGE))
    setting.acknowledge(0)
    setting.acknowledge(1)
    assert setting.actor.answers == [(CORE0, None), (CORE1, Failure(EINVAL))]


def test_fork_takes_write_permission_from_every_core_before_it_is_answered(setting):
    setting.touch(setting.address)
    setting.actor.request(PROCESSES, memory.DuplicateSpace(setting.space))
    assert [(target, message.count) for target, message in setting.actor.told] == [(CORE0, -1), (CORE1, -1)]
    setting.actor.request(CORE1, setting.fault(setting.address))  # core 0 may still write: no copy yet
    setting.acknowledge(1)
    assert setting.actor.answers == []
    setting.acknowledge(0)
    child = setting.space + 1
    assert setting.actor.answers[0] == (PROCESSES, child)
    assert walk(setting.actor.state.hardware.tables[child], setting.address >> 12, write=False, execute=False) > 0


def test_a_copy_on_write_interrupts_only_the_other_cores_and_is_writable_afterwards(setting):
    setting.touch(setting.address)
    setting.actor.request(PROCESSES, memory.DuplicateSpace(setting.space))
    setting.acknowledge(0)
    setting.acknowledge(1)
    setting.actor.answers.clear()
    table, page = setting.actor.state.hardware.tables[setting.space], setting.address >> 12
    old = walk(table, page, write=False, execute=False)
    setting.actor.request(CORE0, setting.fault(setting.address))
    assert setting.actor.told == [(CORE1, core.Shootdown(2, setting.space, page, 1))]
    assert walk(table, page, write=True, execute=False) <= 0
    setting.actor.request(FIRST_CORE + 2, setting.fault(setting.address))
    setting.acknowledge(1)
    assert setting.actor.answers == [(CORE0, None), (FIRST_CORE + 2, None)]
    new = walk(table, page, write=True, execute=False)
    assert new > 0
    assert new != old


def test_a_copy_on_write_of_a_space_that_one_core_runs_is_answered_at_once(setting):
    setting.touch(setting.address)
    setting.actor.state.hardware.cr3[1] = 0
    setting.actor.request(PROCESSES, memory.DuplicateSpace(setting.space))
    setting.acknowledge(0)
    setting.actor.answers.clear()
    assert setting.actor.reply_to(CORE0, setting.fault(setting.address)) is None
    assert walk(setting.actor.state.hardware.tables[setting.space], setting.address >> 12, write=True, execute=False) > 0
    assert setting.actor.events[-1].kind == "cow_copy"
    assert setting.actor.events[-1].cpu == 0


def test_the_last_release_frees_everything_after_every_core_forgot_it(setting):
    setting.touch(setting.address)
    setting.actor.request(PROCESSES, memory.ShareSpace(setting.space))
    setting.actor.answers.clear()
    assert setting.actor.reply_to(PROCESSES, memory.ReleaseSpace(setting.space)) is None
    setting.actor.request(PROCESSES, memory.ReleaseSpace(setting.space))
    setting.acknowledge(0)
    assert setting.actor.answers == []
    setting.acknowledge(1)
    assert setting.actor.answers == [(PROCESSES, None)]
    statistics = setting.actor.reply_to(PROCESSES, memory.MemoryStatistics())
    assert statistics.used == statistics.cached == 2


def test_truncation_takes_pages_from_every_space_that_maps_them(setting):
    file = memory.MappedFile(4, 2 * PAGE, "/f", 9, True, seed=bytes(2 * PAGE))
    address = setting.mmap(f.MAP_SHARED, file=file)
    setting.touch(address + PAGE)
    setting.actor.request(CORE1, memory.ResizeObject(4, 10, 77))
    assert {target for target, _ in setting.actor.told} == {CORE0, CORE1}
    setting.acknowledge(0)
    setting.acknowledge(1)
    assert setting.actor.answers == [(CORE1, 77)]


def test_exec_puts_the_arguments_on_the_stack(setting):
    assert setting.ready.stack_pointer % 16 == 0
    assert setting.ready.stack_low == STACK_TOP - (8 << 20)
    assert setting.actor.reply_to(PROCESSES, memory.PeekWord(None, setting.space, setting.ready.stack_pointer)) == 1
    assert setting.actor.reply_to(PROCESSES, setting.new_space((b"x" * 200_000,))) == Failure(E2BIG)


def test_futex_wait_compares_and_goes_on_to_ipc(setting):
    key = (1, setting.space, setting.address)
    setting.actor.request(CORE0, setting.futex(f.FUTEX_WAIT, 0))
    setting.actor.request(CORE0, setting.futex(f.FUTEX_WAKE | f.FUTEX_PRIVATE_FLAG, 3))
    assert setting.actor.forwarded == [
        (IPC, ipc.FutexQueue(setting.caller, 5, key, None, setting.address)),
        (IPC, ipc.FutexWake(setting.caller, 5, key, 3, setting.address))]
    assert setting.actor.reply_to(CORE0, setting.futex(f.FUTEX_WAIT, 1)) == Failure(EAGAIN)
    events = [event for event in setting.actor.events if type(event) is FutexWaitEvent]
    assert [(event.expected, event.found, event.queued, event.cpu) for event in events] == [(0, 0, True, 0), (1, 0, False, 0)]


@pytest.mark.parametrize(("op", "value3", "errno"), [
    (f.FUTEX_REQUEUE, 0, ENOSYS), (f.FUTEX_LOCK_PI, 0, ENOSYS), (f.FUTEX_WAIT | f.FUTEX_CLOCK_REALTIME, 0, ENOSYS),
    (f.FUTEX_WAIT_BITSET, 0, EINVAL), (f.FUTEX_WAKE_BITSET, 4, ENOSYS)])
def test_other_futex_commands_are_refused(setting, op, value3, errno):
    assert setting.actor.reply_to(CORE0, setting.futex(op, value3=value3)) == Failure(errno)


def test_a_dead_threads_word_is_cleared_and_its_joiner_woken(setting):
    setting.actor.reply_to(PROCESSES, memory.WriteWord(setting.space, setting.address, 123))
    assert setting.actor.reply_to(PROCESSES, memory.PeekWord(None, setting.space, setting.address)) == 123
    assert setting.actor.reply_to(PROCESSES, memory.ClearTid(setting.space, setting.address)) is None
    assert setting.actor.reply_to(PROCESSES, memory.PeekWord(None, setting.space, setting.address)) == 0
    assert setting.actor.told == [(IPC, ipc.FutexWakeDead((1, setting.space, setting.address)))]
    setting.actor.told.clear()
    assert setting.actor.reply_to(PROCESSES, memory.ClearTid(setting.space, 8)) is None
    assert not setting.actor.told


def test_clearing_a_word_on_a_page_that_must_be_copied_waits_for_the_other_cores(setting):
    setting.touch(setting.address)
    setting.actor.request(PROCESSES, memory.DuplicateSpace(setting.space))
    setting.acknowledge(0)
    setting.acknowledge(1)
    setting.actor.answers.clear()
    setting.actor.request(PROCESSES, memory.ClearTid(setting.space, setting.address))
    assert setting.actor.answers == []
    setting.acknowledge(0)
    setting.acknowledge(1)
    assert setting.actor.answers == [(PROCESSES, None)]
    assert setting.actor.told == [(IPC, ipc.FutexWakeDead((1, setting.space, setting.address)))]


def test_a_file_is_read_and_written_in_its_object(setting):
    assert setting.actor.reply_to(CORE0, memory.ReadObject(6, 1, 3, seed=b"hello")) == b"ell"
    assert setting.actor.reply_to(CORE0, memory.WriteObject(6, 4, b"!!", 6, 1, 1)) == 2
    assert setting.actor.reply_to(CORE0, memory.ReadObject(6, 0, 10)) == b"hell!!"
    setting.actor.request(FILES, memory.DropObject(6))
    setting.actor.request(FILES, memory.DropObject(8))
    assert 6 not in setting.actor.state.objects.table


def test_a_write_that_falls_short_is_told_to_files():
    actor = LoneMemory(frames=2)
    assert actor.reply_to(CORE0, memory.WriteObject(6, 0, bytes(3 * PAGE), 3 * PAGE, 11, 12)) == 2 * PAGE
    assert actor.reply_to(CORE0, memory.WriteObject(6, 2 * PAGE, b"x", 3 * PAGE, 11, 12)) == Failure(ENOSPC)
    assert actor.told == [
        (FILES, files.WriteFellShort(11, 12, 0, 3 * PAGE, 2 * PAGE)),
        (FILES, files.WriteFellShort(11, 12, 2 * PAGE, 1, 0))]


def test_dev_zero_maps_anonymous_memory(setting):
    file = memory.MappedFile(0, 0, "/dev/zero", 3, True, device="zero")
    setting.touch(setting.mmap(f.MAP_SHARED, file=file))


def test_a_space_that_is_gone_has_no_maps(setting):
    assert setting.actor.reply_to(PROCESSES, memory.Maps(99)) == Failure(ESRCH)
    assert len(setting.actor.reply_to(PROCESSES, memory.Maps(setting.space))) == 4
    assert setting.actor.reply_to(PROCESSES, memory.ResidentPages(setting.space))[1] == 2


def test_faults_and_shootdowns_are_events(setting):
    setting.touch(setting.address)
    setting.actor.request(CORE0, memory.Munmap(setting.caller, 2, setting.address, 2 * PAGE))
    fault, shot = [event for event in setting.actor.events if type(event) in {PageFaultUser, TlbShootdown}]
    assert (fault.kind, fault.access, fault.address) == ("zero", "write", setting.address)
    assert (shot.cores, shot.pages) == ([0, 1], 2)
