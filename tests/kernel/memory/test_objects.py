"""Memory objects: sparse bytes with a size, as files are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errno_values import ENOMEM
from kernel.abi.errnos import SysError
from kernel.hardware import Ram
from kernel.memory.frames import Frames
from kernel.memory.objects import Objects


def objects(frames: int = 64) -> Objects:
    return Objects(Frames(Ram(frames)))


def test_a_hole_reads_as_zeros_and_costs_no_frame():
    made = objects()
    made.ensure(2, b"")
    made.write(2, 3 * 4096, b"x")
    assert made.read(2, 0, 10) == bytes(10)
    assert made.frames.used == 1


def test_reading_stops_at_the_end():
    made = objects()
    made.ensure(2, b"hello")
    assert made.read(2, 3, 100) == b"lo"
    assert made.read(2, 5, 1) == b""


def test_what_is_cut_off_reads_as_zeros_when_the_file_grows_again():
    made = objects()
    made.ensure(2, b"a" * 5000)
    made.frames.release_all(made.resize(2, 10))
    made.resize(2, 5000)
    assert made.read(2, 0, 5000) == b"a" * 10 + bytes(4990)


def test_a_write_without_frames_falls_short():
    made = objects(2)
    made.ensure(2, b"")
    assert made.write(2, 0, b"z" * 10_000) == 8192
    assert made.table[2].size == 8192
    assert made.write(2, 8192, b"z") == 0


def test_a_known_object_ignores_the_seed():
    made = objects()
    made.ensure(2, b"one")
    made.ensure(2, b"other")
    assert made.read(2, 0, 10) == b"one"


def test_a_seed_that_does_not_fit_leaves_nothing():
    made = objects(1)
    with pytest.raises(SysError) as refused:
        made.ensure(2, bytes(5000))
    assert refused.value.errno == ENOMEM
    assert made.frames.used == 0
    assert not made.table


STEPS = st.lists(st.one_of(
    st.tuples(st.just("write"), st.integers(0, 20_000), st.integers(1, 6000)),
    st.tuples(st.just("resize"), st.integers(0, 20_000), st.just(0))), max_size=12)


@given(STEPS)
@settings(max_examples=50, deadline=None)
def test_an_object_is_a_sparse_array_of_bytes(steps):
    made, model = objects(), bytearray()
    made.ensure(2, b"")
    for number, (step, position, count) in enumerate(steps, 1):
        if step == "write":
            data = bytes([number]) * count
            model.extend(bytes(max(position + count - len(model), 0)))
            model[position:position + count] = data
            assert made.write(2, position, data) == count
        else:
            made.frames.release_all(made.resize(2, position))
            model = model[:position] + bytes(max(position - len(model), 0))
        assert made.read(2, 0, 50_000) == model
    assert made.frames.used == len(made.table[2].pages)
