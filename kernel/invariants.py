"""Invariants: every class that owns kernel state has `check()`, which yields a `Violation` for each statement that does not hold.

An invariant has a name, stands at the field that it governs as `Invariant: name - statement`, and is checked after each message
where the config says `[check] invariants = true`.
"""

from __future__ import annotations

from typing import NamedTuple


class Violation(NamedTuple):
    """One invariant that does not hold."""

    name: str  # "frame_references", …: what tests look for
    text: str  # what was found, with ids

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"
