"""All state of interprocess communication: pipes by id, where FIFOs' openers meet, futex queues, and which ticket waits where.

`files` names a pipe by its id. A pipe made by pipe(2) begins with both ends open and is gone when the last one closes; a FIFO's pipe lives
until `files` drops it and its last end is closed. Ids count up and are never used twice.
A `Resume` names only a ticket; `pipe_of` and the futex table say what that ticket waits for. Openers of FIFOs are not resumed here.

Names of objects, in WouldBlock and in the log: `pipe:3`, and `futex:1:7+4096` (see futexes.object_name).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kernel.abi.flags import PIPE_BUF
from kernel.invariants import Violation
from kernel.ipc.fifos import OpenResult, Rendezvous
from kernel.ipc.futexes import FutexStatistics, FutexTable
from kernel.ipc.pipes import Pipe, PipeResult, PipeStatistics
from kernel.tickets import Ticket


def pipe_name(pipe: int) -> str:
    """The pipe as WouldBlock and the log name it: `pipe:3`."""
    return f"pipe:{pipe}"


class IpcStatistics(msgspec.Struct, frozen=True):
    """What is open and who waits for what."""

    pipes: tuple[PipeStatistics, ...]  # by id
    futexes: tuple[FutexStatistics, ...]  # words that somebody waits on, by key


class IpcState(msgspec.Struct):
    """What the actor `ipc` owns. Plain data."""

    next_pipe: int = 1
    pipes: dict[int, Pipe] = {}  # Invariant: pipe_ends - a pipe that is no FIFO, or is dropped, has an end open
    fifos: dict[int, Rendezvous] = {}  # by pipe id
    dropped: dict[int, None] = {}  # FIFOs whose inode is gone, while an end is still open
    pipe_of: dict[Ticket, int] = {}  # Invariant: pipe_tickets - exactly the blocked reads and writes of all pipes
    futexes: FutexTable = msgspec.field(default_factory=FutexTable)

    # ---- pipes --------------------------------------------------------------------------------------------------------------

    def create_pipe(self, capacity: int) -> int:
        """pipe(2): a pipe with one read and one write end open; its id. `capacity` in bytes."""
        return self._create(capacity, 1)

    def create_fifo(self, capacity: int) -> int:
        """A pipe for a FIFO, with no end open; its id."""
        pipe = self._create(capacity, 0)
        self.fifos[pipe] = Rendezvous()
        return pipe

    def read(self, ticket: Ticket, pipe: int, count: int, *, nonblock: bool, both: bool) -> PipeResult:
        """Read from a pipe; `both`: through an O_RDWR description. An answer of None means that the ticket is queued."""
        result = self.pipes[pipe].read(ticket, count, nonblock=nonblock, both=both)
        if result.answer is None:
            self.pipe_of[ticket] = pipe
        return result

    def write(self, ticket: Ticket, pipe: int, data: bytes, *, nonblock: bool, both: bool) -> PipeResult:
        """Write to a pipe, as `read`."""
        result = self.pipes[pipe].write(ticket, data, nonblock=nonblock, both=both)
        if result.answer is None:
            self.pipe_of[ticket] = pipe
        return result

    def resume_pipe(self, ticket: Ticket, interrupted: bool) -> PipeResult:
        """The thread that was queued by `read` or `write` runs again."""
        pipe = self.pipe_of[ticket]
        result = self.pipes[pipe].resume(ticket, interrupted)
        if result.answer is not None:
            del self.pipe_of[ticket]
            self._free_unused(pipe)
        return result

    def close_end(self, pipe: int, readable: bool, writable: bool) -> list[Ticket]:
        """A description of the pipe is gone: whom to wake."""
        wakes = self.pipes[pipe].close_end(readable, writable)
        self._free_unused(pipe)
        return wakes

    # ---- FIFOs --------------------------------------------------------------------------------------------------------------

    def open_fifo(self, ticket: Ticket, pipe: int, generation: int, readable: bool, writable: bool, *, nonblock: bool) -> OpenResult:
        """An attempt to open; `generation` is -1 at the first. Raises SysError(ENXIO)."""
        rendezvous = self.fifos[pipe]
        if generation < 0:
            return rendezvous.open(self.pipes[pipe], ticket, readable, writable, nonblock=nonblock)
        return rendezvous.resume(ticket, readable, generation)

    def forget_open(self, ticket: Ticket, pipe: int, readable: bool, writable: bool) -> list[Ticket]:
        """The open was interrupted: whom to wake."""
        wakes = self.fifos[pipe].forget(self.pipes[pipe], ticket, readable, writable)
        self._free_unused(pipe)
        return wakes

    def drop_fifo(self, pipe: int) -> None:
        """No inode names the FIFO any more: it goes with its last end."""
        self.dropped[pipe] = None
        self._free_unused(pipe)

    # ---- reports ------------------------------------------------------------------------------------------------------------

    def statistics(self) -> IpcStatistics:
        """What is open and who waits for what."""
        return IpcStatistics(tuple(self._pipe_statistics(self.pipes[pipe]) for pipe in sorted(self.pipes)), self.futexes.statistics())

    def check(self) -> Iterator[Violation]:
        """All invariants of this owner."""
        waiting: dict[Ticket, int] = {}
        for number, pipe in self.pipes.items():
            yield from pipe.check()
            if number in self.fifos:
                yield from self.fifos[number].check(pipe)
            if self._is_unused(number):
                yield Violation("pipe_ends", f"pipe {number} is kept although no end of it is open")
            waiting |= dict.fromkeys((*pipe.reading, *pipe.writing), number)
        if waiting != self.pipe_of:
            yield Violation("pipe_tickets", f"waiting are {waiting}, known are {self.pipe_of}")
        yield from self.futexes.check()

    # ---- inside -------------------------------------------------------------------------------------------------------------

    def _create(self, capacity: int, ends: int) -> int:
        number = self.next_pipe
        self.next_pipe += 1
        self.pipes[number] = Pipe(number, max(capacity, PIPE_BUF), ends, ends)
        return number

    def _is_unused(self, number: int) -> bool:
        pipe = self.pipes[number]
        return (number not in self.fifos or number in self.dropped) and not pipe.read_side_open and not pipe.write_side_open

    def _free_unused(self, number: int) -> None:
        if self._is_unused(number):
            del self.pipes[number]
            self.fifos.pop(number, None)
            self.dropped.pop(number, None)

    def _pipe_statistics(self, pipe: Pipe) -> PipeStatistics:
        number = pipe.number
        opening = tuple(self.fifos[number].openers) if number in self.fifos else ()
        return PipeStatistics(
            pipe=number,
            fifo=number in self.fifos,
            buffered=len(pipe.buffer),
            capacity=pipe.capacity,
            readers=pipe.readers,
            writers=pipe.writers,
            reading=tuple(pipe.reading),
            writing=tuple(pipe.writing),
            opening=opening,
        )
