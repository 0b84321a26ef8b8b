"""What waits in files: opens of FIFOs and reads of the terminal."""

from __future__ import annotations

import pytest

from kernel.abi import errno_values as e
from kernel.abi import flags as f
from kernel.abi.signos import SIGINT
from kernel.tickets import WouldBlock
from tests.support.files_actor import LoneFiles, Process, files, processes


@pytest.fixture
def one():
    process = Process(LoneFiles(input_ended=False))
    process.call(files.Mknod, b"p", f.S_IFIFO | 0o666, 0)
    return process


@pytest.fixture
def two(one):
    return one.clone(200)


def waits(reply):
    return reply.__class__ is WouldBlock


def test_opening_a_fifo_waits_for_the_other_side(one, two):
    blocked = one.open(b"p", f.O_RDONLY)
    assert (blocked.owner, blocked.reason, blocked.deadline) == (3, "fifo_open", None)
    assert two.open(b"p", f.O_WRONLY) == 3
    assert one.resume() == 3
    two.call(files.Write, 3, b"hello")
    assert one.call(files.Read, 3, 9) == b"hello"


def test_the_descriptor_is_installed_only_when_the_other_side_is_there(one, two):
    assert waits(one.open(b"p", f.O_RDONLY))
    assert one.call(files.Read, 3, 1) == -e.EBADF
    assert one.call(files.Close, 3) == -e.EBADF
    assert one.call(files.Dup2, 0, 3) == -e.EBUSY
    thread = one.clone(101, f.CLONE_FILES)
    assert thread.open(b"lock") == 4
    assert 3 not in one.actor.state.tables[one.clone(102).caller.table].slots


def test_a_spurious_wake_leaves_the_open_waiting(one, two):
    assert waits(one.open(b"p", f.O_WRONLY))
    assert waits(one.resume())
    two.open(b"p", f.O_RDONLY)
    assert one.resume(interrupted=True) == 3


def test_an_interrupted_open_leaves_nothing(one, two):
    assert waits(one.open(b"p", f.O_RDONLY))
    assert one.resume(interrupted=True) == -e.EINTR
    assert one.actor.request(files.FileStatistics()).waiting == 0
    assert one.open(b"lock") == 3
    assert two.open(b"p", f.O_WRONLY | f.O_NONBLOCK) == -e.ENXIO
    assert not one.actor.ipc.pipes


def test_a_partner_that_left_again_still_met(one, two):
    assert waits(one.open(b"p", f.O_RDONLY))
    fd = two.open(b"p", f.O_WRONLY)
    two.call(files.Close, fd)
    assert one.resume() == 3
    assert one.call(files.Read, 3, 1) == b""


def test_nonblocking_and_read_write_opens_do_not_wait(one, two):
    assert one.open(b"p", f.O_WRONLY | f.O_NONBLOCK) == -e.ENXIO
    assert one.open(b"p", f.O_RDONLY | f.O_NONBLOCK) == 3
    assert two.open(b"p", f.O_WRONLY) == 3
    assert two.open(b"p", f.O_RDWR) == 4
    assert one.open(b"p", 3) == -e.EINVAL


def test_a_fifo_that_nobody_has_open_forgets_its_bytes(one):
    fd = one.open(b"p", f.O_RDWR)
    one.call(files.Write, fd, b"old")
    one.call(files.Close, fd)
    assert not one.actor.ipc.pipes
    fd = one.open(b"p", f.O_RDWR | f.O_NONBLOCK)
    assert one.call(files.Read, fd, 9) == -e.EAGAIN


def test_an_unlinked_fifo_still_joins_those_who_have_it(one, two):
    fd = one.open(b"p", f.O_RDWR)
    two.call(files.Unlink, b"p")
    assert one.call(files.Write, fd, b"x") == 1
    assert one.call(files.Fstat, fd).st_nlink == 0
    one.call(files.Close, fd)
    assert not one.actor.ipc.pipes


def test_a_console_read_waits_for_a_line(one):
    assert waits(one.call(files.Read, 0, 100))
    one.actor.request(files.ConsoleInput(b"half"))
    assert one.actor.told_to == []
    one.actor.request(files.ConsoleInput(b" line\nnext"))
    assert [(told.tid, told.serial) for _, told in one.actor.told_to] == [(one.tid, one.serial)]
    assert one.resume() == b"half line\n"
    one.actor.request(files.ConsoleInput(b""))
    assert one.call(files.Read, 0, 2) == b"ne"
    assert one.call(files.Ioctl, 0, f.FIONREAD, None) == 2
    assert one.call(files.Read, 0, 9) == b"xt"
    assert one.call(files.Read, 0, 9) == b""


def test_two_readers_are_woken_and_one_goes_on_waiting(one, two):
    assert waits(one.call(files.Read, 0, 9))
    assert waits(two.call(files.Read, 0, 9))
    one.actor.request(files.ConsoleInput(b"x\n"))
    assert two.resume() == b"x\n"
    assert waits(one.resume())
    assert one.resume(interrupted=True) == -e.EINTR


def test_a_read_goes_on_although_another_thread_closes_the_descriptor(one):
    thread = one.clone(101, f.CLONE_FILES)
    console = one.open(b"/dev/tty", f.O_RDWR)
    assert waits(one.call(files.Read, console, 9))
    thread.call(files.Close, console)
    one.actor.request(files.ConsoleInput(b"x\n"))
    assert one.resume() == b"x\n"
    assert one.call(files.Read, console, 9) == -e.EBADF


def test_a_nonblocking_console_read_is_eagain(one):
    one.call(files.Fcntl, 0, f.F_SETFL, f.O_NONBLOCK)
    assert one.call(files.Read, 0, 9) == -e.EAGAIN
    assert one.call(files.Read, 0, 0) == b""


def test_input_is_at_its_end_from_the_start_where_there_is_none():
    assert Process(LoneFiles()).call(files.Read, 0, 9) == b""


def test_typed_characters_edit_the_line_and_end_it():
    process = Process(LoneFiles(interactive=True, input_ended=False))
    process.actor.request(files.ConsoleInput(b"ax\x7fb\n\x15gone\x15c\x04\x04"))
    assert [process.call(files.Read, 0, 9) for _ in range(3)] == [b"ab\n", b"c", b""]
    assert waits(process.call(files.Read, 0, 9))


def test_control_c_signals_the_foreground_group_and_discards_the_line():
    process = Process(LoneFiles(interactive=True, input_ended=False))
    assert process.call(files.Ioctl, 0, f.TIOCSPGRP, 77) is None
    assert process.call(files.Ioctl, 0, f.TIOCGPGRP, None) == 77
    process.actor.request(files.ConsoleInput(b"abc\x03"))
    assert [told for _, told in process.actor.told_to] == [processes.SignalGroup(77, SIGINT)]
    assert process.actor.state.terminal.line == b""


def test_a_terminal_says_that_it_is_one(one):
    assert one.call(files.Ioctl, 1, f.TIOCGWINSZ, None) == (24, 80, 0, 0)
    assert one.call(files.Ioctl, 1, f.TCGETS, None)[3] & 2  # ICANON
