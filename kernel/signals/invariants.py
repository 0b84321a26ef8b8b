"""What must hold of the signals owner's state after each message; the statements stand at their fields."""

from __future__ import annotations

from collections.abc import Iterator

from kernel.abi.signos import UNBLOCKABLE, bit, members
from kernel.invariants import Violation
from kernel.signals.records import SignalProcess, SignalThread, StopState
from kernel.signals.state import SignalState


def violations(state: SignalState) -> Iterator[Violation]:
    """Every statement that does not hold, by name."""
    users: dict[int, int] = {}
    listed = 0
    for process in state.processes.values():
        users[process.table] = users.get(process.table, 0) + 1
        listed += len(process.threads)
        yield from _process(state, process)
    for number, table in state.tables.items():
        if users.pop(number, 0) != table.users:
            yield Violation("table_users", f"table {number} counts {table.users} users")
    for number in users:
        yield Violation("table_users", f"table {number} is used, but does not exist")
    if listed != len(state.threads):
        yield Violation("thread_in_its_process", f"{len(state.threads)} threads are known, {listed} are listed by their processes")


def _process(state: SignalState, process: SignalProcess) -> Iterator[Violation]:
    name = f"process {process.pid}"
    yield from process.shared.check(name)
    able: list[SignalThread] = []
    for tid in process.threads:
        thread = state.threads.get(tid)
        if thread is None or (thread.tid, thread.pid) != (tid, process.pid):
            yield Violation("thread_in_its_process", f"{name} lists thread {tid}, which is {thread}")
            return
        yield from _thread(state, process, thread)
        if not thread.killed:
            able.append(thread)
    for signo, tid in process.takers.items():
        if not process.shared.bits & bit(signo) or not any(thread.tid == tid and not thread.mask & bit(signo) for thread in able):
            yield Violation("taker_can_take", f"{name}: signal {signo} is given to thread {tid}, which cannot take it")
    for signo in members(process.shared.bits):
        if signo not in process.takers and any(not thread.mask & bit(signo) for thread in able):
            yield Violation(
                "shared_signal_has_taker", f"{name}: signal {signo} is pending and not blocked by all, but nobody has attention"
            )


def _thread(state: SignalState, process: SignalProcess, thread: SignalThread) -> Iterator[Violation]:
    name = f"thread {thread.tid}"
    yield from thread.pending.check(name)
    if (thread.mask | (thread.saved_mask or 0) | (thread.real_mask or 0)) & UNBLOCKABLE:
        yield Violation("mask_never_blocks_kill", f"{name} blocks SIGKILL or SIGSTOP: {thread.mask:#x}")
    level = state.compute_level(thread)
    if level != thread.told:
        yield Violation("attention_matches_pending", f"{name}: the scheduler was told {thread.told}, but it is {level}")
    if thread.stop is not StopState.RUNNING and process.stop_info is None:
        yield Violation("stop_has_a_cause", f"{name} is {thread.stop.value} in a stop that its process does not have")
