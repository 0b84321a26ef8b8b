"""pthread_create, the thread's end and pthread_join: the kernel clears a word, whoever waits on it is woken."""

from tests.support.machines import sweep

JOIN = """
async def thread(value):
    return value + 1

async def main(argv):
    joined = await pthread_create(thread, 41)
    await dawdle(60)
    try:
        result, order = await pthread_tryjoin_np(joined), b"end first"
    except OSError as error:
        assert error.errno == EBUSY
        result, order = await pthread_join(joined), b"join first"
    assert result == 42
    await write(1, order)
"""

SEVERAL = """
turn = Global(i32, 0)

async def thread(value):
    await dawdle(250)
    return await turn.fetch_add(1) * 10 + value

async def main(argv):
    threads = [await pthread_create(thread, value) for value in range(3)]
    results = [await pthread_join(one) for one in reversed(threads)]
    assert [result % 10 for result in results] == [2, 1, 0]
    assert sorted(result // 10 for result in results) == [0, 1, 2]
    await write(1, b"in order" if results[0] // 10 == 2 and results[2] // 10 == 0 else b"out of order")
"""

DETACH = """
done = Global(i32, 0)

async def thread(_):
    await done.store(1, memory_order_release)

async def main(argv):
    one = await pthread_create(thread)
    ended = await done.load(memory_order_acquire)
    await pthread_detach(one)
    while not await done.load(memory_order_acquire):
        await sched_yield()
    await write(1, b"end first" if ended else b"detach first")
"""

MAIN_ENDS = """
async def thread(_):
    await write(1, b"end")

async def main(argv):
    await pthread_create(thread)
    await pthread_exit(None)
"""

THREAD_ENDS_PROCESS = """
async def thread(_):
    await _exit(3)

async def main(argv):
    pid = await fork()
    if pid == 0:
        await pthread_create(thread)
        await _exit(4)
    _, status = await waitpid(pid, 0)
    await write(1, b"thread first" if WEXITSTATUS(status) == 3 else b"main first")
"""


def test_a_join_gets_the_result_whether_the_thread_has_ended_or_not() -> None:
    """Is the word cleared and the joiner woken in an order that loses neither?"""
    sweep(JOIN, orders=("end first", "join first"))


def test_threads_are_joined_in_another_order_than_they_end() -> None:
    """Does each joiner wait for its own thread?"""
    sweep(SEVERAL, orders=("in order", "out of order"))


def test_a_thread_may_end_before_or_after_it_is_detached() -> None:
    """Who frees the stack, and is it freed once?"""
    sweep(DETACH, orders=("end first", "detach first"))


def test_the_process_lives_until_its_last_thread_ends() -> None:
    """The leader ends first and stays as a zombie thread: does the process go on, and end with the other?"""
    assert set(sweep(MAIN_ENDS)) == {b"end"}


def test_the_first_of_two_exits_decides_the_status() -> None:
    """Two threads call exit_group at once: is the status that of the first, and is it recorded once?"""
    sweep(THREAD_ENDS_PROCESS, orders=("main first", "thread first"))
