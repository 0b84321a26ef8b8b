"""The actor `ipc`: pipes, FIFOs, futex queues.

It serves what `files` forwards for descriptors that are pipes, and what `memory` forwards after it has compared a futex word. A thread
that waits here is woken through `scheduler`; its `Resume` comes straight to this actor. The objects in WouldBlock are `pipe:<id>` and
`futex:<kind>:<object or space>+<offset or address>`. The rules themselves stand in kernel/ipc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from actors.actor import Actor
from actors.events import FutexWakeEvent, PipeTransfer
from actors.messages import ipc, scheduler, signals
from actors.messages.base import Caller, Message, Resume
from actors.ranks import IPC, SCHEDULER, SIGNALS
from kernel.abi.flags import O_ACCMODE, O_NONBLOCK, O_RDWR, SI_USER
from kernel.abi.signos import SIGPIPE
from kernel.ipc import futexes
from kernel.ipc.ipc import IpcState, IpcStatistics, pipe_name
from kernel.ipc.pipes import PipeResult
from kernel.tickets import Ticket, WouldBlock


class IpcActor(Actor):
    """Serves messages/ipc.py."""

    rank: ClassVar[int] = IPC
    state: IpcState

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """Message class to method."""
        return {
            ipc.PipeRead: self.pipe_read,
            ipc.PipeWrite: self.pipe_write,
            ipc.PipeBytes: self.pipe_bytes,
            ipc.CreatePipe: self.create_pipe,
            ipc.CreateFifo: self.create_fifo,
            ipc.DropPipe: self.drop_pipe,
            ipc.CloseEnd: self.close_end,
            ipc.FifoOpen: self.fifo_open,
            ipc.FifoForget: self.fifo_forget,
            ipc.FutexQueue: self.futex_queue,
            ipc.FutexWake: self.futex_wake,
            ipc.FutexWakeDead: self.futex_wake_dead,
            ipc.Waiters: self.waiters,
            Resume: self.resume,
        }

    # ---- pipes --------------------------------------------------------------------------------------------------------------

    def create_pipe(self, message: ipc.CreatePipe) -> int:
        """A pipe with both ends open."""
        return self.state.create_pipe(self.config.machine.pipe_bytes)

    def create_fifo(self, message: ipc.CreateFifo) -> int:
        """A FIFO's pipe."""
        return self.state.create_fifo(self.config.machine.pipe_bytes)

    def drop_pipe(self, message: ipc.DropPipe) -> None:
        """No name leads to the FIFO any more."""
        self.state.drop_fifo(message.pipe)

    def close_end(self, message: ipc.CloseEnd) -> None:
        """A description is gone."""
        self._wake(self.state.close_end(message.pipe, message.readable, message.writable))

    def pipe_read(self, message: ipc.PipeRead) -> Any:
        """read(2): nothing here needs another actor's answer."""
        ticket = Ticket(message.caller.tid, message.serial)
        flags = message.flags
        result = self.state.read(ticket, message.pipe, message.count, nonblock=bool(flags & O_NONBLOCK), both=flags & O_ACCMODE == O_RDWR)
        return self._finish(message.caller, ticket, message.pipe, result)

    async def pipe_write(self, message: ipc.PipeWrite) -> Any:
        """write(2): a write without reader sends SIGPIPE to the thread before it answers EPIPE."""
        ticket = Ticket(message.caller.tid, message.serial)
        flags = message.flags
        result = self.state.write(ticket, message.pipe, message.data, nonblock=bool(flags & O_NONBLOCK), both=flags & O_ACCMODE == O_RDWR)
        if result.direction == "epipe":
            await self._send_sigpipe(message.caller)
        return self._finish(message.caller, ticket, message.pipe, result)

    def pipe_bytes(self, message: ipc.PipeBytes) -> int:
        """FIONREAD."""
        return len(self.state.pipes[message.pipe].buffer)

    # ---- FIFOs --------------------------------------------------------------------------------------------------------------

    def fifo_open(self, message: ipc.FifoOpen) -> ipc.FifoOpened:
        """An attempt to open; `files` parks the caller where it is not done."""
        ticket = Ticket(message.tid, message.serial)
        ends = (message.readable, message.writable)
        result = self.state.open_fifo(ticket, message.pipe, message.wait_generation, *ends, nonblock=message.nonblock)
        self._wake(result.wakes)
        return ipc.FifoOpened(result.done, result.generation)

    def fifo_forget(self, message: ipc.FifoForget) -> None:
        """The open was interrupted."""
        self._wake(self.state.forget_open(Ticket(message.tid, message.serial), message.pipe, message.readable, message.writable))

    # ---- futexes ------------------------------------------------------------------------------------------------------------

    def futex_queue(self, message: ipc.FutexQueue) -> WouldBlock:
        """FUTEX_WAIT, after the compare."""
        self.state.futexes.wait(Ticket(message.caller.tid, message.serial), message.key, message.deadline)
        return WouldBlock(IPC, futexes.REASON, futexes.object_name(message.key), message.deadline)

    def futex_wake(self, message: ipc.FutexWake) -> int:
        """FUTEX_WAKE: how many."""
        woken = self._wake_futex(message.key, message.count, message.word, message.caller.pid, message.caller.tid)
        return len(woken)

    def futex_wake_dead(self, message: ipc.FutexWakeDead) -> None:
        """A dead thread's CLEARTID word: one waiter, as Linux does."""
        self._wake_futex(message.key, 1, message.key[2], 0, 0)

    # ---- waits and reports ----------------------------------------------------------------------------------------------------

    async def resume(self, message: Resume) -> Any:
        """A thread that waited here runs again."""
        ticket = Ticket(message.caller.tid, message.serial)
        table = self.state.futexes
        if table.holds(ticket):
            answer = table.resume(ticket, message.interrupted, message.timed_out)
            if answer is not None:
                return answer
            wait = table.waits[ticket]
            return WouldBlock(IPC, futexes.REASON, futexes.object_name(wait.key), wait.deadline)
        assert ticket in self.state.pipe_of, f"resume of {ticket}, which waits for nothing here"
        pipe = self.state.pipe_of[ticket]
        result = self.state.resume_pipe(ticket, message.interrupted)
        if result.direction == "epipe":
            await self._send_sigpipe(message.caller)
        return self._finish(message.caller, ticket, pipe, result)

    def waiters(self, message: ipc.Waiters) -> IpcStatistics:
        """Pipes, futex queues, and who waits."""
        return self.state.statistics()

    # ---- inside -------------------------------------------------------------------------------------------------------------

    def _finish(self, caller: Caller, ticket: Ticket, pipe: int, result: PipeResult) -> Any:
        """Log, wake whom the call has made ready, and answer."""
        if result.direction and self.log.ipc:
            kept = self.state.pipes.get(pipe)
            buffered = 0 if kept is None else len(kept.buffer)
            event = PipeTransfer(pipe=pipe, direction=result.direction, count=result.moved, buffered=buffered)
            self.emit(event, pid=caller.pid, tid=caller.tid)
        self._wake(result.wakes)
        if result.answer is None:
            return WouldBlock(IPC, self.state.pipes[pipe].reason(ticket), pipe_name(pipe))
        return result.answer

    async def _send_sigpipe(self, caller: Caller) -> None:
        info = signals.SignalInfo(SIGPIPE, SI_USER, pid=caller.pid, uid=caller.uid)
        self.give_attention(await self.ask(SIGNALS, signals.Post(caller.pid, caller.tid, info, caller.tid)))

    def _wake_futex(self, key: tuple[int, int, int], count: int, word: int, pid: int, tid: int) -> list[Ticket]:
        woken = self.state.futexes.wake(key, count)
        if self.log.futex:
            event = FutexWakeEvent(address=word, key=list(key), count=count, woken=[ticket.tid for ticket in woken])
            self.emit(event, pid=pid, tid=tid)
        self._wake(woken)
        return woken

    def _wake(self, tickets: Iterable[Ticket]) -> None:
        for ticket in tickets:
            self.tell(SCHEDULER, scheduler.Wake(ticket.tid, ticket.serial, timed_out=False))
