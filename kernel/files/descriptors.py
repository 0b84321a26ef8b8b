"""Descriptors and open file descriptions: open(2), dup(2), fcntl(2).

Three levels, as in every Unix: a *descriptor* is a small number in a process's table; it leads to an *open file description* with offset
and status flags, which dup and fork share; that leads to an inode. A description counts who leads to it: descriptors in all tables, and
pins of calls that wait (a console read goes on although another thread closes the descriptor). The last one gone closes it.

A slot may be *reserved*: open(2) takes its number first and installs the description when it has one, which for a FIFO may take long.
Descriptor flags (close-on-exec) belong to the slot, status flags to the description.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from kernel.abi.errno_values import EBADF, EBUSY, EMFILE
from kernel.abi.errnos import SysError
from kernel.abi.flags import O_ACCMODE, O_APPEND, O_NONBLOCK, O_PATH, O_RDWR, O_WRONLY, RLIM_INFINITY
from kernel.invariants import Violation

RESERVED: Final = 0  # in place of a description id


class Description(msgspec.Struct):
    """An open file description."""

    id: int
    inode: int
    flags: int  # O_*: access mode and status flags, as F_GETFL shows them
    references: int = 0  # Invariant: description_references - descriptors in all tables, and pins
    pins: int = 0  # of these: calls that wait
    offset: int = 0  # bytes; in a directory a cookie
    stream: int = 1  # of the console: 2 for standard error, else 1
    parent: int = 0  # directory in which it was opened, and
    name: bytes = b""  # under which name: what /proc/PID/fd shows
    proc: tuple[str, ...] | None = None  # below /proc: the parts of its name
    directory: bool = False  # of /proc: it is one
    content: bytes | None = None  # of /proc: taken at the first read
    entries: tuple[tuple[int, int, bytes], ...] | None = None  # of /proc: the same for a directory

    @property
    def readable(self) -> bool:
        """Opened for reading."""
        return self.flags & O_ACCMODE in (0, O_RDWR) and not self.flags & O_PATH

    @property
    def writable(self) -> bool:
        """Opened for writing."""
        return self.flags & O_ACCMODE in (O_WRONLY, O_RDWR) and not self.flags & O_PATH

    @property
    def appends(self) -> bool:
        """O_APPEND is set."""
        return self.flags & O_APPEND != 0

    @property
    def nonblock(self) -> bool:
        """O_NONBLOCK is set."""
        return self.flags & O_NONBLOCK != 0

    @property
    def path_only(self) -> bool:
        """Opened with O_PATH: it names a place and gives no access."""
        return self.flags & O_PATH != 0


def is_written(descriptions: dict[int, Description], inode: int) -> bool:
    """Has somebody opened this file for writing?"""
    return any(description.inode == inode and description.writable for description in descriptions.values())


class Slot(NamedTuple):
    """What a descriptor number leads to."""

    description: int  # id, or RESERVED
    close_on_exec: bool


class DescriptorTable:
    """The descriptors of a process, or of several that share them (CLONE_FILES)."""

    __slots__ = ("limit", "size_limit", "slots", "users")

    def __init__(self, limit: int) -> None:
        self.limit = limit  # RLIMIT_NOFILE. Invariant: descriptor_limits - a new descriptor is below it; lowering it closes nothing
        self.size_limit = RLIM_INFINITY  # RLIMIT_FSIZE in bytes: files that these descriptors write grow no further
        self.slots: dict[int, Slot] = {}
        self.users = 1  # processes that hold the table

    def get(self, fd: int) -> int:
        """The description id behind `fd`; EBADF for a number that is not open."""
        slot = self.slots.get(fd)
        if slot is None or slot.description == RESERVED:
            raise SysError(EBADF)
        return slot.description

    def lowest_free(self, first: int = 0) -> int:
        """The lowest free number from `first` on; EMFILE if it is not below the limit."""
        fd = first
        while fd in self.slots:
            fd += 1
        if fd >= self.limit:
            raise SysError(EMFILE)
        return fd

    def require_not_reserved(self, fd: int) -> None:
        """EBUSY: dup2(2) onto a number that an open in progress holds."""
        slot = self.slots.get(fd)
        if slot is not None and slot.description == RESERVED:
            raise SysError(EBUSY)

    def copy(self, limit: int) -> DescriptorTable:
        """A table of its own with the same descriptions; reserved slots stay behind, as an open in progress belongs to its thread."""
        table = DescriptorTable(limit)
        table.size_limit = self.size_limit
        table.slots = {fd: slot for fd, slot in self.slots.items() if slot.description != RESERVED}
        return table

    def open_slots(self) -> Iterator[tuple[int, Slot]]:
        """(fd, slot) of what is open, by number."""
        return ((fd, self.slots[fd]) for fd in sorted(self.slots) if self.slots[fd].description != RESERVED)

    def check(self, number: int, descriptions: dict[int, Description]) -> Iterator[Violation]:
        """The invariants of one table."""
        if self.users < 1:
            yield Violation("table_users", f"table {number} has no user")
        for fd, slot in self.slots.items():
            if fd < 0:
                yield Violation("descriptor_limits", f"table {number}: descriptor {fd}")
            if slot.description != RESERVED and slot.description not in descriptions:
                yield Violation("description_references", f"table {number}: descriptor {fd} leads to no description")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DescriptorTable) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable


class FileStatistics(msgspec.Struct, frozen=True):
    """What is open, for the comparison at the end of a run."""

    descriptions: int  # open file descriptions
    tables: int  # descriptor tables
    contexts: int  # working directories with umask
    pinned: int  # memory objects pinned for exec and mmap
    waiting: int  # tickets of console reads and FIFO opens
