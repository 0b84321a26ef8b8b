"""Numbers are unique, go up, wrap, and under a wide search depend on the path alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errno_values import EAGAIN
from kernel.abi.errnos import SysError
from kernel.processes.pids import Pids, number_of_path


def test_numbers_start_at_first_pid_and_go_up() -> None:
    pids = Pids(100, 200)
    assert [pids.allot((0, n)) for n in range(3)] == [100, 101, 102]


def test_a_freed_number_is_not_reused_before_the_wrap() -> None:
    pids = Pids(100, 103)
    assert pids.allot((0,)) == 100
    pids.release(100)
    assert [pids.allot((0,)), pids.allot((0,)), pids.allot((0,))] == [101, 102, 100]


def test_exhausted_numbers_are_eagain() -> None:
    pids = Pids(100, 102)
    pids.allot((0,))
    pids.allot((0,))
    with pytest.raises(SysError) as error:
        pids.allot((0,))
    assert error.value.errno == EAGAIN


def test_a_number_held_by_a_group_is_not_given_out() -> None:
    pids = Pids(100, 102)
    pids.allot((0,))
    pids.hold(100)
    pids.release(100)
    assert pids.allot((0,)) == 101
    with pytest.raises(SysError):
        pids.allot((0,))


def test_wide_numbers_follow_from_the_path_in_any_order() -> None:
    one, other = Pids(100, 32768, wide=True), Pids(100, 32768, wide=True)
    paths = [(0,), (0, 0), (0, 1), (0, 0, 0), (0, 1, 0)]
    first = {path: one.allot(path) for path in paths}
    assert first == {path: other.allot(path) for path in reversed(paths)}
    assert first[0, 0] == 101
    assert first[0, 0, 0] == 10101


def test_wide_numbers_of_deep_and_wide_trees_stay_below_the_limit() -> None:
    assert all(100 < number_of_path((0, *([ordinal] * depth)), 100) < 4_194_304 for ordinal in (0, 98, 99, 5000) for depth in range(1, 9))


def test_wide_numbers_run_out_by_count() -> None:
    pids = Pids(100, 102, wide=True)
    pids.allot((0,))
    pids.allot((0, 0))
    with pytest.raises(SysError):
        pids.allot((0, 1))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.just("new"), st.integers(0, 20)), max_size=60), st.booleans())
def test_no_two_living_things_share_a_number(steps: list[str | int], wide: bool) -> None:
    pids = Pids(10, 25, wide)
    living: list[int] = []
    for count, step in enumerate(steps):
        if step == "new":
            try:
                number = pids.allot((0, count))
            except SysError:
                assert len(living) == 15
                continue
            assert number not in living
            living.append(number)
        elif living:
            pids.release(living.pop(int(step) % len(living)))
    assert sorted(pids.holders) == sorted(living)
