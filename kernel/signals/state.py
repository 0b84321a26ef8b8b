"""Who knows what: lookups, and attention as it follows from masks and pending sets.

A signal for the process as a whole is given to one thread that does not block it, its *taker* (Linux's complete_signal): the main thread
if it is free, else the next in turn. Only the taker gets attention; but whoever delivers first takes what it can. When the taker blocks
the signal or ends, another one is chosen (retarget_shared_pending); when a thread unblocks it, that thread becomes the taker, so that
it is delivered before sigprocmask returns.
"""

from __future__ import annotations

import msgspec

from kernel.abi.signos import UNBLOCKABLE, bit, members
from kernel.signals.dispositions import Dispositions
from kernel.signals.pending import SignalInfo
from kernel.signals.records import FATAL, NOTHING, SIGNAL, Listener, SignalProcess, SignalThread, StopState, Wait


class SignalState(msgspec.Struct):
    """All records. `Signals` (signals.py) adds what can be asked."""

    processes: dict[int, SignalProcess] = {}  # by pid; zombies have none
    threads: dict[int, SignalThread] = {}  # by tid
    tables: dict[int, Dispositions] = {}
    last_table: int = 0  # id given out last

    def table_of(self, process: SignalProcess) -> Dispositions:
        """What the process does about signals."""
        return self.tables[process.table]

    def level_of(self, tid: int) -> int:
        """Attention of a thread; 0 for one that does not exist."""
        thread = self.threads.get(tid)
        return thread.told if thread is not None else NOTHING

    def compute_level(self, thread: SignalThread) -> int:
        """What a thread's attention must be."""
        if thread.killed:
            return FATAL
        if thread.stop is StopState.PENDING or thread.pending.bits & ~thread.mask:
            return SIGNAL
        if thread.saved_mask is not None and thread.wait is Wait.NONE:
            return SIGNAL  # a mask is to be restored: Linux's TIF_RESTORE_SIGMASK
        takers = self.processes[thread.pid].takers
        return SIGNAL if takers and thread.tid in takers.values() else NOTHING

    def recalculate(self, thread: SignalThread, listener: Listener) -> None:
        """Tell the scheduler if the thread's attention has changed."""
        level = self.compute_level(thread)
        if level != thread.told:
            thread.told = level
            listener.attention_changed(thread.tid, level)

    def set_mask(self, thread: SignalThread, mask: int, listener: Listener) -> None:
        """Replace the mask; shared signals find another taker, or this one."""
        mask &= ~UNBLOCKABLE
        blocked, unblocked = mask & ~thread.mask, thread.mask & ~mask
        thread.mask = mask
        process = self.processes[thread.pid]
        if process.shared.bits:
            for signo in members(process.shared.bits & blocked):
                if process.takers.get(signo) == thread.tid:
                    self.give(process, signo, self.choose_taker(process, signo), listener)
            if not thread.killed:
                for signo in members(process.shared.bits & unblocked):
                    self.give(process, signo, thread, listener)
        self.recalculate(thread, listener)

    def give(self, process: SignalProcess, signo: int, taker: SignalThread | None, listener: Listener) -> None:
        """Make `taker` the one who has attention for a pending shared signal; None: everybody blocks it."""
        before = process.takers.pop(signo, None)
        if taker is not None:
            process.takers[signo] = taker.tid
            self.recalculate(taker, listener)
        if before is not None and before in self.threads:
            self.recalculate(self.threads[before], listener)

    def choose_taker(self, process: SignalProcess, signo: int) -> SignalThread | None:
        """The main thread if it is free, else the first free one in turn, else any that does not block the signal, else None."""
        able = [
            thread
            for thread in (self.threads[tid] for tid in process.threads)
            if not thread.killed and not thread.mask & bit(signo)
        ]  # fmt: skip
        free = [thread for thread in able if thread.told == NOTHING and thread.stop is StopState.RUNNING]
        if not free:
            return able[0] if able else None
        if free[0].tid == process.pid:
            return free[0]
        chosen = next((thread for thread in free if thread.tid >= process.next_taker), free[0])
        process.next_taker = chosen.tid + 1
        return chosen

    def take(self, thread: SignalThread, wanted: int, listener: Listener) -> SignalInfo | None:
        """Dequeue one signal of the set `wanted`: the thread's own first, then the process's."""
        info = thread.pending.take(wanted)
        if info is None:
            process = self.processes[thread.pid]
            info = process.shared.take(wanted)
            if info is not None and not process.shared.bits & bit(info.signo):
                self.give(process, info.signo, None, listener)
        if info is not None:
            self.recalculate(thread, listener)
        return info

    def discard(self, process: SignalProcess, unwanted: int, listener: Listener) -> None:
        """Forget pending signals of the set `unwanted`, the process's and all its threads'."""
        for signo in members(process.shared.bits & unwanted):
            self.give(process, signo, None, listener)
        process.shared.discard(unwanted)
        for tid in process.threads:
            thread = self.threads[tid]
            thread.pending.discard(unwanted)
            self.recalculate(thread, listener)

    def kill(self, process: SignalProcess, except_tid: int, listener: Listener) -> None:
        """Every thread but one must end; a stop does not hold them."""
        for tid in process.threads:
            thread = self.threads[tid]
            if tid != except_tid:
                thread.killed = True
                thread.stop = StopState.RUNNING
        for signo in list(process.takers):
            self.give(process, signo, self.choose_taker(process, signo), listener)
        for tid in process.threads:
            self.recalculate(self.threads[tid], listener)
