"""A pipe: a bounded queue of bytes between open write ends and open read ends (pipe(7)).

The object never blocks. `read` and `write` answer what the call gives, or queue the caller's ticket and answer None; the thread is woken
when its call may go on, and `resume` then decides what became of it. A typical sequence: a reader meets an empty buffer and is queued;
a write puts bytes there, and the reader's ticket is in that result's `wakes`; the reader resumes and takes whatever is there by then.
A wake gives no right to the bytes: a reader that comes in between may take them, and the woken one waits on, in its old place.

Rules that make pipes what they are:

- a write of up to PIPE_BUF bytes goes in whole or not at all; a longer one goes in as room appears, mixed with others' bytes;
- a reader sees the end when the buffer is empty and no write end is open; a writer gets EPIPE when no read end is open;
- a blocked call pins its description, as Linux pins the file: a side counts as open while a call that came through it still waits,
  although another thread has closed the descriptor.

Room is counted in bytes. Linux counts in page slots, so there many small writes may fill a pipe earlier than its size says.
Not here: signals (the actor sends SIGPIPE when `direction` is "epipe"), descriptors and their counting (files), opening FIFOs (fifos.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from kernel.abi.errno_values import EAGAIN, EINTR, EPIPE
from kernel.abi.errnos import Failure
from kernel.abi.flags import PIPE_BUF
from kernel.invariants import Violation
from kernel.tickets import Ticket

READING: Final = "pipe_read"  # reasons of a blocked call, as the log shows them
WRITING: Final = "pipe_write"


class ReadWait(msgspec.Struct):
    """A blocked read(2)."""

    count: int  # bytes asked for, at least 1
    both: bool  # through an O_RDWR description: pins the write side too
    woken: bool = False  # a wake is on its way: it will resume


class WriteWait(msgspec.Struct):
    """A blocked write(2)."""

    data: bytes  # all that the call was given
    both: bool  # through an O_RDWR description: pins the read side too
    done: int = 0  # bytes that are in the pipe already; only writes longer than PIPE_BUF stop half way
    woken: bool = False  # a wake is on its way: it will resume


class PipeResult(msgspec.Struct):
    """What one call did."""

    answer: bytes | int | Failure | None = None  # None: the ticket is queued
    wakes: list[Ticket] = []  # whose calls may go on now, longest waiting first
    direction: str = ""  # "read", "write", "eof", "epipe" (SIGPIPE is due); "" where nothing happened
    moved: int = 0  # bytes


class PipeStatistics(msgspec.Struct, frozen=True):
    """A pipe as reports show it."""

    pipe: int
    fifo: bool
    buffered: int  # bytes
    capacity: int  # bytes
    readers: int  # open descriptions with a read end
    writers: int
    reading: tuple[Ticket, ...]  # blocked reads, longest waiting first
    writing: tuple[Ticket, ...]
    opening: tuple[Ticket, ...]  # FIFO opens that wait for the other side


class Pipe(msgspec.Struct):
    """One pipe. Plain data: it can be copied and compared."""

    number: int
    capacity: int  # bytes, at least PIPE_BUF: else an atomic write could never be served
    readers: int  # descriptions with a read end. Invariant: pipe_ends - counts are not negative; without ends no bytes stay
    writers: int  # descriptions with a write end
    buffer: bytearray = msgspec.field(default_factory=bytearray)  # Invariant: pipe_capacity - it never holds more than `capacity` bytes
    # Invariant: pipe_waiters - no call waits that could go on, unless its wake is on its way
    reading: dict[Ticket, ReadWait] = {}  # in order of arrival
    writing: dict[Ticket, WriteWait] = {}

    # ---- calls --------------------------------------------------------------------------------------------------------------

    def read(self, ticket: Ticket, count: int, *, nonblock: bool, both: bool) -> PipeResult:
        """Take at most `count` bytes. EAGAIN where `nonblock` and the pipe is empty; b"" at the end."""
        if count == 0:
            return PipeResult(b"")
        result = self._take(count)
        if result.answer is None:
            if nonblock:
                result.answer = Failure(EAGAIN)
            else:
                self.reading[ticket] = ReadWait(count, both)
        return result

    def write(self, ticket: Ticket, data: bytes, *, nonblock: bool, both: bool) -> PipeResult:
        """Put `data` in: bytes written. EPIPE without a reader; EAGAIN where `nonblock` and there is no room."""
        if not data:
            return PipeResult(0)
        wait = WriteWait(data, both)
        result = self._fill(wait)
        if result.answer is None:
            if nonblock:
                result.answer = wait.done or Failure(EAGAIN)
            else:
                self.writing[ticket] = wait
        return result

    def resume(self, ticket: Ticket, interrupted: bool) -> PipeResult:
        """The thread runs again: what became of its call? A write interrupted after some progress answers its count so far."""
        reading = self.reading.get(ticket)
        if reading is not None:
            result = self._take(reading.count)
            reading.woken = False
            if result.answer is None and interrupted:
                result.answer = Failure(EINTR)
        else:
            writing = self.writing[ticket]
            result = self._fill(writing)
            writing.woken = False
            if result.answer is None and interrupted:
                result.answer = writing.done or Failure(EINTR)
        if result.answer is not None:
            self.reading.pop(ticket, None)
            self.writing.pop(ticket, None)
            self._forget_bytes()
            result.wakes += self.wake_ready()  # the ticket may have pinned the last end of a side
        return result

    def reason(self, ticket: Ticket) -> str:
        """What the blocked call of `ticket` waits for."""
        return READING if ticket in self.reading else WRITING

    # ---- ends ---------------------------------------------------------------------------------------------------------------

    def open_end(self, readable: bool, writable: bool) -> None:
        """One more description has this end (or both)."""
        self.readers += readable
        self.writers += writable

    def close_end(self, readable: bool, writable: bool) -> list[Ticket]:
        """The description is gone: whom to wake (readers see the end, writers EPIPE)."""
        assert self.readers >= readable, f"pipe {self.number}: a read end is closed that was not open"
        assert self.writers >= writable, f"pipe {self.number}: a write end is closed that was not open"
        self.readers -= readable
        self.writers -= writable
        self._forget_bytes()
        return self.wake_ready()

    @property
    def read_side_open(self) -> bool:
        """Somebody may still read: a description, or a call that came through one."""
        return self.readers > 0 or bool(self.reading) or any(wait.both for wait in self.writing.values())

    @property
    def write_side_open(self) -> bool:
        """Somebody may still write."""
        return self.writers > 0 or bool(self.writing) or any(wait.both for wait in self.reading.values())

    # ---- waking -------------------------------------------------------------------------------------------------------------

    def wake_ready(self) -> list[Ticket]:
        """Mark all calls that could go on and are not woken yet; their tickets, readers first."""
        wakes: list[Ticket] = []
        if self.reading and (self.buffer or not self.write_side_open):
            for ticket, reading in self.reading.items():
                if not reading.woken:
                    reading.woken = True
                    wakes.append(ticket)
        for ticket, writing in self.writing.items():
            if not writing.woken and self._may_fill(writing):
                writing.woken = True
                wakes.append(ticket)
        return wakes

    # ---- inside -------------------------------------------------------------------------------------------------------------

    def _take(self, count: int) -> PipeResult:
        if self.buffer:
            data = bytes(self.buffer[:count])
            del self.buffer[:count]
            return PipeResult(data, self.wake_ready(), "read", len(data))
        if not self.write_side_open:
            return PipeResult(b"", [], "eof")
        return PipeResult()

    def _fill(self, wait: WriteWait) -> PipeResult:
        """Put in what fits; `answer` stays None while some of it is left."""
        if not self.read_side_open:
            return PipeResult(wait.done or Failure(EPIPE), [], "epipe")
        if not self._may_fill(wait):
            return PipeResult()
        piece = wait.data[wait.done : wait.done + self.capacity - len(self.buffer)]
        self.buffer += piece
        wait.done += len(piece)
        answer = wait.done if wait.done == len(wait.data) else None
        return PipeResult(answer, self.wake_ready(), "write", len(piece))

    def _may_fill(self, wait: WriteWait) -> bool:
        """Would a try change anything? True also where it would fail with EPIPE."""
        room = self.capacity - len(self.buffer)
        needed = len(wait.data) if len(wait.data) <= PIPE_BUF else 1
        return room >= needed or not self.read_side_open

    def _forget_bytes(self) -> None:
        """Bytes in a FIFO that nobody has open are gone, as Linux frees the buffer at the last close."""
        if not self.read_side_open and not self.write_side_open:
            self.buffer.clear()

    # ---- reports ------------------------------------------------------------------------------------------------------------

    def check(self) -> Iterator[Violation]:
        """The invariants of one pipe."""
        where = f"pipe {self.number}"
        if len(self.buffer) > self.capacity:
            yield Violation("pipe_capacity", f"{where} holds {len(self.buffer)} of {self.capacity} bytes")
        if self.readers < 0 or self.writers < 0:
            yield Violation("pipe_ends", f"{where} has {self.readers} readers and {self.writers} writers")
        if self.buffer and not self.read_side_open and not self.write_side_open:
            yield Violation("pipe_ends", f"{where} has no end open and keeps {len(self.buffer)} bytes")
        for ticket, reading in self.reading.items():
            if not reading.woken and (self.buffer or not self.write_side_open):
                yield Violation("pipe_waiters", f"{where}: read of thread {ticket.tid} waits although it could go on")
        for ticket, writing in self.writing.items():
            if not writing.woken and self._may_fill(writing):
                yield Violation("pipe_waiters", f"{where}: write of thread {ticket.tid} waits although it could go on")
