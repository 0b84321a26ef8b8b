"""The bytes that a handler finds on its stack."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.signals.pending import SignalInfo
from kernel.signals.stack_frame import RED_ZONE, SIGINFO_OFFSET, SIZE, SignalFrame, build, frame_address, parse

WORDS = st.integers(0, 2**64 - 1)


@settings(max_examples=30, deadline=None)
@given(st.integers(1 << 20, 1 << 47))
def test_frame_lies_below_the_red_zone_aligned_as_after_a_call(stack_pointer: int) -> None:
    address = frame_address(stack_pointer)
    assert (address + 8) % 16 == 0
    assert stack_pointer - RED_ZONE - SIZE - 24 < address <= stack_pointer - RED_ZONE - SIZE


@settings(max_examples=30, deadline=None)
@given(WORDS, WORDS, WORDS, WORDS, st.integers(1, 64), st.integers(-(2**31), 2**31 - 1))
def test_parse_gives_back_what_was_built(restorer: int, mask: int, pc: int, sp: int, signo: int, code: int) -> None:
    info = SignalInfo(signo, code, errno=1, pid=100, uid=2**32 - 1, status=-5, value=-(2**63), address=restorer)
    frame = SignalFrame(restorer, info, mask, pc, sp)
    assert len(build(frame)) == SIZE
    assert parse(build(frame)) == frame


def test_return_address_comes_first_and_siginfo_at_its_offset() -> None:
    data = build(SignalFrame(0x401008, SignalInfo(11, 2), 0, 0, 0))
    assert int.from_bytes(data[:8], "little") == 0x401008
    assert int.from_bytes(data[8:16], "little") == 11
    assert int.from_bytes(data[SIGINFO_OFFSET : SIGINFO_OFFSET + 4], "little") == 11
    assert int.from_bytes(data[SIGINFO_OFFSET + 8 : SIGINFO_OFFSET + 12], "little") == 2
