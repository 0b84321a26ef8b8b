"""A signal is sent: what happens at once, and what becomes pending.

At generation, whatever the mask: SIGCONT ends a stop and discards pending stop signals; a stop signal discards a pending SIGCONT. A signal
that is ignored is dropped, unless the receiver blocks it (it may change its mind, or wait for it with sigwait). A signal that kills
without a core dump kills here: every thread gets fatal attention, so that not even a stopped or blocked sibling delays the end.
Everything else stays pending until its thread comes by (delivery.py). After Linux's send_signal_locked and complete_signal; kill(2).
"""

from __future__ import annotations

from typing import Final

from kernel.abi.flags import CLD_CONTINUED, CLD_STOPPED, SA_NOCLDSTOP, SIG_DFL, SIG_IGN
from kernel.abi.signos import DEFAULT_STOP, SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, bit, default_action, make_set
from kernel.signals.dispositions import Action
from kernel.signals.pending import FIRST_QUEUED, SignalInfo
from kernel.signals.records import Listener, SignalProcess, SignalThread, StopState
from kernel.signals.state import SignalState

QUEUED: Final = "queued"  # results, as sched's signal_generate shows them
IGNORED: Final = "ignored"
ALREADY_PENDING: Final = "already_pending"

STOPS: Final = make_set((SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU))


def generate(state: SignalState, pid: int, tid: int, info: SignalInfo, listener: Listener) -> str:
    """Send `info` to a process (`tid` 0) or to one of its threads; what became of it. A process that is gone or ends ignores it."""
    process = state.processes.get(pid)
    if process is None or not process.threads or process.fatal is not None:
        return IGNORED
    receiver = state.threads.get(tid or (pid if pid in process.threads else process.threads[0]))
    if receiver is None or receiver.pid != pid:
        return IGNORED
    signo = info.signo
    if signo == SIGCONT:
        state.discard(process, STOPS, listener)
        continue_process(state, process, listener)
    elif bit(signo) & STOPS:
        state.discard(process, bit(SIGCONT), listener)
    if _is_ignored(state, process, receiver, info):
        return IGNORED
    if signo == SIGKILL:
        end_process(state, process, info, listener)
        return QUEUED
    pending = receiver.pending if tid else process.shared
    if signo < FIRST_QUEUED and pending.bits & bit(signo):
        return ALREADY_PENDING
    taker = _taker(state, process, receiver if tid else None, signo)
    if taker is not None and _kills(state, process, taker, signo):
        end_process(state, process, info, listener)
        return QUEUED
    pending.add(info)
    if tid:
        state.recalculate(receiver, listener)
    elif signo not in process.takers:
        state.give(process, signo, taker, listener)
    return QUEUED


def force(state: SignalState, thread: SignalThread, info: SignalInfo, listener: Listener) -> None:
    """A fault of the thread's own instruction: it cannot be put off, so blocked or ignored means the default, which ends the process."""
    process = state.processes[thread.pid]
    table = state.table_of(process)
    action = table.action(info.signo)
    blocked = bool(thread.mask & bit(info.signo))
    if blocked or action.handler == SIG_IGN:
        table.actions[info.signo] = Action(SIG_DFL, action.mask, action.flags)
    if table.action(info.signo).handler == SIG_DFL:
        process.unkillable = False
    thread.pending.add(info)
    state.set_mask(thread, thread.mask & ~bit(info.signo), listener)


def continue_process(state: SignalState, process: SignalProcess, listener: Listener) -> None:
    """End a stop: threads on their way into it go on, stopped ones are woken."""
    if process.stop_info is None:
        return
    process.stop_info = None
    for tid in process.threads:
        thread = state.threads[tid]
        stopped = thread.stop is StopState.STOPPED
        thread.stop = StopState.RUNNING
        state.recalculate(thread, listener)
        if stopped:
            listener.wake(tid, thread.serial)
    listener.continued(process.pid)


def end_process(state: SignalState, process: SignalProcess, info: SignalInfo, listener: Listener) -> None:
    """The signal `info` ends the whole process; nothing can be sent to it any more."""
    process.fatal = info
    process.stop_info = None
    state.kill(process, 0, listener)


def _is_ignored(state: SignalState, process: SignalProcess, receiver: SignalThread, info: SignalInfo) -> bool:
    """Linux's sig_ignored, with the main thread's mask where the process is meant, and SA_NOCLDSTOP."""
    signo = info.signo
    if (receiver.mask | (receiver.real_mask or 0)) & bit(signo):
        return False
    table = state.table_of(process)
    if signo == SIGCHLD and info.code in (CLD_STOPPED, CLD_CONTINUED) and table.action(SIGCHLD).flags & SA_NOCLDSTOP:
        return True
    return table.ignores(signo) or (process.unkillable and table.action(signo).handler == SIG_DFL)


def _taker(state: SignalState, process: SignalProcess, receiver: SignalThread | None, signo: int) -> SignalThread | None:
    if receiver is None:
        return state.choose_taker(process, signo)
    return None if receiver.killed or receiver.mask & bit(signo) else receiver


def _kills(state: SignalState, process: SignalProcess, taker: SignalThread, signo: int) -> bool:
    """Does it end the process right now? Not one that is stopped, nor a thread that waits for just this signal while blocking it."""
    if process.unkillable or taker.stop is not StopState.RUNNING or (taker.real_mask or 0) & bit(signo):
        return False
    return state.table_of(process).kills_at_once(signo)


assert all(default_action(signo) == DEFAULT_STOP for signo in (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)), "STOPS are the signals that stop"
