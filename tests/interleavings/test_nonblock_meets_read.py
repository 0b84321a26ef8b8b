"""O_NONBLOCK belongs to the open file description: set while another thread uses it."""

from tests.support.machines import sweep

READ = """
async def reader(r):
    await dawdle(150)
    try:
        assert await read(r, 1) == b"d"
        return b"data"
    except BlockingIOError:
        return b"flag first"

async def main(argv):
    r, w = await pipe()
    thread = await pthread_create(reader, r)
    await dawdle(100)
    await fcntl(r, F_SETFL, O_NONBLOCK)
    await dawdle(60)
    await write(w, b"d")
    await write(1, await pthread_join(thread))
"""

PROCESSES = """
async def main(argv):
    r, w = await pipe()
    pid = await fork()
    if pid == 0:
        await fcntl(r, F_SETFL, O_NONBLOCK)  # shared by fork: the parent's descriptor leads to the same description
        await dawdle(60)
        await write(w, b"d")
        await _exit(0)
    await dawdle(200)
    try:
        assert await read(r, 1) == b"d"
        order = b"data"
    except BlockingIOError:
        order = b"flag first"
    await waitpid(pid, 0)
    await write(1, order)
"""


def test_a_read_blocks_or_fails_by_the_flag_as_it_was_when_it_came() -> None:
    """The flag travels with the request: a thread that blocks already stays blocked until data comes."""
    sweep(READ, quick=36, orders=("data", "flag first"))


def test_the_flag_is_shared_with_a_child() -> None:
    """dup and fork share descriptions, and with them the flag."""
    sweep(PROCESSES, quick=36, orders=("data", "flag first"))
