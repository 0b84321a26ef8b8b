"""Alarms: one SIGALRM per process, some seconds from now (alarm(2)).

An alarm is a timer whose key names the process: so a new one takes the place of the old one, fork's child has none, and an alarm survives
execve. What is left of the old one is answered in whole seconds as Linux rounds it: half a second and more counts up, and an alarm that is
armed never shows as 0.
"""

from __future__ import annotations

from kernel.timers.clocks import NS_PER_SECOND, TIME_MAX_NS
from kernel.timers.timer_queue import ALARM, ALARM_SERIAL, Key, Timer, TimerQueue


def alarm_key(pid: int) -> Key:
    """The key of the alarm of process `pid`."""
    return (ALARM, pid, ALARM_SERIAL)


def seconds_left(deadline: int, now_ns: int) -> int:
    """What alarm(2) answers about an armed alarm: seconds, at least 1."""
    whole, rest = divmod(max(deadline - now_ns, 0), NS_PER_SECOND)
    return max(whole + (2 * rest >= NS_PER_SECOND), 1)


def set_alarm(queue: TimerQueue, pid: int, path: tuple[int, ...], seconds: int, now_ns: int) -> int:
    """alarm(2): arm (or with 0 only cancel) the alarm of `pid`; the seconds that the previous one had left, 0 if there was none.

    `seconds` is taken as C's unsigned int, `now_ns` is absolute.
    """
    previous = queue.cancel(alarm_key(pid))
    duration = seconds & 0xFFFF_FFFF
    if duration:
        deadline = min(now_ns + duration * NS_PER_SECOND, TIME_MAX_NS)
        queue.arm(Timer(alarm_key(pid), deadline, path, pure_sleep=False, pid=pid))
    return 0 if previous is None else seconds_left(previous.deadline, now_ns)
