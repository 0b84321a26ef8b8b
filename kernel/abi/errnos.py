"""How a call fails: `SysError` carries one Linux errno from the kernel object that refuses to the libc that raises.

Kernel code raises `SysError(EINVAL)`; the actor that serves the call turns it into a plain `Failure` value at the message border,
the core hands that to the program as the result of its op, and libc raises the `OSError` subclass that Python's `os` would raise.
The numbers are those of Linux on x86-64 (errno(3)), whatever the host is.
"""

from __future__ import annotations

import msgspec

from kernel.abi.errno_values import ERRNO_MESSAGES, ERRNO_NAMES


class SysError(Exception):
    """A system call is refused with this errno. Raised by kernel objects, never seen by programs."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno

    def __str__(self) -> str:
        return f"{errno_name(self.errno)}: {strerror(self.errno)}"


class Failure(msgspec.Struct, frozen=True, gc=False):
    """The result of a call that failed, as a value: what crosses actor borders and the trap in place of an exception."""

    errno: int
    remaining_ns: int = -1  # of an interrupted sleep: what is left; -1 elsewhere


def errno_name(errno: int) -> str:
    """`EINVAL` for 22; the number itself where Linux has no name for it."""
    return ERRNO_NAMES.get(errno, str(errno))


def strerror(errno: int) -> str:
    """The text that glibc's strerror(3) gives."""
    return ERRNO_MESSAGES.get(errno, f"Unknown error {errno}")
