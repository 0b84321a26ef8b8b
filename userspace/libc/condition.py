"""pthread.h, condition variables: a sequence number that waiters sleep on and signals advance.

    wait:    register; seq = load; unlock the mutex; FUTEX_WAIT(seq); leave; lock the mutex
    signal:  nobody registered? nothing to do.  Else seq += 1, FUTEX_WAKE(1)

A signal that comes between unlock and sleep has changed the sequence number, so the sleep does not happen. Simpler than glibc's, which
keeps two groups of waiters to be exactly fair: here a signal may now and then release a second waiter that was about to sleep, which
POSIX allows ("spurious wakeups may occur": wait in a loop). As in glibc, `wrefs` counts waiters in steps of 8 and its low bits
are flags, and destroy waits until those who were woken have left. Man pages pthread_cond_init(3), pthread_cond_wait(3).
"""

from __future__ import annotations

from operator import index
from struct import Struct as Packing
from typing import Any, Final

from kernel.abi.errno_values import EINTR, EINVAL, ETIMEDOUT
from kernel.abi.flags import CLOCK_MONOTONIC, CLOCK_REALTIME, PTHREAD_PROCESS_PRIVATE, PTHREAD_PROCESS_SHARED
from kernel.abi.ops import ACQ_REL, ACQUIRE, RELAXED, RELEASE
from userspace.layout import Struct
from userspace.libc.futex import ALL, PRIVATE, SHARED, futex_wait, futex_wake
from userspace.libc.mutex import pthread_mutex_lock, pthread_mutex_unlock
from userspace.scalars import u32, u64
from userspace.trap import os_error, syscall

_clock_gettime: Final = syscall("clock_gettime")

PSHARED_BIT: Final = 1  # of `wrefs`
MONOTONIC_BIT: Final = 2  # of `wrefs`
DESTROYING_BIT: Final = 4  # of `wrefs`: wake who destroys when the last waiter leaves
WAITER: Final = 8  # of `wrefs`: one waiter


class pthread_cond_t(Struct):
    """A condition variable; zeroed it is a default one. 48 bytes, as glibc's."""

    sequence: u32  # how many signals and broadcasts there were; what waiters sleep on
    wrefs: u32  # waiters and flags
    unused_1: u64  # for glibc's size, as the next ones
    unused_2: u64
    unused_3: u64
    unused_4: u64
    unused_5: u64


_LAYOUT: Final = Packing("<IIQQQQQ")


async def pthread_cond_init(cond: Any, *, pshared: int = PTHREAD_PROCESS_PRIVATE, clock: int = CLOCK_REALTIME) -> None:
    """Raises OSError(EINVAL) for an unknown sharing, or a clock other than CLOCK_REALTIME and CLOCK_MONOTONIC."""
    if pshared not in (PTHREAD_PROCESS_PRIVATE, PTHREAD_PROCESS_SHARED) or clock not in (CLOCK_REALTIME, CLOCK_MONOTONIC):
        raise os_error(EINVAL)
    flags = (PSHARED_BIT if pshared else 0) | (MONOTONIC_BIT if clock == CLOCK_MONOTONIC else 0)
    await cond.write_bytes(_LAYOUT.pack(0, flags, 0, 0, 0, 0, 0))


async def pthread_cond_destroy(cond: Any) -> None:
    """Waits until the waiters that were woken have left; with a waiter that was not, for ever, as glibc."""
    wrefs = await cond.wrefs.load(ACQUIRE)
    if wrefs < WAITER:
        return
    wrefs = await cond.wrefs.fetch_or(DESTROYING_BIT, ACQUIRE) | DESTROYING_BIT
    while wrefs >= WAITER:
        await futex_wait(cond.wrefs.address, wrefs, _sharing(wrefs))
        wrefs = await cond.wrefs.load(ACQUIRE)


def _sharing(wrefs: int) -> int:
    return SHARED if wrefs & PSHARED_BIT else PRIVATE


async def pthread_cond_wait(cond: Any, mutex: Any) -> None:
    """Release the mutex, wait, take it again. Raises OSError(EPERM) where unlocking the mutex does."""
    await _wait(cond, mutex, None)


async def pthread_cond_timedwait(cond: Any, mutex: Any, abstime_ns: int) -> None:
    """The same until `abstime_ns` on the condition's clock: OSError(ETIMEDOUT) then, with the mutex held again."""
    if index(abstime_ns) < 0:
        raise os_error(EINVAL)
    if await _wait(cond, mutex, abstime_ns) == ETIMEDOUT:
        raise os_error(ETIMEDOUT)


async def _wait(cond: Any, mutex: Any, abstime_ns: int | None) -> int:
    """0, or ETIMEDOUT."""
    flags = await cond.wrefs.fetch_add(WAITER, RELAXED)
    sequence = await cond.sequence.load(ACQUIRE)
    try:
        await pthread_mutex_unlock(mutex)
        result = await _sleep(cond, sequence, flags, abstime_ns)
    finally:
        left = await cond.wrefs.fetch_sub(WAITER, RELEASE)
        if left & DESTROYING_BIT and left < 2 * WAITER:
            await futex_wake(cond.wrefs.address, ALL, _sharing(flags))
    await pthread_mutex_lock(mutex)
    return result


async def _sleep(cond: Any, sequence: int, flags: int, abstime_ns: int | None) -> int:
    """Sleep until woken, or until the sequence number is another one; a handler that ran in between does not end the wait."""
    clock = CLOCK_MONOTONIC if flags & MONOTONIC_BIT else CLOCK_REALTIME
    timeout_ns = None
    errno = EINTR
    while errno == EINTR:
        if abstime_ns is not None:
            timeout_ns = abstime_ns - await _clock_gettime(clock)
            if timeout_ns <= 0:
                return ETIMEDOUT
        errno = await futex_wait(cond.sequence.address, sequence, _sharing(flags), timeout_ns)
    return ETIMEDOUT if errno == ETIMEDOUT else 0


async def pthread_cond_signal(cond: Any) -> None:
    """Wake one waiter, if there is one."""
    await _advance(cond, 1)


async def pthread_cond_broadcast(cond: Any) -> None:
    """Wake all waiters."""
    await _advance(cond, ALL)


async def _advance(cond: Any, count: int) -> None:
    wrefs = await cond.wrefs.load(RELAXED)
    if wrefs < WAITER:
        return
    await cond.sequence.fetch_add(1, ACQ_REL)
    await futex_wake(cond.sequence.address, count, _sharing(wrefs))
