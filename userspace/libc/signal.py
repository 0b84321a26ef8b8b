"""signal.h: handlers, masks, sending and waiting.

A handler is a module-level async function of the program and crosses the trap as its .text address; the previous one that `sigaction`
gives back is the function itself again, found by that address in the image that runs. Masks are iterables of signal numbers here and
bit sets in the kernel. Man pages sigaction(2), signal(2), sigprocmask(2), sigpending(2), sigsuspend(2), sigwait(3), kill(2), tgkill(2),
raise(3), pause(2), alarm(2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from operator import index
from typing import Any, Final, NamedTuple

from kernel.abi.errno_values import EINVAL
from kernel.abi.flags import SA_RESTART, SIG_BLOCK, SIG_IGN
from userspace.libc.arguments import signal_numbers, signal_set
from userspace.trap import function_at, os_error, syscall, text_address

Handler = Callable[..., Awaitable[None]]  # (signo), or (signo, siginfo, context) with SA_SIGINFO

_alarm: Final = syscall("alarm")
_getpid: Final = syscall("getpid")
_gettid: Final = syscall("gettid")
_kill: Final = syscall("kill")
_pause: Final = syscall("pause")
_sigaction: Final = syscall("rt_sigaction")
_sigpending: Final = syscall("rt_sigpending")
_sigprocmask: Final = syscall("rt_sigprocmask")
_sigsuspend: Final = syscall("rt_sigsuspend")
_sigtimedwait: Final = syscall("rt_sigtimedwait")
_tgkill: Final = syscall("tgkill")
_tkill: Final = syscall("tkill")


class SigAction(NamedTuple):
    """struct sigaction."""

    handler: Handler | int  # or SIG_DFL, SIG_IGN
    mask: Iterable[int] = ()  # blocked while the handler runs, besides the signal itself
    flags: int = 0  # SA_*


class siginfo(NamedTuple):
    """siginfo_t, as a handler with SA_SIGINFO gets it."""

    si_signo: int
    si_code: int
    si_errno: int
    si_pid: int
    si_uid: int
    si_status: int
    si_value: int
    si_addr: int


def _handler_address(handler: Any) -> int:
    return text_address(handler) if callable(handler) else index(handler)


def _handler_of(address: int) -> Any:
    return address if address <= SIG_IGN else function_at(address)


async def sigaction(signo: int, act: SigAction | None = None) -> SigAction:
    """Set what a signal does (None only asks); what it did before."""
    wanted = None
    if act is not None:
        handler, mask, flags = act
        wanted = (_handler_address(handler), signal_set(mask), index(flags))
    address, before, flags = await _sigaction(index(signo), wanted)
    return SigAction(_handler_of(address), signal_numbers(before), flags)


async def signal(signo: int, handler: Handler | int) -> Handler | int:
    """BSD semantics, as glibc: the signal is blocked while its handler runs, and calls restart. The previous handler."""
    wanted = (_handler_address(handler), signal_set((signo,)), SA_RESTART)
    address, _, _ = await _sigaction(index(signo), wanted)
    before: Handler | int = _handler_of(address)
    return before


async def sigprocmask(how: int, mask: Iterable[int] | None) -> set[int]:
    """Change the thread's mask (None only asks, whatever `how` is); the previous mask."""
    if mask is None:
        return signal_numbers(await _sigprocmask(SIG_BLOCK, None))
    return signal_numbers(await _sigprocmask(index(how), signal_set(mask)))


pthread_sigmask = sigprocmask


async def sigpending() -> set[int]:
    """The signals that are generated and blocked."""
    return signal_numbers(await _sigpending())


async def sigsuspend(mask: Iterable[int]) -> None:
    """Wait under another mask. Always ends by InterruptedError, after a handler."""
    await _sigsuspend(signal_set(mask))


async def sigwait(mask: Iterable[int]) -> int:
    """Take one of these (blocked) signals, waiting for it if need be."""
    wanted = signal_set(mask)
    while True:
        try:
            info = await _sigtimedwait(wanted, None)
        except InterruptedError:
            continue  # another signal's handler ran: sigwait(3) does not tell
        return int(info.signo)


def kill(pid: int, signo: int) -> Awaitable[None]:
    return _kill(index(pid), index(signo))


async def killpg(pgrp: int, signo: int) -> None:
    """Signal a process group; 0 is the caller's. Raises OSError(EINVAL) for a negative one."""
    if index(pgrp) < 0:
        raise os_error(EINVAL)
    await _kill(-pgrp, index(signo))


def tgkill(tgid: int, tid: int, signo: int) -> Awaitable[None]:
    return _tgkill(index(tgid), index(tid), index(signo))


def tkill(tid: int, signo: int) -> Awaitable[None]:
    return _tkill(index(tid), index(signo))


async def raise_signal(signo: int) -> None:
    """C's raise(): to the calling thread; its handler has run when this returns."""
    await _tgkill(await _getpid(), await _gettid(), index(signo))


def pause() -> Awaitable[None]:
    """Ends only by InterruptedError, after a handler."""
    return _pause()


def alarm(seconds: int) -> Awaitable[int]:
    """SIGALRM to the process in `seconds`, 0 cancels; the seconds that an earlier alarm had left."""
    return _alarm(index(seconds) & 0xFFFF_FFFF)
