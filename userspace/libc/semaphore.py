"""semaphore.h: unnamed POSIX semaphores, as glibc keeps them on 64-bit machines.

One 64-bit word holds the value (low half, which is also the futex) and the number of waiters (high half), so that one atomic instruction
sees both: sem_post needs no system call while nobody waits, sem_wait none while the value is positive.
Man pages sem_init(3), sem_wait(3), sem_post(3), sem_getvalue(3), sem_overview(7).
"""

from __future__ import annotations

from operator import index
from struct import Struct as Packing
from typing import Any, Final

from kernel.abi.errno_values import EAGAIN, EINTR, EINVAL, EOVERFLOW, ETIMEDOUT
from kernel.abi.flags import CLOCK_REALTIME, SEM_VALUE_MAX
from kernel.abi.ops import ACQUIRE, RELAXED, RELEASE
from userspace.layout import Struct
from userspace.libc.futex import PRIVATE, SHARED, futex_wait, futex_wake
from userspace.scalars import i32, u64
from userspace.trap import os_error, syscall

_clock_gettime: Final = syscall("clock_gettime")

VALUE_MASK: Final = 0xFFFF_FFFF  # of `data`
WAITER: Final = 1 << 32  # of `data`: one waiter


class sem_t(Struct):
    """A semaphore: 32 bytes, as glibc's."""

    data: u64  # value | waiters << 32
    sharing: i32  # FUTEX_PRIVATE_FLAG or 0, as the futex call takes it
    padding: i32
    unused_1: u64
    unused_2: u64


_LAYOUT: Final = Packing("<QiiQQ")


async def sem_init(sem: Any, pshared: int, value: int) -> None:
    """Raises OSError(EINVAL) for a value above SEM_VALUE_MAX."""
    if not 0 <= index(value) <= SEM_VALUE_MAX:
        raise os_error(EINVAL)
    await sem.write_bytes(_LAYOUT.pack(value, SHARED if pshared else PRIVATE, 0, 0, 0))


async def sem_destroy(sem: Any) -> None:
    """Nothing has to be released."""


async def sem_getvalue(sem: Any) -> int:
    """The value; 0 while threads wait."""
    data: int = await sem.data.load(RELAXED)
    return data & VALUE_MASK


async def sem_trywait(sem: Any) -> None:
    """Raises OSError(EAGAIN) where sem_wait would wait."""
    if not await _take(sem, 0):
        raise os_error(EAGAIN)


async def _take(sem: Any, waiter: int) -> bool:
    """Take one from the value if it is positive, and `waiter` from the waiters with it."""
    data = await sem.data.load(RELAXED)
    while data & VALUE_MASK:
        seen = await sem.data.compare_exchange(data, data - 1 - waiter, ACQUIRE)
        if seen == data:
            return True
        data = seen
    return False


async def sem_wait(sem: Any) -> None:
    """Wait until the value is positive and take one. Raises OSError(EINTR) after a handler without SA_RESTART."""
    if not await _take(sem, 0):
        await _wait(sem, None)


async def sem_timedwait(sem: Any, abstime_ns: int) -> None:
    """The same until `abstime_ns` on CLOCK_REALTIME: OSError(ETIMEDOUT). A negative time is EINVAL if it would have to wait."""
    if await _take(sem, 0):
        return
    if index(abstime_ns) < 0:
        raise os_error(EINVAL)
    await _wait(sem, abstime_ns)


async def _wait(sem: Any, abstime_ns: int | None) -> None:
    sharing = await sem.sharing.load(RELAXED)
    timeout_ns = None
    await sem.data.fetch_add(WAITER, RELAXED)
    while not await _take(sem, WAITER):
        errno = 0
        if abstime_ns is not None:
            timeout_ns = abstime_ns - await _clock_gettime(CLOCK_REALTIME)
            errno = ETIMEDOUT if timeout_ns <= 0 else 0
        if not errno:
            errno = await futex_wait(sem.data.address, 0, sharing, timeout_ns)
        if errno in (EINTR, ETIMEDOUT):
            await sem.data.fetch_sub(WAITER, RELAXED)
            raise os_error(errno)


async def sem_post(sem: Any) -> None:
    """Add one to the value and wake a waiter if there is one. Raises OSError(EOVERFLOW) at SEM_VALUE_MAX."""
    sharing = await sem.sharing.load(RELAXED)
    data = await sem.data.load(RELAXED)
    while True:
        if data & VALUE_MASK == SEM_VALUE_MAX:
            raise os_error(EOVERFLOW)
        seen = await sem.data.compare_exchange(data, data + 1, RELEASE)
        if seen == data:
            break
        data = seen
    if data >= WAITER:
        await futex_wake(sem.data.address, 1, sharing)
