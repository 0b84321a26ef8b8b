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
    checksum: int  # of the set of candidates, see Chooser


class ReplayDiverged(Exception):
    """The program, config or version is not the one that the schedule was recorded with."""


class Strategy(Protocol):
    """See the module's docstring."""

    name: str

    def choose_next(self, candidates: Sequence[Identity], checksum: int) -> int:
        """Index of the candidate that runs; there are at least two. `checksum` tells sets of candidates apart."""

    def choose(self, kind: str, options: int, default: int) -> int:
        """One of `options` (0 … options - 1) for a fault point."""


class Timed:
    """The default of `run`: the agenda orders by time, the strategy only breaks ties, by seeded draws."""

    name = "timed"

    def __init__(self, seed: int) -> None:
        self._stream = Stream(seed, "ties")

    def choose_next(self, candidates: Sequence[Identity], checksum: int) -> int:
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

    def choose_next(self, candidates: Sequence[Identity], checksum: int) -> int:
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

    def choose_next(self, candidates: Sequence[Identity], checksum: int) -> int:
        """The recorded one."""
        choice = self._following("next")
        labels = [label(candidate) for candidate in candidates]
        if choice.count != len(labels) or choice.checksum != checksum or choice.chosen not in labels:
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


class Chooser:
    """Asks the strategy and keeps the record, which is rendered only when somebody wants it.

    A set of candidates is told apart by a checksum that does not depend on their order: the exclusive or of one number per identity.
    So an agenda whose set changes by one candidate at a time keeps it up to date by one operation.
    """

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.choose_next = strategy.choose_next
        self.taken: list[tuple[Any, ...]] = []  # (identity, candidates, checksum), or (kind, option, options, 0)
        self.observer: Any = None  # the recorder, if choice events are on
        self._marks: dict[Identity, int] = {}

    def mark(self, identity: Identity) -> int:
        """The number that stands for an identity in checksums."""
        found = self._marks.get(identity)
        if found is None:
            found = self._marks[identity] = crc32(label(identity).encode())
        return found

    def checksum(self, candidates: Sequence[Identity]) -> int:
        """Of a whole set."""
        result = 0
        for identity in candidates:
            result ^= self.mark(identity)
        return result

    def next(self, candidates: Sequence[Identity], checksum: int) -> int:
        """Which of two or more candidates runs."""
        index = self.choose_next(candidates, checksum)
        self.taken.append((candidates[index], len(candidates), checksum))
        if self.observer is not None:
            labels = [label(candidate) for candidate in candidates]
            self.observer.choice("next", labels[index], labels, checksum)
        return index

    def option(self, kind: str, options: int, default: int) -> int:
        """Which option of a fault point."""
        chosen = self.strategy.choose(kind, options, default)
        self.taken.append((kind, chosen, options, 0))
        if self.observer is not None:
            self.observer.choice(kind, str(chosen), [str(option) for option in range(options)], 0)
        return chosen

    def choices(self) -> list[Choice]:
        """The record, as a schedule file holds it."""
        return [
            Choice("next", label(taken[0]), taken[1], taken[2]) if len(taken) == 3 else Choice(taken[0], str(taken[1]), taken[2], 0)
            for taken in self.taken
        ]
