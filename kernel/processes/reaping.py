"""Waiting for children: which child answers a wait4(2), what its status word says, and who inherits orphans.

A process that has ended stays as a zombie until its parent collects its status; a stop or a continuation is reported once. A wait
looks through the caller's children in order of birth and takes the first with something to tell. When nothing is there but could
come, the ticket is queued at the parent and asked about again at Resume; when no child could ever match, it is ECHILD.
Children of a dead process go to pid 1: to the real init, or to the reaper inside the kernel, which collects at once.

Not modelled: ptrace, child subreapers, __WNOTHREAD (EINVAL). Manual: wait(2), wait4(2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from kernel.abi.errno_values import ECHILD, EINVAL, ESRCH
from kernel.abi.errnos import SysError
from kernel.abi.flags import WCONTINUED, WNOHANG, WUNTRACED
from kernel.abi.signos import SIGCHLD
from kernel.processes.process import CONTINUED_STATUS, Process, ProcessState, Usage

if TYPE_CHECKING:
    from kernel.processes.processes import Processes

WALL: Final = 0x4000_0000  # __WALL: children of every exit signal
WCLONE: Final = 0x8000_0000  # __WCLONE: only children whose exit signal is not SIGCHLD
_KNOWN: Final = WNOHANG | WUNTRACED | WCONTINUED | WALL | WCLONE
_INT_MIN: Final = -(1 << 31)


class WaitCall(msgspec.Struct, frozen=True):
    """A wait4(2) with its arguments checked and pid 0 resolved: what stands with a ticket."""

    parent: int
    pid: int  # > 0 that child; -1 any; < -1 a child of group -pid
    options: int

    @property
    def child(self) -> str:
        """What the log says is waited for."""
        return f"child:{self.pid}"


class Collected(msgspec.Struct, frozen=True):
    """What a wait found."""

    pid: int
    status: int
    usage: Usage


def wait_call(parent: Process, pid: int, options: int) -> WaitCall:
    """Check wait4(2)'s arguments. Raises EINVAL for unknown options, ESRCH for INT_MIN."""
    options &= 0xFFFF_FFFF
    if options & ~_KNOWN:
        raise SysError(EINVAL)
    if pid == _INT_MIN:
        raise SysError(ESRCH)
    return WaitCall(parent.pid, -parent.pgid if pid == 0 else pid, options)


def eligible(call: WaitCall, child: Process) -> bool:
    """May this wait ever be answered by this child?"""
    if call.pid > 0 and child.pid != call.pid:
        return False
    if call.pid < -1 and child.pgid != -call.pid:
        return False
    return bool(call.options & WALL) or (child.exit_signal != SIGCHLD) == bool(call.options & WCLONE)


def collect(state: Processes, call: WaitCall) -> Collected | None:
    """The first child with something to tell; a zombie is reaped, a report is cleared. None: not yet. Raises ECHILD."""
    parent = state.processes[call.parent]
    candidates = [child for child in map(state.processes.__getitem__, parent.children) if eligible(call, child)]
    if not candidates:
        raise SysError(ECHILD)
    for child in candidates:
        if child.state is ProcessState.ZOMBIE:
            return _collect_zombie(state, parent, child)
        wanted = WCONTINUED if child.report == CONTINUED_STATUS else WUNTRACED
        if child.report and call.options & wanted:
            found = Collected(child.pid, child.report, child.usage.plus(child.children_usage))
            child.report = 0
            return found
    return None


def _collect_zombie(state: Processes, parent: Process, child: Process) -> Collected:
    usage = child.usage.plus(child.children_usage)
    parent.children_usage = parent.children_usage.plus(usage)
    found = Collected(child.pid, child.status, usage)
    state.reap(child)
    return found


def exit_status(code: int) -> int:
    """The wait status of exit(code)."""
    return (code & 0xFF) << 8


def stop_status(signo: int) -> int:
    """The wait status of a stop by `signo`."""
    return signo << 8 | 0x7F


def final_status(process: Process) -> int:
    """How an ending process is reported: what exit_group marked first, else the leader's own exit (as Linux, not the last thread's)."""
    return process.group_status if process.group_status >= 0 else process.leader_status


def inherit_orphans(state: Processes, process: Process) -> list[Process]:
    """Give the children of an ending process to pid 1, as children that end with SIGCHLD; the zombies among them, by birth."""
    init = state.processes[1]
    zombies = []
    for pid in list(process.children):
        child = state.processes[pid]
        del process.children[pid]
        child.ppid = 1
        child.exit_signal = SIGCHLD
        init.children[pid] = None
        if child.state is ProcessState.ZOMBIE:
            zombies.append(child)
    return zombies
