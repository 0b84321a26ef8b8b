"""A thread that makes no system call: it must still be preempted, signalled, killed and stopped."""

import msgspec
import pytest

from tests.support.machines import ran_well, run, sweep
from trapline.config import load

ONE_CORE = msgspec.structs.replace(load("checked"), machine=msgspec.structs.replace(load("checked").machine, cores=1))

KILL = """
word = Global(i32, 0)

async def main(argv):
    shared = i32.at(await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    pid = await fork()
    if pid == 0:
        await dawdle(150)
        while True:
            await shared.store(1)
            await word.fetch_add(1)
    await dawdle(100)
    order = b"loop first" if await shared.load() else b"kill first"
    await kill(pid, {signo})
    _, status = await waitpid(pid, 0)
    assert WTERMSIG(status) == {signo}
    await write(1, order)
"""

ALARM = """
rung = Global(i32, 0)
loops = Global(i32, 0)

async def on_alarm(signo):
    await rung.store(1)

async def main(argv):
    await sigaction(SIGALRM, SigAction(on_alarm))
    await alarm(1)
    while not await rung.load():
        await compute(300_000_000)
        await loops.fetch_add(1)
    await write(1, b"alarm first" if await loops.load() == 0 else b"loop first")
"""

ALARM_KILLS = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        await alarm(1)
        while True:
            await compute(1_000_000)
    _, status = await waitpid(pid, 0)
    await write(1, b"%d" % WTERMSIG(status))
"""

FAIR = """
flag = Global(i32, 0)

async def setter(_):
    await flag.store(1)

async def main(argv):
    thread = await pthread_create(setter)
    turns = 0
    while not await flag.load():
        turns += 1
    await pthread_join(thread)
    await write(1, b"setter first" if turns == 0 else b"loop first")
"""

SIBLING = """
flag = Global(i32, 0)

async def spinner(_):
    while not await flag.load():
        pass
    return 1

async def main(argv):
    thread = await pthread_create(spinner)
    await dawdle(60)
    await flag.store(1)
    assert await pthread_join(thread) == 1
    await write(1, b"done")
"""


@pytest.mark.parametrize("signo", ["SIGKILL", "SIGTERM"])
def test_a_loop_of_memory_accesses_is_killed(signo: str) -> None:
    """Nothing in the loop enters the kernel: does the kick end it?"""
    sweep(KILL.replace("{signo}", signo), orders=("loop first", "kill first"))


def test_a_handler_runs_in_the_middle_of_a_loop() -> None:
    """The classic flag that a handler sets: is it ever seen?"""
    sweep(ALARM, quick=20, timed=True, orders=("alarm first", "loop first"))


def test_an_alarm_kills_a_process_that_computes() -> None:
    """SIGALRM's default action on a process that never asks the kernel for anything."""
    sweep(ALARM_KILLS, quick=20, timed=True, orders=("14",))


@pytest.mark.parametrize("source", [FAIR, SIBLING, KILL.replace("{signo}", "SIGKILL"), ALARM])
def test_a_loop_on_the_only_core_gives_way(source: str) -> None:
    """One core, and whoever should end the loop waits for it: is there a slice, in virtual time and in every order of messages?"""
    sweep(source, quick=15, config=ONE_CORE)
    assert ran_well(run(source, ONE_CORE)).stdout
