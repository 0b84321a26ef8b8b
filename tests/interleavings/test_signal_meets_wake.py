"""A signal and the data that a thread waits for come at once: one of them ends the wait, and neither is lost."""

import pytest

from tests.support.machines import sweep

PIPE = """
handled = Global(i32, 0)

async def on_signal(signo):
    await handled.fetch_add(1)

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_signal, flags={flags}))
    r, w = await pipe()
    parent = await getpid()
    for number in range(2):
        if await fork() == 0:
            await dawdle(60)
            if number == 0:
                await write(w, b"data")
            else:
                await kill(parent, SIGUSR1)
            await _exit(0)
    try:
        data, order = await read(r, 4), b"data first"
        if await handled.load():
            order = b"signal first"
    except InterruptedError:
        assert await handled.load() == 1
        data, order = await read(r, 4), b"interrupted"
    assert data == b"data"
    children = 0
    while children < 2:
        try:
            await wait()
            children += 1
        except InterruptedError:
            pass
    assert await handled.load() == 1, "the signal is lost, or came twice"
    await write(1, order)
"""

WRITE = """
handled = Global(i32, 0)

done = Global(i32, 0)

async def on_signal(signo):
    await handled.store(1)

async def killer(tid):
    while not await done.load():
        await dawdle(100)
        await tgkill(await getpid(), tid, SIGUSR1)

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_signal))
    r, w = await pipe()
    buffer = await malloc(65540)
    full = (await getrandom(1))[0] & 1
    if full:
        assert await write_from(w, buffer, 65536) == 65536
    thread = await pthread_create(killer, await gettid())
    try:
        count = await write_from(w, buffer, 65540)  # more than the pipe holds, and nobody reads
    except InterruptedError:
        count = 0
    await done.store(1)
    assert await handled.load() and count == (0 if full else 65536)
    await pthread_join(thread)
    await write(1, b"nothing written" if count == 0 else b"part written")
"""

MASK = """
handled = Global(i32, 0)

async def on_signal(signo):
    await handled.fetch_add(1)

async def killer(tid):
    await dawdle(60)
    await tgkill(await getpid(), tid, SIGUSR1)

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_signal))
    thread = await pthread_create(killer, await gettid())
    await dawdle(60)
    before = await sigprocmask(SIG_BLOCK, [SIGUSR1])
    early = await handled.load()
    await dawdle(100)
    assert await handled.load() == early, "a blocked signal was delivered"
    await pthread_join(thread)
    assert (SIGUSR1 in await sigpending()) == (not early)
    await sigprocmask(SIG_SETMASK, before)
    assert await handled.load() == 1, "a signal is lost or delivered late"
    await write(1, b"signal first" if early else b"mask first")
"""

TWO_THREADS = """
taken = Global(i32, 0)

async def on_signal(signo):
    await taken.store(await gettid())

async def sibling(_):
    while not await taken.load():
        await sched_yield()

async def main(argv):
    thread = await pthread_create(sibling)
    await sigaction(SIGUSR1, SigAction(on_signal))
    pid = await fork()
    if pid == 0:
        await kill(await getppid(), SIGUSR1)
        await _exit(0)
    await dawdle(40)
    {block}
    await sibling(None)
    await pthread_join(thread)
    await waitpid(pid, 0)
    await write(1, b"main" if await taken.load() == await gettid() else b"thread")
"""

SIGRETURN = """
first = Global(i32, 0)
second = Global(i32, 0)

async def on_first(signo):
    await first.store(1)

async def on_second(signo):
    await second.store(1)

async def killer(tid):
    for _ in range(5):
        await tgkill(await getpid(), tid, SIGUSR1)
        await dawdle(20)
    await tgkill(await getpid(), tid, SIGUSR2)

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_first))
    await sigaction(SIGUSR2, SigAction(on_second))
    thread = await pthread_create(killer, await gettid())
    while not await second.load():
        await compute(1000)
    await pthread_join(thread)
    assert await first.load()
    await write(1, b"all came")
"""

SIGWAIT = """
async def main(argv):
    await sigprocmask(SIG_BLOCK, [SIGUSR1, SIGUSR2])
    parent = await getpid()
    for signo in (SIGUSR1, SIGUSR2):
        if await fork() == 0:
            await dawdle(200 if signo == SIGUSR1 else 60)
            await kill(parent, signo)
            await _exit(0)
    first = await sigwait([SIGUSR1, SIGUSR2])
    second = await sigwait([SIGUSR1, SIGUSR2])
    assert {first, second} == {SIGUSR1, SIGUSR2} and not await sigpending()
    await wait()
    await wait()
    await write(1, b"first signal" if first == SIGUSR1 else b"second signal")
"""

FORK = """
handled = Global(i32, 0)

async def on_signal(signo):
    await handled.fetch_add(1)

async def killer(tid):
    await dawdle(60)
    await tgkill(await getpid(), tid, SIGUSR1)

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_signal))
    thread = await pthread_create(killer, await gettid())
    await dawdle(60)
    pid = await fork()
    if pid == 0:
        await _exit(await handled.load())
    order = b"fork first"
    while True:
        try:
            _, status = await waitpid(pid, 0)
            break
        except InterruptedError:
            pass
    await pthread_join(thread)
    assert await handled.load() == 1
    await write(1, b"signal first" if WEXITSTATUS(status) else order)
"""

EXEC = """
async def on_signal(signo):
    pass

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_signal))
    pid = await fork()
    if pid == 0:
        await execv("/bin/true", ["true"])
    await dawdle(250)
    await kill(pid, SIGUSR1)
    _, status = await waitpid(pid, 0)
    assert WIFEXITED(status) or WTERMSIG(status) == SIGUSR1
    await write(1, b"caught or late" if WIFEXITED(status) else b"killed")
"""


@pytest.mark.parametrize("flags", ["0", "SA_RESTART"])
def test_a_read_ends_by_data_or_by_a_signal(flags: str) -> None:
    """The wake-up of the pipe and the attention of the signal race for one park: is the second remembered?"""
    orders = ("data first", "signal first", "interrupted") if flags == "0" else ("data first", "signal first")
    sweep(PIPE.replace("{flags}", flags), quick=36, orders=orders)


def test_a_blocked_write_that_is_interrupted_says_how_much_it_wrote() -> None:
    """EINTR only where nothing was written: otherwise bytes would be written twice."""
    sweep(WRITE, quick=25, orders=("nothing written", "part written"))


def test_a_signal_comes_before_it_is_blocked_or_after_it_is_unblocked() -> None:
    """sigprocmask on one core, tgkill on another: is there a moment in which it is lost or breaks through?"""
    sweep(MASK, orders=("signal first", "mask first"))


def test_a_signal_to_the_process_is_taken_by_a_thread_that_does_not_block_it() -> None:
    """It was given to a thread that blocks it a moment later: is it given to the other?"""
    sweep(TWO_THREADS.replace("{block}", "await pthread_sigmask(SIG_BLOCK, [SIGUSR1])"), orders=("main", "thread"))


def test_a_signal_that_comes_while_a_handler_returns_is_not_lost() -> None:
    """sigreturn restores the mask and asks what is pending, while the kick for another signal reaches its core: is that overwritten?"""
    sweep(SIGRETURN, quick=50, orders=("all came",))


def test_sigwait_takes_signals_in_whichever_order_they_come() -> None:
    """Blocked signals of two senders: is each taken once?"""
    sweep(SIGWAIT, orders=("first signal", "second signal"))


def test_a_signal_is_pending_in_the_parent_only() -> None:
    """During fork: the child has a copy of the handler's effects or not, but never the signal itself."""
    sweep(FORK, orders=("fork first", "signal first"))


def test_a_signal_meets_exec() -> None:
    """Before the new image it has a handler, afterwards the default action: nothing in between."""
    sweep(EXEC, quick=36, orders=("caught or late", "killed"))
