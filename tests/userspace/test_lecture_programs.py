"""The lecture's programs over many schedules: what they print whatever the interleaving. (Their mechanisms: tests/lecture/.)"""

import re

import pytest

from tests.support.machines import program, ran_well, run, sweep
from trapline.machine import Machine
from trapline.programs import find


def counters(result) -> list[tuple[int, int]]:
    return [(int(old), int(new)) for old, new in re.findall(rb"counter (\d+) -> (\d+)", result.stdout)]


@pytest.mark.parametrize("name", ["lock", "thread"])
def test_the_counter_goes_up_one_by_one_under_the_lock(name):
    outcomes = sweep(find(name), quick=25, judge=lambda result: tuple(counters(result)))
    assert set(outcomes) == {tuple((value, value + 1) for value in range(10))}


@pytest.mark.parametrize("name", ["lock_nolock", "thread_nolock"])
def test_without_the_lock_strange_values_come_up(name):
    outcomes = sweep(find(name), quick=25, judge=lambda result: max(new for _, new in counters(result)))
    assert len(outcomes) > 1
    assert max(outcomes) <= 10


def test_fifo_has_one_outcome():
    assert set(sweep(find("fifo"), quick=25)) == {b"Parent received: Hello from child!\n"}


def test_fork_prints_each_ones_own_values_in_any_order():
    expected = [
        b"[100] parent before update local = 10, global = 42", b"[100] parent after update local = 0, global = 0",
        b"[101] child after update local = 100, global = 100", b"[101] child, before update local = 10, global = 42",
    ]  # fmt: skip
    outcomes = sweep(find("fork"), quick=25)
    assert all(sorted(text.splitlines()) == sorted(expected) for text in outcomes)
    assert len(outcomes) > 1


def test_forkexec_lists_the_directory_in_the_child():
    assert all(b"[101] child, calling execve()\ntotal " in text for text in sweep(find("forkexec"), quick=10))


def test_pid_prints_the_pid():
    assert ran_well(Machine("uni", seed=1).run("pid")).stdout == b"my pid is: 100\n"


def test_signal_prints_between_two_rounds_of_work():
    source = b"""
from userspace.libc import *

async def main():
    pid = await fork()
    if pid == 0:
        await execv("/bin/signal", ["signal"])
    await usleep(1_500_000)
    await kill(pid, SIGUSR1)
    await usleep(500_000)
    await kill(pid, SIGKILL)
    await wait()
"""
    lines = ran_well(run(program(source.decode()))).stdout.decode().splitlines()
    work, received = "[101] Doing useful work", "[101] signal received!"
    assert lines == [work, work, received, work]
