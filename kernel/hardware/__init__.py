"""The simulated machine under the kernel: physical memory, page walker, TLBs.

Every core uses it directly, as real cores do: a load or store sends no message. One `Hardware` is shared by the actor `memory`
(which writes page-table entries) and all cores (which walk them, set accessed and dirty bits, and say in `cr3` which space they
have loaded). Which frame belongs to whom is not known here: that is kernel/memory.
"""

from __future__ import annotations

from kernel.hardware.hardware import Hardware
from kernel.hardware.mmu import NOT_PRESENT, PROTECTION, Block, PageTable, walk
from kernel.hardware.ram import PhysicalFrame, Ram
from kernel.hardware.tlb import Tlb

__all__ = ["NOT_PRESENT", "PROTECTION", "Block", "Hardware", "PageTable", "PhysicalFrame", "Ram", "Tlb", "walk"]
