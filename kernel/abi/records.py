"""Records that cross the trap as results: stat and friends, with Python's `os` field names and integer nanoseconds."""

from __future__ import annotations

import msgspec


class Stat(msgspec.Struct, frozen=True, gc=False):
    """struct stat: inode(7)."""

    st_mode: int
    st_ino: int
    st_dev: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_rdev: int
    st_size: int
    st_blksize: int
    st_blocks: int  # of 512 bytes
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int


class Utsname(msgspec.Struct, frozen=True, gc=False):
    """struct utsname: uname(2)."""

    sysname: str
    nodename: str
    release: str
    version: str
    machine: str
