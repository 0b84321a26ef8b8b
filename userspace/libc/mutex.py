"""pthread.h, mutexes: a futex word in user space, the kernel only for sleeping and waking.

The struct is glibc's: 40 bytes, the lock word first and the owner's tid at offset 8, where the kernel's deadlock report looks for it.
The word is 0 unlocked, 1 locked, 2 locked with possible sleepers. An uncontended lock is one compare-and-exchange and an owner store,
an uncontended unlock one exchange: no system call (Drepper's third mutex).

    lock:    cmpxchg word 0 -> 1           else: while exchange(word, 2) != 0: FUTEX_WAIT(word, 2)
    unlock:  exchange(word, 0) was 2?      then FUTEX_WAKE(word, 1)

A woken thread competes again and may lose: mutexes are not fair, as in glibc. The kind is looked at only when the word was not free, and
at unlock. A recursive mutex counts the locks beyond the first. Timed locking and robust mutexes are not here.
Man pages pthread_mutex_init(3), pthread_mutex_lock(3).
"""

from __future__ import annotations

from struct import Struct as Packing
from typing import Any, Final

from kernel.abi.errno_values import EAGAIN, EBUSY, EDEADLK, EINVAL, EPERM
from kernel.abi.flags import (
    PTHREAD_MUTEX_ADAPTIVE_NP,
    PTHREAD_MUTEX_ERRORCHECK,
    PTHREAD_MUTEX_NORMAL,
    PTHREAD_MUTEX_RECURSIVE,
    PTHREAD_PROCESS_PRIVATE,
    PTHREAD_PROCESS_SHARED,
)
from kernel.abi.ops import ACQUIRE, RELAXED, RELEASE
from userspace.layout import Struct
from userspace.libc.futex import CONTENDED, LOCKED, PRIVATE, SHARED, UNLOCKED, futex_wake, wait_for_lock
from userspace.scalars import i32, u32, u64
from userspace.trap import os_error, register

TYPE_MASK: Final = 15  # of `kind`: PTHREAD_MUTEX_*
PSHARED_BIT: Final = 128  # of `kind`
DESTROYED: Final = -1  # as lock word and as `kind`
_COUNT_MAX: Final = 0xFFFF_FFFF


class pthread_mutex_t(Struct):
    """A mutex; zeroed it is a default one. `async with m:` locks and unlocks."""

    lock: i32  # UNLOCKED, LOCKED, CONTENDED, DESTROYED
    count: u32  # of a recursive one: locks beyond the first
    owner: i32  # tid that holds it, 0: nobody
    nusers: u32  # unused, for glibc's layout
    kind: i32  # type and PSHARED_BIT, or DESTROYED
    spins: i32  # unused, as the next ones
    previous: u64
    next: u64

    async def __aenter__(self) -> None:
        await pthread_mutex_lock(self)

    async def __aexit__(self, *exc: object) -> None:
        await pthread_mutex_unlock(self)


_LAYOUT: Final = Packing("<iIiIiiQQ")


async def pthread_mutex_init(mutex: Any, *, type: int = PTHREAD_MUTEX_NORMAL, pshared: int = PTHREAD_PROCESS_PRIVATE) -> None:
    """Raises OSError(EINVAL) for an unknown type or sharing."""
    if not PTHREAD_MUTEX_NORMAL <= type <= PTHREAD_MUTEX_ADAPTIVE_NP or pshared not in (PTHREAD_PROCESS_PRIVATE, PTHREAD_PROCESS_SHARED):
        raise os_error(EINVAL)
    kind = type | (PSHARED_BIT if pshared else 0)
    await mutex.write_bytes(_LAYOUT.pack(UNLOCKED, 0, 0, 0, kind, 0, 0, 0))


async def pthread_mutex_destroy(mutex: Any) -> None:
    """Raises OSError(EBUSY) while it is locked."""
    seen = await mutex.lock.compare_exchange(UNLOCKED, DESTROYED, ACQUIRE)
    if seen not in (UNLOCKED, DESTROYED):
        raise os_error(EBUSY)
    await mutex.kind.store(DESTROYED, RELAXED)


async def pthread_mutex_lock(mutex: Any) -> None:
    """Raises OSError(EDEADLK) for an error-checking mutex that the caller holds; a normal one then waits for ever."""
    seen = await mutex.lock.compare_exchange(UNLOCKED, LOCKED, ACQUIRE)
    if seen == UNLOCKED or not await _lock_held(mutex, seen):
        await mutex.owner.store(await register("tid"), RELAXED)


async def _lock_held(mutex: Any, seen: int) -> bool:
    """Lock a mutex whose word was not free. True if the caller held it already and has locked it once more."""
    kind = await mutex.kind.load(RELAXED)
    if kind == DESTROYED:
        raise os_error(EINVAL)
    if kind & TYPE_MASK in (PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE) and await _is_owner(mutex):
        if kind & TYPE_MASK == PTHREAD_MUTEX_ERRORCHECK:
            raise os_error(EDEADLK)
        await _lock_again(mutex)
        return True
    await wait_for_lock(mutex.lock, seen, SHARED if kind & PSHARED_BIT else PRIVATE)
    return False


async def _is_owner(mutex: Any) -> bool:
    return bool(await mutex.owner.load(RELAXED) == await register("tid"))


async def _lock_again(mutex: Any) -> None:
    count = await mutex.count.load(RELAXED)
    if count == _COUNT_MAX:
        raise os_error(EAGAIN)
    await mutex.count.store(count + 1, RELAXED)


async def pthread_mutex_trylock(mutex: Any) -> None:
    """Raises OSError(EBUSY) where lock would wait."""
    if await mutex.lock.compare_exchange(UNLOCKED, LOCKED, ACQUIRE) == UNLOCKED:
        await mutex.owner.store(await register("tid"), RELAXED)
        return
    kind = await mutex.kind.load(RELAXED)
    if kind == DESTROYED:
        raise os_error(EINVAL)
    if kind & TYPE_MASK != PTHREAD_MUTEX_RECURSIVE or not await _is_owner(mutex):
        raise os_error(EBUSY)
    await _lock_again(mutex)


async def pthread_mutex_unlock(mutex: Any) -> None:
    """Raises OSError(EPERM) for an error-checking or recursive mutex that the caller does not hold; a normal one is released by anybody."""
    kind = await mutex.kind.load(RELAXED)
    if kind & TYPE_MASK in (PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE):
        if not await _is_owner(mutex):
            raise os_error(EPERM)
        count = await mutex.count.load(RELAXED)
        if count:
            await mutex.count.store(count - 1, RELAXED)
            return
    elif kind == DESTROYED:
        raise os_error(EINVAL)
    await mutex.owner.store(0, RELAXED)
    if await mutex.lock.exchange(UNLOCKED, RELEASE) == CONTENDED:
        await futex_wake(mutex.lock.address, 1, SHARED if kind & PSHARED_BIT else PRIVATE)
