"""fork duplicates an address space while the parent's other threads go on using it."""

from tests.support.machines import sweep

STORE = """
page = Global(Array[i32, 2048])  # two pages

async def writer(_):
    await page[0].store(1)
    await page[1500].store(1)

async def main(argv):
    thread = await pthread_create(writer)
    pid = await fork()
    if pid == 0:
        second = await page[1500].load()
        first = await page[0].load()
        assert first >= second, "the child has the second store without the first"
        await sched_yield()
        assert (await page[0].load(), await page[1500].load()) == (first, second), "the parent's thread writes to the child's page"
        await _exit(first + second)
    _, status = await waitpid(pid, 0)
    await pthread_join(thread)
    assert await page[0].load() == await page[1500].load() == 1, "a store to a page that became copy-on-write is lost"
    await write(1, (b"fork first", b"in between", b"stores first")[WEXITSTATUS(status)])
"""

COUNT = """
counter = Global(i32, 0)

async def adder(_):
    for _ in range(4):
        await counter.fetch_add(1)

async def main(argv):
    thread = await pthread_create(adder)
    pid = await fork()
    if pid == 0:
        before = await counter.fetch_add(100)
        assert await counter.load() == before + 100, "a parent's thread adds to the child's word"
        await _exit(before)
    _, status = await waitpid(pid, 0)
    await pthread_join(thread)
    assert await counter.load() == 4, "an addition is lost where fork came in between"
    copied = WEXITSTATUS(status)
    await write(1, b"fork first" if copied == 0 else b"additions first" if copied == 4 else b"in between")
"""

UNMAP = """
async def unmapper(address):
    await dawdle(20)
    await munmap(address, 4096)

async def main(argv):
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await i32.at(address).store(7)
    thread = await pthread_create(unmapper, address)
    r, w = await pipe()
    pid = await fork()
    if pid == 0:
        try:
            await write_from(w, address, 4)
        except OSError as error:
            assert error.errno == EFAULT
            await _exit(1)
        assert await read(r, 4) == b"\\7\\0\\0\\0"
        await _exit(0)
    _, status = await waitpid(pid, 0)
    await pthread_join(thread)
    await write(1, (b"fork first", b"munmap first")[WEXITSTATUS(status)])
"""

TWO_FORKS = """
turn = Global(i32, 0)
mine = Global(i32, 5)

async def forker(_):
    place = await turn.fetch_add(1)
    pid = await fork()
    if pid == 0:
        await mine.fetch_add(1)
        await _exit(await mine.load())
    _, status = await waitpid(pid, 0)
    assert WEXITSTATUS(status) == 6
    return place

async def main(argv):
    thread = await pthread_create(forker)
    place = await forker(None)
    assert await pthread_join(thread) == 1 - place
    assert await mine.load() == 5
    await write(1, b"thread first" if place else b"main first")
"""


def test_a_sibling_that_stores_during_fork_is_seen_by_the_child_up_to_one_moment() -> None:
    """Does the child see a state that the parent was in, and never what the parent does later?"""
    sweep(STORE, quick=36, orders=("fork first", "in between", "stores first"))


def test_atomic_additions_during_fork_are_neither_lost_nor_shared() -> None:
    """Can a read-modify-write fall between the moment when the page is shared and the moment when every core knows?"""
    sweep(COUNT, quick=36, orders=("fork first", "in between", "additions first"))


def test_munmap_by_a_sibling_comes_before_or_after_fork() -> None:
    """Two shootdowns of one space at once: is the child's space the one before or the one after?"""
    sweep(UNMAP, orders=("fork first", "munmap first"))


def test_two_threads_that_fork_at_once_get_two_children() -> None:
    """Is a fork that waits for acknowledgements disturbed by another one of the same space?"""
    sweep(TWO_FORKS, orders=("main first", "thread first"))
