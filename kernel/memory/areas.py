"""Areas: what a range of addresses is, long before any page of it exists. Linux calls them VMAs; /proc/PID/maps lists them.

An area is the promise that mmap(2) gave; the page table is how much of it has been kept so far.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from kernel.abi.flags import PROT_EXEC, PROT_WRITE
from kernel.hardware.mmu import EXECUTABLE, PRESENT, SHARED, USER, WRITABLE


class Area(msgspec.Struct):
    """One range with one meaning. Replaced by `AddressSpace`, changed by nobody else."""

    start: int  # bytes, page aligned
    end: int
    prot: int  # PROT_*
    shared: bool = False  # MAP_SHARED: writes go to the object; always has one
    object: int = 0  # memory object; 0: private anonymous memory
    offset: int = 0  # bytes in the object at `start`, page aligned; 0 for anonymous memory
    name: str = ""  # as /proc/PID/maps shows it
    inode: int = 0
    may_write: bool = True  # PROT_WRITE may be given; False for a shared mapping of a file not open for writing
    grows_down: bool = False  # a stack

    @property
    def flags(self) -> int:
        """The page-table flags that the area allows at most."""
        return page_flags(self.prot, self.shared)

    def page_of(self, address: int) -> int:
        """Page number in the object of the page at `address`."""
        return (self.offset + address - self.start) >> 12

    def cut(self, start: int, end: int) -> Area:
        """The part of the area in [start, end)."""
        offset = self.offset + start - self.start if self.object else 0
        return msgspec.structs.replace(self, start=start, end=end, offset=offset)

    def continues(self, before: Area) -> bool:
        """Whether the area goes on where `before` ends and they can be one."""
        return (before.end == self.start and before.prot == self.prot and before.shared == self.shared and before.object == self.object
                and before.name == self.name and before.inode == self.inode and before.may_write == self.may_write
                and before.grows_down == self.grows_down
                and (not self.object or before.offset + before.end - before.start == self.offset))


class AreaStatistics(NamedTuple):
    """A line of /proc/PID/maps, and smaps' Rss."""

    start: int
    end: int
    prot: int
    shared: bool
    offset: int
    inode: int
    name: str
    resident: int  # pages present


def page_flags(prot: int, shared: bool) -> int:
    """Page-table flags for a protection. Anything but PROT_NONE can be read, as on x86-64."""
    return (PRESENT | (USER if prot else 0) | (WRITABLE if prot & PROT_WRITE else 0)
            | (EXECUTABLE if prot & PROT_EXEC else 0) | (SHARED if shared else 0))
