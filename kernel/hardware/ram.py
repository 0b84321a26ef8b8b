"""Physical memory: numbered frames of 4096 bytes, each made when it is first used.

A frame is one bytearray, seen through up to eight typed memoryviews, one per scalar type (kernel/abi/ops.py FORMATS): an aligned
load is then one index operation, `view[(address & 4095) >> shift]`, about eight times faster than slicing and converting.
Views are made when first asked for. A machine with 64 MiB costs nothing at boot.

Frame 0 is never handed out, so that a page-table entry of 0 means "nothing here".
Scalars are little endian, as on x86-64: the host must be little endian too, which is asserted at import.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from kernel.abi.layout import PAGE_SIZE
from kernel.abi.ops import FORMATS

assert sys.byteorder == "little", "simulated memory is little endian; typed views need a little-endian host"

VIEWS: Final = len(FORMATS)


class PhysicalFrame:
    """One page frame: its bytes and the typed views of them. Cores cache it in TLBs, so it is never replaced while it is mapped."""

    __slots__ = ("data", "number", "views")

    def __init__(self, number: int) -> None:
        self.number = number
        self.data = bytearray(PAGE_SIZE)
        self.views: list[memoryview | None] = [None] * VIEWS  # by scalar code; None until used

    def view(self, code: int) -> memoryview:
        """The bytes as an array of scalars of `code`, made on first use."""
        made = self.views[code]
        if made is None:
            made = self.views[code] = memoryview(self.data).cast(FORMATS[code])
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> PhysicalFrame:
        copied = PhysicalFrame(self.number)
        copied.data[:] = self.data
        return copied

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PhysicalFrame) and self.number == other.number and self.data == other.data

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"PhysicalFrame({self.number})"


class Ram:
    """All frames of the machine by number, 1 to `frame_count`."""

    __slots__ = ("frame_count", "frames")

    def __init__(self, frame_count: int) -> None:
        assert frame_count > 0, "a machine has memory"
        self.frame_count = frame_count
        self.frames: dict[int, PhysicalFrame] = {}  # only those that have been used and not dropped

    def frame(self, number: int) -> PhysicalFrame:
        """The frame, all zeros if it has not been used (since it was dropped)."""
        found = self.frames.get(number)
        if found is None:
            assert 0 < number <= self.frame_count, f"frame {number} of {self.frame_count}"
            found = self.frames[number] = PhysicalFrame(number)
        return found

    def drop(self, number: int) -> None:
        """Forget the frame's content: it reads as zeros when it is used again."""
        self.frames.pop(number, None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ram) and self.frame_count == other.frame_count and self.frames == other.frames

    __hash__ = None  # type: ignore[assignment]  # mutable
