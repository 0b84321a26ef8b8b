"""The way into /proc: what is forwarded, what is kept, what is refused."""

from __future__ import annotations

import pytest

from actors.actor import PENDING
from kernel.abi import errno_values as e
from kernel.abi import flags as f
from tests.support.files_actor import LoneFiles, Process, files, processes


@pytest.fixture
def process():
    return Process(LoneFiles())


def install(process, parts, directory=False, flags=0):
    return process.actor.request(files.InstallProc(process.caller, flags, parts, directory))


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        (b"/proc/self/status", ("self", "status")),
        (b"/proc//1/./fd/", ("1", "fd")),
        (b"/home/../proc/1/../2", ("2",)),
        (b"/proc/../proc/meminfo", ("meminfo",)),
        (b"link/stat", ("1", "stat")),
    ],
)
def test_names_below_proc_are_processes_business(process, path, parts):
    process.call(files.Symlink, b"/proc/1", b"link")
    assert process.stat(path) is PENDING
    assert process.open(path) is PENDING
    assert process.call(files.Chdir, path) is PENDING
    assert [type(message) for message in process.actor.forwarded] == [processes.ProcOpen] * 3
    assert {message.parts for message in process.actor.forwarded} == {parts}


def test_the_way_out_of_proc_is_a_walk_like_any_other(process):
    assert process.stat(b"/proc/1/../../bin/cat").st_mode == f.S_IFREG | 0o755
    assert process.stat(b"/proc/..") == process.stat(b"/")
    assert process.stat(b"/proc").st_mode == f.S_IFDIR | 0o555
    assert process.stat(b"/proc/" + b"x" * 256) == -e.ENAMETOOLONG


def test_content_is_asked_for_once_and_again_after_going_back(process):
    fd = install(process, ("1", "stat"))
    assert process.call(files.Read, fd, 4) is PENDING
    ask = process.actor.forwarded[-1]
    assert (ask.parts, ask.description) == (("1", "stat"), process.actor.state.tables[process.caller.table].get(fd))
    assert process.actor.request(files.ServeContent(ask.request, ask.description, b"1 (init)", ())) == b"1 (i"
    assert process.call(files.Read, fd, 99) == b"nit)"
    assert process.call(files.Read, fd, 99) == b""
    assert process.call(files.Pread, fd, 3, 3) == b"ini"
    assert process.call(files.Lseek, fd, 0, f.SEEK_SET) == 0
    assert process.call(files.Read, fd, 4) is PENDING
    assert process.call(files.Lseek, fd, 0, f.SEEK_END) == -e.EINVAL


def test_a_directory_below_proc_is_listed_and_entered(process):
    fd = install(process, ("1",), directory=True, flags=f.O_DIRECTORY | f.O_CLOEXEC)
    assert process.call(files.Read, fd, 1) == -e.EISDIR
    assert process.call(files.Getdents, fd, 2) is PENDING
    ask = process.actor.forwarded[-1]
    entries = ((1, 4, b"."), (2, 8, b"stat"), (3, 8, b"comm"))
    assert process.actor.request(files.ServeContent(ask.request, ask.description, b"", entries)) == entries[:2]
    assert process.call(files.Getdents, fd, 2) == entries[2:]
    assert process.call(files.Getdents, fd, 2) == ()
    assert process.open(b"stat", dirfd=fd) is PENDING
    assert process.actor.forwarded[-1].parts == ("1", "stat")
    assert process.call(files.Fchdir, fd) is None
    assert process.call(files.Getcwd) == b"/proc/1"
    assert process.actor.request(files.EnterProc(process.caller, ("2", "fd"))) is None
    assert process.call(files.Getcwd) == b"/proc/2/fd"
    assert process.call(files.Chdir, b"../../../tmp") is None


def test_a_file_below_proc_is_no_directory_and_is_not_written(process):
    fd = install(process, ("1", "stat"))
    assert process.open(b"x", dirfd=fd) == -e.ENOTDIR
    assert process.call(files.Getdents, fd, 2) == -e.ENOTDIR
    assert process.call(files.Write, fd, b"x") == -e.EBADF
    assert process.call(files.Fstat, fd) is PENDING
    assert process.call(files.Fchmod, fd, 0) == -e.EPERM


@pytest.mark.parametrize(
    ("kind", "args", "errno"),
    [
        (files.Mkdir, (b"/proc/x", 0o777), e.ENOENT),
        (files.Mkdir, (b"/proc", 0o777), e.EEXIST),
        (files.Rmdir, (b"/proc",), e.EBUSY),
        (files.Rmdir, (b"/proc/1",), e.EPERM),
        (files.Unlink, (b"/proc/1/stat",), e.EPERM),
        (files.Symlink, (b"a", b"/proc/a"), e.ENOENT),
        (files.Rename, (b"/proc/1/stat", b"x"), e.EXDEV),
        (files.Rename, (b"lock", b"/proc/x"), e.EXDEV),
        (files.Rename, (b"/proc/1/stat", b"/proc/1/y"), e.EPERM),
        (files.Rename, (b"/proc", b"/tmp/p"), e.EBUSY),
        (files.Chmod, (b"/proc/1/stat", 0), e.EPERM),
        (files.Truncate, (b"/proc/1/stat", 0), e.EACCES),
    ],
)
def test_names_below_proc_do_not_change(process, kind, args, errno):
    assert process.call(kind, *args) == -errno
