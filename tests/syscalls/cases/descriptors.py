"""open, close, read, write, lseek, pread, pwrite, dup, dup2, dup3, fcntl."""

from observe import *

from userspace.libc import *


@expect((3, 4, 3))
async def open_gives_the_lowest_free_descriptor():
    first = await open("a", O_CREAT | O_RDWR, 0o644)
    second = await open("a", O_RDWR)
    await close(first)
    return first, second, await open("a", O_RDONLY)


@expect(("EBADF", "EBADF", "EBADF", "EBADF", "EBADF", "EBADF"))
async def descriptors_that_are_not_open_are_ebadf():
    return (
        await attempt(close(9)),
        await attempt(read(9, 1)),
        await attempt(write(-1, b"x")),
        await attempt(lseek(9, 0, SEEK_SET)),
        await attempt(fstat(9)),
        await attempt(ftruncate(9, 0)),
    )


@expect((None, "EBADF"))
async def closing_twice_is_ebadf():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    return await attempt(close(fd)), await attempt(close(fd))


@expect(("EBADF", "EBADF", "EBADF", "EBADF"))
async def the_access_mode_is_checked_on_every_transfer():
    writer = await open("a", O_CREAT | O_WRONLY, 0o644)
    reader = await open("a", O_RDONLY)
    return (
        await attempt(read(writer, 1)),
        await attempt(write(reader, b"x")),
        await attempt(pread(writer, 1, 0)),
        await attempt(pwrite(reader, b"x", 0)),
    )


@expect(("ENOENT", "EEXIST", "EISDIR", "ENOTDIR", "ENOTDIR", "ENOENT"))
async def open_refuses_by_what_stands_at_the_name():
    await file_with("a")
    await mkdir("d")
    return (
        await attempt(open("none", O_RDONLY)),
        await attempt(open("a", O_CREAT | O_EXCL | O_WRONLY, 0o644)),
        await attempt(open("d", O_WRONLY)),
        await attempt(open("a", O_RDONLY | O_DIRECTORY)),
        await attempt(open("a/b", O_RDONLY)),
        await attempt(open("", O_RDONLY)),
    )


@expect(("ELOOP", "EEXIST", "ENOENT", 3, True))
async def open_and_symbolic_links():
    await symlink("target", "s")
    seen = (
        await attempt(open("s", O_RDONLY | O_NOFOLLOW)),
        await attempt(open("s", O_CREAT | O_EXCL | O_WRONLY, 0o644)),
        await attempt(open("s", O_RDONLY)),
        await attempt(open("s", O_CREAT | O_WRONLY, 0o644)),
    )
    return *seen, S_ISREG((await lstat("target")).st_mode)


@expect(("EISDIR", "EISDIR", "EISDIR", b""))
async def directories_are_not_read_or_created_by_open():
    await mkdir("d")
    fd = await open("d", O_RDONLY | O_DIRECTORY)
    empty = await open("a", O_CREAT | O_RDWR, 0o644)
    return (
        await attempt(read(fd, 10)),
        await attempt(open("d", O_CREAT | O_RDONLY, 0o644)),
        await attempt(open("new/", O_CREAT | O_WRONLY, 0o644)),
        await attempt(read(empty, 10)),
    )


@expect((5, 3, b"lo", b"", 5))
async def reads_advance_the_offset_to_the_end():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    count = await write(fd, b"hello")
    return count, await lseek(fd, 3, SEEK_SET), await read(fd, 10), await read(fd, 10), await lseek(fd, 0, SEEK_CUR)


@expect((12, "EINVAL", "EINVAL", "EINVAL", 12, 8, 100, b""))
async def lseek_goes_past_the_end_but_not_before_the_start():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    await write(fd, b"0123456789")
    return (
        await attempt(lseek(fd, 2, SEEK_CUR)),
        await attempt(lseek(fd, -1, SEEK_SET)),
        await attempt(lseek(fd, -13, SEEK_CUR)),
        await attempt(lseek(fd, 0, 99)),
        await attempt(lseek(fd, 0, SEEK_CUR)),
        await attempt(lseek(fd, -2, SEEK_END)),
        await attempt(lseek(fd, 100, SEEK_SET)),
        await attempt(read(fd, 5)),
    )


@expect(("ESPIPE", "ESPIPE", "ESPIPE"))
async def pipes_have_no_offset():
    reader, writer = await pipe()
    return await attempt(lseek(reader, 0, SEEK_CUR)), await attempt(pread(reader, 1, 0)), await attempt(pwrite(writer, b"x", 0))


@expect((b"\0\0\0\0\0abc", 8))
async def a_write_past_the_end_leaves_a_hole_of_zeros():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    await lseek(fd, 5, SEEK_SET)
    await write(fd, b"abc")
    return await content("a"), (await fstat(fd)).st_size


@expect((b"cde", b"", 2, 1, b"abXdef", "EINVAL", "EINVAL"))
async def pread_and_pwrite_leave_the_offset_alone():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    await write(fd, b"abcdef")
    await lseek(fd, 2, SEEK_SET)
    middle, beyond = await pread(fd, 3, 2), await pread(fd, 3, 50)
    offset = await lseek(fd, 0, SEEK_CUR)
    count = await pwrite(fd, b"X", 2)
    return middle, beyond, offset, count, await content("a"), await attempt(pread(fd, 1, -1)), await attempt(pwrite(fd, b"x", -1))


@expect((b"onetwo!!", 8, b"one"))
async def append_writes_at_the_end_wherever_the_offset_is():
    await file_with("a", b"one")
    fd = await open("a", O_RDWR | O_APPEND)
    start_of_file = await read(fd, 3)
    await lseek(fd, 0, SEEK_SET)
    await write(fd, b"two")
    await pwrite(fd, b"!!", 0)  # Linux appends here too: pwrite(2), BUGS
    await lseek(fd, 0, SEEK_END)
    return await content("a"), await lseek(fd, 0, SEEK_CUR), start_of_file


@expect((b"", b"new"))
async def truncation_at_open_empties_the_file():
    await file_with("a", b"old content")
    fd = await open("a", O_WRONLY | O_TRUNC)
    empty = await content("a")
    await write(fd, b"new")
    return empty, await content("a")


@expect((4, b"abcd", 4))
async def duplicates_share_one_offset():
    await file_with("a", b"abcdefgh")
    fd = await open("a", O_RDONLY)
    twin = await dup(fd)
    head = await read(fd, 4)
    return await lseek(twin, 0, SEEK_CUR), head, twin


@expect((0, 4))
async def two_opens_have_two_offsets():
    await file_with("a", b"abcdefgh")
    first, second = await open("a", O_RDONLY), await open("a", O_RDONLY)
    await read(first, 4)
    return await lseek(second, 0, SEEK_CUR), await lseek(first, 0, SEEK_CUR)


@expect((7, 3, b"x", "EBADF", "EBADF", "EBADF", "EBADF"))
async def dup2_closes_the_target_and_keeps_the_source():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    await write(fd, b"x")
    other = await open("b", O_CREAT | O_RDWR, 0o644)
    await dup2(other, 7)
    seen = await dup2(fd, 7), await dup2(fd, fd), await pread(7, 1, 0)
    return (
        *seen,
        await attempt(dup2(50, 7)),
        await attempt(dup2(50, 50)),
        await attempt(dup2(fd, -1)),
        await attempt(dup2(fd, 5000)),
    )


@expect(("EINVAL", "EINVAL", "EBADF", 9, 1, 0))
async def dup3_wants_two_descriptors_and_known_flags():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    seen = (
        await attempt(dup3(fd, fd, 0)),
        await attempt(dup3(fd, 9, O_APPEND)),
        await attempt(dup3(50, 9, 0)),
        await attempt(dup3(fd, 9, O_CLOEXEC)),
    )
    return *seen, await fcntl(9, F_GETFD), await fcntl(fd, F_GETFD)


@expect((10, 11, 12, 0, 1, "EINVAL", "EINVAL", "EBADF"))
async def fcntl_duplicates_from_a_lower_bound():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    first, second, third = await fcntl(fd, F_DUPFD, 10), await fcntl(fd, F_DUPFD, 10), await fcntl(fd, F_DUPFD_CLOEXEC, 10)
    return (
        first,
        second,
        third,
        await fcntl(second, F_GETFD),
        await fcntl(third, F_GETFD),
        await attempt(fcntl(fd, F_DUPFD, -1)),
        await attempt(fcntl(fd, F_DUPFD, 5000)),
        await attempt(fcntl(50, F_DUPFD, 0)),
    )


@expect((0, 0, 1, 0, 0, 1))
async def close_on_exec_belongs_to_the_descriptor():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    twin = await dup(fd)
    before = await fcntl(fd, F_GETFD)
    answer = await fcntl(fd, F_SETFD, FD_CLOEXEC)
    other = await open("a", O_RDONLY | O_CLOEXEC)
    seen = before, answer, await fcntl(fd, F_GETFD), await fcntl(twin, F_GETFD), await fcntl(await dup(fd), F_GETFD)
    return *seen, await fcntl(other, F_GETFD)


@expect((True, True, True, True))
async def status_flags_belong_to_the_open_file():
    fd = await open("a", O_CREAT | O_RDWR | O_TRUNC, 0o644)
    twin = await dup(fd)
    before = await fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT | O_TRUNC) == O_RDWR
    await fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK)
    both = O_RDWR | O_APPEND | O_NONBLOCK
    return (
        before,
        await fcntl(twin, F_GETFL) & (both | O_ACCMODE) == both,
        await fcntl(await open("a", O_WRONLY), F_GETFL) & (both | O_ACCMODE) == O_WRONLY,
        await fcntl(fd, F_SETFL, O_WRONLY) == 0 and await fcntl(fd, F_GETFL) & O_ACCMODE == O_RDWR,
    )


@expect(("EBADF", "EINVAL", "EBADF"))
async def fcntl_refuses_what_it_does_not_know():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    return await attempt(fcntl(50, F_GETFL)), await attempt(fcntl(fd, 9999)), await attempt(fcntl(50, 9999))


@expect((3, 4, "EMFILE", "EMFILE", "EMFILE", "EMFILE", 4))
async def a_full_table_is_emfile():
    await setrlimit(RLIMIT_NOFILE, (5, 4096))
    first, second = await open("a", O_CREAT | O_RDWR, 0o644), await dup(0)
    seen = await attempt(open("a", O_RDONLY)), await attempt(dup(0)), await attempt(pipe())
    last = await attempt(fcntl(0, F_DUPFD, 3))
    await close(second)
    return first, second, *seen, last, await dup(0)


@expect(("EMFILE", 4))
async def a_pipe_that_does_not_fit_takes_no_descriptor():
    await setrlimit(RLIMIT_NOFILE, (5, 4096))
    await dup(0)
    return await attempt(pipe()), await dup(0)


async def read_two(fd):
    await read(fd, 2)


@expect((b"AB", b"abABef"))
async def a_child_shares_the_offset_of_an_inherited_descriptor():
    await file_with("a", b"abcdef")
    fd = await open("a", O_RDWR)
    await in_child(read_two, fd)
    await write(fd, b"AB")
    return await pread(fd, 2, 2), await content("a")


@expect((6, b"abcdef", 6, b"ab", b"cdef"))
async def vectors_are_one_write_and_one_read():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    count = await writev(fd, (b"ab", b"", b"cdef"))
    address = await mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    await lseek(fd, 0, SEEK_SET)
    got = await readv(fd, ((address, 2), (address + 100, 10)))
    return count, await content("a"), got, await read_bytes(address, 2), await read_bytes(address + 100, 4)


@expect(("EFAULT", "EFAULT", 3, b"abc"))
async def bad_buffers_are_efault_and_good_ones_work():
    await file_with("a", b"abc")
    fd = await open("a", O_RDWR)
    address = await mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    return (
        await attempt(read_into(fd, 8, 3)),
        await attempt(write_from(fd, 8, 3)),
        await attempt(read_into(fd, address, 3)),
        await read_bytes(address, 3),
    )


@expect(("EINVAL", "EINVAL", "EISDIR", "ENOENT", b"abc\0\0", b"a", "EINVAL"))
async def truncation_cuts_and_extends():
    await file_with("a", b"abc")
    await mkdir("d")
    reader, writer = await open("a", O_RDONLY), await open("a", O_WRONLY)
    refused = (
        await attempt(ftruncate(reader, 1)),
        await attempt(ftruncate(writer, -1)),
        await attempt(truncate("d", 0)),
        await attempt(truncate("none", 0)),
    )
    await ftruncate(writer, 5)
    longer = await content("a")
    await truncate("a", 1)
    return *refused, longer, await content("a"), await attempt(truncate("a", -1))


@expect((b"ab\0\0\0f", 6))
async def what_truncation_cut_off_does_not_come_back():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    await write(fd, b"abcdef")
    await ftruncate(fd, 2)
    await pwrite(fd, b"f", 5)
    return await content("a"), (await fstat(fd)).st_size


@expect((None, None, "EINVAL", "EBADF"))
async def fsync_is_for_files_and_directories():
    writer = await open("a", O_CREAT | O_WRONLY, 0o644)
    await write(writer, b"abc")
    directory = await open(".", O_RDONLY)
    end, _ = await pipe()
    return await attempt(fsync(writer)), await attempt(fsync(directory)), await attempt(fsync(end)), await attempt(fsync(99))


@expect((b"still here", 0, "ENOENT"))
async def an_unlinked_file_lives_while_it_is_open():
    await file_with("a", b"still here")
    fd = await open("a", O_RDONLY)
    await unlink("a")
    return await read(fd, 100), (await fstat(fd)).st_nlink, await attempt(stat("a"))


@expect((0, 0, b"", "EBADF"))
async def transfers_of_nothing_give_nothing():
    await file_with("a", b"abc")
    fd = await open("a", O_RDWR)
    reader, writer = await pipe()
    return await write(fd, b""), await write(writer, b""), await read(reader, 0), await attempt(write(reader, b""))


@expect((b"", 5, b"\0\0\0", "EINVAL"))
async def devices_null_and_zero():
    null, zero = await open("/dev/null", O_RDWR), await open("/dev/zero", O_RDWR)
    return await read(null, 10), await write(null, b"12345"), await read(zero, 3), await attempt(ftruncate(null, 0))


@expect(("ENOSPC", 4))
async def device_full_is_always_full():
    full = await open("/dev/full", O_RDWR)
    return await attempt(write(full, b"x")), len(await read(full, 4))


@expect(("EFBIG", ("killed", 25), 4, b"abcd"))
async def the_file_size_limit_is_sigxfsz_or_efbig():
    await setrlimit(RLIMIT_FSIZE, (4, 100))
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    count = await write(fd, b"abcdef")
    how = await in_child(write, fd, b"x")
    await sigaction(SIGXFSZ, SigAction(SIG_IGN))
    return await attempt(write(fd, b"x")), how, count, await content("a")


@expect((3, b"xyz", "ENOTDIR", "EBADF", "ENOENT"))
async def openat_starts_at_a_directory():
    await mkdir("d")
    await file_with("d/f", b"xyz")
    folder = await open("d", O_RDONLY | O_DIRECTORY)
    file = await open("d/f", O_RDONLY)
    fd = await openat(folder, "f", O_RDONLY)
    return (
        folder,
        await read(fd, 10),
        await attempt(openat(file, "f", O_RDONLY)),
        await attempt(openat(77, "f", O_RDONLY)),
        await attempt(openat(AT_FDCWD, "f", O_RDONLY)),
    )


@expect(("ENOTTY", False, "EBADF"))
async def a_file_is_no_terminal():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    return await attempt(ioctl(fd, TIOCGWINSZ, 0)), await isatty(fd), await attempt(ioctl(60, TIOCGWINSZ, 0))
