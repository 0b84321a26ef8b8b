"""Page frames: which are in use, and by how many.

A frame is counted once for each page-table block that has an entry for it and once for the memory object whose page it is; in between
also once for each pending shootdown, because some core may still have it in its TLB. The last reference frees it and forgets its content.
A freed frame is handed out again before an unused one, last freed first. New frames read as zeros.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kernel.abi.errno_values import ENOMEM
from kernel.abi.errnos import SysError
from kernel.hardware.ram import PhysicalFrame, Ram


class FrameStatistics(NamedTuple):
    """Use of the machine's memory, in frames of 4096 bytes; what /proc/meminfo shows."""

    total: int
    used: int
    free: int
    cached: int  # of the used: pages of memory objects that files hold


class Frames:
    """Allocation and reference counts of page frames."""

    __slots__ = ("counts", "free", "ram", "unused_from")

    def __init__(self, ram: Ram) -> None:
        self.ram = ram
        self.counts: dict[int, int] = {}  # references; Invariant: frame_references - equals what blocks, objects and shootdowns hold
        self.free: list[int] = []  # freed, last freed last
        self.unused_from = 1  # frames from here on have never been used

    def allocate(self) -> PhysicalFrame:
        """A frame of zeros with one reference. Raises ENOMEM when all are in use."""
        if self.free:
            number = self.free.pop()
        elif self.unused_from <= self.ram.frame_count:
            number = self.unused_from
            self.unused_from += 1
        else:
            raise SysError(ENOMEM)
        self.counts[number] = 1
        return self.ram.frame(number)

    def hold(self, number: int) -> None:
        """One more reference to a frame that is in use."""
        self.counts[number] += 1

    def release(self, number: int) -> None:
        """One reference less; the last one frees the frame."""
        count = self.counts[number] - 1
        if count:
            self.counts[number] = count
            return
        del self.counts[number]
        self.ram.drop(number)
        self.free.append(number)

    def release_all(self, numbers: Iterable[int]) -> None:
        """`release` for each of `numbers`, which may name a frame several times."""
        for number in numbers:
            self.release(number)

    @property
    def used(self) -> int:
        """How many frames are in use."""
        return len(self.counts)

    @property
    def available(self) -> int:
        """How many frames can still be allocated."""
        return self.ram.frame_count - len(self.counts)

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Frames) and self.counts == other.counts and self.free == other.free
                and self.unused_from == other.unused_from)

    __hash__ = None  # type: ignore[assignment]  # mutable
