"""An address space as a sorted list of areas: where mmap(2) finds room, what munmap(2) and mprotect(2) split, how stacks grow.

    0 | NULL, never mapped | .text | libc | .data | heap -> ... room ... <- mmap | ... <- stack | end of user addresses

Neighbours that mean the same are one area, as on Linux. Placement goes down from MMAP_TOP and takes the highest hole that is large enough.
Only areas are kept here, no page and no frame: those are in the page table, and mapping.py keeps both in step.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

from kernel.abi.errno_values import ENOMEM
from kernel.abi.errnos import SysError
from kernel.abi.layout import MMAP_MIN, MMAP_TOP, PAGE_MASK, PAGE_SIZE, STACK_TOP, USER_END
from kernel.invariants import Violation
from kernel.memory.areas import Area

MAX_AREAS: Final = 65_530  # vm.max_map_count
STACK_GUARD: Final = PAGE_SIZE  # bytes below a stack that it may not grow into (Linux: 256 pages)
MAX_STACK_ROOM: Final = 1 << 30  # bytes that placement leaves free for a stack, however large its limit


class AddressSpace:
    """The areas of one address space, and how many processes use it."""

    __slots__ = ("areas", "brk", "brk_start", "number", "packed_down_to", "stack_limit", "starts", "users", "uses")

    def __init__(self, number: int, brk_start: int, stack_limit: int) -> None:
        self.number = number
        self.users = 1  # processes; CLONE_VM adds one
        self.areas: list[Area] = []  # Invariant: areas_sorted - by address, not empty, aligned, in user memory, without overlap
        self.starts: list[int] = []  # of `areas`, for bisection
        self.uses: dict[int, int] = {}  # object -> how many areas show it
        self.brk_start = brk_start
        self.brk = brk_start  # end of the heap, not rounded
        self.stack_limit = stack_limit  # bytes
        self.packed_down_to = self.ceiling  # no hole between here and the ceiling: placement starts looking here

    @property
    def ceiling(self) -> int:
        """Placement goes down from here: mappings leave room for the stack."""
        return min(MMAP_TOP, STACK_TOP - min(self.stack_limit, MAX_STACK_ROOM) - STACK_GUARD & ~PAGE_MASK)

    def find(self, address: int) -> Area | None:
        """The area that holds `address`."""
        index = bisect_right(self.starts, address) - 1
        if index >= 0 and address < self.areas[index].end:
            return self.areas[index]
        return None

    def overlapping(self, start: int, end: int) -> list[Area]:
        """Areas that have a part in [start, end), in order."""
        low = bisect_right(self.starts, start) - 1
        if low < 0 or self.areas[low].end <= start:
            low += 1
        return self.areas[low:bisect_left(self.starts, end)]

    def duplicate(self, number: int) -> AddressSpace:
        """fork(2): the same areas in a space of its own."""
        copy = AddressSpace(number, self.brk_start, self.stack_limit)
        copy.areas = [area.cut(area.start, area.end) for area in self.areas]
        copy.starts = list(self.starts)
        copy.uses = dict(self.uses)
        copy.brk = self.brk
        copy.packed_down_to = self.packed_down_to
        return copy

    # ---- changes -----------------------------------------------------------------------------------------------------------

    def insert(self, area: Area) -> None:
        """Add an area where nothing is; it melts into neighbours that continue it."""
        assert not self.overlapping(area.start, area.end), "insert only where nothing is"
        index = bisect_left(self.starts, area.start)
        self._add(index, area)
        self._merge(index)

    def remove(self, start: int, end: int) -> list[Area]:
        """Take [start, end) out; answers what was there. Raises ENOMEM if a split would make too many areas."""
        touched = self.overlapping(start, end)
        if len(touched) == 1 and touched[0].start < start and touched[0].end > end and len(self.areas) >= MAX_AREAS:
            raise SysError(ENOMEM)
        self._split(start)
        self._split(end)
        removed = self.overlapping(start, end)
        index = bisect_left(self.starts, start)
        for _ in removed:
            self._delete(index)
        self.packed_down_to = min(max(self.packed_down_to, end), self.ceiling)
        return removed

    def protect(self, start: int, end: int, prot: int) -> None:
        """Give the part of one area in [start, end) another protection. Raises ENOMEM if a split would make too many areas."""
        area = self.find(start)
        assert area is not None, "protect what is mapped"
        assert end <= area.end, "protect within one area"
        if area.prot == prot:
            return
        if len(self.areas) + (area.start < start) + (end < area.end) > MAX_AREAS:
            raise SysError(ENOMEM)
        self._split(start)
        self._split(end)
        index = bisect_left(self.starts, start)
        self.areas[index].prot = prot
        self._merge(index)

    def grow(self, address: int) -> Area | None:
        """A fault at `address` below a stack: let it grow down to there, if limit and guard allow; None if it is no such fault."""
        index = bisect_right(self.starts, address)
        if index == len(self.areas) or not self.areas[index].grows_down:
            return None
        area = self.areas[index]
        start = address & ~PAGE_MASK
        if start < MMAP_MIN or area.end - start > self.stack_limit:
            return None
        if index and self.areas[index - 1].end + STACK_GUARD > start:
            return None
        area.start = self.starts[index] = start
        return area

    def _add(self, index: int, area: Area) -> None:
        self.areas.insert(index, area)
        self.starts.insert(index, area.start)
        if area.object:
            self.uses[area.object] = self.uses.get(area.object, 0) + 1

    def _delete(self, index: int) -> Area:
        area = self.areas.pop(index)
        del self.starts[index]
        if area.object:
            left = self.uses[area.object] - 1
            if left:
                self.uses[area.object] = left
            else:
                del self.uses[area.object]
        return area

    def _split(self, address: int) -> None:
        """Make `address` a border between areas, if it lies inside one."""
        index = bisect_right(self.starts, address) - 1
        if index >= 0 and self.starts[index] < address < self.areas[index].end:
            area = self._delete(index)
            self._add(index, area.cut(area.start, address))
            self._add(index + 1, area.cut(address, area.end))

    def _merge(self, index: int) -> None:
        """Join the area at `index` with the next and the previous, where they continue each other."""
        for left in (index, index - 1):
            if left >= 0 and left + 1 < len(self.areas) and self.areas[left + 1].continues(self.areas[left]):
                end = self._delete(left + 1).end
                self.areas[left].end = end

    # ---- placement ---------------------------------------------------------------------------------------------------------

    def is_free(self, start: int, end: int) -> bool:
        """Whether nothing is in [start, end), and it does not run into a stack's guard."""
        if start < MMAP_MIN or end > USER_END - PAGE_SIZE or self.overlapping(start, end):
            return False
        index = bisect_left(self.starts, end)
        return index == len(self.areas) or end <= self._floor(self.areas[index])

    def place(self, length: int, hint: int) -> int:
        """Where mmap(2) puts `length` bytes (page aligned): at the hint if it is free there, else in the highest hole. Raises ENOMEM."""
        if hint:
            start = max((hint + PAGE_MASK) & ~PAGE_MASK, MMAP_MIN)
            if self.is_free(start, start + length):
                return start
        index = bisect_left(self.starts, self.packed_down_to) - 1
        top = self.packed_down_to
        packed = True  # no hole has been passed yet
        while True:
            if index >= 0 and self.areas[index].end >= top:
                top = min(top, self._floor(self.areas[index]))
                index -= 1
                if packed:
                    self.packed_down_to = max(top, MMAP_MIN)
                continue
            bottom = self.areas[index].end if index >= 0 else MMAP_MIN
            if top - length >= max(bottom, MMAP_MIN):
                return top - length
            if index < 0:
                raise SysError(ENOMEM)
            packed = False
            top = bottom

    def _floor(self, area: Area) -> int:
        return area.start - STACK_GUARD if area.grows_down else area.start

    # ---- checks ------------------------------------------------------------------------------------------------------------

    def check(self) -> Iterator[Violation]:
        """The invariants of the list of areas."""
        end = 0
        for area in self.areas:
            if not end <= area.start < area.end <= USER_END or (area.start | area.end | area.offset) & PAGE_MASK:
                yield Violation("areas_sorted", f"space {self.number}: {area.start:#x}-{area.end:#x} after {end:#x}")
            end = area.end
        if self.starts != [area.start for area in self.areas]:
            yield Violation("areas_sorted", f"space {self.number}: the list of starts differs from the areas")
        uses: dict[int, int] = {}
        for area in self.areas:
            if area.object:
                uses[area.object] = uses.get(area.object, 0) + 1
        if uses != self.uses:
            yield Violation("object_references", f"space {self.number}: areas show objects {uses}, counted {self.uses}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddressSpace) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable
