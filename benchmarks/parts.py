"""What an op and a system call cannot do without, each measured by itself in the same run: the yardstick of `make bench`.

An op is a send into the program's coroutines, a translation, an access to simulated memory, a choice, the dispatch on what the op is, and
the record of its result. A system call is that, and two messages: each is put into a box, makes its receiver ready, hands over, is taken
out, and is handled by the method that its class names. Nothing here uses the machine's code: these are the plainest ways to do such things.
"""

from __future__ import annotations

import time
import types
from collections import deque
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from random import Random
from typing import Any

import msgspec

REPEATS = 5


class _Op(msgspec.Struct, frozen=True, gc=False):
    address: int
    code: int


class _Message(msgspec.Struct, frozen=True, gc=False):
    caller: int
    serial: int


def per_step(run: Callable[[int], object], steps: int) -> float:
    """Nanoseconds per step: the best of some repetitions, since noise only adds."""
    best = float("inf")
    for _ in range(REPEATS):
        began = time.thread_time_ns()
        run(steps)
        best = min(best, (time.thread_time_ns() - began) / steps)
    return best


@types.coroutine
def _trap(op: Any) -> Generator[Any, Any, Any]:
    return (yield op)


@types.coroutine
def _spin() -> Generator[Any, Any, None]:
    while True:
        yield


async def _program() -> None:
    while True:
        await _trap(_Op(4096, 2))


def _send_many(send: Callable[[Any], Any], count: int) -> None:
    send(None)
    for _ in range(count):
        send(None)


def bare_send(steps: int) -> float:
    """The calibration loop: sends into a bare generator."""
    return per_step(lambda count: _send_many(_spin().send, count), steps)


def coroutine_send(steps: int) -> float:
    """A send into a coroutine that awaits a trap with a fresh op: what a program does between two ops."""
    return per_step(lambda count: _send_many(_program().send, count), steps)


def translation(steps: int) -> float:
    """A page number looked up in a dict."""
    tlb = {number: number for number in range(64)}

    def run(count: int) -> None:
        get = tlb.get
        address = 5 << 12
        for _ in range(count):
            get(address >> 12)

    return per_step(run, steps)


def typed_load(steps: int) -> float:
    """A word of a page, through a typed memoryview."""
    view = memoryview(bytearray(4096)).cast("i")

    def run(count: int) -> None:
        address = 20 << 12
        for _ in range(count):
            view[(address & 4095) >> 2]

    return per_step(run, steps)


def choice(steps: int) -> float:
    """A draw among four candidates, recorded."""
    draw = Random(1).random

    def run(count: int) -> None:
        taken: list[tuple[int, int, int]] = []
        for _ in range(count):
            taken.append((int(draw() * 4), 4, 0))  # noqa: PERF401 - as the chooser does it

    return per_step(run, steps)


def dispatch(steps: int) -> float:
    """From a record's class to the function for it, and the call."""
    table = {_Op: abs, _Message: abs}
    op = _Op(1, 2)

    def run(count: int) -> None:
        for _ in range(count):
            table[op.__class__](-1)

    return per_step(run, steps)


def record(steps: int) -> float:
    """A result appended to a list."""

    def run(count: int) -> None:
        kept: list[int] = []
        append = kept.append
        for _ in range(count):
            append(1)

    return per_step(run, steps)


def message(steps: int) -> float:
    """A message made, put into a box and its receiver into the heap of the ready; the hand-over; both taken out, and the dispatch."""
    box: deque[tuple[Any, int, int, int]] = deque()
    ready: list[tuple[int, int]] = [(0, 1), (1, 2)]
    table = {_Message: abs}

    def run(count: int) -> None:
        coroutine = _program()
        send = coroutine.send
        send(None)
        for time_ns in range(count):
            box.append((_Message(1, 2), 1, 2, 0))
            heappush(ready, (time_ns, 1))
            heappop(ready)
            send(None)
            taken = box.popleft()
            table[taken[0].__class__](-1)

    return per_step(run, steps)


class Parts:
    """All of them, measured at one moment."""

    def __init__(self, steps: int) -> None:
        self.send = bare_send(steps)
        self.by_name = {
            "coroutine send": coroutine_send(steps), "translation": translation(steps), "load": typed_load(steps), "choice": choice(steps),
            "dispatch": dispatch(steps), "record": record(steps), "message": message(steps),
        }  # fmt: skip

    @property
    def op(self) -> float:
        """The sum for one op, ns."""
        return sum(ns for name, ns in self.by_name.items() if name != "message")

    @property
    def syscall(self) -> float:
        """The sum for one system call: an op, a request and its reply."""
        return self.op + 2 * self.by_name["message"]
