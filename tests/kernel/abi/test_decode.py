"""Calls as strace shows them: every kind of number by its name, what has none as it is, and nothing that fails."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi import flags as f
from kernel.abi.decode import RESULT, decode_arguments, decode_result, is_symbolic
from kernel.abi.ops import In
from kernel.abi.records import Stat
from kernel.abi.signos import SIGINT, SIGKILL, SIGSTOP, SIGUSR1, make_set
from kernel.abi.syscalls import BY_NAME


@pytest.mark.parametrize(
    ("name", "args", "shown"),
    [
        ("openat", (-100, b"/tmp/myfifo", 0, 0o666), ["AT_FDCWD", b"/tmp/myfifo", "O_RDONLY", "0666"]),
        ("openat", (5, b"a", f.O_RDWR | f.O_CREAT | f.O_EXCL, 0), [5, b"a", "O_RDWR|O_CREAT|O_EXCL", "0"]),
        ("openat", (5, b"a", 3 | f.O_SYNC | f.O_TMPFILE, 0), [5, b"a", "O_ACCMODE|O_SYNC|O_TMPFILE", "0"]),
        ("openat", (5, b"a", f.O_DSYNC | f.O_DIRECTORY | 1 << 30, 0), [5, b"a", "O_RDONLY|O_DSYNC|O_DIRECTORY|0x40000000", "0"]),
        ("mmap", (0, 4096, 3, 34, -1, 0), ["NULL", 4096, "PROT_READ|PROT_WRITE", "MAP_PRIVATE|MAP_ANONYMOUS", -1, 0]),
        ("mmap", (4096, 1, 0, 3, 7, 0), ["0x1000", 1, "PROT_NONE", "MAP_SHARED_VALIDATE", 7, 0]),
        ("mprotect", (4096, 1, 4), ["0x1000", 1, "PROT_EXEC"]),
        ("msync", (4096, 1, 6), ["0x1000", 1, "MS_INVALIDATE|MS_SYNC"]),
        ("clone", (17, 0, 0, 0, 0, 0, None), ["SIGCHLD", "NULL", "NULL", "NULL", "NULL", "NULL", None]),
        ("clone", (f.CLONE_VM | f.CLONE_VFORK | 17, 0, 0, 0, 0), ["CLONE_VM|CLONE_VFORK|SIGCHLD", "NULL", "NULL", "NULL", "NULL"]),
        ("clone", (0, 0, 0, 0, 0), ["0", "NULL", "NULL", "NULL", "NULL"]),
        ("futex", (64, 128, 1, None, 0, 0), ["0x40", "FUTEX_WAIT|FUTEX_PRIVATE_FLAG", 1, None, "NULL", 0]),
        ("futex", (64, 99, 1, 5, 0, 0), ["0x40", "99", 1, 5, "NULL", 0]),
        ("wait4", (-1, 3), [-1, "WNOHANG|WUNTRACED"]),
        ("wait4", (-1, -1), [-1, "WNOHANG|WUNTRACED|WCONTINUED|0xfffffff4"]),
        ("kill", (100, 2), [100, "SIGINT"]),
        ("kill", (100, 0), [100, "0"]),
        ("kill", (100, 35), [100, "SIGRTMIN+1"]),
        ("kill", (100, 99), [100, "99"]),
        ("tgkill", (1, 2, 9), [1, 2, "SIGKILL"]),
        ("fcntl", (3, f.F_SETFL, f.O_NONBLOCK), [3, "F_SETFL", "O_RDONLY|O_NONBLOCK"]),
        ("fcntl", (3, f.F_SETFD, 1), [3, "F_SETFD", "FD_CLOEXEC"]),
        ("fcntl", (3, f.F_DUPFD, 10), [3, "F_DUPFD", 10]),
        ("lseek", (3, 5, 2), [3, 5, "SEEK_END"]),
        ("lseek", (3, 5, 99), [3, 5, 99]),
        ("access", (b"a", 0), [b"a", "F_OK"]),
        ("access", (b"a", 6), [b"a", "R_OK|W_OK"]),
        ("mknod", (b"a", f.S_IFIFO | 0o644, 0), [b"a", "S_IFIFO|0644", 0]),
        ("umask", (0o22,), ["022"]),
        ("rt_sigprocmask", (0, make_set([SIGINT, SIGUSR1])), ["SIG_BLOCK", "[SIGINT SIGUSR1]"]),
        ("rt_sigprocmask", (2, (1 << 64) - 1 & ~make_set([SIGKILL, SIGSTOP])), ["SIG_SETMASK", "~[SIGKILL SIGSTOP]"]),
        ("rt_sigprocmask", (0, None), ["SIG_BLOCK", None]),
        ("rt_sigaction", (2, (1, 0, 0)), ["SIGINT", "{sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}"]),
        ("rt_sigaction", (2, (0x401000, 1, f.SA_RESTART)), ["SIGINT", "{sa_handler=0x401000, sa_mask=[SIGHUP], sa_flags=SA_RESTART}"]),
        ("prlimit64", (0, 7, (8, f.RLIM_INFINITY)), [0, "RLIMIT_NOFILE", "{rlim_cur=8, rlim_max=RLIM_INFINITY}"]),
        ("getrusage", (-1,), ["RUSAGE_CHILDREN"]),
        ("clock_nanosleep", (1, 1, 5), ["CLOCK_MONOTONIC", "TIMER_ABSTIME", 5]),
        ("write", (1, In(64, 5)), [1, In(64, 5)]),
        ("getpid", (), []),
    ],
)  # fmt: skip
def test_arguments_with_a_meaning_have_their_names(name, args, shown):
    assert decode_arguments(name, args) == shown


STAT = Stat(f.S_IFREG | 0o644, 7, 1, 1, 0, 0, 0, 17, 4096, 8, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "args", "result", "shown"),
    [
        ("mmap", (), 0x7FFF_0000_0000, "0x7fff00000000"),
        ("brk", (0,), 4096, "0x1000"),
        ("fstat", (3,), STAT, "{st_mode=S_IFREG|0644, st_size=17, ...}"),
        ("umask", (0,), 0o22, "022"),
        ("fcntl", (3, f.F_GETFL, 0), f.O_RDWR | f.O_APPEND, "O_RDWR|O_APPEND"),
        ("fcntl", (3, f.F_GETFD, 0), 0, "0"),
        ("fcntl", (3, f.F_DUPFD, 5), 5, 5),
        ("rt_sigpending", (), make_set([SIGINT]), "[SIGINT]"),
        ("rt_sigaction", (2, None), (0, 0, 0), "{sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}"),
        ("wait4", (-1, 1), (0, 0, ()), (0, 0, ())),
        ("wait4", (-1, 0), (7, 0x300, ()), (7, "WIFEXITED(s) && WEXITSTATUS(s) == 3", ())),
        ("wait4", (-1, 0), (7, 9, ()), (7, "WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL", ())),
        ("wait4", (-1, 0), (7, 0x8B, ()), (7, "WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)", ())),
        ("wait4", (-1, 2), (7, 0x137F, ()), (7, "WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP", ())),
        ("wait4", (-1, 8), (7, 0xFFFF, ()), (7, "WIFCONTINUED(s)", ())),
        ("read", (3, 5), b"hello", b"hello"),
        ("close", (3,), None, None),
    ],
)
def test_results_with_a_meaning_have_their_names(name, args, result, shown):
    assert decode_result(name, args, result) == shown


def test_names_are_told_from_strings_of_the_program():
    assert is_symbolic("openat", 2)
    assert not is_symbolic("openat", 1)
    assert is_symbolic("mmap", RESULT)
    assert not is_symbolic("read", RESULT)


@settings(max_examples=50)
@given(st.lists(st.one_of(st.integers(), st.none(), st.binary(max_size=4), st.tuples(st.integers())), min_size=6, max_size=6))
def test_nothing_that_a_program_passes_makes_it_fail(args):
    for name in BY_NAME:
        assert len(decode_arguments(name, args)) == len(args)
