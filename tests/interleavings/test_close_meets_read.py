"""A descriptor is closed or replaced by one thread while another one is in a call on it: the call keeps what it resolved."""

from tests.support.machines import sweep

CLOSE = """
async def reader(r):
    await dawdle(60)
    try:
        assert await read(r, 1) == b"d"
        return b"read first"
    except OSError as error:
        assert error.errno == EBADF
        return b"close first"

async def main(argv):
    r, w = await pipe()
    await signal(SIGPIPE, SIG_IGN)
    thread = await pthread_create(reader, r)
    await dawdle(120)
    await close(r)
    try:
        await write(w, b"d")
        written = True
    except BrokenPipeError:
        written = False
    order = await pthread_join(thread)
    assert written == (order == b"read first"), "the blocked read does not hold its end of the pipe open"
    await write(1, order)
"""

LAST_WRITER = """
async def reader(r):
    await dawdle(60)
    return len(await read(r, 10))

async def main(argv):
    r, w = await pipe()
    copy = await dup(w)
    thread = await pthread_create(reader, r)
    await dawdle(60)
    await write(w, b"d")
    await close(w)
    await dawdle(60)
    await close(copy)
    assert await pthread_join(thread) == 1
    assert await read(r, 1) == b""
    await write(1, b"done")
"""

EOF = """
async def closer(w):
    await dawdle(60)
    await close(w)

async def main(argv):
    r, w = await pipe()
    copy = await dup(w)
    threads = await pthread_create(closer, w), await pthread_create(closer, copy)
    await dawdle(60)
    flags = await fcntl(r, F_GETFL)
    await fcntl(r, F_SETFL, flags | O_NONBLOCK)
    try:
        data, order = await read(r, 1), b"close first"
    except BlockingIOError:
        await fcntl(r, F_SETFL, flags)
        data, order = await read(r, 1), b"read first"
    assert data == b""
    for thread in threads:
        await pthread_join(thread)
    await write(1, order)
"""

DUP2 = """
async def reader(fd):
    await dawdle(60)
    return (await read(fd, 1)).decode()

async def main(argv):
    old, old_w = await pipe()
    new, new_w = await pipe()
    await write(new_w, b"n")
    thread = await pthread_create(reader, old)
    await dawdle(120)
    await dup2(new, old)
    try:
        await signal(SIGPIPE, SIG_IGN)
        await write(old_w, b"o")
    except BrokenPipeError:
        pass
    got = await pthread_join(thread)
    await write(1, b"read first" if got == "o" else b"dup2 first")
"""

SHARED_OFFSET = """
async def reader(fd):
    await dawdle(40)
    return int(await read(fd, 1))

async def main(argv):
    fd = await open("file", O_RDWR | O_CREAT)
    await write(fd, b"12")
    await lseek(fd, 0, SEEK_SET)
    thread = await pthread_create(reader, await dup(fd))
    await dawdle(80)
    mine = await reader(fd)
    theirs = await pthread_join(thread)
    assert sorted((mine, theirs)) == [1, 2], "a byte was read twice: offset and read are not one step"
    await unlink("file")
    await write(1, b"main first" if mine == 1 else b"thread first")
"""

APPEND = """
async def main(argv):
    fd = await open("log", O_WRONLY | O_CREAT | O_APPEND)
    pid = await fork()
    if pid == 0:
        await dawdle(40)
        await write(fd, b"child ")
        await _exit(0)
    other = await open("log", O_WRONLY | O_APPEND)  # another description: the end of the file is all that they share
    await dawdle(120)
    await write(other, b"parent ")
    await waitpid(pid, 0)
    text = await read(await open("log", O_RDONLY), 100)
    assert sorted(text.split()) == [b"child", b"parent"], text
    await unlink("log")
    await write(1, text.split()[0] + b" first")
"""

CREATE = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        await dawdle(40)
    else:
        await dawdle(150)
    try:
        await open("lock", O_WRONLY | O_CREAT | O_EXCL)
        won = 1
    except FileExistsError:
        won = 0
    if pid == 0:
        await _exit(won)
    _, status = await waitpid(pid, 0)
    assert won + WEXITSTATUS(status) == 1, "O_EXCL let both in"
    await unlink("lock")
    await write(1, b"parent first" if won else b"child first")
"""

TWO_READERS = """
async def reader(r):
    return len(await read(r, 2))

async def main(argv):
    r, w = await pipe()
    thread = await pthread_create(reader, r)
    pid = await fork()
    if pid == 0:
        await dawdle(60)
        await write(w, b"ab")
        await write(w, b"cd")
        await _exit(0)
    await close(w)
    mine = await reader(r)
    theirs = await pthread_join(thread)
    rest = len(await read(r, 4))
    assert mine + theirs + rest == 4 and mine and theirs, "bytes are lost or read twice"
    await waitpid(pid, 0)
    await write(1, b"done")
"""

PIPE_BUF_WRITES = """
async def writer(argument):
    w, byte = argument
    address = await malloc(4096)
    await memset(address, byte, 4096)
    await dawdle(200)
    await write_from(w, address, 4096)

async def main(argv):
    r, w = await pipe()
    threads = await pthread_create(writer, (w, 97)), await pthread_create(writer, (w, 98))
    data = b""
    while len(data) < 8192:
        data += await read(r, 1000)
    changes = sum(one != two for one, two in zip(data, data[1:]))
    assert changes == 1, "writes of PIPE_BUF bytes are mixed"
    for thread in threads:
        await pthread_join(thread)
    await write(1, b"first" if data[0] == 97 else b"second")
"""


def test_a_blocked_read_keeps_the_pipe_that_it_resolved() -> None:
    """Its descriptor is closed by another thread: does a write still find a reader, and the read its data?"""
    sweep(CLOSE, quick=36, orders=("read first", "close first"))


def test_the_end_of_file_comes_with_the_last_of_two_descriptors() -> None:
    """Data first, then the end, whichever descriptor was closed first."""
    assert set(sweep(LAST_WRITER)) == {b"done"}


def test_a_blocked_read_hears_that_the_last_writer_has_closed() -> None:
    """The close comes before the read, or while it waits: is the wake-up lost?"""
    sweep(EOF, quick=36, orders=("close first", "read first"))


def test_dup2_over_a_descriptor_that_is_read() -> None:
    """The read belongs to the old pipe or to the new one, by what it resolved."""
    sweep(DUP2, quick=36, orders=("read first", "dup2 first"))


def test_two_reads_of_one_description_take_different_bytes() -> None:
    """The offset is shared by dup: is reading and moving one step?"""
    sweep(SHARED_OFFSET, orders=("main first", "thread first"))


def test_two_appends_do_not_overwrite_each_other() -> None:
    """O_APPEND finds the end and writes there in one step, in two processes with descriptions of their own."""
    sweep(APPEND, orders=("child first", "parent first"))


def test_one_of_two_exclusive_creations_wins() -> None:
    """The oldest lock of Unix: O_CREAT | O_EXCL."""
    sweep(CREATE, orders=("child first", "parent first"))


def test_two_readers_of_a_pipe_share_its_bytes() -> None:
    """Two tickets on one pipe, two writes: is everybody woken who can go on?"""
    assert set(sweep(TWO_READERS)) == {b"done"}


def test_writes_of_pipe_buf_bytes_are_not_mixed() -> None:
    """Two writers at once, and a reader that takes odd pieces."""
    sweep(PIPE_BUF_WRITES, quick=20, orders=("first", "second"))
