"""Limits, priorities, affinity, names, identity."""

from observe import *

from userspace.libc import *


@expect(((1024, 4096), (100, 200), "EINVAL", "EINVAL", "EINVAL", (100, 200)))
async def limits_are_a_pair():
    before = await getrlimit(RLIMIT_NOFILE)
    await setrlimit(RLIMIT_NOFILE, (100, 200))
    return (
        before,
        await getrlimit(RLIMIT_NOFILE),
        await attempt(setrlimit(RLIMIT_NOFILE, (300, 200))),
        await attempt(getrlimit(99)),
        await attempt(setrlimit(-1, (1, 1))),
        await getrlimit(RLIMIT_NOFILE),
    )


@expect(((5, 6), (1024, 4096)))
async def a_child_inherits_limits_and_changes_its_own():
    seen = await told_by_child(set_and_get)
    return seen, await getrlimit(RLIMIT_NOFILE)


async def set_and_get():
    await setrlimit(RLIMIT_NOFILE, (5, 6))
    return await getrlimit(RLIMIT_NOFILE)


@expect(("EPERM",))
async def descriptors_have_a_last_limit():
    return (await attempt(setrlimit(RLIMIT_NOFILE, (10, 1 << 40))),)


@expect((0, 5, 5, 19, -20, 0))
async def nice_values_stay_in_their_range():
    first = await getpriority(PRIO_PROCESS, 0)
    second, third = await nice(5), await getpriority(PRIO_PROCESS, 0)
    await setpriority(PRIO_PROCESS, 0, 100)
    top = await getpriority(PRIO_PROCESS, 0)
    await setpriority(PRIO_PROCESS, 0, -100)
    bottom = await getpriority(PRIO_PROCESS, 0)
    return first, second, third, top, bottom, await nice(20)


@expect(("EINVAL", "EINVAL", "ESRCH", "ESRCH"))
async def priorities_of_nobody():
    return (
        await attempt(getpriority(9, 0)),
        await attempt(setpriority(9, 0, 1)),
        await attempt(getpriority(PRIO_PROCESS, 0x7FFFFFF0)),
        await attempt(setpriority(PRIO_PGRP, 0x7FFFFFF0, 1)),
    )


@expect((7, 7, 7))
async def a_priority_is_inherited_and_set_for_a_group():
    await setpriority(PRIO_PGRP, 0, 7)
    return await getpriority(PRIO_PROCESS, 0), await told_by_child(getpriority, PRIO_PROCESS, 0), await getpriority(PRIO_PGRP, 0)


@expect(([0], "EINVAL", "EINVAL", "ESRCH", "ESRCH", (0,)))
async def affinity_is_a_set_of_cores():
    await sched_setaffinity(0, {0})
    return (
        sorted(await sched_getaffinity(0)),
        await attempt(sched_setaffinity(0, set())),
        await attempt(sched_setaffinity(0, {900})),
        await attempt(sched_getaffinity(0x7FFFFFF0)),
        await attempt(sched_setaffinity(0x7FFFFFF0, {0})),
        await told_by_child(own_affinity),
    )


async def own_affinity():
    return sorted(await sched_getaffinity(0))


@expect(([0],))
async def cores_that_do_not_exist_are_ignored_beside_one_that_does():
    await sched_setaffinity(0, {0, 900})
    return (sorted(await sched_getaffinity(0)),)


@expect(("short", "fifteen-letters", "EINVAL"))
async def a_thread_has_a_name_of_fifteen_bytes():
    await prctl(PR_SET_NAME, "short")
    first = await prctl(PR_GET_NAME)
    await prctl(PR_SET_NAME, "fifteen-letters-and-more")
    return first, await prctl(PR_GET_NAME), await attempt(prctl(0x7777, 0))


@expect((0, 0, 0, 0, True, True))
async def root_and_a_group_leader():
    me = await getpid()
    return await getuid(), await geteuid(), await getgid(), await getegid(), await getpgrp() == me, await gettid() == me


@expect((True, True, True))
async def ids_of_oneself_may_be_said_as_zero():
    me = await getpid()
    return await getpgid(0) == await getpgid(me), await getsid(0) == await getsid(me), await getpgid(0) == await getpgrp()


@expect((16, 0, True, "EINVAL"))
async def random_bytes():
    first, second = await getrandom(16), await getrandom(16)
    return len(first), len(await getrandom(0)), first != second, await attempt(getrandom(4, 0x100))


@expect(None)
async def yielding_is_always_right():
    return await attempt(sched_yield())
