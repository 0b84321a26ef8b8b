"""The host's own kernel under libc's names: what stands in for `userspace.libc` when a case of tests/syscalls runs on the host.

Every call here goes straight to the host's C library through ctypes (to `os` where Python adds nothing of its own), so that nothing is
retried after EINTR, no descriptor is made close-on-exec, and a handler runs where the kernel delivers the signal, not when the interpreter
gets round to it. The functions are coroutines only in form: they never wait for anything but the host's kernel, and `drive` steps them.
The library is loaded so that calls keep the interpreter's lock: a case is one thread, and a handler may then run in the midst of any call.

There is no expected value here, no errno and no case by name: what the host says is what is reported.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from ctypes import byref, c_char_p, c_int, c_int32, c_int64, c_long, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any

import userspace.libc as _ours
from kernel.abi.syscalls import NUMBERS
from userspace.libc import constants as _constants
from userspace.libc.constants import *
from userspace.libc.signal import SigAction, siginfo
from userspace.libc.unistd import rusage

_C = ctypes.PyDLL(None, use_errno=True)
for _name in ("read", "write", "pread", "pwrite", "lseek", "readlink", "readv", "writev", "syscall", "getrandom"):
    getattr(_C, _name).restype = c_long
for _name in ("mmap", "sbrk", "getcwd", "signal"):
    getattr(_C, _name).restype = c_void_p
_FAILED = 2**64 - 1  # (void *)-1
_NS = 1_000_000_000

S_ISREG, S_ISDIR, S_ISFIFO, S_ISLNK, S_ISCHR = _ours.S_ISREG, _ours.S_ISDIR, _ours.S_ISFIFO, _ours.S_ISLNK, _ours.S_ISCHR  # macros
WIFEXITED, WEXITSTATUS, WIFSIGNALED, WTERMSIG = _ours.WIFEXITED, _ours.WEXITSTATUS, _ours.WIFSIGNALED, _ours.WTERMSIG
WIFSTOPPED, WSTOPSIG, WIFCONTINUED = _ours.WIFSTOPPED, _ours.WSTOPSIG, _ours.WIFCONTINUED


def drive(coroutine: Any) -> Any:
    """Run a coroutine that waits for nothing; its result."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("a case awaits only libc")


def _argument(value: Any) -> Any:
    if isinstance(value, str):
        return c_char_p(os.fsencode(value))
    return c_long(value) if isinstance(value, int) else value


def _call(name: str, *arguments: Any) -> int:
    """One call that says -1 and errno when it fails."""
    result: int = getattr(_C, name)(*map(_argument, arguments))
    return _raise() if result == -1 else result


def _raise(errno: int | None = None) -> Any:
    code = ctypes.get_errno() if errno is None else errno
    raise OSError(code, os.strerror(code))


def _plain(name: str) -> Callable[..., Awaitable[int]]:
    async def call(*arguments: Any) -> int:
        return _call(name, *arguments)

    return call


def _void(name: str) -> Callable[..., Awaitable[None]]:
    async def call(*arguments: Any) -> None:
        _call(name, *arguments)

    return call


# ---- files ------------------------------------------------------------------------------------------------------------------

creat, dup, dup2, dup3, lseek = _plain("creat"), _plain("dup"), _plain("dup2"), _plain("dup3"), _plain("lseek")
umask = _plain("umask")
close, fsync, truncate, ftruncate = _void("close"), _void("fsync"), _void("truncate"), _void("ftruncate")
access, chmod, fchmod, rmdir, link = _void("access"), _void("chmod"), _void("fchmod"), _void("rmdir"), _void("link")
symlink, unlink, rename, chdir, fchdir = _void("symlink"), _void("unlink"), _void("rename"), _void("chdir"), _void("fchdir")


async def open(path: str, flags: int, mode: int = 0o777) -> int:
    return _call("open", path, flags, mode)


async def openat(dirfd: int, path: str, flags: int, mode: int = 0o777) -> int:
    return _call("openat", dirfd, path, flags, mode)


async def read(fd: int, n: int) -> bytes:
    buffer = ctypes.create_string_buffer(max(n, 1))
    count = _call("read", fd, buffer, n)
    return buffer.raw[:count]


async def pread(fd: int, n: int, offset: int) -> bytes:
    buffer = ctypes.create_string_buffer(max(n, 1))
    count = _call("pread", fd, buffer, n, offset)
    return buffer.raw[:count]


async def read_into(fd: int, address: int, n: int) -> int:
    return _call("read", fd, address, n)


async def write(fd: int, data: bytes) -> int:
    return _call("write", fd, data, len(data))


async def pwrite(fd: int, data: bytes, offset: int) -> int:
    return _call("pwrite", fd, data, len(data), offset)


async def write_from(fd: int, address: int, n: int) -> int:
    return _call("write", fd, address, n)


class _Buffer(ctypes.Structure):
    _fields_ = (("base", c_void_p), ("size", c_size_t))


async def readv(fd: int, buffers: Sequence[tuple[int, int]]) -> int:
    return _call("readv", fd, (_Buffer * len(buffers))(*buffers), len(buffers))


async def writev(fd: int, buffers: Sequence[bytes]) -> int:
    kept = [ctypes.create_string_buffer(piece, len(piece)) for piece in buffers]
    vector = (_Buffer * len(kept))(*((ctypes.addressof(piece), len(piece)) for piece in kept))
    return _call("writev", fd, vector, len(kept))


async def fcntl(fd: int, cmd: int, arg: int = 0) -> int:
    return _call("fcntl", fd, cmd, arg)


async def ioctl(fd: int, request: int, arg: Any = 0) -> int:
    return _call("ioctl", fd, request, getattr(arg, "address", arg))


async def pipe() -> tuple[int, int]:
    return await pipe2(0)


async def pipe2(flags: int) -> tuple[int, int]:
    ends = (c_int * 2)()
    _call("pipe2", ends, flags)
    return ends[0], ends[1]


async def mkdir(path: str, mode: int = 0o777) -> None:
    _call("mkdir", path, mode)


async def mkfifo(path: str, mode: int = 0o666) -> None:
    _call("mkfifo", path, mode)


async def mknod(path: str, mode: int, device: int = 0) -> None:
    _call("mknod", path, mode, device)


async def readlink(path: str) -> str:
    buffer = ctypes.create_string_buffer(PATH_MAX)
    count = _call("readlink", path, buffer, PATH_MAX)
    return os.fsdecode(buffer.raw[:count])


async def getcwd() -> str:
    buffer = ctypes.create_string_buffer(PATH_MAX)
    if _C.getcwd(buffer, c_size_t(PATH_MAX)) is None:
        _raise()
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

getpid, gettid, getppid, getpgrp, setsid = _plain("getpid"), _plain("gettid"), _plain("getppid"), _plain("getpgrp"), _plain("setsid")
getuid, geteuid, getgid, getegid = _plain("getuid"), _plain("geteuid"), _plain("getgid"), _plain("getegid")
getpgid, getsid = _plain("getpgid"), _plain("getsid")
setpgid, setuid, setgid, abort = _void("setpgid"), _void("setuid"), _void("setgid"), _void("abort")


async def fork() -> int:
    return os.fork()


async def _exit(status: int = 0) -> None:
    _call("_exit", status)


async def wait() -> tuple[int, int]:
    return await waitpid(-1, 0)


async def waitpid(pid: int, options: int) -> tuple[int, int]:
    status = c_int()
    return _call("waitpid", pid, byref(status), options), status.value


async def wait4(pid: int, options: int) -> tuple[int, int, Any]:
    status = c_int()
    usage = (c_long * 18)()
    found = _call("wait4", pid, byref(status), options, usage)
    return found, status.value, rusage(0, 0, 0, 0, 0, 0)


def _vector(texts: Iterable[str]) -> Any:
    encoded = [os.fsencode(text) for text in texts]
    return (c_char_p * (len(encoded) + 1))(*encoded, None)


async def execve(path: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
    _call("execve", path, _vector(argv), _vector(f"{name}={value}" for name, value in env.items()))


async def execv(path: str, argv: Sequence[str]) -> None:
    _call("execv", path, _vector(argv))


async def execvp(file: str, argv: Sequence[str]) -> None:
    _call("execvp", file, _vector(argv))


async def getrlimit(resource: int) -> tuple[int, int]:
    pair = (c_uint64 * 2)()
    _call("getrlimit", resource, pair)
    return pair[0], pair[1]


async def setrlimit(resource: int, limits: tuple[int, int]) -> None:
    _call("setrlimit", resource, (c_uint64 * 2)(*limits))


async def prctl(option: int, arg: Any = 0) -> Any:
    if option == PR_GET_NAME:
        name = ctypes.create_string_buffer(16)
        _call("prctl", option, name)
        return os.fsdecode(name.value)
    return _call("prctl", option, arg) or None


async def getrandom(size: int, flags: int = 0) -> bytes:
    buffer = ctypes.create_string_buffer(max(size, 1))
    count = _call("getrandom", buffer, size, flags)
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


# ---- signals ----------------------------------------------------------------------------------------------------------------

kill, killpg, tgkill, pause, raise_signal = _void("kill"), _void("killpg"), _void("tgkill"), _void("pause"), _void("raise")
alarm = _plain("alarm")


class _Set(ctypes.Structure):
    _fields_ = (("words", c_uint64 * 16),)


class _Action(ctypes.Structure):
    _fields_ = (("handler", c_void_p), ("mask", _Set), ("flags", c_int), ("restorer", c_void_p))


_CALLBACK = ctypes.CFUNCTYPE(None, c_int, c_void_p, c_void_p, use_errno=True)
_trampolines: dict[Any, Any] = {}  # handler to callback, kept alive
_handlers: dict[int, Any] = {}  # address of the callback to handler


def _handler_address(handler: Any, *, with_info: bool) -> int:
    if isinstance(handler, int):
        return handler
    if (handler, with_info) not in _trampolines:

        def run(signo: int, info: int, context: int) -> None:
            drive(handler(signo, _siginfo(info), context) if with_info else handler(signo))

        _trampolines[handler, with_info] = _CALLBACK(run)
    address: int = ctypes.cast(_trampolines[handler, with_info], c_void_p).value or 0
    _handlers[address] = handler
    return address


def _siginfo(address: int) -> siginfo:
    signo, errno, code, _, pid, uid, status = (c_int32 * 7).from_address(address)
    return siginfo(signo, code, errno, pid, uid, status, status, c_uint64.from_address(address + 16).value)


def _signal_set(signos: Iterable[int]) -> _Set:
    members = _Set()
    for signo in signos:
        _call("sigaddset", byref(members), signo)
    return members


def _numbers(members: _Set) -> set[int]:
    return {signo for signo in range(1, 65) if members.words[0] >> (signo - 1) & 1}


async def sigaction(signo: int, act: Any = None) -> SigAction:
    wanted, before = _Action(), _Action()
    if act is not None:
        handler, mask, flags = SigAction(*act)
        wanted = _Action(_handler_address(handler, with_info=bool(flags & SA_SIGINFO)), _signal_set(mask), flags)
    _call("sigaction", signo, None if act is None else byref(wanted), byref(before))
    address = before.handler or 0
    return SigAction(_handlers.get(address, address), _numbers(before.mask), before.flags)


async def signal(signo: int, handler: Any) -> Any:
    before = _C.signal(c_int(signo), c_void_p(_handler_address(handler, with_info=False))) or 0
    return _raise() if before == _FAILED else _handlers.get(before, before)


async def sigprocmask(how: int, mask: Iterable[int] | None) -> set[int]:
    before = _Set()
    _call("sigprocmask", how, None if mask is None else byref(_signal_set(mask)), byref(before))
    return _numbers(before)


async def sigpending() -> set[int]:
    pending = _Set()
    _call("sigpending", byref(pending))
    return _numbers(pending)


async def sigsuspend(mask: Iterable[int]) -> None:
    _call("sigsuspend", byref(_signal_set(mask)))


async def sigwait(mask: Iterable[int]) -> int:
    signo = c_int()
    errno = _C.sigwait(byref(_signal_set(mask)), byref(signo))
    return _raise(errno) if errno else signo.value


async def tkill(tid: int, signo: int) -> None:
    _call("syscall", NUMBERS["tkill"], tid, signo)


# ---- time -------------------------------------------------------------------------------------------------------------------


class _Time(ctypes.Structure):
    _fields_ = (("seconds", c_int64), ("nanoseconds", c_int64))


def _remaining(errno: int, remaining: _Time) -> Any:
    error = OSError(errno, os.strerror(errno))
    error.remaining_ns = remaining.seconds * _NS + remaining.nanoseconds  # type: ignore[attr-defined]
    raise error


async def nanosleep(ns: int) -> None:
    remaining = _Time()
    if _C.nanosleep(byref(_Time(*divmod(ns, _NS))), byref(remaining)) == -1:
        _remaining(ctypes.get_errno(), remaining)


async def clock_nanosleep(clock: int, flags: int, ns: int) -> None:
    remaining = _Time()
    errno = _C.clock_nanosleep(clock, flags, byref(_Time(*divmod(ns, _NS))), byref(remaining))
    if errno:
        _remaining(errno, remaining)


async def usleep(microseconds: int) -> None:
    _call("usleep", microseconds)


async def sleep(seconds: int) -> int:
    return _call("sleep", seconds)


async def clock_gettime(clock: int) -> int:
    now = _Time()
    _call("clock_gettime", clock, byref(now))
    return now.seconds * _NS + now.nanoseconds


async def clock_getres(clock: int) -> int:
    step = _Time()
    _call("clock_getres", clock, byref(step))
    return step.seconds * _NS + step.nanoseconds


# ---- memory -----------------------------------------------------------------------------------------------------------------

munmap, mprotect, msync, brk, shm_unlink = _void("munmap"), _void("mprotect"), _void("msync"), _void("brk"), _void("shm_unlink")


async def mmap(address: int, length: int, prot: int, flags: int, fd: int = -1, offset: int = 0) -> int:
    where = _C.mmap(*map(c_long, (address, length, prot, flags, fd, offset))) or 0
    return _raise() if where == _FAILED else where


async def sbrk(increment: int) -> int:
    before = _C.sbrk(c_long(increment)) or 0
    return _raise() if before == _FAILED else before


async def shm_open(name: str, flags: int, mode: int) -> int:
    return _call("shm_open", name, flags, mode)


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
    timeout = None if timeout_ns is None else byref(_Time(*divmod(timeout_ns, _NS)))
    return _call("syscall", NUMBERS["futex"], _address(word), op, value, timeout, _address(word2), value3)


_HERE = {_name for _name in globals() if not _name.startswith("_") or _name == "_exit"}
__all__ = [name for name in _ours.__all__ if name in _HERE or name in _constants.__all__]
