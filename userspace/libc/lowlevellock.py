"""glibc's internal lock: one futex word, 0 free, 1 taken, 2 taken and perhaps somebody sleeps. See Drepper, "Futexes are tricky".

Uncontended it is one compare-and-exchange to take and one exchange to give back, no system call. It knows no owner: a handler that
needs the lock its own thread holds waits for ever, which is why malloc(3) is not async-signal-safe (signal-safety(7)).
"""

from __future__ import annotations

from typing import Final

from kernel.abi.flags import FUTEX_PRIVATE_FLAG, FUTEX_WAIT, FUTEX_WAKE
from kernel.abi.ops import ACQUIRE, RELEASE
from kernel.abi.syscalls import NUMBERS
from userspace.scalars import u32
from userspace.trap import syscall_value

FREE: Final = 0
TAKEN: Final = 1
CONTENDED: Final = 2

_futex = syscall_value(NUMBERS["futex"])


async def wait_while(word: u32, value: int) -> None:
    """Sleep while the word holds `value`; returns at a wake, at a signal, or at once if it holds something else."""
    await _futex(word.address, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, None, 0, 0)


async def wake_one(word: u32) -> None:
    """Wake one sleeper, if there is one."""
    await _futex(word.address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, None, 0, 0)


async def lock(word: u32) -> None:
    """Take the lock."""
    if await word.compare_exchange(FREE, TAKEN, ACQUIRE) == FREE:
        return
    while await word.exchange(CONTENDED, ACQUIRE) != FREE:
        await wait_while(word, CONTENDED)


async def unlock(word: u32) -> None:
    """Give it back."""
    if await word.exchange(FREE, RELEASE) == CONTENDED:
        await wake_one(word)
