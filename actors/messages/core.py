"""What a core understands. `Run` is a message that an idle core receives; the others are interrupts, served in every wait."""

from __future__ import annotations

from typing import ClassVar

from actors.messages.base import Message
from kernel.processes.context import Context


class Run(Message, frozen=True, gc=False):
    """Run this thread. `slice_ns` of CPU time until the timer interrupt; -1: nobody else waits for this core."""

    oneway: ClassVar[bool] = True
    context: Context
    slice_ns: int
    attention: int  # copy of the scheduler's sticky level
    timed_out: bool  # the wait that ended did so by its timer


class Interrupt(Message, frozen=True, gc=False):
    """Base of interrupts: delivered to the core in every wait, to a plain handler."""

    oneway: ClassVar[bool] = True
    lane: ClassVar[int] = 1


class Kick(Interrupt, frozen=True, gc=False):
    """The running thread `tid` has something to deliver (a stale tid is ignored)."""

    tid: int
    level: int


class Reschedule(Interrupt, frozen=True, gc=False):
    """Give thread `tid` back at the next op boundary, or, with slice_ns >= 0, after so much more CPU time."""

    tid: int
    slice_ns: int


class Shootdown(Interrupt, frozen=True, gc=False):
    """Forget translations of [first, first + count) pages of `space` (count -1: all), then tell memory `ShootdownAck(token)`."""

    token: int
    space: int
    first: int  # virtual page number
    count: int
