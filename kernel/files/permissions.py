"""Who may do what with an inode: the permission bits, the sticky bit, and what root may (path_resolution(7), capabilities(7)).

The bits are those of the first class that the caller belongs to: owner, group, others; a class that is refused is not made up for by a
later one. Root reads and writes everything, searches every directory, and executes a file if any of its three x bits is set.
Supplementary groups, access control lists and file capabilities do not exist.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kernel.abi.errno_values import EACCES, EPERM
from kernel.abi.errnos import SysError
from kernel.abi.flags import S_ISVTX
from kernel.files.inodes import Inode

MAY_READ: Final = 4
MAY_WRITE: Final = 2
MAY_EXECUTE: Final = 1


class Credentials(NamedTuple):
    """In whose name: the effective ids, or the real ones for access(2)."""

    uid: int
    gid: int


def allowed(inode: Inode, wanted: int, who: Credentials) -> bool:
    """Are all bits of `wanted` (MAY_*) granted?"""
    if who.uid == 0:
        return not wanted & MAY_EXECUTE or inode.is_directory or inode.mode & 0o111 != 0
    if who.uid == inode.uid:
        granted = inode.mode >> 6
    elif who.gid == inode.gid:
        granted = inode.mode >> 3
    else:
        granted = inode.mode
    return granted & wanted == wanted


def require(inode: Inode, wanted: int, who: Credentials) -> None:
    """EACCES unless all bits of `wanted` are granted."""
    if not allowed(inode, wanted, who):
        raise SysError(EACCES)


def require_removable(directory: Inode, victim: Inode, who: Credentials) -> None:
    """May a name be taken out of `directory`? EACCES, or EPERM where the sticky bit protects the owner's files."""
    require(directory, MAY_WRITE | MAY_EXECUTE, who)
    if directory.mode & S_ISVTX and who.uid not in (0, victim.uid, directory.uid):
        raise SysError(EPERM)
