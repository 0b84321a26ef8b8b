"""Signal numbers, names and default actions: signal(7), x86-64. A set of signals is an int: bit n-1 stands for signal n."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

SIGHUP = 1
SIGINT = 2
SIGQUIT = 3
SIGILL = 4
SIGTRAP = 5
SIGABRT = 6
SIGIOT = 6
SIGBUS = 7
SIGFPE = 8
SIGKILL = 9
SIGUSR1 = 10
SIGSEGV = 11
SIGUSR2 = 12
SIGPIPE = 13
SIGALRM = 14
SIGTERM = 15
SIGSTKFLT = 16
SIGCHLD = 17
SIGCONT = 18
SIGSTOP = 19
SIGTSTP = 20
SIGTTIN = 21
SIGTTOU = 22
SIGURG = 23
SIGXCPU = 24
SIGXFSZ = 25
SIGVTALRM = 26
SIGPROF = 27
SIGWINCH = 28
SIGIO = 29
SIGPWR = 30
SIGSYS = 31
SIGCLD = SIGCHLD
SIGPOLL = SIGIO
SIGRTMIN = 34  # 32 and 33 belong to libc, as in glibc
SIGRTMAX = 64
NSIG: Final = 65  # numbers are 1 to 64

DEFAULT_TERMINATE: Final = "terminate"
DEFAULT_CORE: Final = "core"
DEFAULT_IGNORE: Final = "ignore"
DEFAULT_STOP: Final = "stop"
DEFAULT_CONTINUE: Final = "continue"

_CORE = (SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS)
_IGNORE = (SIGCHLD, SIGURG, SIGWINCH)
_STOP = (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)


def default_action(signo: int) -> str:
    """What happens without a handler, one of the DEFAULT_ words (signal(7), "Standard signals")."""
    if signo in _CORE:
        return DEFAULT_CORE
    if signo in _IGNORE:
        return DEFAULT_IGNORE
    if signo in _STOP:
        return DEFAULT_STOP
    return DEFAULT_CONTINUE if signo == SIGCONT else DEFAULT_TERMINATE


SIGNAL_NAMES: Final[dict[int, str]] = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    10: "SIGUSR1",
    11: "SIGSEGV",
    12: "SIGUSR2",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    16: "SIGSTKFLT",
    17: "SIGCHLD",
    18: "SIGCONT",
    19: "SIGSTOP",
    20: "SIGTSTP",
    21: "SIGTTIN",
    22: "SIGTTOU",
    23: "SIGURG",
    24: "SIGXCPU",
    25: "SIGXFSZ",
    26: "SIGVTALRM",
    27: "SIGPROF",
    28: "SIGWINCH",
    29: "SIGIO",
    30: "SIGPWR",
    31: "SIGSYS",
}
SIGNAL_DESCRIPTIONS: Final[dict[int, str]] = {  # strsignal(3)
    1: "Hangup",
    2: "Interrupt",
    3: "Quit",
    4: "Illegal instruction",
    5: "Trace/breakpoint trap",
    6: "Aborted",
    7: "Bus error",
    8: "Floating point exception",
    9: "Killed",
    10: "User defined signal 1",
    11: "Segmentation fault",
    12: "User defined signal 2",
    13: "Broken pipe",
    14: "Alarm clock",
    15: "Terminated",
    16: "Stack fault",
    17: "Child exited",
    18: "Continued",
    19: "Stopped (signal)",
    20: "Stopped",
    21: "Stopped (tty input)",
    22: "Stopped (tty output)",
    23: "Urgent I/O condition",
    24: "CPU time limit exceeded",
    25: "File size limit exceeded",
    26: "Virtual timer expired",
    27: "Profiling timer expired",
    28: "Window changed",
    29: "I/O possible",
    30: "Power failure",
    31: "Bad system call",
}


def signal_name(signo: int) -> str:
    """`SIGINT` for 2, `SIGRTMIN+1` for 35."""
    if signo >= SIGRTMIN:
        return "SIGRTMIN" if signo == SIGRTMIN else f"SIGRTMIN+{signo - SIGRTMIN}"
    return SIGNAL_NAMES.get(signo, f"SIG{signo}")


def bit(signo: int) -> int:
    """The set that holds only `signo`."""
    return 1 << (signo - 1)


def make_set(signos: Iterable[int]) -> int:
    """A set from numbers; each must be in 1..64 (the caller checks)."""
    result = 0
    for signo in signos:
        result |= 1 << (signo - 1)
    return result


def members(mask: int) -> Iterator[int]:
    """The numbers in a set, ascending."""
    signo = 1
    while mask:
        if mask & 1:
            yield signo
        mask >>= 1
        signo += 1


UNBLOCKABLE: Final = bit(SIGKILL) | bit(SIGSTOP)
