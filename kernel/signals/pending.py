"""Pending signals: generated, not delivered yet. One set per thread (tkill, faults) and one per process (kill, SIGCHLD).

A standard signal (1 to 31) is pending or not: a second one while the first waits is lost, and the first siginfo is kept. Real-time
signals queue up, in order. Which of several comes first: faults before all others, then the lowest number. signal(7).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from kernel.abi.signos import SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, bit, make_set
from kernel.invariants import Violation

FIRST_QUEUED: Final = 32  # the kernel's SIGRTMIN; glibc keeps 32 and 33 for itself
SYNCHRONOUS: Final = make_set((SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS))  # belong to the instruction that runs: come first


class SignalInfo(msgspec.Struct, frozen=True, gc=False):
    """siginfo_t's useful fields: sigaction(2)."""

    signo: int
    code: int  # SI_USER, SI_TKILL, SI_KERNEL, SEGV_MAPERR, CLD_EXITED, …
    errno: int = 0
    pid: int = 0  # of the sender, or of the child
    uid: int = 0
    status: int = 0  # CLD_*: exit status or signal
    value: int = 0  # sigqueue's
    address: int = 0  # of a fault


class PendingSet(msgspec.Struct):
    """Signals that wait to be taken."""

    bits: int = 0  # Invariant: pending_bits_match_queue - bit n-1 is set exactly if an info of signal n is queued
    queue: list[SignalInfo] = []  # Invariant: one_of_each_standard_signal - at most one of each signal below 32

    def add(self, info: SignalInfo) -> bool:
        """Queue it; False if a standard signal of this number is pending already."""
        if info.signo < FIRST_QUEUED and self.bits & bit(info.signo):
            return False
        self.bits |= bit(info.signo)
        self.queue.append(info)
        return True

    def take(self, wanted: int) -> SignalInfo | None:
        """The first signal of the set `wanted`, taken out: faults, then the lowest number, then the oldest."""
        candidates = self.bits & wanted
        if not candidates:
            return None
        candidates = candidates & SYNCHRONOUS or candidates
        signo = (candidates & -candidates).bit_length()
        index = next(index for index, info in enumerate(self.queue) if info.signo == signo)
        info = self.queue.pop(index)
        if all(other.signo != signo for other in self.queue):
            self.bits &= ~bit(signo)
        return info

    def discard(self, unwanted: int) -> None:
        """Forget all signals of the set `unwanted`."""
        if self.bits & unwanted:
            self.bits &= ~unwanted
            self.queue = [info for info in self.queue if not bit(info.signo) & unwanted]

    def check(self, owner: str) -> Iterator[Violation]:
        """What does not hold; `owner` for the text."""
        if self.bits != make_set(info.signo for info in self.queue):
            yield Violation("pending_bits_match_queue", f"{owner}: bits {self.bits:#x}, queued {[info.signo for info in self.queue]}")
        standard = [info.signo for info in self.queue if info.signo < FIRST_QUEUED]
        for position, signo in enumerate(standard):
            if signo in standard[:position]:
                yield Violation("one_of_each_standard_signal", f"{owner}: signal {signo} is queued more than once")
