"""fifo(7): how two openers meet."""

from __future__ import annotations

import pytest

from kernel.abi.errno_values import ENXIO
from kernel.abi.errnos import SysError
from kernel.ipc.fifos import OpenWait
from kernel.ipc.ipc import IpcState
from kernel.tickets import Ticket

A, B, C = Ticket(100, 1), Ticket(101, 1), Ticket(102, 1)
READ, WRITE, BOTH = (True, False), (False, True), (True, True)


@pytest.fixture
def state() -> IpcState:
    state = IpcState()
    assert state.create_fifo(65536) == 1
    return state


def attempt(state: IpcState, ticket: Ticket, ends: tuple[bool, bool], generation: int = -1, nonblock: bool = False):
    result = state.open_fifo(ticket, 1, generation, *ends, nonblock=nonblock)
    assert not list(state.check())
    return result


def test_reader_waits_for_a_writer_and_both_go_on(state: IpcState):
    first = attempt(state, A, READ)
    assert not first.done
    second = attempt(state, B, WRITE)
    assert second.done
    assert second.wakes == [A]
    assert attempt(state, A, READ, first.generation).done
    assert not state.fifos[1].openers


def test_writer_waits_for_a_reader_and_both_go_on(state: IpcState):
    first = attempt(state, A, WRITE)
    assert not first.done
    assert attempt(state, B, READ).wakes == [A]
    assert attempt(state, A, WRITE, first.generation).done


def test_opener_that_slept_succeeds_although_its_partner_has_closed_again(state: IpcState):
    first = attempt(state, A, READ)
    attempt(state, B, WRITE)
    state.close_end(1, readable=False, writable=True)
    assert attempt(state, A, READ, first.generation).done
    assert state.read(A, 1, 9, nonblock=False, both=False).answer == b""


def test_a_partner_of_long_ago_does_not_count(state: IpcState):
    attempt(state, A, WRITE, nonblock=False)
    attempt(state, B, READ)
    attempt(state, A, WRITE, 0)
    state.close_end(1, readable=False, writable=True)
    state.close_end(1, readable=True, writable=False)
    assert not attempt(state, C, READ).done


def test_nonblocking_reader_does_not_wait(state: IpcState):
    assert attempt(state, A, READ, nonblock=True).done


def test_nonblocking_writer_without_reader_is_enxio_and_counts_nothing(state: IpcState):
    with pytest.raises(SysError) as error:
        attempt(state, A, WRITE, nonblock=True)
    assert error.value.errno == ENXIO
    assert not attempt(state, B, READ).done


def test_o_rdwr_never_waits_and_wakes_both_sides(state: IpcState):
    attempt(state, A, READ)
    result = attempt(state, C, BOTH)
    assert result.done
    assert result.wakes == [A]


def test_two_readers_are_both_woken_by_one_writer(state: IpcState):
    attempt(state, B, READ)
    attempt(state, A, READ)
    assert attempt(state, C, WRITE).wakes == [B, A]


def test_interrupted_open_takes_its_end_back(state: IpcState):
    attempt(state, A, READ)
    state.forget_open(A, 1, *READ)
    assert not list(state.check())
    assert not attempt(state, B, WRITE).done


def test_spurious_resume_of_an_opener_leaves_it_waiting(state: IpcState):
    first = attempt(state, A, READ)
    assert not attempt(state, A, READ, first.generation).done
    assert attempt(state, B, WRITE).wakes == [A]


def test_bytes_of_a_fifo_go_with_its_last_end(state: IpcState):
    attempt(state, A, BOTH)
    state.write(A, 1, b"x", nonblock=False, both=True)
    state.close_end(1, *BOTH)
    assert not state.pipes[1].buffer


def test_dropped_fifo_goes_with_its_last_end(state: IpcState):
    attempt(state, A, BOTH)
    state.drop_fifo(1)
    assert 1 in state.pipes
    state.close_end(1, *BOTH)
    assert state == IpcState(next_pipe=2)


def test_fifo_that_nobody_opened_is_dropped_at_once(state: IpcState):
    state.drop_fifo(1)
    assert state == IpcState(next_pipe=2)


def test_fifo_partners_is_checked(state: IpcState):
    state.pipes[1].readers = 1
    state.fifos[1].write_generation = 1
    state.fifos[1].openers[A] = OpenWait(reads=True, generation=0)
    assert [violation.name for violation in state.check()] == ["fifo_partners"]


def test_pipe_ends_wants_openers_counted(state: IpcState):
    state.fifos[1].openers[A] = OpenWait(reads=True, generation=0)
    assert [violation.name for violation in state.check()] == ["pipe_ends"]
