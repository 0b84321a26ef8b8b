"""The core copies a call's result to user memory after the owner has answered: faults come then."""

from tests.support.machines import sweep

UNTOUCHED = """
async def writer(w):
    await dawdle(60)
    await write(w, b"\\1\\2\\3\\4")

async def main(argv):
    r, w = await pipe()
    address = await mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    thread = await pthread_create(writer, w)
    await dawdle(60)
    order = b"write first" if (await ioctl_bytes(r)) else b"read first"
    assert await read_into(r, address + 4094, 4) == 4  # two pages that nobody has touched
    assert await read_bytes(address + 4094, 4) == b"\\1\\2\\3\\4"
    await pthread_join(thread)
    await write(1, order)

async def ioctl_bytes(fd):
    return await ioctl(fd, FIONREAD)
"""

COPY_ON_WRITE = """
async def main(argv):
    r, w = await pipe()
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    word = i32.at(address)
    await word.store(9)
    pid = await fork()
    if pid == 0:
        await dawdle(150)
        before = await word.load()
        await write(w, b"\\5\\0\\0\\0")
        await sched_yield()
        await _exit(before + await word.load())
    assert await read_into(r, address, 4) == 4 and await word.load() == 5
    got, status = await waitpid(pid, WNOHANG)
    order = b"child first" if got else b"parent first"
    if not got:
        _, status = await waitpid(pid, 0)
    assert WEXITSTATUS(status) == 18, "the kernel wrote into the child's page for the parent's call"
    await write(1, order)
"""

UNMAPPED = """
async def unmapper(argument):
    address, w = argument
    await dawdle(60)
    await munmap(address, 4096)
    await write(w, b"more")

async def main(argv):
    r, w = await pipe()
    await write(w, b"data")
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    thread = await pthread_create(unmapper, (address, w))
    await dawdle(80)
    try:
        assert await read_into(r, address, 4) == 4
        order = b"read first"
    except OSError as error:
        assert error.errno == EFAULT
        order = b"munmap first"
    await pthread_join(thread)
    await write(1, order)
"""

COPY_IN = """
async def unmapper(address):
    await dawdle(60)
    await munmap(address, 4096)

async def main(argv):
    r, w = await pipe()
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await write_bytes(address, b"data")
    thread = await pthread_create(unmapper, address)
    await dawdle(80)
    try:
        assert await write_from(w, address, 4) == 4
        assert await read(r, 10) == b"data"
        order = b"write first"
    except OSError as error:
        assert error.errno == EFAULT
        order = b"munmap first"
    await pthread_join(thread)
    await write(1, order)
"""


def test_a_blocked_read_fills_pages_that_were_never_touched() -> None:
    """Do the faults of the copy work on the core where the thread was woken, whichever that is?"""
    sweep(UNTOUCHED, orders=("read first", "write first"))


def test_a_read_into_a_shared_page_copies_it_first() -> None:
    """The kernel's own store must respect copy-on-write, as the program's does."""
    sweep(COPY_ON_WRITE, orders=("child first", "parent first"))


def test_a_buffer_that_is_unmapped_during_the_read_is_efault() -> None:
    """Data or EFAULT, never data in a page that is gone."""
    sweep(UNMAPPED, orders=("read first", "munmap first"))


def test_a_buffer_that_is_unmapped_during_the_write_is_efault() -> None:
    """The same for arguments."""
    sweep(COPY_IN, orders=("write first", "munmap first"))
