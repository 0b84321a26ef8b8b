"""Strategies: who draws, and how. Every choice of the machine goes through one `Chooser`, which asks a strategy and records the answer.

A strategy answers two questions, `choose_next(candidates)` (which of several ready ones runs) and `choose(kind, options, default)`
(does this wake-up come for no reason? does this call fail?). Candidates are identities (agenda.py), sorted; the answer is an index.
A draw happens only where there are two or more. Each choice is recorded with kind, chosen identity, number of candidates and a
checksum of the set, so that a replay can refuse at the first choice that differs, and name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from zlib import crc32

import msgspec

from actors.agenda import Identity, label
from kernel.rng import Stream


class Choice(msgspec.Struct, array_like=True, gc=False):
    """One recorded choice, as schedule files hold it."""

    kind: str  # "next" or the kind of `choose`
    chosen: str  # label of the identity, or the option's number
    count: int  # candidates
    checksum: int  # crc32 over the labels of all candidates


class ReplayDiverged(Exception):  # noqa: N818 - it states what happened, and is reported to users by this name
    """The program, config or version is not the one that the schedule was recorded with."""


class Strategy(Protocol):
    """See the module's docstring."""

    name: str

    def choose_next(self, candidates: Sequence[Identity]) -> int:
        """Index of the candidate that runs; there are at least two."""

    def choose(self, kind: str, options: int, default: int) -> int:
        """One of `options` (0 … options - 1) for a fault point."""


class Timed:
    """The default of `run`: the agenda orders by time, the strategy only breaks ties, by seeded draws."""

    name = "timed"

    def __init__(self, seed: int) -> None:
        self._stream = Stream(seed, "ties")

    def choose_next(self, candidates: Sequence[Identity]) -> int:
        """A seeded draw among actors that are ready at the same nanosecond."""
        return self._stream.below(len(candidates))

    def choose(self, kind: str, options: int, default: int) -> int:
        """Nothing goes wrong on purpose."""
        return default


class RandomWalk:
    """Uniform over the candidates at every choice (at both granularities)."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self._stream = Stream(seed, "walk")
        self._faults = Stream(seed, "faults")

    def choose_next(self, candidates: Sequence[Identity]) -> int:
        """Each candidate is as likely as any other."""
        return int(self._stream.random() * len(candidates))

    def choose(self, kind: str, options: int, default: int) -> int:
        """Each option is as likely as any other."""
        return self._faults.below(options)


class Replay:
    """Follows recorded choices; refuses at the first that does not fit, naming it."""

    def __init__(self, recorded: Sequence[Choice], name: str) -> None:
        self.name = name  # of the strategy that was recorded: the log of a replay equals the original's
        self._recorded = recorded
        self._position = 0

    def choose_next(self, candidates: Sequence[Identity]) -> int:
        """The recorded one."""
        choice = self._following("next")
        labels = [label(candidate) for candidate in candidates]
        if choice.count != len(labels) or choice.checksum != _checksum(labels) or choice.chosen not in labels:
            raise ReplayDiverged(
                f"choice {self._position} differs from the schedule: recorded {choice.chosen} out of {choice.count} candidates, "
                f"now there are {len(labels)}: {', '.join(labels)}. Run the program, config and version that the schedule names."
            )
        return labels.index(choice.chosen)

    def choose(self, kind: str, options: int, default: int) -> int:
        """The recorded one."""
        choice = self._following(kind)
        return int(choice.chosen)

    def _following(self, kind: str) -> Choice:
        if self._position >= len(self._recorded):
            raise ReplayDiverged(f"the schedule ends after {self._position} choices, but the run goes on")
        choice = self._recorded[self._position]
        self._position += 1
        if choice.kind != kind:
            raise ReplayDiverged(f"choice {self._position} differs from the schedule: recorded kind {choice.kind!r}, now {kind!r}")
        return choice


def _checksum(labels: Sequence[str]) -> int:
    return crc32("|".join(labels).encode())


class Chooser:
    """Asks the strategy and keeps the record. `taken` holds (kind, chosen, candidates) and is rendered only when somebody wants it."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.taken: list[tuple[str, Any, Any]] = []
        self.observer: Any = None  # the recorder, if choice events are on

    def next(self, candidates: Sequence[Identity]) -> int:
        """Which of two or more candidates runs."""
        index = self.strategy.choose_next(candidates)
        self.taken.append(("next", index, candidates))
        if self.observer is not None:
            labels = [label(candidate) for candidate in candidates]
            self.observer.choice("next", labels[index], labels, _checksum(labels))
        return index

    def option(self, kind: str, options: int, default: int) -> int:
        """Which option of a fault point."""
        chosen = self.strategy.choose(kind, options, default)
        self.taken.append((kind, chosen, options))
        if self.observer is not None:
            self.observer.choice(kind, str(chosen), [str(option) for option in range(options)], 0)
        return chosen

    def choices(self) -> list[Choice]:
        """The record, as a schedule file holds it."""
        result = []
        for kind, chosen, candidates in self.taken:
            if kind == "next":
                labels = [label(candidate) for candidate in candidates]
                result.append(Choice(kind, labels[chosen], len(labels), _checksum(labels)))
            else:
                result.append(Choice(kind, str(chosen), candidates, 0))
        return result
