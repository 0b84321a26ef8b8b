"""The queue of armed timers: a heap by (deadline, order of arming), with cancellation.

Most timers are timeouts that never expire: armed when a wait begins and cancelled when it ends. So `cancel` only forgets the timer;
its heap entry stays behind as a dead one, and is dropped when it comes to the top or when dead entries outnumber the living.
The top is always alive, so that the earliest deadline is read without searching.

A timer has a key that says what it is for: the wait of a thread, `(WAIT, tid, serial)`, or the alarm of a process, `(ALARM, pid, -1)`.
Two queues are equal if the same timers would expire in the same order, whatever their heaps look like.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final

import msgspec

from kernel.invariants import Violation

WAIT: Final = 0
ALARM: Final = 1
ALARM_SERIAL: Final = -1  # no ticket has it

Key = tuple[int, int, int]  # WAIT or ALARM; tid or pid; serial


class Timer(msgspec.Struct, frozen=True):
    """One armed timer."""

    key: Key
    deadline: int  # absolute ns
    path: tuple[int, ...]  # stable identity of the thread that armed it
    pure_sleep: bool  # a sleep that waits for nothing else
    pid: int  # thread group of the sleeper or of the alarm; 0 where it is not known
    soft: int | None = None  # of a sleep with slack: when it is really over; `deadline` is later by the slack


class TimerQueue:
    """Armed timers, earliest first. Plain data."""

    __slots__ = ("_heap", "_order", "_timers")

    def __init__(self) -> None:
        # Invariant: timer_heap - a heap, whose top is alive, with exactly one entry for each armed timer
        self._heap: list[tuple[int, int, Key]] = []  # deadline, order of arming, key
        self._timers: dict[Key, tuple[Timer, int]] = {}  # with the order of its heap entry: others under that key are dead
        self._order = 0  # counts armings

    def arm(self, timer: Timer) -> None:
        """Arm, in place of the one that has the same key."""
        self._order += 1
        self._timers[timer.key] = (timer, self._order)
        heapq.heappush(self._heap, (timer.deadline, self._order, timer.key))
        self._drop_dead()

    def cancel(self, key: Key) -> Timer | None:
        """Forget the timer; None if there is none."""
        entry = self._timers.pop(key, None)
        if entry is None:
            return None
        self._drop_dead()
        return entry[0]

    def pop_due(self, now_ns: int) -> Timer | None:
        """The earliest timer, taken out, if its deadline has come."""
        if not self._heap or self._heap[0][0] > now_ns:
            return None
        return self.cancel(self._heap[0][2])

    def get(self, key: Key) -> Timer | None:
        """The armed timer under `key`."""
        entry = self._timers.get(key)
        return None if entry is None else entry[0]

    def next_deadline(self) -> int | None:
        """The earliest deadline, absolute ns."""
        return self._heap[0][0] if self._heap else None

    def armed(self) -> list[Timer]:
        """All armed timers, in the order in which they would expire."""
        return [timer for timer, _ in sorted(self._timers.values(), key=lambda entry: (entry[0].deadline, entry[1]))]

    def __len__(self) -> int:
        return len(self._timers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TimerQueue) and self.armed() == other.armed()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def _alive(self, entry: tuple[int, int, Key]) -> bool:
        timer = self._timers.get(entry[2])
        return timer is not None and timer[1] == entry[1]

    def _drop_dead(self) -> None:
        if len(self._heap) > 2 * len(self._timers) + 8:
            self._heap = [entry for entry in self._heap if self._alive(entry)]
            heapq.heapify(self._heap)
        while self._heap and not self._alive(self._heap[0]):
            heapq.heappop(self._heap)

    def check(self) -> Iterator[Violation]:
        """The invariants of the queue."""
        heap = self._heap
        for index in range(1, len(heap)):
            if heap[index] < heap[(index - 1) // 2]:
                yield Violation("timer_heap", f"entry {index} is earlier than its parent")
        if heap and not self._alive(heap[0]):
            yield Violation("timer_heap", f"the top {heap[0]} is dead")
        entries = sorted(entry for entry in heap if self._alive(entry))
        expected = sorted((timer.deadline, order, key) for key, (timer, order) in self._timers.items())
        if entries != expected:
            yield Violation("timer_heap", f"entries {entries}, armed {expected}")
