"""What all cores of one machine have in common: RAM, the page tables in it, and each core's CR3.

A copy of a machine must copy the hardware together with everything that refers to it (one `deepcopy` with one memo): TLBs hold
frames of this RAM, and kernel/memory writes these tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kernel.hardware.mmu import PageTable
from kernel.hardware.ram import Ram

NO_SPACE = 0  # in CR3: no user page table is loaded


@dataclass(slots=True)
class Hardware:
    """RAM, page tables by space, and which space each core has loaded."""

    ram: Ram
    tables: dict[int, PageTable] = field(default_factory=dict)  # by space; made and removed by kernel/memory, blocks walked by cores
    line_owners: dict[int, int] = field(default_factory=dict)  # (frame << 6 | line) -> core that did the last atomic on it: for costs
    cr3: dict[int, int] = field(default_factory=dict)  # core number -> space; written by that core when it switches, read for shootdowns

    @classmethod
    def with_frames(cls, frame_count: int) -> Hardware:
        """A machine with `frame_count` page frames of RAM, no page table, and no core that has loaded one."""
        return cls(Ram(frame_count))

    def loaded_by(self, space: int) -> list[int]:
        """Numbers of the cores that have `space` loaded, in order."""
        return sorted(core for core, loaded in self.cr3.items() if loaded == space)
