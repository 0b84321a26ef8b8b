"""Digests: what a thread's coroutines look like from outside, so that a re-executed copy can be compared with its original.

fork's child is a fresh coroutine fed with the parent's results (see reexecution.py). If the program depends on anything but those results
(an `id()`, a host object, the order of a set of strings), the copy differs, maybe only in a variable. So both are summed up as plain
data: function, line and locals of each suspended coroutine of the program, and the plain globals of its modules. Values that are not
plain data (functions, objects of the program's classes, open files) are looked into one level by their attributes, or left out.

Deliberately no hash: a difference is reported with the name of the function, the line and the variable.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from kernel.processes.context import Frame
from kernel.processes.coroutines import frames

MAX_DEPTH: Final = 8  # containers in containers
MAX_ITEMS: Final = 10_000  # of one container; the length of a longer one is compared instead
_SCALARS: Final = frozenset({int, bool, str, bytes, type(None)})
OPAQUE: Final = "…"


class FrameDigest(msgspec.Struct, frozen=True):
    """One suspended coroutine."""

    function: str
    file: str
    line: int
    variables: dict[str, Any]


class Digest(msgspec.Struct, frozen=True):
    """A thread's coroutines and its program's globals."""

    frames: tuple[FrameDigest, ...]
    globals: dict[str, Any]  # "module.name" -> value


def digest(stack: list[Frame], image: Any) -> Digest:
    """Sum up the program's part of a thread: `image` says which frames are the program's, and gives its globals."""
    found = []
    for entry in stack:
        for frame in frames(entry.coroutine):
            if image.owns(frame):
                code = frame.f_code
                variables = {name: plain(value) for name, value in frame.f_locals.items() if not name.startswith(".")}
                found.append(FrameDigest(code.co_qualname, code.co_filename, frame.f_lineno or 0, variables))
    return Digest(tuple(found), {f"{module}.{name}": plain(value) for module, name, value in image.plain_globals()})


def plain(value: Any, level: int = 0) -> Any:
    """A copy of `value` that compares by content; what is no plain data becomes its type's name."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is float:
        return repr(value)  # so that nan equals itself
    if level >= MAX_DEPTH:
        return OPAQUE
    if kind in (list, tuple, bytearray):
        return (kind.__name__, len(value), tuple(plain(item, level + 1) for item in value[:MAX_ITEMS]))
    if kind is dict:
        return _plain_dict(value, level)
    if kind in (set, frozenset):
        return (kind.__name__, frozenset(map(_hashable, value)))
    return _plain_object(value, kind, level)


def _plain_dict(value: dict[Any, Any], level: int) -> Any:
    if len(value) > MAX_ITEMS:
        return ("dict", len(value))
    return ("dict", tuple((plain(key, level + 1), plain(item, level + 1)) for key, item in value.items()))


def _hashable(item: Any) -> Any:
    return item if type(item) in _SCALARS else type(item).__name__


def _plain_object(value: Any, kind: type, level: int) -> Any:
    address = getattr(value, "address", None) if hasattr(kind, "_size_") else None
    if type(address) is int:
        return (kind.__name__, address)  # a reference to simulated memory
    attributes = getattr(value, "__dict__", None)
    if type(attributes) is dict and not callable(value) and level < MAX_DEPTH // 2:
        return (kind.__name__, _plain_dict(attributes, level + 1))
    return kind.__name__


def first_difference(original: Digest, copy: Digest) -> str | None:
    """The first thing in which two digests differ, as a clause that names function, line and variable; None if they agree."""
    for ours, theirs in zip(original.frames, copy.frames, strict=False):
        if (ours.function, ours.file) != (theirs.function, theirs.file):
            return f"{_where(ours)} runs in the parent, {_where(theirs)} in the child"
        if ours.line != theirs.line:
            return f"the parent stands at {_where(ours)}, the child at line {theirs.line}"
        difference = _first_variable(ours.variables, theirs.variables)
        if difference:
            return f"{_where(ours)}: the local variable {difference}"
    if len(original.frames) != len(copy.frames):
        return f"the parent has {len(original.frames)} suspended functions, the child {len(copy.frames)}"
    difference = _first_variable(original.globals, copy.globals)
    return f"the module global {difference}" if difference else None


def _where(frame: FrameDigest) -> str:
    return f"{frame.file}:{frame.line} in {frame.function}"


def _first_variable(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    for name, value in ours.items():
        if name not in theirs:
            return f"{name} is {_shown(value)} in the parent and unset in the child"
        if theirs[name] != value:
            return f"{name} is {_shown(value)} in the parent and {_shown(theirs[name])} in the child"
    for name, value in theirs.items():
        if name not in ours:
            return f"{name} is unset in the parent and {_shown(value)} in the child"
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
