"""Kernel panic: what is reported when an actor dies of a bug.

The report is made at once, outside of the state that failed: which actor, which message, the traceback, the last events. Nothing keeps
running behind it; the machine stops with exit status 3.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from actors.ranks import FIRST_CORE

if TYPE_CHECKING:
    from actors.actor import Actor
    from actors.events import Event

LAST_EVENTS = 12


class Panic(msgspec.Struct, frozen=True):
    """Everything about the actor's death, as text."""

    actor: str
    message: str  # class name of what it was handling
    request: str  # what it was doing, in full: the message with its fields, or a core's thread and op
    error: str
    where: tuple[str, ...]  # innermost last: "memory.py:120 in fault"
    events: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"kernel panic: {self.actor} died of {self.error}", f"  while {self.request}"]
        lines += [f"    {place}" for place in self.where]
        lines += ["  last events:", *(f"    {event}" for event in self.events)] if self.events else []
        lines.append("  This is a bug in Trapline, not in your program. Please report it with the program, the config and the seed.")
        return "\n".join(lines)


def panic_report(actor: Actor, error: BaseException, events: Sequence[Event]) -> Panic:
    """Freeze what is known."""
    message: Any = actor.serving
    places = tuple(f"{PurePath(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__))
    return Panic(
        actor=actor.name,
        message=type(message).__name__ if message is not None else "",
        request=_request(actor)[:400],
        error=f"{type(error).__name__}: {error}",
        where=places[-8:],
        events=tuple(f"#{event.seq} {type(event).__name__} {event.actor} tid={event.tid}" for event in events[-LAST_EVENTS:]),
    )


def _request(actor: Actor) -> str:
    """A message is handled; a core without one runs a thread; the others keep deadlines."""
    if actor.serving is not None:
        return f"handling {actor.serving!r}"
    if actor.address < FIRST_CORE:
        return "looking at its deadlines"
    context = actor.state.context
    if context is None:
        return "being idle"
    op = context.frames[-1].pending if context.frames else None
    return f"running [{context.caller.tid}] {context.comm}, at or soon after {op!r}"
