"""clone, exec, exit, wait and stops as the actor serves them: who is asked what, in which order, and what undoes it."""

from __future__ import annotations

import copy

import msgspec
import pytest

from actors.messages import files, memory, processes, scheduler, signals, timers
from kernel.abi.errno_values import EACCES, EAGAIN, ECHILD, EINTR, EINVAL, ENOMEM, EPERM, ESRCH
from kernel.abi.errnos import Failure
from kernel.abi.flags import (
    CLD_CONTINUED,
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    CLD_STOPPED,
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_NEWNS,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    PR_GET_NAME,
    PR_SET_NAME,
    PRIO_PGRP,
    PRIO_PROCESS,
    PRIO_USER,
    RLIM_INFINITY,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    WCONTINUED,
    WNOHANG,
    WUNTRACED,
)
from kernel.abi.signos import SIGCHLD, SIGCONT, SIGHUP, SIGKILL, SIGSEGV, SIGSTOP, SIGTERM, SIGTSTP
from kernel.processes.credentials import Credentials
from kernel.processes.process import ProcessState
from kernel.tickets import WouldBlock
from tests.support.processes_actor import IMAGE, THREAD, LoneProcesses, small


def as_user(actor: LoneProcesses, pid: int, uid: int) -> None:
    """Give a process away."""
    actor.state.processes[pid].credentials = Credentials(uid, uid, uid, uid, uid, uid)


def exec_message(caller: object, serial: int = 1) -> processes.Exec:
    return processes.Exec(caller, serial, IMAGE, 8, (b"other",), (), b"/bin/other", "other")  # type: ignore[arg-type]


# ---- the first program ------------------------------------------------------------------------------------------------------


def test_the_first_program_is_a_shells_job_below_init() -> None:
    actor = LoneProcesses()
    caller = actor.start()
    process = actor.state.processes[100]
    assert (caller.pid, caller.tid, caller.path, caller.space) == (100, 100, (0,), process.space)
    assert (process.ppid, process.pgid, process.sid) == (1, 100, 1)
    assert [type(message) for message in actor.done[-2:]] == [files.Unpin, scheduler.Enqueue]
    assert actor.state.user_processes_alive() == 1


def test_kernel_threads_are_children_of_kthreadd() -> None:
    shown = {item.pid: (item.ppid, item.comm) for item in LoneProcesses().state.statistics()}
    assert shown == {1: (0, "init"), 2: (0, "kthreadd"), 3: (2, "processes"), 4: (2, "memory"), 5: (2, "core/0")}


def test_a_program_that_does_not_fit_leaves_nothing() -> None:
    actor = LoneProcesses()
    actor.answers[memory.NewSpace] = lambda _: Failure(ENOMEM)
    actor.start()
    assert actor.state.first_error == ENOMEM
    assert actor.state.user_threads() == 0


def test_a_run_is_finished_when_the_last_descendant_has_ended() -> None:
    actor = LoneProcesses()
    first = actor.start()
    child = actor.fork(first)
    actor.end(first, 3)
    assert actor.state.first_status == 3 << 8
    assert not actor.state.finished(100)
    actor.end(child)
    assert actor.state.finished(100)
    assert sorted(actor.state.processes) == [1, 2, 3, 4, 5], "the reaper has collected both"


# ---- clone ------------------------------------------------------------------------------------------------------------------


def test_fork_asks_every_owner_and_then_enqueues() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    actor.done.clear()
    child = actor.fork(parent)
    assert [type(message) for message in actor.done] == [memory.DuplicateSpace, files.CopyTable, signals.CopySignals, scheduler.Enqueue]
    assert (child.pid, child.path) == (101, (0, 0))
    assert actor.last_reply == 101
    assert child.space != parent.space
    assert actor.state.processes[101].pgid == 100


def test_a_thread_shares_space_and_table() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    actor.done.clear()
    thread = actor.fork(parent, THREAD | CLONE_SETTLS | CLONE_CHILD_CLEARTID, tls=77, child_tid=0x1000, stack=0x5000)
    assert [type(message) for message in actor.done] == [signals.CopySignals, scheduler.Enqueue]
    assert (thread.pid, thread.tid, thread.space, thread.table) == (100, 101, parent.space, parent.table)
    context = actor.done[-1].context
    assert (context.tls, context.stack_pointer) == (77, 0x5000)
    assert actor.state.threads[101].clear_tid == 0x1000


def test_tids_are_written_where_asked() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent, SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, parent_tid=0x10, child_tid=0x20)
    assert actor.named(memory.WriteWord) == [memory.WriteWord(parent.space, 0x10, 101), memory.WriteWord(child.space, 0x20, 101)]


@pytest.mark.parametrize("flags", [CLONE_SIGHAND, CLONE_THREAD, CLONE_THREAD | CLONE_VM, CLONE_NEWNS])
def test_flags_that_make_no_sense_are_einval(flags: int) -> None:
    actor = LoneProcesses()
    assert actor.fork(actor.start(), flags) == Failure(EINVAL)


@pytest.mark.parametrize("refusing", [memory.DuplicateSpace, files.CopyTable])
def test_a_failed_fork_leaves_no_trace(refusing: type) -> None:
    actor = LoneProcesses()
    parent = actor.start()
    before = copy.deepcopy(actor.state)
    actor.answers[refusing] = lambda _: Failure(ENOMEM)
    actor.done.clear()
    assert actor.fork(parent) == Failure(ENOMEM)
    before.pids.last, before.pids.births = actor.state.pids.last, actor.state.pids.births
    assert actor.state == before
    assert bool(actor.named(memory.ReleaseSpace)) == (refusing is files.CopyTable)


def test_nproc_and_max_threads_are_eagain() -> None:
    actor = small(max_threads=2)
    parent = actor.start()
    actor.fork(parent)
    assert actor.fork(parent) == Failure(EAGAIN)
    actor = LoneProcesses()
    parent = actor.start()
    as_user(actor, 100, 1000)
    actor.state.processes[100].limits[RLIMIT_NPROC] = (1, 1)
    assert actor.fork(parent) == Failure(EAGAIN)


def test_clone_parent_makes_a_sibling() -> None:
    actor = LoneProcesses()
    child = actor.fork(actor.start())
    sibling = actor.fork(child, CLONE_PARENT)
    assert actor.state.processes[sibling.pid].ppid == 100
    assert actor.state.processes[sibling.pid].exit_signal == SIGCHLD


def test_vfork_waits_until_the_child_ends() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent, SIGCHLD | CLONE_VM | CLONE_VFORK)
    assert actor.last_reply.reason == "vfork"
    assert actor.last_reply.killable
    assert isinstance(actor.go_on(parent), WouldBlock)
    actor.end(child)
    assert scheduler.Wake(100, 1, timed_out=False) in actor.done
    assert actor.go_on(parent) == child.tid


def test_vfork_waits_until_the_child_executes() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent, SIGCHLD | CLONE_VM | CLONE_VFORK)
    actor.request(exec_message(child))
    assert actor.go_on(parent) == child.tid


def test_a_killed_vfork_parent_forgets_its_child() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent, SIGCHLD | CLONE_VM | CLONE_VFORK)
    assert actor.go_on(parent, interrupted=True) == Failure(EINTR)
    actor.end(parent, signo=SIGKILL)
    actor.end(child)
    assert actor.state.finished(100)


# ---- exit and wait ----------------------------------------------------------------------------------------------------------


def test_zombie_then_signal_then_wake() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent)
    blocked = actor.wait_for(parent)
    assert (blocked.reason, blocked.object) == ("wait4", "child:-1")
    seen = []
    actor.answers[signals.Post] = lambda _: seen.append(actor.state.processes[101].state) or 0
    actor.done.clear()
    actor.end(child, 7)
    kinds = [type(message) for message in actor.done]
    assert kinds == [scheduler.ThreadStatistics, signals.RemoveThread, memory.ReleaseSpace, files.ReleaseTable, timers.ProcessGone,
                     signals.ChildPolicy, signals.Post, scheduler.Wake]
    assert seen == [ProcessState.ZOMBIE]
    info = actor.named(signals.Post)[0].info
    assert (info.signo, info.code, info.pid, info.status) == (SIGCHLD, CLD_EXITED, 101, 7)
    assert actor.go_on(parent) == (101, 7 << 8)
    assert actor.wait_for(parent) == Failure(ECHILD)


@pytest.mark.parametrize(("status", "code"), [(SIGKILL, CLD_KILLED), (SIGSEGV | 0x80, CLD_DUMPED)])
def test_a_fatal_signal_is_reported_as_such(status: int, code: int) -> None:
    actor = LoneProcesses()
    parent = actor.start()
    actor.end(actor.fork(parent), signo=status)
    info = actor.named(signals.Post)[0].info
    assert (info.code, info.status) == (code, status & 0x7F)
    assert actor.wait_for(parent) == (101, status)


def test_a_parent_that_ignores_sigchld_has_no_zombies() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent)
    actor.wait_for(parent)
    actor.answers[signals.ChildPolicy] = lambda _: True
    actor.end(child)
    assert 101 not in actor.state.processes
    assert actor.go_on(parent) == Failure(ECHILD)


def test_a_wait_that_finds_a_child_makes_its_core_look_for_signals() -> None:
    """The kick for SIGCHLD may be on its way still; on Linux the handler has run when wait4 returns."""
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent)
    assert actor.wait_for(parent, options=WNOHANG) == (0, 0)
    assert actor.attention == 0
    actor.end(child)
    assert actor.wait_for(parent)[0] == child.pid
    assert actor.attention == 1


def test_wait_without_children_is_echild_and_nohang_is_zero() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    assert actor.wait_for(parent, options=WNOHANG) == Failure(ECHILD)
    actor.fork(parent)
    assert actor.wait_for(parent, options=WNOHANG) == (0, 0)
    assert actor.wait_for(parent, 999) == Failure(ECHILD)
    assert actor.wait_for(parent, options=4) == Failure(EINVAL)
    assert actor.wait_for(parent, -(1 << 31)) == Failure(ESRCH)


def test_wait_selects_by_pid_and_group() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    first, second, third = (actor.fork(parent) for _ in range(3))
    actor.request(processes.Setpgid(parent, 1, 103, 103))
    for child in (first, second, third):
        actor.end(child)
    assert actor.wait_for(parent, 102) == (102, 0)
    assert actor.wait_for(parent, -103) == (103, 0)
    assert actor.wait_for(parent, 0) == (101, 0)


def test_an_interrupted_wait_leaves_no_ticket() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    actor.fork(parent)
    actor.wait_for(parent)
    assert actor.go_on(parent, interrupted=True) == Failure(EINTR)
    assert not actor.state.waits
    assert len(actor.state.processes[100].waiters) == 0


def test_a_child_that_came_beats_the_interrupt() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent)
    actor.wait_for(parent)
    actor.end(child)
    assert actor.go_on(parent, interrupted=True) == (101, 0)


def test_a_child_without_exit_signal_is_waited_for_with_wclone() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    actor.end(actor.fork(parent, 0))
    assert actor.named(signals.Post) == []
    assert actor.wait_for(parent) == Failure(ECHILD)
    assert actor.wait_for(parent, options=0x8000_0000) == (101, 0)


def test_orphans_go_to_the_reaper() -> None:
    actor = LoneProcesses()
    middle = actor.fork(actor.start())
    child = actor.fork(middle)
    zombie = actor.fork(middle)
    actor.end(zombie)
    actor.end(middle)
    assert 103 not in actor.state.processes, "a zombie is collected by init at once"
    assert actor.request(processes.Getppid(child, 1)) == 1
    actor.end(child)
    assert 102 not in actor.state.processes


def test_orphans_go_to_a_real_init() -> None:
    actor = small(init="/bin/init")
    init = actor.start(init=True)
    assert init.pid == 1
    middle = actor.fork(init)
    zombie = actor.fork(middle)
    actor.end(zombie)
    actor.end(middle)
    assert [message.pid for message in actor.named(signals.Post)] == [100, 1, 1]
    assert actor.wait_for(init) == (100, 0)
    assert actor.wait_for(init) == (101, 0)


def test_a_leader_that_ends_first_waits_as_zombie_thread() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    leader = actor.fork(parent)
    other = actor.fork(leader, THREAD)
    actor.end_thread(leader, 5 << 8)
    assert actor.wait_for(parent, options=WNOHANG) == (0, 0)
    actor.end_thread(other, 9 << 8)
    assert actor.wait_for(parent) == (101, 5 << 8), "without exit_group it is the leader's own status that counts"


def test_the_first_group_exit_wins() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    leader = actor.fork(parent)
    other = actor.fork(leader, THREAD)
    actor.request(processes.ExitGroup(other, 1, 3 << 8))
    assert actor.named(signals.Fatal) == [signals.Fatal(101, other.tid)]
    actor.request(processes.ExitGroup(leader, 1, SIGKILL))
    actor.end_thread(leader, SIGKILL)
    actor.end_thread(other)
    assert actor.wait_for(parent) == (101, 3 << 8)


def test_usage_of_a_collected_child_is_the_parents() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    actor.end(actor.fork(parent))
    assert actor.request(processes.Getrusage(parent, 1, -1)) == (0, 0, 0, 0, 0, 0)
    actor.wait_for(parent)
    assert actor.request(processes.Getrusage(parent, 1, -1)) == (30_000_000, 0, 0, 0, 4, 2)
    assert actor.request(processes.Times(parent, 1))[:4] == (30_000_000, 0, 30_000_000, 0)
    assert actor.request(processes.Getrusage(parent, 1, 5)) == Failure(EINVAL)


# ---- exec -------------------------------------------------------------------------------------------------------------------


def test_exec_builds_the_space_before_it_lets_the_old_one_go() -> None:
    actor = LoneProcesses()
    caller = actor.start()
    actor.done.clear()
    done = actor.request(exec_message(caller))
    kinds = [type(message) for message in actor.done]
    assert kinds == [memory.NewSpace, files.CloseOnExec, signals.ResetForExec, memory.ReleaseSpace, files.Unpin]
    assert actor.named(memory.ReleaseSpace) == [memory.ReleaseSpace(caller.space)]
    assert (done.tid, done.comm, done.table) == (100, "other", caller.table)
    assert len(actor.named(memory.NewSpace)[0].random) == 16


def test_a_failed_exec_leaves_the_old_image() -> None:
    actor = LoneProcesses()
    caller = actor.start()
    actor.answers[memory.NewSpace] = lambda _: Failure(ENOMEM)
    before = copy.deepcopy(actor.state)
    actor.done.clear()
    assert actor.request(exec_message(caller)) == Failure(ENOMEM)
    before.processes[100].images += 1
    assert actor.state == before
    assert actor.named(files.Unpin) == [files.Unpin(8)]


def test_exec_waits_for_its_siblings_and_takes_the_leaders_tid() -> None:
    actor = LoneProcesses()
    leader = actor.start()
    caller, other = actor.fork(leader, THREAD), actor.fork(leader, THREAD)
    blocked = actor.request(exec_message(caller))
    assert (blocked.reason, blocked.killable) == ("exec", True)
    assert actor.named(signals.Fatal) == [signals.Fatal(100, 101)]
    actor.end_thread(leader)
    assert isinstance(actor.go_on(caller), WouldBlock)
    actor.end_thread(other)
    assert scheduler.Wake(101, 1, timed_out=False) in actor.done
    done = actor.go_on(caller)
    assert done.tid == 100
    assert actor.named(signals.ResetForExec) == [signals.ResetForExec(101, 100)]
    assert list(actor.state.processes[100].threads) == [100]
    assert 101 not in actor.state.pids.holders


def test_a_second_exec_and_an_exit_group_lose() -> None:
    actor = LoneProcesses()
    leader = actor.start()
    caller = actor.fork(leader, THREAD)
    actor.request(exec_message(caller))
    assert actor.request(exec_message(leader)) == Failure(EAGAIN)
    actor.request(processes.ExitGroup(leader, 2, 4 << 8))
    assert actor.fork(leader) == Failure(EINTR)
    assert actor.attention == 2, "the loser dies before its program sees the errno"
    actor.end_thread(leader, 4 << 8)
    assert actor.go_on(caller).tid == 100
    assert actor.state.processes[100].state is ProcessState.LIVE


def test_exec_after_exit_group_loses() -> None:
    actor = LoneProcesses()
    leader = actor.start()
    caller = actor.fork(leader, THREAD)
    actor.request(processes.ExitGroup(leader, 1, 0))
    assert actor.request(exec_message(caller)) == Failure(EAGAIN)


def test_an_exec_that_is_killed_gives_its_new_space_back() -> None:
    actor = LoneProcesses()
    leader = actor.start()
    caller = actor.fork(leader, THREAD)
    actor.request(exec_message(caller))
    actor.done.clear()
    assert actor.go_on(caller, interrupted=True) == Failure(EINTR)
    assert [type(message) for message in actor.done] == [memory.ReleaseSpace, files.Unpin]
    actor.end(caller, signo=SIGKILL)
    actor.end_thread(leader)
    assert actor.state.first_status == SIGKILL


# ---- stops ------------------------------------------------------------------------------------------------------------------


def stop(actor: LoneProcesses, caller: object, signo: int = SIGSTOP) -> None:
    actor.answers[signals.StopSignal] = lambda _: signo
    actor.request(processes.ThreadStopped(caller.tid))  # type: ignore[attr-defined]


def test_a_stop_is_reported_once_and_a_continuation_once() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent)
    stop(actor, child)
    assert actor.named(signals.Post)[-1].info.code == CLD_STOPPED
    assert actor.wait_for(parent, options=WNOHANG) == (0, 0)
    assert actor.wait_for(parent, options=WUNTRACED) == (101, SIGSTOP << 8 | 0x7F)
    assert actor.wait_for(parent, options=WUNTRACED | WNOHANG) == (0, 0)
    actor.answers[signals.StopSignal] = lambda _: 0
    actor.request(processes.Continued(101))
    assert actor.named(signals.Post)[-1].info.code == CLD_CONTINUED
    assert actor.wait_for(parent, options=WCONTINUED) == (101, 0xFFFF)
    assert actor.wait_for(parent, options=WCONTINUED | WNOHANG) == (0, 0)


def test_a_stop_that_sigcont_overtook_is_no_stop() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent)
    actor.request(processes.Continued(101))
    stop(actor, child, 0)
    assert actor.state.processes[101].state is ProcessState.LIVE


def test_a_stop_survives_the_late_news_of_the_continuation_before_it() -> None:
    """Stop, SIGCONT, stop: the second ThreadStopped comes from a core and may be here before signals' first Continued."""
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent)
    stop(actor, child)
    stop(actor, child)
    actor.request(processes.Continued(101))
    assert actor.state.processes[101].state is ProcessState.STOPPED
    assert actor.wait_for(parent, options=WUNTRACED) == (101, SIGSTOP << 8 | 0x7F)


def test_a_process_has_stopped_when_its_last_running_thread_ends() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    leader = actor.fork(parent)
    other = actor.fork(leader, THREAD)
    actor.request(processes.ThreadStopped(leader.tid))
    assert actor.state.processes[101].state is ProcessState.LIVE
    actor.answers[signals.RemoveThread] = lambda _: SIGTSTP
    actor.end_thread(other)
    assert actor.state.processes[101].state is ProcessState.STOPPED


def test_a_stopped_process_can_be_killed() -> None:
    actor = LoneProcesses()
    parent = actor.start()
    child = actor.fork(parent)
    stop(actor, child)
    actor.end(child, signo=SIGKILL)
    assert actor.wait_for(parent) == (101, SIGKILL)


def test_an_orphaned_group_with_stopped_members_is_hung_up() -> None:
    actor = LoneProcesses()
    middle = actor.fork(actor.start())
    child = actor.fork(middle)
    actor.request(processes.Setpgid(child, 1, 0, 0))
    stop(actor, child, SIGTSTP)
    actor.done.clear()
    actor.end(middle)
    sent = [(message.pid, message.info.signo) for message in actor.named(signals.Post)]
    assert sent[:2] == [(102, SIGHUP), (102, SIGCONT)]
    assert signals.GroupOrphaned(102, orphaned=True) in actor.done


# ---- kill -------------------------------------------------------------------------------------------------------------------


def kill(actor: LoneProcesses, caller: object, pid: int, signo: int = SIGTERM) -> object:
    return actor.request(processes.Kill(caller, 1, pid, signo))  # type: ignore[arg-type]


def test_kill_refuses_in_linuxs_order() -> None:
    actor = LoneProcesses()
    first = actor.start()
    other = actor.fork(first)
    as_user(actor, 100, 1000)
    as_user(actor, 101, 2000)
    assert kill(actor, first, 999, 99) == Failure(ESRCH)
    assert kill(actor, first, 101, 65) == Failure(EINVAL)
    assert kill(actor, first, 101, -1) == Failure(EINVAL)
    assert kill(actor, first, 101) == Failure(EPERM)
    assert kill(actor, first, 1, 0) == Failure(EPERM)
    assert kill(actor, first, 101, SIGCONT) is None, "SIGCONT may go anywhere in the session"
    assert kill(actor, first, -999) == Failure(ESRCH)
    assert kill(actor, first, -(1 << 31)) == Failure(ESRCH)
    assert kill(actor, other, 100, 0) == Failure(EPERM)


def test_kill_reaches_groups_and_everybody_else() -> None:
    actor = LoneProcesses()
    first = actor.start()
    actor.fork(first)
    actor.fork(first)
    actor.done.clear()
    assert kill(actor, first, 0) is None
    assert [message.pid for message in actor.named(signals.Post)] == [100, 101, 102]
    actor.done.clear()
    assert kill(actor, first, -1) is None
    assert [message.pid for message in actor.named(signals.Post)] == [101, 102]


def test_attention_of_a_signal_to_oneself_goes_with_the_reply() -> None:
    actor = LoneProcesses()
    first = actor.start()
    actor.answers[signals.Post] = lambda m: 1 if m.caller_tid == 100 else 0
    kill(actor, first, 100)
    assert actor.attention == 1


def test_a_zombie_can_be_signalled_without_effect() -> None:
    actor = LoneProcesses()
    first = actor.start()
    actor.end(actor.fork(first))
    actor.done.clear()
    assert kill(actor, first, 101) is None
    assert actor.done == []


def test_tkill_and_tgkill() -> None:
    actor = LoneProcesses()
    first = actor.start()
    thread = actor.fork(first, THREAD)
    assert actor.request(processes.Tgkill(first, 1, 100, thread.tid, SIGTERM)) is None
    assert (actor.done[-1].pid, actor.done[-1].tid, actor.done[-1].info.code) == (100, thread.tid, -6)
    assert actor.request(processes.Tgkill(first, 1, 101, thread.tid, SIGTERM)) == Failure(ESRCH)
    assert actor.request(processes.Tkill(first, 1, 0, SIGTERM)) == Failure(EINVAL)
    assert actor.request(processes.Tkill(first, 1, 999, SIGTERM)) == Failure(ESRCH)
    assert actor.request(processes.Tgkill(first, 1, -1, 100, 0)) == Failure(EINVAL)


# ---- groups, names, limits, priorities --------------------------------------------------------------------------------------


def test_setpgid_refuses_as_linux_does() -> None:
    actor = LoneProcesses()
    first = actor.start()
    child = actor.fork(first)
    grandchild = actor.fork(child)
    ask = lambda caller, pid, pgid: actor.request(processes.Setpgid(caller, 1, pid, pgid))  # noqa: E731
    assert ask(first, 0, -1) == Failure(EINVAL)
    assert ask(first, 999, 0) == Failure(ESRCH)
    assert ask(first, grandchild.pid, 0) == Failure(ESRCH)
    assert ask(first, child.pid, 999) == Failure(EPERM)
    actor.request(exec_message(child))
    assert ask(first, child.pid, 0) == Failure(EACCES)
    assert ask(child, 0, 0) is None
    assert actor.request(processes.Getpgid(first, 1, child.pid)) == child.pid
    assert ask(child, 0, 100) is None
    assert actor.request(processes.Setsid(first, 1)) == Failure(EPERM)
    assert actor.request(processes.Setsid(child, 1)) == child.pid
    assert ask(child, 0, 0) == Failure(EPERM), "a session leader stays in its group"
    assert ask(first, child.pid, 0) == Failure(EPERM)
    assert actor.request(processes.Getsid(first, 1, 0)) == 1
    assert actor.request(processes.Getsid(first, 1, 999)) == Failure(ESRCH)


def test_setuid_changes_the_caller() -> None:
    actor = LoneProcesses()
    first = actor.start()
    changed = actor.request(processes.Setuid(first, 1, 1000))
    assert changed.caller == msgspec.structs.replace(first, uid=1000, euid=1000)
    assert actor.request(processes.Setuid(changed.caller, 1, 0)) == Failure(EPERM)


def test_names_are_cut_to_fifteen_bytes() -> None:
    actor = LoneProcesses()
    first = actor.start()
    assert actor.request(processes.Prctl(first, 1, PR_SET_NAME, b"a-name-that-is-too-long")) is None
    assert actor.request(processes.Prctl(first, 1, PR_GET_NAME, None)) == b"a-name-that-is-"
    assert actor.request(processes.Prctl(first, 1, 1, 0)) == Failure(EINVAL)


def test_nofile_is_told_to_files() -> None:
    actor = LoneProcesses()
    first = actor.start()
    assert actor.request(processes.Prlimit(first, 1, 0, RLIMIT_NOFILE, (10, 20))) == (1024, 4096)
    assert actor.done[-1] == files.SetLimits(first.table, (10, RLIM_INFINITY))
    assert actor.request(processes.Prlimit(first, 1, 999, RLIMIT_NOFILE, None)) == Failure(ESRCH)


def test_priorities() -> None:
    actor = LoneProcesses()
    first = actor.start()
    actor.fork(first)
    assert actor.request(processes.Setpriority(first, 1, PRIO_PGRP, 0, 50)) is None
    assert actor.named(scheduler.SetNice) == [scheduler.SetNice(100, 19), scheduler.SetNice(101, 19)]
    assert actor.request(processes.Getpriority(first, 1, 9, 0)) == Failure(EINVAL)
    assert actor.request(processes.Getpriority(first, 1, PRIO_USER, 77)) == Failure(ESRCH)
    as_user(actor, 100, 1000)
    assert actor.request(processes.Setpriority(first, 1, PRIO_PROCESS, 0, -1)) == Failure(EACCES)
    assert actor.request(processes.Setpriority(first, 1, PRIO_PROCESS, 101, 5)) == Failure(EPERM)


def test_affinity_is_cut_to_the_configured_cores() -> None:
    actor = small(cores=2)
    first = actor.start()
    assert actor.request(processes.SchedSetaffinity(first, 1, 0, (1, 5))) is None
    assert actor.done[-1] == scheduler.SetAffinity(100, frozenset({1}))
    assert actor.request(processes.SchedSetaffinity(first, 1, 0, (5,))) == Failure(EINVAL)
    assert actor.request(processes.SchedSetaffinity(first, 1, 999, (0,))) == Failure(ESRCH)
    assert actor.request(processes.SchedGetaffinity(first, 1, 0)) == (0, 1)
