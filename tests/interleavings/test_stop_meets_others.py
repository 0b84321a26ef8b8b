"""SIGSTOP and SIGCONT: the threads park, processes counts them, the parent is told; SIGCONT undoes what has not happened yet."""

from tests.support.machines import sweep

WAIT = """
async def main(argv):
    r, w = await pipe()
    pid = await fork()
    if pid == 0:
        await close(w)
        await read(r, 1)
        await _exit(3)
    await dawdle(150)
    await kill(pid, SIGSTOP)
    got, status = await waitpid(pid, WUNTRACED | WNOHANG)
    order = b"stop first" if got else b"wait first"
    if not got:
        got, status = await waitpid(pid, WUNTRACED)
    assert got == pid and WIFSTOPPED(status) and WSTOPSIG(status) == SIGSTOP
    assert await waitpid(pid, WUNTRACED | WNOHANG) == (0, 0), "a stop is reported once"
    await kill(pid, SIGCONT)
    got, status = await waitpid(pid, WCONTINUED)
    assert got == pid and WIFCONTINUED(status)
    await close(w)
    got, status = await waitpid(pid, 0)
    assert WIFEXITED(status) and WEXITSTATUS(status) == 3
    await write(1, order)
"""

PIPE_READ = """
async def main(argv):
    r, w = await pipe()
    marks, mark = await pipe2(O_NONBLOCK)
    pid = await fork()
    if pid == 0:
        await dawdle(200)
        await write(mark, b"x")
        assert await read(r, 1) == b"d", "the read ended without data"
        await _exit(0)
    await dawdle(200)
    await kill(pid, SIGSTOP)
    assert WIFSTOPPED((await waitpid(pid, WUNTRACED))[1])
    try:
        order = b"read first" if await read(marks, 1) else b""
    except BlockingIOError:
        order = b"stop first"
    await write(w, b"d")
    await dawdle(60)
    await kill(pid, SIGCONT)
    assert (await waitpid(pid, 0)) == (pid, 0)
    await write(1, order)
"""

THREAD_ENDS = """
async def sibling(_):
    await dawdle(100)

async def main(argv):
    r, w = await pipe()
    pid = await fork()
    if pid == 0:
        await close(w)
        thread = await pthread_create(sibling)
        await read(r, 1)
        await pthread_join(thread)
        await _exit(0)
    await dawdle(250)
    await kill(pid, SIGTSTP)
    assert WIFSTOPPED((await waitpid(pid, WUNTRACED))[1])
    tasks = await listdir(f"/proc/{pid}/task")
    await kill(pid, SIGCONT)
    await close(w)
    assert (await waitpid(pid, 0)) == (pid, 0)
    await write(1, b"stop first" if len(tasks) == 2 else b"end first")
"""

TWO_WAITERS = """
async def waiter(pid):
    got, status = await waitpid(pid, WUNTRACED)
    assert got == pid
    if WIFSTOPPED(status):
        await kill(pid, SIGKILL)
        return 1
    assert WTERMSIG(status) == SIGKILL
    return 0

async def main(argv):
    pid = await fork()
    if pid == 0:
        await pause()
    thread = await pthread_create(waiter, pid)
    await kill(pid, SIGSTOP)
    mine = await waiter(pid)
    theirs = await pthread_join(thread)
    assert mine + theirs == 1, "one stop was reported to two waiters"
    await write(1, b"main first" if mine else b"thread first")
"""

CONT_RACES = """
async def stopper(pid):
    await dawdle(60)
    await kill(pid, SIGSTOP)

async def main(argv):
    r, w = await pipe()
    pid = await fork()
    if pid == 0:
        await close(w)
        await read(r, 1)
        await _exit(3)
    thread = await pthread_create(stopper, pid)
    await dawdle(150)
    await kill(pid, SIGCONT)
    await pthread_join(thread)
    await dawdle(250)
    got, status = await waitpid(pid, WNOHANG | WUNTRACED)
    order = b"stopped" if got else b"not stopped"
    await kill(pid, SIGCONT)
    await close(w)
    got, status = await waitpid(pid, 0)
    assert got == pid and WEXITSTATUS(status) == 3, "the process did not go on"
    await write(1, order)
"""

STOP_CONT_STOP = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        while True:
            await compute(1000)
    await kill(pid, SIGSTOP)
    await dawdle(120)
    await kill(pid, SIGCONT)
    await dawdle(120)
    await kill(pid, SIGSTOP)
    reports = 0
    while True:  # until the stop that lasts is reported: for ever, if the kernel takes an old continuation for its end
        got, status = await waitpid(pid, WUNTRACED | WCONTINUED)
        reports += 1
        if WIFSTOPPED(status) and await state_of(pid) == "T":
            break
    await kill(pid, SIGKILL)
    assert WTERMSIG((await waitpid(pid, 0))[1]) == SIGKILL
    await write(1, b"one report" if reports == 1 else b"several reports")

async def state_of(pid):
    fd = await open(f"/proc/{pid}/stat", O_RDONLY)
    text = await read(fd, 300)
    await close(fd)
    return text.rsplit(b")", 1)[1].split()[0].decode()
"""

KILL = """
async def main(argv):
    pid = await fork()
    if pid == 0:
        await pause()
    await kill(pid, SIGSTOP)
    await dawdle(30)
    await kill(pid, SIGKILL)
    got, status = await waitpid(pid, WUNTRACED)
    order = b"stop reported" if WIFSTOPPED(status) else b"killed at once"
    if WIFSTOPPED(status):
        got, status = await waitpid(pid, WUNTRACED)
    assert got == pid and WIFSIGNALED(status) and WTERMSIG(status) == SIGKILL, "a stopped process is killed without SIGCONT"
    await write(1, order)
"""

SIGCHLD = """
stops = Global(i32, 0)
passed = Global(i32, 0)
early = Global(i32, 0)

async def on_child(signo, info, context):
    if info.si_code == CLD_STOPPED:
        got, status = await waitpid(-1, WUNTRACED | WNOHANG)
        assert got and WIFSTOPPED(status), "SIGCHLD came before the stop could be collected"
        await early.store(1 - await passed.load())
        await stops.fetch_add(1)

async def main(argv):
    await sigaction(SIGCHLD, SigAction(on_child, flags=SA_SIGINFO | SA_RESTART))
    pid = await fork()
    if pid == 0:
        await pause()
    await kill(pid, SIGSTOP)
    await dawdle(40)
    await passed.store(1)
    while not await stops.load():
        await sched_yield()
    await kill(pid, SIGKILL)
    await waitpid(pid, 0)
    await write(1, b"stop first" if await early.load() else b"parent first")
"""


def test_a_stop_is_reported_to_a_wait_that_began_before_or_after_it() -> None:
    """Is the parent's wait with WUNTRACED woken, and is a stop reported once?"""
    sweep(WAIT, orders=("stop first", "wait first"))


def test_a_read_that_was_stopped_goes_on_without_eintr() -> None:
    """No handler ran, so the call is restarted, without SA_RESTART: does it get data that came during the stop?"""
    sweep(PIPE_READ, orders=("read first", "stop first"))


def test_a_process_has_stopped_when_the_thread_that_has_not_ends() -> None:
    """The last running thread exits instead of stopping: who notices that the stop is complete?"""
    sweep(THREAD_ENDS, orders=("stop first", "end first"))


def test_one_of_two_waiters_gets_the_stop() -> None:
    """Both wait with WUNTRACED: is the stop given to one, and the end to the other?"""
    sweep(TWO_WAITERS, orders=("main first", "thread first"))


def test_a_stop_and_a_continuation_from_two_threads_leave_a_process_that_can_go_on() -> None:
    """Whichever is first: is the process either stopped and reported as such, or running?"""
    sweep(CONT_RACES, orders=("stopped", "not stopped"))


def test_a_stop_after_a_continuation_is_reported() -> None:
    """Stop, continue, stop: is the news of the continuation, which may come late, taken for the end of the second stop?"""
    sweep(STOP_CONT_STOP, quick=36, orders=("one report", "several reports"))


def test_sigkill_ends_a_stopped_process() -> None:
    """Stopped, on its way into the stop, or not yet: does SIGKILL need no SIGCONT?"""
    sweep(KILL, orders=("stop reported", "killed at once"))


def test_sigchld_for_a_stop_comes_when_the_stop_can_be_collected() -> None:
    """As for exit: a handler that waits with WNOHANG finds the stop."""
    sweep(SIGCHLD, orders=("stop first", "parent first"))
