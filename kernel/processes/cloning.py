"""clone(2)'s rules: which flags go together, who may have one more thread, and the embryo that becomes a child.

A child is made in two steps, so that whatever fails in between can be undone and nobody ever sees half a process: `conceive` allots
the number and makes an EMBRYO record, which no look-up finds; `give_birth` links it into tree, group and thread group; `abandon`
forgets it. Between the two, `processes` asks memory, files and signals for their parts.

Not offered: namespaces and pidfds (EINVAL); CLONE_PTRACE, CLONE_UNTRACED, CLONE_IO, CLONE_SYSVSEM and CLONE_DETACHED change nothing.
Manual: clone(2), fork(2), vfork(2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kernel.abi.errno_values import EAGAIN, EINVAL
from kernel.abi.errnos import SysError
from kernel.abi.flags import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_PARENT,
    CLONE_PIDFD,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VM,
    CSIGNAL,
    RLIMIT_NPROC,
)
from kernel.processes import groups
from kernel.processes.process import Process, ProcessState
from kernel.processes.thread import Thread, ThreadState

if TYPE_CHECKING:
    from kernel.processes.processes import Processes

_UNSUPPORTED: Final = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PIDFD
)


def check_flags(flags: int, caller: Process) -> None:
    """Refuse combinations that make no sense. Raises EINVAL."""
    if flags & _UNSUPPORTED:
        raise SysError(EINVAL)
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        raise SysError(EINVAL)
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise SysError(EINVAL)
    if flags & CLONE_PARENT and caller.pid == 1:
        raise SysError(EINVAL)


def check_room(state: Processes, caller: Process) -> None:
    """RLIMIT_NPROC (root is exempt) and the machine's max_threads. Raises EAGAIN."""
    uid = caller.credentials.uid
    soft = caller.limits[RLIMIT_NPROC][0]
    if not caller.credentials.privileged and state.threads_of_user(uid) >= soft:
        raise SysError(EAGAIN)
    if state.user_threads() >= state.max_threads:
        raise SysError(EAGAIN)


def conceive(state: Processes, parent: Thread, flags: int, now_ns: int) -> tuple[Process, Thread]:
    """Allot a number and make the embryo of a thread, and of its process unless CLONE_THREAD. Raises EAGAIN when pids are used up."""
    process = state.processes[parent.pid]
    path = (*parent.path, parent.births)
    tid = state.pids.allot(path)
    parent.births += 1
    child = process
    if not flags & CLONE_THREAD:
        state.pids.hold(tid)
        child = Process(tid, path, now_ns, ppid=process.ppid if flags & CLONE_PARENT else process.pid)
        child.exit_signal = process.exit_signal if flags & CLONE_PARENT else flags & CSIGNAL
        child.pgid, child.sid = process.pgid, process.sid
        child.orphaned = process.orphaned
        child.credentials, child.limits = process.credentials, list(process.limits)
        child.executable, child.argv = process.executable, process.argv
        child.space, child.table, child.fs = process.space, process.table, process.fs
        state.processes[tid] = child
    thread = Thread(tid, child.pid, path, parent.comm, now_ns, table=parent.table, fs=parent.fs)
    child.threads[tid] = thread
    state.threads[tid] = thread
    return child, thread


def shares_all_files(parent: Thread, flags: int) -> bool:
    """True for a thread that uses its process's table and fs: the process holds them once for all such threads."""
    needed = CLONE_THREAD | CLONE_FILES | CLONE_FS
    return flags & needed == needed and not parent.own_files


def give_birth(state: Processes, child: Process, thread: Thread) -> None:
    """The embryo is complete: everybody may see it."""
    thread.move(ThreadState.LIVE)
    if child.state is not ProcessState.EMBRYO:
        return
    child.move(ProcessState.LIVE)
    state.processes[child.ppid].children[child.pid] = None
    groups.join(state, child, child.pgid, child.sid)
    if state.first_program == 0 and child.pid != 1:
        state.first_program = child.pid


def abandon(state: Processes, parent: Thread | None, child: Process, thread: Thread) -> None:
    """Undo `conceive` (or, without a parent, `conceive_first`): the clone failed."""
    thread.move(ThreadState.DEAD)
    if parent is not None:
        parent.births -= 1
    del child.threads[thread.tid]
    del state.threads[thread.tid]
    state.pids.release(thread.tid)
    if child.state is ProcessState.EMBRYO:
        child.move(ProcessState.DEAD)
        del state.processes[child.pid]
        state.pids.release(child.pid)
