"""Inodes: what a file is, apart from its names (inode(7)).

A regular file has a size here and its bytes in a memory object, which `memory` owns; `object` is the id of that object, allotted at
first need, and `seed` the content from boot, until `memory` has been handed it. A directory is a dict from names to inode numbers;
each entry has a *cookie*, a number that grows, so that getdents(2) can go on where it was although entries came and went.

An inode lives while it has a name (`nlink`) or is in use (`references`). The tree at boot is an immutable template shared by all
machines with the same programs; `InodeTable` copies an inode out of it when it is first edited, so that a fresh table costs nothing.

Not here: permissions (permissions.py), names and links (paths.py, namespace.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from kernel.abi.errno_values import EPERM
from kernel.abi.errnos import SysError
from kernel.abi.flags import S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG
from kernel.abi.layout import PAGE_SIZE
from kernel.abi.records import Stat

NO_PIPE: Final = -1
ROOT: Final = 1  # inode number of /
PROC: Final = 2  # of /proc, where names are `processes`' business
DIRENT_SIZE: Final = 20  # bytes that an entry counts in a directory's st_size, as tmpfs has it
FIRST_COOKIE: Final = 2  # cookies 0 and 1 are "." and ".."
SECOND_NS: Final = 1_000_000_000
BOOT_TIME_NS: Final = 1_700_000_000 * SECOND_NS  # CLOCK_REALTIME at boot
DAY_NS: Final = 86_400 * SECOND_NS
DEVICE_NUMBER: Final = 1  # st_dev of the one file system


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One name in a directory."""

    number: int  # inode
    cookie: int  # position for getdents; later entries have higher ones


class Inode(msgspec.Struct):
    """A file of any kind. Changed only through `InodeTable.edit`."""

    number: int
    mode: int  # type and permission bits
    uid: int
    gid: int
    nlink: int  # Invariant: link_counts - names that lead here; directories: 2, and one more for each directory in it
    atime_ns: int
    mtime_ns: int
    ctime_ns: int
    size: int = 0  # bytes, regular files only
    references: int = 0  # Invariant: inode_references - descriptions + waiting opens + working directories + pins
    device: int = 0  # st_rdev of a device node
    target: bytes = b""  # of a symbolic link
    entries: dict[bytes, Entry] | None = None  # of a directory, without "." and ".."
    parent: int = 0  # of a directory: inode number of ".."
    name: bytes = b""  # of a directory: its only name
    next_cookie: int = FIRST_COOKIE
    object: int = 0  # memory object of a regular file; 0: memory has not heard of it yet
    seed: bytes = b""  # content from boot that memory was not handed yet
    pipe: int = NO_PIPE  # ipc's pipe of an open FIFO, or of an anonymous pipe
    anonymous: bool = False  # made by pipe2(2): its one link is no name
    grew_from: int = 0  # size before the last write that grew the file, and
    grew_to: int = -1  # after it: what a write that fell short is set back to

    @property
    def kind(self) -> int:
        """S_IFREG, S_IFDIR, …"""
        return self.mode & S_IFMT

    @property
    def is_directory(self) -> bool:
        """A directory."""
        return self.mode & S_IFMT == S_IFDIR

    @property
    def is_regular(self) -> bool:
        """A regular file."""
        return self.mode & S_IFMT == S_IFREG

    @property
    def is_link(self) -> bool:
        """A symbolic link."""
        return self.mode & S_IFMT == S_IFLNK

    @property
    def is_fifo(self) -> bool:
        """A FIFO, or an anonymous pipe."""
        return self.mode & S_IFMT == S_IFIFO

    def shown_size(self) -> int:
        """st_size, in bytes."""
        if self.entries is not None:
            return DIRENT_SIZE * (2 + len(self.entries))
        return len(self.target) if self.is_link else self.size


class Template(Protocol):
    """The immutable tree at boot."""

    first_free: int  # numbers from here on are not used by it

    def find(self, number: int) -> Inode | None:
        """Its inode of that number; never changed by whoever gets it."""

    def numbers(self) -> Iterator[int]:
        """All of its inode numbers."""


class InodeTable:
    """All inodes: the template's, overlaid by what was made or edited since."""

    __slots__ = ("_own", "_template", "next_number")

    def __init__(self, template: Template) -> None:
        self._template = template
        self._own: dict[int, Inode | None] = {}  # None: the template's is gone
        self.next_number = template.first_free

    def find(self, number: int) -> Inode | None:
        """The inode to look at, not to change; None if there is none."""
        if number in self._own:
            return self._own[number]
        return self._template.find(number)

    def get(self, number: int) -> Inode:
        """The inode to look at, not to change; it must exist."""
        inode = self.find(number)
        assert inode is not None, f"inode {number} does not exist"
        return inode

    def edit(self, number: int) -> Inode:
        """The inode to change; copied out of the template first."""
        own = self._own.get(number)
        if own is not None:
            return own
        inode = msgspec.structs.replace(self.get(number))
        if inode.entries is not None:
            inode.entries = dict(inode.entries)
        self._own[number] = inode
        return inode

    def create(self, mode: int, uid: int, gid: int, now_ns: int) -> Inode:
        """A new inode without a name. Numbers are never used twice."""
        number = self.next_number
        self.next_number += 1
        inode = Inode(number, mode, uid, gid, 0, now_ns, now_ns, now_ns)
        self._own[number] = inode
        return inode

    def remove(self, number: int) -> None:
        """Forget an inode that has neither name nor use."""
        if self._template.find(number) is None:
            del self._own[number]
        else:
            self._own[number] = None

    def all(self) -> Iterator[Inode]:
        """Every inode, the template's first."""
        for number in self._template.numbers():
            inode = self.find(number)
            if inode is not None:
                yield inode
        for number, own in self._own.items():
            if own is not None and self._template.find(number) is None:
                yield own

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, InodeTable):
            return False
        return self._template is other._template and self._own == other._own and self.next_number == other.next_number

    __hash__ = None  # type: ignore[assignment]  # mutable


def add_entry(directory: Inode, name: bytes, number: int, now_ns: int) -> None:
    """Put a name into `directory` (which is being edited); a name that is there is replaced."""
    assert directory.entries is not None, "a name needs a directory"
    directory.entries.pop(name, None)
    directory.entries[name] = Entry(number, directory.next_cookie)
    directory.next_cookie += 1
    directory.mtime_ns = directory.ctime_ns = now_ns


def remove_entry(directory: Inode, name: bytes, now_ns: int) -> None:
    """Take a name out of `directory` (which is being edited)."""
    assert directory.entries is not None, "a name needs a directory"
    del directory.entries[name]
    directory.mtime_ns = directory.ctime_ns = now_ns


def list_entries(inodes: InodeTable, directory: Inode, position: int, count: int) -> tuple[list[tuple[int, int, bytes]], int]:
    """At most `count` entries (inode, type, name) from cookie `position` on, and the cookie to go on from: getdents64(2)."""
    assert directory.entries is not None, "only a directory is listed"
    dots = ((directory.number, b"."), (directory.parent, b".."))
    found = [(number, S_IFDIR >> 12, name) for number, name in dots[position:]][:count]
    following = position + len(found)
    for name, entry in directory.entries.items():
        if len(found) >= count:
            break
        if entry.cookie >= position:
            found.append((entry.number, inodes.get(entry.number).mode >> 12, name))
            following = entry.cookie + 1
    return found, following


def touch_read(inodes: InodeTable, number: int, now_ns: int) -> None:
    """Access time after a read, as the mount option relatime has it: only if it is not after the last change, or a day old."""
    inode = inodes.get(number)
    if inode.atime_ns <= inode.mtime_ns or inode.atime_ns <= inode.ctime_ns or now_ns - inode.atime_ns >= DAY_NS:
        inodes.edit(number).atime_ns = now_ns


def change_mode(inodes: InodeTable, number: int, mode: int, who: tuple[int, int], now_ns: int) -> None:
    """chmod(2): by the owner or root, EPERM otherwise; the set-group-id bit stays only for members of the group."""
    inode = inodes.get(number)
    uid, gid = who
    if uid not in (0, inode.uid):
        raise SysError(EPERM)
    bits = mode & 0o7777
    if uid != 0 and gid != inode.gid:
        bits &= ~0o2000
    edited = inodes.edit(number)
    edited.mode = inode.kind | bits
    edited.ctime_ns = now_ns


def drop_privileges(inodes: InodeTable, number: int, who: tuple[int, int]) -> None:
    """Who changes a file's content and is not root takes set-user-id from it, and set-group-id unless it only marks locking: inode(7)."""
    inode = inodes.get(number)
    uid, gid = who
    if uid == 0 or not inode.mode & 0o6000:
        return
    keeps_group = not inode.mode & 0o010 and gid == inode.gid
    inodes.edit(number).mode &= ~0o4000 if keeps_group else ~0o6000


def stat_of(inode: Inode) -> Stat:
    """Struct stat: inode(7)."""
    size = inode.shown_size()
    pages = -(-size // PAGE_SIZE) if inode.is_regular else 0
    return Stat(
        st_mode=inode.mode, st_ino=inode.number, st_dev=DEVICE_NUMBER, st_nlink=inode.nlink, st_uid=inode.uid, st_gid=inode.gid,
        st_rdev=inode.device, st_size=size, st_blksize=PAGE_SIZE, st_blocks=pages * (PAGE_SIZE // 512),
        st_atime_ns=inode.atime_ns, st_mtime_ns=inode.mtime_ns, st_ctime_ns=inode.ctime_ns,
    )
