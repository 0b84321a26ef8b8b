"""fork, exit, wait; statuses; stopped and continued children; process groups and sessions; kill."""

from observe import *

from userspace.libc import *

counted = Global(i32, 0)


async def count(signo):
    await counted.store(await counted.load() + 1)


async def exits_with(status):
    await _exit(status)


@expect((("exited", 0), ("exited", 7), ("exited", 255), ("exited", 0), ("exited", 255), ("exited", 1)))
async def only_eight_bits_of_a_status_are_kept():
    return tuple([await in_child(exits_with, status) for status in (0, 7, 255, 256, -1, 0x1234501)])


@expect((True, True, "ECHILD"))
async def wait_gives_the_childs_pid_once():
    pid = await start(exits_with, 0)
    first = (await wait())[0] == pid
    return first, pid > 0, await attempt(waitpid(pid, 0))


@expect(("ECHILD", "ECHILD", "ECHILD", "ECHILD"))
async def waiting_without_children_is_echild():
    return (
        await attempt(wait()),
        await attempt(waitpid(-1, WNOHANG)),
        await attempt(waitpid(await getpid(), 0)),
        await attempt(waitpid(1, 0)),
    )


@expect(("EINVAL", "EINVAL", "ESRCH"))
async def waitpid_checks_its_options_before_children():
    return await attempt(waitpid(-1, 0x40)), await attempt(waitpid(-1, WEXITED)), await attempt(waitpid(-(2**31), 0))


async def pauses():
    await attempt(pause())


@expect(((0, 0), ("killed", 9), "ECHILD"))
async def nohang_asks_without_waiting():
    pid = await start(pauses)
    seen = await waitpid(pid, WNOHANG)
    await kill(pid, SIGKILL)
    return seen, await end_of(pid), await attempt(waitpid(pid, WNOHANG))


@expect((("killed", 15), ("killed", 9), ("killed", 10), ("killed", 6), ("killed", 14), ("killed", 34)))
async def a_fatal_signal_is_the_status():
    seen = []
    for signo in (SIGTERM, SIGKILL, SIGUSR1, SIGABRT, SIGALRM, 34):
        pid = await start(pauses)
        await kill(pid, signo)
        seen.append(await end_of(pid))
    return tuple(seen)


async def aborts():
    await abort()


async def kills_itself(signo):
    await kill(await getpid(), signo)
    await _exit(1)


@expect((("killed", 6), ("killed", 3), ("exited", 1), ("exited", 1)))
async def signals_to_oneself():
    return (
        await in_child(aborts),
        await in_child(kills_itself, SIGQUIT),
        await in_child(kills_itself, SIGCHLD),
        await in_child(kills_itself, SIGWINCH),
    )


@expect((True, True, True, False))
async def parent_and_child_know_each_other():
    me = await getpid()
    seen = await told_by_child(getppid)
    group, thread = await told_by_child(getpgrp), await told_by_child(gettid)
    return seen == me, group == await getpgrp(), await gettid() == me, thread == me


async def stores_seven(address):
    await i32.at(address).store(7)


@expect((3, 7, 3))
async def a_child_has_its_own_memory():
    private = await mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    shared = await mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS)
    await i32.at(private).store(3)
    await in_child(stores_seven, private)
    await in_child(stores_seven, shared)
    await counted.store(3)
    await in_child(stores_seven, counted.address)
    return await i32.at(private).load(), await i32.at(shared).load(), await counted.load()


@expect((("stopped", 19), "continued", ("killed", 9)))
async def stops_and_continuations_are_reported_on_demand():
    pid = await start(pauses)
    await kill(pid, SIGSTOP)
    stopped = ended((await waitpid(pid, WUNTRACED))[1])
    await kill(pid, SIGCONT)
    continued = ended((await waitpid(pid, WCONTINUED))[1])
    await kill(pid, SIGKILL)
    return stopped, continued, await end_of(pid)


@expect(((0, 0), (0, 0), ("stopped", 20), (0, 0), ("killed", 9)))
async def a_stop_is_told_once_and_only_to_who_asks():
    pid = await start(pauses)
    await kill(pid, SIGTSTP)
    await until(pid, "T")
    unasked = await waitpid(pid, WNOHANG)
    continued = await waitpid(pid, WNOHANG | WCONTINUED)
    stopped = ended((await waitpid(pid, WUNTRACED | WNOHANG))[1])
    again = await waitpid(pid, WUNTRACED | WNOHANG)
    await kill(pid, SIGKILL)
    return unasked, continued, stopped, again, await end_of(pid)


@expect(((0, 0), ("killed", 15)))
async def a_stopped_process_takes_its_signals_when_it_continues():
    pid = await start(pauses)
    await kill(pid, SIGSTOP)
    await waitpid(pid, WUNTRACED)
    await kill(pid, SIGTERM)
    await nanosleep(30_000_000)
    still = await waitpid(pid, WNOHANG)
    await kill(pid, SIGCONT)
    return still, await end_of(pid)


@expect((True, True, ("killed", 10), ("killed", 12)))
async def waitpid_can_choose_a_group():
    first, second = await start(pauses), await start(pauses)
    await setpgid(first, first)
    await setpgid(second, second)
    await kill(-second, SIGUSR1)
    pid, status = await waitpid(-second, 0)
    await kill(-first, SIGUSR2)
    other, other_status = await waitpid(-first, 0)
    return pid == second, other == first, ended(status), ended(other_status)


@expect((("exited", 5), "ECHILD"))
async def a_zombie_waits_for_its_parent():
    pid = await start(exits_with, 5)
    await until(pid, "Z")
    await kill(pid, 0)  # it can still be signalled
    await kill(pid, SIGKILL)  # which changes nothing
    return await end_of(pid), await attempt(wait())


@expect(("ESRCH",))
async def a_reaped_child_is_gone():
    pid = await start(exits_with, 0)
    await waitpid(pid, 0)
    return (await attempt(kill(pid, 0)),)


@expect(("ECHILD", "ECHILD"))
async def ignoring_sigchld_leaves_no_zombies():
    await sigaction(SIGCHLD, SigAction(SIG_IGN))
    pid = await start(exits_with, 3)
    first = await attempt(waitpid(pid, 0))
    return first, await attempt(wait())


@expect(("ECHILD", 1))
async def sa_nocldwait_leaves_no_zombies_but_tells():
    await sigaction(SIGCHLD, SigAction(count, (), SA_NOCLDWAIT | SA_RESTART))
    pid = await start(exits_with, 3)
    return await attempt(waitpid(pid, 0)), await counted.load()


@expect((1, 2, 1))
async def sigchld_is_sent_for_each_change():
    await sigaction(SIGCHLD, SigAction(remember_child, (), SA_SIGINFO | SA_RESTART))
    await in_child(exits_with, 2)
    return await code.load(), await status_seen.load(), await counted.load()


code = Global(i32, 0)
status_seen = Global(i32, 0)


async def remember_child(signo, info, context):
    await counted.store(await counted.load() + 1)
    await code.store(info.si_code)
    await status_seen.store(info.si_status)


@expect((5, 19, 6, 18, 2, 9))
async def sigchld_tells_stops_continuations_and_deaths():
    await sigaction(SIGCHLD, SigAction(remember_child, (), SA_SIGINFO | SA_RESTART))
    pid = await start(pauses)
    seen = []
    for signo, options in ((SIGSTOP, WUNTRACED), (SIGCONT, WCONTINUED), (SIGKILL, 0)):
        await kill(pid, signo)
        await waitpid(pid, options)
        await attempt(nanosleep(50_000_000))  # who continues may be waited for before it runs and tells
        seen += [await code.load(), await status_seen.load()]
    return tuple(seen)


@expect((1, ("killed", 9)))
async def sa_nocldstop_silences_stops():
    await sigaction(SIGCHLD, SigAction(count, (), SA_NOCLDSTOP | SA_RESTART))
    pid = await start(pauses)
    await kill(pid, SIGSTOP)
    await waitpid(pid, WUNTRACED)
    await kill(pid, SIGCONT)
    await waitpid(pid, WCONTINUED)
    await kill(pid, SIGKILL)
    how = await end_of(pid)
    return await counted.load(), how


@expect(("EINTR", 1, ("exited", 0)))
async def a_handler_interrupts_wait():
    await sigaction(SIGUSR1, SigAction(count))
    pid = await start(signals_then_ends)
    seen = await attempt(waitpid(pid, 0))
    return seen, await counted.load(), await end_of(pid)


@expect((("exited", 0), 1))
async def sa_restart_restarts_wait():
    await sigaction(SIGUSR1, SigAction(count, (), SA_RESTART))
    pid = await start(signals_then_ends)
    return await end_of(pid), await counted.load()


async def signals_then_ends():
    await until(await getppid(), "S")
    await kill(await getppid(), SIGUSR1)
    await nanosleep(30_000_000)


@expect(("EINVAL", "ESRCH", "ESRCH", "EINVAL", None, "ESRCH"))
async def kill_checks_signal_and_target():
    me = await getpid()
    return (
        await attempt(kill(me, 65)),
        await attempt(kill(0x7FFFFFF0, SIGTERM)),
        await attempt(kill(-0x7FFFFFF0, 0)),
        await attempt(kill(me, -1)),
        await attempt(kill(me, 0)),
        await attempt(kill(0x7FFFFFF0, 65)),
    )


@expect(("EINVAL", "EINVAL", "ESRCH", "ESRCH", "EINVAL", None))
async def tgkill_wants_a_thread_of_that_process():
    me = await getpid()
    return (
        await attempt(tgkill(0, me, 0)),
        await attempt(tgkill(me, 0, 0)),
        await attempt(tgkill(me, 0x7FFFFFF0, 0)),
        await attempt(tgkill(me + 1_000_000, me, 0)),
        await attempt(tkill(-1, 0)),
        await attempt(tgkill(me, me, 0)),
    )


@expect((("killed", 15), ("killed", 15), 1))
async def signalling_a_group_reaches_its_members():
    leader = await start(pauses)
    await setpgid(leader, leader)
    member = await start(pauses)
    await setpgid(member, leader)
    await sigaction(SIGTERM, SigAction(count))
    await kill(-leader, SIGTERM)
    seen = await end_of(leader), await end_of(member)
    await killpg(0, SIGTERM)
    return *seen, await counted.load()


async def group_errors():
    return [
        await attempt(setpgid(0, -1)),
        await attempt(setpgid(1, 0)),
        await attempt(setpgid(0, 0x7FFFFFF0)),
        await attempt(setpgid(-1, 0)),
        await attempt(getpgid(-1)),
        await attempt(getpgid(0x7FFFFFF0)),
        await attempt(getsid(-5)),
        await attempt(getsid(0x7FFFFFF0)),
        await attempt(setpgid(0, 0)),
    ]


@expect(("EINVAL", "ESRCH", "EPERM", "EINVAL", "ESRCH", "ESRCH", "ESRCH", "ESRCH", None))
async def groups_that_cannot_be():
    return await told_by_child(group_errors)


async def new_session():
    pid = await getpid()
    sid = await setsid()
    return [
        sid == pid,
        await getpgrp() == pid,
        await getsid(0) == pid,
        await attempt(setsid()),
        await attempt(setpgid(0, 0)),
        await attempt(setpgid(0, await getppid())),
    ]


@expect((True, True, True, "EPERM", "EPERM", "EPERM"))
async def a_session_leader_is_bound_to_its_group():
    return await told_by_child(new_session)


@expect(("EPERM", True))
async def a_group_leader_cannot_found_a_session():
    return await attempt(setsid()), await getpgrp() == await getpid()


async def leaves_and_waits():
    await setsid()
    await pause()


@expect(("EPERM", ("killed", 9)))
async def a_process_of_another_session_keeps_its_group():
    pid = await start(leaves_and_waits)
    while await getsid(pid) != pid:
        await nanosleep(1_000_000)
    seen = await attempt(setpgid(pid, await getpgrp()))
    await kill(pid, SIGKILL)
    return seen, await end_of(pid)


async def executes_true():
    await execv("/bin/sleep", ["sleep", "30"])


@expect(("EACCES", ("killed", 9)))
async def setpgid_comes_too_late_after_exec():
    reader, writer = await pipe2(O_CLOEXEC)
    pid = await start(executes_true)
    await close(writer)
    await read(reader, 1)  # ends when exec closes the child's copy
    seen = await attempt(setpgid(pid, pid))
    await kill(pid, SIGKILL)
    return seen, await end_of(pid)


async def orphan_maker(writer):
    if await fork() == 0:
        parent = await getppid()
        while await getppid() == parent:
            await nanosleep(1_000_000)
        await write(writer, b"somebody else")
        await _exit(0)
    await nanosleep(10_000_000)


@expect((("exited", 0), b"somebody else", "ECHILD"))
async def an_orphan_gets_another_parent():
    reader, writer = await pipe()
    how = await in_child(orphan_maker, writer)
    await close(writer)
    return how, await read_all(reader), await attempt(wait())


@expect((("exited", 0), ("exited", 1), ("exited", 2)))
async def children_are_waited_for_in_any_order():
    pids = [await start(exits_with, n) for n in range(3)]
    found = {}
    for pid in reversed(pids):
        found[pid] = await end_of(pid)
    return tuple(found[pid] for pid in pids)


async def fork_twice():
    await in_child(exits_with, 4)
    return await told_by_child(exit_of_grandchild)


async def exit_of_grandchild():
    return await in_child(exits_with, 6)


@expect(("exited", 6))
async def children_have_children():
    return await told_by_child(fork_twice)


@expect("EAGAIN")
async def the_limit_of_processes_is_eagain():
    return await told_by_child(fork_limited)


async def fork_limited():
    await setuid(4321)
    await setrlimit(RLIMIT_NPROC, (1, 1))
    return await attempt(fork())
