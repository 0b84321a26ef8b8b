"""The scheduler's rules, driven by hand: a list stands in for the rest of the machine."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errno_values import EINVAL, ESRCH
from kernel.abi.errnos import SysError
from kernel.scheduler.run_queue import GONE, IDLE, PARKED, RUNNABLE, RUNNING, move
from kernel.scheduler.scheduler import Scheduler

SLICE = 3_000_000


class Bench:
    """A scheduler and a machine that writes down what it is told."""

    def __init__(self, cores: int = 1, wide: bool = False) -> None:
        self.tracing = True
        self.state = Scheduler(cores, SLICE, 1_000_000, 4_000_000, wide)
        self.now = 0
        self.told: list[tuple[Any, ...]] = []
        self.events: list[tuple[Any, ...]] = []
        self.on_core: dict[int, Any] = {}  # core -> (context, attention, timed_out, slice_ns)

    def dispatch(self, core: int, context: Any, slice_ns: int, attention: int, timed_out: bool) -> None:
        assert core not in self.on_core, "a core that runs somebody gets nobody else"
        self.on_core[core] = (context, attention, timed_out, slice_ns)
        self.told.append(("run", core, context.caller.tid, slice_ns))

    def kick(self, core: int, tid: int, level: int) -> None:
        self.told.append(("kick", core, tid, level))

    def reschedule(self, core: int, tid: int, slice_ns: int) -> None:
        self.told.append(("reschedule", core, tid, slice_ns))

    def add_core(self) -> int:
        return len(self.state.cores)

    def switched(self, core: int, previous: Any, letter: str, reason: str, following: Any) -> None:
        self.events.append(("switch", core, previous and previous.tid, letter, reason, following and following.tid))

    def waking(self, thread: Any, why: str) -> None:
        self.events.append(("waking", thread.tid, why))

    def woken(self, thread: Any, core: int, new: bool) -> None:
        self.events.append(("wakeup", thread.tid, core, new))

    def migrated(self, thread: Any, origin: int, destination: int) -> None:
        self.events.append(("migrate", thread.tid, origin, destination))

    # ---- what the machine does

    def new(self, tid: int, parent: int = 0) -> None:
        caller = SimpleNamespace(tid=tid, pid=tid, path=(tid,), space=tid)
        self.state.enqueue(SimpleNamespace(caller=caller, comm=f"t{tid}"), parent, self.now, self)
        self.verify()

    def core_of(self, tid: int) -> int:
        return next(core for core, held in self.on_core.items() if held[0].caller.tid == tid)

    def park(self, tid: int, serial: int, *, ran: int = 0, killable: bool = False, reason: str = "futex") -> None:
        core = self.core_of(tid)
        context = self.on_core.pop(core)[0]
        self.state.park(core, context, serial, reason, "", False, killable, ran, self.now, self)
        self.verify()

    def preempt(self, tid: int, *, ran: int = 0, yielded: bool = False) -> None:
        core = self.core_of(tid)
        context = self.on_core.pop(core)[0]
        self.state.preempted(core, context, ran, yielded, self.now, self)
        self.verify()

    def exit(self, tid: int) -> None:
        core = self.core_of(tid)
        del self.on_core[core]
        self.state.exited(core, 0, self.now, self)
        self.verify()

    def wake(self, tid: int, serial: int, timed_out: bool = False) -> None:
        self.state.wake(tid, serial, timed_out, self.now, self)
        self.verify()

    def attend(self, tid: int, level: int) -> None:
        self.state.set_attention(tid, level, self.now, self)
        self.verify()

    def affine(self, tid: int, *cores: int) -> None:
        self.state.set_affinity(tid, frozenset(cores), self.now, self)
        self.verify()

    def verify(self) -> None:
        assert list(self.state.check()) == []

    def running(self) -> list[int]:
        return sorted(held[0].caller.tid for held in self.on_core.values())


def broken(state: Scheduler) -> set[str]:
    return {violation.name for violation in state.check()}


# ---- running and slices -----------------------------------------------------------------------------------------------------


def test_thread_runs_at_once_on_an_idle_core_without_a_slice() -> None:
    bench = Bench()
    bench.new(100)
    assert bench.told == [("run", 0, 100, -1)]
    assert bench.events == [("wakeup", 100, 0, True), ("switch", 0, None, "", "", 100)]


def test_second_thread_gives_the_running_one_a_slice() -> None:
    bench = Bench()
    bench.new(100)
    bench.new(101)
    assert bench.told[1:] == [("reschedule", 0, 100, SLICE)]


def test_third_thread_does_not_prolong_the_slice() -> None:
    bench = Bench()
    for tid in (100, 101, 102):
        bench.new(tid)
    assert bench.told.count(("reschedule", 0, 100, SLICE)) == 1


def test_slice_end_gives_the_core_to_the_next() -> None:
    bench = Bench()
    bench.new(100)
    bench.new(101)
    bench.preempt(100, ran=2 * SLICE)
    assert bench.running() == [101]
    assert bench.events[-1] == ("switch", 0, 100, "R", "slice", 101)
    assert bench.state.threads[100].involuntary_switches == 1


def test_preempted_thread_that_is_alone_goes_on_without_a_switch_event() -> None:
    bench = Bench()
    bench.new(100)
    before = len(bench.events)
    bench.preempt(100, ran=SLICE)
    assert bench.running() == [100]
    assert bench.events[before:] == []
    assert bench.state.threads[100].involuntary_switches == 0


def test_yield_lets_every_other_thread_run() -> None:
    bench = Bench()
    for tid in (100, 101, 102):
        bench.new(tid)
    order = []
    for _ in range(30):
        (tid,) = bench.running()
        order.append(tid)
        bench.preempt(tid, yielded=True)
    assert order == [100, 101, 102] * 10


def test_equal_threads_get_equal_time() -> None:
    bench = Bench()
    for tid in (100, 101, 102):
        bench.new(tid)
    for _ in range(300):
        bench.preempt(bench.running()[0], ran=SLICE)
    times = [bench.state.threads[tid].sum_exec_ns for tid in (100, 101, 102)]
    assert max(times) - min(times) <= 2 * SLICE


def test_nice_threads_get_time_in_proportion_to_their_weights() -> None:
    bench = Bench()
    bench.new(100)
    bench.new(101)
    bench.state.set_nice(101, 5)  # 335 of 1024
    for _ in range(2000):
        bench.preempt(bench.running()[0], ran=SLICE)
    share = bench.state.threads[101].sum_exec_ns * 1000 // bench.state.threads[100].sum_exec_ns
    assert abs(share - 327) <= 10


def test_child_inherits_nice_and_affinity() -> None:
    bench = Bench(cores=2)
    bench.new(100)
    bench.state.set_nice(100, 7)
    bench.affine(100, 0)
    bench.new(101, parent=100)
    assert bench.state.threads[101].nice == 7
    assert bench.state.get_affinity(101) == (0,)
    assert bench.running() == [100]


# ---- wake-ups ---------------------------------------------------------------------------------------------------------------


def test_wake_makes_a_parked_thread_run() -> None:
    bench = Bench()
    bench.new(100)
    bench.park(100, 5)
    assert bench.running() == []
    assert bench.events[-1] == ("switch", 0, 100, "S", "futex", None)
    bench.wake(100, 5)
    assert bench.running() == [100]
    assert ("waking", 100, "wake") in bench.events


def test_wake_before_the_park_is_remembered() -> None:
    bench = Bench()
    bench.new(100)
    bench.wake(100, 5)
    bench.park(100, 5)
    assert bench.running() == [100]
    assert bench.events[-1] == ("waking", 100, "remembered")


def test_remembered_wake_keeps_that_it_came_from_the_timer() -> None:
    bench = Bench()
    bench.new(100)
    bench.wake(100, 5, timed_out=True)
    bench.wake(100, 5, timed_out=False)
    bench.park(100, 5)
    assert bench.on_core[0][2] is True


def test_remembered_wake_is_consumed_once() -> None:
    bench = Bench()
    bench.new(100)
    bench.wake(100, 5)
    bench.park(100, 5)
    bench.park(100, 5)
    assert bench.running() == []


@pytest.mark.parametrize("stale", [4, 6])
def test_wake_with_another_serial_is_dropped(stale: int) -> None:
    bench = Bench()
    bench.new(100)
    bench.park(100, 5)
    bench.wake(100, stale)
    assert bench.running() == []


def test_wake_that_was_remembered_for_an_earlier_wait_is_stale() -> None:
    bench = Bench()
    bench.new(100)
    bench.wake(100, 4)
    bench.park(100, 5)
    assert bench.running() == []


def test_stale_wake_does_not_overwrite_a_remembered_one() -> None:
    bench = Bench()
    bench.new(100)
    bench.wake(100, 5)
    bench.wake(100, 4)
    bench.park(100, 5)
    assert bench.running() == [100]


def test_second_wake_of_a_wait_is_kept_for_the_case_that_it_goes_on() -> None:
    bench = Bench()
    bench.new(100)
    bench.park(100, 5)
    bench.wake(100, 5)
    bench.wake(100, 5, timed_out=True)
    bench.park(100, 5)  # "still blocked"
    assert bench.on_core[0][2] is True


def test_wake_of_an_unknown_thread_is_nothing() -> None:
    Bench().wake(100, 5)


def test_timeout_travels_with_the_run() -> None:
    bench = Bench()
    bench.new(100)
    bench.park(100, 5)
    bench.wake(100, 5, timed_out=True)
    assert bench.on_core[0][2] is True
    bench.preempt(100)
    assert bench.on_core[0][2] is False


def test_woken_thread_that_lags_preempts_at_once() -> None:
    bench = Bench()
    bench.new(100)
    bench.new(101)
    bench.preempt(100, ran=10 * SLICE)
    bench.park(101, 1)
    bench.preempt(100, ran=10 * SLICE)
    bench.wake(101, 1)
    assert bench.told[-1] == ("reschedule", 0, 100, -1)
    bench.preempt(100)
    assert bench.running() == [101]
    assert bench.events[-1] == ("switch", 0, 100, "R", "wakeup", 101)


def test_time_since_the_run_counts_for_preemption() -> None:
    bench = Bench()
    bench.new(100)
    bench.now = 10 * SLICE
    bench.new(101)
    assert bench.told[-1] == ("reschedule", 0, 100, -1)


# ---- attention --------------------------------------------------------------------------------------------------------------


def test_attention_wakes_a_parked_thread() -> None:
    bench = Bench()
    bench.new(100)
    bench.park(100, 5)
    bench.attend(100, 1)
    assert bench.on_core[0][1] == 1
    assert ("waking", 100, "signal") in bench.events


def test_attention_that_came_first_keeps_a_thread_from_parking() -> None:
    bench = Bench()
    bench.new(100)
    bench.attend(100, 1)
    assert bench.told[-1] == ("kick", 0, 100, 1)
    bench.park(100, 5)
    assert bench.on_core[0][1] == 1


def test_only_fatal_attention_ends_a_killable_wait() -> None:
    bench = Bench()
    bench.new(100)
    bench.attend(100, 1)
    bench.park(100, 5, killable=True)
    assert bench.running() == []
    bench.attend(100, 2)
    assert bench.on_core[0][1] == 2


def test_attention_stays_until_it_is_taken_back() -> None:
    bench = Bench()
    bench.new(100)
    bench.attend(100, 1)
    bench.preempt(100)
    assert bench.on_core[0][1] == 1
    bench.attend(100, 0)
    bench.preempt(100)
    assert bench.on_core[0][1] == 0
    assert bench.state.attention == {}


def test_attention_may_come_before_the_thread() -> None:
    bench = Bench()
    bench.attend(100, 2)
    bench.new(100)
    assert bench.on_core[0][1] == 2


def test_attention_does_not_use_up_a_remembered_wake_of_another_wait() -> None:
    bench = Bench()
    bench.new(100)
    bench.park(100, 5)
    bench.attend(100, 1)
    bench.wake(100, 5)
    bench.attend(100, 0)
    bench.park(100, 5)  # the owner said "still blocked", the wake came meanwhile
    assert bench.running() == [100]


@settings(max_examples=50, deadline=None)
@given(st.permutations(["park", "wake", "signal"]), st.booleans(), st.booleans())
def test_no_order_of_park_wake_and_attention_loses_a_wake_up(order: list[str], killable: bool, busy: bool) -> None:
    bench = Bench()
    bench.new(100)
    if busy:
        bench.new(101)
    for step in order:
        if step == "park":
            bench.park(100, 5, killable=killable)
        elif step == "wake":
            bench.wake(100, 5)
        else:
            bench.attend(100, 1)
    assert bench.state.threads[100].state in (RUNNABLE, RUNNING)


# ---- placement --------------------------------------------------------------------------------------------------------------


def test_woken_thread_returns_to_its_core_if_that_is_idle() -> None:
    bench = Bench(cores=4)
    for tid in (100, 101, 102):
        bench.new(tid)
    bench.park(102, 1)
    bench.park(100, 1)
    bench.wake(102, 1)
    assert bench.core_of(102) == 2


def test_woken_thread_goes_to_an_idle_core_if_its_own_is_busy() -> None:
    bench = Bench(cores=2)
    bench.new(100)
    bench.park(100, 1)
    bench.new(101)
    bench.wake(100, 1)
    assert bench.core_of(100) == 1
    assert ("migrate", 100, 0, 1) in bench.events


def test_without_an_idle_core_the_least_loaded_one_is_taken() -> None:
    bench = Bench(cores=2)
    for tid in (100, 101, 102, 103):
        bench.new(tid)
    assert [len(queue.entries) for queue in bench.state.cores] == [1, 1]


def test_core_that_would_become_idle_takes_a_waiting_thread() -> None:
    bench = Bench(cores=2)
    for tid in (100, 101, 102):
        bench.new(tid)
    bench.exit(101)
    assert bench.running() == [100, 102]
    assert ("migrate", 102, 0, 1) in bench.events


def test_idle_core_leaves_threads_that_may_not_use_it() -> None:
    bench = Bench(cores=2)
    for tid in (100, 101):
        bench.new(tid)
    bench.new(102)
    bench.affine(102, 0)
    bench.park(101, 1)
    assert bench.running() == [100]


def test_busy_core_balances_at_its_interval() -> None:
    bench = Bench(cores=2)
    for tid in range(100, 104):
        bench.new(tid)
    for tid in (102, 103):
        bench.affine(tid, 0)
    bench.new(104)
    bench.affine(104, 0)
    for tid in (102, 103, 104):
        bench.affine(tid, 0, 1)
    lengths = [len(queue.entries) for queue in bench.state.cores]
    assert lengths == [3, 0]
    bench.now = 5_000_000
    bench.preempt(101)
    assert [len(queue.entries) for queue in bench.state.cores] == [2, 1]


def test_affinity_without_an_existing_core_is_refused() -> None:
    bench = Bench(cores=2)
    bench.new(100)
    with pytest.raises(SysError) as refused:
        bench.affine(100, 2, 7)
    assert refused.value.errno == EINVAL
    with pytest.raises(SysError) as unknown:
        bench.affine(200, 0)
    assert unknown.value.errno == ESRCH


def test_running_thread_leaves_a_core_that_it_may_no_longer_use() -> None:
    bench = Bench(cores=2)
    bench.new(100)
    bench.affine(100, 1)
    assert bench.told[-1] == ("reschedule", 0, 100, -1)
    bench.preempt(100)
    assert bench.core_of(100) == 1
    assert ("switch", 0, 100, "R", "affinity", None) in bench.events


def test_queued_thread_moves_when_its_affinity_changes() -> None:
    bench = Bench(cores=2)
    for tid in (100, 101, 102):
        bench.new(tid)
    bench.affine(102, 1)
    assert [len(queue.entries) for queue in bench.state.cores] == [0, 1]


def test_wider_affinity_lets_a_waiting_thread_use_an_idle_core() -> None:
    bench = Bench(cores=2)
    bench.new(100)
    bench.affine(100, 0)
    bench.new(101, parent=100)
    assert bench.running() == [100]
    bench.affine(101, 0, 1)
    assert bench.running() == [100, 101]


# ---- end and renaming -------------------------------------------------------------------------------------------------------


def test_exit_frees_the_core() -> None:
    bench = Bench()
    bench.new(100)
    bench.exit(100)
    assert bench.state.threads == {}
    assert bench.events[-1] == ("switch", 0, 100, "X", "exit", None)


def test_rename_moves_the_thread_and_its_attention() -> None:
    bench = Bench()
    bench.new(101)
    bench.attend(101, 1)
    bench.state.rename(101, 100, bench)
    bench.verify()
    assert set(bench.state.threads) == {100}
    assert bench.state.attention == {100: 1}


def test_renamed_thread_is_told_again_when_its_time_ends() -> None:
    bench = Bench()
    bench.new(101)
    bench.new(102)
    bench.state.rename(101, 100, bench)
    bench.verify()
    assert bench.told[-1] == ("reschedule", 0, 100, SLICE)


def test_leader_may_report_its_end_after_its_tid_was_taken_over() -> None:
    bench = Bench(cores=2)
    bench.new(100)
    bench.new(101)
    bench.attend(100, 2)
    bench.attend(100, 0)
    bench.state.rename(101, 100, bench)
    bench.verify()
    bench.on_core.pop(0)
    bench.state.exited(0, 0, 0, bench)
    bench.verify()
    assert set(bench.state.threads) == {100}
    assert bench.state.threads[100].core == 1


def test_report_of_a_renamed_thread_may_come_before_the_rename() -> None:
    bench = Bench()
    bench.new(101)
    bench.attend(101, 1)
    bench.on_core[0][0].caller.tid = 100
    bench.preempt(100)
    assert bench.on_core[0][1] == 1
    bench.state.rename(101, 100, bench)
    bench.verify()
    assert set(bench.state.threads) == {100}


# ---- the wide machine -------------------------------------------------------------------------------------------------------


def test_wide_machine_gives_every_thread_a_core() -> None:
    bench = Bench(cores=2, wide=True)
    for tid in range(100, 110):
        bench.new(tid)
    assert bench.running() == list(range(100, 110))
    assert all(entry[0] == "run" and entry[3] == -1 for entry in bench.told)


def test_wide_machine_uses_idle_cores_again() -> None:
    bench = Bench(cores=1, wide=True)
    for tid in (100, 101, 102):
        bench.new(tid)
    bench.park(101, 1)
    bench.new(103)
    assert bench.core_of(103) == 1
    bench.wake(101, 1)
    assert bench.core_of(101) == 3


def test_wide_machine_shows_the_configured_affinity_and_ignores_it() -> None:
    bench = Bench(cores=2, wide=True)
    bench.new(100)
    bench.affine(100, 1)
    assert bench.state.get_affinity(100) == (1,)
    bench.preempt(100, yielded=True)
    assert bench.core_of(100) == 0


# ---- statistics, states, copies, invariants -----------------------------------------------------------------------------------


def test_statistics_tell_state_and_wait() -> None:
    bench = Bench(cores=2)
    bench.new(100)
    bench.new(101)
    bench.park(101, 3, ran=500, reason="stopped", killable=True)
    running, stopped = bench.state.snapshot()
    assert (running.state, running.running, running.serial) == ("R", True, -1)
    assert (stopped.state, stopped.cpu, stopped.sum_exec_ns, stopped.serial, stopped.reason) == ("T", 1, 500, 3, "stopped")
    assert stopped.voluntary_switches == 1


def test_illegal_move_names_thread_and_states() -> None:
    bench = Bench()
    bench.new(100)
    thread = bench.state.threads[100]
    move(thread, GONE)
    with pytest.raises(AssertionError, match=r"thread 100 \(t100\): illegal move gone -> parked"):
        move(thread, PARKED)


def test_settled_state_can_be_copied_and_compared() -> None:
    bench = Bench(cores=2)
    for tid in (100, 101, 102):
        bench.new(tid)
    twin = copy.deepcopy(bench.state)
    assert twin.threads.keys() == bench.state.threads.keys()
    assert twin.cores == bench.state.cores
    twin.cores[0].minimum_ns += 1
    assert twin.cores != bench.state.cores


def queued_bench() -> Bench:
    bench = Bench()
    for tid in (100, 101, 102):
        bench.new(tid)
    return bench


def test_check_finds_a_thread_in_two_places() -> None:
    state = queued_bench().state
    state.cores[0].add(state.threads[100])
    assert "thread_in_one_place" in broken(state)


def test_check_finds_a_thread_in_no_place() -> None:
    state = queued_bench().state
    state.cores[0].remove(state.threads[101])
    assert broken(state) == {"thread_in_one_place"}


def test_check_finds_a_context_that_is_not_with_its_holder() -> None:
    state = queued_bench().state
    state.threads[101].context = None
    assert broken(state) == {"context_with_holder"}


def test_check_finds_an_unsorted_queue() -> None:
    state = queued_bench().state
    state.cores[0].entries.reverse()
    assert broken(state) == {"queue_sorted"}


def test_check_finds_a_stale_key_in_a_queue() -> None:
    state = queued_bench().state
    state.threads[102].vruntime_ns += 1
    assert broken(state) == {"queue_sorted"}


def test_check_finds_an_idle_core_with_a_queue() -> None:
    bench = queued_bench()
    bench.state.cores[0].running = IDLE
    assert "idle_core_has_no_queue" in broken(bench.state)


def test_check_finds_a_core_that_idles_while_a_thread_waits() -> None:
    bench = Bench(cores=2)
    bench.new(100)
    bench.affine(100, 0)
    bench.new(101, parent=100)
    bench.state.threads[101].affinity = None
    assert broken(bench.state) == {"no_core_idles_while_one_waits"}


def test_check_finds_a_waiting_thread_whose_turn_never_comes() -> None:
    state = queued_bench().state
    state.cores[0].sliced = False
    assert broken(state) == {"waiting_has_an_end"}


def test_check_finds_a_lost_wake() -> None:
    bench = Bench()
    bench.new(100)
    bench.park(100, 5)
    bench.state.threads[100].wake_serial = 5
    assert broken(bench.state) == {"remembered_wake_not_parked"}


def test_check_finds_attention_that_did_not_end_a_wait() -> None:
    bench = Bench()
    bench.new(100)
    bench.park(100, 5)
    bench.state.attention[100] = 1
    assert broken(bench.state) == {"attention_ends_wait"}


def test_check_finds_a_thread_queued_where_it_may_not_run() -> None:
    state = queued_bench().state
    state.threads[101].affinity = frozenset({3})
    assert broken(state) == {"queued_where_allowed"}


def test_check_finds_a_weight_that_is_not_its_nices() -> None:
    state = queued_bench().state
    state.threads[101].weight = 7
    assert broken(state) == {"weight_follows_nice"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["new", "park", "wake", "preempt", "yield", "exit", "attend", "affine", "nice"]),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    max_size=60,
)


@settings(max_examples=50, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_invariants_hold_after_every_sequence_of_reports(steps: list[tuple[str, int, int]], cores: int) -> None:
    bench = Bench(cores)
    state = bench.state
    serials: dict[int, int] = {}
    following = 100
    for action, a, b in steps:
        bench.now += 700_000
        running = bench.running()
        everyone = sorted(state.threads)
        if action == "new":
            bench.new(following, parent=everyone[a % len(everyone)] if everyone else 0)
            serials[following] = 1
            following += 1
        elif action in ("park", "preempt", "yield", "exit") and running:
            tid = running[a % len(running)]
            if action == "park":
                serials[tid] += 1
                bench.park(tid, serials[tid], ran=b * 500_000, killable=b % 2 == 0)
            elif action == "exit":
                bench.exit(tid)
            else:
                bench.preempt(tid, ran=b * 500_000, yielded=action == "yield")
        elif everyone:
            tid = everyone[a % len(everyone)]
            if action == "wake":
                bench.wake(tid, serials[tid] + b % 2, timed_out=b % 3 == 0)
            elif action == "attend":
                bench.attend(tid, b % 3)
            elif action == "affine":
                bench.affine(tid, b % cores, a % cores)
            elif action == "nice":
                state.set_nice(tid, b - 5)
        assert len(bench.on_core) == sum(queue.running != IDLE for queue in state.cores)
