"""Which core a thread runs on: affinity, wake-up placement, balancing.

A woken thread goes to the core where it ran last if that is idle (its cache is warm), else to an idle core, else where the fewest
threads are. A core that would become idle takes a thread that waits elsewhere, so that no core idles while a thread that may use it
waits. A busy core looks around every balance interval, and takes one thread from a queue that is longer by two or more.

There is no balancing timer: a core balances when it reports anyway, so an idle machine is idle. After Linux's select_task_rq_fair,
newidle_balance and load_balance, without scheduling domains. sched_setaffinity(2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kernel.scheduler.run_queue import IDLE, RunQueue, ScheduledThread

IMBALANCE: Final = 2  # a queue must be longer by so many threads before one is moved to a busy core


def choose_core(cores: Sequence[RunQueue], thread: ScheduledThread) -> RunQueue:
    """Where a thread that becomes runnable goes: last core if idle, an idle one, the least loaded; ties to the last, then the lowest."""
    last = cores[thread.core]
    affinity = thread.affinity
    best = last if affinity is None or last.number in affinity else None
    if best is not None and best.running == IDLE:
        return best
    best_load = best.load() if best is not None else 0
    for queue in cores:
        if affinity is not None and queue.number not in affinity:
            continue
        if queue.running == IDLE:
            return queue
        load = queue.load()
        if best is None or load < best_load:
            best, best_load = queue, load
    assert best is not None, f"thread {thread.tid} is allowed on no core"
    return best


def find_stealable(cores: Sequence[RunQueue], threads: dict[int, ScheduledThread], thief: RunQueue, surplus: int) -> ScheduledThread | None:
    """The thread that `thief` should take: the first one allowed there in the longest queue that exceeds its own by `surplus`."""
    best: ScheduledThread | None = None
    longest = thief.load() + surplus - 1
    for queue in cores:
        if queue is thief or queue.load() <= longest:
            continue
        for entry in queue.entries:
            candidate = threads[entry[3]]
            if candidate.allows(thief.number):
                best, longest = candidate, queue.load()
                break
    return best


def settle(thread: ScheduledThread, origin: RunQueue, destination: RunQueue) -> None:
    """Virtual times of two queues cannot be compared: carry over the distance to the queue's minimum."""
    thread.vruntime_ns += destination.minimum_ns - origin.minimum_ns
    thread.core = destination.number
    thread.turn = 0
