"""Physical memory: frames on first use, typed views of the same bytes."""

from __future__ import annotations

import copy

from kernel.abi.ops import FORMATS, I32, SIZES, U8, U64
from kernel.hardware import Ram


def test_a_large_ram_has_no_frame_until_one_is_used():
    ram = Ram(1 << 20)
    assert not ram.frames
    ram.frame(77)
    assert list(ram.frames) == [77]


def test_views_of_all_scalars_show_the_same_bytes():
    frame = Ram(4).frame(1)
    frame.view(U64)[1] = 0x1122334455667788
    assert frame.data[8:16] == bytes.fromhex("8877665544332211")
    assert frame.view(U8)[8] == 0x88
    assert frame.view(I32)[3] == 0x11223344


def test_views_are_made_on_first_use_and_kept():
    frame = Ram(4).frame(1)
    assert frame.views == [None] * 8
    view = frame.view(I32)
    assert frame.views[I32] is view
    assert frame.view(I32) is view


def test_each_view_covers_the_page():
    frame = Ram(4).frame(1)
    assert [len(frame.view(code)) * SIZES[code] for code in range(len(FORMATS))] == [4096] * 8


def test_a_dropped_frame_reads_as_zeros_again():
    ram = Ram(4)
    ram.frame(2).data[0] = 9
    ram.drop(2)
    assert ram.frame(2).data[0] == 0


def test_a_copied_ram_has_bytes_of_its_own():
    ram = Ram(4)
    ram.frame(1).view(I32)[0] = 5
    copied = copy.deepcopy(ram)
    assert copied == ram
    copied.frame(1).view(I32)[0] = 6
    assert ram.frame(1).view(I32)[0] == 5
    assert copied != ram
