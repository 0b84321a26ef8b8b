"""Sleeps, timeouts, alarms."""

from __future__ import annotations

import copy

import pytest

from kernel.abi.errno_values import EINTR, EINVAL, EOPNOTSUPP
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import (
    CLOCK_BOOTTIME,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_COARSE,
    CLOCK_THREAD_CPUTIME_ID,
    TIMER_ABSTIME,
)
from kernel.tickets import Ticket
from kernel.timers.clocks import REALTIME_BASE_NS, TIME_MAX_NS
from kernel.timers.timer_queue import ALARM_SERIAL, WAIT
from kernel.timers.timers import ArmedTimer, Sleep, TimersState, is_alarm

A, B = Ticket(100, 7), Ticket(101, 3)
S = 1_000_000_000


@pytest.fixture
def state() -> TimersState:
    return TimersState()


def nanosleep(state: TimersState, deadline: int, now: int = 0, ticket: Ticket = A) -> int | None:
    until = state.nanosleep(ticket, deadline, now, pid=100, path=(0,))
    assert not list(state.check())
    return until


def clock_nanosleep(state: TimersState, clock: int, flags: int, ns: int, *, now: int = 0, started: int = 0) -> int | None:
    until = state.clock_nanosleep(A, clock, flags, ns, now, started=started, pid=100, path=(0,))
    assert not list(state.check())
    return until


def fails_with(errno: int, call) -> None:
    with pytest.raises(SysError) as error:
        call()
    assert error.value.errno == errno


def test_sleep_is_complete_when_its_timer_has_fired(state: TimersState):
    assert nanosleep(state, 50) == 50
    assert state.fire_due(49) == []
    assert [timer.key for timer in state.fire_due(50)] == [(WAIT, *A)]
    assert not list(state.check())
    assert state.resume(A, interrupted=True, timed_out=True, now_ns=50) is None
    assert state == TimersState()


def test_sleep_until_a_time_that_is_past_returns_at_once(state: TimersState):
    assert nanosleep(state, 10, now=10) is None
    assert state == TimersState()


def test_negative_sleep_is_einval(state: TimersState):
    fails_with(EINVAL, lambda: nanosleep(state, -1))


def test_interrupted_sleep_tells_what_is_left_and_is_disarmed(state: TimersState):
    nanosleep(state, 50)
    assert state.resume(A, interrupted=True, timed_out=False, now_ns=20) == Failure(EINTR, 30)
    assert state == TimersState()


def test_interrupted_absolute_sleep_does_not_tell_what_is_left(state: TimersState):
    clock_nanosleep(state, CLOCK_MONOTONIC, TIMER_ABSTIME, 50)
    assert state.resume(A, interrupted=True, timed_out=False, now_ns=20) == Failure(EINTR)


def test_sleep_whose_time_has_come_is_complete_even_if_a_signal_came_too(state: TimersState):
    nanosleep(state, 50)
    assert state.resume(A, interrupted=True, timed_out=False, now_ns=50) is None
    assert state == TimersState()


def test_spurious_resume_sleeps_on(state: TimersState):
    nanosleep(state, 50)
    assert state.resume(A, interrupted=False, timed_out=False, now_ns=20) == 50
    assert state.next_deadline() == 50


def test_sleep_fired_by_a_search_is_complete_before_its_time(state: TimersState):
    nanosleep(state, 50)
    nanosleep(state, 40, ticket=B)
    timer = state.fire(A.tid, A.serial)
    assert timer is not None
    assert state.fire(A.tid, A.serial) is None
    assert state.resume(A, interrupted=False, timed_out=False, now_ns=0) is None
    assert state.next_deadline() == 40


@pytest.mark.parametrize(
    ("clock", "flags", "ns", "expected"),
    [
        (CLOCK_MONOTONIC, 0, 5, 105),
        (CLOCK_REALTIME, 0, 5, 105),
        (CLOCK_BOOTTIME, 0, 5, 105),
        (CLOCK_MONOTONIC, TIMER_ABSTIME, 500, 500),
        (CLOCK_REALTIME, TIMER_ABSTIME, REALTIME_BASE_NS + 500, 500),
        (CLOCK_REALTIME, TIMER_ABSTIME, 500, None),
        (CLOCK_MONOTONIC, 0, 0, None),
        (CLOCK_MONOTONIC, 2, 5, 105),  # unknown flags are ignored, as Linux does
        (CLOCK_MONOTONIC, 0, 1 << 70, TIME_MAX_NS),
    ],
)
def test_clock_nanosleep_wakes_at(state: TimersState, clock: int, flags: int, ns: int, expected: int | None):
    assert clock_nanosleep(state, clock, flags, ns, now=101, started=100) == expected


@pytest.mark.parametrize(
    ("clock", "ns", "errno"),
    [
        (-1, 5, EINVAL),
        (99, 5, EINVAL),
        (CLOCK_MONOTONIC, -1, EINVAL),
        (CLOCK_THREAD_CPUTIME_ID, 5, EINVAL),
        (CLOCK_MONOTONIC_RAW, 5, EOPNOTSUPP),
        (CLOCK_REALTIME_COARSE, -1, EOPNOTSUPP),  # the clock is looked at before the time
        (CLOCK_PROCESS_CPUTIME_ID, 5, EOPNOTSUPP),
    ],
)
def test_clock_nanosleep_fails_with(state: TimersState, clock: int, ns: int, errno: int):
    fails_with(errno, lambda: clock_nanosleep(state, clock, 0, ns))


def test_timeout_fires_once_and_disarm_is_harmless_then(state: TimersState):
    state.arm(A, 10, (0,))
    (timer,) = state.fire_due(10)
    assert not is_alarm(timer)
    state.disarm(A)
    assert state == TimersState()


def test_disarmed_timeout_does_not_fire(state: TimersState):
    state.arm(A, 10, (0,))
    state.disarm(A)
    assert state.fire_due(99) == []


def test_due_timers_fire_earliest_first(state: TimersState):
    state.arm(A, 20, (0,))
    state.arm(B, 10, (1,))
    assert [timer.key[1] for timer in state.fire_due(99)] == [B.tid, A.tid]


def test_alarm_answers_zero_when_there_was_none_and_fires_for_the_process(state: TimersState):
    assert state.alarm(100, (0,), 2, 0) == 0
    (timer,) = state.fire_due(2 * S)
    assert is_alarm(timer)
    assert timer.pid == 100


@pytest.mark.parametrize(("now", "left"), [(0, 10), (1, 10), (S // 2 - 1, 10), (S // 2, 10), (S // 2 + 1, 9), (10 * S - 1, 1), (10 * S, 1)])
def test_alarm_rounds_what_is_left_as_linux_does(state: TimersState, now: int, left: int):
    """Half a second and more counts up; an alarm that is armed is never 0."""
    state.alarm(100, (0,), 10, 0)
    assert state.alarm(100, (0,), 0, now) == left


def test_alarm_of_zero_cancels(state: TimersState):
    state.alarm(100, (0,), 1, 0)
    state.alarm(100, (0,), 0, 0)
    assert state == TimersState()


def test_second_alarm_replaces_the_first(state: TimersState):
    state.alarm(100, (0,), 1, 0)
    state.alarm(100, (0,), 5, 0)
    assert state.alarm_deadline(100) == 5 * S
    assert len(state.armed()) == 1


def test_alarm_seconds_are_unsigned(state: TimersState):
    state.alarm(100, (0,), -1, 0)
    assert state.alarm_deadline(100) == 0xFFFF_FFFF * S


def test_alarms_of_two_processes_are_independent(state: TimersState):
    state.alarm(100, (0,), 1, 0)
    state.alarm(101, (1,), 2, 0)
    state.process_gone(100)
    assert [timer.tid for timer in state.armed()] == [101]


def test_armed_timers_are_listed_by_deadline_for_searches(state: TimersState):
    nanosleep(state, 3 * S)
    state.arm(B, S, (0, 1))
    state.alarm(100, (0,), 2, 0)
    assert state.armed() == [
        ArmedTimer((0, 1), 101, 3, S, pure_sleep=False),
        ArmedTimer((0,), 100, ALARM_SERIAL, 2 * S, pure_sleep=False),
        ArmedTimer((0,), 100, 7, 3 * S, pure_sleep=True),
    ]


def test_search_fires_an_alarm_by_its_process(state: TimersState):
    state.alarm(100, (0,), 2, 0)
    timer = state.fire(100, ALARM_SERIAL)
    assert timer is not None
    assert is_alarm(timer)


def test_a_copied_state_is_equal_and_independent(state: TimersState):
    nanosleep(state, 50)
    other = copy.deepcopy(state)
    assert other == state
    other.fire_due(50)
    assert other != state


def test_sleep_timers_finds_a_sleep_without_timer(state: TimersState):
    state.sleeps[A] = Sleep(10, absolute=False)
    assert [violation.name for violation in state.check()] == ["sleep_timers"]


def test_sleep_timers_finds_a_timer_whose_sleep_is_over(state: TimersState):
    nanosleep(state, 50)
    del state.sleeps[A]
    assert [violation.name for violation in state.check()] == ["sleep_timers"]


def test_sleeps_that_end_within_the_slack_of_another_end_by_one_interrupt():
    """Linux's timer slack: the earlier sleep waits for its slack, and takes the later one along; a far one sleeps on."""
    state = TimersState(slack_ns=50_000)
    for tid, deadline in ((101, 1_000_000), (102, 1_010_000), (103, 2_000_000)):
        state.nanosleep(Ticket(tid, 1), deadline, 0, pid=100, path=(0, tid))
    assert state.next_deadline() == 1_050_000
    assert [timer.key[1] for timer in state.fire_due(1_050_000)] == [101, 102]
    assert state.next_deadline() == 2_050_000
    assert not list(state.check())
