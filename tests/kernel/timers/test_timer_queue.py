"""The queue of armed timers."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.timers.timer_queue import WAIT, Timer, TimerQueue


def timer(tid: int, deadline: int, serial: int = 1) -> Timer:
    return Timer((WAIT, tid, serial), deadline, (0,), pure_sleep=False, pid=0)


def names(queue: TimerQueue) -> set[str]:
    return {violation.name for violation in queue.check()}


def test_earliest_comes_first_and_equal_deadlines_in_order_of_arming():
    queue = TimerQueue()
    for tid, deadline in ((1, 30), (2, 10), (3, 10)):
        queue.arm(timer(tid, deadline))
    assert queue.next_deadline() == 10
    assert [queue.pop_due(99).key[1] for _ in range(3)] == [2, 3, 1]
    assert queue.pop_due(99) is None


def test_nothing_is_due_before_its_time():
    queue = TimerQueue()
    queue.arm(timer(1, 10))
    assert queue.pop_due(9) is None
    assert queue.pop_due(10) is not None


def test_cancelled_timer_does_not_hold_the_top():
    queue = TimerQueue()
    queue.arm(timer(1, 10))
    queue.arm(timer(2, 20))
    queue.cancel((WAIT, 1, 1))
    assert queue.next_deadline() == 20


def test_cancelling_another_serial_changes_nothing():
    queue = TimerQueue()
    queue.arm(timer(1, 10, serial=2))
    assert queue.cancel((WAIT, 1, 1)) is None
    assert queue.next_deadline() == 10


def test_dead_entries_do_not_pile_up():
    queue = TimerQueue()
    queue.arm(timer(0, 1))
    for serial in range(1000):
        queue.arm(timer(1, 10 + serial, serial))
        queue.cancel((WAIT, 1, serial))
    assert len(queue._heap) < 20


def test_queues_are_equal_if_the_same_timers_would_expire():
    one, other = TimerQueue(), TimerQueue()
    one.arm(timer(1, 10))
    other.arm(timer(2, 5))
    other.arm(timer(1, 10))
    other.cancel((WAIT, 2, 1))
    assert one == other == copy.deepcopy(one)


def test_timer_heap_finds_a_heap_out_of_order():
    queue = TimerQueue()
    queue.arm(timer(1, 10))
    queue.arm(timer(2, 20))
    queue._heap.reverse()
    assert names(queue) == {"timer_heap"}


def test_timer_heap_finds_a_dead_top():
    queue = TimerQueue()
    queue.arm(timer(1, 10))
    del queue._timers[(WAIT, 1, 1)]
    assert names(queue) == {"timer_heap"}


def test_timer_heap_finds_a_timer_without_entry():
    queue = TimerQueue()
    queue._timers[(WAIT, 1, 1)] = (timer(1, 10), 1)
    assert names(queue) == {"timer_heap"}


ACTIONS = st.lists(st.tuples(st.sampled_from(["arm", "cancel", "pop"]), st.integers(0, 5), st.integers(0, 20)), max_size=60)


@settings(max_examples=50, deadline=None)
@given(ACTIONS)
def test_queue_behaves_as_a_sorted_list(actions: list[tuple[str, int, int]]):
    queue = TimerQueue()
    model: list[tuple[int, int, int]] = []
    for order, (kind, tid, time) in enumerate(actions):
        if kind == "arm":
            queue.arm(timer(tid, time))
            model = sorted([entry for entry in model if entry[2] != tid] + [(time, order, tid)])
        elif kind == "cancel":
            assert (queue.cancel((WAIT, tid, 1)) is not None) == any(entry[2] == tid for entry in model)
            model = [entry for entry in model if entry[2] != tid]
        else:
            popped = queue.pop_due(time)
            expected = model.pop(0)[2] if model and model[0][0] <= time else None
            assert (popped.key[1] if popped else None) == expected
        assert [armed.key[1] for armed in queue.armed()] == [entry[2] for entry in model]
        assert queue.next_deadline() == (model[0][0] if model else None)
        assert not list(queue.check())
