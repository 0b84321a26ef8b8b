"""Races that broke the kernel once, each as the smallest program that showed it, under many orders of messages."""

from __future__ import annotations

import pytest

from tests.support.machines import program, ran_well, run, sweep


def test_a_stop_leaves_no_interruption_behind():
    """The read that SIGSTOP interrupted had completed, but the next handler, wherever it came, still decided about it."""
    assert set(sweep(
        """
        seen = Global(i32)

        async def handler(signo):
            await seen.fetch_add(1)

        async def child(reader, writer):
            await signal(SIGUSR1, handler)
            await write(writer, b"ready")
            while await read(reader, 1) != b"x":
                await sched_yield()
            while await seen.load() == 0:
                await cpu_relax()
            return await seen.load()

        async def main():
            reader, writer = await pipe()
            ready, tell = await pipe()
            if (pid := await fork()) == 0:
                return await child(reader, tell)
            await read(ready, 5)
            await kill(pid, SIGSTOP)
            await waitpid(pid, WUNTRACED)
            await kill(pid, SIGCONT)
            await write(writer, b"x")
            await kill(pid, SIGUSR1)
            await printf("%d", WEXITSTATUS((await waitpid(pid, 0))[1]))
        """,
        quick=30,
    )) == {b"1"}  # fmt: skip


@pytest.mark.parametrize("flags", ["0", "SA_RESTART"])
def test_a_handler_that_came_during_a_stop_decides_about_the_call(flags):
    outcomes = sweep(
        f"""
        async def handler(signo):
            pass

        async def main():
            reader, writer = await pipe()
            ready, tell = await pipe()
            if (pid := await fork()) == 0:
                await sigaction(SIGUSR1, SigAction(handler, (), {flags}))
                await write(tell, b"r")
                try:
                    await read(reader, 1)
                except InterruptedError:
                    return 1
                return 0
            await read(ready, 1)
            while (await read_state(pid)) != "S":
                await usleep(10)
            await kill(pid, SIGSTOP)
            await waitpid(pid, WUNTRACED)
            await kill(pid, SIGUSR1)
            await kill(pid, SIGCONT)
            await usleep(100)
            await write(writer, b"x")
            await printf("%d", WEXITSTATUS((await waitpid(pid, 0))[1]))

        async def read_state(pid):
            fd = await open(f"/proc/{{pid}}/stat", O_RDONLY)
            state = (await read(fd, 100)).split()[2].decode()
            await close(fd)
            return state
        """,
        quick=30,
    )
    assert set(outcomes) == ({b"0"} if flags == "SA_RESTART" else {b"1"})


def test_work_in_a_handler_is_its_own():
    """What was done of the interrupted `compute` was counted for the handler's, and forgotten for the interrupted one."""
    result = ran_well(
        run("""
        async def handler(signo):
            before = await clock_gettime(CLOCK_MONOTONIC)
            await compute(500_000)
            spent = await clock_gettime(CLOCK_MONOTONIC) - before
            await printf("%d ", 500_000 <= spent < 700_000)

        async def disturb(pid):
            await usleep(2000)
            await kill(pid, SIGUSR1)

        async def main():
            await signal(SIGUSR1, handler)
            await clone(disturb, SIGCHLD, await getpid())
            before = await clock_gettime(CLOCK_MONOTONIC)
            await compute(5_000_000)
            spent = await clock_gettime(CLOCK_MONOTONIC) - before
            await wait()
            await printf("%d", 5_500_000 <= spent < 7_000_000)
    """)
    )
    assert result.stdout == b"1 1"


def test_room_that_a_handler_took_on_the_stack_is_given_back():
    """The frame was looked for where the handler's alloca had left the stack pointer: mask and stack pointer came from there."""
    result = ran_well(
        run("""
        async def handler(signo):
            room = await alloca(Array[u8, 256])
            await room.write_bytes(b"\\xff" * 256)

        async def taken():
            return (await alloca(i64)).address

        async def main():
            await signal(SIGUSR1, handler)
            await sigprocmask(SIG_BLOCK, (SIGUSR2, SIGTERM))
            before = await taken()
            for _ in range(5):
                await taken()
                await raise_signal(SIGUSR1)
            mask = sorted(await sigprocmask(SIG_BLOCK, None))
            await printf("%d %s", before - await taken(), str(mask))
    """)
    )
    assert result.stdout == b"0 [12, 15]"


def test_a_program_executed_in_the_handler_of_an_exception_has_its_own_first_exception():
    result = run("""
        async def handler(signo):
            await execv("./program", ["program", "again"])

        async def main(argv):
            if len(argv) == 1:
                await signal(SIGABRT, handler)
                raise ValueError("one")
            await sigprocmask(SIG_UNBLOCK, (SIGABRT,))
            raise ValueError("two")
    """)
    told = [failure.message for failure in result.failures if failure.kind == "exception"]
    assert [text.partition("ValueError: ")[2] for text in told] == ["one", "two"]


def test_signals_without_room_for_their_handlers_end_the_process_once():
    """The thread had ended, and was asked what else to deliver."""
    found = program("""
        async def handler(signo):
            pass

        async def main():
            for signo in (SIGUSR1, SIGUSR2, SIGSEGV):
                await signal(signo, handler)
            await sigprocmask(SIG_BLOCK, (SIGUSR1, SIGUSR2))
            await raise_signal(SIGUSR1)
            await raise_signal(SIGUSR2)
            here = (await alloca(i32)).address & ~4095
            await munmap(here - 4096, 8192)
            await sigprocmask(SIG_UNBLOCK, (SIGUSR1, SIGUSR2))
    """)
    for seed in range(20):
        result = run(found, "checked", seed=seed, strategy="random", granularity="messages")
        assert (result.panic, result.status) == ("", 139)


def test_a_thread_that_gives_way_to_a_pinned_one_goes_to_an_idle_core():
    """It stayed queued behind a thread that could run nowhere else, while other cores idled."""
    sweep(
        """
        async def main():
            if (pid := await fork()) == 0:
                await sched_setaffinity(0, (0,))
                for _ in range(6):
                    await sched_yield()
                return 0
            for _ in range(6):
                await getpid()
            await wait()
        """,
        quick=50,
    )


def test_a_thread_that_changes_its_core_within_one_choice_is_offered_there():
    """execve: the caller parks, its siblings end, it goes on elsewhere; the search took the new offer back instead of the old one."""
    sweep(
        """
        async def waiting(arg):
            await futex(word, FUTEX_WAIT, 0)

        word = Global(i32)

        async def main():
            if await fork() == 0:
                for _ in range(3):
                    await pthread_create(waiting)
                await execv("/bin/true", ["true"])
            await wait()
        """,
        quick=30,
        granularity="ops",
    )
