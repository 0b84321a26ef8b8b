"""Futex queues: who waits on which word (futex(2), futex(7)).

A key names a word, wherever it is mapped: (0, object, offset) for shared memory, (1, space, address) for private memory. The words
themselves are memory's: it compares, then has the ticket queued here, over one pair of actors, so that the order of compares is the
order of queueing and no wake can fall in between.

`wake` takes the longest waiting tickets out of their queue and remembers them as *completed*. When such a thread runs, its `resume`
finds that, whatever else woke it: woken beats interrupted beats timed out. So a wake is never spent on a thread that then reports
EINTR. (Linux reports ETIMEDOUT before EINTR where both are true and no wake came; here the order of law 3 holds for every owner.)

A quirk kept from Linux: FUTEX_WAKE with a count of 0 or less wakes one. Not here: requeue, bitsets, priority inheritance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from kernel.abi.errno_values import EINTR, ETIMEDOUT
from kernel.abi.errnos import Failure
from kernel.invariants import Violation
from kernel.tickets import Ticket, WaitQueue

REASON: Final = "futex"  # of a blocked call, as the log shows it

Key = tuple[int, int, int]


def object_name(key: Key) -> str:
    """The word as WouldBlock and the log name it: `futex:<kind>:<object or space>+<offset or address>`, all decimal."""
    return f"futex:{key[0]}:{key[1]}+{key[2]}"


class FutexWait(msgspec.Struct, frozen=True):
    """A thread that waits on a word."""

    key: Key
    deadline: int | None  # absolute ns; None waits for ever


class FutexStatistics(msgspec.Struct, frozen=True):
    """One word's queue as reports show it."""

    key: Key
    waiting: tuple[Ticket, ...]  # longest waiting first


class FutexTable(msgspec.Struct):
    """All futex queues of the machine. Plain data."""

    # Invariant: futex_waiters_unique - a ticket stands in exactly one queue, or in `completed`, never in both; no queue is empty
    queues: dict[Key, WaitQueue] = {}
    waits: dict[Ticket, FutexWait] = {}  # of every ticket in a queue, for Resume
    completed: dict[Ticket, Key] = {}  # woken, but the thread has not run yet

    def wait(self, ticket: Ticket, key: Key, deadline: int | None) -> None:
        """FUTEX_WAIT, after the compare: queue the ticket at the end."""
        assert ticket not in self.waits, f"thread {ticket.tid} waits on two futexes under one ticket"
        self.queues.setdefault(key, WaitQueue()).add(ticket)
        self.waits[ticket] = FutexWait(key, deadline)

    def wake(self, key: Key, count: int) -> list[Ticket]:
        """FUTEX_WAKE: the tickets woken, longest waiting first; at most max(count, 1)."""
        queue = self.queues.get(key)
        if queue is None:
            return []
        woken: list[Ticket] = []
        for _ in range(min(max(count, 1), len(queue))):
            ticket = queue.pop()
            assert ticket is not None, "the queue is as long as it says"
            del self.waits[ticket]
            self.completed[ticket] = key
            woken.append(ticket)
        if not queue:
            del self.queues[key]
        return woken

    def resume(self, ticket: Ticket, interrupted: bool, timed_out: bool) -> int | Failure | None:
        """The thread runs again: 0 if it was woken, EINTR, ETIMEDOUT, or None if it goes on waiting in its place."""
        if ticket in self.completed:
            del self.completed[ticket]
            return 0
        if interrupted:
            self._remove(ticket)
            return Failure(EINTR)
        if timed_out and self.waits[ticket].deadline is not None:
            self._remove(ticket)
            return Failure(ETIMEDOUT)
        return None

    def holds(self, ticket: Ticket) -> bool:
        """Is this a ticket of a futex wait that is not settled yet?"""
        return ticket in self.waits or ticket in self.completed

    def statistics(self) -> tuple[FutexStatistics, ...]:
        """All words that somebody waits on, by key."""
        return tuple(FutexStatistics(key, tuple(queue)) for key, queue in sorted(self.queues.items(), key=lambda item: item[0]))

    def _remove(self, ticket: Ticket) -> None:
        key = self.waits.pop(ticket).key
        queue = self.queues[key]
        queue.discard(ticket)
        if not queue:
            del self.queues[key]

    def check(self) -> Iterator[Violation]:
        """The invariants of all queues."""
        seen: dict[Ticket, Key] = {}
        for key, queue in self.queues.items():
            if not queue:
                yield Violation("futex_waiters_unique", f"{object_name(key)} keeps an empty queue")
            for ticket in queue:
                if ticket in seen or ticket in self.completed:
                    yield Violation("futex_waiters_unique", f"ticket {tuple(ticket)} waits twice, also on {object_name(key)}")
                seen[ticket] = key
        for ticket, wait in self.waits.items():
            if seen.get(ticket) != wait.key:
                yield Violation("futex_waiters_unique", f"ticket {tuple(ticket)} is not in the queue of {object_name(wait.key)}")
        if len(seen) != len(self.waits):
            yield Violation("futex_waiters_unique", f"{len(seen)} tickets are queued, {len(self.waits)} are known")
