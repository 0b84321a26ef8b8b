"""fcntl.h, unistd.h, sys/stat.h, dirent.h: files, descriptors, directories, pipes.

Thin wrappers, each named after its man page in section 2 (isatty, mkfifo, readdir: section 3). Shapes are those of Python's `os`: `read`
gives bytes, `stat` a record; descriptors are inherited unless O_CLOEXEC says otherwise, and EINTR is not hidden, as in C.
`read_into` and `write_from` are C's read and write: between a descriptor and simulated memory, with the core copying, and EFAULT.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from operator import index
from typing import Any, Final

from kernel.abi import flags as f
from kernel.abi.errno_values import EINVAL
from kernel.abi.ops import In, Out
from userspace.libc.arguments import bytes_text, data_bytes, text_bytes
from userspace.ref import address_of
from userspace.trap import os_error, syscall, write_memory

_access: Final = syscall("access")
_chdir: Final = syscall("chdir")
_chmod: Final = syscall("chmod")
_close: Final = syscall("close")
_dup: Final = syscall("dup")
_dup2: Final = syscall("dup2")
_dup3: Final = syscall("dup3")
_fchdir: Final = syscall("fchdir")
_fchmod: Final = syscall("fchmod")
_fcntl: Final = syscall("fcntl")
_fstat: Final = syscall("fstat")
_fsync: Final = syscall("fsync")
_ftruncate: Final = syscall("ftruncate")
_getcwd: Final = syscall("getcwd")
_getdents64: Final = syscall("getdents64")
_ioctl: Final = syscall("ioctl")
_link: Final = syscall("link")
_lseek: Final = syscall("lseek")
_mkdir: Final = syscall("mkdir")
_mknod: Final = syscall("mknod")
_newfstatat: Final = syscall("newfstatat")
_openat: Final = syscall("openat")
_pipe2: Final = syscall("pipe2")
_pread64: Final = syscall("pread64")
_pwrite64: Final = syscall("pwrite64")
_read: Final = syscall("read")
_readlink: Final = syscall("readlink")
_rename: Final = syscall("rename")
_rmdir: Final = syscall("rmdir")
_symlink: Final = syscall("symlink")
_truncate: Final = syscall("truncate")
_umask: Final = syscall("umask")
_unlink: Final = syscall("unlink")
_write: Final = syscall("write")

IOV_MAX: Final = 1024  # buffers that one readv or writev takes
DIRECTORY_BATCH: Final = 128  # entries that one getdents64 fetches

# ---- open, read, write ------------------------------------------------------------------------------------------------------


def open(path: str, flags: int, mode: int = 0o777) -> Awaitable[int]:
    return _openat(f.AT_FDCWD, text_bytes(path), index(flags), index(mode))


def openat(dirfd: int, path: str, flags: int, mode: int = 0o777) -> Awaitable[int]:
    return _openat(index(dirfd), text_bytes(path), index(flags), index(mode))


def creat(path: str, mode: int) -> Awaitable[int]:
    return _openat(f.AT_FDCWD, text_bytes(path), f.O_CREAT | f.O_WRONLY | f.O_TRUNC, index(mode))


def close(fd: int) -> Awaitable[None]:
    return _close(index(fd))


def read(fd: int, n: int) -> Awaitable[bytes]:
    """At most `n` bytes; b"" at the end."""
    return _read(index(fd), index(n))


def read_into(fd: int, address: int, n: int) -> Awaitable[int]:
    """C's read(): into simulated memory; how many bytes."""
    return _read(index(fd), Out(address_of(address), index(n)))


def write(fd: int, data: bytes) -> Awaitable[int]:
    """How many bytes were written."""
    return _write(index(fd), data_bytes(data))


def write_from(fd: int, address: int, n: int) -> Awaitable[int]:
    """C's write(): from simulated memory."""
    return _write(index(fd), In(address_of(address), index(n)))


async def readv(fd: int, buffers: Sequence[tuple[int, int]]) -> int:
    """One read, spread over (address, size) buffers in order; how many bytes."""
    pieces = [(address_of(address), index(size)) for address, size in buffers]
    if len(pieces) > IOV_MAX or any(size < 0 for _, size in pieces):
        raise os_error(EINVAL)
    data: bytes = await _read(index(fd), sum(size for _, size in pieces))
    start = 0
    for address, size in pieces:
        await write_memory(address, data[start : start + size])
        start += size
    return len(data)


async def writev(fd: int, buffers: Sequence[bytes]) -> int:
    """One write of all buffers in order, as atomic as one write is; how many bytes."""
    if len(buffers) > IOV_MAX:
        raise os_error(EINVAL)
    count: int = await _write(index(fd), b"".join(data_bytes(piece) for piece in buffers))
    return count


def pread(fd: int, n: int, offset: int) -> Awaitable[bytes]:
    return _pread64(index(fd), index(n), index(offset))


def pwrite(fd: int, data: bytes, offset: int) -> Awaitable[int]:
    return _pwrite64(index(fd), data_bytes(data), index(offset))


def lseek(fd: int, offset: int, whence: int) -> Awaitable[int]:
    return _lseek(index(fd), index(offset), index(whence))


def fsync(fd: int) -> Awaitable[None]:
    return _fsync(index(fd))


def truncate(path: str, length: int) -> Awaitable[None]:
    return _truncate(text_bytes(path), index(length))


def ftruncate(fd: int, length: int) -> Awaitable[None]:
    return _ftruncate(index(fd), index(length))


# ---- descriptors ------------------------------------------------------------------------------------------------------------


def dup(fd: int) -> Awaitable[int]:
    return _dup(index(fd))


def dup2(fd: int, fd2: int) -> Awaitable[int]:
    return _dup2(index(fd), index(fd2))


def dup3(fd: int, fd2: int, flags: int) -> Awaitable[int]:
    return _dup3(index(fd), index(fd2), index(flags))


def fcntl(fd: int, cmd: int, arg: int = 0) -> Awaitable[int]:
    return _fcntl(index(fd), index(cmd), index(arg))


def ioctl(fd: int, request: int, arg: int | None = None) -> Awaitable[int]:
    return _ioctl(index(fd), index(request), None if arg is None else address_of(arg))


async def isatty(fd: int) -> bool:
    """Is it a terminal? False too for a descriptor that is not open, as `os.isatty`."""
    try:
        await _ioctl(index(fd), f.TCGETS, None)
    except OSError:
        return False
    return True


async def pipe() -> tuple[int, int]:
    """(read end, write end)."""
    reader, writer = await _pipe2(0)
    return reader, writer


async def pipe2(flags: int) -> tuple[int, int]:
    reader, writer = await _pipe2(index(flags))
    return reader, writer


# ---- names and inodes -------------------------------------------------------------------------------------------------------


def S_ISREG(mode: int) -> bool:  # noqa: N802 - C's name, as the next ones
    return mode & f.S_IFMT == f.S_IFREG


def S_ISDIR(mode: int) -> bool:  # noqa: N802
    return mode & f.S_IFMT == f.S_IFDIR


def S_ISFIFO(mode: int) -> bool:  # noqa: N802
    return mode & f.S_IFMT == f.S_IFIFO


def S_ISSOCK(mode: int) -> bool:  # noqa: N802
    return mode & f.S_IFMT == f.S_IFSOCK


def S_ISLNK(mode: int) -> bool:  # noqa: N802
    return mode & f.S_IFMT == f.S_IFLNK


def S_ISCHR(mode: int) -> bool:  # noqa: N802
    return mode & f.S_IFMT == f.S_IFCHR


def stat(path: str) -> Awaitable[Any]:
    """A record with st_mode, st_ino, st_nlink, st_uid, st_gid, st_size, st_blocks, st_*time_ns (kernel/abi/records.py)."""
    return _newfstatat(f.AT_FDCWD, text_bytes(path), 0)


def lstat(path: str) -> Awaitable[Any]:
    return _newfstatat(f.AT_FDCWD, text_bytes(path), f.AT_SYMLINK_NOFOLLOW)


def fstat(fd: int) -> Awaitable[Any]:
    return _fstat(index(fd))


def access(path: str, mode: int) -> Awaitable[None]:
    """Raises OSError where the real user may not."""
    return _access(text_bytes(path), index(mode))


def chmod(path: str, mode: int) -> Awaitable[None]:
    return _chmod(text_bytes(path), index(mode))


def fchmod(fd: int, mode: int) -> Awaitable[None]:
    return _fchmod(index(fd), index(mode))


def umask(mask: int) -> Awaitable[int]:
    return _umask(index(mask))


def mkdir(path: str, mode: int = 0o777) -> Awaitable[None]:
    return _mkdir(text_bytes(path), index(mode))


def rmdir(path: str) -> Awaitable[None]:
    return _rmdir(text_bytes(path))


def link(source: str, path: str) -> Awaitable[None]:
    return _link(text_bytes(source), text_bytes(path))


def symlink(target: str, path: str) -> Awaitable[None]:
    return _symlink(text_bytes(target), text_bytes(path))


async def readlink(path: str) -> str:
    return bytes_text(await _readlink(text_bytes(path)))


def unlink(path: str) -> Awaitable[None]:
    return _unlink(text_bytes(path))


def rename(source: str, path: str) -> Awaitable[None]:
    return _rename(text_bytes(source), text_bytes(path))


def mkfifo(path: str, mode: int = 0o666) -> Awaitable[None]:
    return _mknod(text_bytes(path), index(mode) & ~f.S_IFMT | f.S_IFIFO, 0)


def mknod(path: str, mode: int, device: int = 0) -> Awaitable[None]:
    return _mknod(text_bytes(path), index(mode), index(device))


async def listdir(path: str = ".") -> list[str]:
    """The names in a directory, without "." and "..", in the directory's order."""
    fd = await _openat(f.AT_FDCWD, text_bytes(path), f.O_RDONLY | f.O_DIRECTORY | f.O_CLOEXEC, 0)
    names: list[str] = []
    try:
        while entries := await _getdents64(fd, DIRECTORY_BATCH):
            names.extend(bytes_text(name) for _, _, name in entries if name not in (b".", b".."))
    finally:
        await _close(fd)
    return names


async def getcwd() -> str:
    return bytes_text(await _getcwd())


def chdir(path: str) -> Awaitable[None]:
    return _chdir(text_bytes(path))


def fchdir(fd: int) -> Awaitable[None]:
    return _fchdir(index(fd))
