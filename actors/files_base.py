"""What all parts of the actor `files` share: who calls, what time it is, and telling what the last reference took along."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.actor import Actor
from actors.messages import ipc, memory, signals
from actors.messages.base import Caller
from actors.ranks import FILES, IPC, MEMORY, SIGNALS
from kernel.abi.errno_values import EFBIG, EINTR
from kernel.abi.errnos import Failure
from kernel.abi.flags import SI_USER
from kernel.abi.signos import SIGXFSZ
from kernel.files.descriptors import DescriptorTable
from kernel.files.files import FilesState
from kernel.files.inodes import BOOT_TIME_NS, drop_privileges
from kernel.files.namespace import Namespace
from kernel.files.permissions import Credentials
from kernel.files.records import Effect, FifoUnused, ObjectUnused, PipeEndClosed


class FilesBase(Actor):
    """Helpers of the handlers in files.py, files_names.py, files_transfers.py."""

    rank: ClassVar[int] = FILES
    state: FilesState

    def now_ns(self) -> int:
        """CLOCK_REALTIME, for times in inodes."""
        return BOOT_TIME_NS + self.clock

    def table(self, caller: Caller) -> DescriptorTable:
        """The caller's descriptors."""
        return self.state.tables[caller.table]

    def names(self, caller: Caller) -> Namespace:
        """The name space as the caller sees it: working directory, effective ids, umask, now."""
        context = self.state.contexts[caller.fs]
        return Namespace(self.state.inodes, context.place, Credentials(caller.euid, caller.egid), context.umask, self.now_ns())

    def told(self, value: Any = None) -> Any:
        """Tell others what went with a last reference, then answer `value`: whoever closed a pipe finds it closed (law 2c)."""
        effects = self.state.effects
        if effects:
            for effect in effects:
                self.tell(*_message(effect))
            effects.clear()
        return value

    def content_changes(self, caller: Caller, number: int) -> None:
        """A write or a new size takes privileges from a file, unless root does it."""
        drop_privileges(self.state.inodes, number, (caller.euid, caller.egid))

    async def too_large(self, caller: Caller) -> Failure:
        """A file would pass RLIMIT_FSIZE: the thread gets SIGXFSZ, the call fails with EFBIG (setrlimit(2))."""
        info = signals.SignalInfo(SIGXFSZ, SI_USER, pid=caller.pid, uid=caller.uid)
        self.give_attention(await self.ask(SIGNALS, signals.Post(caller.pid, caller.tid, info, caller.tid)))
        return Failure(EFBIG)

    def interrupted(self) -> Failure:
        """A signal ended the wait: the core applies the call's restart rule."""
        return Failure(EINTR)


def _message(effect: Effect) -> tuple[int, Any]:
    match effect:
        case PipeEndClosed(pipe, readable, writable):
            return IPC, ipc.CloseEnd(pipe, readable, writable)
        case FifoUnused(pipe):
            return IPC, ipc.DropPipe(pipe)
        case ObjectUnused(object):
            return MEMORY, memory.DropObject(object)
