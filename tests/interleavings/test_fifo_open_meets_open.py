"""Opening a FIFO waits for the other side: two opens, on two cores, that must find each other."""

from tests.support.machines import sweep

MEET = """
async def main(argv):
    await mkfifo("fifo", 0o600)
    pid = await fork()
    if pid == 0:
        await dawdle(60)
        w = await open("fifo", O_WRONLY)
        await write(w, b"data")
        await _exit(0)
    await dawdle(60)
    try:
        probe = await open("fifo", O_WRONLY | O_NONBLOCK)  # ENXIO: nobody reads, of course
        assert False
    except OSError as error:
        assert error.errno == ENXIO
    r = await open("fifo", O_RDONLY)
    assert await read(r, 10) == b"data" and await read(r, 10) == b""
    await waitpid(pid, 0)
    await unlink("fifo")
    await write(1, b"met")
"""

ORDER = """
async def writer(_):
    await dawdle(150)
    w = await open("fifo", O_WRONLY)
    await dawdle(40)
    await write(w, b"data")
    await close(w)

async def main(argv):
    await mkfifo("fifo", 0o600)
    thread = await pthread_create(writer)
    await dawdle(120)
    r = await open("fifo", O_RDONLY | O_NONBLOCK)
    await dawdle(60)
    try:
        order = b"writer first" if await read(r, 10) == b"data" else b"reader first"
    except BlockingIOError:
        order = b"between"
    await pthread_join(thread)
    await unlink("fifo")
    await write(1, order)
"""

CLOSES = """
async def main(argv):
    await mkfifo("fifo", 0o600)
    pid = await fork()
    if pid == 0:
        await dawdle(60)
        w = await open("fifo", O_WRONLY)
        await close(w)  # at once: whoever waited has met it all the same
        await _exit(0)
    await dawdle(60)
    r = await open("fifo", O_RDONLY)
    assert await read(r, 10) == b""
    got, _ = await waitpid(pid, WNOHANG)
    if not got:
        await waitpid(pid, 0)
    await unlink("fifo")
    await write(1, b"closed before the reader ran" if got else b"closed later")
"""

KILLED = """
async def main(argv):
    await mkfifo("fifo", 0o600)
    marks, mark = await pipe2(O_NONBLOCK)
    pid = await fork()
    if pid == 0:
        await dawdle(60)
        await write(mark, b"x")
        await open("fifo", O_RDONLY)
        await _exit(1)
    await dawdle(150)
    await kill(pid, SIGKILL)
    await waitpid(pid, 0)
    try:
        await open("fifo", O_WRONLY | O_NONBLOCK)
        assert False, "the killed opener counts as a reader"
    except OSError as error:
        assert error.errno == ENXIO
    try:
        order = b"open first" if await read(marks, 1) else b""
    except BlockingIOError:
        order = b"kill first"
    await unlink("fifo")
    await write(1, order)
"""

INTERRUPTED = """
handled = Global(i32, 0)

async def on_signal(signo):
    await handled.store(1)

async def writer(tid):
    await dawdle(60)
    await tgkill(await getpid(), tid, SIGUSR1)
    await dawdle(60)
    w = await open("fifo", O_WRONLY)
    await write(w, b"d")

async def main(argv):
    await mkfifo("fifo", 0o600)
    await sigaction(SIGUSR1, SigAction(on_signal, flags={flags}))
    thread = await pthread_create(writer, await gettid())
    await dawdle(60)
    early = await handled.load()
    try:
        r = await open("fifo", O_RDONLY)
        order = b"signal first" if early else b"opened"
    except InterruptedError:
        assert await handled.load()
        order = b"interrupted"
        r = await open("fifo", O_RDONLY)
    assert await read(r, 1) == b"d"
    await pthread_join(thread)
    await unlink("fifo")
    await write(1, order)
"""

TWO_READERS = """
async def reader(_):
    r = await open("fifo", O_RDONLY)
    data = await read(r, 1)
    await close(r)
    return data == b"d"

async def main(argv):
    await mkfifo("fifo", 0o600)
    threads = [await pthread_create(reader) for _ in range(2)]
    await dawdle(200)
    w = await open("fifo", O_WRONLY)
    await write(w, b"d")
    await dawdle(100)
    await close(w)
    try:
        again = await open("fifo", O_WRONLY | O_NONBLOCK)
        await close(again)
    except OSError as error:
        assert error.errno == ENXIO
    results = []
    for thread in threads:
        while True:
            try:
                results.append(await pthread_tryjoin_np(thread))
                break
            except OSError as error:
                assert error.errno == EBUSY
            try:  # the second reader may have come after the writer had gone: it needs one of its own
                await close(await open("fifo", O_WRONLY | O_NONBLOCK))
            except OSError as error:
                assert error.errno == ENXIO
            await sched_yield()
    assert sum(results) == 1, "a byte was read twice, or by nobody"
    await unlink("fifo")
    await write(1, b"first reader" if results[0] else b"second reader")
"""


def test_reader_and_writer_find_each_other() -> None:
    """Whoever opens first waits: is the other one's open what wakes it?"""
    assert set(sweep(MEET)) == {b"met"}


def test_a_reader_that_does_not_wait_may_come_before_or_after_the_writer() -> None:
    """O_RDONLY | O_NONBLOCK opens at once, and makes a waiting writer go on."""
    sweep(ORDER, quick=36, orders=("writer first", "reader first", "between"))


def test_a_partner_that_closes_at_once_was_met() -> None:
    """The writer is gone before the reader's thread runs: counting open ends would leave it asleep for ever."""
    sweep(CLOSES, quick=36, orders=("closed before the reader ran", "closed later"))


def test_an_opener_that_is_killed_is_no_partner() -> None:
    """Is the end that it counted for taken back?"""
    sweep(KILLED, orders=("open first", "kill first"))


def test_an_open_is_interrupted_by_a_handler() -> None:
    """Without SA_RESTART it fails with EINTR, holds no descriptor, and may be tried again."""
    sweep(INTERRUPTED.replace("{flags}", "0").replace("opened", "signal first"), orders=("signal first", "interrupted"))


def test_an_interrupted_open_goes_on_with_sa_restart() -> None:
    """With the flag the program does not notice."""
    sweep(INTERRUPTED.replace("{flags}", "SA_RESTART"), orders=("signal first", "opened"))


def test_two_readers_and_one_writer() -> None:
    """One open of a writer lets both readers in: is the byte read once?"""
    sweep(TWO_READERS, quick=30, orders=("first reader", "second reader"))
