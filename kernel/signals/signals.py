"""All state of the actor `signals`, and what can be asked of it: threads and processes come and go, system calls, waits.

Sending a signal is in generation.py, taking one in delivery.py. Here a thread blocks for three reasons (pause, sigsuspend,
sigtimedwait), and a stopped one waits as well: each is settled by `resume`, which looks at what is pending then (law 3). No wait here
needs a wake of its own but a stop's: a signal that concerns the thread gives it attention, and that ends its wait.

sigtimedwait lets the signals that it waits for through while it waits, so that they choose it and wake it; `real_mask` keeps what the
thread really blocks, so that such a signal is neither dropped as ignored nor kills.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kernel.abi.errno_values import EAGAIN, EINTR, EINVAL
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import CLONE_SIGHAND, CLONE_THREAD, SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK
from kernel.abi.signos import UNBLOCKABLE, bit, members, signal_name
from kernel.invariants import Violation
from kernel.signals.delivery import Delivery, deliver
from kernel.signals.dispositions import Dispositions, check_signo
from kernel.signals.generation import force, generate
from kernel.signals.invariants import violations
from kernel.signals.pending import SignalInfo
from kernel.signals.records import NOTHING, Listener, SignalProcess, SignalStatisticsRecord, SignalThread, StopState, Wait
from kernel.signals.state import SignalState
from kernel.tickets import Ticket, WouldBlock

OWNER: Final = 5  # this owner's rank, for WouldBlock; the actor asserts that it is actors.ranks.SIGNALS
INIT: Final = 1


class Signals(SignalState):
    """Everything about signals. Methods that may change a thread's attention take the `listener` who is told."""

    # ---- processes and threads ------------------------------------------------------------------------------------------------

    def add_process(self, pid: int) -> None:
        """A process without a parent here: default dispositions, empty mask."""
        self.last_table += 1
        self.tables[self.last_table] = Dispositions(1)
        self.processes[pid] = SignalProcess(pid, self.last_table, [pid], unkillable=pid == INIT)
        self.threads[pid] = SignalThread(pid, pid)

    def copy(self, parent_tid: int, tid: int, pid: int, flags: int, listener: Listener) -> None:
        """clone(2): the mask is copied, nothing is pending; table and process as `flags` say. A group's end and stop are inherited."""
        parent = self.threads[parent_tid]
        thread = SignalThread(tid, pid, parent.mask)
        self.threads[tid] = thread
        process = self.processes[parent.pid]
        if flags & CLONE_THREAD:
            process.threads.append(tid)
            thread.killed = parent.killed
            if process.stop_info is not None and not parent.killed:
                thread.stop = StopState.PENDING
        else:
            self.processes[pid] = SignalProcess(pid, self._table_for_child(process, flags), [tid], orphaned=process.orphaned)
        self.recalculate(thread, listener)

    def _table_for_child(self, process: SignalProcess, flags: int) -> int:
        table = self.table_of(process)
        if flags & CLONE_SIGHAND:
            table.users += 1
            return process.table
        self.last_table += 1
        self.tables[self.last_table] = table.copy()
        return self.last_table

    def remove(self, tid: int, last: bool, listener: Listener) -> None:
        """The thread is gone: its attention is withdrawn, what it would have taken goes to another. The process goes with `last`."""
        thread = self.threads.pop(tid)
        process = self.processes[thread.pid]
        process.threads.remove(tid)
        for signo in [signo for signo, taker in process.takers.items() if taker == tid]:
            self.give(process, signo, self.choose_taker(process, signo), listener)
        if thread.told:
            listener.attention_changed(tid, NOTHING)
        if last:
            assert not process.threads, f"process {process.pid} goes while its threads {process.threads} live"
            del self.processes[process.pid]
            self._release_table(process.table)

    def _release_table(self, table: int) -> None:
        self.tables[table].users -= 1
        if not self.tables[table].users:
            del self.tables[table]

    def reset_for_exec(self, tid: int, pid: int, listener: Listener) -> None:
        """execve(2): handlers are gone, the table is the process's own; the caller, now alone, becomes the leader."""
        thread = self.threads[tid]
        process = self.processes[pid]
        assert process.threads == [tid], f"process {pid} executes in thread {tid}, but has the threads {process.threads}"
        if self.table_of(process).users > 1:
            shared = process.table
            process.table = self._table_for_child(process, 0)
            self._release_table(shared)
        self.table_of(process).reset_for_exec()
        if tid == pid:
            return
        del self.threads[tid]
        thread.tid = pid
        self.threads[pid] = thread
        process.threads = [pid]
        process.takers = dict.fromkeys(process.takers, pid)
        listener.renamed(tid, pid)
        listener.attention_changed(pid, thread.told)  # whatever the scheduler still hears of the old leader, this comes after it

    def set_orphaned(self, pid: int, orphaned: bool) -> None:
        """Does the process's group have nobody outside to continue it? (setpgid(2), orphaned process groups)"""
        process = self.processes.get(pid)
        if process is not None:
            process.orphaned = orphaned

    def stop_signal(self, pid: int) -> int:
        """The signal that has stopped every thread of the process; 0 if not all are stopped."""
        process = self.processes.get(pid)
        if process is None or process.stop_info is None:
            return 0
        stopped = all(self.threads[tid].stop is StopState.STOPPED for tid in process.threads)
        return process.stop_info.signo if stopped else 0

    # ---- signals ----------------------------------------------------------------------------------------------------------------

    def post(self, pid: int, tid: int, info: SignalInfo, listener: Listener) -> str:
        """Send; "queued", "ignored" or "already_pending"."""
        return generate(self, pid, tid, info, listener)

    def fault(self, tid: int, info: SignalInfo, listener: Listener) -> None:
        """A synchronous signal of the thread itself."""
        force(self, self.threads[tid], info, listener)

    def fatal(self, pid: int, except_tid: int, listener: Listener) -> None:
        """exit_group, execve: all threads but one must end."""
        process = self.processes.get(pid)
        if process is not None:
            self.kill(process, except_tid, listener)

    def deliver(self, tid: int, serial: int, listener: Listener) -> Delivery:
        """What the thread does on its way back to user space."""
        return deliver(self, tid, serial, listener)

    def sigreturn(self, tid: int, mask: int, listener: Listener) -> None:
        """rt_sigreturn(2): the mask from the frame."""
        self.set_mask(self.threads[tid], mask, listener)

    # ---- system calls -------------------------------------------------------------------------------------------------------------

    def sigaction(self, tid: int, signo: int, act: tuple[int, int, int] | None, listener: Listener) -> tuple[int, int, int]:
        """rt_sigaction(2): the previous (handler, mask, flags). Ignoring a signal discards pending ones. Raises EINVAL."""
        check_signo(signo, act is not None)
        process = self.processes[self.threads[tid].pid]
        table = self.table_of(process)
        before = table.action(signo)
        if act is not None:
            table.set(signo, *act)
            if table.ignores(signo):
                self.discard(process, bit(signo), listener)
        return before.handler, before.mask, before.flags

    def sigprocmask(self, tid: int, how: int, mask: int | None, listener: Listener) -> int:
        """rt_sigprocmask(2): the previous mask. `how` counts only where there is a mask. Raises EINVAL."""
        thread = self.threads[tid]
        before = thread.mask
        if mask is None:
            return before
        if how == SIG_BLOCK:
            mask = before | mask
        elif how == SIG_UNBLOCK:
            mask = before & ~mask
        elif how != SIG_SETMASK:
            raise SysError(EINVAL)
        self.set_mask(thread, mask, listener)
        return before

    def sigpending(self, tid: int) -> int:
        """rt_sigpending(2): signals that wait because they are blocked."""
        thread = self.threads[tid]
        return (thread.pending.bits | self.processes[thread.pid].shared.bits) & thread.mask

    def pause(self, ticket: Ticket) -> Failure | WouldBlock:
        """Wait for any signal that is not ignored."""
        return self._wait(self.threads[ticket.tid], Wait.PAUSE, ticket.serial)

    def sigsuspend(self, ticket: Ticket, mask: int, listener: Listener) -> Failure | WouldBlock:
        """rt_sigsuspend(2). A call that goes on after a stop keeps the mask that it replaced at first."""
        thread = self.threads[ticket.tid]
        if thread.saved_mask is None:
            thread.saved_mask = thread.mask
        thread.wait = Wait.SIGSUSPEND
        self.set_mask(thread, mask, listener)
        answer = self._wait(thread, Wait.SIGSUSPEND, ticket.serial)
        self.recalculate(thread, listener)
        return answer

    def sigtimedwait(
        self, ticket: Ticket, mask: int, deadline: int | None, now: int, listener: Listener
    ) -> SignalInfo | Failure | WouldBlock:
        """rt_sigtimedwait(2): takes a pending signal of the set, blocked or not. EAGAIN when the time is over. Raises EINVAL."""
        if deadline is not None and deadline < 0:
            raise SysError(EINVAL)
        thread = self.threads[ticket.tid]
        wanted = mask & ~UNBLOCKABLE
        info = self.take(thread, wanted, listener)
        if info is not None:
            return info
        if deadline is not None and deadline <= now:
            return Failure(EAGAIN)
        thread.wait_set, thread.deadline, thread.real_mask = wanted, deadline, thread.mask
        self.set_mask(thread, thread.mask & ~wanted, listener)
        answer = self._wait(thread, Wait.SIGTIMEDWAIT, ticket.serial)
        if thread.wait is Wait.NONE:
            self._end_sigtimedwait(thread, listener)
        return answer

    def _wait(self, thread: SignalThread, wait: Wait, serial: int) -> Failure | WouldBlock:
        """Interrupted already, or begin (or go on) to wait."""
        if thread.told:
            thread.wait = Wait.NONE
            return Failure(EINTR)
        thread.wait = wait
        thread.serial = serial
        return self._blocked(thread)

    @staticmethod
    def _blocked(thread: SignalThread) -> WouldBlock:
        waited_for = ",".join(signal_name(signo) for signo in members(thread.wait_set))
        return WouldBlock(OWNER, thread.wait.value, waited_for, thread.deadline, killable=thread.wait is Wait.STOPPED)

    def resume(self, ticket: Ticket, timed_out: bool, listener: Listener) -> SignalInfo | Failure | WouldBlock | None:
        """A thread that waited here runs again. A stopped one goes on with None; an interruption that somebody else took is none."""
        thread = self.threads[ticket.tid]
        assert thread.wait is not Wait.NONE, f"thread {thread.tid} resumes a wait that it does not have"
        assert thread.serial == ticket.serial, f"thread {thread.tid} resumes {ticket.serial}, but waits under {thread.serial}"
        if thread.wait is Wait.STOPPED:
            return self._resume_stopped(thread, listener)
        if thread.wait is Wait.SIGTIMEDWAIT:
            return self._resume_sigtimedwait(thread, timed_out, listener)
        answer = self._wait(thread, thread.wait, ticket.serial)
        self.recalculate(thread, listener)
        return answer

    def _resume_stopped(self, thread: SignalThread, listener: Listener) -> WouldBlock | None:
        if thread.stop is StopState.STOPPED:
            return self._blocked(thread)
        thread.wait = Wait.NONE
        self.recalculate(thread, listener)
        return None

    def _resume_sigtimedwait(self, thread: SignalThread, timed_out: bool, listener: Listener) -> SignalInfo | Failure | WouldBlock:
        info = self.take(thread, thread.wait_set, listener)
        if info is None and not thread.told and not timed_out:
            return self._blocked(thread)
        thread.wait = Wait.NONE
        failure = Failure(EINTR if thread.told else EAGAIN)
        self._end_sigtimedwait(thread, listener)
        return failure if info is None else info

    def _end_sigtimedwait(self, thread: SignalThread, listener: Listener) -> None:
        """Block again what was let through."""
        assert thread.real_mask is not None, f"thread {thread.tid} ends a sigtimedwait that it does not have"
        mask, thread.real_mask = thread.real_mask, None
        thread.wait_set, thread.deadline = 0, None
        self.set_mask(thread, mask, listener)

    # ---- what others look up ----------------------------------------------------------------------------------------------------

    def discards_children(self, pid: int) -> bool:
        """Do children of this process leave no zombies?"""
        process = self.processes.get(pid)
        return process is not None and self.table_of(process).discards_children()

    def statistics(self, pid: int, tid: int) -> SignalStatisticsRecord:
        """For /proc/PID/status; all zeros for a zombie."""
        process, thread = self.processes.get(pid), self.threads.get(tid or pid)
        if process is None or thread is None:
            return SignalStatisticsRecord(0, 0, 0, 0, 0)
        ignored, caught = self.table_of(process).sets()
        return SignalStatisticsRecord(thread.pending.bits, process.shared.bits, thread.mask, ignored, caught)

    def check(self) -> Iterator[Violation]:
        """What does not hold (invariants.py)."""
        return violations(self)
