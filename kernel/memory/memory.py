"""All state of the owner `memory`: frames, objects, page tables, address spaces, pending shootdowns; and a space's life.

    create -> (fork: duplicate | CLONE_VM: users + 1) -> release by the last user

Whatever takes translations away answers a `Change`; `actors/memory.py` turns it into shootdown interrupts and settles it when all
cores have acknowledged. Every method here leaves all invariants intact, with a `Change` that has been handed out counting as its own
state: the frames in it keep their references until `settle`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from kernel.abi.errnos import SysError
from kernel.abi.flags import PROT_READ, PROT_WRITE
from kernel.abi.layout import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, STACK_TOP
from kernel.abi.ops import I32, SHIFTS
from kernel.hardware.hardware import Hardware
from kernel.hardware.mmu import FRAME_SHIFT, walk
from kernel.invariants import Violation
from kernel.memory.address_space import AddressSpace
from kernel.memory.areas import Area, AreaStatistics
from kernel.memory.checks import check_memory
from kernel.memory.frames import Frames, FrameStatistics
from kernel.memory.mapping import round_up
from kernel.memory.objects import Objects
from kernel.memory.page_table import PageTables
from kernel.memory.shootdown import Change, PageRange, Shootdowns


class SegmentToMap(msgspec.Struct, frozen=True):
    """A part of an image. `offset` >= 0: mapped privately from the image's object; -1: anonymous, starting with `data`."""

    address: int
    size: int  # bytes in memory
    prot: int
    offset: int
    file_size: int  # bytes that come from the file; the rest is zeros
    data: bytes
    name: str


class ImageToMap(msgspec.Struct, frozen=True):
    """What execve(2) maps."""

    object: int  # the file's memory object
    path: str  # as /proc/PID/maps shows it
    segments: tuple[SegmentToMap, ...]
    brk: int  # the heap starts at the next page


class Memory:
    """What `memory` owns. `hardware` is shared with the cores: copy them together."""

    __slots__ = ("frames", "hardware", "next_space", "objects", "shootdowns", "spaces", "tables", "unsettled")

    def __init__(self, hardware: Hardware) -> None:
        self.hardware = hardware
        self.frames = Frames(hardware.ram)
        self.objects = Objects(self.frames)
        self.tables = PageTables(hardware, self.frames)
        self.spaces: dict[int, AddressSpace] = {}  # Invariant: entries_inside_areas - every page-table entry lies in an area
        self.shootdowns = Shootdowns()
        self.next_space = 1  # ids are never used twice: a core's CR3 may name a space that is gone
        self.unsettled: list[int] = []  # objects that lost an area in the call in progress; empty between calls

    # ---- a space's life ------------------------------------------------------------------------------------------------------

    def create(self, image: ImageToMap, stack_limit: int, stack: bytes) -> AddressSpace:
        """execve(2): a space with an image's segments and a stack whose top holds `stack`. Raises ENOMEM (nothing is left then)."""
        space = AddressSpace(self.next_space, round_up(image.brk), stack_limit)
        self.next_space += 1
        self.spaces[space.number] = space
        self.tables.create(space.number)
        try:
            for segment in image.segments:
                self._map_segment(space, segment, image)
            low = STACK_TOP - round_up(max(len(stack), 1))
            space.insert(Area(low, STACK_TOP, PROT_READ | PROT_WRITE, name="[stack]", grows_down=True))
            self._fill(space, STACK_TOP - len(stack), stack)
        except SysError:
            self.settle(self.release(space.number).frames)
            raise
        return space

    def _map_segment(self, space: AddressSpace, segment: SegmentToMap, image: ImageToMap) -> None:
        start, end = segment.address & ~PAGE_MASK, round_up(segment.address + segment.size)
        file_end = start
        if segment.offset >= 0:
            assert (segment.offset - segment.address) & PAGE_MASK == 0, "the loader refuses segments that are not congruent to pages"
            file_end = min(round_up(segment.address + segment.file_size), end)
        if file_end > start:
            space.insert(Area(start, file_end, segment.prot, object=image.object, offset=segment.offset & ~PAGE_MASK,
                              name=image.path))
            self.sync_objects(space, Change(), [image.object])
            tail = segment.address + segment.file_size
            if tail < file_end and segment.size > segment.file_size:
                self._fill(space, tail, bytes(file_end - tail))
        if end > file_end:
            space.insert(Area(file_end, end, segment.prot, name=segment.name))
            if segment.offset < 0:
                self._fill(space, segment.address, segment.data)

    def _fill(self, space: AddressSpace, address: int, data: bytes) -> None:
        """Write into a space that nobody has seen yet, whatever its protection. Raises ENOMEM."""
        position = 0
        while position < len(data):
            vpn, start = (address + position) >> PAGE_SHIFT, (address + position) & PAGE_MASK
            length = min(PAGE_SIZE - start, len(data) - position)
            entry = self.tables.entry(space.number, vpn)
            if entry:
                frame = self.hardware.ram.frame(entry >> FRAME_SHIFT)
            else:
                frame = self.frames.allocate()
                area = space.find(address + position)
                assert area is not None, "filled within an area"
                if area.object:
                    origin = self.objects.table[area.object].pages.get(area.page_of(vpn << PAGE_SHIFT))
                    if origin is not None:
                        frame.data[:] = self.hardware.ram.frame(origin).data
                self.tables.set(space.number, vpn, frame.number, area.flags)
            frame.data[start:start + length] = data[position:position + length]
            position += length

    def duplicate(self, number: int) -> Change:
        """fork(2): the change's value is the child's space. The parent's translations for writing must be forgotten."""
        child = self.spaces[number].duplicate(self.next_space)
        self.next_space += 1
        self.spaces[child.number] = child
        self.tables.share(number, child.number)
        for object_number in sorted(child.uses):
            self.objects.table[object_number].mapped_by[child.number] = None
        return Change(child.number, [PageRange(number, 0, -1)])

    def release(self, number: int) -> Change:
        """A process is done with the space; the last one frees everything in it."""
        space = self.spaces[number]
        space.users -= 1
        if space.users:
            return Change()
        change = Change(None, [PageRange(number, 0, -1)], self.tables.destroy(number))
        del self.spaces[number]
        for object_number in sorted(space.uses):
            del self.objects.table[object_number].mapped_by[number]
            change.frames += self.objects.collect(object_number)
        return change

    # ---- references ----------------------------------------------------------------------------------------------------------

    def sync_objects(self, space: AddressSpace, change: Change, touched: Iterable[int] = ()) -> None:
        """After areas changed: tell objects whether `space` shows them, and collect those that nobody needs any more."""
        numbers = sorted({*self.unsettled, *touched})
        self.unsettled.clear()
        for number in numbers:
            entry = self.objects.table[number]
            if number in space.uses:
                entry.mapped_by[space.number] = None
            else:
                entry.mapped_by.pop(space.number, None)
                change.frames += self.objects.collect(number)

    def drop_object(self, number: int) -> None:
        """No file refers to the object any more; mappings may keep it. An unknown object is one that nobody ever used."""
        if number in self.objects.table:
            self.objects.table[number].held_by_file = False
            self.settle(self.objects.collect(number))

    def settle(self, frames: Iterable[int]) -> None:
        """No TLB has these frames any more: give the references back."""
        self.frames.release_all(frames)

    # ---- access by the kernel --------------------------------------------------------------------------------------------------

    def peek(self, number: int, address: int) -> int | None:
        """The int32 at an aligned address, None if no frame is there. Changes nothing."""
        if number not in self.spaces or address < 0 or address & 3:
            return None
        entry = self.tables.entry(number, address >> PAGE_SHIFT)
        if not entry:
            return None
        word: int = self.hardware.ram.frame(entry >> FRAME_SHIFT).view(I32)[(address & PAGE_MASK) >> SHIFTS[I32]]
        return word

    def poke(self, number: int, address: int, value: int) -> None:
        """Store an int32 at an aligned address whose page is present and writable."""
        frame = walk(self.hardware.tables[number], address >> PAGE_SHIFT, write=True, execute=False)
        assert frame > 0, "poke what has been resolved for writing"
        self.hardware.ram.frame(frame).view(I32)[(address & PAGE_MASK) >> SHIFTS[I32]] = value

    # ---- statistics --------------------------------------------------------------------------------------------------------------

    def maps(self, number: int) -> tuple[AreaStatistics, ...]:
        """/proc/PID/maps."""
        return tuple(
            AreaStatistics(area.start, area.end, area.prot, area.shared, area.offset, area.inode, area.name,
                           self.tables.resident_in(number, area.start >> PAGE_SHIFT, (area.end - area.start) >> PAGE_SHIFT))
            for area in self.spaces[number].areas)

    def resident_pages(self, number: int) -> tuple[int, int]:
        """(pages that areas cover, pages that are present)."""
        return (sum(area.end - area.start for area in self.spaces[number].areas) >> PAGE_SHIFT, self.tables.resident(number))

    def statistics(self) -> FrameStatistics:
        """Use of frames."""
        return FrameStatistics(self.hardware.ram.frame_count, self.frames.used, self.frames.available, self.objects.cached_frames())

    def check(self) -> Iterator[Violation]:
        """All invariants of the owner; see checks.py."""
        return check_memory(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Memory) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable
