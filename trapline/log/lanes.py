"""Lanes: what each core, or each thread, did when, side by side as plain text.

               time cpu0              cpu1
          1,204,312 > lock/101        │
          1,204,344 mmap()            │
          1,205,001 │                 > lock/102

Time goes down. `>` is a switch to a thread, `│` that somebody runs there (on a thread's lane: that it runs), `·` that the thread is
ready but has no core, blank that the core is idle or the thread sleeps. A row is one event; an event stands in the lane where it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from actors import events as e
from trapline.log.show import call, named, outcome, thread

WIDTH: Final = 24  # characters of a lane
RUNS: Final = "│"
READY: Final = "·"


def by_cpu(events: Iterable[Any], width: int = WIDTH) -> Iterator[str]:
    """One lane per core."""
    shown = list(named(events))
    cpus = sorted({event.cpu for event in shown if event.cpu >= 0})
    lanes = {cpu: f"cpu{cpu}" for cpu in cpus}
    state = dict.fromkeys(cpus, "")
    yield _head(lanes.values(), width)
    for event in shown:
        if event.cpu not in state:
            continue
        if isinstance(event, e.SchedSwitch):
            state[event.cpu] = RUNS if event.next_tid else ""
            cell = f"> {thread(event.next_comm, event.next_tid)}" + (f" ({event.reason})" if event.reason and not event.next_tid else "")
        else:
            cell = label(event)
        if cell:
            yield _row(event.time_ns, [cell if cpu == event.cpu else state[cpu] for cpu in cpus], width)


def by_thread(events: Iterable[Any], width: int = WIDTH) -> Iterator[str]:
    """One lane per thread, in order of appearance."""
    shown = list(named(events))
    names: dict[int, str] = {}
    for event in shown:
        for tid, comm in _threads(event):
            names[tid] = comm or names.get(tid, "")
    state = dict.fromkeys(names, "")
    yield _head([thread(comm, tid) for tid, comm in names.items()], width)
    for event in shown:
        for tid, cell in _cells(event, state):
            if cell and tid in state:
                yield _row(event.time_ns, [cell if other == tid else state[other] for other in names], width)


def _threads(event: Any) -> Iterator[tuple[int, str]]:
    if isinstance(event, e.SchedSwitch):
        yield from ((tid, comm) for tid, comm in ((event.prev_tid, event.prev_comm), (event.next_tid, event.next_comm)) if tid)
    elif event.tid:
        yield event.tid, event.comm


def _cells(event: Any, state: dict[int, str]) -> Iterator[tuple[int, str]]:
    """(tid, text) of the lanes in which the event stands; keeps `state`."""
    if isinstance(event, e.SchedSwitch):
        if event.prev_tid:
            state[event.prev_tid] = READY if event.prev_state == "R" else ""
            yield event.prev_tid, f"< {event.reason or event.prev_state} {event.object}".rstrip()
        if event.next_tid:
            state[event.next_tid] = RUNS
            yield event.next_tid, f"> cpu{event.cpu}"
    elif isinstance(event, e.SchedWakeup):
        state[event.tid] = READY
        yield event.tid, f"ready on cpu{event.target_cpu}"
    else:
        yield event.tid, label(event)


def label(event: Any) -> str:
    """An event in a few words; the empty string for those that lanes leave out."""
    describe = _LABELS.get(type(event))
    return describe(event) if describe is not None else ""


_LABELS: Final[dict[type, Any]] = {
    e.SysEnter: call,
    e.SysExit: lambda event: f"= {outcome(event)}",
    e.SchedProcessFork: lambda event: f"clone -> {event.child_tid}",
    e.SchedProcessExec: lambda event: f"exec {event.filename}",
    e.SchedProcessExit: lambda event: "exit",
    e.ProgramOutput: lambda event: f"out {event.text!r}",
    e.UncaughtExceptionEvent: lambda event: f"! {event.kind}",
    e.SignalDeliver: lambda event: f"{event.name} {event.action}",
    e.SignalReturn: lambda event: "sigreturn",
    e.PageFaultUser: lambda event: f"fault {event.kind}",
    e.FutexWaitEvent: lambda event: "futex queued" if event.queued else "futex changed",
    e.FutexWakeEvent: lambda event: f"futex wakes {len(event.woken)}",
    e.OpEvent: lambda event: f"{event.op} {event.address:#x} {event.value}",
    e.StoreEvent: lambda event: f"{event.address:#x}: {event.old} -> {event.new}",
    e.SchedWakeup: lambda event: f"ready {thread(event.comm, event.tid)}",
}


def _head(lanes: Iterable[str], width: int) -> str:
    return (f"{'time':>15} " + " ".join(lane[:width].ljust(width) for lane in lanes)).rstrip()


def _row(time_ns: int, cells: Iterable[str], width: int) -> str:
    return (f"{time_ns:>15,} " + " ".join(_cut(cell, width) for cell in cells)).rstrip()


def _cut(cell: str, width: int) -> str:
    return (cell if len(cell) <= width else cell[: width - 1] + "…").ljust(width)
