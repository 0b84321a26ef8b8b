"""`trapline log`: show, lanes, why. What is damaged in a log is told by line number; the rest is shown."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable
from typing import Any

from trapline import verdicts
from trapline.commands.run import UsageError, say
from trapline.config import event_categories
from trapline.log import lanes as lane_view
from trapline.log import show as show_view
from trapline.log import why as why_view
from trapline.log.reader import Filter, Log, LogError, event_name, event_types, read_log, select


def _read(path: str) -> Log:
    try:
        log = read_log(path)
    except LogError as error:
        raise UsageError(str(error)) from None
    list(show_view.named(log.events))  # before any filter takes away the events from which names are known
    return log


def _finish(path: str, log: Log, lines: Iterable[str], limit: int) -> int:
    for line in itertools.islice(lines, limit or None):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    for damage in log.damage:
        say(f"{path}: line {damage.line}: {damage.text}")
    return verdicts.EXIT_USAGE if log.damage else verdicts.EXIT_GOOD


def make_filter(
    events: list[str], categories: list[str], pids: list[int], tids: list[int], cpus: list[int], from_ns: int | None, to_ns: int | None
) -> Filter:
    """A filter from options; each may be given several times, names also separated by commas. Raises UsageError."""
    names = _known(events, [event_name(kind) for kind in event_types()], "--event")
    chosen = _known(categories, event_categories(), "--category")
    return Filter(names, chosen, frozenset(pids), frozenset(tids), frozenset(cpus), from_ns, to_ns)


def _known(given: list[str], known: Iterable[str], option: str) -> frozenset[str]:
    names = frozenset(name for text in given for name in text.split(",") if name)
    unknown = sorted(names.difference(known))
    if unknown:
        raise UsageError(f"{option}: unknown name {unknown[0]}: expected some of {', '.join(sorted(known))}")
    return names


def show(path: str, wanted: Filter, limit: int = 0) -> int:
    """One line per event."""
    log = _read(path)
    return _finish(path, log, show_view.render(select(log.events, wanted), sys.stdout.isatty()), limit)


def lanes(path: str, wanted: Filter, by: str = "cpu", limit: int = 0, width: int = lane_view.WIDTH) -> int:
    """Columns per core or per thread."""
    log = _read(path)
    events: Any = sorted(select(log.events, wanted), key=lambda event: event.time_ns)  # each actor has its own clock: a log goes by cause
    view = lane_view.by_thread if by == "thread" else lane_view.by_cpu
    return _finish(path, log, view(events, width), limit + 1 if limit else 0)


def why(path: str, tid: int, limit: int = 0) -> int:
    """Why the thread waited, and who woke it."""
    log = _read(path)
    return _finish(path, log, why_view.explain(log.events, tid), limit)
