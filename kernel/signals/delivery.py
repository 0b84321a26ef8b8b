"""A thread comes by on its way back to user space: what does it have to do? signal(7), "Execution of signal handlers".

Order: end, if it was killed; stop, if its process stops; then pending signals, one at a time, those without effect skipped. A handler runs
with the action's mask and the signal itself blocked; what was blocked before goes into the frame and comes back with sigreturn. After
sigsuspend that is the mask from before the call; where nothing is delivered it is restored here. After Linux's get_signal.

A stop of a process: the thread that takes the stop signal stops; its siblings get attention and stop when they come by. Each waits under
its own ticket until SIGCONT wakes it (generation.py).
"""

from __future__ import annotations

from typing import Final

import msgspec

from kernel.abi.flags import SA_NODEFER, SA_RESETHAND, SIG_DFL, SIG_IGN
from kernel.abi.signos import DEFAULT_CONTINUE, DEFAULT_IGNORE, DEFAULT_STOP, SIGKILL, SIGSTOP, bit, default_action
from kernel.signals.dispositions import Action
from kernel.signals.generation import end_process
from kernel.signals.pending import SignalInfo
from kernel.signals.records import Listener, SignalProcess, SignalThread, StopState, Wait
from kernel.signals.state import SignalState

EVERYTHING: Final = (1 << 64) - 1


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """What the core does on the way back to user space. Exactly one of the actions, in `action`.

    "handler" runs `handler`; "terminate" ends the process by `info`, or with `info` None just this thread (its process is ending, or
    executes another image); "stop" parks it under the ticket; "none": nothing is left to do.
    """

    action: str  # "handler", "terminate", "stop", "none"
    info: SignalInfo | None = None
    handler: int = 0  # .text address
    flags: int = 0  # SA_*
    saved_mask: int = 0  # to restore by sigreturn: bit n-1 is signal n
    core_dump: bool = False


NONE: Final = Delivery("none")
END_QUIETLY: Final = Delivery("terminate")


def deliver(state: SignalState, tid: int, serial: int, listener: Listener) -> Delivery:
    """What the thread does now; `serial` is its ticket if that is to stop. A thread that is unknown here has ended."""
    thread = state.threads.get(tid)
    if thread is None:
        return END_QUIETLY
    process = state.processes[thread.pid]
    if thread.killed:
        return _end(state, process)
    if thread.stop is StopState.PENDING:
        return _stop(state, process, thread, serial, listener)
    while (info := state.take(thread, EVERYTHING & ~thread.mask, listener)) is not None:
        delivery = _act(state, process, thread, info, serial, listener)
        if delivery is not None:
            return delivery
    if thread.saved_mask is not None:
        restored, thread.saved_mask = thread.saved_mask, None
        state.set_mask(thread, restored, listener)
    return NONE


def _act(
    state: SignalState, process: SignalProcess, thread: SignalThread, info: SignalInfo, serial: int, listener: Listener
) -> Delivery | None:
    """What one signal does; None if nothing."""
    signo = info.signo
    action = state.table_of(process).action(signo)
    if action.handler == SIG_IGN:
        return None
    if action.handler != SIG_DFL:
        return _run_handler(state, process, thread, info, action, listener)
    default = default_action(signo)
    if default in (DEFAULT_IGNORE, DEFAULT_CONTINUE) or process.unkillable:
        return None
    if default == DEFAULT_STOP:
        if process.orphaned and signo != SIGSTOP:
            return None
        process.stop_info = info
        for tid in process.threads:
            sibling = state.threads[tid]
            if not sibling.killed and sibling is not thread:
                sibling.stop = StopState.PENDING
                state.recalculate(sibling, listener)
        return _stop(state, process, thread, serial, listener)
    end_process(state, process, info, listener)
    return _end(state, process)


def _run_handler(
    state: SignalState, process: SignalProcess, thread: SignalThread, info: SignalInfo, action: Action, listener: Listener
) -> Delivery:
    signo = info.signo
    if action.flags & SA_RESETHAND:
        state.table_of(process).actions[signo] = Action(SIG_DFL, action.mask, action.flags)
    saved = thread.mask if thread.saved_mask is None else thread.saved_mask
    thread.saved_mask = None
    mask = thread.mask | action.mask
    if not action.flags & SA_NODEFER:
        mask |= bit(signo)
    state.set_mask(thread, mask, listener)
    return Delivery("handler", info, action.handler, action.flags, saved)


def _stop(state: SignalState, process: SignalProcess, thread: SignalThread, serial: int, listener: Listener) -> Delivery:
    thread.stop = StopState.STOPPED
    thread.wait = Wait.STOPPED
    thread.serial = serial
    state.recalculate(thread, listener)
    return Delivery("stop", process.stop_info)


def _end(state: SignalState, process: SignalProcess) -> Delivery:
    info = process.fatal
    if info is None:
        return END_QUIETLY
    return Delivery("terminate", info, core_dump=info.signo != SIGKILL and state.table_of(process).dumps_core(info.signo))
