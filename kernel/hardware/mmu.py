"""The memory management unit: page tables in two levels, and the walk that a TLB miss takes.

    address:  | block number | index in block (9 bits) | offset in page (12 bits) |

The root maps block numbers to blocks of 512 entries; an entry is the frame's number above bit 12 and flags below, as on x86-64.
A block may be *shared* by several tables: fork(2) shares all blocks, so that it costs a step per 512 pages. Whatever its entries say,
nothing can be written through a shared block; whoever wants to write, map or unmap there first gets a block of its own
(kernel/memory/page_table.py does that, because frames get one more reference then).

The walker sets ACCESSED and DIRTY itself, as hardware does. It knows no areas and makes no decisions: it says which frame, or which
kind of fault. Not modelled: large pages, ASIDs, four levels (two have the same behaviour), protection keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

BLOCK_SHIFT: Final = 9
BLOCK_ENTRIES: Final = 1 << BLOCK_SHIFT
BLOCK_MASK: Final = BLOCK_ENTRIES - 1

PRESENT: Final = 1 << 0
WRITABLE: Final = 1 << 1
USER: Final = 1 << 2  # clear: PROT_NONE, the page is kept but no program can touch it
ACCESSED: Final = 1 << 5
DIRTY: Final = 1 << 6
SHARED: Final = 1 << 9  # for software: a page of a shared mapping, never copied on write
EXECUTABLE: Final = 1 << 10  # x86-64 has the opposite, NX
FRAME_SHIFT: Final = 12

NOT_PRESENT: Final = 0  # what `walk` answers in place of a frame number: there is no entry
PROTECTION: Final = -1  # there is one, and it does not allow this access

assert PRESENT | WRITABLE | USER | ACCESSED | DIRTY | SHARED | EXECUTABLE < 1 << FRAME_SHIFT, "flags lie below the frame number"


@dataclass(slots=True)
class Block:
    """512 entries, the lower level. Each nonzero entry is one reference to its frame, however many tables share the block."""

    number: int  # never used twice: tells blocks apart where references are counted
    entries: list[int] = field(default_factory=lambda: [0] * BLOCK_ENTRIES)
    sharers: int = 1  # Invariant: block_sharers - equals the number of tables that have this block
    live: int = 0  # nonzero entries


@dataclass(slots=True)
class PageTable:
    """The root: blocks by number. Written by kernel/memory only, but for the accessed and dirty bits."""

    space: int
    blocks: dict[int, Block] = field(default_factory=dict)

    def entry(self, vpn: int) -> int:
        """The entry of virtual page `vpn`; 0 if there is none."""
        block = self.blocks.get(vpn >> BLOCK_SHIFT)
        return 0 if block is None else block.entries[vpn & BLOCK_MASK]


def walk(table: PageTable, vpn: int, write: bool, execute: bool) -> int:
    """The frame number (>= 1) of virtual page `vpn` for this access, setting ACCESSED (and DIRTY); or NOT_PRESENT or PROTECTION."""
    block = table.blocks.get(vpn >> BLOCK_SHIFT)
    if block is None:
        return NOT_PRESENT
    index = vpn & BLOCK_MASK
    entry = block.entries[index]
    if not entry & PRESENT:
        return NOT_PRESENT
    if not entry & USER or (execute and not entry & EXECUTABLE):
        return PROTECTION
    if write:
        if not entry & WRITABLE or block.sharers > 1:
            return PROTECTION
        block.entries[index] = entry | ACCESSED | DIRTY
    elif not entry & ACCESSED:
        block.entries[index] = entry | ACCESSED
    return entry >> FRAME_SHIFT
