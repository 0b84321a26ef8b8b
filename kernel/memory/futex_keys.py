"""The identity of a futex word: what two threads must agree on when they name the same word by different addresses.

    shared memory    (0, object, offset in the object)     the same in every process that maps it
    private memory   (1, space, address)                   never a frame number: copy-on-write changes frames

FUTEX_PRIVATE_FLAG promises that no other process uses the word: the second form is taken without looking, as on Linux.
Man page: futex(2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.abi.errno_values import EFAULT, EINVAL
from kernel.abi.errnos import SysError
from kernel.abi.layout import USER_END
from kernel.memory.faults import resolve

if TYPE_CHECKING:
    from kernel.memory.memory import Memory

FutexKey = tuple[int, int, int]
WORD = 4  # bytes


def futex_key(memory: Memory, space: int, address: int, private: bool) -> FutexKey:
    """The word's identity. Raises EINVAL for an unaligned address, EFAULT for one that cannot be read."""
    if address % WORD:
        raise SysError(EINVAL)
    if not 0 <= address < USER_END:
        raise SysError(EFAULT)
    if private:
        return (1, space, address)
    if resolve(memory, space, address, write=False, execute=False).trap is not None:
        raise SysError(EFAULT)
    area = memory.spaces[space].find(address)
    assert area is not None, "what could be read has an area"
    if area.shared:
        return (0, area.object, area.offset + address - area.start)
    return (1, space, address)


def futex_word(memory: Memory, space: int, address: int) -> int:
    """The uint32 at an aligned address. Raises EFAULT if it cannot be read."""
    found = resolve(memory, space, address, write=False, execute=False)
    if found.trap is not None:
        raise SysError(EFAULT)
    word = memory.peek(space, address)
    assert word is not None, "a resolved page is present"
    return word & 0xFFFF_FFFF
