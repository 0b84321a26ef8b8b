"""The invariants of `processes`, each a short generator over the state. They stand at the fields that they govern; here is the proof.

pid_unique, tree_consistent, zombie_has_no_threads, group_members, embryo_invisible, ticket_thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.invariants import Violation
from kernel.processes.process import ProcessState
from kernel.processes.thread import ThreadState

if TYPE_CHECKING:
    from kernel.processes.processes import Processes


def check(state: Processes) -> Iterator[Violation]:
    """All of them."""
    yield from _pid_unique(state)
    yield from _tree_consistent(state)
    yield from _zombie_has_no_threads(state)
    yield from _group_members(state)
    yield from _embryo_invisible(state)
    yield from _ticket_thread(state)


def _pid_unique(state: Processes) -> Iterator[Violation]:
    recount: dict[int, int] = {}
    for table in (state.processes, state.threads, state.groups, state.sessions):
        for number in table:
            recount[number] = recount.get(number, 0) + 1
    holders = state.pids.holders
    for number in sorted({**recount, **holders}):
        if recount.get(number, 0) != holders.get(number, 0):
            yield Violation("pid_unique", f"{number} is carried {recount.get(number, 0)} times and counted {holders.get(number, 0)} times")
    for pid, process in state.processes.items():
        if process.pid != pid:
            yield Violation("pid_unique", f"process {process.pid} stands under {pid}")
        for tid in process.threads:
            if state.threads.get(tid) is None or state.threads[tid].pid != pid or state.threads[tid].tid != tid:
                yield Violation("pid_unique", f"thread {tid} of process {pid} is not the one in the table of threads")
    for tid, thread in state.threads.items():
        if thread.pid not in state.processes or tid not in state.processes[thread.pid].threads:
            yield Violation("pid_unique", f"thread {tid} names process {thread.pid}, which does not have it")


def _tree_consistent(state: Processes) -> Iterator[Violation]:
    for pid, process in state.processes.items():
        for child in process.children:
            if child not in state.processes or state.processes[child].ppid != pid:
                yield Violation("tree_consistent", f"{pid} lists {child} as its child, which says otherwise")
        if process.ppid and process.visible and (process.ppid not in state.processes or pid not in state.processes[process.ppid].children):
            yield Violation("tree_consistent", f"{pid} names {process.ppid} as its parent, which does not list it")
        if process.state is ProcessState.ZOMBIE and process.children:
            yield Violation("tree_consistent", f"zombie {pid} still has children")


def _zombie_has_no_threads(state: Processes) -> Iterator[Violation]:
    for pid, process in state.processes.items():
        if process.state is ProcessState.ZOMBIE and (process.threads or process.status < 0):
            yield Violation("zombie_has_no_threads", f"zombie {pid} has threads {list(process.threads)} and status {process.status}")
        if process.state in (ProcessState.LIVE, ProcessState.STOPPED) and not process.threads:
            yield Violation("zombie_has_no_threads", f"{process.state.value} process {pid} has no thread")


def _group_members(state: Processes) -> Iterator[Violation]:
    for pgid, group in state.groups.items():
        session = state.sessions.get(group.sid)
        if not group.members or session is None or pgid not in session.groups:
            yield Violation("group_members", f"group {pgid} is empty or unknown to session {group.sid}")
        for pid in group.members:
            process = state.processes.get(pid)
            if process is None or process.pgid != pgid or process.sid != group.sid:
                yield Violation("group_members", f"group {pgid} lists {pid}, which is elsewhere")
    for pid, process in state.processes.items():
        if process.visible and (process.pgid not in state.groups or pid not in state.groups[process.pgid].members):
            yield Violation("group_members", f"{pid} is in group {process.pgid}, which does not list it")
    for sid, session in state.sessions.items():
        if not session.groups or any(pgid not in state.groups or state.groups[pgid].sid != sid for pgid in session.groups):
            yield Violation("group_members", f"session {sid} is empty or lists groups that are elsewhere")


def _embryo_invisible(state: Processes) -> Iterator[Violation]:
    for pid, process in state.processes.items():
        if process.state is not ProcessState.EMBRYO:
            continue
        parent = state.processes.get(process.ppid)
        if parent is not None and pid in parent.children:
            yield Violation("embryo_invisible", f"embryo {pid} is among the children of {process.ppid}")
        if any(pid in group.members for group in state.groups.values()):
            yield Violation("embryo_invisible", f"embryo {pid} is in a group")
        if any(thread.state is not ThreadState.EMBRYO for thread in process.threads.values()):
            yield Violation("embryo_invisible", f"embryo {pid} has a thread that is born")


def _ticket_thread(state: Processes) -> Iterator[Violation]:
    for ticket in state.waits:
        thread = state.threads.get(ticket.tid)
        if thread is None or not thread.alive:
            yield Violation("ticket_thread", f"ticket {ticket.tid}:{ticket.serial} waits, its thread does not live")
    for pid, process in state.processes.items():
        for ticket in process.waiters:
            if ticket not in state.waits:
                yield Violation("ticket_thread", f"{pid} has waiter {ticket.tid}:{ticket.serial} without a wait")
