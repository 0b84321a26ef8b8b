"""Randomness: named streams, each drawn from one machine seed, equal on every Python version.

Python promises only that `Random(int).random()` gives the same numbers in all versions; choice, shuffle and randrange do not.
So every draw of the machine is built on that one method, here. A stream is named by purpose ("strategy", "jitter", "urandom"),
and seeded when it is first drawn from: a purpose that is added later does not move the draws of the others.
"""

from __future__ import annotations

from random import Random
from typing import Any
from zlib import crc32


def stream_seed(seed: int, name: str) -> int:
    """The seed of the stream `name` of a machine seeded with `seed`: distinct for distinct pairs in practice, equal everywhere."""
    return (seed << 32) ^ crc32(name.encode()) ^ 0x9E3779B9


class Stream:
    """One named stream. `random` is the promised method; everything else is built on it."""

    __slots__ = ("_random", "name", "seed")

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.name = name
        self._random: Random | None = None

    def random(self) -> float:
        """A float in [0, 1): the only host method that is used."""
        if self._random is None:
            self._random = Random(stream_seed(self.seed, self.name))
        return self._random.random()

    def below(self, bound: int) -> int:
        """An int in [0, bound), bound >= 1. Bias is under bound / 2**53."""
        return int(self.random() * bound)

    def choose(self, items: list[Any]) -> Any:
        """One item of a non-empty list."""
        return items[self.below(len(items))]

    def shuffle(self, items: list[Any]) -> None:
        """Fisher and Yates, in place."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return bytes(self.below(256) for _ in range(count))
