"""Writing page tables: what `memory` does to the entries that cores walk, with the references to frames that go with them.

A nonzero entry of a block is one reference to its frame. fork(2) shares blocks and touches no count. Before anything is mapped, unmapped
or allowed to be written in a shared block, its table gets a copy (`own_block`): then every frame in it has one reference more,
and private pages lose WRITABLE in both copies, because now they really belong to two. So these hold always:

    a private page that can be written has exactly one reference      pages of shared mappings keep WRITABLE, they are never copied

A table that is the last to have a block can write through it again at once: nobody else is left who could see it.
Nothing here knows TLBs: what is answered (frames to release, whether permissions were lost) is what a shootdown must wait for.
"""

from __future__ import annotations

from collections.abc import Iterator

from kernel.hardware.hardware import Hardware
from kernel.hardware.mmu import BLOCK_MASK, BLOCK_SHIFT, EXECUTABLE, FRAME_SHIFT, SHARED, USER, WRITABLE, Block, PageTable
from kernel.memory.frames import Frames


class PageTables:
    """The page tables of all spaces."""

    __slots__ = ("frames", "hardware", "next_block")

    def __init__(self, hardware: Hardware, frames: Frames) -> None:
        self.hardware = hardware
        self.frames = frames
        self.next_block = 1

    def create(self, space: int) -> None:
        """An empty table for a new space."""
        self.hardware.tables[space] = PageTable(space)

    def own_block(self, space: int, number: int) -> Block:
        """The block `number` of the table, made if there is none and copied if it is shared."""
        table = self.hardware.tables[space]
        block = table.blocks.get(number)
        if block is not None and block.sharers == 1:
            return block
        made = Block(self.next_block)
        self.next_block += 1
        table.blocks[number] = made
        if block is not None:
            block.sharers -= 1
            for index, entry in enumerate(block.entries):
                if entry:
                    made.entries[index] = block.entries[index] = entry if entry & SHARED else entry & ~WRITABLE
                    self.frames.hold(entry >> FRAME_SHIFT)
            made.live = block.live
        return made

    def set(self, space: int, vpn: int, frame: int, flags: int) -> int:
        """Make `vpn` an entry for `frame`, whose reference the table takes over; answers the frame that it replaces, 0 if none."""
        block = self.own_block(space, vpn >> BLOCK_SHIFT)
        index = vpn & BLOCK_MASK
        old = block.entries[index]
        block.entries[index] = frame << FRAME_SHIFT | flags
        if not old:
            block.live += 1
        return old >> FRAME_SHIFT

    def clear(self, space: int, first: int, count: int) -> list[int]:
        """Remove the entries of [first, first + count); answers their frames, whose references the caller now has."""
        frames: list[int] = []
        for number, start, end in self._ranges(space, first, count):
            block = self.own_block(space, number)
            for index in range(start, end):
                entry = block.entries[index]
                if entry:
                    frames.append(entry >> FRAME_SHIFT)
                    block.entries[index] = 0
                    block.live -= 1
            if not block.live:
                del self.hardware.tables[space].blocks[number]
        return frames

    def protect(self, space: int, first: int, count: int, flags: int) -> bool:
        """Give the entries of the range the permissions in `flags`; True if one lost something that a TLB may remember.

        WRITABLE is only taken away here: the first write faults, and then it is known whether a copy is needed.
        """
        lost = False
        for number, start, end in self._ranges(space, first, count):
            block = self.own_block(space, number)
            for index in range(start, end):
                entry = block.entries[index]
                if entry:
                    kept = entry & ~(USER | EXECUTABLE) | flags & (USER | EXECUTABLE)
                    if not flags & WRITABLE:
                        kept &= ~WRITABLE
                    block.entries[index] = kept
                    lost = lost or bool(entry & ~kept & (USER | EXECUTABLE | WRITABLE))
        return lost

    def _ranges(self, space: int, first: int, count: int) -> Iterator[tuple[int, int, int]]:
        """(block number, first index, end index) of the blocks that have entries in the range, in order."""
        blocks = self.hardware.tables[space].blocks
        end = first + count
        low, high = first >> BLOCK_SHIFT, (end - 1) >> BLOCK_SHIFT
        numbers = range(low, high + 1) if high - low < len(blocks) else sorted(n for n in blocks if low <= n <= high)
        for number in numbers:
            block = blocks.get(number)
            if block is not None:
                base = number << BLOCK_SHIFT
                start, stop = max(first - base, 0), min(end - base, BLOCK_MASK + 1)
                if any(block.entries[start:stop]):
                    yield number, start, stop

    def share(self, parent: int, child: int) -> None:
        """fork(2): `child` gets a table with the blocks of `parent`."""
        table = PageTable(child, dict(self.hardware.tables[parent].blocks))
        for block in table.blocks.values():
            block.sharers += 1
        self.hardware.tables[child] = table

    def destroy(self, space: int) -> list[int]:
        """Remove the table; answers the frames of blocks that it was the last to have, whose references the caller now has."""
        table = self.hardware.tables.pop(space)
        frames: list[int] = []
        for number in sorted(table.blocks):
            block = table.blocks[number]
            block.sharers -= 1
            if not block.sharers:
                frames += [entry >> FRAME_SHIFT for entry in block.entries if entry]
        table.blocks.clear()  # a core that still has the table walks into nothing
        return frames

    def entry(self, space: int, vpn: int) -> int:
        """The entry of a page; 0 if there is none."""
        return self.hardware.tables[space].entry(vpn)

    def resident(self, space: int) -> int:
        """Pages that are present in the table."""
        return sum(block.live for block in self.hardware.tables[space].blocks.values())

    def resident_in(self, space: int, first: int, count: int) -> int:
        """Pages of a range that are present."""
        blocks = self.hardware.tables[space].blocks
        return sum(1 for number, start, end in self._ranges(space, first, count) for entry in blocks[number].entries[start:end] if entry)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PageTables) and self.hardware == other.hardware and self.next_block == other.next_block

    __hash__ = None  # type: ignore[assignment]  # mutable
