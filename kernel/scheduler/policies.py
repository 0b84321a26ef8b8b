"""The fair policy (SCHED_OTHER): virtual run time, nice weights, and when a thread must give way.

Every thread collects *virtual* nanoseconds while it runs: real ones, divided by its weight. The queue runs whoever has collected the
least, so over time each thread gets CPU in proportion to its weight. A nice level is worth about 10 % of CPU: the weights are Linux's
`sched_prio_to_weight`, each 1.25 times the next. A thread that slept would have collected little and could then keep the CPU for
long; so at wake-up it is lifted to just below what the others have (`place_woken`), enough to preempt, not enough to monopolise.

Deliberately absent: real-time classes, group scheduling, load tracking over time. sched(7); after Linux's CFS, kernel/sched/fair.c.
"""

from __future__ import annotations

from typing import Final

NICE_MIN: Final = -20
NICE_MAX: Final = 19
NICE_0_WEIGHT: Final = 1024

PRIO_TO_WEIGHT: Final = (
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,  # nice -20 to -11
    9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,  # -10 to -1
    1024, 820, 655, 526, 423, 335, 272, 215, 172, 137,  # 0 to 9
    110, 87, 70, 56, 45, 36, 29, 23, 18, 15,  # 10 to 19
)  # fmt: skip

assert len(PRIO_TO_WEIGHT) == NICE_MAX - NICE_MIN + 1, "one weight for each nice level"
assert PRIO_TO_WEIGHT[-NICE_MIN] == NICE_0_WEIGHT, "nice 0 runs at real speed"


def weight_of(nice: int) -> int:
    """The weight of a nice level in -20..19."""
    assert NICE_MIN <= nice <= NICE_MAX, f"nice {nice} is out of range: the caller clamps"
    return PRIO_TO_WEIGHT[nice - NICE_MIN]


def virtual_ns(ran_ns: int, weight: int) -> int:
    """What `ran_ns` of CPU time counts for a thread of this weight."""
    return ran_ns if weight == NICE_0_WEIGHT else ran_ns * NICE_0_WEIGHT // weight


def place_woken(vruntime_ns: int, minimum_ns: int, slice_ns: int) -> int:
    """Where a sleeper joins its queue: its own virtual time, but at most half a slice of credit below the queue's minimum."""
    return max(vruntime_ns, minimum_ns - slice_ns // 2)


def place_new(minimum_ns: int, slice_ns: int, weight: int) -> int:
    """Where a new thread joins: one slice in debt, so that a program that forks in a loop starves nobody."""
    return minimum_ns + virtual_ns(slice_ns, weight)


def must_give_way(running_ns: int, woken_ns: int, granularity_ns: int, woken_weight: int) -> bool:
    """Does a woken thread preempt the running one? Only if it lags by more than the granularity: switches cost something too."""
    return running_ns - woken_ns > virtual_ns(granularity_ns, woken_weight)
