"""The invariants that span the parts of `memory`: frames, page tables, areas, objects, shootdowns.

    frame_references          each frame's count equals its entries (a shared block counts once), object pages and pending releases
    frames_accounted          every frame up to the first unused one is either in use or free
    block_sharers             a block's count equals the tables that have it; its `live` equals its nonzero entries
    entries_inside_areas      an entry lies in an area of every space that has it, with no permission that the area does not give
    writable_only_if_allowed  a writable private page has one reference only; a writable entry's area allows writing
    object_references         an object is held by a file or mapped, and by what it says; it has no page beyond its end
    shared_pages              an entry of a shared mapping is the object's own page

areas_sorted and shootdown_pending are checked by their own classes. Costs time in proportion to all memory in use: for tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.abi.flags import PROT_WRITE
from kernel.abi.layout import PAGE_SHIFT
from kernel.hardware.mmu import BLOCK_SHIFT, EXECUTABLE, FRAME_SHIFT, SHARED, USER, WRITABLE, Block
from kernel.invariants import Violation
from kernel.memory.areas import Area

if TYPE_CHECKING:
    from kernel.memory.memory import Memory


def check_memory(memory: Memory) -> Iterator[Violation]:
    """Everything that must hold after each message."""
    for space in memory.spaces.values():
        yield from space.check()
    yield from memory.shootdowns.check()
    yield from _check_blocks(memory)
    yield from _check_frames(memory)
    yield from _check_entries(memory)
    yield from _check_objects(memory)


def _blocks(memory: Memory) -> dict[int, tuple[Block, int]]:
    """Each block once, by its number, and in how many tables it is."""
    found: dict[int, tuple[Block, int]] = {}
    for table in memory.hardware.tables.values():
        for block in table.blocks.values():
            found[block.number] = (block, found[block.number][1] + 1 if block.number in found else 1)
    return found


def _check_blocks(memory: Memory) -> Iterator[Violation]:
    if list(memory.hardware.tables) != list(memory.spaces):
        yield Violation("block_sharers", f"tables of spaces {list(memory.hardware.tables)}, spaces {list(memory.spaces)}")
    for number, (block, tables) in _blocks(memory).items():
        if block.sharers != tables:
            yield Violation("block_sharers", f"block {number} is in {tables} tables and says {block.sharers}")
        live = sum(1 for entry in block.entries if entry)
        if block.live != live or not live:
            yield Violation("block_sharers", f"block {number} has {live} entries and says {block.live}")


def _check_frames(memory: Memory) -> Iterator[Violation]:
    references: dict[int, int] = {}
    for block, _ in _blocks(memory).values():
        for entry in block.entries:
            if entry:
                references[entry >> FRAME_SHIFT] = references.get(entry >> FRAME_SHIFT, 0) + 1
    for held in memory.objects.table.values():
        for frame in held.pages.values():
            references[frame] = references.get(frame, 0) + 1
    for pending in memory.shootdowns.pending.values():
        for frame in pending.frames:
            references[frame] = references.get(frame, 0) + 1
    counts = memory.frames.counts
    for frame in sorted({*references, *counts}):
        if references.get(frame, 0) != counts.get(frame, 0):
            found, counted = references.get(frame, 0), counts.get(frame, 0)
            yield Violation("frame_references", f"frame {frame} has {found} references and counts {counted}")
    if sorted([*counts, *memory.frames.free]) != list(range(1, memory.frames.unused_from)):
        yield Violation("frames_accounted", "a frame is neither in use nor free, or both")


def _check_entries(memory: Memory) -> Iterator[Violation]:
    for number, space in memory.spaces.items():
        for block_number, block in memory.hardware.tables[number].blocks.items():
            for index, entry in enumerate(block.entries):
                if entry:
                    address = (block_number << BLOCK_SHIFT | index) << PAGE_SHIFT
                    area = space.find(address)
                    if area is None:
                        yield Violation("entries_inside_areas", f"space {number}: page {address:#x} is present in no area")
                    else:
                        yield from _check_entry(memory, number, area, address, entry)


def _check_entry(memory: Memory, number: int, area: Area, address: int, entry: int) -> Iterator[Violation]:
    where = f"space {number}: page {address:#x}"
    if entry & (USER | EXECUTABLE) & ~area.flags or bool(entry & SHARED) != area.shared:
        yield Violation("entries_inside_areas", f"{where} has flags {entry & 0xFFF:#x}, its area gives {area.flags:#x}")
    frame = entry >> FRAME_SHIFT
    if entry & WRITABLE:
        if not area.prot & PROT_WRITE:
            yield Violation("writable_only_if_allowed", f"{where} is writable, its area is not")
        if not area.shared and memory.frames.counts.get(frame) != 1:
            yield Violation("writable_only_if_allowed", f"{where} is private and writable, its frame {frame} is not its own")
    if area.shared:
        held = memory.objects.table.get(area.object)
        if held is None or held.pages.get(area.page_of(address)) != frame:
            yield Violation("shared_pages", f"{where} is frame {frame}, which is not the page of object {area.object}")


def _check_objects(memory: Memory) -> Iterator[Violation]:
    mapped: dict[int, dict[int, None]] = {number: {} for number in memory.objects.table}
    for number, space in memory.spaces.items():
        for area in space.areas:
            if area.object:
                mapped.setdefault(area.object, {})[number] = None
    for number, by_space in mapped.items():
        held = memory.objects.table.get(number)
        if held is None:
            yield Violation("object_references", f"object {number} is mapped by spaces {list(by_space)} and does not exist")
            continue
        if held.mapped_by != by_space:
            yield Violation("object_references", f"object {number} is mapped by spaces {list(by_space)} and says {list(held.mapped_by)}")
        if not held.mapped_by and not held.held_by_file:
            yield Violation("object_references", f"object {number} belongs to nobody")
        if any(not 0 <= page < held.page_count for page in held.pages):
            yield Violation("object_references", f"object {number} of {held.size} bytes has pages {sorted(held.pages)}")
    if memory.unsettled:
        yield Violation("object_references", f"objects {memory.unsettled} are unsettled between calls")
