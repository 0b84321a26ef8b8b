"""The queue of one core against a sorted list."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.scheduler.policies import PRIO_TO_WEIGHT, must_give_way, place_woken, virtual_ns, weight_of
from kernel.scheduler.run_queue import IDLE, RunQueue, ScheduledThread


def thread(tid: int, vruntime_ns: int) -> ScheduledThread:
    return ScheduledThread(tid, tid, (0, tid), "t", None, vruntime_ns=vruntime_ns)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "pop", "remove"]), st.integers(0, 5)), max_size=40))
def test_queue_behaves_as_a_sorted_list(steps: list[tuple[str, int]]) -> None:
    queue = RunQueue(0)
    model: list[tuple[int, tuple[int, ...], ScheduledThread]] = []
    for tid, (action, number) in enumerate(steps, 1):
        if action == "add":
            new = thread(tid, number)
            queue.add(new)
            model.append((number, new.path, new))
            model.sort(key=lambda item: item[:2])
        elif action == "pop":
            expected = model.pop(0)[2].tid if model else IDLE
            assert queue.pop_first() == expected
        elif model:
            queue.remove(model.pop(number % len(model))[2])
        assert [entry[3] for entry in queue.entries] == [item[2].tid for item in model]


def test_equal_times_are_decided_by_path_not_by_arrival() -> None:
    queue = RunQueue(0)
    queue.add(thread(9, 5))
    queue.add(thread(3, 5))
    assert queue.pop_first() == 3


def test_removing_a_thread_that_is_not_queued_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="not in the queue of core 0"):
        RunQueue(0).remove(thread(1, 1))


def test_minimum_never_goes_back() -> None:
    queue = RunQueue(0)
    queue.advance(10)
    queue.add(thread(1, 3))
    queue.advance(20)
    assert queue.minimum_ns == 10


def test_a_nice_level_is_worth_a_quarter() -> None:
    assert all(100 * a // b in range(117, 132) for a, b in itertools.pairwise(PRIO_TO_WEIGHT))
    assert weight_of(0) == 1024
    assert virtual_ns(1000, weight_of(0)) == 1000
    assert virtual_ns(1024, weight_of(19)) == 1024 * 1024 // 15


def test_sleeper_gets_at_most_half_a_slice_of_credit() -> None:
    assert place_woken(0, 10_000, 3_000) == 8_500
    assert place_woken(9_000, 10_000, 3_000) == 9_000


def test_small_lags_do_not_preempt() -> None:
    assert not must_give_way(1_000, 0, 1_000, 1024)
    assert must_give_way(1_001, 0, 1_000, 1024)
