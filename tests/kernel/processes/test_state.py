"""Each invariant sees its own corruption; states move only as their tables say; random histories keep every invariant."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errnos import SysError
from kernel.abi.flags import CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VM, WNOHANG
from kernel.abi.signos import SIGCHLD
from kernel.config import Config, Machine
from kernel.processes import cloning, groups, reaping
from kernel.processes.process import PROCESS_MOVES, Process, ProcessState
from kernel.processes.processes import Processes, VforkWait
from kernel.processes.thread import THREAD_MOVES, IllegalMoveError, Thread, ThreadState
from kernel.tickets import Ticket

THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD


def boot(**machine: int) -> Processes:
    """A machine with its first program."""
    state = Processes(Config(machine=Machine(**machine)), ("processes", "memory"), 7)
    process, thread = state.conceive_first("first", 0)
    cloning.give_birth(state, process, thread)
    return state


def born(state: Processes, tid: int, flags: int = SIGCHLD) -> Thread:
    """A child of thread `tid`."""
    child, thread = cloning.conceive(state, state.threads[tid], flags, 0)
    cloning.give_birth(state, child, thread)
    return thread


def end(state: Processes, tid: int) -> None:
    """The thread ends, and its process if it was the last."""
    thread = state.threads[tid]
    process = state.processes[thread.pid]
    thread.move(ThreadState.EXITING)
    last = not process.live_threads()
    state.end_thread(thread)
    if last:
        process.move(ProcessState.EXITING)
        zombies = reaping.inherit_orphans(state, process)
        state.become_zombie(process, reaping.final_status(process))
        for zombie in (*zombies, *([process] if process.ppid == 1 else [])):
            state.reap(zombie)


def names(state: Processes) -> set[str]:
    return {violation.name for violation in state.check()}


def test_a_booted_machine_is_sound() -> None:
    assert names(boot()) == set()


def _lose_a_holder(state: Processes) -> None:
    state.pids.release(100)


def _forget_a_thread(state: Processes) -> None:
    del state.threads[101]


def _foreign_child(state: Processes) -> None:
    state.processes[1].children[101] = None


def _forget_a_child(state: Processes) -> None:
    del state.processes[100].children[101]


def _zombie_with_thread(state: Processes) -> None:
    state.processes[101].state = ProcessState.ZOMBIE


def _leave_the_group_alone(state: Processes) -> None:
    del state.groups[100].members[101]


def _other_session(state: Processes) -> None:
    state.groups[100].sid = 77


def _seen_embryo(state: Processes) -> None:
    child, _ = cloning.conceive(state, state.threads[100], SIGCHLD, 0)
    state.processes[100].children[child.pid] = None


def _ticket_of_nobody(state: Processes) -> None:
    state.waits[Ticket(999, 1)] = VforkWait(1)


def _waiter_without_wait(state: Processes) -> None:
    state.processes[100].waiters.add(Ticket(100, 1))


@pytest.mark.parametrize(("name", "corrupt"), [
    ("pid_unique", _lose_a_holder), ("pid_unique", _forget_a_thread), ("tree_consistent", _foreign_child),
    ("tree_consistent", _forget_a_child),
    ("zombie_has_no_threads", _zombie_with_thread), ("group_members", _leave_the_group_alone), ("group_members", _other_session),
    ("embryo_invisible", _seen_embryo), ("ticket_thread", _ticket_of_nobody), ("ticket_thread", _waiter_without_wait),
])
def test_the_check_names_what_is_wrong(name: str, corrupt: Callable[[Processes], None]) -> None:
    state = boot()
    born(state, 100)
    assert names(state) == set()
    corrupt(state)
    assert name in names(state)


def test_nobody_finds_an_embryo() -> None:
    state = boot()
    child, thread = cloning.conceive(state, state.threads[100], SIGCHLD, 0)
    assert state.find(child.pid) is None
    assert state.find_thread(thread.tid) is None
    assert names(state) == set()


def test_states_move_only_as_their_tables_say() -> None:
    for before in ThreadState:
        for after in ThreadState:
            thread = Thread(5, 5, (0,), "x", 0, before)
            if after in THREAD_MOVES[before]:
                thread.move(after)
                assert thread.state is after
            else:
                with pytest.raises(IllegalMoveError, match=f"{before.value} to {after.value}"):
                    thread.move(after)
                assert thread.state is before
    for first in ProcessState:
        for second in ProcessState:
            process = Process(5, (0,), 0, state=first)
            if second not in PROCESS_MOVES[first]:
                with pytest.raises(IllegalMoveError):
                    process.move(second)


def test_a_group_outlives_its_leader_and_keeps_its_number() -> None:
    state = boot(pid_max=104)
    child = born(state, 100)
    groups.setpgid(state, state.processes[100], child.pid, 0)
    member = born(state, child.tid)
    end(state, child.tid)
    assert reaping.collect(state, reaping.WaitCall(100, -1, 0)) is not None
    assert state.processes[member.pid].pgid == 101
    assert [born(state, 100).pid for _ in range(1)] == [103]
    with pytest.raises(SysError):
        born(state, 100)
    assert names(state) == set()


def test_the_state_can_be_copied_and_compared() -> None:
    state = boot()
    born(state, 100)
    other = copy.deepcopy(state)
    assert other == state
    born(other, 100)
    assert other != state


def test_at_random_depends_on_seed_and_path_alone() -> None:
    first, second = boot(), boot()
    child = state_bytes = None
    child = born(first, 100)
    state_bytes = first.random_bytes(first.processes[child.pid])
    born(second, 100)
    second.random_bytes(second.processes[100])
    assert second.random_bytes(second.processes[101]) == state_bytes


class Model:
    """What must hold of parents, children and zombies, kept as plainly as possible."""

    def __init__(self) -> None:
        self.parent = {100: 1}
        self.zombies: set[int] = set()

    def end(self, pid: int) -> None:
        for child, parent in list(self.parent.items()):
            if parent == pid:
                self.parent[child] = 1
                if child in self.zombies:
                    self.zombies.discard(child)
                    del self.parent[child]
        if self.parent[pid] == 1:
            del self.parent[pid]
        else:
            self.zombies.add(pid)


STEPS = st.lists(st.tuples(st.sampled_from(["fork", "end", "wait", "group", "session"]), st.integers(0, 50)), max_size=40)


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_random_histories_keep_the_tree(steps: list[tuple[str, int]]) -> None:
    state, model = boot(first_pid=100, pid_max=118), Model()
    for step, choice in steps:
        living = [pid for pid in model.parent if pid not in model.zombies]
        if not living:
            break
        pid = living[choice % len(living)]
        if step == "fork":
            with suppress(SysError):
                model.parent[born(state, pid).pid] = pid
        elif step == "end":
            end(state, pid)
            model.end(pid)
        elif step == "wait":
            children = [child for child, parent in model.parent.items() if parent == pid]
            try:
                found = reaping.collect(state, reaping.WaitCall(pid, -1, WNOHANG))
            except SysError:
                assert not children
                continue
            assert (found is not None) == bool(model.zombies & set(children))
            if found is not None:
                assert found.pid in model.zombies
                model.zombies.discard(found.pid)
                del model.parent[found.pid]
        else:
            with suppress(SysError):
                groups.setpgid(state, state.processes[pid], 0, 0) if step == "group" else groups.setsid(state, state.processes[pid])
        assert list(state.check()) == []
        assert {child: process.ppid for child, process in state.processes.items() if not process.kernel} == model.parent
    assert state.user_processes_alive() == len(model.parent) - len(model.zombies)
