"""A thread as the scheduler sees it, the states it goes through, and the queue of one core.

    RUNNABLE --> RUNNING --> PARKED --> RUNNABLE        and RUNNING --> RUNNABLE (preempted), RUNNING --> GONE

The context of a thread moves: the scheduler holds it while the thread is runnable or parked, the core while it runs (law 1).
A queue is sorted by (virtual run time, turn, path): equal times are decided by who the thread *is*, never by arrival or by pid, but
that threads which yielded come after their equals, in the order of yielding.

`RunQueue.running` is the key of the running thread in `Scheduler.threads`; 0 is idle. Keys are tids, but for a thread whose tid was
taken over by another while its core had not reported its end yet (execve by a thread that is not the leader): that one has a negative key.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from enum import Enum
from typing import Any, Final

import msgspec

IDLE: Final = 0  # no thread has tid 0
NO_SERIAL: Final = -1


class ThreadState(Enum):
    """Where a thread is. `NEW` and `GONE` are outside: before `Enqueue` and after `Exited`."""

    NEW = "new"
    RUNNABLE = "runnable"  # in a run queue
    RUNNING = "running"  # on a core, or on its way there
    PARKED = "parked"  # waits for its ticket
    GONE = "gone"


NEW: Final = ThreadState.NEW
RUNNABLE: Final = ThreadState.RUNNABLE
RUNNING: Final = ThreadState.RUNNING
PARKED: Final = ThreadState.PARKED
GONE: Final = ThreadState.GONE

LEGAL_MOVES: Final[dict[ThreadState, tuple[ThreadState, ...]]] = {
    NEW: (RUNNABLE, RUNNING),  # RUNNING at once where a core is idle
    RUNNABLE: (RUNNING,),
    RUNNING: (RUNNABLE, RUNNING, PARKED, GONE),  # to itself: given back and taken again at once
    PARKED: (RUNNABLE, RUNNING),
    GONE: (),
}


class ScheduledThread(msgspec.Struct):
    """What the scheduler knows of one thread."""

    tid: int
    pid: int
    path: tuple[int, ...]  # stable identity: decides ties
    comm: str
    context: Any  # kernel.processes.context.Context; None while a core has it
    state: ThreadState = NEW  # changed by `move` only

    nice: int = 0
    weight: int = 1024  # Invariant: weight_follows_nice - weight is that of `nice` in the table
    affinity: frozenset[int] | None = None  # cores it may use; None: all
    core: int = 0  # where it runs or is queued, or ran last
    vruntime_ns: int = 0  # virtual CPU time, relative to its core's `minimum_ns`
    turn: int = 0  # among equals: 0, or its number among those who yielded
    sum_exec_ns: int = 0  # real CPU time
    voluntary_switches: int = 0
    involuntary_switches: int = 0

    serial: int = NO_SERIAL  # of the last Park
    reason: str = ""  # what it waits for, while parked
    object: str = ""
    timed: bool = False
    killable: bool = False  # only fatal attention ends the wait
    timed_out: bool = False  # for the next Run: the wait ended by its timer
    # Invariant: remembered_wake_not_parked - a parked thread has no remembered wake of its own serial (a lost wake-up)
    wake_serial: int = NO_SERIAL  # of a wake that came before its Park
    wake_timed_out: bool = False

    def letter(self) -> str:
        """The state as `ps` shows it: R, S (interruptible), D (only SIGKILL), T (stopped)."""
        if self.state is not PARKED:
            return "R"
        return wait_letter(self.reason, self.killable)

    def allows(self, core: int) -> bool:
        """May it run on this core?"""
        return self.affinity is None or core in self.affinity


class SchedulerStatistics(msgspec.Struct, frozen=True, gc=False):
    """What /proc and reports show of a thread."""

    tid: int
    pid: int
    comm: str
    path: tuple[int, ...]
    state: str  # R S D T
    running: bool  # on a core at this moment
    cpu: int
    nice: int
    vruntime_ns: int
    sum_exec_ns: int
    voluntary_switches: int
    involuntary_switches: int
    serial: int  # of the wait; -1 when it does not wait
    reason: str
    object: str
    timed: bool


def wait_letter(reason: str, killable: bool) -> str:
    """The letter of a waiting thread."""
    return "T" if reason == "stopped" else "D" if killable else "S"


def move(thread: ScheduledThread, to: ThreadState) -> None:
    """The one place where a thread's state changes."""
    assert to in LEGAL_MOVES[thread.state], f"thread {thread.tid} ({thread.comm}): illegal move {thread.state.value} -> {to.value}"
    thread.state = to


def statistics_of(thread: ScheduledThread) -> SchedulerStatistics:
    """A frozen copy of what may be shown."""
    parked = thread.state is PARKED
    return SchedulerStatistics(
        thread.tid, thread.pid, thread.comm, thread.path, thread.letter(), thread.state is RUNNING, thread.core, thread.nice,
        thread.vruntime_ns, thread.sum_exec_ns, thread.voluntary_switches, thread.involuntary_switches,
        thread.serial if parked else NO_SERIAL, thread.reason if parked else "", thread.object if parked else "", parked and thread.timed,
    )  # fmt: skip


Entry = tuple[int, int, tuple[int, ...], int]  # (virtual run time, turn, path, tid)


def entry_of(thread: ScheduledThread) -> Entry:
    """The thread's place in its queue."""
    return thread.vruntime_ns, thread.turn, thread.path, thread.tid


class RunQueue(msgspec.Struct):
    """One core: who runs, who waits for it."""

    number: int
    running: int = IDLE  # key of the running thread
    yields: int = 0  # how often a thread of this core yielded to others
    # Invariant: queue_sorted - entries ascend, each repeats its thread's virtual time, turn and path
    entries: list[Entry] = []
    minimum_ns: int = 0  # virtual time of the queue: never goes back; where sleepers and newcomers are placed
    started_ns: int = 0  # the scheduler's clock at the last Run
    sliced: bool = False  # the running thread's time has an end
    asked_back: str = ""  # why it was told to reschedule at once ("wakeup", "affinity"); "" if it was not
    balanced_ns: int = 0  # the scheduler's clock at the last balancing

    def add(self, thread: ScheduledThread) -> None:
        """Queue `thread`; its state is the caller's business."""
        insort(self.entries, entry_of(thread))

    def remove(self, thread: ScheduledThread) -> None:
        """Take `thread` out, wherever it stands. It must be queued here with its present virtual time."""
        entry = entry_of(thread)
        index = bisect_left(self.entries, entry)
        assert self.entries[index : index + 1] == [entry], f"thread {thread.tid} is not in the queue of core {self.number}"
        del self.entries[index]

    def pop_first(self) -> int:
        """The tid that comes next, taken out; IDLE if nobody waits."""
        return self.entries.pop(0)[3] if self.entries else IDLE

    def advance(self, running_ns: int) -> None:
        """Virtual time goes on to the least of what its threads have, `running_ns` being the running one's."""
        least = self.entries[0][0] if self.entries and self.entries[0][0] < running_ns else running_ns
        self.minimum_ns = max(self.minimum_ns, least)

    def load(self) -> int:
        """Threads that share this core: the running one and those that wait."""
        return len(self.entries) + (self.running != IDLE)
