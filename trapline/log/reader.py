"""From a log file to typed events; damaged lines are reported by number, the others are still there.

A log is one JSON object a line (actors/events.py has the schema, docs/events.md its description). A run that was killed leaves a last
line that is cut; a disk or an editor may damage any. So every line stands for itself: it is an event or it is a `Damage`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Union

import msgspec

from actors.events import SCHEMA_VERSION, Event, RunStart


class Damage(NamedTuple):
    """A line that is no event."""

    line: int
    text: str


class Log(NamedTuple):
    """What a file held."""

    events: list[Any]
    damage: list[Damage]


class LogError(Exception):
    """A file of which nothing can be read. The text names it."""


def event_types() -> list[type[Event]]:
    """Every record of the schema, by name."""
    return sorted(Event.__subclasses__(), key=event_name)


def event_name(kind: type[Event]) -> str:
    """The name that stands in the log: `sched_switch`."""
    return str(kind.__struct_config__.tag)


def read_log(path: str) -> Log:
    """All events of a file, and what of it is damaged. Raises LogError if there is no event at all."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise LogError(f"{path}: {error.strerror}") from None
    log = parse(content.split(b"\n"))
    if not log.events:
        reason = str(log.damage[0].text) if log.damage else "it is empty"
        line = f"line {log.damage[0].line}: " if log.damage else ""
        raise LogError(f"{path}: {line}not an event log: {reason}")
    return log


def parse(lines: Iterable[bytes]) -> Log:
    """Lines to events; an empty line is nothing."""
    kinds: Any = Union[tuple(event_types())]  # noqa: UP007 - made from a list
    decode = msgspec.json.Decoder(kinds).decode
    events: list[Any] = []
    damage: list[Damage] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            damage.append(Damage(number, _reason(line, error)))
            continue
        if isinstance(event, RunStart) and event.schema != SCHEMA_VERSION:
            damage.append(
                Damage(number, f"written with schema {event.schema}, this is schema {SCHEMA_VERSION}: read it with version {event.version}")
            )
        events.append(event)
    return Log(events, damage)


def _reason(line: bytes, error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return f"not an event: {error}"
    if not line.rstrip().endswith(b"}"):
        return "cut short"
    return f"not JSON: {error}"


class Filter(msgspec.Struct, frozen=True):
    """Which events to show; an empty field lets all through."""

    events: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    pids: frozenset[int] = frozenset()
    tids: frozenset[int] = frozenset()
    cpus: frozenset[int] = frozenset()
    from_ns: int | None = None
    to_ns: int | None = None

    def matches(self, event: Event) -> bool:
        """Is it wanted?"""
        return (
            (not self.events or event_name(type(event)) in self.events)
            and (not self.categories or event.category in self.categories)
            and (not self.pids or event.pid in self.pids)
            and (not self.tids or event.tid in self.tids)
            and (not self.cpus or event.cpu in self.cpus)
            and (self.from_ns is None or event.time_ns >= self.from_ns)
            and (self.to_ns is None or event.time_ns <= self.to_ns)
        )


def select(events: Iterable[Any], wanted: Filter) -> Iterator[Any]:
    """The events that the filter lets through, in order."""
    return (event for event in events if wanted.matches(event))
