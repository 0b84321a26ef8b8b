"""Reading, writing, seeking: against the host's files, and what the host cannot show."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi import errno_values as e
from kernel.abi import flags as f
from tests.support.files_actor import LoneFiles, Process, files, memory

CREATE = f.O_CREAT | f.O_RDWR
fds = st.integers(0, 3)
data = st.binary(max_size=6)
small = st.integers(-2, 12)
modes = st.sampled_from([f.O_RDONLY, f.O_RDWR, f.O_WRONLY | f.O_APPEND, f.O_WRONLY | f.O_TRUNC, f.O_RDWR | f.O_APPEND])
steps = st.one_of(
    st.tuples(st.just("read"), fds, st.integers(0, 8)),
    st.tuples(st.just("write"), fds, data),
    st.tuples(st.just("pread"), fds, st.integers(0, 8), small),
    st.tuples(st.just("pwrite"), fds, data, small),
    st.tuples(st.just("lseek"), fds, small, st.integers(0, 2)),
    st.tuples(st.just("ftruncate"), fds, small),
    st.tuples(st.just("dup2"), fds, fds),
    st.tuples(st.just("reopen"), fds, modes),
    st.tuples(st.just("size"), fds),
)
CALLS = {
    "read": files.Read, "write": files.Write, "pread": files.Pread, "pwrite": files.Pwrite, "lseek": files.Lseek,
    "ftruncate": files.Ftruncate,
}


@pytest.fixture
def process():
    return Process(LoneFiles())


def on_host(path, numbers, step):
    name, which, *rest = step
    try:
        match name:
            case "dup2":
                os.dup2(numbers[which], numbers[rest[0]])
                return None
            case "reopen":
                os.close(numbers[which])
                numbers[which] = os.open(path, rest[0])
                return None
            case "size":
                return os.fstat(numbers[which]).st_size
        return getattr(os, name)(numbers[which], *rest)
    except OSError as error:
        return -error.errno


def in_ours(process, numbers, step):
    name, which, *rest = step
    match name:
        case "dup2":
            process.call(files.Dup2, numbers[which], numbers[rest[0]])
            return None
        case "reopen":
            process.call(files.Close, numbers[which])
            numbers[which] = process.open(b"f", rest[0])
            return None
        case "size":
            return process.call(files.Fstat, numbers[which]).st_size
    return process.call(CALLS[name], numbers[which], *rest)


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=30))
def test_bytes_offsets_and_sizes_are_as_on_the_host(plan):
    process = Process(LoneFiles())
    host, path = tempfile.mkstemp()
    try:
        theirs = [host, *(os.open(path, os.O_RDWR) for _ in range(3))]
        ours = [process.open(b"f", CREATE) for _ in range(4)]
        for step in plan:
            assert in_ours(process, ours, step) == on_host(path, theirs, step), step
        for fd in theirs:
            os.close(fd)
    finally:
        os.unlink(path)


def test_a_boot_file_is_handed_to_memory_with_its_content_once(process):
    fd = process.open(b"lock")
    process.call(files.Read, fd, 2)
    process.call(files.Read, fd, 2)
    first, second = process.actor.forwarded
    assert (first.seed, first.offset, first.count) == (b"\x7fELF lock", 0, 2)
    assert (second.seed, second.offset, second.object) == (b"", 2, first.object)
    assert first.object % 2 == 0


def test_a_mapping_carries_the_content_and_pins_the_object(process):
    fd = process.open(b"lock", f.O_RDWR)
    mapped = process.actor.request(files.PinForMapping(process.caller, fd, f.PROT_READ | f.PROT_WRITE, f.MAP_SHARED))
    assert (mapped.seed, mapped.size, mapped.may_write, mapped.name) == (b"\x7fELF lock", 9, True, "/home/user/lock")
    process.call(files.Unlink, b"lock")
    process.call(files.Close, fd)
    assert process.actor.told_to == []
    process.actor.request(files.Unpin(mapped.object))
    assert [message for _, message in process.actor.told_to] == [memory.DropObject(mapped.object)]


@pytest.mark.parametrize(
    ("path", "flags", "mapping", "errno"),
    [
        (b"lock", f.O_WRONLY, (f.PROT_READ, f.MAP_PRIVATE), e.EACCES),
        (b"lock", f.O_RDONLY, (f.PROT_WRITE, f.MAP_SHARED), e.EACCES),
        (b"/tmp", f.O_RDONLY, (f.PROT_READ, f.MAP_PRIVATE), e.ENODEV),
        (b"/dev/null", f.O_RDONLY, (f.PROT_READ, f.MAP_PRIVATE), e.ENODEV),
        (b"lock", f.O_PATH, (f.PROT_READ, f.MAP_PRIVATE), e.EBADF),
    ],
)
def test_what_cannot_be_mapped(process, path, flags, mapping, errno):
    fd = process.open(path, flags)
    assert process.actor.request(files.PinForMapping(process.caller, fd, *mapping)).errno == errno


def test_a_private_mapping_may_be_written_without_write_access(process):
    fd = process.open(b"lock")
    assert not process.actor.request(files.PinForMapping(process.caller, fd, f.PROT_WRITE, f.MAP_PRIVATE)).may_write
    fd = process.open(b"/dev/zero", f.O_RDWR)
    assert process.actor.request(files.PinForMapping(process.caller, fd, f.PROT_WRITE, f.MAP_PRIVATE)).device == "zero"


def test_a_write_that_fell_short_sets_size_and_offset_back(process):
    fd = process.open(b"f", CREATE)
    process.call(files.Write, fd, b"abc")
    process.call(files.Write, fd, b"x" * 10)
    write = process.actor.forwarded[-1]
    process.actor.request(files.WriteFellShort(write.inode, write.description, write.offset, 10, 4))
    assert process.call(files.Fstat, fd).st_size == 7
    assert process.call(files.Lseek, fd, 0, f.SEEK_CUR) == 7


def test_a_write_that_fell_short_inside_the_file_leaves_its_size(process):
    fd = process.open(b"f", CREATE)
    process.call(files.Write, fd, b"x" * 10)
    process.call(files.Pwrite, fd, b"y" * 4, 6)
    write = process.actor.forwarded[-1]
    assert write.description == 0
    process.actor.request(files.WriteFellShort(write.inode, write.description, 6, 4, 0))
    assert process.call(files.Fstat, fd).st_size == 10
    assert process.call(files.Lseek, fd, 0, f.SEEK_CUR) == 10


def test_a_short_write_does_not_undo_what_others_appended_since(process):
    fd = process.open(b"f", CREATE)
    process.call(files.Write, fd, b"x" * 10)
    write = process.actor.forwarded[-1]
    process.call(files.Write, fd, b"y")
    process.actor.request(files.WriteFellShort(write.inode, write.description, 0, 10, 4))
    assert process.call(files.Fstat, fd).st_size == 11


def test_truncating_what_memory_never_saw_tells_nobody(process):
    assert process.call(files.Truncate, b"lock", 4) is None
    assert process.actor.forwarded == []
    assert process.call(files.Read, process.open(b"lock"), 100) == b"\x7fELF"


def test_open_with_truncation_answers_the_descriptor(process):
    process.call(files.Read, process.open(b"lock"), 1)
    assert process.open(b"lock", f.O_RDWR | f.O_TRUNC) == 4
    assert process.actor.forwarded[-1].answer == 4
    assert process.call(files.Fstat, 3).st_size == 0


def test_offsets_end_at_the_largest_file(process):
    fd = process.open(b"f", CREATE)
    top = (1 << 63) - 1
    assert process.call(files.Lseek, fd, top, f.SEEK_SET) == top
    assert process.call(files.Write, fd, b"x") == -e.EFBIG
    assert process.call(files.Lseek, fd, 1, f.SEEK_CUR) == -e.EINVAL
    assert process.call(files.Lseek, fd, 0, 3) == -e.ENXIO


def test_directories_are_not_read_as_bytes(process):
    fd = process.open(b"/tmp")
    assert process.call(files.Read, fd, 0) == -e.EISDIR
    assert process.call(files.Write, fd, b"") == -e.EBADF
    assert process.call(files.Ftruncate, fd, 0) == -e.EINVAL
    assert process.call(files.Fsync, fd) is None


def test_devices(process):
    null, zero, random = (process.open(b"/dev/" + name, f.O_RDWR) for name in (b"null", b"zero", b"urandom"))
    assert process.call(files.Read, null, 5) == b""
    assert process.call(files.Read, zero, 3) == b"\0\0\0"
    assert process.call(files.Write, null, b"abc") == 3
    assert process.call(files.Lseek, null, 100, f.SEEK_SET) == 0
    drawn = process.call(files.Read, random, 8)
    assert drawn != process.call(files.Getrandom, 8, 0)
    assert drawn == Process(LoneFiles()).call(files.Getrandom, 8, 0)
    assert process.call(files.Ioctl, null, f.TIOCGWINSZ, None) == -e.ENOTTY


def test_a_file_grows_no_further_than_the_size_limit(process):
    fd = process.open(b"new", f.O_RDWR | f.O_CREAT)
    process.actor.request(files.SetLimits(process.caller.table, (1024, 4)))
    assert process.call(files.Write, fd, b"abcdef") == 4
    assert process.call(files.Write, fd, b"x") == -e.EFBIG
    assert process.call(files.Ftruncate, fd, 5) == -e.EFBIG
    assert process.call(files.Ftruncate, fd, 2) is None


def test_the_full_device_takes_nothing(process):
    fd = process.open(b"/dev/full", f.O_RDWR)
    assert process.call(files.Write, fd, b"x") == -e.ENOSPC
    assert process.call(files.Read, fd, 2) == b"\0\0"
