"""Arguments of system calls as strace(1) shows them: `futex(0x7fffeffff000, FUTEX_WAIT, 0)`, not `futex(140737219915776, 0, 0)`.

A log holds what the call was given, as numbers. Which number of which call is a set of flags, a choice of one, or a signal stands in the
table below; the names come from kernel/abi. A value that is not known there is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kernel.abi import flags
from kernel.abi.signos import SIGNAL_DESCRIPTIONS, signal_name

_WORD: Final = 0xFFFF_FFFF
_ACCESS_MODES: Final = {0: "O_RDONLY", 1: "O_WRONLY", 2: "O_RDWR"}


def _names(text: str) -> dict[int, str]:
    return {getattr(flags, name): name for name in text.split()}


def _one_of(text: str) -> Callable[[int], str]:
    known = _names(text)
    return lambda value: known.get(value, str(value))


def _set_of(text: str, nothing: str = "0") -> Callable[[int], str]:
    known = _names(text)

    def show(value: int) -> str:
        found = [name for bit, name in known.items() if value & bit]
        rest = value & ~sum(known) & _WORD
        return "|".join([*found, *([hex(rest)] if rest or value < 0 else [])]) or nothing

    return show


_OPEN_FLAGS: Final = _set_of("O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_DIRECTORY O_NOFOLLOW O_CLOEXEC", "")
_CLONE_FLAGS: Final = _set_of(
    "CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_VFORK CLONE_PARENT CLONE_THREAD CLONE_SYSVSEM CLONE_SETTLS CLONE_PARENT_SETTID "
    "CLONE_CHILD_CLEARTID CLONE_CHILD_SETTID",
    "",
)  # fmt: skip
_FUTEX_COMMANDS: Final = _one_of(
    "FUTEX_WAIT FUTEX_WAKE FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_WAIT_BITSET "
    "FUTEX_WAKE_BITSET"
)
_FUTEX_OPTIONS: Final = flags.FUTEX_PRIVATE_FLAG | flags.FUTEX_CLOCK_REALTIME


def _open(value: int) -> str:
    mode = _ACCESS_MODES.get(value & flags.O_ACCMODE, "3")
    return "|".join(filter(None, (mode, _OPEN_FLAGS(value & ~flags.O_ACCMODE))))


def _signal(value: int) -> str:
    return signal_name(value) if value in SIGNAL_DESCRIPTIONS else str(value)


def _clone(value: int) -> str:
    """The low byte is the signal that the parent gets at the child's end."""
    return "|".join(filter(None, (_CLONE_FLAGS(value & ~0xFF), _signal(value & 0xFF) if value & 0xFF else ""))) or "0"


def _futex(value: int) -> str:
    private = "|FUTEX_PRIVATE_FLAG" if value & flags.FUTEX_PRIVATE_FLAG else ""
    realtime = "|FUTEX_CLOCK_REALTIME" if value & flags.FUTEX_CLOCK_REALTIME else ""
    return f"{_FUTEX_COMMANDS(value & ~_FUTEX_OPTIONS)}{private}{realtime}"


def _pointer(value: int) -> str:
    return hex(value) if value else "NULL"


_DIRECTORY: Final = _one_of("AT_FDCWD")
_PROTECTION: Final = _set_of("PROT_READ PROT_WRITE PROT_EXEC", "PROT_NONE")
_MAPPING: Final = _set_of("MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_STACK MAP_POPULATE MAP_FIXED_NOREPLACE")
_DESCRIPTOR_FLAGS: Final = _set_of("O_NONBLOCK O_CLOEXEC")
_CLOCK: Final = _one_of("CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID")

_MEANINGS: Final[dict[tuple[str, int], Callable[[int], str]]] = {  # (call, index of the argument)
    ("openat", 0): _DIRECTORY,
    ("openat", 2): _open,
    ("openat", 3): oct,
    ("newfstatat", 0): _DIRECTORY,
    ("newfstatat", 2): _set_of("AT_SYMLINK_NOFOLLOW AT_EMPTY_PATH"),
    ("mkdir", 1): oct,
    ("mknod", 1): oct,
    ("chmod", 1): oct,
    ("fchmod", 1): oct,
    ("umask", 0): oct,
    ("lseek", 2): _one_of("SEEK_SET SEEK_CUR SEEK_END"),
    ("fcntl", 1): _one_of("F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_SETFD F_GETFL F_SETFL F_GETPIPE_SZ F_SETPIPE_SZ"),
    ("ioctl", 1): _one_of("FIONREAD TCGETS TIOCGWINSZ TIOCGPGRP TIOCSPGRP TIOCSCTTY"),
    ("pipe2", 0): _DESCRIPTOR_FLAGS,
    ("dup3", 2): _DESCRIPTOR_FLAGS,
    ("brk", 0): _pointer,
    ("set_tid_address", 0): _pointer,
    ("mmap", 0): _pointer,
    ("munmap", 0): _pointer,
    ("mprotect", 0): _pointer,
    ("mmap", 2): _PROTECTION,
    ("mmap", 3): _MAPPING,
    ("mprotect", 2): _PROTECTION,
    ("clone", 0): _clone,
    **{("clone", index): _pointer for index in (1, 2, 3, 4, 5)},  # stack, parent_tid, child_tid, tls, function (NULL: fork)
    ("futex", 0): _pointer,
    ("futex", 1): _futex,
    ("futex", 4): _pointer,
    ("wait4", 1): _set_of("WNOHANG WUNTRACED WCONTINUED"),
    ("kill", 1): _signal,
    ("tkill", 1): _signal,
    ("tgkill", 2): _signal,
    ("rt_sigaction", 0): _signal,
    ("rt_sigprocmask", 0): _one_of("SIG_BLOCK SIG_UNBLOCK SIG_SETMASK"),
    ("clock_gettime", 0): _CLOCK,
    ("clock_getres", 0): _CLOCK,
    ("clock_nanosleep", 0): _CLOCK,
    ("clock_nanosleep", 1): _set_of("TIMER_ABSTIME"),
}


def meaning(call: str, index: int, value: Any) -> str | None:
    """The argument by its name in C; None where it is no more than a value."""
    show = _MEANINGS.get((call, index))
    return show(value) if show is not None and type(value) is int else None
