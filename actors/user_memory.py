"""Copies between a call's arguments and the thread's memory. Only the core touches user memory for a call, through its own MMU.

Arguments are copied in before the request and results out after the reply, page by page, taking faults like any access; an address
that cannot be accessed is EFAULT. Owners see bytes. Manual: `copy_from_user` and `copy_to_user` in Linux.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.abi.errno_values import EFAULT
from kernel.abi.errnos import Failure
from kernel.abi.ops import In, Out, Syscall
from kernel.memory.faults import Trap
from kernel.processes.context import Context

if TYPE_CHECKING:
    from actors.core import Core

MAX_COUNT: Final = 0x7FFF_F000  # bytes that one read or write moves at most, as Linux; here never more than the machine's RAM


async def copy_in(core: Core, context: Context, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """`In` becomes bytes, `Out` the count that can be copied out: what was read and has no place would be lost. None: unreadable memory."""
    result: list[Any] = []
    most = min(MAX_COUNT, core.config.machine.memory_mib << 20)
    for argument in args:
        if argument.__class__ is In:
            data = await read_user(core, context, argument.address, min(argument.count, most))
            if data is None:
                return None
            result.append(data)
        elif argument.__class__ is Out:
            count = min(argument.count, most)
            result.append(await writable_bytes(core, context, argument.address, count) if count > 0 else count)
        else:
            result.append(argument)
    return tuple(result)


async def copy_out(core: Core, context: Context, op: Syscall, data: bytes) -> Any:
    """The bytes of the reply go where the call's `Out` says; the result is their count."""
    target = next((argument for argument in op.args if argument.__class__ is Out), None)
    if target is None:
        return data
    if not data and target.count > 0 and not await writable_bytes(core, context, target.address, 1):
        return Failure(EFAULT)
    return len(data) if await write_user(core, context, target.address, data) else Failure(EFAULT)


async def writable_bytes(core: Core, context: Context, address: int, count: int) -> int:
    """How many of these bytes, from the first on, can be written; their pages are faulted in."""
    position, end = address, address + count
    while position < end:
        frame = await core.frame_at(context, position, True)
        if frame.__class__ is Trap:
            return position - address
        position += 4096 - (position & 4095)
    return count


async def read_user(core: Core, context: Context, address: int, count: int) -> bytes | None:
    """Bytes of the thread's memory, through the MMU; None if part of it cannot be read."""
    parts = []
    while count > 0:
        frame = await core.frame_at(context, address, False)
        if frame.__class__ is Trap:
            return None
        start = address & 4095
        step = min(count, 4096 - start)
        parts.append(bytes(frame.data[start : start + step]))  # type: ignore[union-attr]
        address += step
        count -= step
    return b"".join(parts)


async def write_user(core: Core, context: Context, address: int, data: bytes) -> bool:
    """Write to the thread's memory, through the MMU; False if part of it cannot be written (what came before stays written)."""
    position = 0
    while position < len(data):
        frame = await core.frame_at(context, address, True)
        if frame.__class__ is Trap:
            return False
        start = address & 4095
        step = min(len(data) - position, 4096 - start)
        frame.data[start : start + step] = data[position : position + step]  # type: ignore[union-attr]
        address += step
        position += step
    return True
