"""fork and clone at a limit: of two at once one may fail, with everything undone."""

import msgspec

from tests.support.machines import sweep
from trapline.config import load


def _limited(**limits: int) -> object:
    checked = load("checked")
    return msgspec.structs.replace(checked, machine=msgspec.structs.replace(checked.machine, **limits))


FORKS = """
tried = Global(i32, 0)

async def forker(_):
    await dawdle(40)
    try:
        pid = await fork()
    except BlockingIOError as error:
        assert error.errno == EAGAIN
        pid = -1
    if pid == 0:
        await pause()
    await tried.fetch_add(1)
    while await tried.load() < 2:  # this thread counts until the other one has tried
        await sched_yield()
    return pid

async def main(argv):
    thread = await pthread_create(forker)
    mine = await forker(None)
    theirs = await pthread_join(thread)
    assert (mine < 0) != (theirs < 0), "the limit lets one more in, or nobody"
    await kill(max(mine, theirs), SIGKILL)
    await wait()
    pid = await fork()  # what failed left nothing behind
    if pid == 0:
        await _exit(0)
    await waitpid(pid, 0)
    await write(1, b"main first" if mine > 0 else b"thread first")
"""

THREADS = """
async def thread(_):
    return 1

async def creator(_):
    await dawdle(40)
    try:
        one = await pthread_create(thread)
    except BlockingIOError:
        return 0
    await dawdle(100)
    return await pthread_join(one)

async def main(argv):
    other = await pthread_create(creator)
    mine = await creator(None)
    theirs = await pthread_join(other)
    assert mine or theirs
    await write(1, (b"both", b"main only", b"thread only")[0 if mine and theirs else 1 if mine else 2])
"""

DESCRIPTORS = """
async def opener(_):
    await dawdle(40)
    try:
        return (await pipe())[0]
    except OSError as error:
        assert error.errno == EMFILE
        return 0

async def main(argv):
    thread = await pthread_create(opener)
    mine = await opener(None)
    theirs = await pthread_join(thread)
    assert (mine == 0) != (theirs == 0), "a pipe was made with one end"
    await close(mine or theirs)
    await dup(0)
    await write(1, b"main first" if mine else b"thread first")
"""

FRAMES = """
async def toucher(address):
    await dawdle(40)
    try:
        pid = await fork()
    except OSError as error:
        assert error.errno in (ENOMEM, EAGAIN)
        return 0
    if pid == 0:
        for page in range(64):
            await u8.at(address + 4096 * page).store(1)
        await _exit(1)
    _, status = await waitpid(pid, 0)
    return 1 if WIFEXITED(status) else 2

async def main(argv):
    address = await mmap(NULL, 65 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    thread = await pthread_create(toucher, address)
    mine = await toucher(address)
    theirs = await pthread_join(thread)
    await write(1, b"both" if mine == theirs == 1 else b"main only" if mine == 1 else b"thread only" if theirs == 1 else b"none")
"""


def test_one_of_two_forks_gets_the_last_thread() -> None:
    """The machine has room for one more: does the other get EAGAIN, with its embryo gone and its number free?"""
    sweep(FORKS, config=_limited(max_threads=3), orders=("main first", "thread first"))


def test_threads_at_the_limit_fail_or_follow_those_that_ended() -> None:
    """Room for one more: both succeed if the first has ended before the second begins."""
    sweep(THREADS, quick=36, config=_limited(max_threads=3), orders=("both", "main only", "thread only"))


def test_one_of_two_pipes_gets_the_last_descriptors() -> None:
    """A pipe needs two: is the first given back where the second cannot be had?"""
    sweep(DESCRIPTORS, config=_limited(max_files=6), orders=("main first", "thread first"))


def test_two_processes_meet_at_the_last_frame() -> None:
    """Frames run out: whoever asks is killed, what it had is free again for the other."""
    seen = sweep(FRAMES, quick=20, config=_limited(memory_mib=1))
    assert {b"both", b"main only", b"thread only"} & set(seen), seen
