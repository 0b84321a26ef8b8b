"""What a page fault means: keep the promise that the area made, or say which signal the access deserves.

    no area (and no stack that may grow there)   SIGSEGV, SEGV_MAPERR
    the area does not allow the access           SIGSEGV, SEGV_ACCERR
    beyond the end of the mapped object          SIGBUS, BUS_ADRERR
    nothing there yet                            a frame of zeros, the object's page, or a private copy of it
    there, but not writable                      the last one that has the page gets it back; otherwise it is copied

A copy takes the old frame out of the table, which other cores may have in their TLBs: the new frame then stays read-only until they have
forgotten the old one (`grant_write`); another thread's fault on the page waits for that too.
When no frame is left, the thread is killed, as by Linux's OOM killer (which would choose a victim; here it is whoever asks).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kernel.abi.errno_values import ENOMEM
from kernel.abi.errnos import SysError
from kernel.abi.flags import BUS_ADRERR, PROT_EXEC, PROT_WRITE, SEGV_ACCERR, SEGV_MAPERR
from kernel.abi.layout import PAGE_SHIFT, PAGE_SIZE, USER_END
from kernel.abi.signos import SIGBUS, SIGKILL, SIGSEGV
from kernel.hardware.mmu import BLOCK_MASK, BLOCK_SHIFT, FRAME_SHIFT, SHARED, WRITABLE
from kernel.memory.areas import Area

if TYPE_CHECKING:
    from kernel.memory.memory import Memory


class Trap(NamedTuple):
    """The access cannot be made good: this signal, with this si_code."""

    signo: int
    code: int


class Resolution(NamedTuple):
    """What became of a fault."""

    kind: str  # "zero", "file", "cow_copy", "cow_last", "spurious", or a signal's name
    frame: int = 0
    copied: int = 0  # bytes
    trap: Trap | None = None
    replaced: int = 0  # frame that was taken out of the table: its reference is now the caller's, to be released after a shootdown


MAPERR: Final = Resolution("SIGSEGV", trap=Trap(SIGSEGV, SEGV_MAPERR))
ACCERR: Final = Resolution("SIGSEGV", trap=Trap(SIGSEGV, SEGV_ACCERR))
ADRERR: Final = Resolution("SIGBUS", trap=Trap(SIGBUS, BUS_ADRERR))
NO_FRAME: Final = Resolution("SIGKILL", trap=Trap(SIGKILL, 0))


def resolve(memory: Memory, number: int, address: int, write: bool, execute: bool) -> Resolution:
    """Make `address` of space `number` accessible, or say why not. Changes the page table; the access itself is not made."""
    space = memory.spaces.get(number)
    if space is None or not 0 <= address < USER_END:
        return MAPERR
    area = space.find(address) or space.grow(address)
    if area is None:
        return MAPERR
    if not allows(area, write, execute):
        return ACCERR
    try:
        if memory.tables.entry(number, address >> PAGE_SHIFT):
            return _present(memory, number, area, address >> PAGE_SHIFT, write)
        return _absent(memory, number, area, address, write)
    except SysError as refused:
        if refused.errno != ENOMEM:
            raise
        return NO_FRAME


def allows(area: Area, write: bool, execute: bool) -> bool:
    """Whether the area's protection allows the access; whatever is not PROT_NONE can be read, as on x86-64."""
    if write:
        return bool(area.prot & PROT_WRITE)
    if execute:
        return bool(area.prot & PROT_EXEC)
    return area.prot != 0


def _absent(memory: Memory, number: int, area: Area, address: int, write: bool) -> Resolution:
    vpn = address >> PAGE_SHIFT
    if not area.object:
        frame = memory.frames.allocate()
        memory.tables.set(number, vpn, frame.number, area.flags)
        return Resolution("zero", frame.number)
    entry = memory.objects.table[area.object]
    page = area.page_of(address)
    if page >= entry.page_count:
        return ADRERR
    origin = memory.objects.page(entry, page)
    if not area.shared and write:
        copy = memory.frames.allocate()
        copy.data[:] = origin.data
        memory.tables.set(number, vpn, copy.number, area.flags)
        return Resolution("cow_copy", copy.number, PAGE_SIZE)
    memory.frames.hold(origin.number)
    memory.tables.set(number, vpn, origin.number, area.flags if area.shared else area.flags & ~WRITABLE)
    return Resolution("file", origin.number)


def _present(memory: Memory, number: int, area: Area, vpn: int, write: bool) -> Resolution:
    block = memory.hardware.tables[number].blocks[vpn >> BLOCK_SHIFT]
    index = vpn & BLOCK_MASK
    entry = block.entries[index]
    if not write or (entry & WRITABLE and block.sharers == 1):
        return Resolution("spurious", entry >> FRAME_SHIFT)  # another thread's fault was served first
    block = memory.tables.own_block(number, vpn >> BLOCK_SHIFT)
    entry = block.entries[index]
    frame = entry >> FRAME_SHIFT
    if entry & SHARED:
        block.entries[index] = entry | WRITABLE
        return Resolution("spurious", frame)
    if memory.frames.counts[frame] == 1:
        block.entries[index] = entry | WRITABLE
        return Resolution("cow_last", frame)
    copy = memory.frames.allocate()
    copy.data[:] = memory.frames.ram.frame(frame).data
    memory.tables.set(number, vpn, copy.number, area.flags & ~WRITABLE)
    return Resolution("cow_copy", copy.number, PAGE_SIZE, replaced=frame)


def grant_write(memory: Memory, number: int, vpn: int, frame: int) -> None:
    """No core can read the old frame any more: the copy `frame` may be written, if it is still there and nobody else has it."""
    table = memory.hardware.tables.get(number)
    block = table.blocks.get(vpn >> BLOCK_SHIFT) if table is not None else None
    if block is not None and block.sharers == 1 and memory.frames.counts.get(frame) == 1:
        entry = block.entries[vpn & BLOCK_MASK]
        if entry >> FRAME_SHIFT == frame:
            block.entries[vpn & BLOCK_MASK] = entry | WRITABLE
