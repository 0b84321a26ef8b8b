"""mmap, munmap, mprotect, msync, brk: errnos, sharing, copies, and what a bad access does."""

from observe import *

from userspace.libc import *

PAGE = 4096
RW = PROT_READ | PROT_WRITE
PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS
SHARED = MAP_SHARED | MAP_ANONYMOUS
address_seen = Global(i64, 0)
code_seen = Global(i32, 0)
page_to_repair = Global(i64, 0)


async def loads(address):
    return await i32.at(address).load()


async def stores(address, value=1):
    await i32.at(address).store(value)


@expect((True, 0, b"hello", b"\0\0"))
async def new_memory_is_zero_and_aligned():
    address = await mmap(0, 2 * PAGE, RW, PRIVATE)
    zero = await i32.at(address + PAGE).load()
    await write_bytes(address + PAGE - 2, b"hello")
    return address % PAGE == 0, zero, await read_bytes(address + PAGE - 2, 5), await read_bytes(address, 2)


@expect(("EINVAL", "EINVAL", "EINVAL", "EBADF", "EINVAL", "ENOMEM", "EINVAL"))
async def mmap_checks_its_arguments():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    return (
        await attempt(mmap(0, 0, RW, PRIVATE)),
        await attempt(mmap(0, PAGE, RW, MAP_ANONYMOUS)),
        await attempt(mmap(0, PAGE, RW, MAP_SHARED, fd, 100)),
        await attempt(mmap(0, PAGE, RW, MAP_SHARED, 77)),
        await attempt(mmap(100, PAGE, RW, PRIVATE | MAP_FIXED)),
        await attempt(mmap(0, 1 << 50, RW, PRIVATE)),
        await attempt(mmap(0, PAGE, RW, 0, fd)),
    )


@expect(("EACCES", "EACCES", "EACCES", True, True))
async def a_mapping_wants_the_descriptors_mode():
    await file_with("a", b"x" * PAGE)
    reader, writer = await open("a", O_RDONLY), await open("a", O_WRONLY)
    return (
        await attempt(mmap(0, PAGE, RW, MAP_SHARED, reader)),
        await attempt(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, writer)),
        await attempt(mmap(0, PAGE, PROT_WRITE, MAP_SHARED, writer)),
        await attempt(mmap(0, PAGE, RW, MAP_PRIVATE, reader)) > 0,
        await attempt(mmap(0, PAGE, PROT_READ, MAP_SHARED, reader)) > 0,
    )


@expect(("ENODEV", "ENODEV"))
async def some_files_cannot_be_mapped():
    reader, _ = await pipe()
    await mkdir("d")
    folder = await open("d", O_RDONLY)
    return await attempt(mmap(0, PAGE, PROT_READ, MAP_SHARED, reader)), await attempt(mmap(0, PAGE, PROT_READ, MAP_SHARED, folder))


@expect((b"MAPped file", b"written", b"MAPwritten!"))
async def a_shared_mapping_is_the_file():
    await file_with("a", b"mapped file")
    fd = await open("a", O_RDWR)
    address = await mmap(0, PAGE, RW, MAP_SHARED, fd)
    await write_bytes(address, b"MAP")
    first = await content("a")
    await pwrite(fd, b"written!", 3)
    return first, await read_bytes(address + 3, 7), await content("a")


@expect((b"file", b"FILe", b"file", b"filE"))
async def a_private_mapping_copies_on_write():
    await file_with("a", b"file")
    fd = await open("a", O_RDWR)
    address = await mmap(0, PAGE, RW, MAP_PRIVATE, fd)
    other = await mmap(0, PAGE, RW, MAP_PRIVATE, fd)
    before = await read_bytes(address, 4)
    await write_bytes(address, b"FIL")
    unchanged = await content("a")
    await pwrite(fd, b"E", 3)
    return before, await read_bytes(address, 4), unchanged, await read_bytes(other, 4)


@expect((b"second", b"second", 0))
async def a_mapping_has_an_offset_and_outlives_its_descriptor():
    fd = await open("a", O_CREAT | O_RDWR, 0o644)
    await pwrite(fd, b"second", PAGE)
    address = await mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, PAGE)
    first = await read_bytes(address, 6)
    await close(fd)
    await unlink("a")
    return first, await read_bytes(address, 6), (await read_bytes(address + 6, 1))[0]


@expect((("killed", 7), ("exited", 0), ("killed", 7)))
async def a_page_behind_the_end_of_a_file_is_sigbus():
    await file_with("a", b"x" * 10)
    fd = await open("a", O_RDWR)
    address = await mmap(0, 2 * PAGE, RW, MAP_SHARED, fd)
    seen = await in_child(loads, address + PAGE), await in_child(loads, address + 100)
    await ftruncate(fd, 0)
    return *seen, await in_child(loads, address)


@expect((10, b"x", 0))
async def bytes_behind_the_end_in_the_last_page_are_not_the_files():
    await file_with("a", b"x" * 10)
    fd = await open("a", O_RDWR)
    address = await mmap(0, PAGE, RW, MAP_SHARED, fd)
    await write_bytes(address + 10, b"beyond")
    data = await content("a")
    await ftruncate(fd, 5)
    await ftruncate(fd, 20)
    return len(data), (await content("a"))[:1], (await content("a"))[10]


@expect((("killed", 11), ("killed", 11), ("killed", 11), ("killed", 11)))
async def bad_accesses_are_sigsegv():
    readable = await mmap(0, PAGE, PROT_READ, PRIVATE)
    nothing = await mmap(0, PAGE, PROT_NONE, PRIVATE)
    gone = await mmap(0, PAGE, RW, PRIVATE)
    await munmap(gone, PAGE)
    return await in_child(stores, readable), await in_child(loads, nothing), await in_child(loads, gone), await in_child(loads, 16)


@expect((None, None, "EINVAL", "EINVAL", None, 7))
async def munmap_takes_what_is_there():
    address = await mmap(0, 3 * PAGE, RW, PRIVATE)
    await stores(address + 2 * PAGE, 7)
    return (
        await attempt(munmap(address + PAGE, PAGE)),
        await attempt(munmap(address + PAGE, PAGE)),
        await attempt(munmap(address + 1, PAGE)),
        await attempt(munmap(address, 0)),
        await attempt(munmap(address, 1)),
        await loads(address + 2 * PAGE),
    )


@expect((("killed", 11), ("exited", 7), ("killed", 11)))
async def a_hole_in_a_mapping_faults():
    address = await mmap(0, 3 * PAGE, RW, PRIVATE)
    await stores(address + 2 * PAGE, 7)
    await munmap(address + PAGE, PAGE)
    return await in_child(loads, address + PAGE), await in_child(loads, address + 2 * PAGE), await in_child(stores, address + PAGE)


@expect(("ENOMEM", "EINVAL", "ENOMEM", None, None))
async def mprotect_wants_memory():
    address = await mmap(0, 3 * PAGE, RW, PRIVATE)
    await munmap(address + PAGE, PAGE)
    return (
        await attempt(mprotect(address, 3 * PAGE, PROT_READ)),
        await attempt(mprotect(address + 5, PAGE, PROT_READ)),
        await attempt(mprotect(address + PAGE, PAGE, PROT_READ)),
        await attempt(mprotect(address, 0, PROT_READ)),
        await attempt(mprotect(address, PAGE, PROT_NONE)),
    )


@expect((("killed", 11), ("exited", 5), ("exited", 0), ("killed", 11)))
async def mprotect_changes_what_may_be_done():
    address = await mmap(0, PAGE, RW, PRIVATE)
    await stores(address, 5)
    await mprotect(address, PAGE, PROT_READ)
    seen = await in_child(stores, address), await in_child(loads, address)
    await mprotect(address, PAGE, RW)
    writable = await in_child(stores, address)
    await mprotect(address, PAGE, PROT_NONE)
    return *seen, writable, await in_child(loads, address)


@expect(("EACCES", None, "EACCES"))
async def mprotect_cannot_give_more_than_the_descriptor():
    await file_with("a", b"x" * PAGE)
    reader = await open("a", O_RDONLY)
    shared = await mmap(0, PAGE, PROT_READ, MAP_SHARED, reader)
    private = await mmap(0, PAGE, PROT_READ, MAP_PRIVATE, reader)
    return (
        await attempt(mprotect(shared, PAGE, RW)),
        await attempt(mprotect(private, PAGE, RW)),
        await attempt(mprotect(shared, PAGE, PROT_WRITE)),
    )


async def repair(signo, info, context):
    await address_seen.store(info.si_addr)
    await code_seen.store(info.si_code)
    await mprotect(await page_to_repair.load(), PAGE, RW)


@expect((9, 8, 2))
async def a_handler_can_repair_a_page():
    page = await mmap(0, PAGE, PROT_READ, PRIVATE)
    await page_to_repair.store(page)
    await sigaction(SIGSEGV, SigAction(repair, (), SA_SIGINFO))
    await stores(page + 8, 9)
    return await loads(page + 8), await address_seen.load() - page, await code_seen.load()


async def remap(signo, info, context):
    await code_seen.store(info.si_code)
    await mmap(await page_to_repair.load(), PAGE, RW, PRIVATE | MAP_FIXED)


@expect((0, 1))
async def a_handler_can_map_a_page():
    page = await mmap(0, PAGE, RW, PRIVATE)
    await page_to_repair.store(page)
    await sigaction(SIGSEGV, SigAction(remap, (), SA_SIGINFO))
    await munmap(page, PAGE)
    return await loads(page), await code_seen.load()


async def faults_blocked(address):
    await sigprocmask(SIG_BLOCK, {SIGSEGV})
    await loads(address)


async def faults_ignored(address):
    await sigaction(SIGSEGV, SigAction(SIG_IGN))
    await loads(address)


@expect((("killed", 11), ("killed", 11)))
async def a_fault_cannot_be_blocked_or_ignored():
    return await in_child(faults_blocked, 16), await in_child(faults_ignored, 16)


@expect((True, 0, 2, ("killed", 11)))
async def map_fixed_replaces_what_was_there():
    address = await mmap(0, 3 * PAGE, RW, PRIVATE)
    for page in range(3):
        await stores(address + page * PAGE, page)
    where = await mmap(address + PAGE, PAGE, RW, PRIVATE | MAP_FIXED)
    replaced, kept = await loads(address + PAGE), await loads(address + 2 * PAGE)
    await mmap(address, PAGE, PROT_NONE, PRIVATE | MAP_FIXED)
    return where == address + PAGE, replaced, kept, await in_child(loads, address)


@expect(("EEXIST", True, 1))
async def map_fixed_noreplace_does_not():
    address = await mmap(0, 2 * PAGE, RW, PRIVATE)
    await stores(address, 1)
    await munmap(address + PAGE, PAGE)
    flags = PRIVATE | MAP_FIXED_NOREPLACE
    first, second = await attempt(mmap(address, PAGE, RW, flags)), await attempt(mmap(address + PAGE, PAGE, RW, flags))
    return first, second == address + PAGE, await loads(address)


@expect((True, True))
async def a_hint_is_taken_where_it_is_free():
    address = await mmap(0, 4 * PAGE, RW, PRIVATE)
    await munmap(address, 4 * PAGE)
    taken = await mmap(address + PAGE, PAGE, RW, PRIVATE)
    other = await mmap(address + PAGE, PAGE, RW, PRIVATE)
    return taken == address + PAGE, other != address + PAGE


@expect((5, 5, 1, 2))
async def fork_shares_or_copies():
    private, shared = await mmap(0, PAGE, RW, PRIVATE), await mmap(0, PAGE, RW, SHARED)
    await stores(private, 1)
    await stores(shared, 1)
    seen = await in_child(adds_four, private), await in_child(adds_four, shared)
    await stores(shared, await loads(shared) - 3)
    return seen[0][1], seen[1][1], await loads(private), await loads(shared)


async def adds_four(address):
    await stores(address, await loads(address) + 4)
    return await loads(address)


@expect((1, 2))
async def writes_of_a_parent_do_not_reach_the_child():
    address = await mmap(0, PAGE, RW, PRIVATE)
    await stores(address, 1)
    reader, writer = await pipe()
    pid = await start(waits_and_loads, reader, address)
    await stores(address, 2)
    await write(writer, b"go")
    return (await end_of(pid))[1], await loads(address)


async def waits_and_loads(fd, address):
    await read(fd, 2)
    return await loads(address)


@expect((None, "ENOMEM", "EINVAL", "EINVAL", "EINVAL"))
async def msync_checks_its_arguments():
    await file_with("a", b"x")
    address = await mmap(0, PAGE, RW, MAP_SHARED, await open("a", O_RDWR))
    gone = await mmap(0, PAGE, RW, PRIVATE)
    await munmap(gone, PAGE)
    return (
        await attempt(msync(address, PAGE, MS_SYNC)),
        await attempt(msync(gone, PAGE, MS_SYNC)),
        await attempt(msync(address + 1, PAGE, MS_SYNC)),
        await attempt(msync(address, PAGE, MS_SYNC | MS_ASYNC)),
        await attempt(msync(address, PAGE, 0x100)),
    )


@expect((True, True, 0, ("killed", 11)))
async def the_break_moves():
    return await told_by_child(move_break)


async def move_break():
    before = await sbrk(0)
    old = await sbrk(3 * PAGE)
    zero = await loads((old + PAGE) & ~3)
    await sbrk(-3 * PAGE)
    return [old == before, await sbrk(0) == before, zero, await in_child(loads, (old + 2 * PAGE) & ~3)]


@expect(("ENOMEM", True))
async def the_break_has_a_limit():
    before = await sbrk(0)
    return await attempt(sbrk(1 << 46)), await sbrk(0) == before


@expect(("ENOENT", "EEXIST", b"shared", "EINVAL", None, "ENOENT"))
async def shared_memory_by_name():
    name = "/trapline-test"
    missing = await attempt(shm_open(name, O_RDWR, 0o600))
    fd = await shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0o600)
    again = await attempt(shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0o600))
    await ftruncate(fd, PAGE)
    first, second = await mmap(0, PAGE, RW, MAP_SHARED, fd), await mmap(0, PAGE, RW, MAP_SHARED, fd)
    await write_bytes(first, b"shared")
    bad = await attempt(shm_open("/a/b", O_CREAT | O_RDWR, 0o600))
    return missing, again, await read_bytes(second, 6), bad, await attempt(shm_unlink(name)), await attempt(shm_unlink(name))
