"""Areas: splitting, merging, placement, stacks; against a model that knows each page."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errno_values import ENOMEM
from kernel.abi.errnos import SysError
from kernel.abi.layout import MMAP_MIN, STACK_TOP
from kernel.memory import address_space
from kernel.memory.address_space import AddressSpace
from kernel.memory.areas import Area

PAGE = 4096
BASE = 0x10_0000


def space(stack_limit: int = 64 * PAGE) -> AddressSpace:
    return AddressSpace(1, 0x50_0000, stack_limit)


def area(first: int, count: int, prot: int = 3, **more) -> Area:
    return Area(BASE + first * PAGE, BASE + (first + count) * PAGE, prot, **more)


def test_neighbours_that_mean_the_same_become_one():
    made = space()
    made.insert(area(0, 1))
    made.insert(area(2, 1))
    made.insert(area(1, 1))
    assert [(one.start, one.end) for one in made.areas] == [(BASE, BASE + 3 * PAGE)]


def test_neighbours_of_different_protection_or_object_stay_apart():
    made = space()
    made.insert(area(0, 1))
    made.insert(area(1, 1, prot=1))
    made.insert(area(2, 1, prot=1, object=2, offset=0))
    made.insert(area(3, 1, prot=1, object=2, offset=8 * PAGE))
    assert len(made.areas) == 4


def test_parts_of_an_object_that_fit_together_become_one():
    made = space()
    made.insert(area(0, 1, object=2, offset=0))
    made.insert(area(1, 1, object=2, offset=PAGE))
    assert len(made.areas) == 1
    assert made.uses == {2: 1}


def test_a_hole_in_the_middle_splits_and_keeps_the_offset():
    made = space()
    made.insert(area(0, 5, object=2, offset=PAGE))
    made.remove(BASE + 2 * PAGE, BASE + 3 * PAGE)
    assert [one.offset for one in made.areas] == [PAGE, 4 * PAGE]
    assert made.uses == {2: 2}


def test_placement_takes_the_highest_hole_that_is_large_enough():
    made = space()
    first = made.place(PAGE, 0)
    assert first == made.ceiling - PAGE
    for number in range(6):
        made.insert(Area(made.place(PAGE, 0), made.ceiling - number * PAGE, 1 + number % 2))
    made.remove(made.ceiling - 3 * PAGE, made.ceiling - PAGE)
    assert made.place(3 * PAGE, 0) == made.ceiling - 9 * PAGE
    assert made.place(2 * PAGE, 0) == made.ceiling - 3 * PAGE
    assert made.place(PAGE, 0) == made.ceiling - 2 * PAGE


def test_a_free_hint_is_taken_and_a_used_one_is_not():
    made = space()
    made.insert(area(0, 2))
    assert made.place(PAGE, BASE + 2 * PAGE) == BASE + 2 * PAGE
    assert made.place(PAGE, BASE + PAGE) == made.ceiling - PAGE
    assert made.place(PAGE, BASE + 2 * PAGE - 1) == BASE + 2 * PAGE  # rounded up
    assert made.place(PAGE, 1) == MMAP_MIN


def test_placement_leaves_room_for_the_stack():
    made = space(stack_limit=512 << 20)
    assert made.place(PAGE, 0) + PAGE <= STACK_TOP - (512 << 20) - PAGE


def test_a_stack_grows_down_to_its_limit_and_not_further():
    made = space()
    made.insert(Area(STACK_TOP - PAGE, STACK_TOP, 3, grows_down=True))
    assert made.grow(STACK_TOP - 64 * PAGE) is made.areas[0]
    assert made.areas[0].start == STACK_TOP - 64 * PAGE
    assert made.grow(STACK_TOP - 64 * PAGE - 1) is None


def test_a_stack_keeps_a_guard_page_above_its_neighbour():
    made = space()
    made.insert(Area(STACK_TOP - PAGE, STACK_TOP, 3, grows_down=True))
    made.insert(Area(STACK_TOP - 10 * PAGE, STACK_TOP - 9 * PAGE, 3))
    assert made.grow(STACK_TOP - 9 * PAGE) is None
    assert made.grow(STACK_TOP - 8 * PAGE) is not None


def test_a_split_beyond_the_limit_of_areas_is_refused(monkeypatch):
    monkeypatch.setattr(address_space, "MAX_AREAS", 2)
    made = space()
    made.insert(area(0, 5))
    made.insert(area(10, 1))
    for change in (lambda: made.remove(BASE + PAGE, BASE + 2 * PAGE), lambda: made.protect(BASE + PAGE, BASE + 2 * PAGE, 1)):
        with pytest.raises(SysError) as refused:
            change()
        assert refused.value.errno == ENOMEM
        assert not list(made.check())
    made.remove(BASE, BASE + PAGE)  # shrinking needs no area


def test_unsorted_areas_are_seen():
    made = space()
    made.insert(area(0, 2))
    made.insert(area(5, 1))
    made.areas.reverse()
    assert "areas_sorted" in [violation.name for violation in made.check()]


def test_a_wrong_count_of_uses_is_seen():
    made = space()
    made.insert(area(0, 2, object=2))
    made.uses[2] = 5
    assert "object_references" in [violation.name for violation in made.check()]


PAGES = 24
STEPS = st.lists(st.tuples(st.sampled_from(["map", "unmap", "protect", "place"]), st.integers(0, PAGES - 1), st.integers(1, 8),
                           st.integers(0, 3), st.sampled_from([0, 2, 4])), max_size=25)


@given(STEPS)
@settings(max_examples=50, deadline=None)
def test_an_address_space_is_a_table_of_pages(steps):
    made, model = space(), {}
    for step, first, count, prot, number in steps:
        start, end = BASE + first * PAGE, BASE + (first + count) * PAGE
        if step == "place":
            start = made.place(count * PAGE, 0)
            assert all(page not in model for page in range(start, start + count * PAGE, PAGE))
            highest = made.ceiling - count * PAGE
            while any(page in model for page in range(highest, highest + count * PAGE, PAGE)):
                highest -= PAGE
            assert start == highest
            end = start + count * PAGE
        if step in {"map", "place"}:
            made.remove(start, end)
            made.insert(Area(start, end, prot, object=number, offset=PAGE if number else 0))
            model |= {page: (prot, number, page - start + PAGE if number else 0) for page in range(start, end, PAGE)}
        elif step == "unmap":
            made.remove(start, end)
            model = {page: value for page, value in model.items() if not start <= page < end}
        else:
            for one in made.overlapping(start, end):
                made.protect(max(one.start, start), min(one.end, end), prot)
            model = {page: (prot, *value[1:]) if start <= page < end else value for page, value in model.items()}
        assert not list(made.check())
        seen = {page: (one.prot, one.object, one.offset + page - one.start if one.object else 0)
                for one in made.areas for page in range(one.start, one.end, PAGE)}
        assert seen == model
        assert all(not right.continues(left) for left, right in zip(made.areas, made.areas[1:], strict=False))
