"""The small records of `FilesState`: what it keeps beside inodes and descriptions, and what it wants told.

An *effect* is what another actor must hear when the last reference to something goes (see files.py); a *wait* is what a ticket remembers
of a call that waits here, so that nothing has to be looked up a second time when its thread runs again (law 3).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from kernel.abi.flags import O_ACCMODE, O_RDWR, O_WRONLY
from kernel.files.paths import Place

DEFAULT_UMASK: Final = 0o022


class PipeEndClosed(NamedTuple):
    """Effect: the last descriptor of a pipe's or FIFO's description is gone."""

    pipe: int
    readable: bool
    writable: bool


class FifoUnused(NamedTuple):
    """Effect: nobody has the FIFO open any more; its pipe can go."""

    pipe: int


class ObjectUnused(NamedTuple):
    """Effect: a regular file is gone; memory may drop its bytes."""

    object: int


Effect = PipeEndClosed | FifoUnused | ObjectUnused


class FsContext(msgspec.Struct):
    """Working directory and umask of a process, or of several that share them (CLONE_FS)."""

    place: Place
    umask: int = DEFAULT_UMASK
    users: int = 1


class ObjectPin(msgspec.Struct):
    """A memory object handed to a core (exec, mmap) and not unpinned yet."""

    inode: int
    count: int


class BootFile(NamedTuple):
    """The first program's file, pinned: what messages.files.ExecFile says of others."""

    object: int
    size: int
    path: bytes
    seed: bytes


class ConsoleWait(msgspec.Struct, frozen=True):
    """A read of the terminal that waits for input; the description is pinned."""

    description: int
    count: int


class FifoWait(msgspec.Struct, frozen=True):
    """An open of a FIFO that waits for the other side; `fd` is reserved, the inode referenced."""

    inode: int
    pipe: int
    flags: int  # of the opening, with O_CLOEXEC
    table: int
    fd: int
    parent: int
    name: bytes
    generation: int = -1

    @property
    def readable(self) -> bool:
        """It opens the read end."""
        return self.flags & O_ACCMODE in (0, O_RDWR)

    @property
    def writable(self) -> bool:
        """It opens the write end."""
        return self.flags & O_ACCMODE in (O_WRONLY, O_RDWR)
