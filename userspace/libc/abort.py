"""Ends of a process: abort(3), _exit(2), and glibc's way to die with a message."""

from __future__ import annotations

from collections.abc import Awaitable
from operator import index
from typing import Final

from kernel.abi.flags import SIG_DFL, SIG_UNBLOCK
from kernel.abi.signos import SIGABRT, bit
from kernel.abi.syscalls import NUMBERS
from userspace import trap

STDERR_FILENO: Final = 2

_write = trap.syscall_value(NUMBERS["write"])
_exit_group = trap.syscall("exit_group")
_sigprocmask = trap.syscall("rt_sigprocmask")
_sigaction = trap.syscall("rt_sigaction")
_getpid = trap.syscall("getpid")
_gettid = trap.syscall("gettid")
_tgkill = trap.syscall("tgkill")


def _exit(status: int = 0) -> Awaitable[None]:
    """End the process at once: no atexit functions, no flushing. The low 8 bits are its status."""
    return _exit_group(index(status))


async def abort() -> None:
    """SIGABRT to the caller, and again with the default action should a handler return. Never returns."""
    await _sigprocmask(SIG_UNBLOCK, bit(SIGABRT))
    pid, tid = await _getpid(), await _gettid()
    await _tgkill(pid, tid, SIGABRT)
    await _sigaction(SIGABRT, (SIG_DFL, 0, 0))
    await _tgkill(pid, tid, SIGABRT)
    await _exit_group(127)


async def complain(text: str) -> None:
    """Write to descriptor 2, whatever becomes of it: for a process that is about to die and must not fail at that."""
    data = text.encode("utf-8", "surrogateescape")
    while data:
        written = await _write(STDERR_FILENO, data)
        if type(written) is not int or written <= 0:
            return
        data = data[written:]


async def die(message: str) -> None:
    """The message on stderr, then abort: what glibc does when it finds its own data corrupted."""
    await complain(message + "\n")
    await abort()
