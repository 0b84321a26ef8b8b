"""execve in a process with several threads: the others must end, wherever they are, and the caller becomes the leader."""

from tests.support.machines import program, sweep

MARKED = """
async def main(argv):
    assert await getpid() == await gettid() == int(argv[2]), "the caller did not become the leader"
    try:
        mark = await read(int(argv[1]), 1)
    except OSError as error:
        assert error.errno == EAGAIN
        mark = b""
    await write(1, b"sibling first" if mark else b"exec first")
"""

SIBLING = """
word = Global(i32, 0)

async def sibling(argument):
    r, mark = argument
    await dawdle(250)
    await write(mark, b"x")
    {wait}
    await write(1, b"a sibling survived execve")

async def main(argv):
    r, _ = await pipe()
    marks, mark = await pipe2(O_NONBLOCK)
    await pthread_create(sibling, (r, mark))
    await execv("./then", ["then", str(marks), str(await getpid())])
"""

BY_THREAD = """
async def runner(marks):
    await execv("./then", ["then", str(marks), str(await getpid())])

async def main(argv):
    marks, mark = await pipe2(O_NONBLOCK)
    thread = await pthread_create(runner, marks)
    await dawdle(250)
    await write(mark, b"x")
    await pthread_join(thread)
    await write(1, b"the leader survived execve")
"""

TWO_EXECS = """
async def runner(_):
    await execv("./one", ["one"])

async def main(argv):
    await pthread_create(runner)
    await execv("./two", ["two"])
"""

EXEC_OR_EXIT = """
async def runner(_):
    await dawdle({dawdle})
    {first}

async def main(argv):
    pid = await fork()
    if pid == 0:
        await pthread_create(runner)
        {second}
    _, status = await waitpid(pid, 0)
    assert WIFEXITED(status)
    await write(1, b"exec first" if WEXITSTATUS(status) == 5 else b"exit first" if WEXITSTATUS(status) == 6 else b"neither")
"""

EXEC = 'await execv("./five", ["five"])'
EXIT = "await dawdle(250)\n        await _exit(6)"

KILLED = """
async def sibling(_):
    await compute(1000)

async def main(argv):
    pid = await fork()
    if pid == 0:
        await pthread_create(sibling)
        await execv("./five", ["five"])
    await dawdle(250)
    await dawdle(250)
    await kill(pid, SIGKILL)
    _, status = await waitpid(pid, 0)
    await write(1, b"kill first" if WIFSIGNALED(status) else b"exec first")
"""


def _exec_with_sibling(wait: str) -> None:
    sweep(program(SIBLING.format(wait=wait), then=MARKED), orders=("exec first", "sibling first"))


def test_exec_ends_a_sibling_that_reads_from_a_pipe() -> None:
    """Does the blocked sibling get out of `ipc`, and does the caller hear when it is gone?"""
    _exec_with_sibling("await read(r, 1)")


def test_exec_ends_a_sibling_that_waits_on_a_futex() -> None:
    """Is the ticket of a dead thread taken out of the queue of its word?"""
    _exec_with_sibling("await futex(word, FUTEX_WAIT, 0)")


def test_exec_ends_a_sibling_that_computes() -> None:
    """A sibling that makes no system call: does the kick reach its core?"""
    _exec_with_sibling("while True: await compute(1_000_000)")


def test_exec_ends_a_sibling_that_runs_for_ever() -> None:
    """The same in a loop of loads."""
    _exec_with_sibling("while True: await word.load()")


def test_exec_by_another_thread_than_the_leader_takes_the_leaders_place() -> None:
    """The leader is in a futex wait or on its way there; the caller gets its tid while the old leader ends."""
    sweep(program(BY_THREAD, then=MARKED), orders=("exec first", "sibling first"))


def test_one_of_two_execs_at_once_wins() -> None:
    """Does exactly one image run, whoever was first, with the other caller gone?"""
    one, two = 'async def main(argv): await write(1, b"one")', 'async def main(argv): await write(1, b"two")'
    sweep(program(TWO_EXECS, one=one, two=two), orders=("one", "two"))


def test_exec_by_the_leader_or_exit_by_a_thread_whichever_is_first() -> None:
    """A process that is ending executes nothing, and one that executes does not take the old image's exit."""
    found = program(EXEC_OR_EXIT.format(dawdle=250, first="await _exit(6)", second=EXEC), five="async def main(argv): await _exit(5)")
    sweep(found, orders=("exec first", "exit first"))


def test_exec_by_a_thread_or_exit_by_the_leader_whichever_is_first() -> None:
    """The same with the roles exchanged: the winner also changes its tid."""
    found = program(EXEC_OR_EXIT.format(dawdle=1, first=EXEC, second=EXIT), five="async def main(argv): await _exit(5)")
    sweep(found, orders=("exec first", "exit first"))


def test_sigkill_during_exec_leaves_nothing() -> None:
    """Killed while it waits for its sibling: are the new space and the pinned image given back?"""
    sweep(program(KILLED, five="async def main(argv): await _exit(5)"), orders=("exec first", "kill first"))
