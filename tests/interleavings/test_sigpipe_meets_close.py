"""The last reader closes while a writer writes: the bytes go, or EPIPE and SIGPIPE come."""

from tests.support.machines import sweep

WRITE = """
async def closer(r):
    await dawdle(60)
    await close(r)

async def main(argv):
    r, w = await pipe()
    await signal(SIGPIPE, SIG_IGN)
    thread = await pthread_create(closer, r)
    await dawdle(60)
    try:
        assert await write(w, b"data") == 4
        order = b"write first"
    except BrokenPipeError:
        order = b"close first"
    await pthread_join(thread)
    await write(1, order)
"""

KILLED = """
async def main(argv):
    r, w = await pipe()
    pid = await fork()
    if pid == 0:
        await close(r)
        await dawdle(100)
        await write(w, b"data")
        await _exit(0)
    await dawdle(150)
    await close(r)
    _, status = await waitpid(pid, 0)
    assert WIFEXITED(status) or WTERMSIG(status) == SIGPIPE
    await write(1, b"write first" if WIFEXITED(status) else b"close first")
"""

HANDLER = """
handled = Global(i32, 0)

async def on_pipe(signo):
    await handled.store(await gettid())

async def writer(w):
    await dawdle(60)
    try:
        await write(w, b"data")
        return b"write first"
    except BrokenPipeError:
        assert await handled.load() == await gettid(), "SIGPIPE was not delivered before write returned, or to another thread"
        return b"close first"

async def main(argv):
    r, w = await pipe()
    await sigaction(SIGPIPE, SigAction(on_pipe))
    thread = await pthread_create(writer, w)
    await dawdle(120)
    await close(r)
    await write(1, await pthread_join(thread))
"""

FULL = """
async def writer(w):
    try:
        count = await write_from(w, await malloc(65540), 65540)
    except BrokenPipeError:
        return -1
    return count

async def main(argv):
    r, w = await pipe()
    await signal(SIGPIPE, SIG_IGN)
    thread = await pthread_create(writer, w)
    await dawdle(250)
    await close(r)
    written = await pthread_join(thread)
    assert written in (-1, 65536), written
    await write(1, b"close first" if written < 0 else b"blocked first")
"""


def test_a_write_meets_the_close_of_the_last_reader() -> None:
    """Bytes written or EPIPE, nothing else."""
    sweep(WRITE, orders=("write first", "close first"))


def test_sigpipe_kills_a_writer_without_reader() -> None:
    """The default action: is the reply that carries it followed by nothing of the program?"""
    sweep(KILLED, orders=("write first", "close first"))


def test_sigpipe_is_delivered_to_the_writing_thread_before_its_write_returns() -> None:
    """Attention travels with the reply: does the handler run before the next op?"""
    sweep(HANDLER, orders=("write first", "close first"))


def test_a_writer_blocked_in_a_full_pipe_hears_that_its_reader_is_gone() -> None:
    """It wakes with what it had written, as Linux says, or fails if it had written nothing."""
    sweep(FULL, quick=25, orders=("close first", "blocked first"))
