"""The actor `files` alone: real state and handlers, the real pipes of kernel/ipc below it, memory objects as bytearrays, no conductor."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from actors.actor import PENDING
from actors.files import FilesActor
from actors.messages import files, ipc, memory, processes, signals
from actors.messages.base import Caller, Resume
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import O_ACCMODE, O_NONBLOCK, O_RDWR
from kernel.config import Config
from kernel.files.files import FilesState
from kernel.files.tree import BootTree
from kernel.ipc.ipc import IpcState
from kernel.tickets import Ticket, WouldBlock

TREE = BootTree({"cat": b"\x7fELF cat"}, {"lock": b"\x7fELF lock", "util": b"\x7fELF util"})


class LoneFiles(FilesActor):
    """Requests are served at once; forwards to memory and ipc are carried out, those to processes are kept in `forwarded`."""

    def __init__(self, **state: Any) -> None:
        self.state = FilesState(TREE, seed=7, **state)
        self.clock = 0
        self.cause = 0
        self.config = Config()
        self.log = SimpleNamespace(process=True)
        self.machine = SimpleNamespace(console_write=lambda stream, data: self.output.append((stream, data)))
        self.output: list[tuple[int, bytes]] = []
        self.events: list[Any] = []
        self.told_to: list[tuple[int, Any]] = []
        self.forwarded: list[Any] = []
        self.objects: dict[int, bytearray] = {}
        self.ipc = IpcState()
        self._table = self.handlers()

    def tell(self, target: int, message: Any) -> None:
        self.told_to.append((target, message))
        match message:
            case ipc.CloseEnd(pipe, readable, writable):
                self.ipc.close_end(pipe, readable, writable)
            case ipc.DropPipe(pipe):
                self.ipc.drop_fifo(pipe)
            case memory.DropObject(object):
                self.objects.pop(object, None)

    def give_attention(self, level: int) -> None:
        self.attention = level

    def emit(self, event: Any, **identity: int) -> int:
        self.events.append(event)
        return 0

    async def ask(self, target: int, message: Any) -> Any:
        try:
            return self._below(message)
        except SysError as error:
            return Failure(error.errno)

    def _below(self, message: Any) -> Any:
        match message:
            case signals.Post():
                return 1
            case ipc.CreatePipe():
                return self.ipc.create_pipe(65536)
            case ipc.CreateFifo():
                return self.ipc.create_fifo(65536)
            case ipc.FifoOpen(pipe, readable, writable, nonblock, tid, serial, generation):
                result = self.ipc.open_fifo(Ticket(tid, serial), pipe, generation, readable, writable, nonblock=nonblock)
                return ipc.FifoOpened(result.done, result.generation)
            case ipc.FifoForget(pipe, readable, writable, tid, serial):
                self.ipc.forget_open(Ticket(tid, serial), pipe, readable, writable)
        return None

    def forward(self, target: int, message: Any) -> Any:
        self.forwarded.append(message)
        match message:
            case memory.ReadObject(object, offset, count, seed):
                content = self.objects.setdefault(object, bytearray(seed))
                return bytes(content[offset : offset + count]).ljust(count, b"\0")
            case memory.WriteObject(object, offset, data):
                content = self.objects.setdefault(object, bytearray(message.seed))
                content.extend(bytes(max(0, offset + len(data) - len(content))))
                content[offset : offset + len(data)] = data
                return len(data)
            case memory.ResizeObject(object, size, answer):
                del self.objects.setdefault(object, bytearray(message.seed))[size:]
                return answer
            case memory.StatObject():
                return message.stat
            case ipc.PipeRead(caller, serial, pipe, count, flags):
                return self._pipe(self.ipc.read(Ticket(caller.tid, serial), pipe, count, **_how(flags)))
            case ipc.PipeWrite(caller, serial, pipe, data, flags):
                return self._pipe(self.ipc.write(Ticket(caller.tid, serial), pipe, data, **_how(flags)))
            case ipc.PipeBytes(pipe):
                return len(self.ipc.pipes[pipe].buffer)
        return PENDING

    def _pipe(self, result: Any) -> Any:
        return WouldBlock(4, "pipe") if result.answer is None else result.answer

    def request(self, message: Any) -> Any:
        """Serve one message, check all invariants, give the reply (a failure as `Failure`)."""
        try:
            result = self._table[message.__class__](message)
            if hasattr(result, "send"):
                result = _finish(result)
        except SysError as error:
            result = Failure(error.errno)
        assert list(self.state.check()) == []
        return result


def _how(flags: int) -> dict[str, bool]:
    return {"nonblock": flags & O_NONBLOCK != 0, "both": flags & O_ACCMODE == O_RDWR}


def _finish(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("nothing in this harness waits")


class Process:
    """A process that makes calls; names are those of libc, a failure is returned as its errno, negative."""

    def __init__(self, actor: LoneFiles, tid: int = 100, uid: int = 0, gid: int = 0, table: tuple[int, int] | None = None) -> None:
        self.actor = actor
        self.tid = tid
        self.serial = 0
        table = table or actor.request(files.NewTable())
        self.caller = Caller(tid, tid, 1, table[0], table[1], (tid,), uid, gid, uid, gid)

    def call(self, kind: Any, *args: Any) -> Any:
        self.serial += 1
        reply = self.actor.request(kind(self.caller, self.serial, *args))
        return -reply.errno if reply.__class__ is Failure else reply

    def resume(self, interrupted: bool = False) -> Any:
        reply = self.actor.request(Resume(self.caller, self.serial, interrupted, False))
        return -reply.errno if reply.__class__ is Failure else reply

    def clone(self, tid: int, flags: int = 0, nofile: int = 1024) -> Process:
        table = self.actor.request(files.CopyTable(self.caller.table, self.caller.fs, flags, nofile))
        return Process(self.actor, tid, self.caller.uid, self.caller.gid, table)

    def exit(self) -> Any:
        return self.actor.request(files.ReleaseTable(self.caller.table, self.caller.fs))

    def open(self, path: bytes, flags: int = 0, mode: int = 0o666, dirfd: int = -100) -> Any:
        return self.call(files.OpenAt, dirfd, path, flags, mode)

    def stat(self, path: bytes, flags: int = 0) -> Any:
        return self.call(files.Newfstatat, -100, path, flags)

    def names(self, path: bytes) -> list[bytes]:
        fd = self.open(path, 0o200000)
        found = self.call(files.Getdents, fd, 1000)
        self.call(files.Close, fd)
        return sorted(name for _, _, name in found if name not in (b".", b".."))


__all__ = ["TREE", "LoneFiles", "Process", "files", "ipc", "memory", "processes"]
