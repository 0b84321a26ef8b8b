"""nanosleep, clock_nanosleep, clocks."""

from observe import *

from userspace.libc import *

counted = Global(i32, 0)


async def count(signo):
    await counted.store(await counted.load() + 1)


async def signal_parent(after_ns):
    await until(await getppid(), "S")
    await nanosleep(after_ns)
    await kill(await getppid(), SIGUSR1)


async def elapsed(call):
    before = await clock_gettime(CLOCK_MONOTONIC)
    answer = await attempt(call)
    return answer, await clock_gettime(CLOCK_MONOTONIC) - before


@expect((None, True, None))
async def nanosleep_sleeps_at_least_that_long():
    answer, ns = await elapsed(nanosleep(20_000_000))
    return answer, ns >= 20_000_000, await attempt(nanosleep(0))


@expect(("EINVAL", "EINVAL", "EINVAL", "EINVAL", "EINVAL"))
async def times_and_clocks_that_are_none():
    return (
        await attempt(nanosleep(-1)),
        await attempt(clock_nanosleep(99, 0, 1)),
        await attempt(clock_nanosleep(CLOCK_MONOTONIC, 0, -1)),
        await attempt(clock_gettime(99)),
        await attempt(clock_getres(99)),
    )


async def interrupted(call):
    try:
        await call
    except InterruptedError as error:
        return error.remaining_ns
    return None


@expect((True, 1))
async def an_interrupted_sleep_tells_what_remains():
    await sigaction(SIGUSR1, SigAction(count))
    pid = await start(signal_parent, 10_000_000)
    remaining = await interrupted(nanosleep(5_000_000_000))
    await end_of(pid)
    return 1_000_000_000 < remaining <= 4_990_000_000, await counted.load()


@expect((True, 1))
async def sa_restart_does_not_restart_a_sleep():
    await sigaction(SIGUSR1, SigAction(count, (), SA_RESTART))
    pid = await start(signal_parent, 10_000_000)
    remaining = await interrupted(clock_nanosleep(CLOCK_MONOTONIC, 0, 5_000_000_000))
    await end_of(pid)
    return 1_000_000_000 < remaining <= 4_990_000_000, await counted.load()


@expect((None, True, 0))
async def an_ignored_signal_leaves_a_sleep_alone():
    await sigaction(SIGUSR1, SigAction(SIG_IGN))
    pid = await start(signal_parent, 10_000_000)
    answer, ns = await elapsed(nanosleep(50_000_000))
    await end_of(pid)
    return answer, ns >= 50_000_000, await counted.load()


async def stop_parent():
    parent = await getppid()
    await nanosleep(10_000_000)
    await kill(parent, SIGSTOP)
    await nanosleep(10_000_000)
    await kill(parent, SIGCONT)


@expect((None, True))
async def a_stopped_sleep_goes_on():
    pid = await start(stop_parent)
    answer, ns = await elapsed(nanosleep(60_000_000))
    await end_of(pid)
    return answer, ns >= 60_000_000


@expect((None, None, True))
async def an_absolute_time_in_the_past_is_no_sleep():
    now = await clock_gettime(CLOCK_MONOTONIC)
    past = await attempt(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, 1))
    future = await attempt(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, now + 20_000_000))
    return past, future, await clock_gettime(CLOCK_MONOTONIC) >= now + 20_000_000


@expect(("EINTR", 1))
async def an_absolute_sleep_is_interrupted():
    await sigaction(SIGUSR1, SigAction(count, (), SA_RESTART))
    pid = await start(signal_parent, 10_000_000)
    until = await clock_gettime(CLOCK_MONOTONIC) + 5_000_000_000
    answer = await attempt(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until))
    await end_of(pid)
    return answer, await counted.load()


@expect((True, 1))
async def sleep_returns_the_seconds_left():
    await sigaction(SIGUSR1, SigAction(count))
    pid = await start(signal_parent, 10_000_000)
    left = await sleep(10)
    await end_of(pid)
    return 5 <= left <= 10, await counted.load()


@expect((True, True, True, 1, 1))
async def clocks_go_forward():
    first, real = await clock_gettime(CLOCK_MONOTONIC), await clock_gettime(CLOCK_REALTIME)
    await nanosleep(2_000_000)
    return (
        await clock_gettime(CLOCK_MONOTONIC) >= first + 2_000_000,
        await clock_gettime(CLOCK_REALTIME) >= real + 2_000_000,
        await clock_gettime(CLOCK_PROCESS_CPUTIME_ID) > 0,
        await clock_getres(CLOCK_MONOTONIC),
        await clock_getres(CLOCK_REALTIME),
    )


@expect((True,))
async def sleeping_is_no_work():
    before = await clock_gettime(CLOCK_PROCESS_CPUTIME_ID)
    await nanosleep(100_000_000)
    return (await clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - before < 50_000_000,)
