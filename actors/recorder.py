"""Events go through here. A category that is off costs one attribute test at the call site: `if self.log.sched: …`.

Typed records pass through a structlog logger whose last link is our sink: a list in memory, and a writer of JSON lines where the run
asked for a file. The processor chain is structlog's, so that a host program can put its own processors in front.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import structlog

from actors.events import CATEGORIES, ChoiceEvent, Event


class Sink:
    """Keeps events, and writes them as JSON lines. structlog calls `msg` with what the chain made of the event."""

    def __init__(self, events: list[Event], write: Any = None) -> None:
        self.events = events
        self.write = write  # callable taking bytes, or None
        self._encode = msgspec.json.Encoder().encode

    def msg(self, event: Event) -> None:
        """Keep one event."""
        self.events.append(event)
        if self.write is not None:
            self.write(self._encode(event) + b"\n")


class _EventLogger(structlog.BoundLoggerBase):
    """A structlog logger for typed records: the record itself is the event."""

    def event(self, record: Event) -> None:
        """Pass `record` through the processors to the sink."""
        for processor in self._processors:
            record = processor(self._logger, "event", record)  # type: ignore[arg-type, assignment]
        self._logger.msg(record)


class Recorder:
    """Numbers events and hands them to structlog. One attribute per category: True if it is on."""

    run: bool
    sched: bool
    process: bool
    syscall: bool
    signal: bool
    fault: bool
    futex: bool
    ipc: bool
    timer: bool
    message: bool
    op: bool
    store: bool
    choice_on: bool

    def __init__(self, categories: Iterable[str], write: Any = None, processors: Iterable[Any] = ()) -> None:
        chosen = set(categories)
        unknown = chosen - set(CATEGORIES)
        assert not unknown, f"unknown event categories {sorted(unknown)}"
        self.categories = tuple(category for category in CATEGORIES if category in chosen)
        for category in CATEGORIES:
            setattr(self, "choice_on" if category == "choice" else category, category in chosen)
        self.events: list[Event] = []
        self.seq = 0
        chain = list(processors)
        self._sink = Sink(self.events, write)
        # Without processors the sink is called directly: the chain would be an empty loop on the hot path.
        self._emit = _EventLogger(self._sink, chain, {}).event if chain else self._sink.msg

    def add(self, event: Event) -> int:
        """Give the event its number and keep it."""
        self.seq = event.seq = self.seq + 1
        self._emit(event)
        return event.seq

    def choice(self, kind: str, chosen: str, enabled: list[str], checksum: int) -> None:
        """A choice was drawn (category `choice`)."""
        self.add(ChoiceEvent(kind=kind, chosen=chosen, enabled=enabled, checksum=checksum, actor="conductor"))

    @staticmethod
    def plain(value: Any) -> Any:
        """A value as the log shows it."""
        return plain(value)

    @staticmethod
    def fields_of(message: Any) -> dict[str, Any]:
        """A message's plain fields, for `message` events; contexts and images are shown by name only."""
        if not isinstance(message, msgspec.Struct):
            return {"value": plain(message)}
        return {name: plain(getattr(message, name)) for name in message.__struct_fields__}


def plain(value: Any) -> Any:
    """Any value as JSON can show it: text for bytes, short lists, records by field, the class's name for what has none."""
    if value is None or isinstance(value, (int, str, bool)):
        return value
    if isinstance(value, bytes):
        return value[:64].decode("utf-8", "backslashreplace")
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value[:16]]
    if isinstance(value, msgspec.Struct) and len(value.__struct_fields__) <= 8:
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return type(value).__name__
