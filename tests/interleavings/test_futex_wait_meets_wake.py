"""futex(2): memory compares, ipc queues, and one pair of actors carries both, so that compares and wakes are in one order."""

import pytest

from tests.support.machines import sweep

WAKE = """
word = Global(i32, 0)

async def waker(_):
    await dawdle(40)
    await word.store(1)
    return await futex(word, FUTEX_WAKE{private}, 1)

async def main(argv):
    thread = await pthread_create(waker)
    await dawdle(40)
    try:
        assert await futex(word, FUTEX_WAIT{private}, 0) == 0
        order = b"wait first"
    except BlockingIOError:
        order = b"store first"
    assert await pthread_join(thread) == (order == b"wait first"), "the count of the wake is not what the waiter saw"
    await write(1, order)
"""

TWO_WAITERS = """
word = Global(i32, 0)

async def waiter(_):
    await dawdle(250)
    try:
        await futex(word, FUTEX_WAIT, 0)
        return 1
    except BlockingIOError:
        return 0

async def main(argv):
    threads = [await pthread_create(waiter) for _ in range(2)]
    await dawdle(200)
    await word.store(1)
    woken = 0
    for _ in range(3):
        count = await futex(word, FUTEX_WAKE, 1)
        assert count in (0, 1)
        woken += count
    assert woken == sum([await pthread_join(thread) for thread in threads]), "a wake was counted and not received, or received twice"
    await write(1, b"%d waited" % woken)
"""

ALL = TWO_WAITERS.replace("range(3)", "range(1)").replace("FUTEX_WAKE, 1", "FUTEX_WAKE, 100").replace("(0, 1)", "(0, 1, 2)")

TIMEOUT = """
word = Global(i32, 0)

async def waker(_):
    await dawdle(60)
    return await futex(word, FUTEX_WAKE, 1)

async def main(argv):
    thread = await pthread_create(waker)
    await dawdle(20)
    try:
        await futex(word, FUTEX_WAIT, 0, 1_000_000)
        order = b"woken"
    except TimeoutError:
        order = b"timed out"
    assert await pthread_join(thread) == (order == b"woken"), "a wake was spent on a wait that reports its timeout"
    await write(1, order)
"""

SIGNAL = """
word = Global(i32, 0)
handled = Global(i32, 0)

async def on_signal(signo):
    await handled.store(1)

async def waker(_):
    await dawdle(250)
    return await futex(word, FUTEX_WAKE, 1)

async def killer(tid):
    await dawdle(200)
    await tgkill(await getpid(), tid, SIGUSR1)

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_signal, flags={flags}))
    threads = await pthread_create(waker), await pthread_create(killer, await gettid())
    try:
        await futex(word, FUTEX_WAIT, 0, 1_000_000)
        order = b"woken"
    except InterruptedError:
        assert await handled.load()
        order = b"interrupted"
    except TimeoutError:
        order = b"timed out"
    assert await pthread_join(threads[0]) == (order == b"woken"), "a wake was spent on a wait that reports something else"
    await pthread_join(threads[1])
    assert await handled.load()
    await write(1, order)
"""

WAKE_OR_SIGNAL = """
word = Global(i32, 0)
done = Global(i32, 0)

async def on_signal(signo):
    pass

async def waker(_):
    await dawdle(200)
    return await futex(word, FUTEX_WAKE, 1)

async def killer(tid):
    await dawdle(150)
    while not await done.load():  # again and again: a wake or signal before the wait ends nothing
        await tgkill(await getpid(), tid, SIGUSR1)
        await dawdle(40)

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_signal))
    threads = await pthread_create(waker), await pthread_create(killer, await gettid())
    try:
        await futex(word, FUTEX_WAIT, 0)
        order = b"woken"
    except InterruptedError:
        order = b"interrupted"
    await done.store(1)
    assert await pthread_join(threads[0]) == (order == b"woken"), "a wake was spent on a wait that reports a signal"
    await pthread_join(threads[1])
    await write(1, order)
"""

RESTART = """
word = Global(i32, 0)
handled = Global(i32, 0)

async def on_signal(signo):
    await handled.store(1)

async def waker(tid):
    await tgkill(await getpid(), tid, SIGUSR1)
    early = await handled.load()
    await dawdle(60)
    await word.store(1)
    await futex(word, FUTEX_WAKE, 1)

async def main(argv):
    await sigaction(SIGUSR1, SigAction(on_signal, flags=SA_RESTART))
    thread = await pthread_create(waker, await gettid())
    await dawdle(80)
    try:
        await futex(word, FUTEX_WAIT, 0)
        order = b"woken"
    except BlockingIOError:
        order = b"store first"
    assert await handled.load()
    await pthread_join(thread)
    await write(1, order)
"""

PROCESSES = """
class Shared(Struct):
    pad: Array[i32, 5]
    word: i32

async def main(argv):
    address = await mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS)
    word = Shared.at(address).word
    pid = await fork()
    if pid == 0:
        await dawdle(60)
        await word.store(1)
        await _exit(await futex(word, FUTEX_WAKE, 1))
    await dawdle(60)
    try:
        await futex(word, FUTEX_WAIT, 0)
        order = b"wait first"
    except BlockingIOError:
        order = b"store first"
    _, status = await waitpid(pid, 0)
    assert WEXITSTATUS(status) == (order == b"wait first")
    await write(1, order)
"""

TWO_ADDRESSES = """
async def waker(address):
    await dawdle(40)
    await i32.at(address).store(1)
    return await futex(address, FUTEX_WAKE, 1)

async def main(argv):
    fd = await open("shared", O_RDWR | O_CREAT)
    await ftruncate(fd, 4096)
    one = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd)
    two = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd)
    thread = await pthread_create(waker, two)
    await dawdle(40)
    try:
        await futex(one, FUTEX_WAIT, 0)
        order = b"wait first"
    except BlockingIOError:
        order = b"store first"
    assert await pthread_join(thread) == (order == b"wait first")
    await unlink("shared")
    await write(1, order)
"""

PRIVATE = """
word = Global(i32, 0)

async def main(argv):
    woke = i32.at(await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    pid = await fork()
    if pid == 0:
        await word.store(1)
        woken = await futex(word, FUTEX_WAKE, 1)
        await woke.store(1)
        await _exit(woken)
    await dawdle(40)
    try:
        await futex(word, FUTEX_WAIT, 0, 1_000_000)
        assert False, "another process woke a wait on private memory"
    except TimeoutError:
        pass
    order = b"wake first" if await woke.load() else b"timeout first"
    _, status = await waitpid(pid, 0)
    assert WEXITSTATUS(status) == 0 and await word.load() == 0
    await write(1, order)
"""


@pytest.mark.parametrize("private", ["", " | FUTEX_PRIVATE_FLAG"])
def test_no_wake_is_lost_between_the_comparison_and_the_queue(private: str) -> None:
    """Either the comparison sees the store, or the wake finds the waiter."""
    sweep(WAKE.replace("{private}", private), orders=("wait first", "store first"))


def test_each_wake_of_one_reaches_one_of_two_waiters() -> None:
    """Do the counts that wakes return add up to the waits that they ended?"""
    sweep(TWO_WAITERS, orders=("0 waited", "1 waited", "2 waited"))


def test_a_wake_of_all_counts_those_who_waited() -> None:
    """The same with one wake for everybody."""
    sweep(ALL, orders=("0 waited", "1 waited", "2 waited"))


def test_a_wake_that_was_counted_beats_the_timeout() -> None:
    """Both came: may the waiter say ETIMEDOUT, although the waker was told that it woke one?"""
    sweep(TIMEOUT, quick=20, timed=True, orders=("woken", "timed out"))


@pytest.mark.parametrize("flags", ["0", "SA_RESTART"])
def test_woken_beats_interrupted_beats_timed_out(flags: str) -> None:
    """Wake, signal and timeout race for one wait. SA_RESTART does not help a wait that has a timeout."""
    sweep(SIGNAL.replace("{flags}", flags), quick=25, timed=True, orders=("woken", "interrupted", "timed out"))


def test_a_wake_that_was_counted_beats_a_signal() -> None:
    """Both came before the thread ran: does it say that it was woken, and take the signal afterwards?"""
    sweep(WAKE_OR_SIGNAL, orders=("woken", "interrupted"))


def test_a_restarted_wait_compares_again() -> None:
    """A handler with SA_RESTART in the middle of a wait: is a store during the handler seen?"""
    sweep(RESTART, orders=("woken", "store first"))


def test_processes_meet_at_a_word_in_shared_memory() -> None:
    """The key is the object and the offset: the same in both."""
    sweep(PROCESSES, orders=("wait first", "store first"))


def test_two_addresses_of_one_page_are_one_word() -> None:
    """A file mapped twice: does a wake through one address find who waits at the other?"""
    sweep(TWO_ADDRESSES, orders=("wait first", "store first"))


def test_a_private_word_is_another_one_after_fork() -> None:
    """Parent and child share the frame until one of them writes: is the key independent of it?"""
    sweep(PRIVATE, orders=("wake first", "timeout first"))
