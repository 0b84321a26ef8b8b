"""What `signals` understands: dispositions, masks, pending sets, delivery. It tells `scheduler` who has attention."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.messages.base import Message, SyscallMessage
from kernel.abi.syscalls import NUMBERS
from kernel.signals.delivery import Delivery as Delivery  # noqa: PLC0414 - part of this protocol
from kernel.signals.pending import SignalInfo as SignalInfo  # noqa: PLC0414 - part of this protocol


class AddProcess(Message, frozen=True, gc=False):
    """The first process: default dispositions, empty mask. Reply: None."""

    pid: int


class CopySignals(Message, frozen=True, gc=False):
    """clone(2): a new thread. CLONE_SIGHAND shares dispositions, CLONE_THREAD the process's pending set; mask is copied, pending is empty.

    Reply: None. If the group is already exiting or stopping, the new thread gets the same attention.
    """

    parent_tid: int
    tid: int
    pid: int
    flags: int


class RemoveThread(Message, frozen=True, gc=False):
    """The thread is gone; the process's record goes with `last`. Reply: the signal that has stopped all that remain, else 0."""

    tid: int
    last: bool


class ResetForExec(Message, frozen=True, gc=False):
    """execve(2): handlers become SIG_DFL, ignored stay; pending and mask stay; the caller, alone by now, becomes the leader. Reply: None.

    Where `tid` is not `pid`, signals tells the scheduler `Renamed`, so that it comes in order with what it tells about attention.
    """

    tid: int
    pid: int


class Post(Message, frozen=True, gc=False):
    """Generate a signal for process `pid` (`tid` 0) or for one thread. Reply: attention level that `caller_tid` has now (0 if none)."""

    pid: int
    tid: int
    info: SignalInfo
    caller_tid: int


class PostOneway(Message, frozen=True, gc=False):
    """The same without reply: timers, console, ipc's SIGPIPE to others."""

    oneway: ClassVar[bool] = True
    pid: int
    tid: int
    info: SignalInfo


class Fault(Message, frozen=True, gc=False):
    """A synchronous signal of the caller: if blocked or ignored it terminates, as force_sig does. Reply: attention level (never 0)."""

    tid: int
    info: SignalInfo


class Fatal(Message, frozen=True, gc=False):
    """exit_group, execve: every thread of `pid` but `except_tid` must end. Reply: None."""

    pid: int
    except_tid: int


class Deliver(Message, frozen=True, gc=False):
    """On the way back to user space with attention: what now? `serial` is the ticket should the answer be "stop". Reply: Delivery.

    The core forgets its own attention *before* it asks (a kick that comes meanwhile must count); the reply carries what is left. It asks
    again until the answer is "none".
    """

    tid: int
    serial: int


class Sigreturn(Message, frozen=True, gc=False):
    """The handler returned: restore the mask. Reply: attention level."""

    tid: int
    mask: int


class ChildPolicy(Message, frozen=True, gc=False):
    """Does the parent discard its zombies (SIGCHLD ignored or SA_NOCLDWAIT)? Reply: bool."""

    pid: int


class StopSignal(Message, frozen=True, gc=False):
    """Is the process stopped? Reply: the signal that stopped every one of its threads, else 0.

    processes asks it when a thread reports its stop or ends: what it then does comes before a `Continued` of this stop (same pair).
    """

    pid: int


class GroupOrphaned(Message, frozen=True, gc=False):
    """The process's group became (or ceased to be) orphaned: SIGTSTP, SIGTTIN and SIGTTOU do not stop it by default. Reply: None."""

    pid: int
    orphaned: bool


class SignalStatistics(Message, frozen=True, gc=False):
    """Masks for /proc/PID/status; `tid` 0 is the main thread. Reply: kernel.signals.records.SignalStatisticsRecord."""

    pid: int
    tid: int


class Sigaction(SyscallMessage, frozen=True, gc=False):
    """rt_sigaction(2). `act` is None or (handler, mask, flags), handler 0 SIG_DFL, 1 SIG_IGN or an address. Reply: the previous one."""

    nr: ClassVar[int] = NUMBERS["rt_sigaction"]
    signo: int
    act: tuple[int, int, int] | None


class Sigprocmask(SyscallMessage, frozen=True, gc=False):
    """rt_sigprocmask(2). `mask` is None or a bit set. Reply: the previous mask."""

    nr: ClassVar[int] = NUMBERS["rt_sigprocmask"]
    how: int
    mask: int | None


class Sigpending(SyscallMessage, frozen=True, gc=False):
    """rt_sigpending(2). Reply: bit set of pending and blocked signals."""

    nr: ClassVar[int] = NUMBERS["rt_sigpending"]


class Sigsuspend(SyscallMessage, frozen=True, gc=False):
    """rt_sigsuspend(2): the mask is swapped before the park and restored after delivery. Reply: Failure(EINTR), WouldBlock."""

    nr: ClassVar[int] = NUMBERS["rt_sigsuspend"]
    mask: int


class Pause(SyscallMessage, frozen=True, gc=False):
    """pause(2). Reply: Failure(EINTR), WouldBlock."""

    nr: ClassVar[int] = NUMBERS["pause"]


class Sigtimedwait(SyscallMessage, frozen=True, gc=False):
    """rt_sigtimedwait(2). `deadline` absolute or None. Reply: SignalInfo, Failure(EAGAIN | EINTR), WouldBlock."""

    nr: ClassVar[int] = NUMBERS["rt_sigtimedwait"]
    mask: int
    deadline: int | None


Reply = Any
