"""The calls of libc with hostile arguments: what a fuzzer draws from. Each argument is a piece of source text.

A call is a name and, for each parameter, the values that make trouble: huge and negative numbers, addresses of nothing, of the kernel, of
the program itself, closed descriptors, odd paths, unknown flags, and now and then a thing of the wrong type altogether.
"""

from __future__ import annotations

from typing import Final

Values = tuple[str, ...]

INTS: Final[Values] = (
    "0", "1", "-1", "2", "7", "255", "4095", "4096", "4097", "65536", "2**31 - 1", "2**31", "2**32", "2**47", "2**62", "2**63 - 1", "2**63",
    "2**64 - 1", "2**64", "2**70", "-2**31", "-2**63", "-2**70", "10**12",
)  # fmt: skip
ADDRESSES: Final[Values] = (
    "0", "1", "8", "4096", "0x400000", "0x401008", "0x800000", "0xa00000", "2**47 - 4096", "2**47", "0xffff_8000_0000_0000", "2**64 - 8",
    "2**64", "2**70", "-1", "-4096", "0x7fff_f000_0000", "0x7fff_ffff_e000", "None", "place", "place.address + 1",
)  # fmt: skip
FDS: Final[Values] = ("0", "1", "2", "fd", "r", "w", "5", "-1", "99", "1023", "1024", "2**31", "2**70", "-100", "True")
PATHS: Final[Values] = (
    "''", "'/'", "'.'", "'..'", "'/bin/cat'", "'/nonexistent/x'", "'a' * 5000", "'b' * 256", "'x/' * 3000", "'a\\0b'", "'\\udcff'",
    "'/proc'",
    "'/proc/self'", "'/proc/self/fd/0'", "'/proc/self/fd/3'", "'/proc/self/maps'", "'/proc/self/mem'", "'/proc/1/stat'", "'/proc/999999/x'",
    "'/proc/self/task'", "'/proc/self/exe'", "'/proc/self/cwd'", "'/dev/zero'", "'/dev/null'", "'/dev/console'", "'/dev/tty'",
    "'/dev/full'",
    "'/dev/urandom'", "'/dev/shm'", "'f'", "'loop'", "'d'", "'d/../d/./x'", "b'\\xff\\xfe'", "'//'", "'/bin/cat/x'",
)  # fmt: skip
FLAGS: Final[Values] = (
    "0", "1", "2", "3", "0o100", "0o102", "0o1102", "0o200000", "0o4000", "0o10000", "0o40000000", "0xfffffff", "2**31", "2**64",
    "2**70", "-1",
)  # fmt: skip
SIGNALS: Final[Values] = (
    "0", "1", "2", "3", "8", "11", "13", "14", "15", "17", "18", "20", "31", "32", "34", "64", "65", "-1", "2**31", "2**70",
)  # fmt: skip
PIDS: Final[Values] = ("0", "1", "-1", "2", "100", "101", "-100", "99999", "2**31", "2**31 - 1", "-2**31", "2**70", "-2**70")
DATA: Final[Values] = ("b''", "b'x'", "b'y' * 5000", "b'z' * 200000", "bytearray(5)", "memoryview(b'qq')")
MASKS: Final[Values] = ("()", "(1,)", "(9, 19)", "range(1, 65)", "(0,)", "(65,)", "(2**70,)")
CORES: Final[Values] = ("()", "(0,)", "(1,)", "(63,)", "(64,)", "(1000000,)", "(-1,)", "(2**70,)")
PROTECTIONS: Final[Values] = ("0", "1", "3", "7", "8", "-1", "2**70")
MAPPINGS: Final[Values] = ("0", "1", "2", "0x22", "0x21", "0x32", "0x31", "0x100022", "0x12", "2**70", "-1", "0x20022", "0x10", "0x33")
WHENCES: Final[Values] = ("0", "1", "2", "3", "4", "99", "-1", "2**70")
MODES: Final[Values] = ("0", "0o777", "2**70", "-1")
ACTIONS: Final[Values] = (
    "None", "SigAction(0)", "SigAction(1)", "SigAction(2)", "SigAction(0x400100)", "SigAction(2**70)", "SigAction(-1)",
    "SigAction(handler)",
    "SigAction(handler, (1, 2**70))", "SigAction(handler, (), -1)", "SigAction(handler, (), 2**70)",
    "SigAction(handler, range(1, 65), 0xffffffff)",
)  # fmt: skip
CLONES: Final[Values] = (
    "0", "17", "0x100", "0x4000", "0x4100", "0x10f00", "0x50f00", "0x800", "0x10000", "0x10100", "0x900", "0x1000011", "0x7fffffff", "-1",
    "2**70", "0x300111", "64", "65", "255", "0x3d0f00",
)  # fmt: skip
FUTEXES: Final[Values] = ("1", "129", "3", "4", "5", "6", "10", "256", "257", "-1", "2**70")
FORMATS: Final[Values] = (
    "'%d'", "'%*d'", "'%99999d'", "'%9999999999d'", "'%n'", "'%s'", "'%'", "'%.999999f'", "'%.2147483646f'", "'%2147483646d'", "'%-*.*s'",
    "'%c'", "'%p'", "'%lld'", "'\\0'", "'%1$d'", "'%99999999999999999999d'",
)  # fmt: skip
ODD: Final[Values] = (
    "None", "'s'", "1.5", "[]", "{}", "object()", "True", "b'x'", "Bad()", "Number(3)", "Kind.ONE", "lambda: 0", "main", "i32.at(8)",
    "Struct",
    "generator()", "(1, 2)", "float('nan')",
)  # fmt: skip

CALLS: Final[dict[str, tuple[Values, ...]]] = {
    "open": (PATHS, FLAGS, MODES), "openat": (FDS, PATHS, FLAGS, MODES), "creat": (PATHS, MODES), "close": (FDS,), "read": (FDS, INTS),
    "read_into": (FDS, ADDRESSES, INTS), "write": (FDS, DATA), "write_from": (FDS, ADDRESSES, INTS), "pread": (FDS, INTS, INTS),
    "pwrite": (FDS, DATA, INTS), "lseek": (FDS, INTS, WHENCES), "dup": (FDS,), "dup2": (FDS, FDS), "dup3": (FDS, FDS, FLAGS),
    "readv": (FDS, ("[]", "[(0, 0)]", "[(4096, 10)]", "[(2**70, 10)]", "[(0, 10**12)]", "[(0, 1)] * 1025", "[(-1, -1)]")),
    "writev": (FDS, ("[]", "[b'a'] * 1025", "[b'a', b'']")), "fcntl": (FDS, INTS, INTS),
    "ioctl": (FDS, ("0", "0x5401", "0x541b", "0x5413", "0x540f", "0x5410", "2**70", "-1"), ADDRESSES), "isatty": (FDS,), "fsync": (FDS,),
    "ftruncate": (FDS, INTS), "truncate": (PATHS, INTS), "pipe2": (FLAGS,), "stat": (PATHS,), "lstat": (PATHS,), "fstat": (FDS,),
    "access": (PATHS, FLAGS), "chmod": (PATHS, FLAGS), "fchmod": (FDS, FLAGS), "umask": (INTS,), "mkdir": (PATHS, FLAGS), "rmdir": (PATHS,),
    "link": (PATHS, PATHS), "symlink": (PATHS, PATHS), "readlink": (PATHS,), "unlink": (PATHS,), "rename": (PATHS, PATHS),
    "mknod": (PATHS, (*FLAGS, "0o10000 | 6", "0o100000", "0o20000", "0o140000"), INTS), "listdir": (PATHS,), "chdir": (PATHS,),
    "fchdir": (FDS,), "getcwd": (), "mmap": (ADDRESSES, INTS, PROTECTIONS, MAPPINGS, FDS, INTS), "munmap": (ADDRESSES, INTS),
    "mprotect": (ADDRESSES, INTS, PROTECTIONS), "msync": (ADDRESSES, INTS, ("0", "1", "2", "4", "5", "6", "2**70")), "brk": (ADDRESSES,),
    "sbrk": (INTS,), "read_bytes": (ADDRESSES, ("0", "1", "64", "5000", "-1", "2**70", "1.5")), "write_bytes": (ADDRESSES, DATA),
    "memcpy": (ADDRESSES, ADDRESSES, ("0", "1", "5000", "-1", "2**70")), "memset": (ADDRESSES, ("0", "256", "-1"), ("0", "1", "5000",
    "2**70")),
    "kill": (PIDS, SIGNALS), "killpg": (PIDS, SIGNALS), "tkill": (PIDS, SIGNALS), "tgkill": (PIDS, PIDS, SIGNALS),
    "raise_signal": (SIGNALS,),
    "alarm": (INTS,), "sigaction": (SIGNALS, ACTIONS), "signal": (SIGNALS, ("0", "1", "2", "-1", "2**70", "handler", "0x400180")),
    "sigprocmask": (("0", "1", "2", "3", "-1", "2**70"), (*MASKS, "None")), "getpgid": (PIDS,), "setpgid": (PIDS, PIDS), "getsid": (PIDS,),
    "setsid": (), "setuid": (INTS,), "setgid": (INTS,), "prctl": ((*INTS, "15", "16"), ("None", "b'x' * 100", "'y'", "0", "2**70", "''")),
    "getrlimit": (INTS,), "setrlimit": (INTS, ("(0, 0)", "(1, 2)", "(2, 1)", "(-1, -1)", "(2**70, 2**70)", "(5, 5)",
    "(10**12, 2**64 - 1)")),
    "getrusage": (INTS,), "getrandom": (INTS, FLAGS), "waitpid": (PIDS, FLAGS), "wait4": (PIDS, FLAGS), "clock_gettime": (INTS,),
    "clock_getres": (INTS,), "nanosleep": (("0", "1", "-1", "2**31", "-2**70"),), "clock_nanosleep": (INTS, FLAGS, ("0", "1", "-1",
    "1000")),
    "futex": (ADDRESSES, FUTEXES, INTS, ("None", "0", "1", "-1"), ADDRESSES, INTS), "sched_getaffinity": (PIDS,),
    "sched_setaffinity": (PIDS, CORES), "getpriority": (PIDS, PIDS), "setpriority": (("0", "1", "2", "3", "-1", "2**70"), PIDS, INTS),
    "nice": (INTS,), "clone": (("child",), CLONES, ("None", "1", "(1,)", "[1]")), "malloc": (INTS,), "calloc": (INTS, INTS),
    "execve": (PATHS, ("[]", "['a']", "['a' * 100000]", "['a'] * 10000", "[b'\\xff']"), ("{}", "{'a': 'b'}", "{'': ''}",
    "{'a' * 140000: 'b'}")),
    "pthread_join": (ADDRESSES,), "pthread_detach": (ADDRESSES,), "pthread_kill": (ADDRESSES, SIGNALS), "pthread_setname_np": (ADDRESSES,
    PATHS),
    "pthread_create": (("child",), ("None", "(1,)", "'a' * 100000", "[]")), "fopen": (PATHS, ("'r'", "'w'", "'a'", "'r+'", "'x'", "''",
    "'rw'")),
    "fdopen": (FDS, ("'r'", "'w'", "''")), "printf": (FORMATS, ("1", "-1", "2**70", "'a'", "None", "1.5", "object()")),
    "alloca": (("i32", "Array[u8, 10**9]", "Array[u8, 2**70]", "char[0]", "None", "Array[u8, 9 * 2**20]"),),
    "compute": (("0", "1", "-1", "2**40", "-2**70", "1.5"),), "i32.at(place).load": (("0", "99", "-1", "'x'", "None"),),
    "i32.at(place).store": (("1", "2**70", "-1", "'x'", "1.5", "Bad()"), ("0", "99")), "i32.at(place).read_bytes": (("1", "-1", "1.5",
    "2**70"),),
    "i32.at(place).fetch_add": (INTS, ("0", "99")), "i32.at(place).compare_exchange": (INTS, INTS),
}  # fmt: skip

PROGRAM: Final = """
import enum

class Bad:
    def __eq__(self, other): raise ValueError("eq")
    def __hash__(self): raise ValueError("hash")
    def __repr__(self): raise ValueError("repr")
    def __index__(self): raise ValueError("index")
    def __str__(self): raise ValueError("str")

class Number(int):
    def __eq__(self, other): raise ValueError("eq")
    def __hash__(self): raise ValueError("hash")
    def __lt__(self, other): raise ValueError("lt")
    def __sub__(self, other): raise ValueError("sub")

class Kind(enum.IntEnum):
    ONE = 1

async def generator():
    yield 1

async def handler(signo, *rest):
    pass

async def child(arg):
    return 0

async def main():
    fd = await open("f", O_RDWR | O_CREAT, 0o644)
    await write(fd, b"hello world")
    r, w = await pipe2(O_NONBLOCK)
    await symlink("loop", "loop")
    await mkdir("d")
    place = await alloca(i32)
{calls}
    return 0
"""
ATTEMPT: Final = """
    try:
        await {call}
    except (OSError, TypeError, ValueError, OverflowError, AttributeError, MemoryError) as error:
        last = error
"""


def program_text(calls: list[str]) -> str:
    """A program that makes these calls, whatever becomes of each."""
    return PROGRAM.format(calls="".join(ATTEMPT.format(call=call) for call in calls))
