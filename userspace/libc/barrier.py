"""pthread.h, barriers: who arrives counts itself, and all sleep until the last one of the round.

`arrived` counts arrivals for ever, so that arrival n (from 0) belongs to round n // count; the last one of a round advances `round`, which
the others sleep on. Rounds follow each other without any reset. `left` lets destroy wait for those who are still on their way out, so
that a barrier may be destroyed as soon as one pthread_barrier_wait has returned, as with glibc's. Man page pthread_barrier_wait(3p).
"""

from __future__ import annotations

from operator import index
from struct import Struct as Packing
from typing import Any, Final

from kernel.abi.errno_values import EINVAL
from kernel.abi.flags import PTHREAD_BARRIER_SERIAL_THREAD, PTHREAD_PROCESS_PRIVATE, PTHREAD_PROCESS_SHARED
from kernel.abi.ops import ACQ_REL, ACQUIRE, RELAXED, RELEASE
from userspace.layout import Struct
from userspace.libc.futex import ALL, PRIVATE, SHARED, futex_wait, futex_wake
from userspace.scalars import i32, u32
from userspace.trap import os_error

_COUNT_MAX: Final = 0x7FFF_FFFF
DESTROYING_BIT: Final = 0x8000_0000  # of `left`: somebody waits in destroy


class pthread_barrier_t(Struct):
    """A barrier: 32 bytes, as glibc's."""

    arrived: u32  # since init
    round: u32  # completed
    count: u32  # threads that make a round
    sharing: i32  # FUTEX_PRIVATE_FLAG or 0, as the futex call takes it
    left: u32  # threads that are done with the struct since init, and DESTROYING_BIT
    unused_1: u32  # for glibc's size, as the next ones
    unused_2: u32
    unused_3: u32


_LAYOUT: Final = Packing("<IIIiIIII")


async def pthread_barrier_init(barrier: Any, count: int, *, pshared: int = PTHREAD_PROCESS_PRIVATE) -> None:
    """Raises OSError(EINVAL) for a count of 0, or an unknown sharing."""
    if not 0 < index(count) <= _COUNT_MAX or pshared not in (PTHREAD_PROCESS_PRIVATE, PTHREAD_PROCESS_SHARED):
        raise os_error(EINVAL)
    await barrier.write_bytes(_LAYOUT.pack(0, 0, count, SHARED if pshared else PRIVATE, 0, 0, 0, 0))


async def pthread_barrier_wait(barrier: Any) -> int:
    """Wait for `count` threads. PTHREAD_BARRIER_SERIAL_THREAD for the one that came last, 0 for the others."""
    count = await barrier.count.load(RELAXED)
    sharing = await barrier.sharing.load(RELAXED)
    number = await barrier.arrived.fetch_add(1, ACQ_REL)
    last = number % count == count - 1
    if last:
        await barrier.round.fetch_add(1, RELEASE)
        await futex_wake(barrier.round.address, ALL, sharing)
    else:
        while (completed := await barrier.round.load(ACQUIRE)) <= number // count:
            await futex_wait(barrier.round.address, completed, sharing)
    if await barrier.left.fetch_add(1, RELEASE) & DESTROYING_BIT:
        await futex_wake(barrier.left.address, ALL, sharing)  # by address alone: the memory may be gone
    return PTHREAD_BARRIER_SERIAL_THREAD if last else 0


async def pthread_barrier_destroy(barrier: Any) -> None:
    """Waits for threads that have been released and are still inside."""
    sharing = await barrier.sharing.load(RELAXED)
    left = await barrier.left.fetch_or(DESTROYING_BIT, ACQUIRE) | DESTROYING_BIT
    arrived = await barrier.arrived.load(RELAXED)
    while left != arrived | DESTROYING_BIT:
        await futex_wait(barrier.left.address, left, sharing)
        left = await barrier.left.load(ACQUIRE)
