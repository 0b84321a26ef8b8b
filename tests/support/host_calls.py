"""How tests/support/host_libc.py calls the host's C library: raw, by name, with -1 and errno as an OSError.

The library is loaded so that calls keep the interpreter's lock: a case is one thread, and a handler may then run in the midst of any call.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Awaitable, Callable
from ctypes import c_char_p, c_int64, c_long, c_void_p
from typing import Any

LIBRARY = ctypes.PyDLL(None, use_errno=True)
for _name in ("read", "write", "pread", "pwrite", "lseek", "readlink", "readv", "writev", "syscall", "getrandom"):
    getattr(LIBRARY, _name).restype = c_long
for _name in ("mmap", "sbrk", "getcwd", "signal"):
    getattr(LIBRARY, _name).restype = c_void_p
FAILED = 2**64 - 1  # (void *)-1
NS = 1_000_000_000


class Time(ctypes.Structure):
    """struct timespec."""

    _fields_ = (("seconds", c_int64), ("nanoseconds", c_int64))


def drive(coroutine: Any) -> Any:
    """Run a coroutine that waits for nothing; its result."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("a case awaits only libc")


def _argument(value: Any) -> Any:
    if isinstance(value, str):
        return c_char_p(os.fsencode(value))
    return c_long(value) if isinstance(value, int) else value


def call(name: str, *arguments: Any) -> int:
    """One call that says -1 and errno when it fails."""
    result: int = getattr(LIBRARY, name)(*map(_argument, arguments))
    return fail() if result == -1 else result


def fail(errno: int | None = None) -> Any:
    """Raise the OSError of this errno, or of the last call's."""
    code = ctypes.get_errno() if errno is None else errno
    raise OSError(code, os.strerror(code))


def plain(name: str) -> Callable[..., Awaitable[int]]:
    """The coroutine function of a call that gives an int."""

    async def coroutine(*arguments: Any) -> int:
        return call(name, *arguments)

    return coroutine


def void(name: str) -> Callable[..., Awaitable[None]]:
    """The coroutine function of a call that gives nothing."""

    async def coroutine(*arguments: Any) -> None:
        call(name, *arguments)

    return coroutine
