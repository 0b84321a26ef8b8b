"""clone(2), execve(2) and the start of the first program.

clone: conceive an embryo, ask memory, files and signals for their parts, give birth, hand the context to the scheduler. What fails is
undone in reverse order. execve: the new space is built first, so that E2BIG and ENOMEM leave the old image intact; then the siblings
end (the caller waits, with its ticket here); then the switch, which cannot fail. Manual: clone(2), vfork(2), execve(2).
"""

from __future__ import annotations

from typing import Any, Final

from actors import ranks
from actors.events import SchedProcessExec, SchedProcessFork
from actors.messages import files, memory, processes, scheduler, signals, timers
from actors.messages.base import Caller, Resume
from actors.process_tables import ProcessTables
from kernel.abi.errno_values import EAGAIN, EINTR
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import (
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_PARENT_SETTID,
    CLONE_SETTLS,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    RLIMIT_NOFILE,
    RLIMIT_STACK,
)
from kernel.processes import cloning
from kernel.processes.process import Process, ProcessState
from kernel.processes.processes import ExecWait, VforkWait
from kernel.processes.thread import Thread
from kernel.tickets import Ticket, WouldBlock

SIGNAL: Final = 1  # level of attention: there may be something to deliver
FATAL: Final = 2  # the thread has to die


class ProcessBirth(ProcessTables):
    """How processes and images come to be."""

    # ---- clone --------------------------------------------------------------------------------------------------------------

    async def clone(self, message: processes.Clone) -> Any:
        """A new process or thread: its tid, or WouldBlock under CLONE_VFORK."""
        process, parent = self.caller_process(message.caller), self.caller_thread(message.caller)
        self._refuse_dying(process, EINTR)
        cloning.check_flags(message.flags, process)
        cloning.check_room(self.state, process)
        child, thread = cloning.conceive(self.state, parent, message.flags, self.clock)
        await self._clone_resources(message, process, parent, child, thread)
        await self._write_tids(message, child, thread)
        self._complete_context(message, child, thread)
        cloning.give_birth(self.state, child, thread)
        self.charge(self.costs.thread_ns if message.flags & CLONE_VM else self.costs.fork_ns)
        if self.log.process:
            event = SchedProcessFork(child_pid=child.pid, child_tid=thread.tid, child_comm=thread.comm, flags=message.flags)
            self.emit(event, pid=process.pid, tid=parent.tid, comm=parent.comm)
        self.tell(ranks.SCHEDULER, scheduler.Enqueue(message.context, parent.tid))
        if not message.flags & CLONE_VFORK:
            return thread.tid
        return self._wait_for_vfork(message, thread)

    def _refuse_dying(self, process: Process, errno: int) -> None:
        """Another thread's execve or exit_group has won: the caller dies on its way back, before the program can see `errno`."""
        if process.state is ProcessState.EXITING or process.exec_tid:
            self.give_attention(FATAL)
            raise SysError(errno)

    async def _clone_resources(self, message: processes.Clone, process: Process, parent: Thread, child: Process, thread: Thread) -> None:
        """Space, table and signals of the child; on failure what was got is given back and the embryo forgotten."""
        flags = message.flags
        if not flags & CLONE_THREAD:
            request: Any = memory.ShareSpace(process.space) if flags & CLONE_VM else memory.DuplicateSpace(process.space)
            space = await self.ask(ranks.MEMORY, request)
            if space.__class__ is Failure:
                cloning.abandon(self.state, parent, child, thread)
                raise SysError(space.errno)
            child.space = process.space if flags & CLONE_VM else space
        if not cloning.shares_all_files(parent, flags):
            nofile = process.limits[RLIMIT_NOFILE][0]
            copied = await self.ask(ranks.FILES, files.CopyTable(parent.table, parent.fs, flags, nofile))
            if copied.__class__ is Failure:
                if not flags & CLONE_THREAD:
                    await self.ask(ranks.MEMORY, memory.ReleaseSpace(child.space))
                cloning.abandon(self.state, parent, child, thread)
                raise SysError(copied.errno)
            thread.table, thread.fs = copied
            if flags & CLONE_THREAD:
                thread.own_files = True
            else:
                child.table, child.fs = copied
        await self.ask(ranks.SIGNALS, signals.CopySignals(parent.tid, thread.tid, child.pid, flags))

    async def _write_tids(self, message: processes.Clone, child: Process, thread: Thread) -> None:
        flags = message.flags
        if flags & CLONE_PARENT_SETTID:
            await self.ask(ranks.MEMORY, memory.WriteWord(message.caller.space, message.parent_tid, thread.tid))
        if flags & CLONE_CHILD_SETTID:
            await self.ask(ranks.MEMORY, memory.WriteWord(child.space, message.child_tid, thread.tid))
        if flags & CLONE_CHILD_CLEARTID:
            thread.clear_tid = message.child_tid

    def _complete_context(self, message: processes.Clone, child: Process, thread: Thread) -> None:
        """The child's identity and registers. Its coroutines, made by the core, are in the context already."""
        context = message.context
        context.caller = self._identity(child, thread)
        context.comm = thread.comm
        if message.stack:
            context.stack_pointer = message.stack
        if message.flags & CLONE_SETTLS:
            context.tls = message.tls

    @staticmethod
    def _identity(process: Process, thread: Thread) -> Caller:
        who = process.credentials
        return Caller(
            tid=thread.tid, pid=process.pid, space=process.space, table=thread.table, fs=thread.fs, path=thread.path,
            uid=who.uid, gid=who.gid, euid=who.euid, egid=who.egid,
        )

    # ---- vfork --------------------------------------------------------------------------------------------------------------

    def _wait_for_vfork(self, message: processes.Clone, thread: Thread) -> WouldBlock:
        """CLONE_VFORK: the parent's thread waits until the child has executed or ended."""
        ticket = Ticket(message.caller.tid, message.serial)
        thread.vfork_ticket = ticket
        self.state.waits[ticket] = VforkWait(thread.tid)
        return self._vfork_blocked(thread.tid)

    @staticmethod
    def _vfork_blocked(tid: int) -> WouldBlock:
        return WouldBlock(ranks.PROCESSES, "vfork", f"child:{tid}", killable=True)

    def resume_vfork(self, message: Resume, ticket: Ticket, wait: VforkWait) -> Any:
        """The parent runs again: done, killed, or still waiting."""
        child = self.state.threads.get(wait.child)
        waiting = child is not None and child.vfork_ticket == ticket
        if waiting and not message.interrupted:
            return self._vfork_blocked(wait.child)
        del self.state.waits[ticket]
        if not waiting:
            return wait.child
        assert child is not None, "a child that is waited for exists"
        child.vfork_ticket = None
        raise SysError(EINTR)

    def release_vfork_parent(self, thread: Thread) -> None:
        """`thread` does not use the parent's space any more."""
        if thread.vfork_ticket is not None:
            self.wake(thread.vfork_ticket)
            thread.vfork_ticket = None

    # ---- execve -------------------------------------------------------------------------------------------------------------

    async def execute(self, message: processes.Exec) -> Any:
        """execve(2): the space first, then the siblings' end, then the switch."""
        process = self.caller_process(message.caller)
        try:
            self._refuse_dying(process, EAGAIN)
            ready = await self._new_space(process, message)
        except SysError:
            self.tell(ranks.FILES, files.Unpin(message.object))
            raise
        if self._siblings(process, message.caller.tid):
            process.exec_tid = message.caller.tid
            await self.ask(ranks.SIGNALS, signals.Fatal(process.pid, message.caller.tid))
            self.state.waits[Ticket(message.caller.tid, message.serial)] = ExecWait(message, ready)
            return self._exec_blocked(process)
        return await self._switch_image(process, message, ready)

    async def _new_space(self, process: Process, message: processes.Exec | processes.Spawn) -> memory.SpaceReady:
        who = process.credentials
        ready: Any = await self.ask(ranks.MEMORY, memory.NewSpace(
            message.image, message.object, message.argv, message.envp, message.path, process.limits[RLIMIT_STACK][0],
            self.state.random_bytes(process), (who.uid, who.euid, who.gid, who.egid), message.seed,
        ))
        if ready.__class__ is Failure:
            raise SysError(ready.errno)
        return ready  # type: ignore[no-any-return]

    @staticmethod
    def _siblings(process: Process, tid: int) -> bool:
        return any(thread.tid != tid for thread in process.live_threads())

    @staticmethod
    def _exec_blocked(process: Process) -> WouldBlock:
        return WouldBlock(ranks.PROCESSES, "exec", f"threads:{process.pid}", killable=True)

    async def resume_exec(self, message: Resume, ticket: Ticket, wait: ExecWait) -> Any:
        """The caller of execve runs again: alone, killed, or too early."""
        process = self.caller_process(message.caller)
        alone = not self._siblings(process, message.caller.tid)
        if not alone and not message.interrupted:
            return self._exec_blocked(process)
        del self.state.waits[ticket]
        process.exec_tid = 0
        if alone:
            return await self._switch_image(process, wait.request, wait.ready)
        await self.ask(ranks.MEMORY, memory.ReleaseSpace(wait.ready.space))
        self.tell(ranks.FILES, files.Unpin(wait.request.object))
        raise SysError(EINTR)

    async def _switch_image(self, process: Process, message: processes.Exec, ready: memory.SpaceReady) -> processes.ExecDone:
        """The point of no return: the process leaves its old space and becomes the new program."""
        thread = self.caller_thread(message.caller)
        old_space, process.space = process.space, ready.space
        if thread.clear_tid:
            await self.ask(ranks.MEMORY, memory.ClearTid(old_space, thread.clear_tid))
            thread.clear_tid = 0
        await self._adopt_files(process, thread)
        await self.ask(ranks.SIGNALS, signals.ResetForExec(thread.tid, process.pid))
        old_tid = self.state.take_leadership(process, thread)
        await self.ask(ranks.MEMORY, memory.ReleaseSpace(old_space))
        self.tell(ranks.FILES, files.Unpin(message.object))
        thread.comm = message.comm
        process.executable, process.argv, process.executed = message.path, message.argv, True
        self.release_vfork_parent(thread)
        if self.log.process:
            self._emit_exec(process, thread, message, old_tid)
        return processes.ExecDone(
            tid=thread.tid, space=ready.space, stack_pointer=ready.stack_pointer, stack_low=ready.stack_low, comm=thread.comm,
            table=thread.table, fs=thread.fs,
        )

    async def _adopt_files(self, process: Process, thread: Thread) -> None:
        """The remaining thread's table and fs become the process's; FD_CLOEXEC descriptors are closed."""
        if thread.own_files:
            await self.ask(ranks.FILES, files.ReleaseTable(process.table, process.fs))
            thread.own_files = False
        thread.table, thread.fs = await self.ask(ranks.FILES, files.CloseOnExec(thread.table, thread.fs))
        process.table, process.fs = thread.table, thread.fs

    def _emit_exec(self, process: Process, thread: Thread, message: processes.Exec | processes.Spawn, old_tid: int) -> None:
        image = message.image
        segments = [f"{part.name} {part.address:#x}+{part.size:#x}" for part in image.segments]
        event = SchedProcessExec(
            filename=message.path.decode(errors="backslashreplace"), old_tid=old_tid, entry=image.entry, interpreter=image.interpreter,
            segments=segments,
        )
        self.emit(event, pid=process.pid, tid=thread.tid, comm=thread.comm)

    # ---- the first program --------------------------------------------------------------------------------------------------

    async def spawn(self, message: processes.Spawn) -> None:
        """The host starts a program: as a child of init, or as init itself."""
        comm = message.image.name[:15]
        make = self.state.make_init_a_program if message.init else self.state.conceive_first
        try:
            process, thread = make(comm, self.clock)
        except SysError as error:
            self.state.first_error = error.errno
            return
        try:
            ready = await self._new_space(process, message)
        except SysError as error:
            self.state.first_error = error.errno
            if not message.init:
                cloning.abandon(self.state, None, process, thread)
            return
        process.space, process.executable, process.argv = ready.space, message.path, message.argv
        process.table, process.fs = await self.ask(ranks.FILES, files.NewTable(process.pgid))
        thread.table, thread.fs = process.table, process.fs
        await self.ask(ranks.SIGNALS, signals.AddProcess(process.pid))
        self.tell(ranks.FILES, files.Unpin(message.object))
        context = message.context
        context.caller = self._identity(process, thread)
        context.comm = comm
        context.stack_pointer, context.stack_low = ready.stack_pointer, ready.stack_low
        if not message.init:
            cloning.give_birth(self.state, process, thread)
        if self.log.process:
            self._emit_exec(process, thread, message, thread.tid)
        self.tell(ranks.SCHEDULER, scheduler.Enqueue(context, 0))

    async def release_resources(self, process: Process) -> None:
        """The last thread has ended: space, descriptors and alarm go."""
        await self.ask(ranks.MEMORY, memory.ReleaseSpace(process.space))
        await self.ask(ranks.FILES, files.ReleaseTable(process.table, process.fs))
        self.tell(ranks.TIMERS, timers.ProcessGone(process.pid))
