"""What `scheduler` understands: run queues, wake-ups, preemption. It is the lowest rank and asks nobody.

A thread's `Context` is owned by whoever holds it: it arrives with `Enqueue`, `Park`, `Preempted` and leaves with the core's `Run`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.messages.base import Message
from kernel.processes.context import Context


class Enqueue(Message, frozen=True, gc=False):
    """A new thread is ready to run; `parent_tid` gives nice and affinity (0: defaults)."""

    oneway: ClassVar[bool] = True
    context: Context
    parent_tid: int


class Park(Message, frozen=True, gc=False):
    """The core's thread waits under `serial`; the core is free. Consumed by a remembered wake of that serial, or by attention."""

    oneway: ClassVar[bool] = True
    context: Context
    core: int  # core number
    serial: int
    reason: str
    object: str
    timed: bool  # it has a deadline: never part of a deadlock
    killable: bool  # only attention of level FATAL ends the wait
    ran_ns: int  # CPU time since Run


class Preempted(Message, frozen=True, gc=False):
    """The core gives its thread back, still runnable: slice over, reschedule interrupt, or sched_yield (`yielded`)."""

    oneway: ClassVar[bool] = True
    context: Context
    core: int
    ran_ns: int
    yielded: bool


class Exited(Message, frozen=True, gc=False):
    """The core's thread is gone; the core is free."""

    oneway: ClassVar[bool] = True
    tid: int
    core: int
    ran_ns: int


class Renamed(Message, frozen=True, gc=False):
    """execve by a thread that is not the leader: `old_tid` becomes `new_tid` (the thread is running)."""

    oneway: ClassVar[bool] = True
    old_tid: int
    new_tid: int


class Wake(Message, frozen=True, gc=False):
    """The wait (tid, serial) may be over. Remembered if the thread is not parked yet; stale serials are dropped."""

    oneway: ClassVar[bool] = True
    tid: int
    serial: int
    timed_out: bool


class Attention(Message, frozen=True, gc=False):
    """Sticky: the thread has something to deliver. `level` 0 clears, 1 signal, 2 fatal; kicks the core that runs the thread."""

    oneway: ClassVar[bool] = True
    tid: int
    level: int


class SetAffinity(Message, frozen=True, gc=False):
    """sched_setaffinity(2) on an existing thread. Reply: None or Failure(EINVAL)."""

    tid: int
    cores: frozenset[int]


class GetAffinity(Message, frozen=True, gc=False):
    """Reply: tuple of core numbers, ascending."""

    tid: int


class SetNice(Message, frozen=True, gc=False):
    """Reply: None. `nice` is in -20..19 already."""

    tid: int
    nice: int


class GetNice(Message, frozen=True, gc=False):
    """Reply: int."""

    tid: int


class ThreadStatistics(Message, frozen=True, gc=False):
    """What /proc shows of a thread. Reply: kernel.scheduler.run_queue.SchedulerStatistics."""

    tid: int


class SchedulerSnapshot(Message, frozen=True, gc=False):
    """All threads, for reports. Reply: tuple of SchedulerStatistics by tid."""


Reply = Any
