"""The scheduler's state: every thread, every core's queue, and the rules by which threads move between them.

Cores report (`park`, `preempted`, `exited`), others wake (`wake`, `set_attention`) and start (`enqueue`); each leaves every core either
running somebody or idle with nothing to do. Three things keep wake-ups from being lost (law 4):

  * a wake for a thread that is not parked is remembered by its serial, and consumed by the park of that serial;
  * attention is sticky: it stands in a table of its own, goes with every Run, and keeps a thread from parking;
  * a wake with another serial than that of the present wait is stale and dropped.

Messages of different senders may overtake each other, so a core's report is matched by core number, not by tid, and attention may be
told before the thread is known. Attention is written by signals only, which withdraws it when the thread ends.

`wide` is the machine for searches at op granularity: every runnable thread has a core of its own, nothing is queued or preempted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from kernel.abi.errno_values import EINVAL, ESRCH
from kernel.abi.errnos import SysError
from kernel.invariants import Violation
from kernel.scheduler.hardware import NOW, UNLIMITED, Hardware
from kernel.scheduler.invariants import violations
from kernel.scheduler.placement import IMBALANCE, choose_core, find_stealable, settle
from kernel.scheduler.policies import must_give_way, place_new, place_woken, virtual_ns, weight_of
from kernel.scheduler.run_queue import (
    GONE,
    IDLE,
    NEW,
    NO_SERIAL,
    PARKED,
    RUNNABLE,
    RUNNING,
    RunQueue,
    ScheduledThread,
    SchedulerStatistics,
    move,
    statistics_of,
)


class Scheduler(msgspec.Struct):
    """All state of the scheduler actor. Times are virtual ns of its own clock, passed in as `now`."""

    core_count: int  # as configured: what affinity shows
    slice_ns: int
    wakeup_granularity_ns: int
    balance_interval_ns: int
    wide: bool = False
    cores: list[RunQueue] = []
    threads: dict[int, ScheduledThread] = {}  # by key: the tid, or negative (run_queue.py)
    attention: dict[int, int] = {}  # sticky level by tid, 0 left out; also of threads that are not enqueued yet
    displaced: int = 0  # how many threads lost their tid to another so far

    def __post_init__(self) -> None:
        if not self.cores:
            self.cores = [RunQueue(number) for number in range(self.core_count)]

    # ---- threads come and go ------------------------------------------------------------------------------------------------

    def enqueue(self, context: Any, parent_tid: int, now: int, hardware: Hardware) -> None:
        """A new thread is ready to run. It inherits nice and affinity, and starts near its parent."""
        caller = context.caller
        self._displace(caller.tid)
        thread = ScheduledThread(caller.tid, caller.pid, caller.path, context.comm, context)
        parent = self.threads.get(parent_tid)
        if parent is not None:
            thread.nice, thread.weight = parent.nice, parent.weight
            thread.affinity, thread.core = parent.affinity, parent.core
        self.threads[thread.tid] = thread
        thread.vruntime_ns = place_new(self.cores[thread.core].minimum_ns, self.slice_ns, thread.weight)
        self._make_runnable(thread, now, hardware)

    def exited(self, core: int, ran_ns: int, now: int, hardware: Hardware) -> None:
        """The core's thread is gone."""
        queue = self.cores[core]
        thread = self.threads.pop(queue.running)
        self._charge(queue, thread, ran_ns)
        move(thread, GONE)
        self._pick_next(queue, thread, "X", "exit", now, hardware)

    def rename(self, old_tid: int, new_tid: int, hardware: Hardware) -> None:
        """A thread that was not the leader executes an image. Its attention follows; the leader's, if it is still listed, is void.

        What the core was told about its time may have met the thread under its new tid, and then meant nobody: it is told again.
        """
        level = self.attention.pop(old_tid, 0)
        thread = self.threads.get(old_tid)
        if thread is None:
            return  # its core's report came first and renamed it
        self._set_attention_level(new_tid, level)
        self._rename(thread, new_tid)
        queue = self.cores[thread.core]
        if queue.asked_back or queue.sliced:
            hardware.reschedule(queue.number, new_tid, NOW if queue.asked_back else self.slice_ns)

    def _rename(self, thread: ScheduledThread, tid: int) -> None:
        assert thread.state is RUNNING, f"thread {thread.tid} is renamed to {tid} while it is {thread.state.value}"
        self._displace(tid)
        del self.threads[thread.tid]
        thread.tid = tid
        self.threads[tid] = thread
        self.cores[thread.core].running = tid

    def _displace(self, tid: int) -> None:
        """Whoever still has this tid is on its way out (its `Exited` is under way): it stays on its core under a key of its own."""
        thread = self.threads.pop(tid, None)
        if thread is None:
            return
        assert thread.state is RUNNING, f"thread {tid} is {thread.state.value}: its tid cannot be given away"
        self.displaced += 1
        self.threads[-self.displaced] = thread
        self.cores[thread.core].running = -self.displaced

    # ---- what cores report --------------------------------------------------------------------------------------------------

    def park(
        self, core: int, context: Any, serial: int, reason: str, object: str, timed: bool, killable: bool, ran_ns: int, now: int,
        hardware: Hardware,
    ) -> None:  # fmt: skip
        """The core's thread waits under `serial`, unless it was woken already or has attention."""
        queue = self.cores[core]
        thread = self._take_back(queue, context, ran_ns)
        thread.serial, thread.reason, thread.object, thread.timed, thread.killable = serial, reason, object, timed, killable
        if thread.wake_serial == serial:
            thread.timed_out = thread.wake_timed_out
            thread.wake_serial = NO_SERIAL
            why = "remembered"
        elif self.attention and self.attention.get(thread.tid, 0) > killable:
            why = "signal"
        else:
            thread.wake_serial = NO_SERIAL
            move(thread, PARKED)
            self._pick_next(queue, thread, "", reason, now, hardware)
            return
        if hardware.tracing:
            hardware.waking(thread, why)
        self._give_back(queue, thread, reason, now, hardware)

    def preempted(self, core: int, context: Any, ran_ns: int, yielded: bool, now: int, hardware: Hardware) -> None:
        """The core gives its thread back, still runnable."""
        queue = self.cores[core]
        thread = self._take_back(queue, context, ran_ns)
        if yielded and queue.entries:  # behind all that have as much as it has, or as the first has
            thread.vruntime_ns = max(thread.vruntime_ns, queue.entries[0][0])
            queue.yields += 1
            thread.turn = queue.yields
        self._give_back(queue, thread, "yield" if yielded else queue.asked_back or "slice", now, hardware)

    def _take_back(self, queue: RunQueue, context: Any, ran_ns: int) -> ScheduledThread:
        thread = self.threads[queue.running]
        caller = context.caller
        if caller.tid != thread.tid:  # an execve whose Rename is still under way
            self._set_attention_level(caller.tid, self.attention.pop(thread.tid, 0))
            self._rename(thread, caller.tid)
        thread.context = context
        thread.comm = context.comm
        self._charge(queue, thread, ran_ns)
        return thread

    @staticmethod
    def _charge(queue: RunQueue, thread: ScheduledThread, ran_ns: int) -> None:
        thread.sum_exec_ns += ran_ns
        thread.vruntime_ns += virtual_ns(ran_ns, thread.weight)
        queue.advance(thread.vruntime_ns)

    def _give_back(self, queue: RunQueue, thread: ScheduledThread, reason: str, now: int, hardware: Hardware) -> None:
        """The queue's running thread goes on: here, after those that have run less, or on another core if it must."""
        if self.wide:
            self._start(queue, thread, now, hardware)
            return
        if not thread.allows(queue.number):
            move(thread, RUNNABLE)  # queued a moment later: first the core that it leaves gets somebody else
            self._pick_next(queue, thread, "R", reason, now, hardware)
            destination = choose_core(self.cores, thread)
            self._migrate(thread, queue, destination, hardware)
            self._dispatch(thread, destination, now, hardware)
            return
        if not queue.entries and now - queue.balanced_ns < self.balance_interval_ns:
            self._start(queue, thread, now, hardware)
            return
        move(thread, RUNNABLE)
        queue.add(thread)
        queue.running = IDLE
        self._balance(queue, now, hardware)
        self._pick_next(queue, thread, "R", reason, now, hardware)
        if thread.state is RUNNABLE:
            self._leave_for_idle(thread, now, hardware)

    def _leave_for_idle(self, thread: ScheduledThread, now: int, hardware: Hardware) -> None:
        """A queued thread moves to an idle core: that could take neither it while it ran nor, for their affinity, those before it."""
        destination = choose_core(self.cores, thread)
        if destination.running == IDLE:
            origin = self.cores[thread.core]
            origin.remove(thread)
            self._migrate(thread, origin, destination, hardware)
            self._dispatch(thread, destination, now, hardware)

    # ---- wake-ups -----------------------------------------------------------------------------------------------------------

    def wake(self, tid: int, serial: int, timed_out: bool, now: int, hardware: Hardware) -> None:
        """The wait (tid, serial) may be over. Before its park it is remembered; stale ones are dropped."""
        thread = self.threads.get(tid)
        if thread is None:
            return
        if thread.state is not PARKED:
            if serial > thread.wake_serial and serial >= thread.serial:
                thread.wake_serial, thread.wake_timed_out = serial, timed_out
            elif serial == thread.wake_serial and timed_out:
                thread.wake_timed_out = True
            return
        if serial != thread.serial:
            return
        thread.timed_out = timed_out
        self._wake_parked(thread, "timeout" if timed_out else "wake", now, hardware)

    def set_attention(self, tid: int, level: int, now: int, hardware: Hardware) -> None:
        """Sticky: 0 nothing, 1 signal, 2 fatal. Ends a wait (a killable one at 2 only), kicks a running thread."""
        self._set_attention_level(tid, level)
        thread = self.threads.get(tid)
        if thread is None or level == 0:
            return
        if thread.state is RUNNING:
            hardware.kick(thread.core, tid, level)
        elif thread.state is PARKED and level > thread.killable:
            self._wake_parked(thread, "signal", now, hardware)

    def _set_attention_level(self, tid: int, level: int) -> None:
        if level:
            self.attention[tid] = level
        else:
            self.attention.pop(tid, None)

    def _wake_parked(self, thread: ScheduledThread, why: str, now: int, hardware: Hardware) -> None:
        if hardware.tracing:
            hardware.waking(thread, why)
        thread.vruntime_ns = place_woken(thread.vruntime_ns, self.cores[thread.core].minimum_ns, self.slice_ns)
        self._make_runnable(thread, now, hardware)

    def _make_runnable(self, thread: ScheduledThread, now: int, hardware: Hardware) -> None:
        """A parked or new thread is placed: onto an idle core at once, or into a queue."""
        new = thread.state is NEW
        destination = self._idle_core(hardware) if self.wide else choose_core(self.cores, thread)
        if new:
            settle(thread, self.cores[thread.core], destination)
        else:
            self._migrate(thread, self.cores[thread.core], destination, hardware)
        if hardware.tracing:
            hardware.woken(thread, destination.number, new)
        self._dispatch(thread, destination, now, hardware)

    def _dispatch(self, thread: ScheduledThread, queue: RunQueue, now: int, hardware: Hardware) -> None:
        """Start `thread` on the core if that is idle, else queue it and see to it that its turn comes."""
        if queue.running == IDLE:
            if hardware.tracing:
                hardware.switched(queue.number, None, "", "", thread)
            self._start(queue, thread, now, hardware)
            return
        if thread.state is not RUNNABLE:
            move(thread, RUNNABLE)
        queue.add(thread)
        if queue.asked_back:
            return
        running = self.threads[queue.running]
        reached_ns = running.vruntime_ns + virtual_ns(max(now - queue.started_ns, 0), running.weight)
        if must_give_way(reached_ns, thread.vruntime_ns, self.wakeup_granularity_ns, thread.weight):
            queue.asked_back = "wakeup"
            hardware.reschedule(queue.number, running.tid, NOW)
        elif not queue.sliced:
            queue.sliced = True
            hardware.reschedule(queue.number, running.tid, self.slice_ns)

    # ---- cores --------------------------------------------------------------------------------------------------------------

    def _idle_core(self, hardware: Hardware) -> RunQueue:
        """Wide machine: the lowest idle core, or a new one."""
        for queue in self.cores:
            if queue.running == IDLE:
                return queue
        number = hardware.add_core()
        assert number == len(self.cores), f"core {number} was added where {len(self.cores)} was due"
        self.cores.append(RunQueue(number))
        return self.cores[number]

    def _start(self, queue: RunQueue, thread: ScheduledThread, now: int, hardware: Hardware) -> None:
        """`thread`, which is in no queue, gets the core."""
        move(thread, RUNNING)
        context, thread.context = thread.context, None
        thread.core = queue.number
        thread.turn = 0
        queue.running = thread.tid
        queue.started_ns = now
        queue.asked_back = ""
        queue.sliced = bool(queue.entries)
        attention = self.attention.get(thread.tid, 0) if self.attention else 0
        timed_out, thread.timed_out = thread.timed_out, False
        hardware.dispatch(queue.number, context, self.slice_ns if queue.sliced else UNLIMITED, attention, timed_out)

    def _pick_next(self, queue: RunQueue, previous: ScheduledThread, letter: str, reason: str, now: int, hardware: Hardware) -> None:
        """The core is free: the first of its queue, or one that waits elsewhere, or idle. `previous` has left it or is queued."""
        queue.running = IDLE
        tid = queue.pop_first()
        thread = self.threads[tid] if tid else None
        if thread is None and not self.wide:
            thread = self._pull(queue, 1, hardware)
        if thread is not previous:
            if letter:
                previous.involuntary_switches += 1
            else:
                previous.voluntary_switches += 1
            if hardware.tracing:
                hardware.switched(queue.number, previous, letter or previous.letter(), reason, thread)
        if thread is not None:
            self._start(queue, thread, now, hardware)

    def _balance(self, queue: RunQueue, now: int, hardware: Hardware) -> None:
        """Every balance interval a busy core takes one thread from a queue that is longer by IMBALANCE."""
        if now - queue.balanced_ns < self.balance_interval_ns:
            return
        queue.balanced_ns = now
        thread = self._pull(queue, IMBALANCE, hardware)
        if thread is not None:
            queue.add(thread)

    def _pull(self, queue: RunQueue, surplus: int, hardware: Hardware) -> ScheduledThread | None:
        """Take a waiting thread out of a longer queue, carried over to this one; it is in no queue then."""
        thread = find_stealable(self.cores, self.threads, queue, surplus)
        if thread is not None:
            origin = self.cores[thread.core]
            origin.remove(thread)
            self._migrate(thread, origin, queue, hardware)
        return thread

    def _migrate(self, thread: ScheduledThread, origin: RunQueue, destination: RunQueue, hardware: Hardware) -> None:
        if origin is destination:
            return
        settle(thread, origin, destination)
        if hardware.tracing:
            hardware.migrated(thread, origin.number, destination.number)

    # ---- system calls' share ------------------------------------------------------------------------------------------------

    def find(self, tid: int) -> ScheduledThread:
        """The thread; raises ESRCH."""
        thread = self.threads.get(tid)
        if thread is None:
            raise SysError(ESRCH)
        return thread

    def set_affinity(self, tid: int, wanted: frozenset[int], now: int, hardware: Hardware) -> None:
        """sched_setaffinity(2): cores that do not exist are left out; raises EINVAL if none is left, ESRCH."""
        thread = self.find(tid)
        cores = frozenset(core for core in range(self.core_count) if core in wanted)
        if not cores:
            raise SysError(EINVAL)
        queue = self.cores[thread.core]
        thread.affinity = cores
        if self.wide:
            return
        if thread.state is RUNNING and queue.number not in cores and queue.asked_back != "affinity":
            queue.asked_back = "affinity"
            hardware.reschedule(queue.number, tid, NOW)
        elif thread.state is RUNNABLE:
            destination = choose_core(self.cores, thread)
            if queue.number not in cores or destination.running == IDLE:
                queue.remove(thread)
                self._migrate(thread, queue, destination, hardware)
                self._dispatch(thread, destination, now, hardware)

    def get_affinity(self, tid: int) -> tuple[int, ...]:
        """Core numbers, ascending; raises ESRCH."""
        thread = self.find(tid)
        return tuple(core for core in range(self.core_count) if thread.allows(core))

    def set_nice(self, tid: int, nice: int) -> None:
        """setpriority(2) on one thread; raises ESRCH. Virtual time that was collected stays; what comes counts by the new weight."""
        thread = self.find(tid)
        thread.nice, thread.weight = nice, weight_of(nice)

    # ---- what can be seen -----------------------------------------------------------------------------------------------------

    def statistics(self, tid: int, now: int) -> SchedulerStatistics:
        """Of one thread, with the CPU time of the run in progress; raises ESRCH."""
        thread = self.find(tid)
        found = statistics_of(thread)
        if thread.state is not RUNNING:
            return found
        return msgspec.structs.replace(found, sum_exec_ns=found.sum_exec_ns + max(0, now - self.cores[thread.core].started_ns))

    def snapshot(self) -> tuple[SchedulerStatistics, ...]:
        """Of all threads, by tid."""
        return tuple(statistics_of(self.threads[tid]) for tid in sorted(self.threads))

    def check(self) -> Iterator[Violation]:
        """What does not hold (invariants.py)."""
        return violations(self.core_count, self.wide, self.cores, self.threads, self.attention)
