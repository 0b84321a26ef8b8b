"""When an actor dies of a bug: the report names it, its message and the last events, and nothing runs behind it. Under every driver."""

import pytest

from actors.actor import Actor
from actors.core import Core
from actors.ipc import IpcActor
from kernel.invariants import Violation
from kernel.ipc.ipc import IpcState
from tests.support.machines import program, run
from tests.sweeps.claims import DRIVERS, drive
from trapline.machine import Machine

READS = program("""
async def talker(arg):
    for _ in range(100):
        await getppid()

async def main():
    t = await pthread_create(talker)
    r, w = await pipe()
    await write(w, b"x")
    await printf("before\\n")
    await read(r, 1)
    await printf("after\\n")
""")


@pytest.fixture
def served_afterwards(monkeypatch):
    """A fault in ipc's handler of PipeRead; the list holds what any actor was given to serve after it."""
    after = []
    broken = []
    serve = Actor.serve

    def read(self, message):
        broken.append(message)
        raise KeyError("no such pipe")

    async def watched(self, envelope):
        if broken:
            after.append(envelope)
        await serve(self, envelope)

    monkeypatch.setattr(IpcActor, "pipe_read", read)
    monkeypatch.setattr(Actor, "serve", watched)
    return after


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("strategy", ["timed", "random"])
def test_the_report_says_who_died_of_what_and_nothing_runs_afterwards(driver, strategy, served_afterwards):
    result = drive(Machine("quad", seed=1, strategy=strategy, granularity="messages"), READS, driver)
    assert result.verdict == "failed"
    assert [failure.kind for failure in result.failures] == ["panic"]
    assert result.stdout == b"before\n"
    assert result.panic.startswith("kernel panic: ipc died of KeyError: 'no such pipe'")
    assert "while handling PipeRead(" in result.panic
    assert "last events:" in result.panic
    assert "in read" in result.panic, "the traceback ends where it was raised"
    assert "bug in Trapline" in result.panic
    assert not served_afterwards


def test_a_broken_invariant_is_a_panic_that_names_it(monkeypatch):
    def check(self):
        if self.pipes:
            yield Violation("pipe_ends", "pipe 1 has too many")

    monkeypatch.setattr(IpcState, "check", check)
    result = run(READS, "checked")
    assert "ipc died of InvariantBroken" in result.panic
    assert "pipe_ends" in result.panic
    assert "CreatePipe" in result.panic


def test_a_core_that_dies_names_its_thread(monkeypatch):
    def broken(self, context, name):
        raise RuntimeError("no such register")

    monkeypatch.setattr(Core, "read_register", broken)
    result = run(program("async def main():\n    await pthread_self()"))
    assert result.panic.startswith("kernel panic: core/")
    assert "while running [100] program" in result.panic
    assert ", at or soon after " in result.panic


def test_without_events_the_report_still_has_the_message(served_afterwards):
    result = run(READS, events=())
    assert "while handling PipeRead(" in result.panic
    assert "last events:" not in result.panic
