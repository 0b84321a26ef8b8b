"""futex(2): who is woken, and what a woken thread finds."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errno_values import EINTR, ETIMEDOUT
from kernel.abi.errnos import Failure
from kernel.ipc.futexes import FutexTable, FutexWait, object_name
from kernel.tickets import Ticket, WaitQueue

A, B, C = Ticket(100, 1), Ticket(101, 1), Ticket(102, 1)
KEY, OTHER = (0, 7, 64), (1, 3, 4096)


@pytest.fixture
def table() -> FutexTable:
    return FutexTable()


def names(table: FutexTable) -> set[str]:
    return {violation.name for violation in table.check()}


def test_longest_waiting_is_woken_first(table: FutexTable):
    for ticket in (B, A, C):
        table.wait(ticket, KEY, None)
    assert table.wake(KEY, 2) == [B, A]
    assert table.wake(KEY, 9) == [C]
    assert table.wake(KEY, 1) == []


def test_wake_of_one_word_leaves_others_asleep(table: FutexTable):
    table.wait(A, KEY, None)
    assert table.wake(OTHER, 9) == []


def test_count_of_zero_or_less_wakes_one_as_linux_does(table: FutexTable):
    for ticket in (A, B, C):
        table.wait(ticket, KEY, None)
    assert table.wake(KEY, 0) == [A]
    assert table.wake(KEY, -1) == [B]


@pytest.mark.parametrize(("interrupted", "timed_out"), [(False, False), (True, False), (False, True), (True, True)])
def test_woken_beats_interrupted_and_timed_out(table: FutexTable, interrupted: bool, timed_out: bool):
    table.wait(A, KEY, 50)
    table.wake(KEY, 1)
    assert table.resume(A, interrupted, timed_out) == 0
    assert table == FutexTable()


def test_interrupted_beats_timed_out(table: FutexTable):
    table.wait(A, KEY, 50)
    assert table.resume(A, True, True) == Failure(EINTR)
    assert table == FutexTable()


def test_timed_out_wait_leaves_the_queue(table: FutexTable):
    table.wait(A, KEY, 50)
    assert table.resume(A, False, True) == Failure(ETIMEDOUT)
    assert table.wake(KEY, 1) == []


def test_spurious_resume_keeps_the_place_in_the_queue(table: FutexTable):
    table.wait(A, KEY, None)
    table.wait(B, KEY, None)
    assert table.resume(A, False, False) is None
    assert table.wake(KEY, 1) == [A]


def test_a_wake_is_not_spent_on_an_interrupted_waiter(table: FutexTable):
    table.wait(A, KEY, None)
    table.wait(B, KEY, None)
    table.resume(A, True, False)
    assert table.wake(KEY, 1) == [B]


def test_statistics_show_waiters_by_key(table: FutexTable):
    table.wait(B, OTHER, None)
    table.wait(A, KEY, None)
    table.wait(C, OTHER, None)
    assert [(row.key, row.waiting) for row in table.statistics()] == [(KEY, (A,)), (OTHER, (B, C))]


def test_object_name_gives_kind_object_and_offset():
    assert object_name(KEY) == "futex:0:7+64"


def test_copied_table_is_independent(table: FutexTable):
    table.wait(A, KEY, None)
    other = copy.deepcopy(table)
    assert other == table
    other.wake(KEY, 1)
    assert other != table
    assert table.holds(A)


def test_futex_waiters_unique_finds_a_ticket_in_two_queues(table: FutexTable):
    table.wait(A, KEY, None)
    table.queues[OTHER] = WaitQueue()
    table.queues[OTHER].add(A)
    assert names(table) == {"futex_waiters_unique"}


def test_futex_waiters_unique_finds_a_completed_ticket_that_still_waits(table: FutexTable):
    table.wait(A, KEY, None)
    table.completed[A] = KEY
    assert names(table) == {"futex_waiters_unique"}


def test_futex_waiters_unique_finds_an_empty_queue(table: FutexTable):
    table.queues[KEY] = WaitQueue()
    assert names(table) == {"futex_waiters_unique"}


def test_futex_waiters_unique_finds_a_ticket_without_queue(table: FutexTable):
    table.waits[A] = FutexWait(KEY, None)
    assert names(table) == {"futex_waiters_unique"}


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 5), st.sampled_from([KEY, OTHER])),
        st.tuples(st.just("wake"), st.integers(0, 3), st.sampled_from([KEY, OTHER])),
        st.tuples(st.sampled_from(["resume", "signal", "timeout"]), st.integers(0, 5), st.just(KEY)),
    ),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(ACTIONS)
def test_table_behaves_as_one_list_of_waiters(actions: list[tuple[str, int, tuple[int, int, int]]]):
    table = FutexTable()
    waiting: list[tuple[Ticket, tuple[int, int, int]]] = []
    woken: list[Ticket] = []
    for serial, (kind, number, key) in enumerate(actions):
        held = [ticket for ticket, _ in waiting if ticket.tid == number] + [ticket for ticket in woken if ticket.tid == number]
        if kind == "wait" and not held:
            table.wait(Ticket(number, serial), key, 10)
            waiting.append((Ticket(number, serial), key))
        elif kind == "wake":
            expected = [ticket for ticket, its in waiting if its == key][: max(number, 1)]
            assert table.wake(key, number) == expected
            waiting = [entry for entry in waiting if entry[0] not in expected]
            woken += expected
        elif kind not in {"wait", "wake"} and held:
            answer = table.resume(held[0], kind == "signal", kind == "timeout")
            if held[0] in woken:
                woken.remove(held[0])
                assert answer == 0
            else:
                assert answer == {"resume": None, "signal": Failure(EINTR), "timeout": Failure(ETIMEDOUT)}[kind]
                if answer is not None:
                    waiting = [entry for entry in waiting if entry[0] != held[0]]
        assert not list(table.check())
        assert len(table.waits) == len(waiting)
