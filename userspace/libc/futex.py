"""linux/futex.h: the raw call, and the operations that libc's own primitives are built of.

A futex is an aligned 32-bit word. While nobody has to sleep, programs change it with atomic instructions and the kernel knows nothing
of it; FUTEX_WAIT sleeps only if the word still has the value that the caller saw, so that no wake-up between look and sleep is lost.
Man pages futex(2), futex(7); Drepper, "Futexes Are Tricky".
"""

from __future__ import annotations

from collections.abc import Awaitable
from operator import index
from typing import Any, Final

from kernel.abi.errnos import Failure
from kernel.abi.flags import FUTEX_PRIVATE_FLAG, FUTEX_WAIT, FUTEX_WAKE
from kernel.abi.ops import ACQUIRE
from kernel.abi.syscalls import NUMBERS
from userspace.ref import address_of
from userspace.trap import syscall, syscall_value

_futex: Final = syscall("futex")
_futex_value: Final = syscall_value(NUMBERS["futex"])

PRIVATE: Final = FUTEX_PRIVATE_FLAG  # the word is used by one process only
SHARED: Final = 0
ALL: Final = 0x7FFF_FFFF  # wakes every waiter

UNLOCKED: Final = 0  # the three states of a lock word, mutexes included
LOCKED: Final = 1
CONTENDED: Final = 2  # locked, and somebody may sleep on it

_U32: Final = 0xFFFF_FFFF


def futex(
    word: Any, op: int, value: int, timeout_ns: int | None = None, word2: Any = None, value3: int = 0
) -> Awaitable[int]:
    """The system call; words are references or addresses. WAIT: 0 when woken, else OSError(EAGAIN, EINTR, ETIMEDOUT). WAKE: how many."""
    timeout = None if timeout_ns is None else index(timeout_ns)
    return _futex(address_of(word), index(op), index(value) & _U32, timeout, address_of(word2), index(value3) & _U32)


async def futex_wait(address: int, value: int, sharing: int, timeout_ns: int | None = None) -> int:
    """Sleep while the word is `value`, at most `timeout_ns`. 0 when woken, otherwise the errno: EAGAIN, EINTR, ETIMEDOUT, ..."""
    result = await _futex_value(address, FUTEX_WAIT | sharing, value & _U32, timeout_ns, 0, 0)
    return result.errno if isinstance(result, Failure) else 0


async def futex_wake(address: int, count: int, sharing: int) -> None:
    """Wake at most `count` sleepers."""
    await _futex_value(address, FUTEX_WAKE | sharing, count, None, 0, 0)


async def wait_for_lock(word: Any, seen: int, sharing: int) -> None:
    """Take a lock word that held `seen`, sleeping as often as need be. It is CONTENDED then: others may sleep on it too."""
    if seen == CONTENDED:
        await futex_wait(word.address, CONTENDED, sharing)
    while await word.exchange(CONTENDED, ACQUIRE) != UNLOCKED:
        await futex_wait(word.address, CONTENDED, sharing)
