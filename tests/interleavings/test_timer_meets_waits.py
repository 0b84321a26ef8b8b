"""alarm(2) against the waits of its process: the signal comes before, during or after the sleep, and none of the two is lost."""

import pytest

from tests.support.machines import sweep

HANDLER = """
rings = Global(i32, 0)

async def on_alarm(signo):
    await rings.fetch_add(1)

async def some_time():
    # half a second or one and a half: before or after the alarm, if no signal ends it
    ns = 500_000_000 + 1_000_000_000 * ((await getrandom(1))[0] & 1)
    try:
        await nanosleep(ns)
    except InterruptedError:
        pass
"""

SLEEP = HANDLER + """
async def main(argv):
    await sigaction(SIGALRM, SigAction(on_alarm, flags={flags}))
    await alarm(2)
    left = await sleep(1 + 3 * ((await getrandom(1))[0] & 1))
    while not await rings.load():
        await some_time()
    await write(1, b"alarm first" if left else b"sleep first")
"""

NANOSLEEP = HANDLER + """
async def main(argv):
    await sigaction(SIGALRM, SigAction(on_alarm))
    await alarm(1)
    ns = 500_000_000 + 1_000_000_000 * ((await getrandom(1))[0] & 1)
    start = await clock_gettime(CLOCK_MONOTONIC)
    try:
        await nanosleep(ns)
        order = b"sleep first"
    except InterruptedError as error:
        assert await rings.load() == 1 and 0 < error.remaining_ns <= ns
        order = b"alarm first"
        await nanosleep(error.remaining_ns)
    assert await clock_gettime(CLOCK_MONOTONIC) >= start + ns, "the sleep was too short"
    await alarm(0)
    await write(1, order)
"""

SUSPEND = HANDLER + """
async def main(argv):
    await sigaction(SIGALRM, SigAction(on_alarm))
    before = await sigprocmask(SIG_BLOCK, [SIGALRM])
    await alarm(1)
    await some_time()
    order = b"alarm first" if SIGALRM in await sigpending() else b"suspend first"
    try:
        await sigsuspend(before)
    except InterruptedError:
        assert await rings.load() == 1
        await write(1, order)
"""

PAUSE = HANDLER + """
async def on_alarm_again(signo):
    await alarm(1)  # else an alarm that rings before pause would be missed: the bug for which sigsuspend was made
    await rings.fetch_add(1)

async def main(argv):
    await sigaction(SIGALRM, SigAction(on_alarm_again))
    await alarm(1)
    await some_time()
    early = await rings.load()
    try:
        await pause()
    except InterruptedError:
        assert await rings.load() > early
        await alarm(0)
        await write(1, b"alarm first" if early else b"pause first")
"""

CANCEL = HANDLER + """
async def main(argv):
    await sigaction(SIGALRM, SigAction(on_alarm))
    await alarm(1)
    await some_time()
    left = await alarm(0)
    rung = await rings.load()
    await sched_yield()
    assert await rings.load() == rung == (left == 0), "an alarm rang after it was cancelled, or was lost"
    await write(1, b"cancel first" if left else b"alarm first")
"""

READ = HANDLER + """
async def main(argv):
    r, w = await pipe()
    await sigaction(SIGALRM, SigAction(on_alarm))
    pid = await fork()
    if pid == 0:
        await some_time()
        await write(w, b"d")
        await _exit(0)
    await alarm(1)
    try:
        assert await read(r, 1) == b"d"
        order = b"data first"
    except InterruptedError:
        assert await rings.load() == 1
        order = b"alarm first"
        assert await read(r, 1) == b"d", "the data is lost"
    await alarm(0)
    await waitpid(pid, 0)
    await write(1, order)
"""

TWO_TIMERS = HANDLER + """
async def sleeper(_):
    await some_time()
    return await rings.load()

async def main(argv):
    await sigaction(SIGALRM, SigAction(on_alarm))
    thread = await pthread_create(sleeper)
    await alarm(1)
    early = await pthread_join(thread)
    while not await rings.load():
        await some_time()
    await write(1, b"alarm first" if early else b"sleep first")
"""


@pytest.mark.parametrize("flags", ["0", "SA_RESTART"])
def test_an_alarm_ends_a_sleep_or_comes_after_it(flags: str) -> None:
    """sleep is interrupted by any handler, whatever SA_RESTART says; one that has ended has no seconds left."""
    sweep(SLEEP.replace("{flags}", flags), quick=20, timed=True, orders=("alarm first", "sleep first"))


def test_an_interrupted_sleep_knows_what_is_left() -> None:
    """Sleeping for the rest gives the whole time: is the remainder computed from the deadline that was set first?"""
    sweep(NANOSLEEP, quick=20, timed=True, orders=("alarm first", "sleep first"))


def test_sigsuspend_misses_no_alarm() -> None:
    """It rings between the look and the sleep: is the mask exchanged in one step with going to sleep?"""
    sweep(SUSPEND, quick=20, timed=True, orders=("alarm first", "suspend first"))


def test_pause_ends_when_an_alarm_rings() -> None:
    """Before pause it runs its handler, in pause it ends it."""
    sweep(PAUSE, quick=20, timed=True, orders=("alarm first", "pause first"))


def test_an_alarm_is_cancelled_or_rings() -> None:
    """alarm(0) says how much was left: may the signal still come, once it has said so?"""
    sweep(CANCEL, quick=20, timed=True, orders=("alarm first", "cancel first"))


def test_an_alarm_interrupts_a_read_that_has_no_data() -> None:
    """Data and alarm at once: is whichever is second still there afterwards?"""
    sweep(READ, quick=20, timed=True, orders=("alarm first", "data first"))


def test_two_timers_of_one_process_are_independent() -> None:
    """A thread sleeps, the process has an alarm; the handler may run on either thread."""
    sweep(TWO_TIMERS, quick=20, timed=True, orders=("alarm first", "sleep first"))
