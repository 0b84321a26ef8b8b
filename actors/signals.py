"""The actor `signals`: hands its messages to kernel/signals, tells the scheduler who has attention, and logs what is sent.

Every reply to a thread's own call carries that thread's attention, so that a signal it sends to itself, or has just unblocked, is delivered
before its next op. Whoever else is concerned hears it from the scheduler, and only from there: this actor is the one source of
`Attention`, so what it says about a thread arrives in order (law 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from actors.actor import Actor
from actors.events import SignalGenerate
from actors.messages import processes, scheduler, signals
from actors.messages.base import Message, Resume
from actors.ranks import PROCESSES, SCHEDULER, SIGNALS
from kernel.abi.errnos import Failure
from kernel.abi.signos import signal_name
from kernel.signals.delivery import Delivery
from kernel.signals.pending import SignalInfo
from kernel.signals.records import SignalStatisticsRecord
from kernel.signals.signals import OWNER, Signals
from kernel.tickets import Ticket, WouldBlock

assert OWNER == SIGNALS, "kernel/signals names its owner in WouldBlock by this rank"


class SignalsActor(Actor):
    """Serves messages/signals.py."""

    rank: ClassVar[int] = SIGNALS
    state: Signals

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """Message class to method."""
        return {
            signals.AddProcess: self.add_process,
            signals.CopySignals: self.copy_signals,
            signals.RemoveThread: self.remove_thread,
            signals.ResetForExec: self.reset_for_exec,
            signals.Post: self.post,
            signals.PostOneway: self.post_oneway,
            signals.Fault: self.fault,
            signals.Fatal: self.fatal,
            signals.Deliver: self.deliver,
            signals.Sigreturn: self.sigreturn,
            signals.ChildPolicy: self.child_policy,
            signals.StopSignal: self.stop_signal,
            signals.GroupOrphaned: self.group_orphaned,
            signals.SignalStatistics: self.statistics,
            signals.Sigaction: self.sigaction,
            signals.Sigprocmask: self.sigprocmask,
            signals.Sigpending: self.sigpending,
            signals.Sigsuspend: self.sigsuspend,
            signals.Pause: self.pause_call,
            signals.Sigtimedwait: self.sigtimedwait,
            Resume: self.resume,
        }

    # ---- processes and threads ------------------------------------------------------------------------------------------------

    def add_process(self, message: signals.AddProcess) -> None:
        """A first process."""
        self.state.add_process(message.pid)

    def copy_signals(self, message: signals.CopySignals) -> None:
        """A new thread or process."""
        self.state.copy(message.parent_tid, message.tid, message.pid, message.flags, self)

    def remove_thread(self, message: signals.RemoveThread) -> int:
        """A thread ends; by that a stop of the others may be complete."""
        pid = self.state.threads[message.tid].pid
        self.state.remove(message.tid, message.last, self)
        return self.state.stop_signal(pid)

    def reset_for_exec(self, message: signals.ResetForExec) -> None:
        """A new image."""
        self.state.reset_for_exec(message.tid, message.pid, self)

    def stop_signal(self, message: signals.StopSignal) -> int:
        """What stopped the whole process."""
        return self.state.stop_signal(message.pid)

    def group_orphaned(self, message: signals.GroupOrphaned) -> None:
        """Who is left to continue a stopped process?"""
        self.state.set_orphaned(message.pid, message.orphaned)

    def child_policy(self, message: signals.ChildPolicy) -> bool:
        """Zombies or not."""
        return self.state.discards_children(message.pid)

    def statistics(self, message: signals.SignalStatistics) -> SignalStatisticsRecord:
        """What /proc shows."""
        return self.state.statistics(message.pid, message.tid)

    # ---- signals ----------------------------------------------------------------------------------------------------------------

    def post(self, message: signals.Post) -> int:
        """Send a signal; the caller's own attention comes back."""
        self._send(message.pid, message.tid, message.info)
        return self._attention_of(message.caller_tid)

    def post_oneway(self, message: signals.PostOneway) -> None:
        """Send a signal."""
        self._send(message.pid, message.tid, message.info)

    def fault(self, message: signals.Fault) -> int:
        """The thread's own instruction failed."""
        self.state.fault(message.tid, message.info, self)
        pid = self.state.threads[message.tid].pid
        self._log(pid, message.tid, message.info, "queued")
        return self._attention_of(message.tid)

    def fatal(self, message: signals.Fatal) -> None:
        """All threads but one must end."""
        self.state.fatal(message.pid, message.except_tid, self)

    def deliver(self, message: signals.Deliver) -> Delivery:
        """What does the thread have to do?"""
        delivery = self.state.deliver(message.tid, message.serial, self)
        self._attention_of(message.tid)
        return delivery

    def sigreturn(self, message: signals.Sigreturn) -> int:
        """A handler is over."""
        self.state.sigreturn(message.tid, message.mask, self)
        return self._attention_of(message.tid)

    # ---- system calls -------------------------------------------------------------------------------------------------------------

    def sigaction(self, message: signals.Sigaction) -> tuple[int, int, int]:
        """Set what a signal does."""
        return self.state.sigaction(message.caller.tid, message.signo, message.act, self)

    def sigprocmask(self, message: signals.Sigprocmask) -> int:
        """Block and unblock."""
        tid = message.caller.tid
        before = self.state.sigprocmask(tid, message.how, message.mask, self)
        self._attention_of(tid)
        return before

    def sigpending(self, message: signals.Sigpending) -> int:
        """What waits because it is blocked."""
        return self.state.sigpending(message.caller.tid)

    def sigsuspend(self, message: signals.Sigsuspend) -> Failure | WouldBlock:
        """Wait with another mask."""
        tid = message.caller.tid
        answer = self.state.sigsuspend(Ticket(tid, message.serial), message.mask, self)
        self._attention_of(tid)
        return answer

    def pause_call(self, message: signals.Pause) -> Failure | WouldBlock:
        """Wait for any signal."""
        tid = message.caller.tid
        self._attention_of(tid)
        return self.state.pause(Ticket(tid, message.serial))

    def sigtimedwait(self, message: signals.Sigtimedwait) -> SignalInfo | Failure | WouldBlock:
        """Take a signal of a set, or wait for one."""
        tid = message.caller.tid
        answer = self.state.sigtimedwait(Ticket(tid, message.serial), message.mask, message.deadline, self.clock, self)
        self._attention_of(tid)
        return answer

    def resume(self, message: Resume) -> SignalInfo | Failure | WouldBlock | None:
        """A thread that waited here runs again; what is pending decides, not the reason why it was woken."""
        tid = message.caller.tid
        answer = self.state.resume(Ticket(tid, message.serial), message.timed_out, self)
        self._attention_of(tid)
        return answer

    # ---- kernel.signals.records.Listener ------------------------------------------------------------------------------------------

    def attention_changed(self, tid: int, level: int) -> None:
        """Tell the scheduler."""
        self.tell(SCHEDULER, scheduler.Attention(tid, level))

    def wake(self, tid: int, serial: int) -> None:
        """Tell the scheduler."""
        self.tell(SCHEDULER, scheduler.Wake(tid, serial, timed_out=False))

    def renamed(self, old_tid: int, new_tid: int) -> None:
        """Tell the scheduler."""
        self.tell(SCHEDULER, scheduler.Renamed(old_tid, new_tid))

    def continued(self, pid: int) -> None:
        """Tell processes."""
        self.tell(PROCESSES, processes.Continued(pid))

    # ---- inside -------------------------------------------------------------------------------------------------------------------

    def _attention_of(self, tid: int) -> int:
        """The attention of the thread that is being served; it goes into the reply."""
        level = self.state.level_of(tid)
        self.give_attention(level)
        return level

    def _send(self, pid: int, tid: int, info: SignalInfo) -> None:
        result = self.state.post(pid, tid, info, self)
        self._log(pid, tid, info, result)

    def _log(self, pid: int, tid: int, info: SignalInfo, result: str) -> None:
        if self.log.signal:
            event = SignalGenerate(
                signo=info.signo, name=signal_name(info.signo), code=info.code, target_pid=pid, target_tid=tid, result=result
            )
            self.emit(event, pid=info.pid)
