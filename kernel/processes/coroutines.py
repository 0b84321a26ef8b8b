"""Suspended coroutines as data structures: what awaits what, and how one is got rid of.

A thread's stack is a chain: the coroutine that the core drives awaits another, and so on down to the generator that yielded the op.
Python shows the links (`cr_await`, `gi_yieldfrom`, `ag_await`) except through the helper objects behind `async for` and `__await__`,
whose coroutine is found among what they refer to.

Disposal closes a coroutine from the top. Its `finally` clauses run, but what they ask of the machine is not done: a dead thread executes
nothing. Each op so discarded is answered by closing again, at most `CLOSE_LIMIT` times; what still lives then is kept until the end of
the run, so that no collector closes it at some other moment.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator
from typing import Any, Final

CLOSE_LIMIT: Final = 32
LINKS_MAX: Final = 4096  # more than Python's recursion limit lets nest; an awaiting object of the program's own may refer to itself
_RESUMABLE: Final = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)


def _awaited(link: Any) -> Any:
    """What a link of the chain waits for; None at the end."""
    kind = type(link)
    if kind is types.CoroutineType:
        return link.cr_await
    if kind is types.GeneratorType:
        return link.gi_yieldfrom
    if kind is types.AsyncGeneratorType:
        return link.ag_await
    return next((inner for inner in gc.get_referents(link) if isinstance(inner, _RESUMABLE)), None)


def chain(coroutine: Any) -> Iterator[Any]:
    """The coroutine and what it awaits, outermost first: coroutines, generators, async generators."""
    link = coroutine
    for _ in range(LINKS_MAX):
        if link is None:
            return
        if isinstance(link, _RESUMABLE):
            yield link
        link = _awaited(link)


def frame_of(link: Any) -> types.FrameType | None:
    """The frame of a link of the chain; None once it has ended."""
    kind = type(link)
    if kind is types.CoroutineType:
        return link.cr_frame  # type: ignore[no-any-return]
    return link.gi_frame if kind is types.GeneratorType else link.ag_frame  # type: ignore[no-any-return]


def frames(coroutine: Any) -> Iterator[types.FrameType]:
    """The frames of a suspended coroutine and of what it awaits, outermost first."""
    for link in chain(coroutine):
        frame = frame_of(link)
        if frame is not None:
            yield frame


def depth(coroutine: Any) -> int:
    """How many coroutines are nested: what the guard page is computed from."""
    return sum(1 for _ in chain(coroutine))


def dispose(coroutine: Any, graveyard: list[Any]) -> None:
    """End a dead thread's coroutine without executing its ops; what resists is kept in `graveyard`."""
    for _ in range(CLOSE_LIMIT):
        try:
            coroutine.close()
        except BaseException as error:  # noqa: BLE001 - whatever a dead program raises concerns nobody
            if _has_ended(coroutine):
                return
            del error
        else:
            return
    graveyard.append(coroutine)


def _has_ended(coroutine: Any) -> bool:
    return frame_of(coroutine) is None if isinstance(coroutine, _RESUMABLE) else True
