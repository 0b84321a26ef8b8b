"""The actor `processes` without a conductor: what it asks is answered from a table, what it tells and forwards is kept in lists."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from actors import ranks
from actors.actor import PENDING
from actors.messages import files, memory, processes, scheduler, signals
from actors.messages.base import Caller, Resume
from actors.processes import ProcessesActor
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VM
from kernel.abi.signos import SIGCHLD
from kernel.config import Config, Machine
from kernel.processes.context import Context
from kernel.processes.image import Image
from kernel.processes.processes import Processes
from kernel.scheduler.run_queue import SchedulerStatistics
from kernel.signals.records import SignalStatisticsRecord

THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD
IMAGE = Image("lock", 0x401000, "", (), 0xA0_0000)
ACTORS = ("processes", "memory", "core/0")


class Log:
    """Only process events."""

    process = True
    message = False


class LoneProcesses(ProcessesActor):
    """`request` serves one message; `asked`, `told`, `forwarded` and `events` hold what it did, in order in `done`."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.costs, self.log, self.address, self.clock, self.name = self.config.costs, Log(), ranks.PROCESSES, 5_000_000, "processes"
        self.state = Processes(self.config, ACTORS, 7)
        self.done: list[Any] = []  # messages asked, told and forwarded, in order
        self.events: list[Any] = []
        self.attention = 0
        self.spaces = 0
        self._table = self.handlers()
        self.answers: dict[type[Any], Callable[[Any], Any]] = {
            memory.NewSpace: lambda _: memory.SpaceReady(self.next_space(), 0x7FFF_0000, 0x7000_0000),
            memory.DuplicateSpace: lambda _: self.next_space(),
            memory.Maps: lambda _: (),
            memory.ResidentPages: lambda _: (10, 3),
            files.NewTable: lambda _: (1, 1),
            files.CopyTable: lambda _: (self.next_space(), self.next_space()),
            files.CloseOnExec: lambda m: (m.table, m.fs),
            files.WorkingDirectory: lambda _: b"/home/user",
            files.DescriptorList: lambda _: ((0, "/dev/console", 0, 0), (3, "pipe:[7]", 0, 0)),
            signals.Post: lambda _: 0,
            signals.ChildPolicy: lambda _: False,
            signals.StopSignal: lambda _: 0,
            signals.RemoveThread: lambda _: 0,
            signals.SignalStatistics: lambda _: SignalStatisticsRecord(0, 0, 0x200, 0, 0),
            scheduler.ThreadStatistics: lambda m: SchedulerStatistics(
                m.tid, 0, "", (), "S", False, 1, 0, 0, 30_000_000, 4, 2, -1, "", "", False,
            ),
            scheduler.GetNice: lambda _: 0,
            scheduler.GetAffinity: lambda _: (0, 1),
        }

    def next_space(self) -> int:
        """A fresh id of whatever kind."""
        self.spaces += 1
        return self.spaces + 1000

    # ---- in place of the conductor ------------------------------------------------------------------------------------------

    @types.coroutine
    def ask(self, target: int, message: Any) -> Any:
        assert target > ranks.PROCESSES
        self.done.append(message)
        answer = self.answers.get(type(message))
        return answer(message) if answer is not None else None
        yield

    def tell(self, target: int, message: Any) -> None:
        self.done.append(message)

    def forward(self, target: int, message: Any) -> Any:
        self.done.append(message)
        return PENDING

    def emit(self, event: Any, **where: Any) -> int:
        self.events.append(event)
        return 0

    def charge(self, ns: int) -> None:
        self.clock += ns

    def give_attention(self, level: int) -> None:
        self.attention = max(self.attention, level)

    # ---- for tests ----------------------------------------------------------------------------------------------------------

    def request(self, message: Any) -> Any:
        """Serve one message; its reply, `Failure` for an errno. Invariants hold afterwards."""
        try:
            value = self._table[type(message)](message)
            if isinstance(value, types.CoroutineType):
                try:
                    value.send(None)
                except StopIteration as stop:
                    value = stop.value
        except SysError as error:
            value = Failure(error.errno)
        assert list(self.state.check()) == []
        return value

    def named(self, kind: type[Any]) -> list[Any]:
        """What of this class was asked, told or forwarded."""
        return [message for message in self.done if type(message) is kind]

    def start(self, *, init: bool = False) -> Caller:
        """The first program."""
        context = Context(None, None, "lock")
        self.request(processes.Spawn(context, IMAGE, 8, (b"lock", b"-v"), (), b"/home/user/lock", init=init))
        return context.caller  # type: ignore[no-any-return]

    def fork(self, caller: Caller, flags: int = SIGCHLD, **arguments: int) -> Any:
        """clone(2): the child's Caller, or what else the reply was."""
        context = Context(None, None, "lock")
        serial = arguments.pop("serial", 1)
        values = {"stack": 0, "parent_tid": 0, "child_tid": 0, "tls": 0} | arguments
        self.last_reply = self.request(processes.Clone(caller, serial, flags, context=context, **values))
        return self.last_reply if type(self.last_reply) is Failure else context.caller

    def end(self, caller: Caller, code: int = 0, *, signo: int = 0) -> None:
        """exit_group and the thread's own end."""
        status = signo or code << 8
        self.request(processes.ExitGroup(caller, 9, status))
        self.request(processes.ThreadExit(caller, 9, status))

    def end_thread(self, caller: Caller, status: int = 0) -> None:
        """exit(2) of one thread."""
        self.request(processes.ThreadExit(caller, 9, status))

    def wait_for(self, caller: Caller, pid: int = -1, options: int = 0, serial: int = 1) -> Any:
        """wait4(2), without the usage."""
        reply = self.request(processes.Wait4(caller, serial, pid, options))
        return reply[:2] if type(reply) is tuple else reply

    def go_on(self, caller: Caller, serial: int = 1, *, interrupted: bool = False) -> Any:
        """The thread runs again."""
        reply = self.request(Resume(caller, serial, interrupted, timed_out=False))
        return reply[:2] if type(reply) is tuple else reply


def small(**machine: Any) -> LoneProcesses:
    """An actor on a machine with these keys."""
    return LoneProcesses(Config(machine=Machine(**machine)))
