"""Process groups and sessions: job control's nouns.

A session holds groups, a group holds processes; both are named by the pid of the process that made them, and their numbers stay in use
as long as they have members. A shell makes one group per pipeline and tells the terminal which one is in the foreground.
A group is *orphaned* when no member has a parent in another group of the same session: nobody is left who could continue it, so that
a group that becomes orphaned with stopped members gets SIGHUP and SIGCONT.

pid 1 stands for the shell that started the first program, so that ^Z stops a program as it does under a shell, although Linux would
call a child of init orphaned.

Functions here take the whole state (`Processes`) and raise SysError exactly as Linux does. Not modelled: the session of kernel threads
(0) is no real one. Manual: setpgid(2), setsid(2), credentials(7); POSIX "orphaned process group".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernel.abi.errno_values import EACCES, EINVAL, EPERM, ESRCH
from kernel.abi.errnos import SysError
from kernel.processes.process import Process, ProcessState

if TYPE_CHECKING:
    from kernel.processes.processes import Processes


@dataclass(slots=True)
class Group:
    """One process group."""

    pgid: int
    sid: int
    members: dict[int, None] = field(default_factory=dict)  # pids, zombies included, in order of joining


@dataclass(slots=True)
class Session:
    """One session."""

    sid: int
    groups: dict[int, None] = field(default_factory=dict)  # pgids


def join(state: Processes, process: Process, pgid: int, sid: int) -> None:
    """Put `process` into a group, which is made if it does not exist, as is its session."""
    session = state.sessions.get(sid)
    if session is None:
        session = state.sessions[sid] = Session(sid)
        state.pids.hold(sid)
    group = state.groups.get(pgid)
    if group is None:
        group = state.groups[pgid] = Group(pgid, sid)
        session.groups[pgid] = None
        state.pids.hold(pgid)
    group.members[process.pid] = None
    process.pgid, process.sid = pgid, sid


def leave(state: Processes, process: Process) -> None:
    """Take `process` out of its group; an empty group and an empty session are forgotten and their numbers freed."""
    group = state.groups[process.pgid]
    del group.members[process.pid]
    if group.members:
        return
    del state.groups[group.pgid]
    state.pids.release(group.pgid)
    session = state.sessions[group.sid]
    del session.groups[group.pgid]
    if not session.groups:
        del state.sessions[session.sid]
        state.pids.release(session.sid)


def setpgid(state: Processes, caller: Process, pid: int, pgid: int) -> None:
    """Move `pid` to a group, setpgid, with Linux's order of checks. 0 stands for the caller, and for the target's own pid.

    Raises EINVAL, ESRCH, EPERM, EACCES.
    """
    pid = pid or caller.pid
    pgid = pgid or pid
    if pgid < 0:
        raise SysError(EINVAL)
    target = state.find(pid)
    if target is None:
        raise SysError(EINVAL if state.find_thread(pid) is not None else ESRCH)
    if target.ppid == caller.pid:
        if target.sid != caller.sid:
            raise SysError(EPERM)
        if target.executed:
            raise SysError(EACCES)
    elif target is not caller:
        raise SysError(ESRCH)
    if target.session_leader:
        raise SysError(EPERM)
    if pgid != pid and (pgid not in state.groups or state.groups[pgid].sid != caller.sid):
        raise SysError(EPERM)
    if target.pgid != pgid:
        sid = target.sid
        move_to(state, target, pgid, sid)


def move_to(state: Processes, process: Process, pgid: int, sid: int) -> None:
    """Leave one group and join another; the numbers stay held across the step."""
    old_pgid, old_sid = process.pgid, process.sid
    state.pids.hold(old_pgid)
    state.pids.hold(old_sid)
    if old_sid == sid:
        state.sessions[sid].groups.setdefault(pgid)  # keeps the session alive while it has no other group
        leave(state, process)
        if pgid not in state.groups:
            del state.sessions[sid].groups[pgid]
    else:
        leave(state, process)
    join(state, process, pgid, sid)
    state.pids.release(old_pgid)
    state.pids.release(old_sid)


def setsid(state: Processes, caller: Process) -> int:
    """Start a session, setsid: the new session's id. Raises EPERM for a session leader, and where a group with the caller's pid exists."""
    if caller.session_leader or caller.pid in state.groups:
        raise SysError(EPERM)
    move_to(state, caller, caller.pid, caller.pid)
    caller.session_leader = True
    return caller.pid


def process_or_self(state: Processes, caller: Process, pid: int) -> Process:
    """getpgid(2), getsid(2): 0 is the caller; a tid stands for its process. Raises ESRCH."""
    if pid == 0:
        return caller
    found = state.find(pid)
    if found is None:
        thread = state.find_thread(pid)
        found = state.find(thread.pid) if thread is not None else None
    if found is None:
        raise SysError(ESRCH)
    return found


def is_orphaned(state: Processes, pgid: int, dying_pid: int = 0) -> bool:
    """Linux's will_become_orphaned_pgrp: has no member a parent in another group of the session?

    Zombies and init's children do not count; nor do `dying_pid` and its children, which are about to be just that. The first program
    is an exception: its parent stands for the shell that started it, which could continue it.
    """
    for pid in state.groups[pgid].members:
        member = state.processes[pid]
        if member.state is ProcessState.ZOMBIE or dying_pid in (pid, member.ppid) or (member.ppid <= 1 and pid != state.first_program):
            continue
        parent = state.processes[member.ppid]
        if parent.pgid != pgid and parent.sid == member.sid:
            return False
    return True


def has_stopped_members(state: Processes, pgid: int) -> bool:
    """Does the group have a process that job control stopped?"""
    return any(state.processes[pid].state is ProcessState.STOPPED for pid in state.groups[pgid].members)


def concerned_groups(state: Processes, process: Process) -> list[int]:
    """The groups whose being orphaned depends on where `process` stands: its own, and those of its children."""
    return list(dict.fromkeys([process.pgid, *(state.processes[pid].pgid for pid in process.children)]))


def refresh_orphans(state: Processes, pgids: list[int]) -> list[Process]:
    """After the tree or groups have changed: the members of these groups whose `orphaned` is another now."""
    changed = []
    for pgid in dict.fromkeys(pgids):
        group = state.groups.get(pgid)
        if group is None:
            continue
        orphaned = is_orphaned(state, pgid)
        for pid in group.members:
            if state.processes[pid].orphaned != orphaned:
                state.processes[pid].orphaned = orphaned
                changed.append(state.processes[pid])
    return changed


def orphaned_by_exit(state: Processes, process: Process) -> list[int]:
    """Groups with stopped members that become orphaned because `process` ends: they get SIGHUP and SIGCONT.

    To be asked while its children still stand below it.
    """
    concerned: dict[int, None] = {}
    for pid in process.children:
        child = state.processes[pid]
        if child.pgid != process.pgid and child.sid == process.sid:
            concerned[child.pgid] = None
    parent = state.processes.get(process.ppid)
    if parent is not None and parent.pgid != process.pgid and parent.sid == process.sid:
        concerned[process.pgid] = None
    return [pgid for pgid in concerned if is_orphaned(state, pgid, process.pid) and has_stopped_members(state, pgid)]
