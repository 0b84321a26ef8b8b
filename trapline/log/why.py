"""Why did this thread wait, and who woke it?

A wait begins with the `sched_switch` in which the thread goes to sleep; that says for what, and for which object. It ends with a
`sched_waking` that names the thread, whose `cause` leads back, event by event, to what somebody did: usually a system call of another
thread, a timer, or a signal. Nothing is guessed: where the log lacks a link, the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from actors import events as e
from trapline.log.lanes import label
from trapline.log.reader import event_name
from trapline.log.show import call, named, thread

MAX_LINKS: Final = 16  # of a chain of causes


def explain(events: list[Any], tid: int) -> Iterator[str]:
    """Text lines on every wait of the thread, in order."""
    events = list(named(events))
    by_seq = {event.seq: event for event in events}
    waits = [index for index, event in enumerate(events) if _sleeps(event, tid)]
    if not waits:
        known = sorted({event.tid for event in events if event.tid})
        yield (
            f"thread {tid} never waited in this log"
            if tid in known
            else f"no thread {tid} in this log; there are {', '.join(map(str, known))}"
        )
        return
    for index in waits:
        yield from _one_wait(events, index, tid, by_seq)


def _sleeps(event: Any, tid: int) -> bool:
    return isinstance(event, e.SchedSwitch) and event.prev_tid == tid and event.prev_state in ("S", "D", "T")


def _one_wait(events: list[Any], index: int, tid: int, by_seq: dict[int, Any]) -> Iterator[str]:
    start = events[index]
    what = f"{start.reason or 'something'}{f' ({start.object})' if start.object else ''}"
    verb = "was stopped" if start.prev_state == "T" else f"waited for {what}"
    yield f"{start.time_ns:,} ns: {thread(start.prev_comm, tid)} {verb}"
    entered = next((event for event in reversed(events[: index + 1]) if isinstance(event, e.SysEnter) and event.tid == tid), None)
    if entered is not None:
        yield f"    in {call(entered)}{_at(entered)} (#{entered.seq})"
    waking = next((event for event in events[index + 1 :] if isinstance(event, e.SchedWaking) and event.target == tid), None)
    wakeup = next((event for event in events[index + 1 :] if isinstance(event, e.SchedWakeup) and event.tid == tid), None)
    if waking is None and wakeup is None:
        yield "    nobody woke it"
        return
    yield from _waker(events, waking or wakeup, start, by_seq)


def _waker(events: list[Any], waking: Any, start: Any, by_seq: dict[int, Any]) -> Iterator[str]:
    chain = list(_causes(waking, by_seq))
    actor = next((event for event in (waking, *chain) if event.tid and event.tid != start.prev_tid), None)
    how = f" ({waking.why})" if isinstance(waking, e.SchedWaking) else ""
    by = f" by {thread(actor.comm, actor.tid)}" if actor is not None else ""
    yield f"    woken{by}{how} at {waking.time_ns:,} ns, after {waking.time_ns - start.time_ns:,} ns (#{waking.seq})"
    entered = next((event for event in chain if isinstance(event, e.SysEnter)), None)
    if entered is None and actor is not None:
        position = events.index(waking)
        entered = next((event for event in reversed(events[:position]) if isinstance(event, e.SysEnter) and event.tid == actor.tid), None)
    if entered is not None:
        yield f"    which was in {call(entered)}{_at(entered)} (#{entered.seq})"
    for event in chain:
        if event is not entered:
            yield f"    because of #{event.seq} {event_name(type(event))} {label(event)}".rstrip()


def _at(event: Any) -> str:
    """The program's line, where it is one's."""
    return f" at {event.file}:{event.line}" if event.file else ""


def _causes(event: Any, by_seq: dict[int, Any]) -> Iterator[Any]:
    """What led to the event, nearest first, up to the system call that began it."""
    for _ in range(MAX_LINKS):
        event = by_seq.get(event.cause)
        if event is None:
            return
        yield event
        if isinstance(event, e.SysEnter):
            return
