"""open(2) up to the point where a description can be made: flags, look-up, creation, permissions.

The order is that of Linux's path_openat: a new file is created with the caller's mode and then opened whatever that mode says; an
existing one is checked for what the flags want, O_TRUNC counting as writing. FIFOs wait for their other side afterwards (actors/files.py).
Unknown flags are ignored, as openat(2) does; with O_PATH all but O_DIRECTORY, O_NOFOLLOW and O_CLOEXEC are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kernel.abi.errno_values import EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EPERM
from kernel.abi.errnos import SysError
from kernel.abi.flags import (
    O_ACCMODE,
    O_APPEND,
    O_ASYNC,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_EXCL,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_SYNC,
    O_TMPFILE,
    O_TRUNC,
    S_IFREG,
    S_IFSOCK,
)
from kernel.files.inodes import Inode
from kernel.files.namespace import Namespace
from kernel.files.paths import Last, Place, Walk, walk
from kernel.files.permissions import MAY_EXECUTE, MAY_READ, MAY_WRITE, require

KNOWN_FLAGS: Final = (
    O_ACCMODE | O_APPEND | O_ASYNC | O_CLOEXEC | O_CREAT | O_DIRECT | O_DIRECTORY | O_EXCL | O_NOATIME | O_NOCTTY | O_NOFOLLOW
    | O_NONBLOCK | O_PATH | O_SYNC | O_TMPFILE | O_TRUNC
)
PATH_FLAGS: Final = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC
ONCE: Final = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC  # of the opening, not of the description
TMPFILE_BIT: Final = O_TMPFILE & ~O_DIRECTORY
LARGEFILE: Final = 0o100000  # what F_GETFL shows of every file that openat(2) opened on x86-64
WANTED: Final = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE)  # by access mode; 3 is for ioctl only and needs both


class Found(NamedTuple):
    """What open(2) found or made."""

    inode: int
    walk: Walk
    truncate: bool = False  # O_TRUNC has something to do
    proc: tuple[str, ...] | None = None  # it is below /proc: `processes` goes on


def normalise(flags: int) -> int:
    """The flags that count. EINVAL for combinations that openat(2) refuses."""
    flags &= KNOWN_FLAGS
    if flags & TMPFILE_BIT:
        if flags & O_TMPFILE != O_TMPFILE or flags & O_CREAT or flags & O_ACCMODE == 0:
            raise SysError(EINVAL)
    elif flags & O_CREAT and flags & O_DIRECTORY:
        raise SysError(EINVAL)
    return flags & PATH_FLAGS if flags & O_PATH else flags


def description_flags(flags: int) -> int:
    """What F_GETFL shows afterwards."""
    return flags & ~ONCE if flags & O_PATH else flags & ~ONCE | LARGEFILE


def find_to_open(names: Namespace, start: Place, path: bytes, flags: int, mode: int) -> Found:
    """Look up, create, check. Everything that open(2) can refuse before it has a description."""
    if flags & TMPFILE_BIT:
        return _make_unnamed(names, start, path, mode)
    exclusive = flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL
    where = walk(names.inodes, start, path, names.who, _last(flags, exclusive))
    if where.proc is not None:
        return Found(0, where, proc=where.proc)
    if not where.found:
        if not flags & O_CREAT:
            raise SysError(ENOENT)
        return Found(names.create(where, mode).number, where)
    inode = names.inodes.get(where.found)
    if flags & O_CREAT:
        if exclusive:
            raise SysError(EEXIST)
        if inode.is_directory:
            raise SysError(EISDIR)
    if flags & O_DIRECTORY and not inode.is_directory:
        raise SysError(ENOTDIR)
    if not flags & O_PATH:
        _require_openable(names, inode, flags)
    return Found(inode.number, where, flags & O_TRUNC != 0 and inode.is_regular)


def _last(flags: int, exclusive: bool) -> Last:
    if flags & O_CREAT:
        return Last.CREATE_EXCLUSIVE if exclusive or flags & O_NOFOLLOW else Last.CREATE
    return Last.NOFOLLOW if flags & O_NOFOLLOW else Last.FOLLOW


def _require_openable(names: Namespace, inode: Inode, flags: int) -> None:
    wanted = WANTED[flags & O_ACCMODE] | (MAY_WRITE if flags & O_TRUNC else 0)
    if inode.is_link:
        raise SysError(ELOOP)
    if inode.is_directory and wanted & MAY_WRITE:
        raise SysError(EISDIR)
    require(inode, wanted, names.who)
    if flags & O_NOATIME and names.who.uid not in (0, inode.uid):
        raise SysError(EPERM)
    if inode.kind == S_IFSOCK:
        raise SysError(ENXIO)


def _make_unnamed(names: Namespace, start: Place, path: bytes, mode: int) -> Found:
    """O_TMPFILE: a regular file in a directory, without a name."""
    where = walk(names.inodes, start, path, names.who, Last.FOLLOW)
    if where.proc is not None:
        raise SysError(EACCES)
    if not where.found:
        raise SysError(ENOENT)
    parent = names.inodes.get(where.found)
    if not parent.is_directory:
        raise SysError(ENOTDIR)
    require(parent, MAY_WRITE | MAY_EXECUTE, names.who)
    inode = names.make_inode(parent, S_IFREG | mode & 0o7777)
    return Found(inode.number, Walk(parent.number, b"#%d" % inode.number, inode.number, where.kind, trailing=False))
