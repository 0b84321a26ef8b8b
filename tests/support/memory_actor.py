"""The actor `memory` without a conductor: what it tells, answers and forwards is kept in lists."""

from __future__ import annotations

from typing import Any

from actors.actor import PENDING
from actors.memory import MemoryActor
from actors.messages.base import Caller
from actors.ranks import MEMORY
from kernel.abi.errnos import Failure, SysError
from kernel.config import Costs
from kernel.hardware import Hardware
from kernel.memory.memory import Memory


class Log:
    """All categories on."""

    fault = futex = message = True


class LoneMemory(MemoryActor):
    """Send it messages with `request`; cores are numbers in `hardware.cr3`."""

    def __init__(self, frames: int = 512) -> None:
        self.state = Memory(Hardware.with_frames(frames))
        self.costs, self.log, self.address, self.clock = Costs(), Log(), MEMORY, 0
        self.told: list[tuple[int, Any]] = []
        self.answers: list[tuple[int, Any]] = []
        self.forwarded: list[tuple[int, Any]] = []
        self.events: list[Any] = []
        self._table = self.handlers()
        self._asker = -1

    def request(self, asker: int, message: Any) -> None:
        """One message from `asker`; its reply, now or later, is in `answers`."""
        self._asker = -1 if message.oneway else asker
        try:
            value = self._table[type(message)](message)
        except SysError as error:
            value = Failure(error.errno)
        if not message.oneway and value is not PENDING:
            self.answers.append((asker, value))

    def reply_to(self, asker: int, message: Any) -> Any:
        """The reply, which must come at once."""
        self.request(asker, message)
        to, value = self.answers.pop()
        assert to == asker
        return value

    def tell(self, target: int, message: Any) -> None:
        self.told.append((target, message))

    def answer(self, to: int, value: Any, attention: int = 0) -> None:
        self.answers.append((to, value))

    def forward(self, target: int, message: Any) -> Any:
        self.forwarded.append((target, message))
        return PENDING

    def charge(self, ns: int) -> None:
        self.clock += ns

    def emit(self, event: Any, *, cpu: int = -1, pid: int = 0, tid: int = 0, comm: str = "") -> int:
        event.cpu, event.pid, event.tid = cpu, pid, tid
        self.events.append(event)
        return len(self.events)


def caller(space: int, uid: int = 0) -> Caller:
    """A caller that uses `space`."""
    return Caller(tid=100, pid=100, space=space, table=1, fs=1, path=(0,), uid=uid, euid=uid)
