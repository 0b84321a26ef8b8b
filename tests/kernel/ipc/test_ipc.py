"""The whole state of ipc: what is kept, and what goes."""

from __future__ import annotations

import copy

from kernel.ipc.ipc import IpcState, pipe_name
from kernel.tickets import Ticket

A, B = Ticket(100, 1), Ticket(101, 1)


def test_pipe_goes_with_its_last_end():
    state = IpcState()
    pipe = state.create_pipe(65536)
    state.close_end(pipe, readable=True, writable=False)
    assert pipe in state.pipes
    state.close_end(pipe, readable=False, writable=True)
    assert state == IpcState(next_pipe=2)


def test_pipe_that_a_blocked_read_pins_goes_when_the_read_is_settled():
    state = IpcState()
    pipe = state.create_pipe(65536)
    state.read(A, pipe, 1, nonblock=False, both=False)
    state.close_end(pipe, readable=True, writable=False)
    assert state.close_end(pipe, readable=False, writable=True) == [A]
    assert not list(state.check())
    assert state.resume_pipe(A, interrupted=True).answer == b""
    assert state == IpcState(next_pipe=2)


def test_pipe_ids_are_never_used_twice():
    state = IpcState()
    first = state.create_pipe(65536)
    state.close_end(first, readable=True, writable=True)
    assert state.create_pipe(65536) != first


def test_a_pipe_holds_at_least_one_atomic_write():
    state = IpcState()
    assert state.pipes[state.create_pipe(1)].capacity == 4096


def test_statistics_tell_ends_and_waiters():
    state = IpcState()
    pipe = state.create_pipe(65536)
    state.read(B, pipe, 1, nonblock=False, both=False)
    state.read(A, pipe, 1, nonblock=False, both=False)
    (row,) = state.statistics().pipes
    assert (row.pipe, row.fifo, row.buffered, row.capacity, row.readers, row.writers) == (pipe, False, 0, 65536, 1, 1)
    assert row.reading == (B, A)
    assert pipe_name(pipe) == "pipe:1"
    assert state.pipes[pipe].reason(A) == "pipe_read"


def test_a_copied_state_is_equal_and_independent():
    state = IpcState()
    pipe = state.create_pipe(65536)
    state.read(A, pipe, 1, nonblock=False, both=False)
    other = copy.deepcopy(state)
    assert other == state
    other.write(B, pipe, b"x", nonblock=False, both=False)
    assert not state.pipes[pipe].buffer
    assert other != state


def test_pipe_tickets_is_checked():
    state = IpcState()
    state.create_pipe(65536)
    state.pipe_of[A] = 1
    assert [violation.name for violation in state.check()] == ["pipe_tickets"]


def test_pipe_ends_forbids_a_pipe_that_nobody_has_open():
    state = IpcState()
    pipe = state.create_pipe(65536)
    state.pipes[pipe].close_end(readable=True, writable=True)
    assert [violation.name for violation in state.check()] == ["pipe_ends"]
