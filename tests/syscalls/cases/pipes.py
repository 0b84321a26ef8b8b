"""pipe, pipe2, FIFOs: end of file, EPIPE and SIGPIPE, EAGAIN, capacity, atomic writes, the rendezvous of opening."""

from observe import *

from userspace.libc import *

CAPACITY = 65536
counted = Global(i32, 0)


async def count(signo):
    await counted.store(await counted.load() + 1)


@expect((3, 4, "abc", 0, 0))
async def a_pipe_is_two_descriptors():
    reader, writer = await pipe()
    await write(writer, b"abc")
    return reader, writer, (await read(reader, 10)).decode(), await fcntl(reader, F_GETFD), await fcntl(writer, F_GETFD)


@expect((b"abc", b"", b""))
async def a_pipe_without_writers_ends_after_its_data():
    reader, writer = await pipe()
    await write(writer, b"abc")
    await close(writer)
    return await read(reader, 10), await read(reader, 10), await read(reader, 10)


@expect(("EPIPE", ("killed", 13), 1))
async def a_pipe_without_readers_is_sigpipe_or_epipe():
    reader, writer = await pipe()
    await close(reader)
    how = await in_child(write, writer, b"x")
    await sigaction(SIGPIPE, SigAction(count))
    return await attempt(write(writer, b"x")), how, await counted.load()


@expect(("EPIPE", "EPIPE"))
async def an_ignored_sigpipe_leaves_epipe():
    reader, writer = await pipe()
    await sigaction(SIGPIPE, SigAction(SIG_IGN))
    await close(reader)
    return await attempt(write(writer, b"x")), await attempt(write(writer, b"xx"))


@expect((0,))
async def a_write_of_nothing_to_a_broken_pipe_is_no_error():
    reader, writer = await pipe()
    await close(reader)
    return (await attempt(write(writer, b"")),)


@expect(("EAGAIN", b"x", "EAGAIN", b""))
async def a_nonblocking_read_of_an_empty_pipe_is_eagain():
    reader, writer = await pipe2(O_NONBLOCK)
    seen = await attempt(read(reader, 1))
    await write(writer, b"x")
    got, again = await read(reader, 5), await attempt(read(reader, 5))
    await close(writer)
    return seen, got, again, await read(reader, 5)


@expect((65536, "EAGAIN", 4096, 4096, 0))
async def a_full_pipe_takes_nothing_until_it_is_read():
    reader, writer = await pipe2(O_NONBLOCK)
    count = await write(writer, bytes(CAPACITY))
    full = await attempt(write(writer, b"x"))
    got = len(await read(reader, 4096))
    return count, full, got, await write(writer, bytes(4096)), len(await read(reader, 0))


@expect((61440, "EAGAIN", 4096))
async def a_small_nonblocking_write_is_all_or_nothing():
    _, writer = await pipe2(O_NONBLOCK)
    count = await write(writer, bytes(CAPACITY - 4096))
    await write(writer, bytes(4000))
    return count, await attempt(write(writer, bytes(PIPE_BUF))), PIPE_BUF


@expect((61440, 4096, "EAGAIN"))
async def a_large_nonblocking_write_may_be_partial():
    _, writer = await pipe2(O_NONBLOCK)
    count = await write(writer, bytes(CAPACITY - 4096))
    return count, await attempt(write(writer, bytes(10_000))), await attempt(write(writer, b"x"))


@expect((65536, 65536, "EBADF"))
async def the_capacity_can_be_asked():
    reader, writer = await pipe()
    null = await open("/dev/null", O_RDONLY)
    return await fcntl(reader, F_GETPIPE_SZ), await fcntl(writer, F_GETPIPE_SZ), await attempt(fcntl(null, F_GETPIPE_SZ))


async def write_much(reader, writer):
    await close(reader)
    await _exit(7 if await write(writer, b"y" * 200_000) == 200_000 else 1)


@expect((200000, {121}, ("exited", 7)))
async def a_blocking_write_larger_than_the_pipe_completes():
    reader, writer = await pipe()
    pid = await start(write_much, reader, writer)
    await close(writer)
    data = await read_all(reader)
    return len(data), set(data), await end_of(pid)


async def write_blocked(reader, writer):
    await close(reader)
    await sigaction(SIGPIPE, SigAction(SIG_IGN))
    first = await attempt(write(writer, bytes(CAPACITY + 100)))
    return [first, await attempt(write(writer, b"x"))]


@expect((1, 65536, "EPIPE"))
async def a_blocked_write_reports_what_it_wrote_when_the_reader_goes():
    reader, writer = await pipe()
    answer, tell = await pipe()
    pid = await fork()
    if pid == 0:
        first, second = await write_blocked(reader, writer)
        await write(tell, f"{first} {second}".encode())
        await _exit(0)
    await close(writer)
    await until(pid, "S")
    await close(reader)
    await waitpid(pid, 0)
    first, second = (await read(answer, 100)).decode().split()
    return int(pid > 0), int(first), second


@expect(("EBADF", "EBADF"))
async def the_ends_go_one_way():
    reader, writer = await pipe()
    return await attempt(write(reader, b"x")), await attempt(read(writer, 1))


@expect((1, 1, True, True, "EINVAL"))
async def pipe2_takes_flags():
    reader, writer = await pipe2(O_CLOEXEC | O_NONBLOCK)
    flags = await fcntl(reader, F_GETFL), await fcntl(writer, F_GETFL)
    nonblocking = flags[0] == O_RDONLY | O_NONBLOCK, flags[1] == O_WRONLY | O_NONBLOCK
    return await fcntl(reader, F_GETFD), await fcntl(writer, F_GETFD), *nonblocking, await attempt(pipe2(O_APPEND))


@expect((True, "0o600", 1, 0))
async def fstat_of_a_pipe():
    reader, _ = await pipe()
    st = await fstat(reader)
    return S_ISFIFO(st.st_mode), oct(st.st_mode & 0o777), st.st_nlink, st.st_size


@expect((b"", ("exited", 3)))
async def the_last_of_several_writers_ends_the_pipe():
    reader, writer = await pipe()
    twin = await dup(writer)
    await close(writer)
    pid = await start(exit_with_three)
    await close(twin)
    return await read(reader, 5), await end_of(pid)


async def exit_with_three():
    return 3


async def write_late(reader, writer):
    await nanosleep(20_000_000)
    await write(writer, b"late")


@expect((b"late", ("exited", 0)))
async def a_read_waits_for_a_writer():
    reader, writer = await pipe()
    pid = await start(write_late, reader, writer)
    return await read(reader, 10), await end_of(pid)


@expect((b"ab", b"cd", 2))
async def a_read_takes_what_is_there():
    reader, writer = await pipe()
    await write(writer, b"ab")
    first = await read(reader, 100)
    await write(writer, b"cdef")
    return first, await read(reader, 2), len(await read(reader, 100))


@expect(("EEXIST", "ENOENT", True, "0o640", 1))
async def making_a_fifo():
    await mkfifo("f", 0o640)
    st = await stat("f")
    return await attempt(mkfifo("f", 0o600)), await attempt(mkfifo("none/f")), S_ISFIFO(st.st_mode), await mode_of("f"), st.st_nlink


@expect(("ENXIO", 3, "ENXIO", 4))
async def a_nonblocking_open_of_a_fifo_wants_a_reader_for_writing():
    await mkfifo("f")
    lonely = await attempt(open("f", O_WRONLY | O_NONBLOCK))
    reader = await open("f", O_RDONLY | O_NONBLOCK)
    writer = await open("f", O_WRONLY | O_NONBLOCK)
    await close(reader)
    again = await attempt(open("f", O_WRONLY | O_NONBLOCK))
    return lonely, reader, again, writer


@expect((b"", b"x", "EAGAIN", b""))
async def a_fifo_that_had_no_writer_is_at_its_end():
    await mkfifo("f")
    reader = await open("f", O_RDONLY | O_NONBLOCK)
    nobody = await read(reader, 5)
    writer = await open("f", O_WRONLY)
    await write(writer, b"x")
    got, empty = await read(reader, 5), await attempt(read(reader, 5))
    await close(writer)
    return nobody, got, empty, await read(reader, 5)


async def write_to_fifo():
    fd = await open("f", O_WRONLY)
    await write(fd, b"through the fifo")


@expect((b"through the fifo", b"", ("exited", 0)))
async def opening_a_fifo_waits_for_the_other_side():
    await mkfifo("f")
    pid = await start(write_to_fifo)
    fd = await open("f", O_RDONLY)
    data = await read_all(fd)
    return data, await read(fd, 1), await end_of(pid)


async def read_from_fifo():
    fd = await open("f", O_RDONLY)
    return len(await read_all(fd))


@expect((5, ("exited", 5)))
async def a_writer_waits_for_a_reader():
    await mkfifo("f")
    pid = await start(read_from_fifo)
    fd = await open("f", O_WRONLY)
    count = await write(fd, b"12345")
    await close(fd)
    return count, await end_of(pid)


@expect((b"self", 0))
async def a_fifo_opened_for_both_never_blocks():
    await mkfifo("f")
    fd = await open("f", O_RDWR)
    await write(fd, b"self")
    return await read(fd, 10), (await fstat(fd)).st_size


@expect(("EINTR", 1, "ENXIO"))
async def a_signal_interrupts_the_opening_of_a_fifo():
    await mkfifo("f")
    await sigaction(SIGALRM, SigAction(count))
    pid = await start(alarm_parent)
    seen = await attempt(open("f", O_RDONLY))
    await waitpid(pid, 0)
    return seen, await counted.load(), await attempt(open("f", O_WRONLY | O_NONBLOCK))


async def alarm_parent():
    await until(await getppid(), "S")
    await kill(await getppid(), SIGALRM)


@expect((b"ab", "ENOENT"))
async def an_unlinked_fifo_goes_on():
    await mkfifo("f")
    fd = await open("f", O_RDWR)
    await unlink("f")
    await write(fd, b"ab")
    return await read(fd, 5), await attempt(open("f", O_RDONLY | O_NONBLOCK))


@expect(("ESPIPE", "EINVAL", "ENOTDIR", "EINVAL"))
async def what_a_fifo_refuses():
    await mkfifo("f")
    fd = await open("f", O_RDWR)
    return (
        await attempt(lseek(fd, 0, SEEK_SET)),
        await attempt(ftruncate(fd, 0)),
        await attempt(open("f/x", O_RDONLY)),
        await attempt(truncate("f", 0)),
    )
