"""Invariants that span owners: they hold of a settled machine in the middle of much, and each is seen when it is broken."""

from collections.abc import Callable
from typing import Any

import pytest

from actors import crosscheck
from actors.copying import run_to_settled
from actors.ranks import FILES, FIRST_CORE, IPC, MEMORY, PROCESSES, SCHEDULER, SIGNALS, TIMERS
from kernel.hardware.mmu import BLOCK_MASK, BLOCK_SHIFT, WRITABLE
from kernel.invariants import Violation
from kernel.processes.context import BlockedCall
from kernel.tickets import Ticket
from tests.support.machines import program
from trapline.machine import Machine

BUSY = """
word = Global(i32, 0)
stored = Global(i32, 0)

async def reader(r):
    await read(r, 1)

async def waiter(_):
    await futex(word, FUTEX_WAIT, 0, 2_000_000_000)

async def main(argv):
    r, w = await pipe()
    await mkfifo("fifo", 0o600)
    fd = await open("file", O_RDWR | O_CREAT)
    await write(fd, b"content")
    await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd)
    await pthread_create(reader, r)
    await pthread_create(waiter)
    if await fork() == 0:
        await sigprocmask(SIG_BLOCK, [SIGUSR1])
        await raise_signal(SIGUSR1)
        await open("fifo", O_RDONLY)
    if await fork() == 0:
        await alarm(10)
        await nanosleep(1_000_000_000)
        await pause()
    while True:
        await stored.store(1)
"""


class Owners:
    """The states of a settled machine, by name."""

    def __init__(self, system: Any) -> None:
        self.actors = system.conductor.actors
        states = [self.actors[rank].state for rank in (PROCESSES, MEMORY, FILES, IPC, SIGNALS, TIMERS, SCHEDULER)]
        self.processes, self.memory, self.files, self.ipc, self.signals, self.timers, self.scheduler = states
        self.cores = [actor.state for address, actor in self.actors.items() if address >= FIRST_CORE]

    @property
    def running(self) -> Any:
        """A core that has a thread."""
        return next(core for core in self.cores if core.context is not None)

    @property
    def first(self) -> Any:
        """The first program's process."""
        return self.processes.processes[100]

    def in_full_swing(self) -> bool:
        """Somebody waits at each owner, and somebody runs."""
        waits = self.files.fifo_waits, self.ipc.pipe_of, self.ipc.futexes.waits, self.timers.sleeps
        return all(waits) and len(self.timers.queue.armed()) == 3 and any(core.context is not None for core in self.cores)


@pytest.fixture
def owners() -> Owners:
    """A machine that has come to the middle of BUSY, and is settled."""
    live = Machine("quad", seed=3, events=()).boot(program(BUSY))
    while run_to_settled(live.system, 20, live.drive):
        found = Owners(live.system)
        if found.in_full_swing():
            return found
    pytest.fail("the program never got going")


def named(owners: Owners) -> set[str]:
    """Which invariants do not hold."""
    return {violation.name for violation in crosscheck.violations(owners.actors)}


def test_a_settled_machine_tells_one_story(owners: Owners) -> None:
    """Threads at every owner, alarms, mappings, pipes: nothing disagrees."""
    assert named(owners) == set()


def _entry(owners: Owners) -> tuple[list[int], int]:
    core = owners.running
    vpn = next(iter(core.tlb.write))
    return owners.memory.hardware.tables[core.space].blocks[vpn >> BLOCK_SHIFT].entries, vpn & BLOCK_MASK


def _make_entry_read_only(owners: Owners) -> None:
    entries, index = _entry(owners)
    entries[index] &= ~WRITABLE


def _replace_frame(owners: Owners) -> None:
    entries, index = _entry(owners)
    entries[index] += 1 << 12


def _lose_table(owners: Owners) -> None:
    del owners.files.tables[owners.first.table]


def _share_table_in_one_thread(owners: Owners) -> None:
    owners.first.threads[101].table += 1


def _leak_working_directory(owners: Owners) -> None:
    owners.files.contexts[owners.first.fs].users += 1


def _lose_space(owners: Owners) -> None:
    del owners.memory.spaces[owners.first.space]


def _share_space(owners: Owners) -> None:
    owners.memory.spaces[owners.first.space].users += 1


def _forget_thread(owners: Owners) -> None:
    del owners.signals.threads[101]


def _keep_thread(owners: Owners) -> None:
    owners.scheduler.threads[999] = owners.scheduler.threads[100]


def _idle_core(owners: Owners) -> None:
    owners.running.context = None


def _wrong_space(owners: Owners) -> None:
    owners.running.space += 1


def _lose_ticket(owners: Owners) -> None:
    owners.ipc.pipe_of.clear()


def _keep_ticket(owners: Owners) -> None:
    owners.ipc.futexes.completed[Ticket(100, 3)] = None


def _wait_for_nothing(owners: Owners) -> None:
    owners.running.context.blocked = BlockedCall(Ticket(100, 7), PROCESSES, None, "wait4", "", killable=False)


def _lose_attention(owners: Owners) -> None:
    owners.signals.threads[100].told = 1


def _keep_attention(owners: Owners) -> None:
    owners.scheduler.attention[101] = 2


def _deaf_core(owners: Owners) -> None:
    tid = owners.running.context.caller.tid
    owners.signals.threads[tid].told = owners.scheduler.attention[tid] = 1


def _keep_timeout(owners: Owners) -> None:
    owners.timers.arm(Ticket(101, 99), 1 << 50, (0,))


def _keep_alarm(owners: Owners) -> None:
    owners.timers.alarm(99, (0,), 5, 0)


def _object(owners: Owners) -> Any:
    return next(found for found in owners.memory.objects.table.values() if found.size == 7)


def _wrong_size(owners: Owners) -> None:
    _object(owners).size = 8


def _unheld_object(owners: Owners) -> None:
    _object(owners).held_by_file = False


def _keep_object(owners: Owners) -> None:
    owners.memory.objects.ensure(998, b"")


def _lose_reader(owners: Owners) -> None:
    next(iter(owners.ipc.pipes.values())).readers += 1


def _lose_opener(owners: Owners) -> None:
    owners.files.fifo_waits.clear()


@pytest.mark.parametrize(
    ("name", "corrupt"),
    [
        ("space_users", _lose_space),
        ("space_users", _share_space),
        ("table_holders", _lose_table),
        ("table_holders", _share_table_in_one_thread),
        ("table_holders", _leak_working_directory),
        ("thread_everywhere", _forget_thread),
        ("thread_everywhere", _keep_thread),
        ("core_has_thread", _idle_core),
        ("core_has_thread", _wrong_space),
        ("waiter_has_ticket", _lose_ticket),
        ("waiter_has_ticket", _keep_ticket),
        ("waiter_has_ticket", _wait_for_nothing),
        ("attention_told", _lose_attention),
        ("attention_told", _keep_attention),
        ("attention_told", _deaf_core),
        ("timer_has_waiter", _keep_timeout),
        ("timer_has_waiter", _keep_alarm),
        ("object_has_inode", _wrong_size),
        ("object_has_inode", _unheld_object),
        ("object_has_inode", _keep_object),
        ("pipe_end_open", _lose_reader),
        ("pipe_end_open", _lose_opener),
        ("tlb_agrees", _make_entry_read_only),
        ("tlb_agrees", _replace_frame),
    ],
)
def test_a_broken_invariant_is_named(owners: Owners, name: str, corrupt: Callable[[Owners], None]) -> None:
    """One thing is changed behind the machine's back: is it the statement about it that no longer holds?"""
    corrupt(owners)
    assert name in named(owners)


def test_a_checked_machine_looks_at_what_spans_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conductor asks while checks are on, and a violation is a panic that names it."""
    looked = []
    monkeypatch.setattr(crosscheck, "violations", lambda actors: looked.append(actors) or iter(()))
    Machine("quad", seed=1, events=()).run("fork")
    assert not looked
    Machine("checked", seed=1, events=()).run("fork")
    assert looked
    monkeypatch.setattr(crosscheck, "violations", lambda actors: iter([Violation("space_users", "as if")]))
    assert "space_users: as if" in Machine("checked", seed=1, events=()).run("fork").panic
