"""Every scenario run twice takes the same step each time: enabled set, choice, and what came of it. The first that differs is named."""

import pytest

from tests.determinism.comparing import MESSAGES, OPS, TURMOIL, first_difference
from tests.lecture import checks
from tests.support.machines import program
from trapline.machine import Machine

FAILING = {
    "dies of its exception": "async def main():\n    raise ValueError('no')",
    "deadlocks": """
    A = Global(pthread_mutex_t)
    async def main():
        await pthread_mutex_lock(A)
        await pthread_mutex_lock(A)
    """,
    "is killed": "async def main():\n    await kill(await getpid(), SIGKILL)",
    "segfaults": "async def main():\n    await i32.at(8).load()",
    "writes and reads a lot": """
    async def main():
        r, w = await pipe()
        if await fork() == 0:
            await close(r)
            for size in (1, 5000, 70_000):
                await write(w, bytes(size))
            await _exit(3)
        await close(w)
        total = 0
        while data := await read(r, 10_000):
            total += len(data)
        await printf("%d %d\\n", total, (await wait())[1])
    """,
    "draws from the machine": """
    async def main():
        for _ in range(3):
            await printf("%d %s\\n", await rand(), (await getrandom(4)).hex())
    """,
}
SCENARIOS = {name: program(text) for name, text in FAILING.items()} | {"turmoil": program(TURMOIL, "turmoil")}
SCENARIOS |= {name: checks.lecture_program(name) for name in checks.CHECKS}


@pytest.mark.parametrize(("strategy", "granularity"), [("timed", "ops"), OPS, MESSAGES])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_second_run_takes_the_steps_of_the_first(name, strategy, granularity):
    runs = [
        Machine("skewed", seed=5, strategy=strategy, granularity=granularity, events=("choice", "op", "syscall")).run(SCENARIOS[name])
        for _ in range(2)
    ]
    assert not any(run.panic for run in runs), runs[0].panic
    assert not first_difference(runs[0].choices, runs[1].choices)
    assert not first_difference(runs[0].log, runs[1].log)
    assert [run.stdout for run in runs] == [runs[0].stdout] * 2


@pytest.mark.parametrize("granularity", ["ops", "messages"])
def test_another_seed_takes_other_steps(granularity):
    runs = [Machine("quad", seed=seed, strategy="random", granularity=granularity).run(SCENARIOS["lock"]) for seed in (1, 2)]
    assert first_difference(runs[0].choices, runs[1].choices)
