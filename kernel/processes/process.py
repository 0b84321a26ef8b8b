"""A process: identity, place in the tree, resources by id, job control, how it ended.

States and legal moves (one table, one setter):

    EMBRYO  -> LIVE, DEAD       clone(2) succeeded, or was undone: nobody has seen it
    LIVE    -> STOPPED, EXITING every thread is parked for a stop signal; exit_group(2) was marked or the last thread exits
    STOPPED -> LIVE, EXITING    SIGCONT; SIGKILL
    EXITING -> ZOMBIE           the last thread is gone and the resources are released
    ZOMBIE  -> DEAD             the parent has collected the status, or did not want it

What a process uses is named by ids of other owners: `space` (memory), `table` and `fs` (files). Other processes are named by pid.
Wait status words are those of wait(2): code << 8; signo, | 0x80 with a core dump; signo << 8 | 0x7f stopped; 0xffff continued.

Manual: fork(2), execve(2), exit_group(2), wait(2), credentials(7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import msgspec

from kernel.abi.signos import SIGCHLD
from kernel.processes.credentials import ROOT, Credentials
from kernel.processes.limits import Limit
from kernel.processes.thread import IllegalMoveError, Thread, ThreadStatistics
from kernel.tickets import WaitQueue


class ProcessState(Enum):
    """Where a process is in its life."""

    EMBRYO = "embryo"
    LIVE = "live"
    STOPPED = "stopped"
    EXITING = "exiting"
    ZOMBIE = "zombie"
    DEAD = "dead"


PROCESS_MOVES: Final[dict[ProcessState, tuple[ProcessState, ...]]] = {
    ProcessState.EMBRYO: (ProcessState.LIVE, ProcessState.DEAD),
    ProcessState.LIVE: (ProcessState.STOPPED, ProcessState.EXITING),
    ProcessState.STOPPED: (ProcessState.LIVE, ProcessState.EXITING),
    ProcessState.EXITING: (ProcessState.ZOMBIE,),
    ProcessState.ZOMBIE: (ProcessState.DEAD,),
    ProcessState.DEAD: (),
}

CONTINUED_STATUS: Final = 0xFFFF  # wait status of a process that SIGCONT resumed


class Usage(msgspec.Struct, frozen=True):
    """getrusage(2)'s fields that are kept; times in ns."""

    utime_ns: int = 0
    stime_ns: int = 0
    minflt: int = 0
    majflt: int = 0
    nvcsw: int = 0
    nivcsw: int = 0

    def plus(self, other: Usage) -> Usage:
        """The sum of both."""
        return Usage(
            self.utime_ns + other.utime_ns, self.stime_ns + other.stime_ns, self.minflt + other.minflt,
            self.majflt + other.majflt, self.nvcsw + other.nvcsw, self.nivcsw + other.nivcsw,
        )

    def as_tuple(self) -> tuple[int, int, int, int, int, int]:
        """As it crosses the trap."""
        return (self.utime_ns, self.stime_ns, self.minflt, self.majflt, self.nvcsw, self.nivcsw)


NO_USAGE: Final = Usage()


class ProcessStatistics(msgspec.Struct, frozen=True):
    """A process in reports and end-of-run checks."""

    pid: int
    ppid: int
    pgid: int
    sid: int
    state: str  # a ProcessState's value
    comm: str
    threads: tuple[ThreadStatistics, ...]
    children: tuple[int, ...]


@dataclass(slots=True)
class Process:
    """One process (thread group)."""

    # ---- identity
    pid: int
    path: tuple[int, ...]  # of its first thread
    start_ns: int
    kernel: bool = False  # init's reaper, kthreadd or an actor: no space, no table, no signals
    state: ProcessState = ProcessState.EMBRYO
    # ---- the tree
    ppid: int = 0
    children: dict[int, None] = field(default_factory=dict)  # by birth; Invariant: tree_consistent - exactly those whose ppid is pid
    threads: dict[int, Thread] = field(default_factory=dict)  # by birth; Invariant: zombie_has_no_threads - empty once it is a zombie
    exit_signal: int = SIGCHLD  # what the parent gets at the end; 0: nothing
    # ---- groups; Invariant: group_members - the group `pgid` lists pid and lies in session `sid`
    pgid: int = 0
    sid: int = 0
    session_leader: bool = False  # called setsid(2): stays true although the session id could be had from `sid`
    orphaned: bool = False  # what signals was told of its group: nobody outside could continue it
    # ---- who it is and what it may
    credentials: Credentials = ROOT
    limits: list[Limit] = field(default_factory=list)  # by RLIMIT_ number
    # ---- resources, shared by its threads
    space: int = 0  # address space (memory)
    table: int = 0  # descriptor table (files)
    fs: int = 0  # cwd, root, umask (files)
    # ---- the image
    executed: bool = False  # has called execve(2) since it was born: setpgid(2) by the parent is EACCES
    executable: bytes = b""  # absolute path: /proc/PID/exe
    argv: tuple[bytes, ...] = ()  # /proc/PID/cmdline
    images: int = 0  # how many images it has started: names the random stream of the next one
    exec_tid: int = 0  # the thread in execve that waits for its siblings to end; 0: none
    # ---- job control
    report: int = 0  # stop or continue status that no wait has collected yet; 0: none
    # ---- waiting
    waiters: WaitQueue = field(default_factory=WaitQueue)  # tickets of its threads in wait4(2)
    # ---- the end
    group_status: int = -1  # wait status that exit_group(2) or a fatal signal marked first; -1: none
    leader_status: int = 0  # wait status of the leader's own exit(2)
    status: int = -1  # final wait status, once it is a zombie
    fault: str = ""  # what an uncaught exception said
    last_comm: str = ""  # the leader's name, kept when its thread was let go
    # ---- accounting
    usage: Usage = NO_USAGE  # of threads that have ended
    children_usage: Usage = NO_USAGE  # of children that were waited for, and theirs

    def move(self, to: ProcessState) -> None:
        """The only setter of `state`. Raises IllegalMoveError and changes nothing where the table has no such move."""
        if to not in PROCESS_MOVES[self.state]:
            raise IllegalMoveError(f"process {self.pid}: {self.state.value} to {to.value} is no legal move")
        self.state = to

    @property
    def visible(self) -> bool:
        """True for what other processes can find: not an embryo, not collected."""
        return self.state is not ProcessState.EMBRYO and self.state is not ProcessState.DEAD

    @property
    def comm(self) -> str:
        """The leader's name; of a zombie the one it had."""
        leader = self.threads.get(self.pid)
        return leader.comm if leader is not None else self.last_comm

    def remember_comm(self) -> None:
        """Keep the leader's name, which goes with its thread."""
        self.last_comm = self.comm

    def live_threads(self) -> list[Thread]:
        """The threads that may still run, by birth."""
        return [thread for thread in self.threads.values() if thread.alive]

    def accepts_signals(self) -> bool:
        """True while `signals` keeps a record of the process."""
        return not self.kernel and self.visible and bool(self.live_threads())

    def statistics(self) -> ProcessStatistics:
        """What reports show."""
        threads = tuple(thread.statistics() for thread in self.threads.values())
        return ProcessStatistics(self.pid, self.ppid, self.pgid, self.sid, self.state.value, self.comm, threads, tuple(self.children))
