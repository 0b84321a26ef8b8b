"""The TLB: bounded, oldest first, `write` within `read`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.hardware import PhysicalFrame, Tlb


def test_the_oldest_entry_goes_when_it_is_full():
    tlb = Tlb(2)
    frames = [PhysicalFrame(number) for number in (1, 2, 3)]
    tlb.insert(10, frames[0], writable=True)
    tlb.insert(11, frames[1], writable=False)
    tlb.insert(12, frames[2], writable=False)
    assert list(tlb.read) == [11, 12]
    assert not tlb.write


def test_inserting_for_writing_replaces_the_frame_for_both():
    tlb = Tlb(2)
    old, new = PhysicalFrame(1), PhysicalFrame(2)
    tlb.insert(10, old, writable=False)
    tlb.insert(10, new, writable=True)
    assert tlb.read[10] is new
    assert tlb.write[10] is new


def test_invalidate_forgets_the_range_only():
    tlb = Tlb(8)
    for vpn in range(5):
        tlb.insert(vpn, PhysicalFrame(vpn + 1), writable=True)
    tlb.invalidate(1, 2)
    assert list(tlb.read) == [0, 3, 4]
    assert list(tlb.write) == [0, 3, 4]
    tlb.invalidate(0, -1)
    assert not tlb.read
    assert not tlb.write


STEPS = st.lists(st.tuples(st.sampled_from(["read", "write", "invalidate", "flush"]), st.integers(0, 9)), max_size=60)


@given(STEPS)
@settings(max_examples=50, deadline=None)
def test_write_stays_within_read_and_both_within_capacity(steps):
    tlb = Tlb(4)
    for number, (step, vpn) in enumerate(steps, 1):
        if step in {"read", "write"}:
            tlb.insert(vpn, PhysicalFrame(number), step == "write")
            assert tlb.read[vpn].number == number
        elif step == "invalidate":
            tlb.invalidate(vpn, 2)
            assert vpn not in tlb.read
        else:
            tlb.flush()
        assert len(tlb.read) <= 4
        assert all(tlb.read[page] is frame for page, frame in tlb.write.items())


def test_an_overfull_tlb_is_a_violation():
    tlb = Tlb(1)
    tlb.insert(1, PhysicalFrame(1), False)
    assert list(tlb.check()) == []
    tlb.read[2] = PhysicalFrame(2)
    assert [violation.name for violation in tlb.check()] == ["tlb_bounded"]


def test_a_translation_for_writing_alone_is_a_violation():
    tlb = Tlb()
    tlb.insert(1, PhysicalFrame(1), True)
    del tlb.read[1]
    assert [violation.name for violation in tlb.check()] == ["tlb_write_within_read"]
