"""The order of actors (law 2): `ask` goes strictly down this list, a forward goes below the original asker, `tell` goes anywhere.

An actor's address is a small int: subsystems have the address of their rank, core n has `FIRST_CORE + n`.
"""

from __future__ import annotations

from typing import Final

HOST: Final = 0  # boot and the console: sends, is never asked
PROCESSES: Final = 1
MEMORY: Final = 2
FILES: Final = 3
IPC: Final = 4
SIGNALS: Final = 5
TIMERS: Final = 6
SCHEDULER: Final = 7
FIRST_CORE: Final = 8

RANK_NAMES: Final = ("host", "processes", "memory", "files", "ipc", "signals", "timers", "scheduler")
RANK_OF: Final = {name: rank for rank, name in enumerate(RANK_NAMES)}


def rank(address: int) -> int:
    """The rank of an address: 0 for every core (above all), else the subsystem's own."""
    return 0 if address >= FIRST_CORE else address


def actor_name(address: int) -> str:
    """`core/0`, `memory`, …: as the log, panics and `ps` show it."""
    return f"core/{address - FIRST_CORE}" if address >= FIRST_CORE else RANK_NAMES[address]
