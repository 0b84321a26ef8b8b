"""What an op and a system call cannot do without, measured by itself in the same run: the yardstick for DESIGN's "sum of the parts"."""

from __future__ import annotations

import time
import types
from collections import deque
from collections.abc import Callable, Generator
from random import Random
from typing import Any

from kernel.abi.ops import I32, Load
from kernel.hardware.ram import PhysicalFrame

REPEATS = 5


def per_step(run: Callable[[int], object], steps: int) -> float:
    """Nanoseconds per step: the best of some repetitions, since noise only adds."""
    best = float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter_ns()
        run(steps)
        best = min(best, (time.perf_counter_ns() - began) / steps)
    return best


@types.coroutine
def _spin() -> Generator[Any, Any, None]:
    while True:
        yield


async def _outer() -> None:
    await _spin()


def bare_send(steps: int = 200_000) -> float:
    """The calibration loop: a send into a bare generator."""

    def run(count: int) -> None:
        generator = _spin()
        send = generator.send
        send(None)
        for _ in range(count):
            send(None)

    return per_step(run, steps)


def coroutine_send(steps: int = 100_000) -> float:
    """A send into a coroutine that awaits a generator: what every op takes."""

    def run(count: int) -> None:
        coroutine = _outer()
        send = coroutine.send
        send(None)
        for _ in range(count):
            send(None)
        coroutine.close()

    return per_step(run, steps)


def translate_and_load(steps: int = 100_000) -> float:
    """An op record, a TLB hit, and an index into a typed view."""
    frame = PhysicalFrame(1)
    tlb = {5: frame}

    def run(count: int) -> None:
        for _ in range(count):
            op = Load(5 << 12, I32, -1)
            page = tlb.get(op.address >> 12)
            assert page is not None
            view = page.views[op.code] or page.view(op.code)
            view[(op.address & 4095) >> 2]

    return per_step(run, steps)


def choice(steps: int = 100_000) -> float:
    """A draw among four candidates, recorded."""
    draw = Random(1).random
    taken: list[tuple[int, int, int]] = []

    def run(count: int) -> None:
        taken.clear()
        for _ in range(count):
            taken.append((int(draw() * 4), 4, 0))  # noqa: PERF401 - as the chooser does it

    return per_step(run, steps)


def message_hop(steps: int = 50_000) -> float:
    """A message put into a box, a hand-over, and its removal."""
    box: deque[tuple[Any, int, int, int]] = deque()

    def run(count: int) -> None:
        coroutine = _outer()
        send = coroutine.send
        send(None)
        for _ in range(count):
            box.append((None, 1, 2, 0))
            send(None)
            box.popleft()
        coroutine.close()

    return per_step(run, steps)
