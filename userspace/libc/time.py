"""time.h: clocks and sleeps, all in virtual time.

Times are ints: nanoseconds, except where C's call has seconds or microseconds. Man pages clock_gettime(2), time(2), nanosleep(2),
clock_nanosleep(2), sleep(3), usleep(3). A sleep that a handler interrupts fails with EINTR and the time left in the exception's
`remaining_ns`; SA_RESTART does not restart it (signal(7)). `sleep` alone reports by its result instead.
"""

from __future__ import annotations

from collections.abc import Awaitable
from operator import index
from typing import Final

from kernel.abi.flags import CLOCK_REALTIME
from userspace.trap import syscall

_clock_getres: Final = syscall("clock_getres")
_clock_gettime: Final = syscall("clock_gettime")
_clock_nanosleep: Final = syscall("clock_nanosleep")
_nanosleep: Final = syscall("nanosleep")

NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MICROSECOND: Final = 1_000


def clock_gettime(clock: int) -> Awaitable[int]:
    return _clock_gettime(index(clock))


def clock_getres(clock: int) -> Awaitable[int]:
    return _clock_getres(index(clock))


async def time() -> int:
    """Seconds since the Epoch."""
    now_ns: int = await _clock_gettime(CLOCK_REALTIME)
    return now_ns // NS_PER_SECOND


def nanosleep(ns: int) -> Awaitable[None]:
    return _nanosleep(index(ns))


def usleep(microseconds: int) -> Awaitable[None]:
    return _nanosleep(index(microseconds) * NS_PER_MICROSECOND)


async def sleep(seconds: int) -> int:
    """0, or the whole seconds left when a handler ran."""
    try:
        await _nanosleep(index(seconds) * NS_PER_SECOND)
    except InterruptedError as error:
        remaining_ns: int = getattr(error, "remaining_ns", 0)
        return remaining_ns // NS_PER_SECOND
    return 0


def clock_nanosleep(clock: int, flags: int, ns: int) -> Awaitable[None]:
    """Sleep for `ns`, or until that time on `clock` with TIMER_ABSTIME."""
    return _clock_nanosleep(index(clock), index(flags), index(ns))
