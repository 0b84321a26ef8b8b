"""Calls and their results as strace(1) shows them: `futex(0x7fffeffff000, FUTEX_WAIT, 0)`, not `futex(140737219915776, 0, 0)`.

The trap carries numbers. Which number of which call is a set of flags, a choice of one, a signal, an address or a file mode stands in the
two tables below; the names come from kernel/abi. The log holds what comes out of here, so that every reader sees the same:

    ["AT_FDCWD", b"/tmp/myfifo", "O_WRONLY|O_CREAT", "0666"]

Only what has a meaning becomes a text: descriptors, counts, pids and contents of files stay what they are, and a value that no table knows
is shown as a number. Nothing here fails, whatever a program passes: the kernel refuses it later, and then the log shows what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kernel.abi import flags
from kernel.abi.records import Stat
from kernel.abi.signos import SIGNAL_NAMES, SIGRTMAX, SIGRTMIN, members, signal_name
from kernel.abi.syscalls import BY_NAME

Decoder = Callable[[Any], Any]

RESULT: Final = -1  # the index by which `is_symbolic` knows a call's result
_WORD: Final = 0xFFFF_FFFF
_ALL_SIGNALS: Final = (1 << SIGRTMAX) - 1


# ---- kinds of numbers ---------------------------------------------------------------------------------------------------------


def _of_int(show: Callable[[int], str]) -> Decoder:
    """What is no int (NULL, a buffer, the wrong type) stays as it is."""
    return lambda value: show(value) if type(value) is int else value


def _one_of(names: str) -> Decoder:
    known = {getattr(flags, name): name for name in names.split()}
    return lambda value: known.get(value, value) if type(value) is int else value


def _flag_names(value: int, known: Sequence[tuple[str, int]]) -> list[str]:
    """Names of the bits that are set, and a number for those without a name."""
    found = []
    for name, bits in known:
        if value & bits == bits:
            found.append(name)
            value &= ~bits
    return found + ([hex(value if value > 0 else value & _WORD)] if value else [])


def _known(names: str) -> tuple[tuple[str, int], ...]:
    """Names with their bits; one that includes another stands before it."""
    return tuple((name, getattr(flags, name)) for name in names.split())


def _set_of(names: str, nothing: str = "0") -> Decoder:
    known = _known(names)
    return _of_int(lambda value: "|".join(_flag_names(value, known)) or nothing)


def _octal(value: int) -> str:
    return f"0{value:o}" if value > 0 else str(value)


def _file_mode(value: int) -> str:
    """A mode with the file's type, as mknod(2) takes and stat(2) gives it."""
    kind = _FILE_TYPES.get(value & flags.S_IFMT)
    return f"{kind}|0{value & ~flags.S_IFMT:o}" if kind is not None else _octal(value)


def _hexadecimal(value: int) -> str:
    return hex(value) if value else "NULL"


def _signal_text(value: int) -> str:
    return signal_name(value) if value in SIGNAL_NAMES or SIGRTMIN <= value <= SIGRTMAX else str(value)


def _signal_set(mask: int) -> str:
    """`[SIGINT SIGUSR1]`; a set of nearly all by what it lacks, `~[SIGKILL SIGSTOP]`."""
    if not 0 <= mask <= _ALL_SIGNALS:
        return hex(mask)
    if mask.bit_count() > SIGRTMAX // 2:
        return f"~{_signal_set(mask ^ _ALL_SIGNALS)}"
    return f"[{' '.join(signal_name(signo) for signo in members(mask))}]"


def _open_text(value: int) -> str:
    mode = _ACCESS_MODES[value & flags.O_ACCMODE]
    return "|".join((mode, *_flag_names(value & ~flags.O_ACCMODE, _OPEN_FLAGS)))


def _clone_text(value: int) -> str:
    """The low byte is the signal that the parent gets at the child's end."""
    signo = value & flags.CSIGNAL
    return "|".join((*_flag_names(value & ~flags.CSIGNAL, _CLONE_FLAGS), *([_signal_text(signo)] if signo else []))) or "0"


def _futex_text(value: int) -> str:
    options = value & (flags.FUTEX_PRIVATE_FLAG | flags.FUTEX_CLOCK_REALTIME)
    return "|".join((str(_FUTEX_COMMAND(value & ~options)), *_flag_names(options, _FUTEX_OPTIONS)))


_FILE_TYPES: Final = {getattr(flags, name): name for name in ("S_IFIFO", "S_IFCHR", "S_IFDIR", "S_IFBLK", "S_IFREG", "S_IFLNK", "S_IFSOCK")}
_ACCESS_MODES: Final = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
_OPEN_FLAGS: Final = _known(
    "O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_SYNC O_DSYNC O_ASYNC O_DIRECT O_TMPFILE O_DIRECTORY O_NOFOLLOW O_NOATIME "
    "O_CLOEXEC O_PATH"
)
_CLONE_FLAGS: Final = _known(
    "CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_PIDFD CLONE_PTRACE CLONE_VFORK CLONE_PARENT CLONE_THREAD CLONE_NEWNS CLONE_SYSVSEM "
    "CLONE_SETTLS CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID CLONE_DETACHED CLONE_UNTRACED CLONE_CHILD_SETTID CLONE_NEWCGROUP CLONE_NEWUTS "
    "CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO"
)
_ACTION_FLAGS: Final = _known("SA_NOCLDSTOP SA_NOCLDWAIT SA_SIGINFO SA_ONSTACK SA_RESTART SA_NODEFER SA_RESETHAND")
_FUTEX_COMMAND: Final = _one_of(
    "FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI "
    "FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET"
)
_FUTEX_OPTIONS: Final = _known("FUTEX_PRIVATE_FLAG FUTEX_CLOCK_REALTIME")


# ---- records ------------------------------------------------------------------------------------------------------------------


def _action(value: Any) -> Any:
    """A `struct sigaction`: (handler, mask, flags)."""
    if not isinstance(value, tuple) or len(value) != 3:
        return value
    handler, mask, options = value
    shown = ("SIG_DFL", "SIG_IGN")[handler] if handler in (flags.SIG_DFL, flags.SIG_IGN) else hex(handler)
    return f"{{sa_handler={shown}, sa_mask={_signal_set(mask)}, sa_flags={'|'.join(_flag_names(options, _ACTION_FLAGS)) or '0'}}}"


def _limits(value: Any) -> Any:
    """A `struct rlimit`: (soft, hard)."""
    if not isinstance(value, tuple) or len(value) != 2:
        return value
    soft, hard = ("RLIM_INFINITY" if limit == flags.RLIM_INFINITY else limit for limit in value)
    return f"{{rlim_cur={soft}, rlim_max={hard}}}"


def _stat(value: Any) -> Any:
    return f"{{st_mode={_file_mode(value.st_mode)}, st_size={value.st_size}, ...}}" if isinstance(value, Stat) else value


def _wait_status(status: int) -> str:
    """wait(2): how the child ended, stopped or went on."""
    low = status & 0x7F
    if status == 0xFFFF:
        return "WIFCONTINUED(s)"
    if status & 0xFF == 0x7F:
        return f"WIFSTOPPED(s) && WSTOPSIG(s) == {_signal_text(status >> 8)}"
    if low:
        return f"WIFSIGNALED(s) && WTERMSIG(s) == {_signal_text(low)}{' && WCOREDUMP(s)' if status & 0x80 else ''}"
    return f"WIFEXITED(s) && WEXITSTATUS(s) == {status >> 8}"


def _waited(value: Any) -> Any:
    """(pid, status, usage); pid 0: WNOHANG found nobody, and nothing was written."""
    if not isinstance(value, tuple) or not value[0]:
        return value
    pid, status, usage = value
    return (pid, _wait_status(status), usage)


# ---- the tables ---------------------------------------------------------------------------------------------------------------

_mode: Final = _of_int(_octal)
_node_mode: Final = _of_int(_file_mode)
_open: Final = _of_int(_open_text)
_pointer: Final = _of_int(_hexadecimal)
_signal: Final = _of_int(_signal_text)
_signals: Final = _of_int(_signal_set)
_directory: Final = _one_of("AT_FDCWD")
_protection: Final = _set_of("PROT_READ PROT_WRITE PROT_EXEC", "PROT_NONE")
_mapping: Final = _set_of(
    "MAP_SHARED_VALIDATE MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED MAP_POPULATE "
    "MAP_STACK MAP_FIXED_NOREPLACE"
)
_descriptor_options: Final = _set_of("O_NONBLOCK O_DIRECT O_CLOEXEC")
_descriptor_flags: Final = _set_of("FD_CLOEXEC")
_clock: Final = _one_of(
    "CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE "
    "CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME"
)
_priority_of: Final = _one_of("PRIO_PROCESS PRIO_PGRP PRIO_USER")

_ARGUMENTS: Final[dict[str, dict[int, Decoder]]] = {  # call: index of an argument: how it is shown
    "openat": {0: _directory, 2: _open, 3: _mode},
    "newfstatat": {0: _directory, 2: _set_of("AT_SYMLINK_NOFOLLOW AT_EMPTY_PATH")},
    "access": {1: _set_of("R_OK W_OK X_OK", "F_OK")},
    "mkdir": {1: _mode},
    "mknod": {1: _node_mode},
    "chmod": {1: _mode},
    "fchmod": {1: _mode},
    "umask": {0: _mode},
    "lseek": {2: _one_of("SEEK_SET SEEK_CUR SEEK_END")},
    "fcntl": {
        1: _one_of(
            "F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_GETOWN F_SETOWN F_GETSIG F_SETSIG "
            "F_GETLEASE F_SETLEASE F_NOTIFY F_GETPIPE_SZ F_SETPIPE_SZ F_ADD_SEALS F_GET_SEALS F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW"
        )
    },
    "ioctl": {1: _one_of("FIONREAD TCGETS TIOCGWINSZ TIOCGPGRP TIOCSPGRP TIOCSCTTY")},
    "pipe2": {0: _descriptor_options},
    "dup3": {2: _descriptor_options},
    "getrandom": {1: _set_of("GRND_NONBLOCK GRND_RANDOM")},
    "mmap": {0: _pointer, 2: _protection, 3: _mapping},
    "munmap": {0: _pointer},
    "mprotect": {0: _pointer, 2: _protection},
    "msync": {0: _pointer, 2: _set_of("MS_ASYNC MS_INVALIDATE MS_SYNC")},
    "brk": {0: _pointer},
    "futex": {0: _pointer, 1: _of_int(_futex_text), 4: _pointer},
    # stack, parent_tid, child_tid, tls, and the function, NULL for fork
    "clone": {0: _of_int(_clone_text), 1: _pointer, 2: _pointer, 3: _pointer, 4: _pointer, 5: _pointer},
    "set_tid_address": {0: _pointer},
    "wait4": {1: _set_of("WNOHANG WUNTRACED WCONTINUED")},
    "kill": {1: _signal},
    "tkill": {1: _signal},
    "tgkill": {2: _signal},
    "rt_sigaction": {0: _signal, 1: _action},
    "rt_sigprocmask": {0: _one_of("SIG_BLOCK SIG_UNBLOCK SIG_SETMASK"), 1: _signals},
    "rt_sigsuspend": {0: _signals},
    "rt_sigtimedwait": {0: _signals},
    "clock_gettime": {0: _clock},
    "clock_getres": {0: _clock},
    "clock_nanosleep": {0: _clock, 1: _set_of("TIMER_ABSTIME")},
    "getpriority": {0: _priority_of},
    "setpriority": {0: _priority_of},
    "prctl": {0: _one_of("PR_SET_NAME PR_GET_NAME PR_SET_PDEATHSIG PR_GET_PDEATHSIG")},
    "getrusage": {0: _one_of("RUSAGE_SELF RUSAGE_CHILDREN RUSAGE_THREAD")},
    "prlimit64": {
        1: _one_of(
            "RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_RSS RLIMIT_NPROC RLIMIT_NOFILE RLIMIT_MEMLOCK RLIMIT_AS "
            "RLIMIT_SIGPENDING RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_RTTIME"
        ),
        2: _limits,
    },
}
_RESULTS: Final[dict[str, Decoder]] = {
    "mmap": _pointer,
    "brk": _pointer,
    "umask": _mode,
    "fstat": _stat,
    "newfstatat": _stat,
    "wait4": _waited,
    "rt_sigaction": _action,
    "rt_sigprocmask": _signals,
    "rt_sigpending": _signals,
    "prlimit64": _limits,
}
_FCNTL_ARGUMENTS: Final[dict[Any, Decoder]] = {flags.F_SETFD: _descriptor_flags, flags.F_SETFL: _open}  # by command
_FCNTL_RESULTS: Final[dict[Any, Decoder]] = {flags.F_GETFD: _descriptor_flags, flags.F_GETFL: _open}

assert BY_NAME.keys() >= _ARGUMENTS.keys() | _RESULTS.keys(), "a decoder without a row"


def decode_arguments(name: str, args: Sequence[Any]) -> list[Any]:
    """The arguments of a call, each with a meaning by its name in C; the others as they are."""
    decoders = _ARGUMENTS.get(name, {})
    shown = [decoders[index](value) if index in decoders else value for index, value in enumerate(args)]
    if name == "fcntl" and args[1] in _FCNTL_ARGUMENTS:
        shown[2] = _FCNTL_ARGUMENTS[args[1]](args[2])
    return shown


def decode_result(name: str, args: Sequence[Any], result: Any) -> Any:
    """What a call that succeeded gave; `args` are its own, not decoded."""
    if name == "fcntl":
        return _FCNTL_RESULTS[args[1]](result) if args[1] in _FCNTL_RESULTS else result
    return _RESULTS[name](result) if name in _RESULTS else result


def is_symbolic(name: str, index: int) -> bool:
    """Is a text there (argument `index`, or RESULT) a name of ours? Else it is a string of the program's, which is shown in quotes."""
    return name == "fcntl" or (name in _RESULTS if index == RESULT else index in _ARGUMENTS.get(name, {}))
