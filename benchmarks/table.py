"""Measuring one program, and printing one line a figure: absolute, as a ratio to a bare coroutine send, reached and wanted.

Time is CPU time of our thread: what else the host does disturbs it less, and a machine never waits for anything.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.parts import Parts
from benchmarks.programs import DONE, GO
from kernel.config import Config
from trapline.config import load
from trapline.machine import Machine, Run
from trapline.programs import Found

Drive = Callable[[Machine, Found], Run]
REFERENCE_SEND_NS = 41  # of the machine for which the wanted figures are meant


class Marks:
    """The console of a measured program: when it said `go` and `done`."""

    def __init__(self) -> None:
        self.began = self.ended = 0

    def __call__(self, stream: int, data: bytes) -> None:
        """Bytes that the program wrote."""
        if data == GO:
            self.began = time.thread_time_ns()
        elif data == DONE:
            self.ended = time.thread_time_ns()


class Bench:
    """Sizes, repetitions and the table of one run."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick  # tiny sizes, once: to see that all of it works
        self.repeats = 1 if quick else 3
        self.parts = self.measure_parts()

    def measure_parts(self) -> Parts:
        """The yardstick, now: machines get faster and slower while one measures."""
        return Parts(100 if self.quick else 20_000)

    def count(self, wanted: int) -> int:
        """A size, or a tiny one."""
        return max(2, wanted // 100) if self.quick else wanted

    def sizes(self, *wanted: int) -> tuple[int, ...]:
        """What a figure is measured against; two of them where all is tiny."""
        return wanted[:2] if self.quick else wanted

    def time(
        self, found: Found, drive: Drive = Machine.run, config: Config | None = None, repeats: int = 3, **options: Any
    ) -> float:
        """Host nanoseconds between `go` and `done`: the best of the repetitions. Every run must be ok."""
        best = float("inf")
        for _ in range(min(repeats, self.repeats)):
            marks = Marks()
            run = drive(Machine(config or load("quiet"), **{"seed": 1, "events": (), "output": marks, **options}), found)
            assert run.verdict == "ok", "\n".join(failure.message[:500] for failure in run.failures)
            best = min(best, marks.ended - marks.began)
        return best

    def median(self, measure: Callable[[], float]) -> float:
        """The median of the repetitions, for what is a mean over many runs already."""
        return statistics.median(measure() for _ in range(self.repeats))

    def title(self, text: str) -> None:
        """A section of the table."""
        print(f"\n{text}\n  {'':<48} {'a second':>12} {'ns each':>12} {'sends':>9}  {'reached':<22} wanted", flush=True)

    def row(self, name: str, ns: float, *, reached: str = "", wanted: str = "") -> None:
        """One figure: `ns` for one of what `name` says."""
        print(f"  {name:<48} {1e9 / ns:>12,.0f} {ns:>12,.0f} {ns / self.parts.send:>9,.1f}  {reached:<22} {wanted}".rstrip(), flush=True)

    def per_part(self, ns: float, parts: float) -> str:
        """How far it is from what it cannot do without."""
        return f"{ns / parts:.1f} times its parts"

    def grown(self, ns: float, first: float) -> str:
        """How much more than the first of its kind."""
        return f"{ns / first:.2f} times the first"


def sized(**machine: int) -> Config:
    """The quiet machine with other hardware; thousands of threads that only load are no livelock here."""
    config = load("quiet")
    patient = msgspec.structs.replace(config.run, livelock_steps=10**9)
    return msgspec.structs.replace(config, machine=msgspec.structs.replace(config.machine, **machine), run=patient)
