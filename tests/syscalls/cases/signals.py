"""sigaction, sigprocmask, sigpending, sigsuspend, sigwait, pause, alarm; restart or EINTR; how handlers run."""

from observe import *

from userspace.libc import *

counted = Global(i32, 0)
seen = Global(i32, 0)
depth = Global(i32, 0)
deepest = Global(i32, 0)


async def count(signo):
    await counted.store(await counted.load() + 1)


async def note(signo):
    """Append the signal as a digit pair."""
    await seen.store(await seen.load() * 100 + signo)


async def nest(signo):
    """Raise the same signal once more inside, and see whether it comes in between."""
    level = await depth.load() + 1
    await depth.store(level)
    await deepest.store(max(level, await deepest.load()))
    await counted.store(await counted.load() + 1)
    if await counted.load() < 3:
        await raise_signal(signo)
    await depth.store(level - 1)


@expect((0, 1, True, True))
async def sigaction_gives_back_what_was():
    first = await sigaction(SIGUSR1, SigAction(SIG_IGN))
    second = await sigaction(SIGUSR1, SigAction(count, {SIGUSR2, SIGHUP}, SA_RESTART))
    third = await sigaction(SIGUSR1)
    same = third.handler is count
    return first.handler, second.handler, same, set(third.mask) == {SIGUSR2, SIGHUP} and bool(third.flags & SA_RESTART)


@expect(("EINVAL", "EINVAL", "EINVAL", "EINVAL", 0))
async def signals_that_cannot_be_handled():
    return (
        await attempt(sigaction(SIGKILL, SigAction(SIG_IGN))),
        await attempt(sigaction(SIGSTOP, SigAction(count))),
        await attempt(sigaction(0, SigAction(count))),
        await attempt(sigaction(65, SigAction(count))),
        (await sigaction(SIGKILL)).handler,
    )


@expect((1, 10))
async def a_handler_has_run_when_raise_returns():
    await sigaction(SIGUSR1, SigAction(count))
    await sigaction(SIGUSR2, SigAction(note))
    await raise_signal(SIGUSR1)
    first = await counted.load()
    await seen.store(0)
    await sigaction(SIGUSR1, SigAction(note))
    await kill(await getpid(), SIGUSR1)
    return first, await seen.load()


@expect((1, 3))
async def a_handlers_own_signal_is_blocked_while_it_runs():
    await sigaction(SIGUSR1, SigAction(nest))
    await raise_signal(SIGUSR1)
    return await deepest.load(), await counted.load()


@expect((3, 3))
async def sa_nodefer_lets_a_handler_be_interrupted_by_its_signal():
    await sigaction(SIGUSR1, SigAction(nest, (), SA_NODEFER))
    await raise_signal(SIGUSR1)
    return await deepest.load(), await counted.load()


async def raise_twice_resetting():
    await sigaction(SIGUSR1, SigAction(count, (), SA_RESETHAND))
    await raise_signal(SIGUSR1)
    await counted.store(5)
    await raise_signal(SIGUSR1)


@expect((0, ("killed", 10)))
async def sa_resethand_works_once():
    await sigaction(SIGUSR2, SigAction(count, (), SA_RESETHAND))
    await raise_signal(SIGUSR2)
    return (await sigaction(SIGUSR2)).handler, await in_child(raise_twice_resetting)


async def raise_other(signo):
    await note(signo)
    await raise_signal(SIGUSR2)
    await note(signo)


@expect((101210, 101012))
async def the_mask_of_an_action_holds_back_others():
    await sigaction(SIGUSR2, SigAction(note))
    await sigaction(SIGUSR1, SigAction(raise_other))
    await raise_signal(SIGUSR1)
    nested = await seen.load()
    await seen.store(0)
    await sigaction(SIGUSR1, SigAction(raise_other, {SIGUSR2}))
    await raise_signal(SIGUSR1)
    return nested, await seen.load()


async def note_mask(signo):
    members = await sigprocmask(SIG_BLOCK, None)
    await seen.store(sum(1 << number for number in members))


@expect((True, True))
async def the_mask_in_a_handler_and_after_it():
    await sigaction(SIGUSR1, SigAction(note_mask, {SIGHUP}))
    await sigprocmask(SIG_SETMASK, {SIGUSR2})
    await raise_signal(SIGUSR1)
    inside = await seen.load() == 1 << SIGUSR1 | 1 << SIGUSR2 | 1 << SIGHUP
    return inside, await sigprocmask(SIG_BLOCK, None) == {SIGUSR2}


async def change_mask(signo):
    await sigprocmask(SIG_BLOCK, {SIGTERM})


@expect(([],))
async def a_mask_changed_in_a_handler_is_restored():
    await sigaction(SIGUSR1, SigAction(change_mask))
    await raise_signal(SIGUSR1)
    return (sorted(await sigprocmask(SIG_BLOCK, None)),)


@expect(([], [10], [10, 12], [12], [15], "EINVAL", [15]))
async def sigprocmask_adds_removes_and_sets():
    return (
        sorted(await sigprocmask(SIG_BLOCK, {SIGUSR1})),
        sorted(await sigprocmask(SIG_BLOCK, {SIGUSR2})),
        sorted(await sigprocmask(SIG_UNBLOCK, {SIGUSR1})),
        sorted(await sigprocmask(SIG_SETMASK, {SIGTERM})),
        sorted(await sigprocmask(SIG_BLOCK, None)),
        await attempt(sigprocmask(99, {SIGHUP})),
        sorted(await sigprocmask(99, None)),
    )


@expect(([15],))
async def kill_and_stop_are_not_blocked():
    await sigprocmask(SIG_SETMASK, {SIGKILL, SIGSTOP, SIGTERM})
    return (sorted(await sigprocmask(SIG_BLOCK, None)),)


@expect(([10], 0, 1, []))
async def a_blocked_signal_is_pending_once():
    await sigaction(SIGUSR1, SigAction(count))
    await sigprocmask(SIG_BLOCK, {SIGUSR1})
    for _ in range(3):
        await kill(await getpid(), SIGUSR1)
    pending, before = sorted(await sigpending()), await counted.load()
    await sigprocmask(SIG_UNBLOCK, {SIGUSR1})
    return pending, before, await counted.load(), sorted(await sigpending())


@expect((3,))
async def real_time_signals_queue():
    await sigaction(34, SigAction(count))
    await sigprocmask(SIG_BLOCK, {34})
    for _ in range(3):
        await kill(await getpid(), 34)
    await sigprocmask(SIG_UNBLOCK, {34})
    return (await counted.load(),)


@expect(("10 12 34 35",))
async def pending_signals_are_taken_lowest_first():
    wanted = {35, 34, SIGUSR2, SIGUSR1}
    await sigprocmask(SIG_BLOCK, wanted)
    for signo in (35, SIGUSR2, 34, SIGUSR1):
        await kill(await getpid(), signo)
    return (" ".join([str(await sigwait(wanted)) for _ in range(4)]),)


@expect(([],))
async def an_ignored_signal_is_dropped_even_while_blocked():
    await sigprocmask(SIG_BLOCK, {SIGUSR1, SIGUSR2})
    await sigaction(SIGUSR1, SigAction(SIG_IGN))
    await kill(await getpid(), SIGUSR2)
    await sigaction(SIGUSR2, SigAction(SIG_IGN))
    return (sorted(await sigpending()),)


@expect(([], [10], []))
async def a_child_inherits_the_mask_and_no_pending_signals():
    await sigprocmask(SIG_BLOCK, {SIGUSR1})
    await kill(await getpid(), SIGUSR1)
    pending, mask = await told_by_child(pending_and_mask)
    await sigwait({SIGUSR1})
    return list(pending), list(mask), sorted(await sigpending())


async def pending_and_mask():
    return [sorted(await sigpending()), sorted(await sigprocmask(SIG_BLOCK, None))]


@expect(("EINTR", 1, [10]))
async def sigsuspend_waits_under_another_mask():
    await sigaction(SIGUSR1, SigAction(count))
    await sigprocmask(SIG_BLOCK, {SIGUSR1})
    await kill(await getpid(), SIGUSR1)
    answer = await attempt(sigsuspend(()))
    return answer, await counted.load(), sorted(await sigprocmask(SIG_BLOCK, None))


async def signal_parent(signo):
    await until(await getppid(), "S")
    await kill(await getppid(), signo)


@expect(("EINTR", 1, "EINTR", 2))
async def pause_and_sigsuspend_end_with_a_handler_even_with_sa_restart():
    await sigaction(SIGUSR1, SigAction(count, (), SA_RESTART))
    pid = await start(signal_parent, SIGUSR1)
    first, after = await attempt(pause()), await counted.load()
    await end_of(pid)
    pid = await start(signal_parent, SIGUSR1)
    second = await attempt(sigsuspend(()))
    await end_of(pid)
    return first, after, second, await counted.load()


async def ignored_then_handled():
    for signo in (SIGUSR2, SIGUSR1):
        await until(await getppid(), "S")
        await kill(await getppid(), signo)


@expect(("EINTR", 1))
async def an_ignored_signal_does_not_end_pause():
    await sigaction(SIGUSR2, SigAction(SIG_IGN))
    await sigaction(SIGUSR1, SigAction(count))
    pid = await start(ignored_then_handled)
    answer = await attempt(pause())
    await end_of(pid)
    return answer, await counted.load()


@expect((12, 0))
async def sigwait_takes_a_signal_without_its_handler():
    await sigaction(SIGUSR2, SigAction(count))
    await sigprocmask(SIG_BLOCK, {SIGUSR2})
    pid = await start(signal_parent, SIGUSR2)
    signo = await sigwait({SIGUSR1, SIGUSR2})
    await end_of(pid)
    return signo, await counted.load()


async def signal_then_write(writer):
    await signal_parent(SIGUSR1)
    await nanosleep(30_000_000)
    await write(writer, b"data")


@expect(("EINTR", 1, b"data"))
async def a_handler_interrupts_read():
    await sigaction(SIGUSR1, SigAction(count))
    reader, writer = await pipe()
    pid = await start(signal_then_write, writer)
    answer = await attempt(read(reader, 10))
    await end_of(pid)
    return answer, await counted.load(), await read(reader, 10)


@expect((b"data", 1))
async def sa_restart_restarts_read():
    await sigaction(SIGUSR1, SigAction(count, (), SA_RESTART))
    reader, writer = await pipe()
    pid = await start(signal_then_write, writer)
    answer = await attempt(read(reader, 10))
    await end_of(pid)
    return answer, await counted.load()


@expect((b"data", 1))
async def the_old_call_signal_restarts():
    await signal(SIGUSR1, count)
    reader, writer = await pipe()
    pid = await start(signal_then_write, writer)
    answer = await attempt(read(reader, 10))
    await end_of(pid)
    return answer, await counted.load()


@expect((b"data", 0))
async def an_ignored_signal_does_not_interrupt_read():
    await signal(SIGUSR1, SIG_IGN)
    reader, writer = await pipe()
    pid = await start(signal_then_write, writer)
    answer = await attempt(read(reader, 10))
    await end_of(pid)
    return answer, await counted.load()


async def stop_and_continue_parent(writer):
    parent = await getppid()
    await nanosleep(20_000_000)
    await kill(parent, SIGSTOP)
    await nanosleep(20_000_000)
    await kill(parent, SIGCONT)
    await nanosleep(20_000_000)
    await write(writer, b"data")


@expect((b"data",))
async def stopping_and_continuing_does_not_interrupt_read():
    reader, writer = await pipe()
    await start(stop_and_continue_parent, writer)
    return (await attempt(read(reader, 10)),)


@expect((65536, "EINTR", 1))
async def a_write_that_a_handler_interrupts_reports_its_part():
    await sigaction(SIGUSR1, SigAction(count))
    _, writer = await pipe()
    pid = await start(signal_parent, SIGUSR1)
    part = await attempt(write(writer, bytes(100_000)))
    await end_of(pid)
    pid = await start(signal_parent, SIGUSR1)
    none = await attempt(write(writer, b"x"))
    await end_of(pid)
    return part, none, await counted.load() - 1


@expect((0, 5, 3, 0))
async def alarm_tells_what_was_left():
    first = await alarm(5)
    second = await alarm(3)
    third = await alarm(0)
    return first, second, third, await alarm(0)


@expect(("EINTR", 1, 0))
async def an_alarm_ends_pause():
    await sigaction(SIGALRM, SigAction(count))
    await alarm(1)
    answer = await attempt(pause())
    return answer, await counted.load(), await alarm(0)


@expect((0, 20))
async def a_child_has_no_alarm():
    await alarm(20)
    return await told_by_child(alarm, 0), await alarm(0)


sender = Global(i32, 0)
code = Global(i32, 0)


async def remember(signo, info, context):
    await sender.store(info.si_pid)
    await code.store(info.si_code)
    await seen.store(info.si_signo)


@expect((True, 0, 12, -6))
async def siginfo_names_the_sender():
    await sigaction(SIGUSR2, SigAction(remember, (), SA_SIGINFO))
    await kill(await getpid(), SIGUSR2)
    mine = await sender.load() == await getpid()
    first = await code.load()
    await raise_signal(SIGUSR2)
    return mine, first, await seen.load(), await code.load()


async def exits_in_handler(signo):
    await _exit(9)


async def raises_into_exit():
    await sigaction(SIGUSR1, SigAction(exits_in_handler))
    await raise_signal(SIGUSR1)


@expect(("exited", 9))
async def a_handler_may_exit():
    return await in_child(raises_into_exit)


async def dies_blocked():
    await sigprocmask(SIG_SETMASK, range(1, 32))
    await kill(await getpid(), SIGKILL)


@expect(("killed", 9))
async def sigkill_cannot_be_blocked():
    return await in_child(dies_blocked)


@expect(([], [18], [20]))
async def continue_and_stop_signals_cancel_each_other():
    await sigaction(SIGCONT, SigAction(count))
    await sigprocmask(SIG_SETMASK, {SIGCONT, SIGTSTP})
    before = sorted(await sigpending())
    await kill(await getpid(), SIGTSTP)
    await kill(await getpid(), SIGCONT)
    first = sorted(await sigpending())
    await kill(await getpid(), SIGTSTP)
    second = sorted(await sigpending())
    await sigaction(SIGTSTP, SigAction(SIG_IGN))
    return before, first, second


@expect(("EINTR", 2))
async def two_pending_signals_run_both_handlers():
    await sigaction(SIGUSR1, SigAction(count))
    await sigaction(SIGUSR2, SigAction(count))
    await sigprocmask(SIG_BLOCK, {SIGUSR1, SIGUSR2})
    await kill(await getpid(), SIGUSR1)
    await kill(await getpid(), SIGUSR2)
    answer = await attempt(sigsuspend(()))
    return answer, await counted.load()
