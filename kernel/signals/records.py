"""The records of the signals owner: what it knows of a thread and of a process, and whom it tells.

A thread's *attention* is 0 (nothing), 1 (something to deliver or undo) or 2 (it must end). It is computed from these records, and `told` is
what the scheduler heard last, so that it is told exactly when it changes.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Protocol

import msgspec

from kernel.signals.pending import PendingSet, SignalInfo

NOTHING: Final = 0  # levels of attention
SIGNAL: Final = 1
FATAL: Final = 2


class StopState(Enum):
    """A thread's part in a stop of its process. Legal: RUNNING -> PENDING -> STOPPED, RUNNING -> STOPPED, and any -> RUNNING."""

    RUNNING = "running"
    PENDING = "pending"  # the process stops; this thread has not come by to hear it
    STOPPED = "stopped"  # it waits for SIGCONT


class Wait(Enum):
    """What a thread waits for here: whose `Resume` will come."""

    NONE = "none"
    PAUSE = "pause"
    SIGSUSPEND = "sigsuspend"
    SIGTIMEDWAIT = "sigwait"
    STOPPED = "stopped"


class SignalThread(msgspec.Struct):
    """One thread. All masks are bit sets of blocked signals: bit n-1 is signal n."""

    tid: int
    pid: int
    mask: int = 0  # Invariant: mask_never_blocks_kill - no mask holds SIGKILL or SIGSTOP
    saved_mask: int | None = None  # sigsuspend's: what is restored when the next delivery is over
    real_mask: int | None = None  # sigtimedwait's: the mask without the signals that are waited for being let through
    pending: PendingSet = msgspec.field(default_factory=PendingSet)
    told: int = NOTHING  # Invariant: attention_matches_pending - what the scheduler heard is what follows from mask and pending
    killed: bool = False  # it must end
    stop: StopState = StopState.RUNNING  # Invariant: stop_has_a_cause - not RUNNING only while the process has `stop_info`
    wait: Wait = Wait.NONE
    serial: int = -1  # of the ticket, while `wait` is not NONE
    wait_set: int = 0  # sigtimedwait's, 0 outside of it
    deadline: int | None = None  # sigtimedwait's, absolute ns, None outside of it


class SignalProcess(msgspec.Struct):
    """One process."""

    pid: int
    table: int  # id of its dispositions
    threads: list[int] = []  # Invariant: thread_in_its_process - tids in order of creation, each known, each of this process
    shared: PendingSet = msgspec.field(default_factory=PendingSet)  # sent to the process as a whole
    # Invariant: taker_can_take - the thread that each pending shared signal was given to is alive and does not block it
    # Invariant: shared_signal_has_taker - a pending shared signal that some thread does not block has a taker
    takers: dict[int, int] = {}  # signal to tid
    next_taker: int = 0  # tid where the search for the next one begins
    stop_info: SignalInfo | None = None  # why the process is stopped or stopping
    fatal: SignalInfo | None = None  # the signal that ends it, once that is decided
    unkillable: bool = False  # pid 1: signals without handler do nothing
    orphaned: bool = False  # its group has no parent to continue it: terminal stops do nothing


class SignalStatisticsRecord(msgspec.Struct, frozen=True, gc=False):
    """/proc/PID/status: SigPnd, ShdPnd, SigBlk, SigIgn, SigCgt."""

    pending: int
    shared_pending: int
    blocked: int
    ignored: int
    caught: int


class Listener(Protocol):
    """Whom the signals owner tells; the actor sends messages, a test keeps a list."""

    def attention_changed(self, tid: int, level: int) -> None:
        """The scheduler hears that a thread has something to deliver."""

    def wake(self, tid: int, serial: int) -> None:
        """The scheduler wakes a stopped thread."""

    def renamed(self, old_tid: int, new_tid: int) -> None:
        """The scheduler hears of execve by a thread that was not the leader, before it hears of the new tid's attention."""

    def continued(self, pid: int) -> None:
        """The owner of processes hears that a stop is over."""
