"""The host's own kernel under libc's names: what stands in for `userspace.libc` when a case of tests/syscalls runs on the host.

Every call here goes straight to the host's C library through ctypes (to `os` where Python adds nothing of its own), so that nothing is
retried after EINTR, no descriptor is made close-on-exec, and a handler runs where the kernel delivers the signal, not when the interpreter
gets round to it. The functions are coroutines only in form: they never wait for anything but the host's kernel, and `drive` steps them.

There is no expected value here, no errno and no case by name: what the host says is what is reported.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Mapping, Sequence
from ctypes import byref, c_char_p, c_int, c_int32, c_int64, c_long, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any

import userspace.libc as _ours
from kernel.abi.syscalls import NUMBERS
from tests.support.host_calls import FAILED, LIBRARY, NS, Time, call, fail, plain, void
from tests.support.host_signals import *
from userspace.libc import constants as _constants
from userspace.libc.constants import *
from userspace.libc.unistd import rusage

S_ISREG, S_ISDIR, S_ISFIFO, S_ISLNK, S_ISCHR = _ours.S_ISREG, _ours.S_ISDIR, _ours.S_ISFIFO, _ours.S_ISLNK, _ours.S_ISCHR  # macros
WIFEXITED, WEXITSTATUS, WIFSIGNALED, WTERMSIG = _ours.WIFEXITED, _ours.WEXITSTATUS, _ours.WIFSIGNALED, _ours.WTERMSIG
WIFSTOPPED, WSTOPSIG, WIFCONTINUED = _ours.WIFSTOPPED, _ours.WSTOPSIG, _ours.WIFCONTINUED


# ---- files ------------------------------------------------------------------------------------------------------------------

creat, dup, dup2, dup3, lseek = plain("creat"), plain("dup"), plain("dup2"), plain("dup3"), plain("lseek")
umask = plain("umask")
close, fsync, truncate, ftruncate = void("close"), void("fsync"), void("truncate"), void("ftruncate")
access, chmod, fchmod, rmdir, link = void("access"), void("chmod"), void("fchmod"), void("rmdir"), void("link")
symlink, unlink, rename, chdir, fchdir = void("symlink"), void("unlink"), void("rename"), void("chdir"), void("fchdir")


async def open(path: str, flags: int, mode: int = 0o777) -> int:
    return call("open", path, flags, mode)


async def openat(dirfd: int, path: str, flags: int, mode: int = 0o777) -> int:
    return call("openat", dirfd, path, flags, mode)


async def read(fd: int, n: int) -> bytes:
    buffer = ctypes.create_string_buffer(max(n, 1))
    count = call("read", fd, buffer, n)
    return buffer.raw[:count]


async def pread(fd: int, n: int, offset: int) -> bytes:
    buffer = ctypes.create_string_buffer(max(n, 1))
    count = call("pread", fd, buffer, n, offset)
    return buffer.raw[:count]


async def read_into(fd: int, address: int, n: int) -> int:
    return call("read", fd, address, n)


async def write(fd: int, data: bytes) -> int:
    return call("write", fd, data, len(data))


async def pwrite(fd: int, data: bytes, offset: int) -> int:
    return call("pwrite", fd, data, len(data), offset)


async def write_from(fd: int, address: int, n: int) -> int:
    return call("write", fd, address, n)


class _Buffer(ctypes.Structure):
    _fields_ = (("base", c_void_p), ("size", c_size_t))


async def readv(fd: int, buffers: Sequence[tuple[int, int]]) -> int:
    return call("readv", fd, (_Buffer * len(buffers))(*buffers), len(buffers))


async def writev(fd: int, buffers: Sequence[bytes]) -> int:
    kept = [ctypes.create_string_buffer(piece, len(piece)) for piece in buffers]
    vector = (_Buffer * len(kept))(*((ctypes.addressof(piece), len(piece)) for piece in kept))
    return call("writev", fd, vector, len(kept))


async def fcntl(fd: int, cmd: int, arg: int = 0) -> int:
    return call("fcntl", fd, cmd, arg)


async def ioctl(fd: int, request: int, arg: Any = 0) -> int:
    return call("ioctl", fd, request, getattr(arg, "address", arg))


async def pipe() -> tuple[int, int]:
    return await pipe2(0)


async def pipe2(flags: int) -> tuple[int, int]:
    ends = (c_int * 2)()
    call("pipe2", ends, flags)
    return ends[0], ends[1]


async def mkdir(path: str, mode: int = 0o777) -> None:
    call("mkdir", path, mode)


async def mkfifo(path: str, mode: int = 0o666) -> None:
    call("mkfifo", path, mode)


async def mknod(path: str, mode: int, device: int = 0) -> None:
    call("mknod", path, mode, device)


async def readlink(path: str) -> str:
    buffer = ctypes.create_string_buffer(PATH_MAX)
    count = call("readlink", path, buffer, PATH_MAX)
    return os.fsdecode(buffer.raw[:count])


async def getcwd() -> str:
    buffer = ctypes.create_string_buffer(PATH_MAX)
    if LIBRARY.getcwd(buffer, c_size_t(PATH_MAX)) is None:
        fail()
    return os.fsdecode(buffer.value)


async def stat(path: str) -> Any:
    return os.stat(path)


async def lstat(path: str) -> Any:
    return os.lstat(path)


async def fstat(fd: int) -> Any:
    return os.fstat(fd)


async def listdir(path: str = ".") -> list[str]:
    return os.listdir(path)


async def isatty(fd: int) -> bool:
    return os.isatty(fd)


# ---- processes --------------------------------------------------------------------------------------------------------------

getpid, gettid, getppid, getpgrp, setsid = plain("getpid"), plain("gettid"), plain("getppid"), plain("getpgrp"), plain("setsid")
getuid, geteuid, getgid, getegid = plain("getuid"), plain("geteuid"), plain("getgid"), plain("getegid")
getpgid, getsid = plain("getpgid"), plain("getsid")
setpgid, setuid, setgid, abort = void("setpgid"), void("setuid"), void("setgid"), void("abort")


async def fork() -> int:
    return os.fork()


async def _exit(status: int = 0) -> None:
    call("_exit", status)


async def wait() -> tuple[int, int]:
    return await waitpid(-1, 0)


async def waitpid(pid: int, options: int) -> tuple[int, int]:
    status = c_int()
    return call("waitpid", pid, byref(status), options), status.value


async def wait4(pid: int, options: int) -> tuple[int, int, Any]:
    status = c_int()
    usage = (c_long * 18)()
    found = call("wait4", pid, byref(status), options, usage)
    return found, status.value, rusage(0, 0, 0, 0, 0, 0)


def _vector(texts: Iterable[str]) -> Any:
    encoded = [os.fsencode(text) for text in texts]
    return (c_char_p * (len(encoded) + 1))(*encoded, None)


async def execve(path: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
    call("execve", path, _vector(argv), _vector(f"{name}={value}" for name, value in env.items()))


async def execv(path: str, argv: Sequence[str]) -> None:
    call("execv", path, _vector(argv))


async def execvp(file: str, argv: Sequence[str]) -> None:
    call("execvp", file, _vector(argv))


async def getrlimit(resource: int) -> tuple[int, int]:
    pair = (c_uint64 * 2)()
    call("getrlimit", resource, pair)
    return pair[0], pair[1]


async def setrlimit(resource: int, limits: tuple[int, int]) -> None:
    call("setrlimit", resource, (c_uint64 * 2)(*limits))


async def prctl(option: int, arg: Any = 0) -> Any:
    if option == PR_GET_NAME:
        name = ctypes.create_string_buffer(16)
        call("prctl", option, name)
        return os.fsdecode(name.value)
    return call("prctl", option, arg) or None


async def getrandom(size: int, flags: int = 0) -> bytes:
    buffer = ctypes.create_string_buffer(max(size, 1))
    count = call("getrandom", buffer, size, flags)
    return buffer.raw[:count]


async def sched_yield() -> None:
    os.sched_yield()


async def sched_getaffinity(tid: int) -> set[int]:
    return os.sched_getaffinity(tid)


async def sched_setaffinity(tid: int, mask: Iterable[int]) -> None:
    os.sched_setaffinity(tid, mask)


async def nice(increment: int) -> int:
    return os.nice(increment)


async def getpriority(which: int, who: int) -> int:
    return os.getpriority(which, who)


async def setpriority(which: int, who: int, priority: int) -> None:
    os.setpriority(which, who, priority)


# ---- time -------------------------------------------------------------------------------------------------------------------


def _remaining(errno: int, remaining: Time) -> Any:
    error = OSError(errno, os.strerror(errno))
    error.remaining_ns = remaining.seconds * NS + remaining.nanoseconds  # type: ignore[attr-defined]
    raise error


async def nanosleep(ns: int) -> None:
    remaining = Time()
    if LIBRARY.nanosleep(byref(Time(*divmod(ns, NS))), byref(remaining)) == -1:
        _remaining(ctypes.get_errno(), remaining)


async def clock_nanosleep(clock: int, flags: int, ns: int) -> None:
    remaining = Time()
    errno = LIBRARY.clock_nanosleep(clock, flags, byref(Time(*divmod(ns, NS))), byref(remaining))
    if errno:
        _remaining(errno, remaining)


async def usleep(microseconds: int) -> None:
    call("usleep", microseconds)


async def sleep(seconds: int) -> int:
    return call("sleep", seconds)


async def clock_gettime(clock: int) -> int:
    now = Time()
    call("clock_gettime", clock, byref(now))
    return now.seconds * NS + now.nanoseconds


async def clock_getres(clock: int) -> int:
    step = Time()
    call("clock_getres", clock, byref(step))
    return step.seconds * NS + step.nanoseconds


# ---- memory -----------------------------------------------------------------------------------------------------------------

munmap, mprotect, msync, brk, shm_unlink = void("munmap"), void("mprotect"), void("msync"), void("brk"), void("shm_unlink")


async def mmap(address: int, length: int, prot: int, flags: int, fd: int = -1, offset: int = 0) -> int:
    where = LIBRARY.mmap(*map(c_long, (address, length, prot, flags, fd, offset))) or 0
    return fail() if where == FAILED else where


async def sbrk(increment: int) -> int:
    before = LIBRARY.sbrk(c_long(increment)) or 0
    return fail() if before == FAILED else before


async def shm_open(name: str, flags: int, mode: int) -> int:
    return call("shm_open", name, flags, mode)


async def read_bytes(address: int, n: int) -> bytes:
    return ctypes.string_at(address, n)


async def write_bytes(address: int, data: bytes) -> None:
    ctypes.memmove(address, data, len(data))


class _Scalar:
    """A word of the host's memory."""

    kind: Any = c_int32

    def __init__(self, address: int, kept: Any = None) -> None:
        self.address, self.kept = address, kept

    @classmethod
    def at(cls, address: int) -> _Scalar:
        return cls(address)

    async def load(self) -> int:
        value: int = self.kind.from_address(self.address).value
        return value

    async def store(self, value: int) -> None:
        self.kind.from_address(self.address).value = value


class i32(_Scalar):
    kind = c_int32


class u32(_Scalar):
    kind = c_uint32


class i64(_Scalar):
    kind = c_int64


class u64(_Scalar):
    kind = c_uint64


def Global(scalar: type[_Scalar], value: int = 0) -> _Scalar:
    """A word of this process."""
    word = scalar.kind(value)
    return scalar(ctypes.addressof(word), word)


def _address(word: Any) -> int:
    address: int = getattr(word, "address", word)
    return address


async def futex(word: Any, op: int, value: int, timeout_ns: int | None = None, word2: Any = 0, value3: int = 0) -> int:
    timeout = None if timeout_ns is None else byref(Time(*divmod(timeout_ns, NS)))
    return call("syscall", NUMBERS["futex"], _address(word), op, value, timeout, _address(word2), value3)


_HERE = {_name for _name in globals() if not _name.startswith("_") or _name == "_exit"}
__all__ = [name for name in _ours.__all__ if name in _HERE or name in _constants.__all__]
