"""exit(2), wait4(2), and the stops and continuations of job control: everything of which a parent is told.

The order at the end of a process is fixed: resources released, children given to init, zombie recorded, SIGCHLD posted, waiters woken.
So a SIGCHLD handler that calls waitpid(WNOHANG) always finds its child, and whoever runs after a wait finds memory and files free.
A parent that ignores SIGCHLD has its zombies collected at once: its wait4 then ends with ECHILD, when no children are left.

Manual: _exit(2), exit_group(2), wait(2), sigaction(2) (SA_NOCLDWAIT, SA_NOCLDSTOP), credentials(7).
"""

from __future__ import annotations

from typing import Any

from actors import ranks
from actors.events import SchedProcessExit, SchedProcessWait
from actors.messages import files, memory, processes, signals
from actors.messages.base import Resume
from actors.messages.signals import SignalInfo
from actors.process_birth import SIGNAL, ProcessBirth
from kernel.abi.errno_values import EINTR
from kernel.abi.errnos import SysError
from kernel.abi.flags import CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, SI_KERNEL, WNOHANG
from kernel.abi.signos import NSIG, SIGCHLD, SIGCONT, SIGHUP
from kernel.processes import groups, reaping
from kernel.processes.process import CONTINUED_STATUS, NO_USAGE, Process, ProcessState
from kernel.processes.reaping import WaitCall
from kernel.processes.thread import ThreadState
from kernel.tickets import Ticket, WouldBlock


class ProcessExit(ProcessBirth):
    """How processes end, and who hears of it."""

    # ---- exit ---------------------------------------------------------------------------------------------------------------

    async def exit_group(self, message: processes.ExitGroup) -> None:
        """End the whole process: the first mark wins, the other threads must end. An execve under way wins over it."""
        process = self.caller_process(message.caller)
        if process.state is ProcessState.EXITING or process.exec_tid not in (0, message.caller.tid):
            return
        process.group_status = message.status
        process.move(ProcessState.EXITING)
        if len(process.live_threads()) > 1:
            await self.ask(ranks.SIGNALS, signals.Fatal(process.pid, message.caller.tid))

    async def thread_exit(self, message: processes.ThreadExit) -> None:
        """One thread ends; the last one ends the process."""
        process, thread = self.caller_process(message.caller), self.caller_thread(message.caller)
        thread.move(ThreadState.EXITING)
        last = not process.live_threads()
        process.usage = process.usage.plus(await self.usage_of(thread))
        if message.fault:
            process.fault = message.fault
        if thread.tid == process.pid:
            process.leader_status = message.status
        if thread.clear_tid:
            await self.ask(ranks.MEMORY, memory.ClearTid(process.space, thread.clear_tid))
        self.release_vfork_parent(thread)
        stopped_by = await self.ask(ranks.SIGNALS, signals.RemoveThread(thread.tid, last))
        if thread.own_files:
            await self.ask(ranks.FILES, files.ReleaseTable(thread.table, thread.fs))
        comm = thread.comm
        self.state.end_thread(thread)
        if last:
            await self._process_exit(process)
        if self.log.process:
            status = process.status if last else -1
            self.emit(SchedProcessExit(status=status, group_dead=last), pid=process.pid, tid=message.caller.tid, comm=comm)
        if last:
            await self._tell_parent_of_end(process)
        else:
            await self._after_sibling(process, stopped_by)

    async def _after_sibling(self, process: Process, stopped_by: int) -> None:
        """A thread has ended, others live: an execve may go on, a stop may be complete by that (`stopped_by` is its signal)."""
        if process.exec_tid and len(process.live_threads()) == 1:
            for ticket in self.state.waits:
                if ticket.tid == process.exec_tid:
                    self.wake(ticket)
        if stopped_by:
            await self._stop(process, stopped_by)

    async def _process_exit(self, process: Process) -> None:
        """The last thread is gone: release, hand children over, become a zombie."""
        if process.state is not ProcessState.EXITING:
            process.move(ProcessState.EXITING)
        await self.release_resources(process)
        concerned = groups.concerned_groups(self.state, process)
        orphaned = groups.orphaned_by_exit(self.state, process)
        inherited = reaping.inherit_orphans(self.state, process)
        self.state.become_zombie(process, reaping.final_status(process))
        await self.publish_orphans(concerned)
        for pgid in orphaned:
            await self.post_to_group(pgid, SignalInfo(SIGHUP, SI_KERNEL))
            await self.post_to_group(pgid, SignalInfo(SIGCONT, SI_KERNEL))
        for zombie in inherited:
            await self._tell_parent_of_end(zombie)

    async def _tell_parent_of_end(self, process: Process) -> None:
        """A zombie is recorded: SIGCHLD, waiters, or straight to the grave. pid 1 itself has nobody to tell."""
        parent = self.state.processes.get(process.ppid)
        if parent is None:
            return
        if parent.kernel:
            self.state.reap(process)
            return
        status = process.status
        signo = status & 0x7F
        code = CLD_EXITED if signo == 0 else CLD_DUMPED if status & 0x80 else CLD_KILLED
        discard = process.exit_signal == SIGCHLD and parent.accepts_signals() and await self.ask(
            ranks.SIGNALS, signals.ChildPolicy(parent.pid),
        )
        await self._tell_parent(parent, process, code, signo or status >> 8)
        if discard:
            self.state.reap(process)

    async def _tell_parent(self, parent: Process, child: Process, code: int, status: int) -> None:
        """Post the child's exit signal, then wake those who wait for such a child."""
        signo = SIGCHLD if code in (CLD_STOPPED, CLD_CONTINUED) else child.exit_signal
        if 0 < signo < NSIG:
            await self.post(parent, 0, SignalInfo(signo, code, pid=child.pid, uid=child.credentials.uid, status=status))
        for ticket in parent.waiters:
            wait = self.state.waits[ticket]
            assert isinstance(wait, WaitCall), "a waiter's ticket stands for a wait4"
            if reaping.eligible(wait, child):
                self.wake(ticket)

    async def publish_orphans(self, pgids: list[int]) -> None:
        """Let signals know whose terminal stops have nobody to end them (law 2c)."""
        for process in groups.refresh_orphans(self.state, pgids):
            if process.accepts_signals():
                await self.ask(ranks.SIGNALS, signals.GroupOrphaned(process.pid, process.orphaned))

    async def post_to_group(self, pgid: int, info: SignalInfo) -> None:
        """A signal of the kernel for every member."""
        group = self.state.groups.get(pgid)
        for pid in list(group.members) if group is not None else []:
            await self.post(self.state.processes[pid], 0, info)

    # ---- wait ---------------------------------------------------------------------------------------------------------------

    def wait4(self, message: processes.Wait4) -> Any:
        """A child with something to tell, or a queued ticket."""
        parent = self.caller_process(message.caller)
        call = reaping.wait_call(parent, message.pid, message.options)
        answer = self._try_wait(message.caller.tid, call)
        if answer is None:
            ticket = Ticket(message.caller.tid, message.serial)
            parent.waiters.add(ticket)
            self.state.waits[ticket] = call
            return self._wait_blocked(call)
        return answer

    def _try_wait(self, tid: int, call: WaitCall) -> Any:
        """What wait4 answers now, None if it must wait. Raises ECHILD."""
        found = reaping.collect(self.state, call)
        if found is None:
            return (0, 0, NO_USAGE.as_tuple()) if call.options & WNOHANG else None
        self.give_attention(SIGNAL)  # SIGCHLD was posted before this could be found: its handler runs before wait4 returns
        if self.log.process:
            thread = self.state.threads[tid]
            self.emit(SchedProcessWait(child_pid=found.pid, status=found.status), pid=call.parent, tid=tid, comm=thread.comm)
        return (found.pid, found.status, found.usage.as_tuple())

    @staticmethod
    def _wait_blocked(call: WaitCall) -> WouldBlock:
        return WouldBlock(ranks.PROCESSES, "wait4", call.child)

    def resume_wait(self, message: Resume, ticket: Ticket, call: WaitCall) -> Any:
        """A waiting thread runs again: a child, no children any more, a signal, or still nothing."""
        try:
            answer = self._try_wait(ticket.tid, call)
        except SysError:
            self._forget_wait(ticket, call)
            raise
        if answer is None and not message.interrupted:
            return self._wait_blocked(call)
        self._forget_wait(ticket, call)
        if answer is None:
            raise SysError(EINTR)
        return answer

    def _forget_wait(self, ticket: Ticket, call: WaitCall) -> None:
        del self.state.waits[ticket]
        self.state.processes[call.parent].waiters.discard(ticket)

    # ---- stops --------------------------------------------------------------------------------------------------------------

    async def thread_stopped(self, message: processes.ThreadStopped) -> None:
        """A thread is about to park for a stop signal."""
        await self._stop_if_complete(self.state.processes[self.state.threads[message.tid].pid])

    async def _stop_if_complete(self, process: Process) -> None:
        """When the last live thread has stopped, the process has.

        signals knows whether SIGCONT came in between; what it says now comes before its `Continued` of this stop.
        """
        if process.state is ProcessState.LIVE:
            signo = await self.ask(ranks.SIGNALS, signals.StopSignal(process.pid))
            if signo:
                await self._stop(process, signo)

    async def _stop(self, process: Process, signo: int) -> None:
        """All threads have stopped: the parent is told."""
        if process.state is not ProcessState.LIVE:
            return
        for thread in process.live_threads():
            thread.move(ThreadState.STOPPED)
        process.move(ProcessState.STOPPED)
        process.report = reaping.stop_status(signo)
        await self._tell_parent_of_change(process, CLD_STOPPED, signo)

    async def continued(self, message: processes.Continued) -> None:
        """SIGCONT ended the stop. It may come late: the next stop may be complete by now, and its ThreadStopped have been here before."""
        process = self.state.find(message.pid)
        if process is None:
            return
        if process.state is ProcessState.STOPPED:
            for thread in process.live_threads():
                thread.move(ThreadState.LIVE)
            process.move(ProcessState.LIVE)
            process.report = CONTINUED_STATUS
            await self._tell_parent_of_change(process, CLD_CONTINUED, SIGCONT)
        await self._stop_if_complete(process)

    async def _tell_parent_of_change(self, process: Process, code: int, status: int) -> None:
        parent = self.state.processes.get(process.ppid)
        if parent is not None and not parent.kernel:
            await self._tell_parent(parent, process, code, status)
