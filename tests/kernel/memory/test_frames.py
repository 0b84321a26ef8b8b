"""Frames: counted, zeroed, limited, reused."""

from __future__ import annotations

import pytest

from kernel.abi.errno_values import ENOMEM
from kernel.abi.errnos import SysError
from kernel.hardware import Ram
from kernel.memory.frames import Frames


def test_the_last_reference_frees_a_frame_and_its_content():
    frames = Frames(Ram(4))
    frame = frames.allocate()
    frame.data[0] = 7
    frames.hold(frame.number)
    frames.release(frame.number)
    assert frames.used == 1
    frames.release(frame.number)
    assert frames.used == 0
    assert frames.allocate().data[0] == 0


def test_memory_is_exhausted_at_its_size_and_usable_again_after_a_release():
    frames = Frames(Ram(3))
    numbers = [frames.allocate().number for _ in range(3)]
    with pytest.raises(SysError) as refused:
        frames.allocate()
    assert refused.value.errno == ENOMEM
    frames.release(numbers[1])
    assert frames.allocate().number == numbers[1]


def test_frame_zero_is_never_handed_out():
    frames = Frames(Ram(3))
    assert 0 not in [frames.allocate().number for _ in range(3)]
