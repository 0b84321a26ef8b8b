"""What `ipc` understands: pipes and FIFOs, futex queues. Pipe ends are counted by open file descriptions, which `files` owns."""

from __future__ import annotations

from typing import ClassVar

from actors.messages.base import Caller, Message


class CreatePipe(Message, frozen=True, gc=False):
    """A new pipe with one open read end and one open write end. Reply: pipe id."""


class CreateFifo(Message, frozen=True, gc=False):
    """A pipe for a FIFO that is being opened, with no end open yet. Reply: pipe id."""


class DropPipe(Message, frozen=True, gc=False):
    """The FIFO's inode is gone or was never opened: forget the pipe once no end is open."""

    oneway: ClassVar[bool] = True
    pipe: int


class CloseEnd(Message, frozen=True, gc=False):
    """The last descriptor of a description is gone: one read and/or write end less. Wakes the other side."""

    oneway: ClassVar[bool] = True
    pipe: int
    readable: bool
    writable: bool


class FifoOpen(Message, frozen=True, gc=False):
    """One more end, waiting for the other side as fifo(7) says. Asked by files, which alone queues the caller's ticket.

    `wait_generation` is -1 at the first attempt, which counts the end in; at a Resume it is the number that the first answer gave.
    Reply: FifoOpened, or Failure(ENXIO), which counts nothing in.
    """

    pipe: int
    readable: bool
    writable: bool
    nonblock: bool
    tid: int
    serial: int
    wait_generation: int


class FifoForget(Message, frozen=True, gc=False):
    """The open was interrupted: take the end back that FifoOpen counted. Reply: None."""

    pipe: int
    readable: bool
    writable: bool
    tid: int
    serial: int


class PipeRead(Message, frozen=True, gc=False):
    """Forwarded by files; `flags` are the description's, access mode included. Reply: bytes, Failure(EAGAIN), WouldBlock."""

    caller: Caller
    serial: int
    pipe: int
    count: int
    flags: int


class PipeWrite(Message, frozen=True, gc=False):
    """Forwarded by files. Reply: bytes written, Failure(EAGAIN | EPIPE, after SIGPIPE), WouldBlock."""

    caller: Caller
    serial: int
    pipe: int
    data: bytes
    flags: int


class PipeBytes(Message, frozen=True, gc=False):
    """FIONREAD. Reply: bytes in the buffer."""

    pipe: int


class FutexQueue(Message, frozen=True, gc=False):
    """Forwarded by memory after the compare: wait on `key`. Reply: WouldBlock; later 0, EINTR or ETIMEDOUT by Resume."""

    caller: Caller
    serial: int
    key: tuple[int, int, int]  # (0, object, offset) shared; (1, space, address) private
    deadline: int | None
    word: int  # the address, for the log


class FutexWake(Message, frozen=True, gc=False):
    """Wake at most `count` waiters of `key`, longest waiting first. Reply: how many."""

    caller: Caller
    serial: int
    key: tuple[int, int, int]
    count: int
    word: int


class FutexWakeDead(Message, frozen=True, gc=False):
    """CLEARTID: as FutexWake for one waiter, as Linux does, told by memory after it cleared a dead thread's word."""

    oneway: ClassVar[bool] = True
    key: tuple[int, int, int]


class Waiters(Message, frozen=True, gc=False):
    """Who waits for what, for reports. Reply: kernel.ipc.ipc.IpcStatistics."""


class FifoOpened(Message, frozen=True, gc=False):
    """Reply of FifoOpen. Where not `done`, the ticket is queued: `generation` is what to give as `wait_generation` at the Resume."""

    done: bool
    generation: int
