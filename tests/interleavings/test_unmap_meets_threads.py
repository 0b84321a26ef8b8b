"""munmap and mprotect take translations away that other cores hold: nothing may use them after the call has returned."""

import pytest

from tests.support.machines import sweep

TWO_CHANGES = """
turn = Global(i32, 0)

async def change(number):
    if number == 1:
        await dawdle(60)
    address = await mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await i32.at(address).store(number)
    await i32.at(address + 4096).store(number)
    {call}
    place = await turn.fetch_add(1)
    return place

async def main(argv):
    thread = await pthread_create(change, 1)
    await dawdle(30)
    place = await change(2)
    assert await pthread_join(thread) == 1 - place
    await write(1, b"thread first" if place else b"main first")
"""

SAME_RANGE = """
turn = Global(i32, 0)

async def unmapper(address):
    await dawdle(40)
    await munmap(address, 4096)
    return await turn.fetch_add(1)

async def main(argv):
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await i32.at(address).store(1)
    thread = await pthread_create(unmapper, address)
    place = await unmapper(address)
    assert await pthread_join(thread) == 1 - place
    await write(1, b"thread first" if place else b"main first")
"""

ACCESS = """
page = Global(i64, 0)
faults = Global(i32, 0)

async def on_fault(signo):
    await faults.fetch_add(1)
    await mmap(await page.load(), 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

async def storer(address):
    word = i32.at(address)
    await word.load()  # the translation is in this core's TLB
    await dawdle(40)
    await word.store(77)

async def main(argv):
    await sigaction(SIGSEGV, SigAction(on_fault))
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await page.store(address)
    await i32.at(address).store(1)
    thread = await pthread_create(storer, address)
    await dawdle(150)
    await munmap(address, 4096)
    other = await mmap(address + 0x100000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
    assert await i32.at(other).load() == 0  # takes the frame that was freed last
    await pthread_join(thread)
    assert await i32.at(other).load() == 0, "a core stored into a frame that is no longer its thread's"
    await write(1, b"munmap first" if await faults.load() else b"store first")
"""

PROTECT = """
page = Global(i64, 0)
checked = Global(i32, 0)
faults = Global(i32, 0)

async def on_fault(signo):
    await faults.store(1)
    while not await checked.load():
        await sched_yield()
    await mprotect(await page.load(), 4096, PROT_READ | PROT_WRITE)

async def storer(address):
    for value in range(1, 40):
        await i32.at(address).store(value)

async def main(argv):
    await sigaction(SIGSEGV, SigAction(on_fault))
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await page.store(address)
    thread = await pthread_create(storer, address)
    await dawdle(100)
    await mprotect(address, 4096, PROT_READ)
    before = await i32.at(address).load()
    await sched_yield()
    assert await i32.at(address).load() == before, "a store landed after mprotect had returned"
    await checked.store(1)
    await pthread_join(thread)
    assert await i32.at(address).load() == 39, "a store is lost"
    await write(1, b"mprotect first" if await faults.load() else b"stores first")
"""

BREAK = """
turn = Global(i32, 0)

async def grower(_):
    await dawdle(40)
    await sbrk(4096)
    return await turn.fetch_add(1)

async def main(argv):
    before = await sbrk(0)
    thread = await pthread_create(grower)
    place = await grower(None)
    await pthread_join(thread)
    await write(1, b"thread first" if place else b"main first")
"""

TRUNCATE = """
faults = Global(i32, 0)
page = Global(i64, 0)

async def on_fault(signo):
    await faults.store(1)
    await mmap(await page.load(), 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

async def toucher(address):
    await dawdle(60)
    return await i32.at(address).load()

async def main(argv):
    await sigaction(SIGBUS, SigAction(on_fault))
    fd = await open("file", O_RDWR | O_CREAT)
    await write(fd, b"\\5\\0\\0\\0")
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd)
    await page.store(address)
    thread = await pthread_create(toucher, address)
    await dawdle(60)
    await ftruncate(fd, 0)
    value = await pthread_join(thread)
    assert value == (0 if await faults.load() else 5)
    await unlink("file")
    await write(1, b"truncate first" if await faults.load() else b"load first")
"""


@pytest.mark.parametrize("call", ["await munmap(address, 8192)", "await mprotect(address, 8192, PROT_READ)"])
def test_two_threads_shoot_down_at_once(call: str) -> None:
    """Each core waits for acknowledgements of the other: does an interrupt reach a core that waits? (It did not, in an early design.)"""
    sweep(TWO_CHANGES.replace("{call}", call), orders=("main first", "thread first"))


def test_two_threads_unmap_the_same_page() -> None:
    """The second finds nothing, which is no error: is the frame freed once?"""
    sweep(SAME_RANGE, orders=("main first", "thread first"))


def test_no_core_stores_into_a_page_after_munmap_returned() -> None:
    """The frame is somebody else's by then: is it given away only after the last acknowledgement?"""
    sweep(ACCESS, orders=("munmap first", "store first"))


def test_no_store_lands_after_mprotect_returned() -> None:
    """The storing core has a writable translation: has it forgotten that when the call returns, and is no store lost?"""
    sweep(PROTECT, orders=("mprotect first", "stores first"))


def test_two_threads_move_the_break_at_once() -> None:
    """libc asks where the break is and then moves it; the kernel is asked twice at once for the areas of one space."""
    sweep(BREAK, orders=("main first", "thread first"))


def test_a_mapped_file_is_truncated_while_it_is_read() -> None:
    """Beyond the end is SIGBUS, from the moment when ftruncate has returned; before, the old bytes."""
    sweep(TRUNCATE, orders=("truncate first", "load first"))
