"""Copy-on-write in a process with threads: the page is replaced under the eyes of other cores."""

from tests.support.machines import sweep

SETUP = """
async def forked(address):
    # a child that keeps the page shared until the pipe is closed, and checks that it never changes
    r, w = await pipe()
    pid = await fork()
    if pid == 0:
        await close(w)
        await read(r, 1)
        await _exit(await i32.at(address).load())
    return pid, w

async def unforked(pid, w):
    await close(w)
    _, status = await waitpid(pid, 0)
    return WEXITSTATUS(status)
"""

TWO_WRITERS = SETUP + """
async def adder(address):
    await dawdle(40)
    return await i32.at(address).fetch_add(1)

async def main(argv):
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await i32.at(address).store(5)
    pid, w = await forked(address)
    thread = await pthread_create(adder, address)
    await dawdle(80)
    mine = await i32.at(address).fetch_add(1)
    theirs = await pthread_join(thread)
    assert sorted((mine, theirs)) == [5, 6], "both threads copied the page, or one wrote to the old one"
    assert await i32.at(address).load() == 7
    assert await unforked(pid, w) == 5, "the child sees its parent's stores"
    await write(1, b"main first" if mine == 5 else b"thread first")
"""

READER = SETUP + """
async def reader(address):
    word = i32.at(address)
    await dawdle(60)
    order = b"load first" if await word.load() == 5 else b"store first"
    while await word.load() == 5:  # for ever, if this core keeps the old frame
        await cpu_relax()
    return order

async def main(argv):
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await i32.at(address).store(5)
    pid, w = await forked(address)
    thread = await pthread_create(reader, address)
    await dawdle(80)
    await i32.at(address).store(6)
    order = await pthread_join(thread)
    assert await unforked(pid, w) == 5
    await write(1, order)
"""

FUTEX = SETUP + """
async def waiter(address):
    await dawdle(60)
    try:
        await futex(address, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 5)
        return b"wait first"
    except BlockingIOError:
        return b"store first"

async def main(argv):
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await i32.at(address).store(5)
    pid, w = await forked(address)
    thread = await pthread_create(waiter, address)
    await dawdle(120)
    await i32.at(address).store(6)  # copies the page: the word has another frame now
    woken = await futex(address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1)
    order = await pthread_join(thread)
    assert woken == (order == b"wait first"), "the key of a waiter changed with the frame"
    assert await unforked(pid, w) == 5
    await write(1, order)
"""

LAST = """
async def main(argv):
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    word = i32.at(address)
    await word.store(5)
    pid = await fork()
    if pid:
        await dawdle(120)
    assert await word.fetch_add(1) == 5, "the other process wrote to this one's page"
    if pid == 0:
        await _exit(await word.load())
    got, status = await waitpid(pid, WNOHANG)
    order = b"child first" if got else b"parent first"
    if not got:
        _, status = await waitpid(pid, 0)
    assert await word.load() == WEXITSTATUS(status) == 6
    await write(1, order)
"""


def test_two_threads_write_to_a_shared_page_at_once() -> None:
    """One copy or two? The second fault must find the first one's page, and not before every core has forgotten the old."""
    sweep(TWO_WRITERS, orders=("main first", "thread first"))


def test_a_sibling_that_reads_sees_the_store_after_the_copy() -> None:
    """It has the old frame in its TLB: is it told?"""
    sweep(READER, orders=("load first", "store first"))


def test_a_futex_word_is_the_same_after_its_page_was_copied() -> None:
    """A thread waits on a private word while another one's store gives it a new frame: does the wake find it?"""
    sweep(FUTEX, orders=("wait first", "store first"))


def test_parent_and_child_write_to_the_page_that_they_share() -> None:
    """Whoever is second may take the page itself, as the last one that has it."""
    sweep(LAST, orders=("child first", "parent first"))
