"""What `timers` understands: sleeps, timeouts of waits, alarms. Deadlines are absolute virtual ns (CLOCK_MONOTONIC)."""

from __future__ import annotations

from typing import ClassVar

from actors.messages.base import Message, SyscallMessage
from kernel.abi.syscalls import NUMBERS


class Arm(Message, frozen=True, gc=False):
    """Wake the ticket at `deadline`, with timed_out set. Reply: None."""

    tid: int
    serial: int
    deadline: int
    path: tuple[int, ...]  # the thread's stable identity, for searches


class Disarm(Message, frozen=True, gc=False):
    """The wait is over: forget its timer. Reply: None. Harmless if it fired."""

    tid: int
    serial: int


class Nanosleep(SyscallMessage, frozen=True, gc=False):
    """nanosleep(2); the core made `deadline` absolute. Negative: EINVAL. Reply: None, Failure(EINTR, remaining_ns), WouldBlock."""

    nr: ClassVar[int] = NUMBERS["nanosleep"]
    deadline: int


class ClockNanosleep(SyscallMessage, frozen=True, gc=False):
    """clock_nanosleep(2). `ns` is relative unless flags has TIMER_ABSTIME; `started` is the core's clock at the first attempt.

    Reply: None, Failure(EINVAL), Failure(EINTR, remaining_ns), WouldBlock.
    """

    nr: ClassVar[int] = NUMBERS["clock_nanosleep"]
    clock: int
    flags: int
    ns: int
    started: int  # filled in by the core, kept over restarts


class Alarm(SyscallMessage, frozen=True, gc=False):
    """alarm(2): one SIGALRM for the process. Reply: seconds left of the previous alarm, rounded up as Linux does."""

    nr: ClassVar[int] = NUMBERS["alarm"]
    seconds: int


class ProcessGone(Message, frozen=True, gc=False):
    """The process has exited: cancel its alarm."""

    oneway: ClassVar[bool] = True
    pid: int


class Fire(Message, frozen=True, gc=False):
    """Sent by the conductor under search: let this timer fire now (time moves to its deadline)."""

    oneway: ClassVar[bool] = True
    tid: int
    serial: int
