"""Wait tickets: the one way in which a kernel object makes its callers wait.

Kernel objects never block. A call that cannot complete gets the caller's *ticket* queued in a `WaitQueue` and returns `WouldBlock`.
The core that made the call parks the thread; a wake, a signal or a timer makes it runnable again; then the core sends `Resume(ticket)`
to the owner that queued it, and that owner decides what became of the call (law 3):

    completed while you slept > can complete now > interrupted > timed out > still blocked

A wake carries no data: it names a ticket, and a ticket is used for one wait only, so that a stale wake is known by its serial.
After gVisor's `Task.block` and xv6's sleep and wakeup, which solve the same problem with a condition re-checked in a loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec


class Ticket(NamedTuple):
    """One wait of one thread. `serial` counts the calls of that thread and is never used twice."""

    tid: int
    serial: int


class WouldBlock(msgspec.Struct, frozen=True, gc=False):
    """The answer of an owner that queued the caller's ticket: park, and send `Resume` to `owner` when you run again."""

    owner: int  # rank of the owner that holds the ticket (actors/ranks.py)
    reason: str  # what the thread waits for, as shown in the log: "pipe_read", "futex", "wait4", "nanosleep"
    object: str = ""  # which one: "pipe:3", "futex:7+64", "child:-1"
    deadline: int | None = None  # absolute virtual ns at which the wait times out; None waits for ever
    killable: bool = False  # True: only a fatal signal interrupts it (vfork, exec waiting for siblings)


class WaitQueue:
    """Tickets in the order in which they were queued. Plain data: it can be copied and compared."""

    __slots__ = ("_tickets",)

    def __init__(self) -> None:
        self._tickets: dict[Ticket, None] = {}  # a dict keeps insertion order and removes in O(1)

    def add(self, ticket: Ticket) -> None:
        """Queue `ticket` at the end; a ticket that is queued already keeps its place."""
        self._tickets.setdefault(ticket)

    def discard(self, ticket: Ticket) -> bool:
        """Take `ticket` out; False if it was not queued."""
        if ticket in self._tickets:
            del self._tickets[ticket]
            return True
        return False

    def pop(self) -> Ticket | None:
        """The longest waiting ticket, taken out; None when nobody waits."""
        for ticket in self._tickets:
            del self._tickets[ticket]
            return ticket
        return None

    def take_all(self) -> list[Ticket]:
        """All tickets in order, taken out."""
        tickets = list(self._tickets)
        self._tickets.clear()
        return tickets

    def __iter__(self) -> Iterator[Ticket]:
        return iter(self._tickets)

    def __len__(self) -> int:
        return len(self._tickets)

    def __contains__(self, ticket: object) -> bool:
        return ticket in self._tickets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WaitQueue) and list(self._tickets) == list(other._tickets)

    __hash__ = None  # type: ignore[assignment]  # mutable
