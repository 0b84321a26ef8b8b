"""futex: wait, wake and their errnos, between processes on a shared word."""

from observe import *

from userspace.libc import *

PAGE = 4096
word = Global(u32, 0)
counted = Global(i32, 0)


async def count(signo):
    await counted.store(await counted.load() + 1)


async def shared_word():
    return u32.at(await mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))


@expect(("EAGAIN", "ETIMEDOUT", "ETIMEDOUT"))
async def a_wait_checks_the_value_first():
    await word.store(5)
    return (
        await attempt(futex(word, FUTEX_WAIT, 4)),
        await attempt(futex(word, FUTEX_WAIT, 5, 10_000_000)),
        await attempt(futex(word, FUTEX_WAIT, 5, 0)),
    )


@expect(("EINVAL", "EINVAL", "EFAULT", "EFAULT", "ENOSYS", "EINVAL", "EAGAIN"))
async def futex_checks_its_arguments():
    return (
        await attempt(futex(word.address + 1, FUTEX_WAIT, 0)),
        await attempt(futex(word.address + 2, FUTEX_WAKE, 1)),
        await attempt(futex(16, FUTEX_WAIT, 0)),
        await attempt(futex(1 << 60, FUTEX_WAKE, 1)),
        await attempt(futex(word, 99, 0)),
        await attempt(futex(word, FUTEX_WAIT, 0, -1)),
        await attempt(futex(word, FUTEX_WAIT, 7, 1_000_000)),
    )


@expect((0, 0))
async def waking_nobody_is_zero():
    return await futex(word, FUTEX_WAKE, 10), await futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10)


async def waits_on(address):
    answer = await attempt(futex(address, FUTEX_WAIT, 0))
    return 0 if answer == 0 else 1


async def wake_all_sleepers(shared, pids):
    """Wake one at a time until each has been woken; how many each call woke."""
    counts = []
    while sum(counts) < len(pids):
        woken = await futex(shared, FUTEX_WAKE, 1)
        if woken:
            counts.append(woken)
        else:
            await nanosleep(1_000_000)
    return counts


@expect(([1, 1, 1], (("exited", 0), ("exited", 0), ("exited", 0)), 0))
async def a_wake_wakes_as_many_as_it_says():
    shared = await shared_word()
    pids = [await start(waits_on, shared.address) for _ in range(3)]
    counts = await wake_all_sleepers(shared, pids)
    return counts, tuple([await end_of(pid) for pid in pids]), await futex(shared, FUTEX_WAKE, 1)


@expect((3, (("exited", 0), ("exited", 0), ("exited", 0))))
async def a_wake_of_many_wakes_all():
    shared = await shared_word()
    pids = [await start(waits_on, shared.address) for _ in range(3)]
    for pid in pids:
        await until(pid, "S")
    return await futex(shared, FUTEX_WAKE, 100), tuple([await end_of(pid) for pid in pids])


@expect((0, ("killed", 9)))
async def a_private_word_is_not_the_childs():
    await word.store(0)
    pid = await start(waits_on, word.address)
    await until(pid, "S")
    woken = await futex(word, FUTEX_WAKE, 10)
    await kill(pid, SIGKILL)
    return woken, await end_of(pid)


@expect((0, ("killed", 9)))
async def a_private_wake_does_not_reach_another_process():
    shared = await shared_word()
    pid = await start(waits_on, shared.address)
    await until(pid, "S")
    woken = await futex(shared, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 10)
    await kill(pid, SIGKILL)
    return woken, await end_of(pid)


@expect((1, ("exited", 0)))
async def a_word_in_a_file_is_the_same_at_two_addresses():
    await file_with("a", bytes(PAGE))
    fd = await open("a", O_RDWR)
    first = await mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd)
    second = await mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd)
    pid = await start(waits_on, first + 8)
    await until(pid, "S")
    return await futex(second + 8, FUTEX_WAKE, 1), await end_of(pid)


async def signal_parent():
    await until(await getppid(), "S")
    await kill(await getppid(), SIGUSR1)


@expect(("EINTR", 1))
async def a_handler_interrupts_a_wait():
    await sigaction(SIGUSR1, SigAction(count))
    pid = await start(signal_parent)
    answer = await attempt(futex(word, FUTEX_WAIT, 0))
    await end_of(pid)
    return answer, await counted.load()


async def signal_parent_and_wake(address):
    await signal_parent()
    while not await futex(address, FUTEX_WAKE, 1):
        await nanosleep(1_000_000)


@expect((0, 1))
async def sa_restart_restarts_a_wait_without_timeout():
    shared = await shared_word()
    await sigaction(SIGUSR1, SigAction(count, (), SA_RESTART))
    pid = await start(signal_parent_and_wake, shared.address)
    answer = await attempt(futex(shared, FUTEX_WAIT, 0))
    await end_of(pid)
    return answer, await counted.load()


@expect(("EINTR", 1))
async def sa_restart_does_not_restart_a_wait_with_timeout():
    shared = await shared_word()
    await sigaction(SIGUSR1, SigAction(count, (), SA_RESTART))
    pid = await start(signal_parent)
    answer = await attempt(futex(shared, FUTEX_WAIT, 0, 5_000_000_000))
    await end_of(pid)
    return answer, await counted.load()


@expect((1, ("exited", 0), 0))
async def a_killed_sleeper_is_not_woken_for():
    shared = await shared_word()
    first = await start(waits_on, shared.address)
    await until(first, "S")
    await kill(first, SIGKILL)
    await end_of(first)
    second = await start(waits_on, shared.address)
    await until(second, "S")
    return await futex(shared, FUTEX_WAKE, 1), await end_of(second), await futex(shared, FUTEX_WAKE, 1)
