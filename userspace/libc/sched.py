"""sched.h and the nice values: which cores, and how urgent. Every call takes a TID, because threads are what is scheduled.

Man pages sched_yield(2), getcpu(2), sched_setaffinity(2), nice(2), getpriority(2). Affinity masks are sets of core numbers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from operator import index
from typing import Final

from kernel.abi.errno_values import EACCES, EPERM
from kernel.abi.flags import PRIO_PROCESS
from userspace.trap import os_error, syscall

_getcpu: Final = syscall("getcpu")
_getpriority: Final = syscall("getpriority")
_sched_getaffinity: Final = syscall("sched_getaffinity")
_sched_setaffinity: Final = syscall("sched_setaffinity")
_sched_yield: Final = syscall("sched_yield")
_setpriority: Final = syscall("setpriority")


def core_mask(mask: Iterable[int]) -> tuple[int, ...]:
    """A cpu_set_t: core numbers, ascending."""
    return tuple(sorted({index(core) for core in mask}))


def sched_yield() -> Awaitable[None]:
    return _sched_yield()


def sched_getcpu() -> Awaitable[int]:
    return _getcpu()


async def sched_getaffinity(tid: int) -> set[int]:
    return set(await _sched_getaffinity(index(tid)))


def sched_setaffinity(tid: int, mask: Iterable[int]) -> Awaitable[None]:
    return _sched_setaffinity(index(tid), core_mask(mask))


def getpriority(which: int, who: int) -> Awaitable[int]:
    return _getpriority(index(which), index(who))


def setpriority(which: int, who: int, priority: int) -> Awaitable[None]:
    return _setpriority(index(which), index(who), index(priority))


async def nice(increment: int) -> int:
    """Add to the caller's nice value; the new one. Raises OSError(EPERM) where setpriority(2) says EACCES."""
    before: int = await _getpriority(PRIO_PROCESS, 0)
    try:
        await _setpriority(PRIO_PROCESS, 0, before + index(increment))
    except PermissionError as error:
        raise os_error(EPERM) if error.errno == EACCES else error from None
    after: int = await _getpriority(PRIO_PROCESS, 0)
    return after
