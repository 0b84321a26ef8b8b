"""What stops a machine: idle, its limits, ^C, a livelock, a schedule that does not fit. A spent budget is never a pass."""

import re

import pytest

from tests.determinism.comparing import first_difference
from tests.support.machines import program, ran_well, run
from tests.sweeps.claims import DRIVERS, drive
from trapline.machine import Machine

WORKS = program("""
X = Global(i32, 0)
async def worker(arg):
    for _ in range(5):
        await X.fetch_add(1)
        await usleep(1000)

async def main():
    threads = [await pthread_create(worker) for _ in range(3)]
    for thread in threads:
        await pthread_join(thread)
    await printf("%d\\n", await X.load())
""")
SPINS = program("""
flag = Global(i32, 0)
async def main():
    while await flag.load() == 0:
        await cpu_relax()
""")
BUSY = program("""
flag = Global(i32, 0)
async def setter(arg):
    await sleep(2)
    await flag.store(1)

async def main():
    await pthread_create(setter)
    while await flag.load() == 0:
        await compute(1_000_000)
""")


@pytest.mark.parametrize("strategy", ["timed", "random"])
def test_steps_that_run_out_leave_the_run_undetermined(strategy):
    result = run(WORKS, seed=1, strategy=strategy, max_steps=100)
    assert (result.verdict, result.failures, result.steps) == ("undetermined", [], 100)


def test_time_that_runs_out_leaves_the_run_undetermined():
    result = run(WORKS, seed=1, max_time_ns=2_000_000)
    assert (result.verdict, result.failures) == ("undetermined", [])
    assert all(event.time_ns < 2_000_000 for event in result.log[:-1])


def test_a_limit_that_is_not_reached_changes_nothing():
    """But for the first record, which names the configuration by its hash."""
    assert not first_difference(run(WORKS, seed=1).log[1:], run(WORKS, seed=1, max_steps=10**6, max_time_ns=10**12).log[1:])


def test_a_failure_that_was_found_counts_even_if_the_budget_ends_then():
    text = "async def main():\n    if await fork() == 0:\n        raise ValueError('no')\n    await sleep(9)"
    result = run(program(text), max_time_ns=10**9)
    assert (result.verdict, [failure.kind for failure in result.failures]) == ("failed", ["exception"])


def test_control_c_ends_the_run_at_the_next_choice():
    live = Machine("quad", seed=1).boot(WORKS)
    live.system.conductor.interrupted = True
    live.drive()
    result = live.finish()
    assert (result.verdict, result.steps) == ("undetermined", 1)
    assert live.system.conductor.stop_reason == "interrupted"


@pytest.mark.parametrize("options", [{}, {"strategy": "random"}, {"strategy": "random", "granularity": "messages"}])
def test_spinning_on_a_word_that_nobody_writes_is_a_livelock(options):
    result = run(SPINS, seed=1, **options)
    (failure,) = result.failures
    assert failure.kind == "livelock"
    assert "no thread changed shared state or completed a call" in failure.message
    assert re.search(r"\[100\] program is at program.py:[56]$", failure.message)
    assert (failure.where[0].pid, failure.where[0].tid) == (100, 100)


def test_a_long_loop_of_slow_ops_is_no_livelock():
    """What counts is ops, not the time that they take: 10,000 pauses are 400 microseconds and 10,000 choices."""
    ran_well(run(program("async def main():\n    for _ in range(10_000):\n        await cpu_relax()\n"), seed=1))


def test_waiting_busily_for_somebody_who_sleeps_is_no_livelock():
    ran_well(run(BUSY, seed=1))


@pytest.mark.parametrize("granularity", ["ops", "messages"])
@pytest.mark.parametrize("strategy", ["timed", "random"])
def test_the_drivers_agree_about_everything(strategy, granularity):
    runs = [
        drive(Machine("quad", seed=3, strategy=strategy, granularity=granularity, events=("message", "op", "choice")), WORKS, driver)
        for driver in DRIVERS
    ]
    for other in runs[1:]:
        assert not first_difference(runs[0].log, other.log)
        for field in ("stdout", "steps", "time_ns", "choices"):
            assert getattr(runs[0], field) == getattr(other, field)


# ---- replay ---------------------------------------------------------------------------------------------------------------


def replayed(choices, found=WORKS):
    return run(found, seed=3, strategy="random", choices=choices, events=())


def recorded():
    return run(WORKS, seed=3, strategy="random", events=()).choices


def refusal(result):
    (failure,) = [failure for failure in result.failures if failure.kind == "nondeterminism"]
    assert result.verdict == "failed"
    return failure.message


def test_a_replay_takes_the_recorded_choices():
    assert ran_well(replayed(recorded())).choices == recorded()


def test_a_replay_refuses_at_the_first_choice_that_differs_and_names_it():
    choices = recorded()
    wrong = type(choices[7])(choices[7].kind, "turn:9.9", choices[7].count, choices[7].checksum)
    assert "choice 8 differs from the schedule: recorded turn:9.9" in refusal(replayed([*choices[:7], wrong, *choices[8:]]))


def test_a_replay_of_another_program_is_refused_at_once():
    other = program("async def main():\n    for _ in range(3):\n        await fork()\n")
    text = refusal(replayed(recorded(), other))
    assert text.startswith("choice ")
    assert "Run the program, config and version that the schedule names" in text


def test_a_replay_knows_the_set_of_candidates_not_only_the_chosen_one():
    choices = recorded()
    wrong = type(choices[7])(choices[7].kind, choices[7].chosen, choices[7].count, choices[7].checksum ^ 1)
    assert "choice 8 differs" in refusal(replayed([*choices[:7], wrong, *choices[8:]]))


def test_a_schedule_that_ends_too_soon_is_refused():
    choices = recorded()
    assert f"the schedule ends after {len(choices) - 3} choices" in refusal(replayed(choices[:-3]))


def test_another_kind_of_choice_is_refused():
    choices = recorded()
    wrong = type(choices[0])("spurious_wake", "0", 2, 0)
    assert "recorded kind 'spurious_wake', now 'next'" in refusal(replayed([wrong, *choices[1:]]))
