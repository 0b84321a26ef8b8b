"""From a system call's number to the message that carries it: made once from the message classes, which name their `nr`."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from actors.messages import files, memory, processes, signals, timers
from actors.messages.base import SyscallMessage
from actors.ranks import RANK_OF
from kernel.abi.syscalls import NUMBERS, TABLE


def _classes(module: ModuleType) -> list[type[SyscallMessage]]:
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, SyscallMessage)]
    return [cls for cls in found if cls.nr >= 0]


MESSAGE_OF: Final[dict[int, type[SyscallMessage]]] = {
    cls.nr: cls for module in (files, memory, processes, signals, timers) for cls in _classes(module)
}
OWNER_OF: Final[dict[int, int]] = {nr: RANK_OF[row.owner] for nr, row in TABLE.items() if row.owner != "core"}
DEADLINE_ARG: Final[dict[int, int]] = {nr: row.deadline_arg for nr, row in TABLE.items() if row.deadline_arg >= 0}
BUFFERED: Final = frozenset(NUMBERS[name] for name in ("read", "write", "pread64", "pwrite64", "getrandom"))  # may carry In or Out

assert set(MESSAGE_OF) == set(OWNER_OF), f"table and messages differ: {sorted(set(MESSAGE_OF) ^ set(OWNER_OF))}"
