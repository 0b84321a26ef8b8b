"""libc's locks on the kernel's futexes: in user space as long as nobody waits, in the kernel for the rest."""

import pytest

from tests.support.machines import sweep

MUTEX = """
lock = Global(pthread_mutex_t)
counter = Global(i32, 0)

async def worker(value):
    for _ in range(2):
        async with lock:
            old = await counter.load()
            await sched_yield()
            await counter.store(old + value)

async def main(argv):
    threads = [await pthread_create(worker, value) for value in (1, 100)]
    for thread in threads:
        await pthread_join(thread)
    await write(1, b"%d" % await counter.load())
"""

TRYLOCK = """
lock = Global(pthread_mutex_t)

async def worker(_):
    await dawdle(60)
    async with lock:
        await dawdle(60)

async def main(argv):
    thread = await pthread_create(worker)
    await dawdle(120)
    try:
        await pthread_mutex_trylock(lock)
        await pthread_mutex_unlock(lock)
        order = b"free"
    except OSError as error:
        assert error.errno == EBUSY
        order = b"held"
    await pthread_join(thread)
    await write(1, order)
"""

PROCESSES = """
class Shared(Struct):
    lock: pthread_mutex_t
    counter: i32
    first: i32

async def main(argv):
    shared = Shared.at(await mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    await pthread_mutex_init(shared.lock, pshared=PTHREAD_PROCESS_SHARED)
    pid = await fork()
    await dawdle(40 if pid == 0 else 150)
    async with shared.lock:
        old = await shared.counter.load()
        if old == 0:
            await shared.first.store(pid)
        await sched_yield()
        await shared.counter.store(old + 1)
    if pid == 0:
        await _exit(0)
    await waitpid(pid, 0)
    assert await shared.counter.load() == 2, "both were inside at once"
    await write(1, b"parent first" if await shared.first.load() else b"child first")
"""

CONDITION = """
lock = Global(pthread_mutex_t)
filled = Global(pthread_cond_t)
items = Global(i32, 0)
waited = Global(i32, 0)

async def consumer(_):
    await dawdle(60)
    async with lock:
        while not await items.load():
            await waited.store(1)
            await pthread_cond_wait(filled, lock)
        await items.fetch_sub(1)

async def main(argv):
    thread = await pthread_create(consumer)
    await dawdle(60)
    async with lock:
        await items.fetch_add(1)
    await pthread_cond_signal(filled)
    await pthread_join(thread)
    assert await items.load() == 0
    await write(1, b"wait first" if await waited.load() else b"signal first")
"""

BROADCAST = """
lock = Global(pthread_mutex_t)
go = Global(pthread_cond_t)
ready = Global(i32, 0)
waited = Global(i32, 0)

async def waiter(_):
    await dawdle(150)
    async with lock:
        first = True
        while not await ready.load():
            if first:
                await waited.fetch_add(1)
            first = False
            await pthread_cond_wait(go, lock)

async def main(argv):
    threads = [await pthread_create(waiter) for _ in range(2)]
    await dawdle(100)
    async with lock:
        await ready.store(1)
        await pthread_cond_broadcast(go)
    for thread in threads:
        await pthread_join(thread)
    await write(1, b"%d waited" % await waited.load())
"""

BARRIER = """
barrier = Global(pthread_barrier_t)
before = Global(i32, 0)

async def worker(_):
    await dawdle(60)
    await before.fetch_add(1)
    serial = await pthread_barrier_wait(barrier)
    assert await before.load() == 2, "through the barrier before everybody came"
    return 1 if serial == PTHREAD_BARRIER_SERIAL_THREAD else 0

async def main(argv):
    await pthread_barrier_init(barrier, 2)
    thread = await pthread_create(worker)
    mine = await worker(None)
    theirs = await pthread_join(thread)
    assert mine + theirs == 1, "one thread of a round is the serial one"
    await pthread_barrier_destroy(barrier)
    await write(1, b"main serial" if mine else b"thread serial")
"""

SEMAPHORE = """
class Shared(Struct):
    full: sem_t
    waited: i32

async def main(argv):
    shared = Shared.at(await mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    await sem_init(shared.full, 1, 0)
    pid = await fork()
    if pid == 0:
        await dawdle(60)
        await sem_post(shared.full)
        await _exit(0)
    await dawdle(100)
    try:
        await sem_trywait(shared.full)
        order = b"post first"
    except BlockingIOError:
        await sem_wait(shared.full)
        order = b"wait first"
    await waitpid(pid, 0)
    assert await sem_getvalue(shared.full) == 0
    await write(1, order)
"""

SEMAPHORE_TIMEOUT = """
full = Global(sem_t)

async def poster(_):
    await dawdle(20)
    await sem_post(full)

async def main(argv):
    await sem_init(full, 0, 0)
    thread = await pthread_create(poster)
    try:
        await sem_timedwait(full, await clock_gettime(CLOCK_REALTIME) + 1_000_000)
        order, left = b"posted", 0
    except TimeoutError:
        order, left = b"timed out", 1
    await pthread_join(thread)
    assert await sem_getvalue(full) == left, "a post is lost, or counted twice"
    await write(1, order)
"""

PING_PONG = """
async def main(argv):
    word = i32.at(await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    pid = await fork()
    me, other = (1, 0) if pid == 0 else (0, 1)
    for _ in range(3):
        while await word.load() != me:
            try:
                await futex(word, FUTEX_WAIT, other)
            except BlockingIOError:
                pass
        await word.store(other)
        await futex(word, FUTEX_WAKE, 1)
    if pid == 0:
        await _exit(0)
    await waitpid(pid, 0)
    await write(1, b"done")
"""

PREEMPTED_HOLDER = """
lock = Global(pthread_mutex_t)

async def holder(_):
    async with lock:
        await compute(10_000_000)

async def main(argv):
    thread = await pthread_create(holder)
    await dawdle(200)
    async with lock:
        pass
    done = True
    try:
        await pthread_tryjoin_np(thread)
    except OSError:
        done = False
        await pthread_join(thread)
    await write(1, b"done")
"""


def test_a_mutex_lets_one_in() -> None:
    """Two threads that yield inside: is no addition lost in any order of messages?"""
    assert set(sweep(MUTEX)) == {b"202"}


def test_trylock_finds_the_mutex_free_or_held() -> None:
    """It never waits, and disturbs nobody who does."""
    sweep(TRYLOCK, quick=36, orders=("free", "held"))


def test_a_mutex_in_shared_memory_lets_one_process_in() -> None:
    """The same between processes, whose address spaces meet in one page."""
    sweep(PROCESSES, orders=("child first", "parent first"))


def test_a_signal_of_a_condition_is_not_lost_between_unlock_and_sleep() -> None:
    """pthread_cond_wait unlocks and sleeps in one step, as seen by whoever holds the mutex."""
    sweep(CONDITION, orders=("wait first", "signal first"))


def test_a_broadcast_wakes_all_who_wait() -> None:
    """None, one or two are waiting when it comes."""
    sweep(BROADCAST, quick=36, orders=("0 waited", "1 waited", "2 waited"))


def test_a_barrier_opens_when_the_last_one_comes() -> None:
    """And tells exactly one of them that it is the serial thread."""
    sweep(BARRIER, orders=("main serial", "thread serial"))


def test_a_semaphore_between_processes_loses_no_post() -> None:
    """The post comes before the wait or during it."""
    sweep(SEMAPHORE, orders=("post first", "wait first"))


def test_a_semaphore_that_times_out_keeps_the_post() -> None:
    """Timeout and post at once: does the value say which of them ended the wait?"""
    sweep(SEMAPHORE_TIMEOUT, orders=("posted", "timed out"))


@pytest.mark.parametrize("source", [PING_PONG, PREEMPTED_HOLDER])
def test_turns_are_passed_without_loss(source: str) -> None:
    """Wake before sleep, sleep before wake, and a holder that is preempted: everybody comes to an end."""
    assert set(sweep(source)) == {b"done"}
