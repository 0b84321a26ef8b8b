"""Deadlock is judged per set of threads, says who waits for what, and is told at once when a set is dead while others live."""

import msgspec
import pytest

from actors.events import Diagnosis
from tests.support.machines import program, ran_well, run
from trapline.config import load

ABBA = """
A = Global(pthread_mutex_t)
B = Global(pthread_mutex_t)

async def one(arg):
    async with A:
        await usleep(200)
        async with B:
            pass

async def two(arg):
    async with B:
        await usleep(200)
        async with A:
            pass
"""
WHOLE = program(ABBA + """
async def main():
    t = await pthread_create(one)
    u = await pthread_create(two)
    await pthread_join(t)
    await pthread_join(u)
""")
PARTIAL = program(ABBA + """
async def main(argv):
    t = await pthread_create(one)
    u = await pthread_create(two)
    await sleep(3)
    await printf("alive\\n")
    await sleep(3)
    if argv[1:] == ["leave"]:
        return 0
    await pthread_join(t)
""")


def deadlock(found, **options):
    result = run(found, **{"seed": 1, **options})
    (failure,) = result.failures
    assert failure.kind == "deadlock", failure
    assert result.verdict == "failed"
    return result, failure


def told(result):
    return [event for event in result.log if type(event) is Diagnosis]


def test_a_deadlock_says_who_waits_for_what_and_who_holds_it():
    result, failure = deadlock(WHOLE)
    assert failure.message.splitlines() == [
        "3 threads wait for ever",
        "  [100] program at program.py:21 waits for [101] to end (pthread_join)",
        "  [101] program at program.py:9 waits for the lock at B, which [102] holds",
        "  [102] program at program.py:15 waits for the lock at A, which [101] holds",
    ]
    assert [(where.line, where.tid) for where in failure.where] == [(21, 100), (9, 101), (15, 102)]
    assert [event.threads for event in told(result)] == [[100, 101, 102]]


def test_a_search_finds_it_in_some_schedules_only():
    verdicts = {run(WHOLE, seed=seed, strategy="random", events=()).verdict for seed in range(30)}
    assert verdicts == {"ok", "failed"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "r, w = await pipe()\n    await read(r, 1)",
            "data in pipe 1, whose write end is open in 100 (itself among them: a descriptor that was not closed)",
        ),
        ("r, w = await pipe()\n    await write(w, bytes(70_000))", "room in pipe 1, whose read end is open in 100 (itself among them"),
        ("await M.store(1)\n    await futex(M, FUTEX_WAIT, 1)", "a wake of the word at M (value 1)"),
        ("await pthread_mutex_lock(L)\n    await pthread_mutex_lock(L)", "the lock at L, which [100] holds"),
        ("await pause()", "pause"),
    ],
)  # fmt: skip
def test_a_thread_that_waits_for_itself_is_told_so(body, text):
    _, failure = deadlock(program(f"M = Global(i32, 0)\nL = Global(pthread_mutex_t)\nasync def main():\n    {body}\n"))
    assert failure.message.startswith("1 thread waits for ever\n")
    assert text in failure.message


def test_a_lock_whose_holder_died_is_told_so():
    _, failure = deadlock(program("""
    L = Global(pthread_mutex_t)
    async def main():
        address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS)
        lock = pthread_mutex_t.at(address)
        await pthread_mutex_init(lock, pshared=PTHREAD_PROCESS_SHARED)
        if await fork() == 0:
            await pthread_mutex_lock(lock)
            await _exit(0)
        await wait()
        await pthread_mutex_lock(lock)
    """))
    assert "whose holder [101] is gone" in failure.message


def test_a_parent_and_a_child_that_wait_for_each_other_over_pipes():
    _, failure = deadlock(program("""
    async def main():
        there, here = await pipe(), await pipe()
        if await fork() == 0:
            await read(there[0], 1)
            await write(here[1], b"x")
            return
        await read(here[0], 1)
        await write(there[1], b"x")
    """))
    assert failure.message.startswith("2 threads wait for ever")
    assert "whose write end is open in 100, 101" in failure.message


def test_a_parent_that_waits_for_a_blocked_child_is_in_the_set():
    _, failure = deadlock(program("async def main():\n    if await fork() == 0:\n        await pause()\n    await wait()\n"))
    assert failure.message.splitlines()[1].endswith("waits for a child (101)")


def test_of_a_crowd_the_first_are_told_and_the_rest_are_counted():
    result, failure = deadlock(program("""
    M = Global(i32, 0)
    async def waiter(arg):
        await futex(M, FUTEX_WAIT, 0)
    async def main():
        for _ in range(29):
            await pthread_create(waiter)
        await pause()
    """))  # fmt: skip
    lines = failure.message.splitlines()
    assert (lines[0], len(lines), lines[-1]) == ("30 threads wait for ever", 22, "  and 10 more")
    assert len(failure.where) == 20
    assert len(told(result)[0].threads) == 30


# ---- a set that is dead while others live -----------------------------------------------------------------------------------


def test_a_partial_deadlock_is_told_at_once_and_is_the_verdict_if_it_still_blocks():
    heard = []
    result, failure = deadlock(PARTIAL, output=lambda stream, data: heard.append((stream, data.decode())))
    assert failure.message.startswith("3 threads wait for ever")
    streams = [stream for stream, _ in heard]
    assert streams == [2, 1], "told on stderr before the program's next line"
    assert "2 threads wait for ever" in heard[0][1]
    assert "[101] program at program.py:9 waits for the lock at B, which [102] holds" in heard[0][1]
    assert "others live, so the run goes on" in heard[0][1]
    first, last = told(result)
    assert (first.kind, first.threads, first.time_ns < 10**9) == ("deadlock", [101, 102], True)
    assert last.threads == [100, 101, 102]
    assert len(result.notes) == 1, "told once, though time jumped twice"


def test_a_partial_deadlock_that_an_exit_dissolves_is_a_note_and_no_failure():
    result = ran_well(run(PARTIAL, seed=1, argv=["leave"]))
    assert [event.kind for event in told(result)] == ["deadlock", "dissolved"]
    assert "[101], [102] wait no longer" in result.notes[1]
    assert not result.system.leftovers()


def test_a_partial_deadlock_that_a_signal_dissolves_is_a_note_and_no_failure():
    result = ran_well(run(program("""
    async def main():
        pid = await fork()
        if pid == 0:
            r, w = await pipe()
            await read(r, 1)
        await sleep(5)
        await kill(pid, SIGTERM)
        await wait()
        await sleep(5)
        await printf("still here\\n")
    """), seed=1))  # fmt: skip
    dead, gone = told(result)
    assert (dead.kind, dead.threads) == ("deadlock", [101])
    assert (gone.kind, gone.threads) == ("dissolved", [101])
    assert 5 * 10**9 < gone.time_ns < 10**10, "told at the next jump, not only at the end"


def test_a_budget_that_ends_with_a_dead_set_is_a_deadlock():
    _, failure = deadlock(PARTIAL, max_time_ns=4 * 10**9)
    assert failure.message.startswith("2 threads wait for ever")


def test_a_budget_that_ends_without_one_is_undetermined():
    assert run(PARTIAL, seed=1, max_time_ns=100_000).verdict == "undetermined"


@pytest.mark.parametrize(
    "body",
    [
        "await alarm(5)\n    try:\n        await pause()\n    except InterruptedError:\n        pass",
        "await pthread_create(later)\n    r, w = await pipe()\n    P[0] = w\n    await read(r, 1)",
        "if await fork() == 0:\n        await sleep(5)\n        await _exit(0)\n    await wait()",
    ],
)
def test_whoever_an_alarm_a_sleeper_or_a_child_can_wake_is_not_dead(body):
    source = f"""
P = [0]
async def handler(signo):
    pass
async def later(arg):
    await sleep(5)
    await write(P[0], b"x")
async def main():
    await sigaction(SIGALRM, SigAction(handler))
    {body}
"""
    result = ran_well(run(program(source), seed=1))
    assert not told(result)


def test_a_thread_that_computes_may_wake_anybody():
    result = ran_well(run(program("""
    M = Global(i32, 0)
    async def waker(arg):
        await compute(5_000_000_000)
        await M.store(1)
        await futex(M, FUTEX_WAKE, 1)
    async def main():
        await pthread_create(waker)
        while await M.load() == 0:
            await futex(M, FUTEX_WAIT, 0)
    """), seed=1))  # fmt: skip
    assert not told(result)


def test_a_stall_time_longer_than_any_jump_leaves_it_to_the_end():
    quad = load("quad")
    config = msgspec.structs.replace(quad, run=msgspec.structs.replace(quad.run, stall_ns=10**10))
    result, _ = deadlock(PARTIAL, config=config)
    assert [event.threads for event in told(result)] == [[100, 101, 102]], "no jump was as long as that"
