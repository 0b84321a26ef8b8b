"""The end of a child is told three ways: a zombie, SIGCHLD, and the wake-up of a waiting parent. In this order."""

from tests.support.machines import sweep

HANDLER = """
found = Global(i32, 0)
passed = Global(i32, 0)
early = Global(i32, 0)

async def on_child(signo):
    pid, status = await waitpid(-1, WNOHANG)
    assert pid > 0 and WEXITSTATUS(status) == 9, "SIGCHLD came before the zombie"
    await early.store(1 - await passed.load())
    await found.store(pid)

async def main(argv):
    await sigaction(SIGCHLD, SigAction(on_child))
    pid = await fork()
    if pid == 0:
        await _exit(9)
    await dawdle(100)
    await passed.store(1)
    while not await found.load():
        await sched_yield()
    assert await found.load() == pid
    await write(1, b"exit first" if await early.load() else b"parent first")
"""

SUSPEND = """
found = Global(i32, 0)

async def on_child(signo):
    pid, _ = await waitpid(-1, WNOHANG)
    await found.store(pid)

async def main(argv):
    await sigaction(SIGCHLD, SigAction(on_child))
    before = await sigprocmask(SIG_BLOCK, [SIGCHLD])
    pid = await fork()
    if pid == 0:
        await _exit(0)
    await dawdle(100)
    order = b"exit first" if SIGCHLD in await sigpending() else b"suspend first"
    try:
        await sigsuspend(before)
    except InterruptedError:
        pass
    assert await found.load() == pid, "SIGCHLD came before the zombie"
    assert SIGCHLD in await sigprocmask(SIG_BLOCK, None)
    await write(1, order)
"""

WAITING = """
calls = Global(i32, 0)

async def on_child(signo):
    await calls.fetch_add(1)
    try:
        pid, _ = await waitpid(-1, WNOHANG)
    except ChildProcessError:
        return
    assert pid > 0, "SIGCHLD came before the zombie"
    await calls.fetch_add(10)

async def main(argv):
    await sigaction(SIGCHLD, SigAction(on_child, flags=SA_RESTART))
    pid = await fork()
    if pid == 0:
        await _exit(0)
    await dawdle(100)
    try:
        assert (await waitpid(-1, 0))[0] == pid
        order = b"wait first"
    except ChildProcessError:
        order = b"handler first"
    seen = await calls.load()
    assert seen == (1 if order == b"wait first" else 11), seen
    await write(1, order)
"""

IGNORED = """
async def main(argv):
    await sigaction(SIGCHLD, {action})
    pid = await fork()
    if pid == 0:
        await _exit(0)
    await dawdle(40)
    try:
        assert await waitpid(pid, WNOHANG) == (0, 0)
        order = b"wait first"
        await waitpid(pid, 0)
        assert False, "a zombie of a parent that wants none was collected"
    except ChildProcessError as error:
        assert error.errno == ECHILD
        if "order" not in locals():
            order = b"exit first"
    await write(1, order)
"""

TWO_CHILDREN = """
found = Global(i32, 0)
calls = Global(i32, 0)

async def on_child(signo):
    await calls.fetch_add(1)
    count = 0
    while True:
        try:
            pid, _ = await waitpid(-1, WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            break
        count += 1
    await found.fetch_add(count)

async def main(argv):
    await sigaction(SIGCHLD, SigAction(on_child))
    before = await sigprocmask(SIG_BLOCK, [SIGCHLD])
    for _ in range(2):
        if await fork() == 0:
            await _exit(0)
    await dawdle(100)
    await sigprocmask(SIG_SETMASK, before)
    while await found.load() < 2:
        await sched_yield()
    await write(1, b"one call" if await calls.load() == 1 else b"a call for each")
"""


def test_a_handler_that_waits_with_wnohang_always_finds_the_child() -> None:
    """Is the zombie recorded before SIGCHLD is posted?"""
    sweep(HANDLER, orders=("exit first", "parent first"))


def test_sigsuspend_misses_no_sigchld() -> None:
    """The race for which sigsuspend exists: the child ends between the look at the mask and the sleep."""
    sweep(SUSPEND, orders=("exit first", "suspend first"))


def test_a_child_is_collected_once_by_the_blocked_wait_or_by_the_handler() -> None:
    """The wait's thread has the signal too: does whichever comes first get the child, and the other ECHILD?"""
    sweep(WAITING, quick=36, orders=("wait first", "handler first"))


def test_a_parent_that_ignores_sigchld_gets_echild_when_all_are_gone() -> None:
    """A wait that began before the child ended must end, though there is no status to collect."""
    sweep(IGNORED.format(action="SigAction(SIG_IGN)"), orders=("exit first", "wait first"))


def test_sa_nocldwait_discards_zombies_too() -> None:
    """The same for the flag, with a default action."""
    sweep(IGNORED.format(action="SigAction(SIG_DFL, flags=SA_NOCLDWAIT)"), orders=("exit first", "wait first"))


def test_two_children_may_be_told_by_one_sigchld() -> None:
    """A standard signal is pending once: does the loop in the handler, which every Unix text teaches, find both?"""
    sweep(TWO_CHILDREN, orders=("one call", "a call for each"))
