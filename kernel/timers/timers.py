"""All state of the actor `timers`: armed timers, and the sleeps that wait for one.

Three kinds of timer stand in one queue. A *timeout* belongs to a wait that another owner holds: the core arms it before it parks the thread
and disarms it when the wait is over; when due it only wakes the ticket. A *sleep* is a wait of our own (nanosleep(2)): it is armed
when the call is answered with WouldBlock, and its `Resume` comes here. An *alarm* belongs to a process and becomes SIGALRM.

A sleep remembers that its timer fired, so that the thread finds its sleep complete when it runs, even if a signal came at the same time,
and even if a search let the timer fire before its time. An interrupted relative sleep answers EINTR with what is left; an absolute one
answers just EINTR.

Times are absolute virtual ns. `now_ns` is the actor's clock, passed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from kernel.abi.errno_values import EINTR, EINVAL
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import TIMER_ABSTIME
from kernel.invariants import Violation
from kernel.tickets import Ticket
from kernel.timers.alarms import alarm_key, set_alarm
from kernel.timers.clocks import TIME_MAX_NS, check_sleep_clock, monotonic_ns
from kernel.timers.timer_queue import ALARM, WAIT, Key, Timer, TimerQueue

REASON: Final = "nanosleep"  # of a blocked sleep, as the log shows it
OBJECT: Final = "timer"


class Sleep(msgspec.Struct):
    """A thread that sleeps."""

    deadline: int  # absolute ns
    absolute: bool  # TIMER_ABSTIME: an interrupted sleep does not say what is left
    fired: bool = False  # its timer has fired: the sleep is complete


class ArmedTimer(msgspec.Struct, frozen=True):
    """One armed timer as searches see it: a candidate transition, named by (tid, serial)."""

    path: tuple[int, ...]  # stable identity of the thread that armed it
    tid: int  # of an alarm: its process
    serial: int  # of an alarm: ALARM_SERIAL
    deadline: int  # absolute ns
    pure_sleep: bool  # True: nanosleep, which waits for nothing but time


class TimersState(msgspec.Struct):
    """What the actor `timers` owns. Plain data."""

    queue: TimerQueue = msgspec.field(default_factory=TimerQueue)
    slack_ns: int = 0  # a sleep may end so much late, so that sleeps which end at about the same time end by one interrupt (prctl(2))
    sleeps: dict[Ticket, Sleep] = {}  # Invariant: sleep_timers - a sleep has an armed timer exactly until it fires

    # ---- waits of other owners ----------------------------------------------------------------------------------------------

    def arm(self, ticket: Ticket, deadline: int, path: tuple[int, ...]) -> None:
        """The wait of `ticket` times out at `deadline`."""
        self.queue.arm(Timer(_wait_key(ticket), min(deadline, TIME_MAX_NS), path, pure_sleep=False, pid=0))

    def disarm(self, ticket: Ticket) -> None:
        """The wait is over; harmless if its timer has fired."""
        self.queue.cancel(_wait_key(ticket))

    # ---- sleeps -------------------------------------------------------------------------------------------------------------

    def nanosleep(self, ticket: Ticket, deadline: int, now_ns: int, *, pid: int, path: tuple[int, ...]) -> int | None:
        """Sleep until `deadline`: the deadline if the ticket is queued, None if that time is past. EINVAL where negative."""
        if deadline < 0:
            raise SysError(EINVAL)
        return self._sleep(ticket, deadline, now_ns, absolute=False, pid=pid, path=path)

    def clock_nanosleep(
        self, ticket: Ticket, clock: int, flags: int, ns: int, now_ns: int, *, started: int, pid: int, path: tuple[int, ...]
    ) -> int | None:
        """Sleep on a clock of choice, as `nanosleep`. `started` is when the call was first made. EINVAL, EOPNOTSUPP.

        Flags other than TIMER_ABSTIME are ignored, as Linux does.
        """
        check_sleep_clock(clock)
        if ns < 0:
            raise SysError(EINVAL)
        absolute = bool(flags & TIMER_ABSTIME)
        deadline = monotonic_ns(clock, ns) if absolute else started + ns
        return self._sleep(ticket, deadline, now_ns, absolute=absolute, pid=pid, path=path)

    def resume(self, ticket: Ticket, interrupted: bool, timed_out: bool, now_ns: int) -> Failure | int | None:
        """The sleeper runs again: None if it has slept enough, Failure(EINTR), or its deadline if it sleeps on."""
        sleep = self.sleeps[ticket]
        if not (sleep.fired or timed_out or sleep.deadline <= now_ns):
            if not interrupted:
                return sleep.deadline
            self._forget_sleep(ticket)
            return Failure(EINTR) if sleep.absolute else Failure(EINTR, sleep.deadline - now_ns)
        self._forget_sleep(ticket)
        return None

    # ---- alarms -------------------------------------------------------------------------------------------------------------

    def alarm(self, pid: int, path: tuple[int, ...], seconds: int, now_ns: int) -> int:
        """Arm or cancel: the seconds that the previous alarm had left."""
        return set_alarm(self.queue, pid, path, seconds, now_ns)

    def alarm_deadline(self, pid: int) -> int | None:
        """When SIGALRM of `pid` is due, absolute ns; None without alarm."""
        timer = self.queue.get(alarm_key(pid))
        return None if timer is None else timer.deadline

    def process_gone(self, pid: int) -> None:
        """The process has exited: its alarm is cancelled."""
        self.queue.cancel(alarm_key(pid))

    # ---- expiry -------------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """When the earliest timer is due."""
        return self.queue.next_deadline()

    def fire_due(self, now_ns: int) -> list[Timer]:
        """All timers whose time has come, taken out, earliest first; with them the sleeps that are over but for their slack."""
        fired: list[Timer] = []
        while (timer := self.queue.pop_due(now_ns)) is not None:
            fired.append(timer)
        if self.slack_ns and fired:
            fired += [timer for timer in self.queue.armed() if timer.soft is not None and timer.soft <= now_ns]
        for timer in fired:
            self.queue.cancel(timer.key)
            self._mark_fired(timer)
        return fired

    def fire(self, tid: int, serial: int) -> Timer | None:
        """The timer that searches know as (tid, serial), taken out whatever its deadline; None if it is not armed any more."""
        key: Key = alarm_key(tid) if serial < 0 else (WAIT, tid, serial)
        timer = self.queue.cancel(key)
        if timer is not None:
            self._mark_fired(timer)
        return timer

    def armed(self) -> list[ArmedTimer]:
        """All armed timers, by deadline, then in the order of arming: the candidates of a search."""
        return [ArmedTimer(timer.path, timer.key[1], timer.key[2], timer.deadline, timer.pure_sleep) for timer in self.queue.armed()]

    def check(self) -> Iterator[Violation]:
        """All invariants of this owner."""
        yield from self.queue.check()
        for ticket, sleep in self.sleeps.items():
            timer = self.queue.get(_wait_key(ticket))
            if sleep.fired != (timer is None):
                yield Violation("sleep_timers", f"sleep of thread {ticket.tid}: fired is {sleep.fired}, its timer {timer}")
        for timer in self.queue.armed():
            if timer.pure_sleep and Ticket(timer.key[1], timer.key[2]) not in self.sleeps:
                yield Violation("sleep_timers", f"timer {timer.key} belongs to a sleep that is over")

    # ---- inside -------------------------------------------------------------------------------------------------------------

    def _sleep(self, ticket: Ticket, deadline: int, now_ns: int, *, absolute: bool, pid: int, path: tuple[int, ...]) -> int | None:
        if deadline <= now_ns:
            return None
        until = min(deadline, TIME_MAX_NS)
        self.sleeps[ticket] = Sleep(until, absolute)
        self.queue.arm(Timer(_wait_key(ticket), until + self.slack_ns, path, pure_sleep=True, pid=pid, soft=until))
        return until

    def _forget_sleep(self, ticket: Ticket) -> None:
        del self.sleeps[ticket]
        self.queue.cancel(_wait_key(ticket))

    def _mark_fired(self, timer: Timer) -> None:
        if timer.pure_sleep:
            self.sleeps[Ticket(timer.key[1], timer.key[2])].fired = True


def is_alarm(timer: Timer) -> bool:
    """Does it become SIGALRM of process `timer.pid`? Else it wakes the ticket in its key."""
    return timer.key[0] == ALARM


def _wait_key(ticket: Ticket) -> Key:
    return (WAIT, ticket.tid, ticket.serial)
