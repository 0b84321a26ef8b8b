"""Who waits for whom: deadlocked sets, from what the owners know of a settled machine.

A thread that waits without a deadline waits *for* threads: whoever could wake it. The holder of a mutex is read from the mutex word,
the other ends of a pipe are the processes whose descriptors refer to it, a waiting parent waits for its children, a join for the
thread whose tid is in the word. A set of waiting threads is dead if all wakers of all its members are in the set or gone
(Holt, "Some deadlock properties of computer systems", 1972). It is computed by removing, again and again, whoever has a live waker.

Signals are left out on purpose: any thread may be killed by another, and a thread that could send one is alive and not in the set.
Only an armed alarm(2) counts, because it is a deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actors.ranks import FILES, MEMORY, PROCESSES, SCHEDULER, TIMERS
from kernel.processes.thread import ALIVE
from kernel.scheduler.run_queue import PARKED
from kernel.timers.timers import is_alarm

if TYPE_CHECKING:
    from actors.boot import System

MUTEX_OWNER_OFFSET = 8  # of the owner's tid in a pthread_mutex_t, as in glibc
SHOWN = 20  # threads that a text tells of
MUTEX_CONTENDED = 2  # the word of a mutex that is held and waited for
_OUTSIDE = ("console_read", "stopped")  # waits for somebody who is no thread of the machine, or whom any signal may send on


class Waiting(msgspec.Struct, frozen=True):
    """A thread that waits without a deadline, and who could wake it."""

    tid: int
    pid: int
    comm: str
    reason: str
    object: str
    wakers: tuple[int, ...]  # tids of live threads; its own may be among them, and changes nothing
    detail: str  # for the user: "the mutex at 0x… that tid 101 holds"
    file: str
    line: int


def blocked_threads(system: System) -> list[Waiting]:
    """All threads of programs that wait without a deadline, by tid."""
    return _Survey(system).blocked()


def dead_set(system: System) -> list[Waiting]:
    """The largest set of threads none of which can ever be woken by a thread outside of it, nor by an alarm of its process."""
    survey = _Survey(system)
    waiting = {entry.tid: entry for entry in survey.blocked() if entry.reason not in _OUTSIDE and entry.pid not in survey.alarmed}
    changed = True
    while changed:
        changed = False
        for tid, entry in list(waiting.items()):
            if any(waker not in waiting for waker in entry.wakers):
                del waiting[tid]
                changed = True
    return list(waiting.values())


def describe(dead: list[Waiting]) -> str:
    """The set as a text: who waits for what, and who holds it; the first of many."""
    lines = [f"{len(dead)} thread{'s wait' if len(dead) > 1 else ' waits'} for ever"]
    for entry in dead[:SHOWN]:
        place = f" at {entry.file}:{entry.line}" if entry.file else ""
        lines.append(f"  [{entry.tid}] {entry.comm}{place} waits for {entry.detail}")
    return "\n".join([*lines, *more(len(dead))])


def more(count: int) -> list[str]:
    """A last line for a list of `count` threads of which SHOWN are told."""
    return [f"  and {count - SHOWN} more"] if count > SHOWN else []


class _Survey:
    """What the owners know at one moment, looked up once: there may be thousands of threads."""

    def __init__(self, system: System) -> None:
        actors = system.conductor.actors
        self.processes: Any = actors[PROCESSES].state
        self.memory: Any = actors[MEMORY].state
        self.files: Any = actors[FILES].state
        self.scheduled: Any = actors[SCHEDULER].state
        self.alarmed = {timer.pid for timer in actors[TIMERS].state.queue.armed() if is_alarm(timer)}
        threads = self.processes.threads
        self.live = {tid: threads[tid] for tid in sorted(threads) if threads[tid].state in ALIVE and not self._kernel(threads[tid].pid)}
        self._all = tuple(self.live)
        self._by_space: dict[int, tuple[int, ...]] = {}

    def _kernel(self, pid: int) -> bool:
        return bool(self.processes.processes[pid].kernel)

    def blocked(self) -> list[Waiting]:
        """Every thread that waits without a deadline."""
        parked = [thread for thread in self.scheduled.threads.values() if thread.state is PARKED and not thread.timed]
        return sorted((self._waiting(thread) for thread in parked), key=lambda waiting: waiting.tid)

    def _waiting(self, thread: Any) -> Waiting:
        context = thread.context
        caller = context.caller
        wakers, detail = self._wakers(context, thread.reason, thread.object)
        place = context.image.place(context.frames[-1].coroutine)
        return Waiting(caller.tid, caller.pid, context.comm, thread.reason, thread.object, wakers, detail, place.file, place.line)

    def _wakers(self, context: Any, reason: str, name: str) -> tuple[tuple[int, ...], str]:
        caller = context.caller
        if reason == "futex":
            return self._futex_wakers(context, name)
        if reason in ("pipe_read", "pipe_write"):
            return self._pipe_wakers(caller, int(name.partition(":")[2]), "write" if reason == "pipe_read" else "read")
        if reason == "wait4":
            children = tuple(tid for pid in self.processes.processes[caller.pid].children for tid in self._threads_of(pid))
            return children, f"a child ({', '.join(map(str, children)) or 'none is left that could end'})"
        if reason == "fifo_open":
            return self._all, f"the other side of {name}"
        return self._all, f"{reason} ({name})" if name else reason

    def _futex_wakers(self, context: Any, name: str) -> tuple[tuple[int, ...], str]:
        """The owner of a mutex, if the word is one's; else any live thread that can reach the word."""
        caller = context.caller
        address = context.frames[-1].pending.args[0]
        word = self.memory.peek(caller.space, address)
        owner = self.memory.peek(caller.space, address + MUTEX_OWNER_OFFSET)
        shown = _symbol(context, address)
        if word == MUTEX_CONTENDED and owner in self.live:
            return (owner,), f"the lock at {shown}, which [{owner}] holds"
        if word in self.live and word != caller.tid:
            return (word,), f"[{word}] to end (pthread_join)"
        if word == MUTEX_CONTENDED and owner:
            return (), f"the lock at {shown}, whose holder [{owner}] is gone"
        private = name.startswith("futex:1:")
        return self._in_space(caller.space) if private else self._all, f"a wake of the word at {shown} (value {word})"

    def _in_space(self, space: int) -> tuple[int, ...]:
        """Live threads of one address space."""
        found = self._by_space.get(space)
        if found is None:
            processes = self.processes.processes
            found = self._by_space[space] = tuple(tid for tid, thread in self.live.items() if processes[thread.pid].space == space)
        return found

    def _pipe_wakers(self, caller: Any, pipe: int, side: str) -> tuple[tuple[int, ...], str]:
        """Threads of the processes that have the other side open."""
        tables = self._tables_with_pipe(pipe, side)
        tids = tuple(tid for tid, thread in self.live.items() if thread.table in tables)
        holders = sorted({self.live[tid].pid for tid in tids})
        what = "data in" if side == "write" else "room in"
        if not holders:
            return (), f"{what} pipe {pipe}, whose other side nobody has open"
        own = " (itself among them: a descriptor that was not closed)" if caller.pid in holders else ""
        return tids, f"{what} pipe {pipe}, whose {side} end is open in {', '.join(map(str, holders))}{own}"

    def _tables_with_pipe(self, pipe: int, side: str) -> set[int]:
        """Descriptor tables in which that side of the pipe is open."""
        found = set()
        for number, table in self.files.tables.items():
            for _, slot in table.open_slots():
                description = self.files.descriptions[slot.description]
                open_there = description.writable if side == "write" else description.readable
                if open_there and self.files.inodes.find(description.inode).pipe == pipe:
                    found.add(number)
        return found

    def _threads_of(self, pid: int) -> list[int]:
        process = self.processes.processes.get(pid)
        return [tid for tid in process.threads if tid in self.live] if process is not None else []


def _symbol(context: Any, address: int) -> str:
    """An address as the program calls it: `name` or `name+offset` of a Global, else the number."""
    for name, start, size in context.image.symbols:
        if start <= address < start + size:
            return name if address == start else f"{name}+{address - start}"
    return f"{address:#x}"
