"""Who waits for whom: deadlocked sets, from what the owners know of a settled machine.

A thread that waits without a deadline waits *for* threads: whoever could wake it. The holder of a mutex is read from the mutex word,
the other ends of a pipe are the processes whose descriptors refer to it, a waiting parent waits for its children, a join for the
thread whose tid is in the word. A set of waiting threads is dead if all wakers of all its members are in the set or gone
(Holt, "Some deadlock properties of computer systems", 1972). It is computed by removing, again and again, whoever has a live waker.

Signals are left out on purpose: any thread may be killed by another, and a thread that could send one is alive and not in the set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actors.ranks import FILES, MEMORY, PROCESSES, SCHEDULER
from kernel.processes.thread import ALIVE
from kernel.scheduler.run_queue import PARKED

if TYPE_CHECKING:
    from actors.boot import System

MUTEX_OWNER_OFFSET = 8  # of the owner's tid in a pthread_mutex_t, as in glibc


class Waiting(msgspec.Struct, frozen=True):
    """A thread that waits without a deadline, and who could wake it."""

    tid: int
    pid: int
    comm: str
    reason: str
    object: str
    wakers: tuple[int, ...]  # tids of live threads
    detail: str  # for the user: "the mutex at 0x… that tid 101 holds"
    file: str
    line: int


def blocked_threads(system: System) -> list[Waiting]:
    """All threads of programs that wait without a deadline, by tid."""
    scheduler = system.conductor.actors[SCHEDULER].state
    found = [_waiting(system, thread) for thread in scheduler.threads.values() if thread.state is PARKED and not thread.timed]
    return sorted(found, key=lambda waiting: waiting.tid)


def dead_set(system: System) -> list[Waiting]:
    """The largest set of threads none of which can ever be woken by a thread outside of it."""
    waiting = {entry.tid: entry for entry in blocked_threads(system) if entry.reason not in ("console_read", "stopped")}
    changed = True
    while changed:
        changed = False
        for tid, entry in list(waiting.items()):
            if any(waker not in waiting for waker in entry.wakers):
                del waiting[tid]
                changed = True
    return list(waiting.values())


def describe(dead: list[Waiting]) -> str:
    """The set as a text: who waits for what, and who holds it."""
    lines = [f"{len(dead)} thread{'s wait' if len(dead) > 1 else ' waits'} for ever"]
    for entry in dead:
        place = f" at {entry.file}:{entry.line}" if entry.file else ""
        lines.append(f"  [{entry.tid}] {entry.comm}{place} waits for {entry.detail}")
    return "\n".join(lines)


def _waiting(system: System, thread: Any) -> Waiting:
    context = thread.context
    caller = context.caller
    wakers, detail = _wakers(system, context, thread.reason, thread.object)
    place = context.image.place(context.frames[-1].coroutine)
    return Waiting(caller.tid, caller.pid, context.comm, thread.reason, thread.object, tuple(wakers), detail, place.file, place.line)


def _wakers(system: System, context: Any, reason: str, name: str) -> tuple[list[int], str]:
    caller = context.caller
    if reason == "futex":
        return _futex_wakers(system, context, name)
    if reason in ("pipe_read", "pipe_write"):
        pipe = int(name.partition(":")[2])
        side = "write" if reason == "pipe_read" else "read"
        return _pipe_wakers(system, caller, pipe, side)
    if reason == "wait4":
        processes = system.conductor.actors[PROCESSES].state
        children = [tid for pid in processes.processes[caller.pid].children for tid in _threads_of(system, pid)]
        return children, f"a child ({', '.join(map(str, children)) or 'none is left that could end'})"
    if reason == "fifo_open":
        others = [tid for tid in _live_threads(system) if tid != caller.tid]
        return others, f"the other side of {name}"
    others = [tid for tid in _live_threads(system) if tid != caller.tid]
    return others, f"{reason} ({name})" if name else reason


def _futex_wakers(system: System, context: Any, name: str) -> tuple[list[int], str]:
    """The owner of a mutex, if the word is one's; else any live thread that can reach the word."""
    caller = context.caller
    address = context.frames[-1].pending.args[0]
    memory = system.conductor.actors[MEMORY].state
    sharers = _sharers(system, caller, name)
    word = memory.peek(caller.space, address)
    owner = memory.peek(caller.space, address + MUTEX_OWNER_OFFSET)
    tids = _live_threads(system)
    shown = _symbol(context, address)
    if word == 2 and owner in tids:
        return [owner], f"the lock at {shown}, which [{owner}] holds"
    if word in tids and word != caller.tid:
        return [word], f"[{word}] to end (pthread_join)"
    if word == 2 and owner and owner not in tids:
        return [], f"the lock at {shown}, whose holder [{owner}] is gone"
    return [tid for tid in sharers if tid != caller.tid], f"a wake of the word at {shown} (value {word})"


def _sharers(system: System, caller: Any, name: str) -> list[int]:
    """Threads that could wake this key: those of the space for a private one, all for a shared one."""
    private = name.startswith("futex:1:")
    processes = system.conductor.actors[PROCESSES].state
    if not private:
        return _live_threads(system)
    spaces = {pid: process.space for pid, process in processes.processes.items()}
    return [tid for tid in _live_threads(system) if spaces[processes.threads[tid].pid] == caller.space]


def _symbol(context: Any, address: int) -> str:
    """An address as the program calls it: `name` or `name+offset` of a Global, else the number."""
    for name, start, size in context.image.symbols:
        if start <= address < start + size:
            return name if address == start else f"{name}+{address - start}"
    return f"{address:#x}"


def _pipe_wakers(system: System, caller: Any, pipe: int, side: str) -> tuple[list[int], str]:
    """Threads of the processes that have the other side open."""
    files = system.conductor.actors[FILES].state
    tables = _tables_with_pipe(files, pipe, side)
    processes = system.conductor.actors[PROCESSES].state
    tids = [tid for tid, thread in sorted(processes.threads.items()) if thread.table in tables and tid in _live_threads(system)]
    holders = sorted({processes.threads[tid].pid for tid in tids})
    what = "data in" if side == "write" else "room in"
    if not holders:
        return [], f"{what} pipe {pipe}, whose other side nobody has open"
    own = " (itself among them: a descriptor that was not closed)" if caller.pid in holders else ""
    return [tid for tid in tids if tid != caller.tid], f"{what} pipe {pipe}, whose {side} end is open in {', '.join(map(str, holders))}{own}"


def _tables_with_pipe(files: Any, pipe: int, side: str) -> set[int]:
    """Descriptor tables in which that side of the pipe is open."""
    found = set()
    for number, table in files.tables.items():
        for _, slot in table.open_slots():
            description = files.descriptions[slot.description]
            open_there = description.writable if side == "write" else description.readable
            if open_there and files.inodes.find(description.inode).pipe == pipe:
                found.add(number)
    return found


def _threads_of(system: System, pid: int) -> list[int]:
    process = system.conductor.actors[PROCESSES].state.processes.get(pid)
    return [tid for tid in process.threads if tid in _live_threads(system)] if process is not None else []


def _live_threads(system: System) -> list[int]:
    """Tids of program threads that have not ended."""
    processes = system.conductor.actors[PROCESSES].state
    return [tid for tid, thread in processes.threads.items() if thread.state in ALIVE and not processes.processes[thread.pid].kernel]
