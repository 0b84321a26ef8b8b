"""From what a program passes to what crosses the trap: paths and strings to bytes, sets of signals to bit sets, numbers to ints.

A C compiler refuses `close("3")`; here the wrapper does, with a TypeError in the program, because the kernel trusts the types of what
crosses the trap (not the values: those come back as errnos). Strings are encoded as Python's `os` does it, so that any file name that
the kernel gives out can be given back, and end at their first NUL, as in C.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import index
from typing import Any, Final

from kernel.abi.errno_values import EINVAL
from kernel.abi.signos import members
from userspace.ref import Reference, address_of
from userspace.trap import os_error

SIGNAL_MAX: Final = 64


def text_bytes(text: Any) -> bytes:
    """A C string: what stands before the first NUL. Raises TypeError for what is no text."""
    if text.__class__ is str:
        encoded = text.encode("utf-8", "surrogateescape")
    elif isinstance(text, bytes | bytearray):
        encoded = bytes(text)
    elif isinstance(text, str):
        encoded = str(text).encode("utf-8", "surrogateescape")
    else:
        raise TypeError(f"a str (or bytes) is needed, not {type(text).__name__}")
    return encoded if 0 not in encoded else encoded[: encoded.index(0)]


def bytes_text(data: bytes) -> str:
    """The str of what the kernel gave: the inverse of `text_bytes`."""
    return data.decode("utf-8", "surrogateescape")


def data_bytes(data: Any) -> bytes:
    """Bytes to write. Raises TypeError for a str, which has none until it is encoded."""
    if data.__class__ is bytes:
        return data
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"bytes are needed, not {type(data).__name__}")


def string_vector(strings: Iterable[Any]) -> tuple[bytes, ...]:
    """Argv. Raises TypeError for a single string, whose characters would become the arguments."""
    if isinstance(strings, str | bytes):
        raise TypeError("a sequence of strings is needed: write [text], not text")
    return tuple(text_bytes(text) for text in strings)


def environment_vector(env: Mapping[Any, Any]) -> tuple[bytes, ...]:
    """envp: NAME=value, in the mapping's order."""
    return tuple(text_bytes(name) + b"=" + text_bytes(value) for name, value in env.items())


def plain_argument(value: Any) -> Any:
    """What a thread or process may be given: values that nobody can change, and references. Raises TypeError for anything else.

    A list or an object would be shared behind the machine's back, between threads without any instruction, and even between processes.
    """
    kind = type(value)
    if kind is tuple:
        for part in value:
            plain_argument(part)
    elif issubclass(kind, Reference):
        address_of(value)  # a Global that is not at module level has none, and says so
    elif value is not None and kind not in (bool, int, float, str, bytes):
        raise TypeError(f"an argument is a plain value (int, str, bytes, None, a tuple of these) or a reference, not {kind.__name__}")
    return value


def signal_set(signos: Iterable[int]) -> int:
    """A sigset_t: bit n-1 stands for signal n. Raises OSError(EINVAL) for a number that is no signal, as sigaddset(3)."""
    mask = 0
    for signo in signos:
        if not 1 <= index(signo) <= SIGNAL_MAX:
            raise os_error(EINVAL)
        mask |= 1 << (index(signo) - 1)
    return mask


def signal_numbers(mask: int) -> set[int]:
    """The numbers in a sigset_t."""
    return set(members(mask))
