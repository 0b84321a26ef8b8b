"""pipe(7), one rule a test."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errno_values import EAGAIN, EINTR, EPIPE
from kernel.abi.errnos import Failure
from kernel.abi.flags import PIPE_BUF
from kernel.ipc.pipes import Pipe, PipeResult, ReadWait, WriteWait
from kernel.tickets import Ticket

CAPACITY = 8192
A, B, C, D = Ticket(100, 1), Ticket(101, 1), Ticket(102, 1), Ticket(103, 1)


def make(capacity: int = CAPACITY) -> Pipe:
    return Pipe(1, capacity, 1, 1)


def read(pipe: Pipe, ticket: Ticket, count: int, *, nonblock: bool = False, both: bool = False) -> PipeResult:
    result = pipe.read(ticket, count, nonblock=nonblock, both=both)
    assert not list(pipe.check())
    return result


def write(pipe: Pipe, ticket: Ticket, data: bytes, *, nonblock: bool = False, both: bool = False) -> PipeResult:
    result = pipe.write(ticket, data, nonblock=nonblock, both=both)
    assert not list(pipe.check())
    return result


def resume(pipe: Pipe, ticket: Ticket, interrupted: bool = False) -> PipeResult:
    result = pipe.resume(ticket, interrupted)
    assert not list(pipe.check())
    return result


def names(pipe: Pipe) -> list[str]:
    return [violation.name for violation in pipe.check()]


def test_reader_gets_what_is_there_and_no_more():
    pipe = make()
    assert write(pipe, A, b"hello").answer == 5
    assert read(pipe, B, 100).answer == b"hello"


def test_short_read_leaves_the_rest():
    pipe = make()
    write(pipe, A, b"hello")
    assert read(pipe, B, 2).answer == b"he"
    assert read(pipe, B, 9).answer == b"llo"


def test_zero_length_read_succeeds_on_an_empty_pipe():
    assert read(make(), A, 0).answer == b""


def test_zero_length_write_succeeds_without_reader_and_without_sigpipe():
    pipe = make()
    pipe.close_end(readable=True, writable=False)
    result = write(pipe, A, b"")
    assert (result.answer, result.direction) == (0, "")


def test_reader_sees_eof_after_last_writer_closes():
    pipe = make()
    write(pipe, A, b"x")
    pipe.close_end(readable=False, writable=True)
    assert read(pipe, B, 9).answer == b"x"
    result = read(pipe, B, 9)
    assert (result.answer, result.direction) == (b"", "eof")


def test_closing_the_last_writer_wakes_a_blocked_reader_that_then_sees_eof():
    pipe = make()
    assert read(pipe, A, 9).answer is None
    assert pipe.close_end(readable=False, writable=True) == [A]
    assert resume(pipe, A).answer == b""


def test_closing_one_of_two_writers_wakes_nobody():
    pipe = make()
    pipe.open_end(readable=False, writable=True)
    read(pipe, A, 9)
    assert pipe.close_end(readable=False, writable=True) == []


def test_write_without_reader_is_epipe_with_sigpipe():
    pipe = make()
    pipe.close_end(readable=True, writable=False)
    result = write(pipe, A, b"x")
    assert (result.answer, result.direction) == (Failure(EPIPE), "epipe")


def test_epipe_comes_before_eagain():
    pipe = make()
    write(pipe, A, bytes(CAPACITY))
    pipe.close_end(readable=True, writable=False)
    assert write(pipe, A, b"x", nonblock=True).answer == Failure(EPIPE)


def test_nonblocking_read_of_an_empty_pipe_is_eagain_but_eof_without_writer():
    pipe = make()
    assert read(pipe, A, 1, nonblock=True).answer == Failure(EAGAIN)
    pipe.close_end(readable=False, writable=True)
    assert read(pipe, A, 1, nonblock=True).answer == b""


def test_nonblocking_write_up_to_pipe_buf_is_all_or_eagain():
    pipe = make()
    write(pipe, A, bytes(CAPACITY - PIPE_BUF + 1))
    assert write(pipe, A, bytes(PIPE_BUF), nonblock=True).answer == Failure(EAGAIN)
    assert len(pipe.buffer) == CAPACITY - PIPE_BUF + 1


def test_nonblocking_write_longer_than_pipe_buf_is_partial():
    pipe = make()
    write(pipe, A, bytes(CAPACITY - 10))
    assert write(pipe, A, bytes(PIPE_BUF + 1), nonblock=True).answer == 10
    assert write(pipe, A, bytes(PIPE_BUF + 1), nonblock=True).answer == Failure(EAGAIN)


def test_write_of_pipe_buf_bytes_waits_until_all_of_it_fits():
    pipe = make()
    write(pipe, A, bytes(CAPACITY))
    assert write(pipe, B, b"b" * PIPE_BUF).answer is None
    assert read(pipe, C, PIPE_BUF - 1).wakes == []
    assert read(pipe, C, 1).wakes == [B]
    assert resume(pipe, B).answer == PIPE_BUF


def test_long_write_goes_in_piece_by_piece_and_remembers_how_far_it_is():
    pipe = make()
    data = bytes(range(256)) * 48
    assert write(pipe, A, data).answer is None
    assert pipe.writing[A].done == CAPACITY
    first = read(pipe, B, 100)
    assert first.wakes == [A]
    assert resume(pipe, A).answer is None
    assert pipe.writing[A].done == CAPACITY + 100
    second = read(pipe, B, CAPACITY)
    assert resume(pipe, A).answer == len(data)
    third = read(pipe, B, CAPACITY)
    assert first.answer + second.answer + third.answer == data


def test_long_writes_of_two_threads_may_interleave():
    pipe = make()
    write(pipe, A, b"a" * (CAPACITY + 10))
    write(pipe, B, b"b" * (PIPE_BUF + 10))
    read(pipe, C, 5)
    resume(pipe, B)
    read(pipe, C, 5)
    resume(pipe, A)
    assert bytes(pipe.buffer[-10:]) == b"bbbbbaaaaa"


def test_write_interrupted_before_any_byte_is_eintr():
    pipe = make()
    write(pipe, A, bytes(CAPACITY))
    write(pipe, B, b"x")
    assert resume(pipe, B, interrupted=True).answer == Failure(EINTR)
    assert not pipe.writing


def test_write_interrupted_after_some_progress_answers_its_count():
    pipe = make()
    write(pipe, A, bytes(CAPACITY + 1))
    assert resume(pipe, A, interrupted=True).answer == CAPACITY


def test_write_whose_reader_goes_after_some_progress_answers_its_count_and_sends_sigpipe():
    pipe = make()
    write(pipe, A, bytes(CAPACITY + 1))
    assert pipe.close_end(readable=True, writable=False) == [A]
    result = resume(pipe, A)
    assert (result.answer, result.direction) == (CAPACITY, "epipe")


def test_interrupted_read_still_takes_bytes_that_have_come():
    pipe = make()
    read(pipe, A, 9)
    write(pipe, B, b"late")
    assert resume(pipe, A, interrupted=True).answer == b"late"


def test_interrupted_read_of_an_empty_pipe_is_eintr_and_leaves_the_queue():
    pipe = make()
    read(pipe, A, 9)
    assert resume(pipe, A, interrupted=True).answer == Failure(EINTR)
    assert not pipe.reading


def test_write_wakes_all_waiting_readers_in_order_of_arrival():
    pipe = make()
    for ticket in (B, A, C):
        read(pipe, ticket, 1)
    assert write(pipe, D, b"xy").wakes == [B, A, C]


def test_reader_that_comes_too_late_keeps_its_place_and_is_woken_again():
    pipe = make()
    read(pipe, A, 9)
    read(pipe, B, 9)
    write(pipe, C, b"x")
    assert resume(pipe, B).answer == b"x"
    assert resume(pipe, A).answer is None
    read(pipe, B, 9)
    assert write(pipe, C, b"y").wakes == [A, B]


def test_no_second_wake_while_one_is_on_its_way():
    pipe = make()
    read(pipe, A, 9)
    assert write(pipe, B, b"x").wakes == [A]
    assert write(pipe, B, b"y").wakes == []


def test_a_read_end_closed_under_a_blocked_read_stays_open_until_the_read_is_settled():
    """Linux pins the file during the call: the writer finds a reader, and the blocked read gets the bytes."""
    pipe = make()
    read(pipe, A, 9)
    pipe.close_end(readable=True, writable=False)
    assert write(pipe, B, b"x").answer == 1
    assert resume(pipe, A).answer == b"x"
    assert write(pipe, B, b"y").answer == Failure(EPIPE)


def test_settling_the_last_read_of_a_closed_end_wakes_blocked_writers():
    pipe = make()
    read(pipe, A, 9)
    pipe.close_end(readable=True, writable=False)
    write(pipe, B, bytes(CAPACITY))
    assert write(pipe, C, b"x").answer is None
    assert resume(pipe, A, interrupted=False).wakes == [C]
    assert resume(pipe, C).answer == Failure(EPIPE)


def test_a_write_end_closed_under_a_blocked_write_gives_eof_only_after_it():
    pipe = make()
    write(pipe, A, bytes(CAPACITY))
    write(pipe, B, b"b" * PIPE_BUF)
    pipe.close_end(readable=False, writable=True)
    read(pipe, C, CAPACITY)
    assert read(pipe, C, 1).answer is None
    assert resume(pipe, B).wakes == [C]
    assert resume(pipe, C).answer == b"b"
    read(pipe, C, PIPE_BUF)
    assert read(pipe, C, 1).answer == b""


def test_a_read_through_an_o_rdwr_description_pins_both_sides():
    pipe = Pipe(1, CAPACITY, 1, 1)
    read(pipe, A, 1, both=True)
    assert pipe.close_end(readable=True, writable=True) == []
    assert resume(pipe, A).answer is None


def test_bytes_go_when_nobody_has_the_pipe_open():
    pipe = make()
    write(pipe, A, b"x")
    pipe.close_end(readable=True, writable=False)
    pipe.close_end(readable=False, writable=True)
    assert not pipe.buffer


def test_a_copied_pipe_is_equal_and_independent():
    pipe = make()
    write(pipe, A, b"x")
    other = copy.deepcopy(pipe)
    assert other == pipe
    read(other, B, 1)
    assert other != pipe


def test_pipe_capacity_is_checked():
    pipe = make()
    pipe.buffer += bytes(CAPACITY + 1)
    assert "pipe_capacity" in names(pipe)


def test_pipe_ends_is_checked():
    pipe = make()
    pipe.readers = -1
    assert "pipe_ends" in names(pipe)


def test_pipe_ends_forbids_bytes_without_ends():
    pipe = Pipe(1, CAPACITY, 0, 0)
    pipe.buffer += b"x"
    assert names(pipe) == ["pipe_ends"]


def test_pipe_waiters_is_checked_for_readers():
    pipe = make()
    pipe.buffer += b"x"
    pipe.reading[A] = ReadWait(1, both=False)
    assert names(pipe) == ["pipe_waiters"]


def test_pipe_waiters_is_checked_for_writers():
    pipe = make()
    pipe.writing[A] = WriteWait(b"x", both=False)
    assert names(pipe) == ["pipe_waiters"]


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(0, 3), st.integers(0, 9000), st.booleans()),
        st.tuples(st.just("write"), st.integers(0, 3), st.integers(0, 9000), st.booleans()),
        st.tuples(st.just("resume"), st.integers(0, 3), st.booleans(), st.just(False)),
        st.tuples(st.just("close"), st.integers(0, 1), st.just(0), st.just(False)),
    ),
    max_size=40,
)


class Model:
    """Every byte that went in comes out once and in order; a write's answer is what of it went in."""

    def __init__(self) -> None:
        self.pipe = make()
        self.ends = [1, 1]
        self.sent = bytearray()
        self.got = bytearray()
        self.counter = 0
        self.serials = [0, 0, 0, 0]
        self.waiting: dict[int, Any] = {}

    def settle(self, slot: int, result: PipeResult, data: bytes | None) -> None:
        answer = result.answer
        if isinstance(answer, bytes):
            self.got += answer
        if data is not None and result.moved:
            done = self.waiting.get(slot, [0, 0])[1] if slot in self.waiting else 0
            self.sent += data[done : done + result.moved]
            if slot in self.waiting:
                self.waiting[slot][1] += result.moved
        if answer is None and slot not in self.waiting:
            self.waiting[slot] = [data, result.moved]
        elif answer is not None:
            left = self.waiting.pop(slot, None)
            if data is not None and isinstance(answer, int):
                assert answer == (left[1] if left else result.moved)

    def step(self, kind: str, slot: int, size: int, flag: bool) -> None:
        ticket = Ticket(slot, self.serials[slot])
        if kind == "resume":
            if slot in self.waiting:
                self.settle(slot, resume(self.pipe, ticket, bool(size)), self.waiting[slot][0])
        elif kind == "close":
            if self.ends[slot]:
                self.ends[slot] = 0
                self.pipe.close_end(readable=slot == 0, writable=slot == 1)
        elif slot not in self.waiting and self.ends[kind == "write"]:
            self.serials[slot] += 1
            ticket = Ticket(slot, self.serials[slot])
            if kind == "read":
                self.settle(slot, read(self.pipe, ticket, size, nonblock=flag), None)
            else:
                data = bytes((self.counter + i) % 251 for i in range(size))
                self.counter += size
                self.settle(slot, write(self.pipe, ticket, data, nonblock=flag), data)


@settings(max_examples=50, deadline=None)
@given(ACTIONS)
def test_pipe_behaves_as_a_queue_of_bytes(actions: list[tuple[str, int, int, bool]]):
    model = Model()
    for action in actions:
        model.step(*action)
        assert not list(model.pipe.check())
        if any(model.ends):
            assert bytes(model.got + model.pipe.buffer) == bytes(model.sent)
