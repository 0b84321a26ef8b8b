"""What may cross the trap: a program's call is looked at before an owner sees it.

On a real machine a register holds 64 bits, whatever they mean, and a bad value comes back as an errno. Here a program is Python and could
put any object into an op. Owners trust the types of what reaches them (not the values), so the core looks at the types first:

    a number is an exact int; an int of the program's own class (bool, an IntEnum) is made one, because its `__eq__` is the program's code
    a path or data is bytes, a vector a tuple of these
    what does not fit is refused at the program's line with a TypeError

The shapes are read off the message classes; the calls that the core serves itself state theirs here. Man page: syscall(2).
"""

from __future__ import annotations

import types
import typing
from typing import Any, Final

from actors.routes import BUFFERED, MESSAGE_OF
from kernel.abi.ops import In, Out
from kernel.abi.syscalls import TABLE

Arguments = tuple[Any, ...]

_CORE_SHAPES: Final[dict[str, Arguments]] = {  # rows whose message is not the call itself, or that have none
    "getpid": (), "gettid": (), "getuid": (), "geteuid": (), "getgid": (), "getegid": (), "getcpu": (), "uname": (), "sched_yield": (),
    "rt_sigreturn": (), "clock_getres": (int,), "clock_gettime": (int,), "exit": (int,), "exit_group": (int,),
    "mmap": (int,) * 6, "clock_nanosleep": (int, int, int), "execve": (bytes, tuple[bytes, ...], tuple[bytes, ...]),
    "clone": (int, int, int, int, int, int, Any), "prctl": (int, int | bytes | None),
}  # fmt: skip


def _shape(nr: int) -> Arguments:
    """The types of a call's arguments, in order."""
    shape = _CORE_SHAPES.get(TABLE[nr].name)
    if shape is not None:
        return shape
    message = MESSAGE_OF[nr]
    hints = typing.get_type_hints(message)
    return tuple(hints[name] for name in message.__struct_fields__[2:])


def _plain_classes(hint: Any) -> Arguments:
    """The classes whose objects are as good as any other of their class, where this type is wanted."""
    choices = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return tuple(choice for choice in choices if choice in (int, bytes, type(None)))


_SHAPES: Final[dict[int, Arguments]] = {nr: _shape(nr) for nr in TABLE}
_CLASSES: Final[dict[int, Arguments]] = {nr: tuple(map(_plain_classes, shape)) for nr, shape in _SHAPES.items()}


def admit(nr: int, args: Any) -> Any:
    """The arguments of call `nr` as owners may see them; a str says what is wrong with them; None: there is no such call."""
    wanted = _CLASSES.get(nr)
    if wanted is None:
        return None
    if args.__class__ is not tuple or len(args) != len(wanted):
        return f"{TABLE[nr].name}: {len(wanted)} arguments are needed"
    position = 0  # every call comes here: counting by hand takes half the time of zip
    for argument in args:
        if type(argument) not in wanted[position]:
            break
        position += 1  # noqa: SIM113
    else:
        return args
    try:
        return tuple(_admitted(nr, argument, hint) for argument, hint in zip(args, _SHAPES[nr], strict=True))
    except TypeError as error:
        return str(error)


def _admitted(nr: int, argument: Any, hint: Any) -> Any:
    """One argument, made of exact classes. Raises TypeError."""
    kind = type(argument)
    if hint is Any:
        return argument
    if nr in BUFFERED and (kind is In or kind is Out):
        return kind(_admitted(nr, argument.address, int), _admitted(nr, argument.count, int))
    choices = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for choice in choices:
        parts = typing.get_args(choice)
        if choice is int and isinstance(argument, int):
            return int.__index__(argument)
        if kind is choice:
            return argument
        if parts and kind is tuple and (parts[-1] is Ellipsis or len(parts) == len(argument)):
            return tuple(_admitted(nr, part, parts[0]) for part in argument)
    names = " or ".join(str(getattr(choice, "__name__", choice)) for choice in choices)
    raise TypeError(f"{TABLE[nr].name}: {names} is needed, not {kind.__name__}")
