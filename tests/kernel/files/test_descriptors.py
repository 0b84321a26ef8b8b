"""Descriptors, descriptions, tables: dup, fork, exec, close."""

from __future__ import annotations

import copy

import pytest

from kernel.abi import errno_values as e
from kernel.abi import flags as f
from tests.support.files_actor import LoneFiles, Process, files, ipc


@pytest.fixture
def actor():
    return LoneFiles()


@pytest.fixture
def process(actor):
    return Process(actor)


def test_the_first_process_has_three_descriptors_on_the_console(process):
    console = process.call(files.Fstat, 0)
    assert console.st_mode & f.S_IFMT == f.S_IFCHR
    assert [process.call(files.Write, fd, b"x") for fd in (1, 2)] == [1, 1]
    assert process.actor.output == [(1, b"x"), (2, b"x")]
    assert process.open(b"lock") == 3


def test_output_is_logged_with_bad_bytes_escaped(process):
    process.call(files.Write, 1, b"\xffa")
    assert process.actor.events[-1].text == "\\xffa"


def test_dup2_of_stdout_over_stderr_sends_errors_to_stdout(process):
    process.call(files.Dup2, 1, 2)
    process.call(files.Write, 2, b"e")
    assert process.actor.output == [(1, b"e")]


def test_the_lowest_free_descriptor_is_taken(process):
    process.call(files.Close, 0)
    assert process.open(b"lock") == 0
    assert process.call(files.Dup, 0) == 3
    assert process.call(files.Fcntl, 0, f.F_DUPFD, 10) == 10


def test_dup_shares_the_offset_and_open_does_not(process):
    one = process.open(b"lock")
    two, other = process.call(files.Dup, one), process.open(b"lock")
    assert process.call(files.Read, one, 4) == b"\x7fELF"
    assert process.call(files.Read, two, 100) == b" lock"
    assert process.call(files.Read, other, 4) == b"\x7fELF"


def test_fork_shares_descriptions_but_not_the_table(process):
    fd = process.open(b"lock")
    child = process.clone(101)
    child.call(files.Lseek, fd, 5, f.SEEK_SET)
    assert process.call(files.Lseek, fd, 0, f.SEEK_CUR) == 5
    child.call(files.Close, fd)
    assert process.call(files.Read, fd, 4) == b"lock"
    child.exit()


def test_threads_share_the_table(process):
    thread = process.clone(101, f.CLONE_FILES | f.CLONE_FS)
    assert thread.open(b"lock") == 3
    assert process.call(files.Read, 3, 1) == b"\x7f"
    thread.exit()
    assert process.call(files.Read, 3, 1) == b"E"


def test_exec_closes_what_is_marked_and_unshares_the_table(process):
    thread = process.clone(101, f.CLONE_FILES)
    kept, closed = process.open(b"lock"), process.open(b"lock", f.O_CLOEXEC)
    table, _ = process.actor.request(files.CloseOnExec(process.caller.table, process.caller.fs))
    slots = process.actor.state.tables[table].slots
    assert kept in slots
    assert closed not in slots
    assert thread.call(files.Read, closed, 1) == b"\x7f"


def test_descriptors_beyond_the_limit_are_emfile(process):
    process.actor.request(files.SetLimits(process.caller.table, (5, f.RLIM_INFINITY)))
    assert [process.open(b"lock") for _ in range(3)] == [3, 4, -e.EMFILE]
    assert process.call(files.Dup, 0) == -e.EMFILE
    assert process.call(files.Dup2, 0, 5) == -e.EBADF
    assert process.call(files.Fcntl, 0, f.F_DUPFD, 5) == -e.EINVAL
    process.call(files.Close, 4)
    assert process.call(files.Pipe2, 0) == -e.EMFILE
    assert process.open(b"missing") == -e.ENOENT


@pytest.mark.parametrize(
    ("kind", "args", "errno"),
    [
        (files.Close, (9,), e.EBADF),
        (files.Read, (9, 1), e.EBADF),
        (files.Read, (-1, 1), e.EBADF),
        (files.Read, (0, -1), e.EINVAL),
        (files.Dup, (-1,), e.EBADF),
        (files.Dup2, (9, 1), e.EBADF),
        (files.Dup2, (9, 9), e.EBADF),
        (files.Dup2, (0, -1), e.EBADF),
        (files.Dup3, (0, 0, 0), e.EINVAL),
        (files.Dup3, (0, 5, 1), e.EINVAL),
        (files.Fcntl, (0, 12345, 0), e.EINVAL),
        (files.Fcntl, (9, 12345, 0), e.EBADF),
        (files.Fcntl, (0, f.F_GETPIPE_SZ, 0), e.EBADF),
        (files.Pipe2, (1,), e.EINVAL),
        (files.Lseek, (0, 0, 0), e.ESPIPE),
        (files.Lseek, (0, 0, 99), e.EINVAL),
        (files.Pread, (0, 1, -1), e.EINVAL),
        (files.Pread, (0, 1, 0), e.ESPIPE),
        (files.Ftruncate, (0, -1), e.EINVAL),
        (files.Fsync, (0,), e.EINVAL),
        (files.Ioctl, (0, 1, None), e.ENOTTY),
        (files.Fchdir, (0,), e.ENOTDIR),
        (files.Getdents, (0, 10), e.ENOTDIR),
        (files.Getrandom, (4, 8), e.EINVAL),
    ],
)
def test_what_is_refused(process, kind, args, errno):
    assert process.call(kind, *args) == -errno


def test_flags_belong_to_descriptor_or_description(process):
    fd = process.open(b"lock", f.O_CLOEXEC | f.O_APPEND | f.O_RDWR)
    copied = process.call(files.Dup, fd)
    assert [process.call(files.Fcntl, one, f.F_GETFD, 0) for one in (fd, copied)] == [1, 0]
    process.call(files.Fcntl, copied, f.F_SETFL, f.O_NONBLOCK)
    assert process.call(files.Fcntl, fd, f.F_GETFL, 0) == f.O_RDWR | f.O_NONBLOCK | 0o100000
    process.call(files.Fcntl, fd, f.F_SETFD, 0)
    assert process.call(files.Fcntl, fd, f.F_GETFD, 0) == 0


def test_a_path_descriptor_names_a_place_and_gives_no_access(process):
    fd = process.open(b"/tmp", f.O_PATH | f.O_DIRECTORY)
    assert process.call(files.Read, fd, 1) == -e.EBADF
    assert process.call(files.Getdents, fd, 1) == -e.EBADF
    assert process.open(b"x", f.O_CREAT, dirfd=fd) == 4
    assert process.call(files.Fchdir, fd) is None
    assert process.call(files.Getcwd) == b"/tmp"


def test_a_pipe_ends_when_the_last_descriptor_of_an_end_closes(process):
    reader, writer = process.call(files.Pipe2, 0)
    child = process.clone(101)
    process.call(files.Write, writer, b"hi")
    assert process.call(files.Ioctl, reader, f.FIONREAD, None) == 2
    assert process.call(files.Fcntl, reader, f.F_GETPIPE_SZ, 0) == 65536
    process.call(files.Close, writer)
    assert not [told for _, told in process.actor.told_to if isinstance(told, ipc.CloseEnd)]
    child.exit()
    (pipe,) = process.actor.ipc.pipes
    assert [told for _, told in process.actor.told_to] == [ipc.CloseEnd(pipe, False, True)]
    assert process.call(files.Read, reader, 10) == b"hi"
    assert process.call(files.Read, reader, 10) == b""
    assert process.call(files.Read, writer, 10) == -e.EBADF


def test_both_ends_of_a_pipe_are_one_inode(process):
    reader, writer = process.call(files.Pipe2, f.O_CLOEXEC)
    one, two = process.call(files.Fstat, reader), process.call(files.Fstat, writer)
    assert one == two
    assert one.st_mode == f.S_IFIFO | 0o600
    assert process.call(files.Read, writer, 1) == -e.EBADF
    assert process.call(files.Write, reader, b"x") == -e.EBADF
    listed = {fd: text for fd, text, _, _ in process.actor.request(files.DescriptorList(process.caller.table))}
    assert listed[reader] == f"pipe:[{one.st_ino}]"
    assert listed[0] == "/dev/console"


def test_nothing_is_left_when_all_processes_are_gone(process):
    fd = process.open(b"new", f.O_CREAT | f.O_RDWR)
    process.call(files.Write, fd, b"x")
    process.call(files.Pipe2, 0)
    process.clone(101).exit()
    process.exit()
    statistics = process.actor.request(files.FileStatistics())
    assert (statistics.descriptions, statistics.tables, statistics.contexts, statistics.pinned, statistics.waiting) == (0, 0, 0, 0, 0)
    assert not process.actor.ipc.pipes


def test_a_copied_state_goes_its_own_way(process):
    fd = process.open(b"lock")
    state = copy.deepcopy(process.actor.state)
    process.call(files.Lseek, fd, 3, f.SEEK_SET)
    process.call(files.Mkdir, b"d", 0o777)
    assert state.describe(process.caller.table, fd).offset == 0
    assert state.inodes != process.actor.state.inodes
    assert list(state.check()) == []
