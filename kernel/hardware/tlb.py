"""The translation lookaside buffer of one core: translations that it has walked and remembers.

It holds frames themselves, so that a hit costs one dict lookup. `write` has a page only after a walk for writing (which set the dirty
bit and saw the permission); `read` has every remembered page. Nobody but its core changes a TLB: when entries of the page table are
taken away or lose permissions, `memory` sends every core that runs the space a shootdown interrupt (kernel/memory/shootdown.py).
There are no ASIDs: a core that loads another space flushes. When it is full the oldest entry goes.

Like x86, a core must forget the page at which it faults before it tries the access again.
"""

from __future__ import annotations

from collections.abc import Iterator

from kernel.hardware.ram import PhysicalFrame
from kernel.invariants import Violation


class Tlb:
    """Remembered translations by virtual page number."""

    __slots__ = ("capacity", "read", "write")

    def __init__(self, capacity: int = 64) -> None:
        assert capacity > 0, "a TLB has at least one entry"
        self.capacity = capacity
        self.read: dict[int, PhysicalFrame] = {}  # Invariant: tlb_bounded - at most `capacity` entries, oldest first
        self.write: dict[int, PhysicalFrame] = {}  # Invariant: tlb_write_within_read - a subset of `read`, with the same frames

    def insert(self, vpn: int, frame: PhysicalFrame, writable: bool) -> None:
        """Remember what a walk found; `writable` if the walk was for writing. Evicts the oldest entry when full."""
        read = self.read
        if vpn not in read and len(read) >= self.capacity:
            oldest = next(iter(read))
            del read[oldest]
            self.write.pop(oldest, None)
        read[vpn] = frame
        if writable:
            self.write[vpn] = frame
        else:
            self.write.pop(vpn, None)

    def invalidate(self, first: int, count: int) -> None:
        """Forget pages [first, first + count); count -1 forgets all."""
        if count < 0:
            self.flush()
            return
        end = first + count
        for vpn in [vpn for vpn in self.read if first <= vpn < end]:
            del self.read[vpn]
            self.write.pop(vpn, None)

    def flush(self) -> None:
        """Forget everything."""
        self.read.clear()
        self.write.clear()

    def check(self) -> Iterator[Violation]:
        """The invariants of one TLB; that it agrees with the page table is crosscheck's business."""
        if len(self.read) > self.capacity:
            yield Violation("tlb_bounded", f"{len(self.read)} pages are remembered, {self.capacity} are room for")
        if any(self.read.get(vpn) is not frame for vpn, frame in self.write.items()):
            yield Violation("tlb_write_within_read", f"pages {list(self.write)} may be written, {list(self.read)} read, or in other frames")

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Tlb) and self.capacity == other.capacity
                and list(self.read) == list(other.read) and self.read == other.read and self.write == other.write)

    __hash__ = None  # type: ignore[assignment]  # mutable
