"""Threads on the real machine: pthread_create(3), join, detach, exit, and what clone(2) and become make of a function."""

from tests.support.machines import ran_well, run, sweep

ATTEMPT = """
import errno

async def attempt(call):
    try:
        await call
    except OSError as error:
        return errno.errorcode[error.errno].replace("DEADLOCK", "DEADLK")
    return "ok"
"""


def printed(source: str, **options) -> str:
    return ran_well(run(ATTEMPT + source, **options)).stdout.decode()


def test_join_gives_what_the_function_returned_or_pthread_exit_was_given():
    assert printed("""
async def give(value):
    return value

async def leave(value):
    await pthread_exit(value)

async def main():
    for value in (None, 0, -5, 2**80, "text", b"bytes", (1, ("two", None)), True, 2.5, "x" * 300):
        for fn in (give, leave):
            result = await pthread_join(await pthread_create(fn, value))
            if result != value or type(result) is not type(value):
                await printf("%s ", repr(result))
    await printf("done")
""") == "done"


def test_join_fails_as_the_man_page_says():
    assert printed("""
async def work(_):
    await usleep(1000)

async def join_main(main_thread):
    return await attempt(pthread_join(main_thread))

async def join(thread):
    return await attempt(pthread_join(thread))

async def main():
    me = await pthread_self()
    await printf("%s ", await attempt(pthread_join(me)))
    await printf("%s ", await attempt(pthread_join(4096)))
    thread = await pthread_create(work)
    await printf("%s ", await attempt(pthread_tryjoin_np(thread)))
    other = await pthread_create(join, thread)
    await usleep(100)
    await printf("%s ", await attempt(pthread_join(thread)))
    await printf("%s ", await pthread_join(other))
    await printf("%s ", await attempt(pthread_join(thread)))
    detached = await pthread_create(work, detached=True)
    await printf("%s ", await attempt(pthread_join(detached)))
    await printf("%s ", await attempt(pthread_detach(detached)))
    joins_us = await pthread_create(join_main, me)
    await usleep(100)
    await printf("%s ", await attempt(pthread_join(joins_us)))
    await exit(0)
""") == "EDEADLK ESRCH EBUSY EINVAL ok ESRCH EINVAL EINVAL EDEADLK "


DETACH = """
ended = Global(i32)

async def work(_):
    await ended.fetch_add(1)

async def main():
    for _ in range(3):
        await pthread_detach(await pthread_create(work))
    await pthread_create(work, detached=True)
    while await ended.load(memory_order_acquire) < 4:
        await sched_yield()
    await usleep(1000)
    await printf("%d", len([line for line in (await read_all("/proc/self/maps")).splitlines()]) < 12)

async def read_all(path):
    fd = await open(path, O_RDONLY)
    text = b""
    while data := await read(fd, 4096):
        text += data
    await close(fd)
    return text
"""


def test_detached_threads_leave_no_stack_behind_in_any_schedule():
    assert set(sweep(DETACH)) == {b"1"}


LAST_THREAD = """
async def farewell():
    await printf("farewell")

async def work(_):
    await usleep(1000)
    await printf("work ")

async def main():
    await setvbuf(stdout, _IOFBF)
    await atexit(farewell)
    for _ in range(2):
        await pthread_create(work)
    await pthread_create(work, detached=True)
    await pthread_exit()
"""


def test_after_pthread_exit_in_main_the_last_thread_ends_the_process_as_exit_does():
    assert set(sweep(LAST_THREAD)) == {b"work work work farewell"}


def test_another_thread_may_join_the_first_one():
    assert printed("""
async def work(main_thread):
    await printf("%s", repr(await pthread_join(main_thread)))

async def main():
    await pthread_create(work, await pthread_self())
    await pthread_exit("the first")
""") == "'the first'"


FORK_IN_THREAD = """
async def work(_):
    pid = await fork()
    if pid == 0:
        return "child"
    _, status = await waitpid(pid, 0)
    return status

async def main():
    await printf("%d ", await pthread_join(await pthread_create(work)))
"""


def test_a_child_forked_by_a_thread_has_that_thread_only_and_ends_with_it():
    assert set(sweep(FORK_IN_THREAD)) == {b"0 "}


def test_affinity_is_set_before_the_thread_runs_and_a_bad_one_makes_no_thread():
    assert printed("""
async def work(_):
    await printf("%d ", await sched_getcpu())
    return sorted(await sched_getaffinity(0))[0]

async def main():
    await printf("%d ", await pthread_join(await pthread_create(work, affinity={2})))
    await printf("%s ", await attempt(pthread_create(work, affinity=set())))
    await printf("%s ", await attempt(pthread_create(work, stacksize=100)))
    await printf("%d", len(await listdir("/proc/self/task")))
""") == "2 2 EINVAL EINVAL 1"


def test_pthread_kill_reaches_one_thread_and_names_are_per_thread():
    assert printed("""
seen = Global(i32)

async def handler(signo):
    await seen.store(await gettid())

async def work(_):
    await pthread_setname_np(await pthread_self(), "worker")
    try:
        await pause()
    except InterruptedError:
        return await seen.load() == await gettid(), await pthread_getname_np(await pthread_self())

async def main():
    await sigaction(SIGUSR1, SigAction(handler))
    thread = await pthread_create(work)
    await usleep(1000)
    await pthread_kill(thread, SIGUSR1)
    await printf("%s ", repr(await pthread_join(thread)))
    await printf("%s ", await attempt(pthread_kill(thread, 0)))
    await printf("%s ", await attempt(pthread_kill(await pthread_self(), 99)))
    await printf("%s", await attempt(pthread_setname_np(await pthread_self(), "x" * 16)))
""") == "(True, 'worker') ESRCH EINVAL ERANGE"


def test_clone_runs_a_function_in_a_process_of_its_own_or_in_this_memory():
    assert printed("""
value = Global(i32, 1)

async def child(arg):
    await value.store(arg)
    return 7

async def main():
    for flags in (SIGCHLD, CLONE_VM | CLONE_VFORK | SIGCHLD):
        pid = await clone(child, flags, 5)
        found, status = await waitpid(pid, 0)
        await printf("%d %d %d ", found == pid, WEXITSTATUS(status), await value.load())
    word = await alloca(i32)
    tid = await clone(child, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_PARENT_SETTID, 9, parent_tid=word)
    await printf("%d ", await word.load() == tid)
    while await value.load(memory_order_acquire) != 9:
        await sched_yield()
    await printf("%s", await attempt(clone(child, CLONE_THREAD, 1)))
""") == "1 7 1 1 7 5 1 EINVAL"


def test_become_goes_on_as_another_function_and_its_result_is_the_exit_status():
    result = run("""
async def second(a, b):
    await printf("%s %s ", a, b)
    return 3

async def main():
    await become(second, "one", "two")
    await printf("not here")
""")
    assert (result.stdout, result.status) == (b"one two ", 3)


def test_a_lambda_is_refused_as_a_thread_function():
    result = run("""
async def main():
    try:
        await pthread_create(lambda arg: None)
    except TypeError as error:
        await printf("%s", str(error))
""")
    assert b"move it to module level" in result.stdout


def test_a_result_that_is_not_plain_is_refused_where_the_thread_ends():
    result = run("""
async def work(_):
    return [1]

async def main():
    await pthread_join(await pthread_create(work))
""")
    assert result.verdict == "failed"
    assert b"a thread's result is a plain value" in result.stderr
