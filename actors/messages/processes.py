"""What `processes` understands: pids, the tree, clone, exec, wait, exit, groups and sessions, and signals by pid."""

from __future__ import annotations

from typing import ClassVar

from actors.messages import files
from actors.messages.base import Message, SyscallMessage
from kernel.abi.syscalls import NUMBERS
from kernel.processes.context import Context
from kernel.processes.image import Image


class Spawn(Message, frozen=True, gc=False):
    """From the host at boot: the first program (a child of init, or init itself) starts with this context.

    It could not be started if the state's `first_error` is an errno afterwards.
    """

    oneway: ClassVar[bool] = True
    context: Context
    image: Image
    object: int
    argv: tuple[bytes, ...]
    envp: tuple[bytes, ...]
    path: bytes
    seed: bytes = b""  # of the memory object, see messages/memory.py
    init: bool = False  # it is pid 1, in place of the reaper inside the kernel


class Clone(SyscallMessage, frozen=True, gc=False):
    """clone(2). `context` is the child's, made by the core (re-executed for fork, fresh for threads) and completed here.

    Reply: the child's tid, Failure(EAGAIN, ENOMEM, EINVAL), or WouldBlock for CLONE_VFORK (the later answer is the tid).
    """

    nr: ClassVar[int] = NUMBERS["clone"]
    flags: int  # the low byte is the exit signal
    stack: int
    parent_tid: int
    child_tid: int
    tls: int
    context: Context


class Exec(SyscallMessage, frozen=True, gc=False):
    """execve(2), after the core resolved the image with files. Past the siblings' end nothing can fail but by SIGKILL.

    Reply: ExecDone, Failure(E2BIG, ENOMEM, EAGAIN when another exec or exit_group won), WouldBlock while siblings live.
    """

    nr: ClassVar[int] = NUMBERS["execve"]
    image: Image
    object: int
    argv: tuple[bytes, ...]
    envp: tuple[bytes, ...]
    path: bytes  # of the file executed, absolute
    comm: str  # last part of the path that was asked for, at most 15 bytes
    seed: bytes = b""  # of the memory object, see messages/memory.py


class ExecDone(Message, frozen=True, gc=False):
    """Reply of Exec: the caller's new identity and where it starts."""

    tid: int
    space: int
    stack_pointer: int
    stack_low: int
    comm: str
    table: int  # of descriptors: another one if it was shared by CLONE_FILES
    fs: int


class ExitGroup(SyscallMessage, frozen=True, gc=False):
    """exit_group(2): marks the group, makes siblings end. `status` is a wait status word. Reply: None; the core then asks ThreadExit."""

    nr: ClassVar[int] = NUMBERS["exit_group"]
    status: int  # wait(2) status word: code << 8, or signo, | 0x80 with a core dump


class ThreadExit(SyscallMessage, frozen=True, gc=False):
    """exit(2) of one thread; the last one frees the process and makes it a zombie. Reply: None: the core disposes of the context."""

    nr: ClassVar[int] = NUMBERS["exit"]
    status: int  # wait status word, used if it is the last thread and no group exit was marked
    fault: str = ""  # "uncaught exception …" for the report


class Wait4(SyscallMessage, frozen=True, gc=False):
    """wait4(2), waitpid(2). Reply: (pid, status, usage tuple), (0, 0, …) with WNOHANG, Failure(ECHILD, EINVAL, EINTR), WouldBlock."""

    nr: ClassVar[int] = NUMBERS["wait4"]
    pid: int
    options: int


class Kill(SyscallMessage, frozen=True, gc=False):
    """kill(2). Reply: None or Failure(EINVAL, EPERM, ESRCH), with the caller's attention."""

    nr: ClassVar[int] = NUMBERS["kill"]
    pid: int
    signo: int


class Tkill(SyscallMessage, frozen=True, gc=False):
    """tkill(2)."""

    nr: ClassVar[int] = NUMBERS["tkill"]
    tid: int
    signo: int


class Tgkill(SyscallMessage, frozen=True, gc=False):
    """tgkill(2)."""

    nr: ClassVar[int] = NUMBERS["tgkill"]
    pid: int
    tid: int
    signo: int


class SignalGroup(Message, frozen=True, gc=False):
    """From the terminal: every process of group `pgid` gets this signal (^C, ^Z, SIGHUP, SIGTTIN). A group that is gone is nothing."""

    oneway: ClassVar[bool] = True
    pgid: int
    signo: int


class GroupOf(Message, frozen=True, gc=False):
    """For the terminal, asked by a core or forwarded. Reply: (pgid, sid, orphaned) of process `pid`, or Failure(ESRCH)."""

    pid: int


class ThreadStopped(Message, frozen=True, gc=False):
    """The thread is about to park for a stop; when all threads are, the parent is told. Reply: None."""

    tid: int


class Continued(Message, frozen=True, gc=False):
    """signals ended the stop of `pid` (SIGCONT): the parent is told if the process was stopped."""

    oneway: ClassVar[bool] = True
    pid: int


class Setpgid(SyscallMessage, frozen=True, gc=False):
    """setpgid(2)."""

    nr: ClassVar[int] = NUMBERS["setpgid"]
    pid: int
    pgid: int


class Getpgid(SyscallMessage, frozen=True, gc=False):
    """getpgid(2)."""

    nr: ClassVar[int] = NUMBERS["getpgid"]
    pid: int


class Getpgrp(SyscallMessage, frozen=True, gc=False):
    """getpgrp(2)."""

    nr: ClassVar[int] = NUMBERS["getpgrp"]


class Getsid(SyscallMessage, frozen=True, gc=False):
    """getsid(2)."""

    nr: ClassVar[int] = NUMBERS["getsid"]
    pid: int


class Setsid(SyscallMessage, frozen=True, gc=False):
    """setsid(2)."""

    nr: ClassVar[int] = NUMBERS["setsid"]


class Getppid(SyscallMessage, frozen=True, gc=False):
    """getppid(2)."""

    nr: ClassVar[int] = NUMBERS["getppid"]


class Setuid(SyscallMessage, frozen=True, gc=False):
    """setuid(2), of the whole process as glibc makes it. Reply: ChangedCaller(caller, None) or Failure(EPERM, EINVAL)."""

    nr: ClassVar[int] = NUMBERS["setuid"]
    uid: int


class Setgid(SyscallMessage, frozen=True, gc=False):
    """setgid(2)."""

    nr: ClassVar[int] = NUMBERS["setgid"]
    gid: int


class Getpriority(SyscallMessage, frozen=True, gc=False):
    """getpriority(2): Reply: the nice value itself (libc's view), or Failure(EINVAL, ESRCH)."""

    nr: ClassVar[int] = NUMBERS["getpriority"]
    which: int
    who: int


class Setpriority(SyscallMessage, frozen=True, gc=False):
    """setpriority(2); the value is clamped to -20..19. Reply: None or Failure(EINVAL, ESRCH, EPERM, EACCES)."""

    nr: ClassVar[int] = NUMBERS["setpriority"]
    which: int
    who: int
    priority: int


class SchedSetaffinity(SyscallMessage, frozen=True, gc=False):
    """sched_setaffinity(2); `mask` is a tuple of core numbers. Reply: None or Failure(EINVAL, ESRCH, EPERM)."""

    nr: ClassVar[int] = NUMBERS["sched_setaffinity"]
    tid: int
    mask: tuple[int, ...]


class SchedGetaffinity(SyscallMessage, frozen=True, gc=False):
    """sched_getaffinity(2). Reply: tuple of core numbers, or Failure(ESRCH)."""

    nr: ClassVar[int] = NUMBERS["sched_getaffinity"]
    tid: int


class Prlimit(SyscallMessage, frozen=True, gc=False):
    """prlimit64(2). `limits` is None or (soft, hard). Reply: the previous (soft, hard), or Failure(EINVAL, EPERM, ESRCH)."""

    nr: ClassVar[int] = NUMBERS["prlimit64"]
    pid: int
    resource: int
    limits: tuple[int, int] | None


class Getrusage(SyscallMessage, frozen=True, gc=False):
    """getrusage(2). Reply: (utime_ns, stime_ns, minflt, majflt, nvcsw, nivcsw)."""

    nr: ClassVar[int] = NUMBERS["getrusage"]
    who: int


class Times(SyscallMessage, frozen=True, gc=False):
    """times(2). Reply: (utime_ns, stime_ns, cutime_ns, cstime_ns, elapsed_ns)."""

    nr: ClassVar[int] = NUMBERS["times"]


class Prctl(SyscallMessage, frozen=True, gc=False):
    """prctl(2). Reply: None or the name, as bytes."""

    nr: ClassVar[int] = NUMBERS["prctl"]
    option: int
    argument: int | bytes | None


class SetTidAddress(SyscallMessage, frozen=True, gc=False):
    """set_tid_address(2). Reply: tid."""

    nr: ClassVar[int] = NUMBERS["set_tid_address"]
    address: int


class ProcOpen(Message, frozen=True, gc=False):
    """Forwarded by files: open of `name` (path below /proc, as parts). processes checks that it exists, then asks files.InstallProc.

    Reply: descriptor or Failure(ENOENT, EACCES, EISDIR …).
    """

    request: Message  # the files message that met /proc: OpenAt, Stat, Readlink, Chdir, …
    parts: tuple[str, ...]


class ProcRead(Message, frozen=True, gc=False):
    """Forwarded by files at the first read of a /proc file: content is taken now and goes on with files.ServeContent.

    Reply: as the read or getdents, Failure(ESRCH) if the process is gone.
    """

    request: files.Read | files.Pread | files.Getdents
    description: int
    parts: tuple[str, ...]


class KernelStatistics(Message, frozen=True, gc=False):
    """Who lives, for reports and end-of-run checks. Reply: tuple of kernel.processes.process.ProcessStatistics."""
