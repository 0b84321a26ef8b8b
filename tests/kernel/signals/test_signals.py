"""Sending, taking, blocking and waiting for signals, driven by hand: a list stands in for scheduler and processes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.ranks import SIGNALS
from kernel.abi.errno_values import EAGAIN, EINTR, EINVAL
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import (
    CLD_EXITED,
    CLD_STOPPED,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VM,
    SA_NOCLDSTOP,
    SA_NOCLDWAIT,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SEGV_MAPERR,
    SI_USER,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
)
from kernel.abi.signos import (
    SIGCHLD,
    SIGCONT,
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGQUIT,
    SIGRTMIN,
    SIGSEGV,
    SIGSTOP,
    SIGTERM,
    SIGTSTP,
    SIGUSR1,
    SIGUSR2,
    SIGWINCH,
    bit,
    make_set,
)
from kernel.signals.delivery import Delivery
from kernel.signals.pending import SignalInfo
from kernel.signals.records import StopState, Wait
from kernel.signals.signals import OWNER, Signals
from kernel.tickets import Ticket, WouldBlock

HANDLER = 0x401000
THREAD = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM


class Bench:
    """Signals, process 100 with one thread, and everything that was told."""

    def __init__(self) -> None:
        self.state = Signals()
        self.state.add_process(100)
        self.told: list[tuple[Any, ...]] = []

    def attention_changed(self, tid: int, level: int) -> None:
        self.told.append(("attention", tid, level))

    def wake(self, tid: int, serial: int) -> None:
        self.told.append(("wake", tid, serial))

    def renamed(self, old_tid: int, new_tid: int) -> None:
        self.told.append(("renamed", old_tid, new_tid))

    def continued(self, pid: int) -> None:
        self.told.append(("continued", pid))

    # ---- shorthands; each verifies

    def verify(self) -> None:
        assert list(self.state.check()) == []

    def post(self, signo: int, tid: int = 0, pid: int = 100, code: int = SI_USER, value: int = 0) -> str:
        result = self.state.post(pid, tid, SignalInfo(signo, code, value=value), self)
        self.verify()
        return result

    def thread(self, tid: int, parent: int = 100) -> None:
        self.state.copy(parent, tid, 100, THREAD, self)
        self.verify()

    def fork(self, pid: int, parent: int = 100, flags: int = 0) -> None:
        self.state.copy(parent, pid, pid, flags, self)
        self.verify()

    def handle(self, signo: int, handler: int = HANDLER, mask: int = 0, flags: int = 0, tid: int = 100) -> tuple[int, int, int]:
        before = self.state.sigaction(tid, signo, (handler, mask, flags), self)
        self.verify()
        return before

    def mask(self, how: int, *signos: int, tid: int = 100) -> int:
        before = self.state.sigprocmask(tid, how, make_set(signos), self)
        self.verify()
        return before

    def deliver(self, tid: int = 100, serial: int = 1) -> Delivery:
        delivery = self.state.deliver(tid, serial, self)
        self.verify()
        return delivery

    def resume(self, tid: int = 100, serial: int = 1, timed_out: bool = False) -> Any:
        answer = self.state.resume(Ticket(tid, serial), timed_out, self)
        self.verify()
        return answer

    def level(self, tid: int = 100) -> int:
        return self.state.level_of(tid)


def broken(state: Signals) -> set[str]:
    return {violation.name for violation in state.check()}


# ---- generation -------------------------------------------------------------------------------------------------------------


def test_owner_is_the_rank_of_signals() -> None:
    assert OWNER == SIGNALS


def test_handled_signal_gives_attention_until_it_is_delivered() -> None:
    bench = Bench()
    bench.handle(SIGUSR1, flags=SA_RESTART)
    assert bench.post(SIGUSR1) == "queued"
    delivery = bench.deliver()
    assert (delivery.action, delivery.handler, delivery.flags, delivery.saved_mask) == ("handler", HANDLER, SA_RESTART, 0)
    assert bench.told == [("attention", 100, 1), ("attention", 100, 0)]


def test_second_standard_signal_is_lost_and_the_first_siginfo_kept() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.post(SIGUSR1, value=1)
    assert bench.post(SIGUSR1, value=2) == "already_pending"
    delivery = bench.deliver()
    assert delivery.info is not None
    assert delivery.info.value == 1
    assert bench.deliver().action == "none"


def test_real_time_signals_queue_in_order() -> None:
    bench = Bench()
    bench.handle(SIGRTMIN, flags=SA_NODEFER)
    for value in (3, 1, 2):
        bench.post(SIGRTMIN, value=value)
    assert [bench.deliver().info.value for _ in range(3)] == [3, 1, 2]  # type: ignore[union-attr]
    assert bench.deliver().action == "none"


def test_lowest_number_comes_first_and_a_fault_before_all() -> None:
    bench = Bench()
    for signo in (SIGSEGV, SIGUSR1, SIGHUP):
        bench.handle(signo)
    bench.post(SIGUSR1)
    bench.post(SIGHUP)
    bench.state.fault(100, SignalInfo(SIGSEGV, SEGV_MAPERR), bench)
    assert [bench.deliver().info.signo for _ in range(3)] == [SIGSEGV, SIGHUP, SIGUSR1]  # type: ignore[union-attr]


def test_threads_own_signal_comes_before_the_processes() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.handle(SIGHUP)
    bench.post(SIGHUP)
    bench.post(SIGUSR1, tid=100)
    assert bench.deliver().info.signo == SIGUSR1  # type: ignore[union-attr]


@pytest.mark.parametrize("signo", [SIGCHLD, SIGWINCH, SIGCONT])
def test_signal_whose_default_does_nothing_is_dropped(signo: int) -> None:
    bench = Bench()
    assert bench.post(signo) == "ignored"
    assert bench.told == []


def test_ignored_signal_is_dropped_but_kept_while_it_is_blocked() -> None:
    bench = Bench()
    bench.handle(SIGUSR1, SIG_IGN)
    assert bench.post(SIGUSR1) == "ignored"
    bench.mask(SIG_BLOCK, SIGUSR1)
    assert bench.post(SIGUSR1) == "queued"
    assert bench.state.sigpending(100) == bit(SIGUSR1)
    bench.mask(SIG_UNBLOCK, SIGUSR1)
    assert bench.level() == 1
    assert bench.deliver().action == "none"


def test_signal_to_nobody_is_ignored() -> None:
    bench = Bench()
    bench.fork(101)
    assert bench.post(SIGTERM, pid=999) == "ignored"
    assert bench.post(SIGTERM, pid=100, tid=101) == "ignored"


def test_terminating_signal_ends_all_threads_at_once() -> None:
    bench = Bench()
    bench.thread(101)
    bench.post(SIGTERM)
    assert [bench.level(100), bench.level(101)] == [2, 2]
    for tid in (100, 101):
        delivery = bench.deliver(tid)
        assert (delivery.action, delivery.info.signo, delivery.core_dump) == ("terminate", SIGTERM, False)  # type: ignore[union-attr]


def test_nothing_can_be_sent_to_a_process_that_ends() -> None:
    bench = Bench()
    bench.post(SIGTERM)
    assert bench.post(SIGKILL) == "ignored"
    assert bench.deliver().info.signo == SIGTERM  # type: ignore[union-attr]


def test_core_dumping_signal_ends_the_process_when_it_is_delivered() -> None:
    bench = Bench()
    bench.thread(101)
    bench.post(SIGQUIT)
    assert [bench.level(100), bench.level(101)] == [1, 0]
    delivery = bench.deliver()
    assert (delivery.action, delivery.core_dump) == ("terminate", True)
    assert bench.level(101) == 2


def test_kill_works_on_a_thread_that_blocks_everything() -> None:
    bench = Bench()
    bench.state.sigprocmask(100, SIG_SETMASK, (1 << 64) - 1, bench)
    bench.post(SIGKILL)
    assert bench.deliver().action == "terminate"


def test_init_survives_signals_without_handler() -> None:
    bench = Bench()
    bench.state.add_process(1)
    for signo in (SIGTERM, SIGKILL, SIGSTOP):
        assert bench.post(signo, pid=1) == "ignored"
    bench.handle(SIGTERM, tid=1)
    assert bench.post(SIGTERM, pid=1) == "queued"


def test_init_does_not_die_of_a_signal_that_it_unblocks() -> None:
    bench = Bench()
    bench.state.add_process(1)
    bench.mask(SIG_BLOCK, SIGTERM, tid=1)
    bench.post(SIGTERM, pid=1)
    bench.mask(SIG_UNBLOCK, SIGTERM, tid=1)
    assert bench.deliver(1).action == "none"


# ---- which thread -------------------------------------------------------------------------------------------------------------


def test_main_thread_is_chosen_first() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.post(SIGUSR1)
    assert (bench.level(100), bench.level(101)) == (1, 0)


def test_thread_that_does_not_block_is_chosen() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.mask(SIG_BLOCK, SIGUSR1)
    bench.post(SIGUSR1)
    assert (bench.level(100), bench.level(101)) == (0, 1)


def test_busy_threads_are_passed_over_in_turn() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.handle(SIGUSR2)
    for tid in (101, 102):
        bench.thread(tid)
    bench.state.sigprocmask(100, SIG_SETMASK, make_set((SIGUSR1, SIGUSR2)), bench)
    bench.post(SIGUSR1)
    bench.post(SIGUSR2)
    assert [bench.level(tid) for tid in (100, 101, 102)] == [0, 1, 1]


def test_signal_that_all_block_waits_for_the_first_to_unblock() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.mask(SIG_BLOCK, SIGUSR1)
    bench.thread(101)
    bench.post(SIGUSR1)
    assert (bench.level(100), bench.level(101)) == (0, 0)
    bench.mask(SIG_UNBLOCK, SIGUSR1, tid=101)
    assert (bench.level(100), bench.level(101)) == (0, 1)


def test_blocking_hands_the_signal_to_another_thread() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.post(SIGUSR1)
    bench.mask(SIG_BLOCK, SIGUSR1)
    assert (bench.level(100), bench.level(101)) == (0, 1)


def test_end_of_a_thread_hands_its_signal_to_another() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.post(SIGUSR1)
    bench.state.remove(100, False, bench)
    bench.verify()
    assert bench.level(101) == 1
    assert ("attention", 100, 0) in bench.told


def test_thread_that_unblocks_takes_the_signal_before_the_call_returns() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.mask(SIG_BLOCK, SIGUSR1, tid=101)
    bench.post(SIGUSR1)
    bench.mask(SIG_UNBLOCK, SIGUSR1, tid=101)
    assert (bench.level(100), bench.level(101)) == (0, 1)


def test_whoever_comes_first_takes_it() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.post(SIGUSR1)
    assert bench.deliver(101).action == "handler"
    assert bench.deliver(100).action == "none"
    assert bench.level(100) == 0


# ---- handlers -----------------------------------------------------------------------------------------------------------------


def test_handler_blocks_its_signal_and_the_actions_mask_until_sigreturn() -> None:
    bench = Bench()
    bench.mask(SIG_BLOCK, SIGHUP)
    bench.handle(SIGUSR1, mask=make_set((SIGUSR2, SIGKILL)))
    bench.post(SIGUSR1)
    delivery = bench.deliver()
    assert bench.state.threads[100].mask == make_set((SIGHUP, SIGUSR1, SIGUSR2))
    bench.state.sigreturn(100, delivery.saved_mask, bench)
    assert bench.state.threads[100].mask == bit(SIGHUP)


def test_nodefer_leaves_the_signal_unblocked() -> None:
    bench = Bench()
    bench.handle(SIGUSR1, flags=SA_NODEFER)
    bench.post(SIGUSR1)
    bench.deliver()
    assert bench.state.threads[100].mask == 0


def test_resethand_is_for_one_signal() -> None:
    bench = Bench()
    bench.handle(SIGUSR1, flags=SA_RESETHAND)
    bench.post(SIGUSR1)
    assert bench.deliver().action == "handler"
    assert bench.state.sigaction(100, SIGUSR1, None, bench)[0] == SIG_DFL


def test_signal_pending_during_the_handler_gives_attention_at_sigreturn() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.post(SIGUSR1)
    delivery = bench.deliver()
    bench.post(SIGUSR1)
    assert bench.level() == 0
    bench.state.sigreturn(100, delivery.saved_mask, bench)
    assert bench.level() == 1


def test_sigreturn_cannot_block_kill() -> None:
    bench = Bench()
    bench.state.sigreturn(100, (1 << 64) - 1, bench)
    bench.verify()


# ---- sigaction and masks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signo", "changes"), [(0, False), (-1, True), (65, False), (SIGKILL, True), (SIGSTOP, True)]
)  # fmt: skip
def test_sigaction_refuses(signo: int, changes: bool) -> None:
    bench = Bench()
    with pytest.raises(SysError) as refused:
        bench.state.sigaction(100, signo, (HANDLER, 0, 0) if changes else None, bench)
    assert refused.value.errno == EINVAL


def test_action_of_kill_can_be_asked() -> None:
    assert Bench().state.sigaction(100, SIGKILL, None, Bench()) == (SIG_DFL, 0, 0)


def test_sigaction_gives_the_previous_action() -> None:
    bench = Bench()
    assert bench.handle(SIGUSR1, mask=bit(SIGHUP), flags=SA_RESTART | 0x4000000) == (SIG_DFL, 0, 0)
    assert bench.handle(SIGUSR1, SIG_IGN) == (HANDLER, bit(SIGHUP), SA_RESTART)


def test_ignoring_discards_what_is_pending_even_if_blocked() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.mask(SIG_BLOCK, SIGUSR1)
    bench.post(SIGUSR1)
    bench.post(SIGUSR1, tid=100)
    bench.handle(SIGUSR1, SIG_IGN)
    assert bench.state.sigpending(100) == 0


def test_default_discards_too_where_it_ignores() -> None:
    bench = Bench()
    bench.handle(SIGCHLD)
    bench.post(SIGCHLD)
    bench.handle(SIGCHLD, SIG_DFL)
    assert bench.level() == 0


def test_masks_are_added_removed_and_set() -> None:
    bench = Bench()
    assert bench.mask(SIG_BLOCK, SIGINT, SIGKILL, SIGSTOP) == 0
    assert bench.mask(SIG_BLOCK, SIGHUP) == bit(SIGINT)
    assert bench.mask(SIG_UNBLOCK, SIGINT) == make_set((SIGINT, SIGHUP))
    assert bench.mask(SIG_SETMASK, SIGTERM) == bit(SIGHUP)
    assert bench.state.sigprocmask(100, 77, None, bench) == bit(SIGTERM)
    with pytest.raises(SysError) as refused:
        bench.state.sigprocmask(100, 77, 0, bench)
    assert refused.value.errno == EINVAL


def test_sigpending_shows_only_what_is_blocked() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.handle(SIGUSR2)
    bench.mask(SIG_BLOCK, SIGUSR1)
    bench.post(SIGUSR1)
    bench.post(SIGUSR2)
    assert bench.state.sigpending(100) == bit(SIGUSR1)


# ---- faults ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["blocked", "ignored", "default"])
def test_fault_that_cannot_be_handled_ends_the_process(way: str) -> None:
    bench = Bench()
    if way == "blocked":
        bench.handle(SIGSEGV)
        bench.mask(SIG_BLOCK, SIGSEGV)
    elif way == "ignored":
        bench.handle(SIGSEGV, SIG_IGN)
    bench.state.fault(100, SignalInfo(SIGSEGV, SEGV_MAPERR, address=16), bench)
    bench.verify()
    assert bench.level() == 1
    delivery = bench.deliver()
    assert (delivery.action, delivery.core_dump) == ("terminate", True)
    assert delivery.info == SignalInfo(SIGSEGV, SEGV_MAPERR, address=16)


def test_fault_with_a_handler_runs_it() -> None:
    bench = Bench()
    bench.handle(SIGSEGV)
    bench.state.fault(100, SignalInfo(SIGSEGV, SEGV_MAPERR), bench)
    assert bench.deliver().action == "handler"


def test_fault_in_init_ends_even_init() -> None:
    bench = Bench()
    bench.state.add_process(1)
    bench.state.fault(1, SignalInfo(SIGSEGV, SEGV_MAPERR), bench)
    assert bench.deliver(1).action == "terminate"


# ---- clone, exec, exit ------------------------------------------------------------------------------------------------------------


def test_fork_copies_mask_and_actions_but_nothing_that_is_pending() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.mask(SIG_BLOCK, SIGUSR1)
    bench.post(SIGUSR1)
    bench.fork(101)
    assert bench.state.sigpending(101) == 0
    assert bench.state.threads[101].mask == bit(SIGUSR1)
    bench.handle(SIGUSR1, SIG_IGN, tid=101)
    assert bench.state.sigaction(100, SIGUSR1, None, bench)[0] == HANDLER


def test_clone_sighand_shares_actions() -> None:
    bench = Bench()
    bench.fork(101, flags=CLONE_SIGHAND | CLONE_VM)
    bench.handle(SIGUSR1, tid=101)
    assert bench.state.sigaction(100, SIGUSR1, None, bench)[0] == HANDLER


def test_exec_leaves_shared_actions_to_the_others() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.handle(SIGUSR2, SIG_IGN)
    bench.fork(101, flags=CLONE_SIGHAND | CLONE_VM)
    bench.state.reset_for_exec(101, 101, bench)
    bench.verify()
    assert bench.state.sigaction(100, SIGUSR1, None, bench)[0] == HANDLER
    assert bench.state.sigaction(101, SIGUSR1, None, bench)[0] == SIG_DFL
    assert bench.state.sigaction(101, SIGUSR2, None, bench)[0] == SIG_IGN


def test_exec_by_another_thread_takes_the_leaders_tid_and_tells_attention_afterwards() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.post(SIGUSR1, tid=101)
    bench.state.fatal(100, 101, bench)
    bench.verify()
    assert bench.deliver(100) == Delivery("terminate")
    bench.state.remove(100, False, bench)
    bench.told.clear()
    bench.state.reset_for_exec(101, 100, bench)
    bench.verify()
    assert bench.told == [("renamed", 101, 100), ("attention", 100, 1)]
    assert bench.deliver(100).info.signo == SIGUSR1  # type: ignore[union-attr]


def test_group_exit_ends_all_threads_but_the_caller() -> None:
    bench = Bench()
    for tid in (101, 102):
        bench.thread(tid)
    bench.state.fatal(100, 101, bench)
    bench.verify()
    assert [bench.level(tid) for tid in (100, 101, 102)] == [2, 0, 2]


def test_thread_made_by_a_dying_one_dies_too() -> None:
    bench = Bench()
    bench.thread(101)
    bench.state.fatal(100, 101, bench)
    bench.thread(102, parent=100)
    assert bench.level(102) == 2
    assert ("attention", 102, 2) in bench.told


def test_last_thread_takes_the_process_with_it() -> None:
    bench = Bench()
    bench.state.remove(100, True, bench)
    bench.verify()
    assert (bench.state.processes, bench.state.threads, bench.state.tables) == ({}, {}, {})
    assert bench.deliver(100) == Delivery("terminate")
    assert bench.post(SIGTERM) == "ignored"


@pytest.mark.parametrize(("handler", "flags", "discards"), [(SIG_DFL, 0, False), (SIG_IGN, 0, True), (HANDLER, SA_NOCLDWAIT, True)])
def test_children_are_discarded_by_sigign_or_nocldwait(handler: int, flags: int, discards: bool) -> None:
    bench = Bench()
    bench.handle(SIGCHLD, handler, flags=flags)
    assert bench.state.discards_children(100) is discards


def test_nocldstop_is_about_stops_only() -> None:
    bench = Bench()
    bench.handle(SIGCHLD, flags=SA_NOCLDSTOP)
    assert bench.post(SIGCHLD, code=CLD_STOPPED) == "ignored"
    assert bench.post(SIGCHLD, code=CLD_EXITED) == "queued"


# ---- stop and continue ------------------------------------------------------------------------------------------------------------


def test_stop_reaches_every_thread_and_cont_wakes_them() -> None:
    bench = Bench()
    bench.thread(101)
    bench.post(SIGSTOP)
    assert bench.deliver(100, serial=7).action == "stop"
    assert bench.level(101) == 1
    assert bench.state.stop_signal(100) == 0
    delivery = bench.deliver(101, serial=9)
    assert (delivery.action, delivery.info.signo) == ("stop", SIGSTOP)  # type: ignore[union-attr]
    assert bench.state.stop_signal(100) == SIGSTOP
    bench.told.clear()
    bench.post(SIGCONT)
    assert bench.told == [("wake", 100, 7), ("wake", 101, 9), ("continued", 100)]
    assert bench.resume(100, 7) is None
    assert bench.resume(101, 9) is None


def test_stopped_thread_goes_on_waiting_when_woken_for_nothing() -> None:
    bench = Bench()
    bench.post(SIGSTOP)
    bench.deliver(serial=7)
    assert bench.resume(serial=7) == WouldBlock(OWNER, "stopped", killable=True)


def test_cont_before_the_stop_is_taken_discards_it() -> None:
    bench = Bench()
    bench.post(SIGTSTP)
    bench.post(SIGCONT)
    assert bench.deliver().action == "none"
    assert ("continued", 100) not in bench.told


def test_stop_discards_a_pending_cont() -> None:
    bench = Bench()
    bench.handle(SIGCONT)
    bench.mask(SIG_BLOCK, SIGCONT)
    bench.post(SIGCONT)
    bench.post(SIGTSTP)
    assert bench.state.sigpending(100) == 0


def test_handler_of_cont_runs_after_continuing() -> None:
    bench = Bench()
    bench.handle(SIGCONT)
    bench.post(SIGSTOP)
    bench.deliver(serial=7)
    bench.post(SIGCONT)
    assert bench.resume(serial=7) is None
    assert bench.deliver().info.signo == SIGCONT  # type: ignore[union-attr]


def test_thread_on_its_way_into_a_stop_goes_on() -> None:
    bench = Bench()
    bench.thread(101)
    bench.post(SIGSTOP)
    bench.deliver(100, serial=7)
    bench.post(SIGCONT)
    assert bench.level(101) == 0
    assert bench.deliver(101).action == "none"


def test_terminating_signal_waits_until_the_process_continues() -> None:
    bench = Bench()
    bench.post(SIGSTOP)
    bench.deliver(serial=7)
    bench.post(SIGTERM)
    assert bench.level() == 1
    bench.post(SIGCONT)
    bench.resume(serial=7)
    assert bench.deliver().info.signo == SIGTERM  # type: ignore[union-attr]


def test_kill_ends_a_stopped_process() -> None:
    bench = Bench()
    bench.post(SIGSTOP)
    bench.deliver(serial=7)
    bench.post(SIGKILL)
    assert bench.level() == 2
    assert bench.resume(serial=7) is None
    assert bench.deliver().action == "terminate"


def test_orphaned_group_is_not_stopped_from_the_terminal() -> None:
    bench = Bench()
    bench.state.set_orphaned(100, True)
    bench.post(SIGTSTP)
    assert bench.deliver().action == "none"
    bench.post(SIGSTOP)
    assert bench.deliver().action == "stop"


def test_thread_made_during_a_stop_stops() -> None:
    bench = Bench()
    bench.thread(101)
    bench.post(SIGSTOP)
    bench.deliver(100, serial=7)
    bench.thread(102, parent=101)
    assert bench.deliver(102, serial=1).action == "stop"


def test_stop_is_complete_when_the_last_running_thread_ends() -> None:
    bench = Bench()
    bench.thread(101)
    bench.post(SIGSTOP)
    bench.deliver(100, serial=7)
    bench.state.remove(101, False, bench)
    assert bench.state.stop_signal(100) == SIGSTOP


# ---- pause, sigsuspend, sigtimedwait ------------------------------------------------------------------------------------------------


def test_pause_ends_with_a_signal() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    assert bench.state.pause(Ticket(100, 1)) == WouldBlock(OWNER, "pause")
    bench.post(SIGUSR1)
    assert bench.resume() == Failure(EINTR)
    assert bench.deliver().action == "handler"


def test_pause_goes_on_when_another_thread_took_the_signal() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.state.pause(Ticket(100, 1))
    bench.post(SIGUSR1)
    bench.deliver(101)
    assert bench.resume() == WouldBlock(OWNER, "pause")


def test_sigsuspend_swaps_the_mask_and_the_frame_gets_the_old_one() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.mask(SIG_BLOCK, SIGUSR1, SIGHUP)
    assert bench.state.sigsuspend(Ticket(100, 1), bit(SIGUSR2), bench) == WouldBlock(OWNER, "sigsuspend")
    bench.verify()
    bench.post(SIGUSR1)
    assert bench.resume() == Failure(EINTR)
    delivery = bench.deliver()
    assert delivery.saved_mask == make_set((SIGUSR1, SIGHUP))
    assert bench.state.threads[100].mask == make_set((SIGUSR1, SIGUSR2))
    assert bench.state.threads[100].saved_mask is None


def test_sigsuspend_ends_at_once_if_the_signal_is_pending() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.mask(SIG_BLOCK, SIGUSR1)
    bench.post(SIGUSR1)
    assert bench.state.sigsuspend(Ticket(100, 1), 0, bench) == Failure(EINTR)
    bench.verify()
    assert bench.deliver().saved_mask == bit(SIGUSR1)


def test_mask_of_sigsuspend_is_restored_when_nothing_is_delivered() -> None:
    bench = Bench()
    bench.mask(SIG_BLOCK, SIGHUP)
    bench.state.sigsuspend(Ticket(100, 1), 0, bench)
    bench.post(SIGTSTP)
    assert bench.resume() == Failure(EINTR)
    assert bench.deliver(serial=2).action == "stop"
    bench.post(SIGCONT)
    assert bench.resume(serial=2) is None
    assert bench.level() == 1, "the mask is still to be restored"
    assert bench.deliver().action == "none"
    assert bench.state.threads[100].mask == bit(SIGHUP)
    assert bench.level() == 0


def test_sigtimedwait_takes_a_pending_signal_at_once() -> None:
    bench = Bench()
    bench.mask(SIG_BLOCK, SIGUSR1, SIGTERM)
    bench.post(SIGTERM, value=4)
    info = bench.state.sigtimedwait(Ticket(100, 1), make_set((SIGUSR1, SIGTERM)), None, 0, bench)
    assert info == SignalInfo(SIGTERM, SI_USER, value=4)


def test_sigtimedwait_is_woken_by_its_signal_even_one_that_would_kill() -> None:
    bench = Bench()
    bench.mask(SIG_BLOCK, SIGTERM)
    blocked = bench.state.sigtimedwait(Ticket(100, 1), bit(SIGTERM), 500, 0, bench)
    assert blocked == WouldBlock(OWNER, "sigwait", "SIGTERM", 500)
    bench.verify()
    assert bench.post(SIGTERM) == "queued"
    assert bench.level() == 1
    assert bench.resume(timed_out=True) == SignalInfo(SIGTERM, SI_USER)
    assert bench.state.threads[100].mask == bit(SIGTERM)
    assert bench.level() == 0


def test_waiting_thread_is_chosen_over_those_that_block() -> None:
    bench = Bench()
    bench.mask(SIG_BLOCK, SIGUSR1)
    bench.thread(101)
    bench.state.sigtimedwait(Ticket(101, 1), bit(SIGUSR1), None, 0, bench)
    bench.post(SIGUSR1)
    assert (bench.level(100), bench.level(101)) == (0, 1)


def test_blocked_signal_whose_default_is_nothing_can_be_waited_for() -> None:
    bench = Bench()
    bench.mask(SIG_BLOCK, SIGCHLD)
    bench.state.sigtimedwait(Ticket(100, 1), bit(SIGCHLD), None, 0, bench)
    assert bench.post(SIGCHLD, code=CLD_EXITED) == "queued"
    assert bench.resume() == SignalInfo(SIGCHLD, CLD_EXITED)


def test_sigtimedwait_times_out() -> None:
    bench = Bench()
    assert bench.state.sigtimedwait(Ticket(100, 1), bit(SIGUSR1), 5, 5, bench) == Failure(EAGAIN)
    bench.state.sigtimedwait(Ticket(100, 2), bit(SIGUSR1), 50, 5, bench)
    assert bench.resume(serial=2, timed_out=True) == Failure(EAGAIN)
    assert bench.state.threads[100].real_mask is None


def test_sigtimedwait_is_interrupted_by_another_signal() -> None:
    bench = Bench()
    bench.handle(SIGHUP)
    bench.state.sigtimedwait(Ticket(100, 1), bit(SIGUSR1), None, 0, bench)
    bench.post(SIGHUP)
    assert bench.resume(timed_out=True) == Failure(EINTR)
    assert bench.deliver().action == "handler"


def test_sigtimedwait_refuses_a_negative_time() -> None:
    with pytest.raises(SysError) as refused:
        Bench().state.sigtimedwait(Ticket(100, 1), 0, -1, 0, Bench())
    assert refused.value.errno == EINVAL


# ---- statistics, copies, invariants -------------------------------------------------------------------------------------------------


def test_statistics_are_bit_sets() -> None:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.handle(SIGHUP, SIG_IGN)
    bench.mask(SIG_BLOCK, SIGUSR1, SIGUSR2)
    bench.post(SIGUSR1)
    bench.post(SIGUSR2, tid=100)
    record = bench.state.statistics(100, 0)
    assert (record.pending, record.shared_pending) == (bit(SIGUSR2), bit(SIGUSR1))
    assert (record.ignored, record.caught) == (bit(SIGHUP), bit(SIGUSR1))
    assert record.blocked == make_set((SIGUSR1, SIGUSR2))
    assert bench.state.statistics(7, 0).pending == 0


def busy_bench() -> Bench:
    bench = Bench()
    bench.handle(SIGUSR1)
    bench.thread(101)
    bench.post(SIGUSR1)
    bench.post(SIGUSR1, tid=101)
    return bench


def test_state_can_be_copied_and_compared() -> None:
    state = busy_bench().state
    twin = copy.deepcopy(state)
    assert twin == state
    twin.threads[101].mask = 1
    assert twin != state


def test_check_finds_attention_that_was_not_told() -> None:
    state = busy_bench().state
    state.threads[100].told = 0
    assert broken(state) == {"attention_matches_pending"}


def test_check_finds_a_mask_that_blocks_kill() -> None:
    state = busy_bench().state
    state.threads[100].mask = bit(SIGKILL)
    assert broken(state) == {"mask_never_blocks_kill"}


def test_check_finds_a_standard_signal_queued_twice() -> None:
    state = busy_bench().state
    state.threads[101].pending.queue.append(SignalInfo(SIGUSR1, SI_USER))
    assert broken(state) == {"one_of_each_standard_signal"}


def test_check_finds_bits_that_do_not_match_the_queue() -> None:
    state = busy_bench().state
    state.threads[101].pending.bits |= bit(SIGUSR2)
    assert broken(state) == {"pending_bits_match_queue"}


def test_check_finds_a_signal_that_nobody_takes() -> None:
    state = busy_bench().state
    state.processes[100].takers.clear()
    state.threads[100].told = 0
    assert broken(state) == {"shared_signal_has_taker"}


def test_check_finds_a_taker_that_blocks() -> None:
    state = busy_bench().state
    state.threads[100].mask = bit(SIGUSR1)
    assert broken(state) == {"taker_can_take"}


def test_check_finds_a_stop_without_a_cause() -> None:
    state = busy_bench().state
    state.threads[100].stop = StopState.STOPPED
    assert broken(state) == {"stop_has_a_cause"}


def test_check_finds_threads_and_processes_that_disagree() -> None:
    state = busy_bench().state
    state.processes[100].threads.append(777)
    assert "thread_in_its_process" in broken(state)


def test_check_finds_a_wrong_count_of_users() -> None:
    state = busy_bench().state
    state.tables[1].users += 1
    assert broken(state) == {"table_users"}


SIGNOS = (SIGHUP, SIGUSR1, SIGTERM, SIGQUIT, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGSEGV, SIGRTMIN)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["post", "post", "tkill", "mask", "handle", "deliver", "deliver", "wait", "thread", "remove", "fault"]),
        st.integers(0, 9),
        st.integers(0, 3),
    ),
    max_size=50,
)


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_invariants_hold_after_every_sequence(steps: list[tuple[str, int, int]]) -> None:
    """And what the scheduler heard last of each thread is its attention."""
    bench = Bench()
    state = bench.state
    for serial, (action, a, b) in enumerate(steps, 1):
        tids = state.processes[100].threads
        tid = tids[b % len(tids)]
        signo = SIGNOS[a]
        thread = state.threads[tid]
        if action == "post":
            bench.post(signo)
        elif action == "tkill":
            bench.post(signo, tid=tid)
        elif action == "thread" and len(tids) < 4:
            bench.thread(100 + serial, parent=tid)
        elif action == "remove" and len(tids) > 1:
            state.remove(tid, False, bench)
        elif thread.wait is not Wait.NONE:
            bench.resume(tid, thread.serial, timed_out=b == 1)
        elif action == "mask":
            bench.mask((SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK)[b % 3], signo, tid=tid)
        elif action == "handle" and signo != SIGSTOP:
            bench.handle(signo, (SIG_DFL, SIG_IGN, HANDLER)[b % 3], tid=tid)
        elif action == "deliver":
            bench.deliver(tid, serial)
        elif action == "fault":
            state.fault(tid, SignalInfo(SIGSEGV, SEGV_MAPERR), bench)
        elif action == "wait":
            ticket = Ticket(tid, serial)
            calls = (
                lambda ticket=ticket: state.pause(ticket),
                lambda ticket=ticket, signo=signo: state.sigsuspend(ticket, bit(signo), bench),
                lambda ticket=ticket, signo=signo: state.sigtimedwait(ticket, bit(signo), 10, 0, bench),
            )
            calls[b % 3]()
        bench.verify()
        heard = {entry[1]: entry[2] for entry in bench.told if entry[0] == "attention"}
        assert all(heard.get(each, 0) == state.level_of(each) for each in state.threads)
