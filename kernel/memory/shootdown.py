"""TLB shootdown: which cores must forget which pages, and what waits until they have.

A core remembers translations; taking an entry away in the page table does not take it out of a TLB. So `memory` changes the entries,
sends an interrupt to every core that has the space loaded, and only when the last of them has acknowledged are the frames released
and the request answered. Until then:

- the frames keep the reference that the entry had, so that nobody gets a frame that some core can still write;
- requests that change areas of that space wait, as they would for Linux's mmap_lock;
- faults on these pages wait, so that no thread writes a new copy while another core still uses the old one.

A waiting request is kept whole, with the token for its reply, and is tried again from the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kernel.invariants import Violation


class PageRange(NamedTuple):
    """Pages [first, first + pages) of a space; pages -1: all of it."""

    space: int
    first: int
    pages: int


@dataclass(slots=True)
class Change:
    """What a request did to page tables: ranges that TLBs must forget before `frames` are released and `value` is answered."""

    value: Any = None
    ranges: list[PageRange] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)  # one reference each

    def add(self, ranges: list[PageRange], frames: list[int]) -> None:
        """One more step of the same request."""
        self.ranges += ranges
        self.frames += frames


@dataclass(slots=True)
class Pending:
    """A shootdown that some cores have not acknowledged."""

    token: int
    ranges: list[PageRange]
    frames: list[int]  # released at the last acknowledgement
    waiting: list[int]  # cores, once for each range that they were told; Invariant: shootdown_pending - never empty
    reply: tuple[int, Any] | None = None  # (token of the parked request, value); None: only `parked` wait
    grant: tuple[int, int, int] | None = None  # (space, page, frame): a copy that may be written afterwards
    parked: list[tuple[int, Any]] = field(default_factory=list)  # (token of the parked request, the request): tried again afterwards


class Shootdowns:
    """All pending shootdowns, oldest first."""

    __slots__ = ("next_token", "pending")

    def __init__(self) -> None:
        self.pending: dict[int, Pending] = {}
        self.next_token = 1

    def begin(self, change: Change, waiting: list[int]) -> Pending:
        """Remember that `waiting` (cores, once for each message) must acknowledge the change. Precondition: not empty."""
        assert waiting, "nobody to wait for"
        made = Pending(self.next_token, change.ranges, change.frames, waiting)
        self.next_token += 1
        self.pending[made.token] = made
        return made

    def acknowledge(self, token: int, core: int) -> Pending | None:
        """`core` has forgotten one range; answers the shootdown, no longer pending, if that was the last."""
        entry = self.pending[token]
        entry.waiting.remove(core)
        if entry.waiting:
            return None
        del self.pending[token]
        return entry

    def of_space(self, space: int) -> Pending | None:
        """The newest pending shootdown that concerns `space`: whoever waits for it waits for all of them in turn."""
        found = None
        for entry in self.pending.values():
            if any(one.space == space for one in entry.ranges):
                found = entry
        return found

    def of_page(self, space: int, vpn: int) -> Pending | None:
        """The newest pending shootdown that concerns this page."""
        found = None
        for entry in self.pending.values():
            if any(one.space == space and (one.pages < 0 or one.first <= vpn < one.first + one.pages) for one in entry.ranges):
                found = entry
        return found

    def check(self) -> Iterator[Violation]:
        """A shootdown that nobody has to acknowledge would never end."""
        for token, entry in self.pending.items():
            if not entry.waiting:
                yield Violation("shootdown_pending", f"shootdown {token} of {entry.ranges} waits for no core")
            if token != entry.token or token >= self.next_token:
                yield Violation("shootdown_pending", f"shootdown {entry.token} is filed under {token}, next is {self.next_token}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shootdowns) and self.pending == other.pending and self.next_token == other.next_token

    __hash__ = None  # type: ignore[assignment]  # mutable
