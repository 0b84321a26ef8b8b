"""Opening a FIFO: an opener waits for the other side (fifo(7)).

A FIFO's pipe has, beside its ends, two *generations*: how often a read end and a write end were opened so far. An opener without partner
remembers the other side's generation and sleeps until it has changed. So it succeeds once the other side was opened, even if that
closed again before the sleeper ran: comparing the counts of open ends would lose such a meeting. This is Linux's `wait_for_partner`
with `r_counter` and `w_counter`.

An opener counts as an end from its first attempt on: that is what its partner finds. If its wait is interrupted, `forget` takes the end
back. `files` owns the call (the Resume goes there); this object only wakes its ticket. O_RDWR never waits, O_WRONLY | O_NONBLOCK without
a reader is ENXIO, O_RDONLY | O_NONBLOCK never waits.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kernel.abi.errno_values import ENXIO
from kernel.abi.errnos import SysError
from kernel.invariants import Violation
from kernel.ipc.pipes import Pipe
from kernel.tickets import Ticket


class OpenWait(msgspec.Struct):
    """A FIFO open that waits for the other side."""

    reads: bool  # it opens the read end, and waits for a writer
    generation: int  # of the other side when it began to wait
    woken: bool = False  # a wake is on its way


class OpenResult(msgspec.Struct):
    """What an attempt to open gave."""

    done: bool  # False: the ticket is queued
    generation: int  # of the other side when the wait began: to be given at the next attempt
    wakes: list[Ticket] = []  # openers that have met their partner, then calls of the pipe


class Rendezvous(msgspec.Struct):
    """Where openers of one FIFO meet. Plain data."""

    read_generation: int = 0  # read ends opened so far
    write_generation: int = 0  # write ends opened so far
    openers: dict[Ticket, OpenWait] = {}  # Invariant: fifo_partners - whoever has met its partner is woken

    def open(self, pipe: Pipe, ticket: Ticket, readable: bool, writable: bool, *, nonblock: bool) -> OpenResult:
        """First attempt: counts the end in. Raises SysError(ENXIO), having changed nothing."""
        if nonblock and not readable and pipe.readers == 0:
            raise SysError(ENXIO)
        pipe.open_end(readable, writable)
        self.read_generation += readable
        self.write_generation += writable
        wakes = self._wake_met()
        if readable and (writable or nonblock or pipe.writers > 0):
            return OpenResult(done=True, generation=self.write_generation, wakes=wakes)
        if not readable and pipe.readers > 0:
            return OpenResult(done=True, generation=self.read_generation, wakes=wakes)
        generation = self._partner_generation(readable)
        self.openers[ticket] = OpenWait(readable, generation)
        return OpenResult(done=False, generation=generation, wakes=wakes)

    def resume(self, ticket: Ticket, readable: bool, generation: int) -> OpenResult:
        """Another attempt of a queued opener: done if the other side was opened since `generation`."""
        if self._partner_generation(readable) != generation:
            self.openers.pop(ticket, None)
            return OpenResult(done=True, generation=generation)
        self.openers[ticket].woken = False
        return OpenResult(done=False, generation=generation)

    def forget(self, pipe: Pipe, ticket: Ticket, readable: bool, writable: bool) -> list[Ticket]:
        """The open was given up: its end is taken back. Whom to wake."""
        self.openers.pop(ticket, None)
        return pipe.close_end(readable, writable)

    def _partner_generation(self, reads: bool) -> int:
        return self.write_generation if reads else self.read_generation

    def _wake_met(self) -> list[Ticket]:
        wakes: list[Ticket] = []
        for ticket, wait in self.openers.items():
            if not wait.woken and self._partner_generation(wait.reads) != wait.generation:
                wait.woken = True
                wakes.append(ticket)
        return wakes

    def check(self, pipe: Pipe) -> Iterator[Violation]:
        """The invariants of one FIFO, together with its pipe."""
        for ticket, wait in self.openers.items():
            if not wait.woken and self._partner_generation(wait.reads) != wait.generation:
                yield Violation("fifo_partners", f"pipe {pipe.number}: open of thread {ticket.tid} waits although its partner came")
        opening = sum(wait.reads for wait in self.openers.values())
        if opening > pipe.readers or len(self.openers) - opening > pipe.writers:
            yield Violation("pipe_ends", f"pipe {pipe.number}: an opener of the FIFO does not count as an end")
