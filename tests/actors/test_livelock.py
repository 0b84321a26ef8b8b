"""When a spell without progress is a livelock, and when it only waits for time to bring somebody."""

import pytest

from tests.support.machines import ran_well, run

SPIN = """
flag = Global(i32, 0)

async def setter(_):
    {before}
    await flag.store(1)

async def main(argv):
    thread = await pthread_create(setter)
    while not await flag.load():
        pass
    await pthread_join(thread)
    await write(1, b"done")
"""

FOR_EVER = """
flag = Global(i32, 0)

async def spinner(_):
    while not await flag.load():
        pass

async def main(argv):
    await pthread_create(spinner)
    await spinner(None)
"""

EXEC = """
async def main(argv):
    flag = i32.at(await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    pid = await fork()
    if pid == 0:
        await execv("/bin/true", ["true"])
    for _ in range(300_000):
        await flag.load()
    await waitpid(pid, 0)
"""


@pytest.mark.parametrize("config", ["uni", "quad"])
@pytest.mark.parametrize("before", ["pass", "await compute(3_000_000)", "await nanosleep(3_000_000)"])
def test_who_spins_for_one_that_is_due_is_no_livelock(config: str, before: str) -> None:
    """For a thread that waits for this core, computes on another, or sleeps: it spins longer than `livelock_steps` ops."""
    assert ran_well(run(SPIN.replace("{before}", before), config)).stdout == b"done"


def test_a_long_piece_of_kernel_work_elsewhere_is_no_livelock() -> None:
    """execve takes 700 µs: as many loads as go by meanwhile."""
    ran_well(run(EXEC))


@pytest.mark.parametrize("config", ["uni", "quad"])
def test_two_that_spin_for_each_other_are_a_livelock(config: str) -> None:
    """On one core they take turns by slices, on four each op is a choice: both end."""
    result = run(FOR_EVER, config)
    assert [failure.kind for failure in result.failures] == ["livelock"]
