"""unistd.h, sys/resource.h and friends: who am I, what are my limits, what machine is this.

Man pages getpid(2), getpgid(2), setpgid(2), setsid(2), getuid(2), setuid(2), prctl(2), getrlimit(2), getrusage(2), times(2), uname(2),
sysconf(3), getrandom(2). Run times are given twice: as exact ints in nanoseconds, and in seconds under the names that Python's `os`
and `resource` use.
"""

from __future__ import annotations

from collections.abc import Awaitable
from operator import index
from typing import Any, Final, NamedTuple

from kernel.abi.errno_values import EINVAL
from kernel.abi.flags import PR_GET_NAME, PR_SET_NAME, RLIM_INFINITY, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_STACK
from kernel.abi.layout import PAGE_SIZE
from userspace.libc.arguments import bytes_text, text_bytes
from userspace.libc.files import IOV_MAX
from userspace.trap import os_error, register, syscall

_getegid: Final = syscall("getegid")
_geteuid: Final = syscall("geteuid")
_getgid: Final = syscall("getgid")
_getpgid: Final = syscall("getpgid")
_getpgrp: Final = syscall("getpgrp")
_getpid: Final = syscall("getpid")
_getppid: Final = syscall("getppid")
_getrandom: Final = syscall("getrandom")
_getrusage: Final = syscall("getrusage")
_getsid: Final = syscall("getsid")
_gettid: Final = syscall("gettid")
_getuid: Final = syscall("getuid")
_prctl: Final = syscall("prctl")
_prlimit64: Final = syscall("prlimit64")
_setgid: Final = syscall("setgid")
_setpgid: Final = syscall("setpgid")
_setsid: Final = syscall("setsid")
_setuid: Final = syscall("setuid")
_times: Final = syscall("times")
_uname: Final = syscall("uname")

CLOCK_TICKS: Final = 100  # a second, for times(2)
COMM_MAX: Final = 15  # bytes of a thread's name


def getpid() -> Awaitable[int]:
    return _getpid()


def gettid() -> Awaitable[int]:
    return _gettid()


def getppid() -> Awaitable[int]:
    return _getppid()


def getpgrp() -> Awaitable[int]:
    return _getpgrp()


def getpgid(pid: int) -> Awaitable[int]:
    return _getpgid(index(pid))


def setpgid(pid: int, pgrp: int) -> Awaitable[None]:
    return _setpgid(index(pid), index(pgrp))


def getsid(pid: int) -> Awaitable[int]:
    return _getsid(index(pid))


def setsid() -> Awaitable[int]:
    return _setsid()


def getuid() -> Awaitable[int]:
    return _getuid()


def geteuid() -> Awaitable[int]:
    return _geteuid()


def setuid(uid: int) -> Awaitable[None]:
    return _setuid(index(uid))


def getgid() -> Awaitable[int]:
    return _getgid()


def getegid() -> Awaitable[int]:
    return _getegid()


def setgid(gid: int) -> Awaitable[None]:
    return _setgid(index(gid))


async def prctl(option: int, arg: Any = 0) -> Any:
    """PR_SET_NAME takes a str, cut to 15 bytes; PR_GET_NAME gives one. Raises OSError(EINVAL) for what the kernel does not know."""
    if option == PR_SET_NAME:
        return await _prctl(PR_SET_NAME, text_bytes(arg)[:COMM_MAX])
    if option == PR_GET_NAME:
        return bytes_text(await _prctl(PR_GET_NAME, None))
    return await _prctl(index(option), index(arg))


# ---- limits and accounts ----------------------------------------------------------------------------------------------------


async def getrlimit(resource: int) -> tuple[int, int]:
    """(soft, hard)."""
    soft, hard = await _prlimit64(0, index(resource), None)
    return soft, hard


async def setrlimit(resource: int, limits: tuple[int, int]) -> None:
    """Set (soft, hard); -1 is RLIM_INFINITY, as when C converts it."""
    soft, hard = limits
    await _prlimit64(0, index(resource), (index(soft) & RLIM_INFINITY, index(hard) & RLIM_INFINITY))


class rusage(NamedTuple):
    """struct rusage; what this kernel does not count is 0."""

    ru_utime_ns: int
    ru_stime_ns: int
    ru_minflt: int
    ru_majflt: int
    ru_nvcsw: int
    ru_nivcsw: int
    ru_maxrss: int = 0
    ru_ixrss: int = 0
    ru_idrss: int = 0
    ru_isrss: int = 0
    ru_nswap: int = 0
    ru_inblock: int = 0
    ru_oublock: int = 0
    ru_msgsnd: int = 0
    ru_msgrcv: int = 0
    ru_nsignals: int = 0

    @property
    def ru_utime(self) -> float:
        """User CPU time in seconds."""
        return self.ru_utime_ns / 1e9

    @property
    def ru_stime(self) -> float:
        """System CPU time in seconds."""
        return self.ru_stime_ns / 1e9


class process_times(NamedTuple):
    """struct tms and what times(2) returns."""

    user_ns: int
    system_ns: int
    children_user_ns: int
    children_system_ns: int
    elapsed_ns: int

    @property
    def user(self) -> float:
        """User CPU time in seconds."""
        return self.user_ns / 1e9

    @property
    def system(self) -> float:
        """System CPU time in seconds."""
        return self.system_ns / 1e9

    @property
    def children_user(self) -> float:
        """User CPU time of the children that were waited for, in seconds."""
        return self.children_user_ns / 1e9

    @property
    def children_system(self) -> float:
        """System CPU time of the children that were waited for, in seconds."""
        return self.children_system_ns / 1e9

    @property
    def elapsed(self) -> float:
        """Seconds since the machine started."""
        return self.elapsed_ns / 1e9


async def getrusage(who: int) -> rusage:
    return rusage(*await _getrusage(index(who)))


async def times() -> process_times:
    return process_times(*await _times())


# ---- the machine ------------------------------------------------------------------------------------------------------------


def uname() -> Awaitable[Any]:
    """A record with sysname, nodename, release, version, machine."""
    return _uname()


def getrandom(size: int, flags: int = 0) -> Awaitable[bytes]:
    return _getrandom(index(size), index(flags))


_SYSCONF: Final = {  # what is the same on every machine of ours
    "SC_PAGESIZE": PAGE_SIZE,
    "SC_PAGE_SIZE": PAGE_SIZE,
    "SC_CLK_TCK": CLOCK_TICKS,
    "SC_IOV_MAX": IOV_MAX,
    "SC_SYMLOOP_MAX": 40,
    "SC_HOST_NAME_MAX": 64,
    "SC_LINE_MAX": 2048,
    "SC_NGROUPS_MAX": 65536,
    "SC_SEM_VALUE_MAX": 2147483647,
    "SC_THREAD_STACK_MIN": 16384,
    "SC_THREAD_KEYS_MAX": 1024,
}
_SYSCONF_LIMITS: Final = {"SC_OPEN_MAX": RLIMIT_NOFILE, "SC_CHILD_MAX": RLIMIT_NPROC}  # soft limits, -1 without one
_SYSCONF_PROCESSORS: Final = ("SC_NPROCESSORS_CONF", "SC_NPROCESSORS_ONLN")


async def sysconf(name: str) -> int:
    """A configuration value by its name, with or without the leading underscore. Raises OSError(EINVAL) for an unknown one."""
    key = name.removeprefix("_")
    if key in _SYSCONF:
        return _SYSCONF[key]
    if key in _SYSCONF_PROCESSORS:
        count: int = await register("processors")
        return count
    if key in _SYSCONF_LIMITS:
        soft, _ = await getrlimit(_SYSCONF_LIMITS[key])
        return -1 if soft == RLIM_INFINITY else soft
    if key == "SC_ARG_MAX":
        soft, _ = await getrlimit(RLIMIT_STACK)
        return max(131072, soft // 4)
    raise os_error(EINVAL)
