"""Process ids: one space of numbers for processes, threads, groups and sessions.

A number is *held* by everything that carries it: a process, each of its threads, a process group, a session. It is given out again
only when nobody holds it, so that a group whose leader is long gone can never be mixed up with a new process.
Numbers go up from `first_pid` and wrap below `pid_max`, as Linux's cyclic allocation does: a pid that was just freed is the last to
be used again.

In a *wide* search (DESIGN 10) the numbers must not depend on the schedule, since "who forked first" would otherwise make two equal
executions look different. There, a child's number follows from its path alone: parent's path and ordinal among its children.

What it deliberately does not do: pid namespaces. Manual: pid_namespaces(7), fork(2), proc(5) (/proc/sys/kernel/pid_max).
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

from kernel.abi.errno_values import EAGAIN
from kernel.abi.errnos import SysError

PID_LIMIT: Final = 4_194_304  # Linux's PID_MAX_LIMIT on 64-bit machines: what a wide search may use
RANGE: Final = 100  # numbers that one parent has for its children in a wide search

Path = tuple[int, ...]


def number_of_path(path: Path, first_pid: int) -> int:
    """The number that a path stands for in a wide search: 100, its children 101 …, the children of 101 10101 …

    Where that scheme runs out (99 children, four generations), a checksum of the path gives a number as stable as the readable one.
    """
    number = first_pid + path[0]
    for depth, ordinal in enumerate(path[1:]):
        number = number + 1 + ordinal if depth == 0 else number * RANGE + 1 + ordinal
        if ordinal >= RANGE - 1 or number >= PID_LIMIT:
            return first_pid + RANGE + crc32(repr(path).encode()) % (PID_LIMIT - first_pid - RANGE)
    return number


class Pids:
    """Who holds which number, and which one is next."""

    __slots__ = ("births", "first_pid", "holders", "last", "pid_max", "wide")

    def __init__(self, first_pid: int, pid_max: int, wide: bool = False) -> None:
        self.first_pid = first_pid  # smallest number given to a program
        self.pid_max = pid_max  # numbers are below it
        self.wide = wide  # numbers follow from paths
        self.last = first_pid - 1  # the number given out last
        self.births = 0  # numbers given out so far: "processes" in /proc/stat
        self.holders: dict[int, int] = {}  # number -> how many carry it; Invariant: pid_unique - equals a recount, never 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pids) and all(getattr(self, name) == getattr(other, name) for name in Pids.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def allot(self, path: Path) -> int:
        """A number that nobody holds, now held once by the asker. Raises SysError(EAGAIN) when all are held."""
        number = self._by_path(path) if self.wide else self._next()
        self.holders[number] = 1
        self.last = number
        self.births += 1
        return number

    def hold(self, number: int) -> None:
        """One more holder."""
        self.holders[number] = self.holders.get(number, 0) + 1

    def release(self, number: int) -> None:
        """One holder less; the last one frees the number."""
        left = self.holders[number] - 1
        if left:
            self.holders[number] = left
        else:
            del self.holders[number]

    def _next(self) -> int:
        count = self.pid_max - self.first_pid
        candidate = self.last
        for _ in range(count):
            candidate += 1
            if candidate >= self.pid_max or candidate < self.first_pid:
                candidate = self.first_pid
            if candidate not in self.holders:
                return candidate
        raise SysError(EAGAIN)

    def _by_path(self, path: Path) -> int:
        if sum(1 for number in self.holders if number >= self.first_pid) >= self.pid_max - self.first_pid:
            raise SysError(EAGAIN)
        number = number_of_path(path, self.first_pid)
        while number in self.holders:
            number = number + 1 if number + 1 < PID_LIMIT else self.first_pid
        return number
