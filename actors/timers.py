"""The actor `timers`: sleeps, timeouts of waits, alarms.

It waits for a message or for the earliest deadline, whichever comes first: `next_deadline` and `on_deadline` are the base class's hooks
for that. What is due becomes a wake of the ticket, with `timed_out` set, or SIGALRM of the process. Under search nothing is due by
itself: the conductor sends `Fire` for the timer that it has chosen among `state.armed()`. The rules themselves stand in kernel/timers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from actors.actor import Actor
from actors.events import TimerExpire, TimerStart
from actors.messages import scheduler, signals, timers
from actors.messages.base import Message, Resume
from actors.ranks import SCHEDULER, SIGNALS, TIMERS
from kernel.abi.errnos import Failure
from kernel.abi.flags import SI_KERNEL
from kernel.abi.signos import SIGALRM
from kernel.tickets import Ticket, WouldBlock
from kernel.timers.timer_queue import Timer
from kernel.timers.timers import OBJECT, REASON, TimersState, is_alarm


class TimersActor(Actor):
    """Serves messages/timers.py."""

    rank: ClassVar[int] = TIMERS
    state: TimersState

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """Message class to method."""
        return {
            timers.Arm: self.arm,
            timers.Disarm: self.disarm,
            timers.Nanosleep: self.nanosleep,
            timers.ClockNanosleep: self.clock_nanosleep,
            timers.Alarm: self.alarm,
            timers.ProcessGone: self.process_gone,
            timers.Fire: self.fire,
            Resume: self.resume,
        }

    def next_deadline(self) -> int | None:
        """When the earliest timer is due."""
        return self.state.next_deadline()

    def on_deadline(self) -> None:
        """Fire everything that is due."""
        for timer in self.state.fire_due(self.clock):
            self.cause = 0  # time itself, not the message served last
            self._expire(timer)

    # ---- messages -------------------------------------------------------------------------------------------------------------

    def arm(self, message: timers.Arm) -> None:
        """A wait begins that has a deadline."""
        self.state.arm(Ticket(message.tid, message.serial), message.deadline, message.path)
        self._log_start(message.tid, message.deadline, 0, message.tid)

    def disarm(self, message: timers.Disarm) -> None:
        """The wait is over."""
        self.state.disarm(Ticket(message.tid, message.serial))

    def nanosleep(self, message: timers.Nanosleep) -> WouldBlock | None:
        """Sleep until a deadline that the core has computed."""
        caller = message.caller
        ticket = Ticket(caller.tid, message.serial)
        until = self.state.nanosleep(ticket, message.deadline, self.clock, pid=caller.pid, path=caller.path)
        return self._sleep(message, until)

    def clock_nanosleep(self, message: timers.ClockNanosleep) -> WouldBlock | None:
        """Sleep for or until a time on some clock."""
        caller = message.caller
        ticket = Ticket(caller.tid, message.serial)
        until = self.state.clock_nanosleep(
            ticket, message.clock, message.flags, message.ns, self.clock, started=message.started, pid=caller.pid, path=caller.path
        )
        return self._sleep(message, until)

    def resume(self, message: Resume) -> Failure | WouldBlock | None:
        """A sleeper runs again."""
        ticket = Ticket(message.caller.tid, message.serial)
        answer = self.state.resume(ticket, message.interrupted, message.timed_out, self.clock)
        if isinstance(answer, int):
            return WouldBlock(TIMERS, REASON, OBJECT, answer)
        return answer

    def alarm(self, message: timers.Alarm) -> int:
        """SIGALRM for the caller's process, some seconds from now."""
        caller = message.caller
        left = self.state.alarm(caller.pid, caller.path, message.seconds, self.clock)
        deadline = self.state.alarm_deadline(caller.pid)
        if deadline is not None:
            self._log_start(caller.pid, deadline, caller.pid, caller.tid)
        return left

    def process_gone(self, message: timers.ProcessGone) -> None:
        """The process has exited."""
        self.state.process_gone(message.pid)

    def fire(self, message: timers.Fire) -> None:
        """The search has chosen this timer."""
        timer = self.state.fire(message.tid, message.serial)
        if timer is not None:
            self._expire(timer)

    # ---- inside -------------------------------------------------------------------------------------------------------------

    def _sleep(self, message: timers.Nanosleep | timers.ClockNanosleep, until: int | None) -> WouldBlock | None:
        """The timer is armed by now, so that the core need not ask for it."""
        if until is None:
            return None
        self._log_start(message.caller.tid, until, message.caller.pid, message.caller.tid)
        return WouldBlock(TIMERS, REASON, OBJECT, until)

    def _expire(self, timer: Timer) -> None:
        _, target, serial = timer.key
        if self.log.timer:
            self.emit(TimerExpire(target=target, deadline=timer.deadline), pid=timer.pid)
        if is_alarm(timer):
            self.tell(SIGNALS, signals.PostOneway(target, 0, signals.SignalInfo(SIGALRM, SI_KERNEL)))
        else:
            self.tell(SCHEDULER, scheduler.Wake(target, serial, timed_out=True))

    def _log_start(self, target: int, deadline: int, pid: int, tid: int) -> None:
        if self.log.timer:
            self.emit(TimerStart(target=target, deadline=deadline), pid=pid, tid=tid)
