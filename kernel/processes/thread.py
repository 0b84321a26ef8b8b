"""A thread: what processes knows of it. Its registers and coroutines are its `Context`, which moves between scheduler and cores.

States and legal moves stand in one table; `move` is the only place that changes a state:

    EMBRYO  -> LIVE, DEAD       clone(2) succeeded, or was undone: nobody has seen it
    LIVE    -> STOPPED, EXITING parked for a stop signal; in exit(2)
    STOPPED -> LIVE, EXITING    SIGCONT; SIGKILL
    EXITING -> ZOMBIE, DEAD     a leader waits as zombie for the other threads of its process; every other thread is gone at once
    ZOMBIE  -> DEAD             the last thread of the process has ended, or another thread took over by execve(2)

A thread that waits is LIVE: sleeping is the scheduler's business. Manual: clone(2), pthreads(7).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from kernel.tickets import Ticket


class ThreadState(Enum):
    """Where a thread is in its life."""

    EMBRYO = "embryo"
    LIVE = "live"
    STOPPED = "stopped"
    EXITING = "exiting"
    ZOMBIE = "zombie"
    DEAD = "dead"


THREAD_MOVES: Final[dict[ThreadState, tuple[ThreadState, ...]]] = {
    ThreadState.EMBRYO: (ThreadState.LIVE, ThreadState.DEAD),
    ThreadState.LIVE: (ThreadState.STOPPED, ThreadState.EXITING),
    ThreadState.STOPPED: (ThreadState.LIVE, ThreadState.EXITING),
    ThreadState.EXITING: (ThreadState.ZOMBIE, ThreadState.DEAD),
    ThreadState.ZOMBIE: (ThreadState.DEAD,),
    ThreadState.DEAD: (),
}

ALIVE: Final = (ThreadState.LIVE, ThreadState.STOPPED)


class IllegalMoveError(AssertionError):
    """A state was about to change in a way that its table does not list: a bug of ours."""


class ThreadStatistics(msgspec.Struct, frozen=True):
    """A thread in reports."""

    tid: int
    path: tuple[int, ...]
    state: str  # a ThreadState's value
    comm: str


@dataclass(slots=True)
class Thread:
    """One thread of a process."""

    # ---- identity; tid changes only when execve makes the thread its process's leader
    tid: int
    pid: int
    path: tuple[int, ...]  # stable: parent's path and ordinal among its children
    comm: str  # at most 15 bytes: prctl(PR_SET_NAME), /proc/PID/task/TID/comm
    start_ns: int  # virtual time of its birth
    state: ThreadState = ThreadState.EMBRYO
    # ---- resources of its own
    table: int = 0  # descriptor table (files)
    fs: int = 0  # cwd, root and umask (files)
    own_files: bool = False  # made without CLONE_FILES or CLONE_FS: table and fs are released when it exits
    clear_tid: int = 0  # address of the word to clear at exit (CLONE_CHILD_CLEARTID, set_tid_address); 0: none
    vfork_ticket: Ticket | None = None  # of the parent that waits until this thread has executed or ended (CLONE_VFORK)
    births: int = 0  # children so far: the next one's ordinal

    def move(self, to: ThreadState) -> None:
        """The only setter of `state`. Raises IllegalMoveError and changes nothing where the table has no such move."""
        if to not in THREAD_MOVES[self.state]:
            raise IllegalMoveError(f"thread {self.tid}: {self.state.value} to {to.value} is no legal move")
        self.state = to

    @property
    def alive(self) -> bool:
        """True while it may still run user code."""
        return self.state in ALIVE

    def statistics(self) -> ThreadStatistics:
        """What reports show."""
        return ThreadStatistics(self.tid, self.path, self.state.value, self.comm)
