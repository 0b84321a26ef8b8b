"""Invariants that span owners. Each owner's own `check()` holds after every message; these hold whenever the machine is settled.

While messages are in flight one owner may know what another has not heard yet; when none is, no ask is open and no request is parked
(`Conductor.settled`), all of them must tell one story. Nothing here changes anything.

    space_users        a live process has an address space, and a space counts the processes that use it
    table_holders      a descriptor table and a working directory count the processes and threads that hold them
    thread_everywhere  scheduler and signals know exactly the live threads of processes
    core_has_thread    a core has the context of the thread that the scheduler believes is running there, in that thread's space
    waiter_has_ticket  a thread that waits has a ticket at the owner who will answer its Resume, and each ticket has such a thread
    attention_told     the scheduler has the attention that signals has told, and the core of a running thread has it too
    timer_has_waiter   a timeout belongs to a thread that waits under its ticket, an alarm to a live process
    object_has_inode   memory keeps for files exactly what an inode leads to, in that size
    pipe_end_open      a pipe's ends are the open descriptions that lead to it, and the opens that wait there
    tlb_agrees         what a core's TLB remembers of its loaded space is what the page table says
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from actors.ranks import FILES, FIRST_CORE, IPC, MEMORY, PROCESSES, SCHEDULER, SIGNALS, TIMERS
from kernel.files.inodes import NO_PIPE
from kernel.hardware.mmu import BLOCK_MASK, BLOCK_SHIFT, FRAME_SHIFT, WRITABLE
from kernel.invariants import Violation
from kernel.processes.process import Process
from kernel.processes.processes import ExecWait
from kernel.scheduler.run_queue import IDLE
from kernel.signals.records import Wait
from kernel.tickets import Ticket
from kernel.timers.timer_queue import WAIT

if TYPE_CHECKING:
    from actors.actor import Actor


def violations(actors: dict[int, Actor]) -> Iterator[Violation]:
    """Every statement that does not hold of these actors, which are settled."""
    states = {rank: actors[rank].state for rank in (PROCESSES, MEMORY, FILES, IPC, SIGNALS, TIMERS, SCHEDULER)}
    cores = [actor.state for address, actor in actors.items() if address >= FIRST_CORE]
    yield from _spaces(states[PROCESSES], states[MEMORY])
    yield from _tables(states[PROCESSES], states[FILES])
    yield from _threads(states[PROCESSES], states[SIGNALS], states[SCHEDULER])
    yield from _cores(states[SCHEDULER], cores)
    yield from _tickets(states, cores)
    yield from _attention(states[SIGNALS], states[SCHEDULER], cores)
    yield from _timers(states[PROCESSES], states[TIMERS], states[SCHEDULER])
    yield from _objects(states[MEMORY], states[FILES])
    yield from _pipes(states[FILES], states[IPC])
    yield from _translations(states[MEMORY], cores)


def _live(processes: Any) -> list[Process]:
    """Processes of programs that have a thread."""
    return [process for process in processes.processes.values() if not process.kernel and process.live_threads()]


def _differences(name: str, what: str, counted: dict[int, int], found: dict[int, int]) -> Iterator[Violation]:
    for number in sorted({*counted, *found}):
        if counted.get(number, 0) != found.get(number, 0):
            yield Violation(name, f"{what} {number} counts {counted.get(number, 0)} users, found {found.get(number, 0)}")


def _spaces(processes: Any, memory: Any) -> Iterator[Violation]:
    users = Counter(process.space for process in _live(processes))
    users.update(wait.ready.space for wait in processes.waits.values() if isinstance(wait, ExecWait))
    yield from _differences("space_users", "space", {number: space.users for number, space in memory.spaces.items()}, users)


def _tables(processes: Any, files: Any) -> Iterator[Violation]:
    tables: Counter[int] = Counter()
    contexts: Counter[int] = Counter()
    for process in _live(processes):
        holders = [(process.table, process.fs)]
        for thread in process.live_threads():
            if thread.own_files:
                holders.append((thread.table, thread.fs))
            elif (thread.table, thread.fs) != holders[0]:
                yield Violation("table_holders", f"thread {thread.tid} uses table {thread.table}, process {process.pid} {process.table}")
        tables.update(table for table, _ in holders)
        contexts.update(fs for _, fs in holders)
    yield from _differences("table_holders", "table", {number: table.users for number, table in files.tables.items()}, tables)
    yield from _differences("table_holders", "working directory", {number: fs.users for number, fs in files.contexts.items()}, contexts)


def _threads(processes: Any, signals: Any, scheduler: Any) -> Iterator[Violation]:
    alive = {thread.tid: process.pid for process in _live(processes) for thread in process.live_threads()}
    for owner, known in (
        ("signals", {tid: thread.pid for tid, thread in signals.threads.items()}),
        ("scheduler", {tid: thread.pid for tid, thread in scheduler.threads.items()}),
    ):
        if known != alive:
            yield Violation("thread_everywhere", f"{owner} knows the threads {sorted(known.items())}, alive are {sorted(alive.items())}")


def _cores(scheduler: Any, cores: list[Any]) -> Iterator[Violation]:
    for core in cores:
        running, context = scheduler.cores[core.number].running, core.context
        has = IDLE if context is None else context.caller.tid
        if has != running:
            yield Violation("core_has_thread", f"core {core.number} has thread {has}, the scheduler believes {running}")
        loaded = core.hardware.cr3[core.number]
        if loaded != core.space or (context is not None and loaded != context.caller.space):
            yield Violation("core_has_thread", f"core {core.number} has loaded space {loaded} and says {core.space}, for thread {has}")


def _held_tickets(states: dict[int, Any]) -> Iterator[tuple[int, Ticket]]:
    """(owner, ticket) of all calls that wait."""
    processes, files, ipc, timers = states[PROCESSES], states[FILES], states[IPC], states[TIMERS]
    futexes = ipc.futexes
    for owner, tickets in (
        (PROCESSES, processes.waits),
        (FILES, {**files.console_waits, **files.fifo_waits}),
        (IPC, {**ipc.pipe_of, **futexes.waits, **futexes.completed}),
        (TIMERS, timers.sleeps),
    ):
        yield from ((owner, ticket) for ticket in tickets)
    for thread in states[SIGNALS].threads.values():
        if thread.wait is not Wait.NONE:
            yield SIGNALS, Ticket(thread.tid, thread.serial)


def _contexts(scheduler: Any, cores: list[Any]) -> Iterator[Any]:
    yield from (thread.context for thread in scheduler.threads.values() if thread.context is not None)
    yield from (core.context for core in cores if core.context is not None)


def _tickets(states: dict[int, Any], cores: list[Any]) -> Iterator[Violation]:
    blocked = [context.blocked for context in _contexts(states[SCHEDULER], cores)]
    waiting = {(call.owner, call.ticket) for call in blocked if call is not None}
    held = set(_held_tickets(states))
    for owner, ticket in sorted(waiting - held):
        yield Violation("waiter_has_ticket", f"thread {ticket.tid} waits under {ticket.serial}, of which owner {owner} knows nothing")
    for owner, ticket in sorted(held - waiting):
        yield Violation("waiter_has_ticket", f"owner {owner} holds ticket {ticket.tid}:{ticket.serial}, under which no thread waits")


def _attention(signals: Any, scheduler: Any, cores: list[Any]) -> Iterator[Violation]:
    told = {tid: thread.told for tid, thread in signals.threads.items() if thread.told}
    if told != scheduler.attention:
        yield Violation("attention_told", f"signals has told {told}, the scheduler has {scheduler.attention}")
    for core in cores:
        context = core.context
        if context is not None and context.attention < told.get(context.caller.tid, 0):
            yield Violation("attention_told", f"thread {context.caller.tid} runs on core {core.number}, which has not heard {told}")


def _timers(processes: Any, timers: Any, scheduler: Any) -> Iterator[Violation]:
    live = {process.pid for process in _live(processes)}
    for timer in timers.queue.armed():
        kind, number, serial = timer.key
        if kind != WAIT:
            if number not in live:
                yield Violation("timer_has_waiter", f"an alarm of process {number} is armed, which does not live")
            continue
        thread = scheduler.threads.get(number)
        blocked = None if thread is None or thread.context is None else thread.context.blocked
        if blocked is None or blocked.ticket != Ticket(number, serial):
            yield Violation("timer_has_waiter", f"timeout {number}:{serial} is armed, and no thread waits under it")


def _objects(memory: Any, files: Any) -> Iterator[Violation]:
    sizes = {inode.object: inode.size for inode in files.inodes.all() if inode.object}
    for number, held in memory.objects.table.items():
        if held.held_by_file and sizes.get(number) != held.size:
            yield Violation("object_has_inode", f"object {number} has {held.size} bytes for a file, its inode says {sizes.get(number)}")
        if number in sizes and not held.held_by_file:
            yield Violation("object_has_inode", f"object {number} belongs to an inode and is not held for it")


def _pipes(files: Any, ipc: Any) -> Iterator[Violation]:
    readers: Counter[int] = Counter()
    writers: Counter[int] = Counter()
    for description in files.descriptions.values():
        pipe = files.inodes.get(description.inode).pipe
        if pipe != NO_PIPE and not description.path_only:
            readers[pipe] += description.readable
            writers[pipe] += description.writable
    for wait in files.fifo_waits.values():
        readers[wait.pipe] += wait.readable
        writers[wait.pipe] += wait.writable
    for number, pipe in ipc.pipes.items():
        if (pipe.readers, pipe.writers) != (readers[number], writers[number]):
            found = f"{readers[number]} readers and {writers[number]} writers"
            yield Violation("pipe_end_open", f"pipe {number} has {pipe.readers} readers and {pipe.writers} writers, {found} are open")


def _translations(memory: Any, cores: list[Any]) -> Iterator[Violation]:
    for core in cores:
        table = memory.hardware.tables.get(core.space)
        if table is None:
            continue
        for kind, remembered in (("read", core.tlb.read), ("write", core.tlb.write)):
            for vpn, frame in remembered.items():
                block = table.blocks.get(vpn >> BLOCK_SHIFT)
                entry = 0 if block is None else block.entries[vpn & BLOCK_MASK]
                writable = block is not None and block.sharers == 1 and entry & WRITABLE
                if not entry or entry >> FRAME_SHIFT != frame.number or (kind == "write" and not writable):
                    found = f"in frame {frame.number}, but its entry is {entry:#x}"
                    yield Violation("tlb_agrees", f"core {core.number} would {kind} page {vpn:#x} {found}")

