"""One readable line per event: time, core, thread, name, and the event's own fields. structlog's console renderer does the drawing.

1,204,312 cpu1 lock/101      sched_switch     prev=lock/101 S futex (futex:7+64) next=idle
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import structlog
from structlog.dev import Column, KeyValueColumnFormatter

from actors.events import Event, SchedSwitch, SysEnter, SysExit
from kernel.abi.decode import RESULT, is_symbolic
from trapline.log.reader import event_name

_COMMON: Final = frozenset(Event.__struct_fields__)
MAX_VALUE: Final = 80  # characters of one field


def render(events: Iterable[Any], colors: bool = False) -> Iterator[str]:
    """Lines for people."""
    renderer = _renderer(colors)
    for event in named(events):
        yield str(renderer(None, "info", _fields(event))).rstrip()


def named(events: Iterable[Any]) -> Iterator[Any]:
    """The same events; where an actor knew only a thread's number, its name is filled in from the events before."""
    names: dict[int, str] = {}
    for event in events:
        if event.comm:
            names[event.tid] = event.comm
        elif event.tid in names:
            event.comm = names[event.tid]
        yield event


def _renderer(colors: bool) -> structlog.dev.ConsoleRenderer:
    dim, bright, cyan, reset = ("\x1b[2m", "\x1b[1m", "\x1b[36m", "\x1b[0m") if colors else ("", "", "", "")

    def column(name: str, style: str, width: int, prefix: str = "") -> Column:
        return Column(name, KeyValueColumnFormatter(None, style, reset, str, width=width, prefix=prefix))

    return structlog.dev.ConsoleRenderer(
        columns=[
            Column("", KeyValueColumnFormatter(cyan, "", reset, _shown)),
            column("seq", dim, 6, "#"),
            column("time", dim, 15),
            column("cpu", "", 5),
            column("thread", "", 14),
            column("event", bright, 19),
        ],
        sort_keys=False,
    )


def thread(comm: str, tid: int) -> str:
    """`lock/101`; `idle` for no thread."""
    return f"{comm or '?'}/{tid}" if tid else "idle"


def call(event: SysEnter) -> str:
    """`write(1, "hello")`, arguments shortened."""
    shown = [_argument(value, is_symbolic(event.name, index)) for index, value in enumerate(event.args)]
    return f"{event.name}({', '.join(shown)})"


def outcome(event: SysExit) -> str:
    """What a call gave: `5`, or the errno's name. A call of which nothing comes back gives 0 in C."""
    return event.error or _argument(0 if event.result is None else event.result, is_symbolic(event.name, RESULT))


def _argument(value: Any, symbolic: bool) -> str:
    """A value as strace(1) would show it: strings shortened and in quotes, names without, user memory as address+count."""
    if isinstance(value, str):
        return value if symbolic else _cut('"' + repr(value)[1:-1] + '"')
    if isinstance(value, list):
        items = f"[{', '.join(_argument(item, symbolic) for item in value)}]"
        return items if symbolic else _cut(items)
    if isinstance(value, dict) and value.keys() == {"address", "count"}:
        return f"{value['address']:#x}+{value['count']}"
    return "NULL" if value is None else repr(value)


def _fields(event: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "seq": event.seq,
        "time": f"{event.time_ns:>15,}",
        "cpu": f"cpu{event.cpu}" if event.cpu >= 0 else "",
        "thread": thread(event.comm, event.tid) if event.tid else event.actor,
        "event": event_name(type(event)),
    }
    fields.update(_own_fields(event))
    if event.cause:
        fields["cause"] = f"#{event.cause}"
    return fields


def _own_fields(event: Any) -> dict[str, Any]:
    if isinstance(event, SchedSwitch):
        state = " ".join(filter(None, (event.prev_state, event.reason, f"({event.object})" if event.object else "")))
        prev = f"{thread(event.prev_comm, event.prev_tid)} {state}".strip()
        return {"prev": prev, "next": thread(event.next_comm, event.next_tid)}
    if isinstance(event, SysEnter):
        return {"call": call(event), **_place(event.file, event.line)}
    if isinstance(event, SysExit):
        return {"call": event.name, "result": outcome(event)}
    own = {name: getattr(event, name) for name in event.__struct_fields__ if name not in _COMMON}
    if "file" in own and "line" in own:
        own.update(_place(own.pop("file"), own.pop("line")))
    return {
        (f"{name}_" if name in ("event", "time", "thread") else name): hex(value) if name in ("address", "handler", "pc", "sp") else value
        for name, value in own.items()
    }


def _place(file: str, line: int) -> dict[str, str]:
    """Where in the program; nothing for what libc does before main."""
    return {"at": f"{file}:{line}"} if file else {}


def _shown(value: Any) -> str:
    return _cut(value if isinstance(value, str) and value and value.isprintable() else repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
