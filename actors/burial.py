"""The end of what a stopped machine still holds: threads that were blocked, ready or on their way when the run ended.

Their coroutines are suspended for ever. Left to Python's collector, each would be closed at some later moment, its `finally` clauses
would ask a machine that is gone for ops, and Python would complain on stderr. So they are disposed of here, as dead threads always are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from actors.ranks import SCHEDULER
from kernel.processes.context import Context
from kernel.processes.coroutines import dispose

if TYPE_CHECKING:
    from actors.boot import System


def bury(system: System, graveyard: list[Any]) -> None:
    """Dispose of every thread; then drop, in silence, the coroutines that would not close. Nothing of the machine runs afterwards."""
    for context in _contexts(system):
        for frame in reversed(context.frames):
            dispose(frame.coroutine, graveyard)
            frame.coroutine = None
    hook = sys.unraisablehook
    sys.unraisablehook = _ignore
    try:
        graveyard.clear()
    finally:
        sys.unraisablehook = hook


def _ignore(unraisable: Any) -> None:
    """A program that refuses to end is no news."""


def _contexts(system: System) -> Iterator[Context]:
    """Wherever a context can be: with the scheduler, on a core, or in a message between two actors."""
    conductor = system.conductor
    for thread in conductor.actors[SCHEDULER].state.threads.values():
        if thread.context is not None:
            yield thread.context
    for core in system.cores:
        if core.state.context is not None:
            yield core.state.context
    for actor in conductor.actors.values():
        for message in (actor.serving, *conductor.agenda.in_flight(actor)):
            context = getattr(message, "context", None)
            if isinstance(context, Context):
                yield context
