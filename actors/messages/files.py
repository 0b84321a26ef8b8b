"""What `files` understands: names, inodes, descriptors, offsets, /dev, the way into /proc.

Paths are `bytes` without NUL, as programs gave them; a relative one starts at `dirfd` (AT_FDCWD: the caller's working directory).

The bytes of a regular file live in a memory object, whose even id `files` allots at first need. Every message that names an object to
memory carries `seed`, the content from boot, until `files` has handed the object over itself; memory creates the object from it when
it does not know the id (see messages/memory.py).
"""

from __future__ import annotations

from typing import ClassVar

from actors.messages.base import Caller, Message, SyscallMessage
from kernel.abi.syscalls import NUMBERS


class OpenAt(SyscallMessage, frozen=True, gc=False):
    """openat(2). Reply: descriptor, Failure, or WouldBlock (a FIFO waiting for its other side)."""

    nr: ClassVar[int] = NUMBERS["openat"]
    dirfd: int
    path: bytes
    flags: int
    mode: int


class Close(SyscallMessage, frozen=True, gc=False):
    """close(2)."""

    nr: ClassVar[int] = NUMBERS["close"]
    fd: int


class Read(SyscallMessage, frozen=True, gc=False):
    """read(2), ~> memory or ipc. Reply: bytes, Failure, WouldBlock."""

    nr: ClassVar[int] = NUMBERS["read"]
    fd: int
    count: int


class Write(SyscallMessage, frozen=True, gc=False):
    """write(2), ~> memory or ipc. Reply: bytes written, Failure, WouldBlock."""

    nr: ClassVar[int] = NUMBERS["write"]
    fd: int
    data: bytes


class Pread(SyscallMessage, frozen=True, gc=False):
    """pread(2)."""

    nr: ClassVar[int] = NUMBERS["pread64"]
    fd: int
    count: int
    offset: int


class Pwrite(SyscallMessage, frozen=True, gc=False):
    """pwrite(2)."""

    nr: ClassVar[int] = NUMBERS["pwrite64"]
    fd: int
    data: bytes
    offset: int


class Lseek(SyscallMessage, frozen=True, gc=False):
    """lseek(2)."""

    nr: ClassVar[int] = NUMBERS["lseek"]
    fd: int
    offset: int
    whence: int


class Fstat(SyscallMessage, frozen=True, gc=False):
    """fstat(2). Reply: kernel.abi.records.Stat."""

    nr: ClassVar[int] = NUMBERS["fstat"]
    fd: int


class Newfstatat(SyscallMessage, frozen=True, gc=False):
    """stat(2), lstat(2) (flags AT_SYMLINK_NOFOLLOW). Reply: Stat or Failure."""

    nr: ClassVar[int] = NUMBERS["newfstatat"]
    dirfd: int
    path: bytes
    flags: int


class Access(SyscallMessage, frozen=True, gc=False):
    """access(2), by the real uid."""

    nr: ClassVar[int] = NUMBERS["access"]
    path: bytes
    mode: int


class Ioctl(SyscallMessage, frozen=True, gc=False):
    """ioctl(2). Reply: int (FIONREAD, TIOCGPGRP), None (TIOCSPGRP), (rows, columns, 0, 0) of TIOCGWINSZ, or of TCGETS a tuple
    (iflag, oflag, cflag, lflag, ispeed, ospeed, control characters as bytes); Failure(EBADF, ENOTTY, EINVAL).
    """

    nr: ClassVar[int] = NUMBERS["ioctl"]
    fd: int
    request: int
    argument: int | None


class Dup(SyscallMessage, frozen=True, gc=False):
    """dup(2)."""

    nr: ClassVar[int] = NUMBERS["dup"]
    fd: int


class Dup2(SyscallMessage, frozen=True, gc=False):
    """dup2(2)."""

    nr: ClassVar[int] = NUMBERS["dup2"]
    fd: int
    fd2: int


class Dup3(SyscallMessage, frozen=True, gc=False):
    """dup3(2)."""

    nr: ClassVar[int] = NUMBERS["dup3"]
    fd: int
    fd2: int
    flags: int


class Fcntl(SyscallMessage, frozen=True, gc=False):
    """fcntl(2). Reply: int."""

    nr: ClassVar[int] = NUMBERS["fcntl"]
    fd: int
    cmd: int
    argument: int


class Fsync(SyscallMessage, frozen=True, gc=False):
    """fsync(2): EINVAL on what cannot be synced."""

    nr: ClassVar[int] = NUMBERS["fsync"]
    fd: int


class Truncate(SyscallMessage, frozen=True, gc=False):
    """truncate(2)."""

    nr: ClassVar[int] = NUMBERS["truncate"]
    path: bytes
    length: int


class Ftruncate(SyscallMessage, frozen=True, gc=False):
    """ftruncate(2)."""

    nr: ClassVar[int] = NUMBERS["ftruncate"]
    fd: int
    length: int


class Getcwd(SyscallMessage, frozen=True, gc=False):
    """getcwd(2). Reply: bytes."""

    nr: ClassVar[int] = NUMBERS["getcwd"]


class Chdir(SyscallMessage, frozen=True, gc=False):
    """chdir(2)."""

    nr: ClassVar[int] = NUMBERS["chdir"]
    path: bytes


class Fchdir(SyscallMessage, frozen=True, gc=False):
    """fchdir(2)."""

    nr: ClassVar[int] = NUMBERS["fchdir"]
    fd: int


class Rename(SyscallMessage, frozen=True, gc=False):
    """rename(2)."""

    nr: ClassVar[int] = NUMBERS["rename"]
    source: bytes
    path: bytes


class Mkdir(SyscallMessage, frozen=True, gc=False):
    """mkdir(2)."""

    nr: ClassVar[int] = NUMBERS["mkdir"]
    path: bytes
    mode: int


class Rmdir(SyscallMessage, frozen=True, gc=False):
    """rmdir(2)."""

    nr: ClassVar[int] = NUMBERS["rmdir"]
    path: bytes


class Link(SyscallMessage, frozen=True, gc=False):
    """link(2)."""

    nr: ClassVar[int] = NUMBERS["link"]
    source: bytes
    path: bytes


class Unlink(SyscallMessage, frozen=True, gc=False):
    """unlink(2)."""

    nr: ClassVar[int] = NUMBERS["unlink"]
    path: bytes


class Symlink(SyscallMessage, frozen=True, gc=False):
    """symlink(2)."""

    nr: ClassVar[int] = NUMBERS["symlink"]
    target: bytes
    path: bytes


class Readlink(SyscallMessage, frozen=True, gc=False):
    """readlink(2). Reply: bytes."""

    nr: ClassVar[int] = NUMBERS["readlink"]
    path: bytes


class Chmod(SyscallMessage, frozen=True, gc=False):
    """chmod(2)."""

    nr: ClassVar[int] = NUMBERS["chmod"]
    path: bytes
    mode: int


class Fchmod(SyscallMessage, frozen=True, gc=False):
    """fchmod(2)."""

    nr: ClassVar[int] = NUMBERS["fchmod"]
    fd: int
    mode: int


class Umask(SyscallMessage, frozen=True, gc=False):
    """umask(2). Reply: the previous mask."""

    nr: ClassVar[int] = NUMBERS["umask"]
    mask: int


class Mknod(SyscallMessage, frozen=True, gc=False):
    """mknod(2); mkfifo(3) is built on it."""

    nr: ClassVar[int] = NUMBERS["mknod"]
    path: bytes
    mode: int
    device: int


class Getdents(SyscallMessage, frozen=True, gc=False):
    """getdents64(2). Reply: tuple of (inode, type, name) from the description's position on, () at the end; `count` entries at most."""

    nr: ClassVar[int] = NUMBERS["getdents64"]
    fd: int
    count: int


class Pipe2(SyscallMessage, frozen=True, gc=False):
    """pipe2(2). Reply: (read end, write end)."""

    nr: ClassVar[int] = NUMBERS["pipe2"]
    flags: int


class Getrandom(SyscallMessage, frozen=True, gc=False):
    """getrandom(2). Reply: bytes from the machine's seeded stream."""

    nr: ClassVar[int] = NUMBERS["getrandom"]
    count: int
    flags: int


# ---- what other actors ask -------------------------------------------------------------------------------------------------


class OpenExec(Message, frozen=True, gc=False):
    """execve(2)'s look-up: follows links, checks that it is a regular file with x permission.

    Reply: ExecFile or Failure(ENOENT, EACCES, ELOOP …).
    """

    caller: Caller
    path: bytes


class ExecFile(Message, frozen=True, gc=False):
    """Reply of OpenExec. The object is pinned until files.Unpin(object)."""

    object: int
    size: int
    path: bytes  # absolute, links resolved: /proc/PID/exe
    seed: bytes = b""  # to pass on to memory with the object


class Unpin(Message, frozen=True, gc=False):
    """A pin of OpenExec or PinForMapping is no longer needed: the space holds the object, or the call failed."""

    oneway: ClassVar[bool] = True
    object: int


class PinForMapping(Message, frozen=True, gc=False):
    """mmap(2)'s descriptor. Checks EBADF, EACCES (not readable; shared and writable but not open for writing), ENODEV.

    The object (if it is not 0, as a device's is) stays pinned until files.Unpin(object), which the core tells when memory has answered:
    another thread may close the last descriptor of an unlinked file meanwhile. Reply: memory.MappedFile or Failure.
    """

    caller: Caller
    fd: int
    prot: int
    flags: int


class NewTable(Message, frozen=True, gc=False):
    """The first process: descriptors 0, 1, 2 on /dev/console, cwd /home/user, umask 022. Reply: (table, fs).

    `pgid` becomes the terminal's foreground process group; 0 leaves it as it is.
    """

    pgid: int = 0


class CopyTable(Message, frozen=True, gc=False):
    """clone(2): CLONE_FILES shares the table, otherwise it is copied (same descriptions); CLONE_FS likewise. Reply: (table, fs)."""

    table: int
    fs: int
    flags: int
    nofile: int  # RLIMIT_NOFILE, soft


class ReleaseTable(Message, frozen=True, gc=False):
    """A process (or thread group) is done with table and fs; the last user closes all. Reply: None."""

    table: int
    fs: int


class CloseOnExec(Message, frozen=True, gc=False):
    """execve(2): closes FD_CLOEXEC descriptors; a table shared by CLONE_FILES is unshared first. Reply: (table, fs)."""

    table: int
    fs: int


class SetLimits(Message, frozen=True, gc=False):
    """setrlimit(2) of the table's process. Reply: None."""

    table: int
    limits: tuple[int, int]  # soft: RLIMIT_NOFILE, and RLIMIT_FSIZE in bytes


class DescriptorList(Message, frozen=True, gc=False):
    """/proc/PID/fd. Reply: tuple of (fd, link text such as "pipe:[7]" or a path, flags, offset)."""

    table: int


class WorkingDirectory(Message, frozen=True, gc=False):
    """/proc/PID/cwd. Reply: bytes."""

    fs: int


class InstallProc(Message, frozen=True, gc=False):
    """processes found that the /proc name of `request` exists: install a descriptor for it. Reply: fd or Failure(EMFILE)."""

    caller: Caller
    flags: int
    parts: tuple[str, ...]
    directory: bool


class EnterProc(Message, frozen=True, gc=False):
    """processes found that the /proc name of a Chdir is a directory that the caller may enter: go there. Reply: None."""

    caller: Caller
    parts: tuple[str, ...]


class ServeContent(Message, frozen=True, gc=False):
    """processes made the content of a /proc description: keep it and serve `request` (a Read, Pread or Getdents) from it.

    `entries` instead of `content` for a directory. Reply: as the request.
    """

    request: Read | Pread | Getdents
    description: int
    content: bytes
    entries: tuple[tuple[int, int, bytes], ...]


class WriteFellShort(Message, frozen=True, gc=False):
    """memory had no frames: only `written` bytes of the write at `offset` exist; size and offset are set back."""

    oneway: ClassVar[bool] = True
    inode: int
    description: int
    offset: int
    wanted: int
    written: int


class ConsoleInput(Message, frozen=True, gc=False):
    """From the host: bytes typed or piped in; b"" is the end of input."""

    oneway: ClassVar[bool] = True
    data: bytes


class FileStatistics(Message, frozen=True, gc=False):
    """Open descriptions, pinned inodes, for end-of-run checks. Reply: kernel.files.descriptors.FileStatistics."""
