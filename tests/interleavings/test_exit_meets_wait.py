"""A child ends while its parent's threads wait for it, are about to, or do not."""

from tests.support.machines import program, sweep

ONE = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        await _exit(3)
    await dawdle(40)
    got, status = await waitpid(pid, WNOHANG)
    order = b"exit first" if got else b"wait first"
    if not got:
        got, status = await waitpid(pid, 0)
    assert got == pid and WEXITSTATUS(status) == 3
    try:
        await waitpid(pid, 0)
    except ChildProcessError:
        await write(1, order)
"""

TWO_WAITERS = """
async def waiter(_):
    try:
        return (await waitpid(-1, 0))[0]
    except ChildProcessError:
        return 0

async def main(argv):
    pid = await fork()
    if pid == 0:
        await _exit(0)
    thread = await pthread_create(waiter)
    mine = await waiter(None)
    theirs = await pthread_join(thread)
    assert sorted((mine, theirs)) == [0, pid], "a child is collected once, and everybody else hears ECHILD"
    await write(1, b"main collects" if mine else b"thread collects")
"""

TWO_CHILDREN = """
async def main(argv):
    first = await fork()
    if first == 0:
        await dawdle(250)
        await _exit(1)
    second = await fork()
    if second == 0:
        await _exit(2)
    one = await wait()
    two = await wait()
    assert {one[0], two[0]} == {first, second}
    assert {WEXITSTATUS(one[1]), WEXITSTATUS(two[1])} == {1, 2}
    await write(1, b"first child first" if one[0] == first else b"second child first")
"""

KILLED = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        await _exit(3)
    await sched_yield()
    await kill(pid, SIGKILL)
    got, status = await waitpid(pid, 0)
    assert got == pid
    await write(1, b"kill first" if WIFSIGNALED(status) else b"exit first")
"""

ORPHAN = """
async def main(argv):
    r, w = await pipe()
    middle = await fork()
    if middle == 0:
        parent = await getpid()
        if await fork() == 0:
            await write(w, b"middle first" if await getppid() != parent else b"child first")
            await _exit(0)
        await _exit(0)
    await close(w)
    await waitpid(middle, 0)
    order = await read(r, 100)
    assert await read(r, 1) == b"", "the orphan is gone, and its descriptors with it"
    try:
        await wait()
    except ChildProcessError:
        await write(1, order)
"""

ZOMBIE_ORPHAN = """
async def main(argv):
    r, w = await pipe()
    middle = await fork()
    if middle == 0:
        pid = await fork()
        if pid == 0:
            await _exit(0)
        await write(w, b"exit first" if await waitid_like(pid) else b"middle first")
        await _exit(0)
    await waitpid(middle, 0)
    await write(1, await read(r, 100))

async def waitid_like(pid):
    try:
        text = await open(f"/proc/{pid}/stat", O_RDONLY)
    except FileNotFoundError:
        return True
    state = (await read(text, 200)).rsplit(b")", 1)[1].split()[0]
    return state == b"Z"
"""

VFORK = """
shared = Global(i32, 0)

async def child(_):
    await shared.store(1)
    await execv("./then", ["then"])

async def main(argv):
    pid = await clone(child, CLONE_VM | CLONE_VFORK | SIGCHLD, None)
    assert await shared.load() == 1, "the parent of vfork ran before its child was done"
    await dawdle(60)
    got, status = await waitpid(pid, WNOHANG)
    if not got:
        _, status = await waitpid(pid, 0)
    assert WEXITSTATUS(status) == 4
    await write(1, b"child first" if got else b"parent first")
"""


def test_a_child_that_ends_before_or_after_the_wait_is_collected_once() -> None:
    """Is a wake-up lost between the look for a zombie and the sleep?"""
    sweep(ONE, orders=("exit first", "wait first"))


def test_one_of_two_waiting_threads_gets_the_child() -> None:
    """Both are woken: does one collect, and the other hear that nothing is left?"""
    sweep(TWO_WAITERS, orders=("main collects", "thread collects"))


def test_two_children_end_in_either_order() -> None:
    """Does wait() give whichever has ended?"""
    sweep(TWO_CHILDREN, orders=("first child first", "second child first"))


def test_a_process_is_killed_before_or_after_its_exit() -> None:
    """SIGKILL to a process that is on its way out, or a zombie: is there one status?"""
    sweep(KILLED, orders=("kill first", "exit first"))


def test_an_orphan_is_reaped_by_init() -> None:
    """Father and child end at once: does somebody collect the child whichever is first?"""
    sweep(ORPHAN, orders=("child first", "middle first"))


def test_a_zombie_whose_parent_ends_is_reaped() -> None:
    """Handed to init as a zombie, or as a living process that becomes one: is it gone at the end?"""
    sweep(ZOMBIE_ORPHAN, orders=("exit first", "middle first"))


def test_the_parent_of_vfork_sleeps_until_its_child_is_done() -> None:
    """The child executes another image: is the parent woken then, and only then?"""
    sweep(program(VFORK, then="async def main(argv): await _exit(4)"), orders=("parent first", "child first"))
