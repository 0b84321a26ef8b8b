"""sys/mman.h: mappings, the break, and shared memory by name.

Thin wrappers; man pages mmap(2), mprotect(2), msync(2), brk(2), shm_open(3). A POSIX shared memory object is a file in /dev/shm, and
that is all that `shm_open` knows, as in glibc.
"""

from __future__ import annotations

from collections.abc import Awaitable
from operator import index
from typing import Final

from kernel.abi.errno_values import EACCES, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOMEM, EPERM
from kernel.abi.flags import AT_FDCWD, NAME_MAX, O_CLOEXEC, O_NOFOLLOW
from userspace.libc.arguments import text_bytes
from userspace.ref import address_of
from userspace.trap import os_error, syscall

_brk: Final = syscall("brk")
_mmap: Final = syscall("mmap")
_mprotect: Final = syscall("mprotect")
_msync: Final = syscall("msync")
_munmap: Final = syscall("munmap")
_openat: Final = syscall("openat")
_unlink: Final = syscall("unlink")

_SHM_FOLDER: Final = b"/dev/shm/"


def mmap(
    address: int, length: int, prot: int, flags: int, fd: int = -1, offset: int = 0
) -> Awaitable[int]:
    """The address of the new mapping."""
    return _mmap(address_of(address), index(length), index(prot), index(flags), index(fd), index(offset))


def munmap(address: int, length: int) -> Awaitable[None]:
    return _munmap(address_of(address), index(length))


def mprotect(address: int, length: int, prot: int) -> Awaitable[None]:
    return _mprotect(address_of(address), index(length), index(prot))


def msync(address: int, length: int, flags: int) -> Awaitable[None]:
    return _msync(address_of(address), index(length), index(flags))


async def brk(address: int) -> None:
    """Move the break. Raises OSError(ENOMEM) if it cannot be there; it stays then."""
    wanted = address_of(address)
    if await _brk(wanted) < wanted:
        raise os_error(ENOMEM)


async def sbrk(increment: int) -> int:
    """Move the break by `increment` bytes; where it was. Raises OSError(ENOMEM)."""
    before: int = await _brk(0)
    if increment and await _brk(before + index(increment)) != before + increment:
        raise os_error(ENOMEM)
    return before


def _shm_path(name: str) -> tuple[bytes, int]:
    """(path, 0), or (b"", errno) for a name that shm_open(3) does not allow."""
    bare = text_bytes(name).lstrip(b"/")
    if not bare or b"/" in bare:
        return b"", EINVAL
    if len(bare) > NAME_MAX:
        return b"", ENAMETOOLONG
    return _SHM_FOLDER + bare, 0


async def shm_open(name: str, flags: int, mode: int) -> int:
    """A descriptor for a shared memory object, close-on-exec."""
    path, refused = _shm_path(name)
    if refused:
        raise os_error(refused)
    try:
        fd: int = await _openat(AT_FDCWD, path, index(flags) | O_NOFOLLOW | O_CLOEXEC, index(mode))
    except OSError as error:
        raise os_error(EINVAL) if error.errno == EISDIR else error from None  # "." and "..": glibc calls those bad names
    return fd


async def shm_unlink(name: str) -> None:
    path, refused = _shm_path(name)
    if refused:
        raise os_error(ENAMETOOLONG if refused == ENAMETOOLONG else ENOENT)
    try:
        await _unlink(path)
    except PermissionError as error:
        raise os_error(EACCES) if error.errno == EPERM else error from None
