"""open(2), permissions, names beyond what the host comparison covers."""

from __future__ import annotations

import pytest

from kernel.abi import errno_values as e
from kernel.abi import flags as f
from tests.support.files_actor import LoneFiles, Process, files, memory

CREATE = f.O_CREAT | f.O_RDWR


@pytest.fixture
def root():
    return Process(LoneFiles())


@pytest.fixture
def user(root):
    user = root.clone(200)
    user.caller = type(root.caller)(200, 200, 1, user.caller.table, user.caller.fs, (2,), 1000, 1000, 1000, 1000)
    user.call(files.Chdir, b"/tmp")
    root.call(files.Chdir, b"/tmp")
    return user


@pytest.mark.parametrize(
    ("path", "flags", "errno"),
    [
        (b"", 0, e.ENOENT),
        (b"none", 0, e.ENOENT),
        (b"none/x", f.O_CREAT, e.ENOENT),
        (b"lock/x", 0, e.ENOTDIR),
        (b"lock/", 0, e.ENOTDIR),
        (b"new/", f.O_CREAT, e.EISDIR),
        (b"/tmp", f.O_WRONLY, e.EISDIR),
        (b"/tmp", f.O_CREAT, e.EISDIR),
        (b".", f.O_CREAT | f.O_EXCL, e.EEXIST),
        (b"lock", f.O_CREAT | f.O_EXCL, e.EEXIST),
        (b"lock", f.O_DIRECTORY, e.ENOTDIR),
        (b"x" * 256, 0, e.ENAMETOOLONG),
        (b"x" * 256 + b"/y", 0, e.ENAMETOOLONG),
        (b"x/" * 2048, 0, e.ENAMETOOLONG),
        (b"new", f.O_CREAT | f.O_DIRECTORY, e.EINVAL),
        (b"/tmp", f.O_TMPFILE, e.EINVAL),
        (b"lock", f.O_TMPFILE | f.O_RDWR, e.ENOTDIR),
    ],
)
def test_what_open_refuses(root, path, flags, errno):
    assert root.open(path, flags) == -errno


def test_a_name_of_255_bytes_is_fine(root):
    assert root.open(b"x" * 255, CREATE) == 3


def test_forty_links_are_followed_and_forty_one_are_not(root):
    root.call(files.Symlink, b"lock", b"l0")
    for number in range(1, 41):
        root.call(files.Symlink, b"l%d" % (number - 1), b"l%d" % number)
    assert root.stat(b"l39").st_size == 9
    assert root.stat(b"l40") == -e.ELOOP
    assert root.open(b"l0", f.O_NOFOLLOW) == -e.ELOOP


def test_umask_and_mode_make_the_permissions(user):
    assert user.call(files.Umask, 0o7027) == 0o022
    user.open(b"f", CREATE, 0o4777)
    assert user.stat(b"f").st_mode == f.S_IFREG | 0o4750
    user.call(files.Mkdir, b"d", 0o7777)
    assert user.stat(b"d").st_mode == f.S_IFDIR | 0o1750


def test_a_new_file_is_opened_whatever_its_mode_says(user):
    fd = user.open(b"f", CREATE, 0)
    assert user.call(files.Write, fd, b"x") == 1
    assert user.open(b"f") == -e.EACCES


def test_the_owners_bits_count_for_the_owner_even_if_others_may(user, root):
    user.open(b"f", CREATE, 0o666)
    user.call(files.Chmod, b"f", 0o066)
    assert user.open(b"f") == -e.EACCES
    assert root.open(b"f", f.O_RDWR) >= 0
    assert user.call(files.Chmod, b"/bin/cat", 0) == -e.EPERM
    assert user.call(files.Truncate, b"/bin/cat", 0) == -e.EACCES


def test_a_directory_without_x_is_not_searched(user, root):
    root.call(files.Mkdir, b"d", 0o744)
    assert user.stat(b"d/x") == -e.EACCES
    assert user.open(b"d/x", f.O_CREAT) == -e.EACCES
    assert user.call(files.Chdir, b"d") == -e.EACCES
    assert user.names(b"d") == []


def test_root_executes_only_what_somebody_may(root, user):
    root.open(b"f", CREATE, 0o644)
    assert root.call(files.Access, b"f", f.X_OK) == -e.EACCES
    root.call(files.Chmod, b"f", 0o001)
    assert root.call(files.Access, b"f", f.X_OK) is None
    assert user.call(files.Access, b"f", f.R_OK) == -e.EACCES
    assert user.call(files.Access, b"f", 8) == -e.EINVAL


def test_the_sticky_bit_protects_others_files(root, user):
    root.open(b"f", CREATE, 0o666)
    user.open(b"g", CREATE, 0o666)
    assert user.call(files.Unlink, b"f") == -e.EPERM
    assert user.call(files.Rename, b"g", b"f") == -e.EPERM
    assert user.call(files.Unlink, b"g") is None


def test_making_names_needs_write_permission(user):
    assert user.call(files.Mkdir, b"/x", 0o777) == -e.EACCES
    assert user.call(files.Unlink, b"/bin/cat") == -e.EACCES
    assert user.call(files.Rename, b"/bin/cat", b"cat") == -e.EACCES
    assert user.call(files.Link, b"/bin/cat", b"/bin/dog") == -e.EACCES


def test_mknod_makes_fifos_and_files_but_no_devices(root):
    assert root.call(files.Mknod, b"p", f.S_IFIFO | 0o666, 0) is None
    assert root.stat(b"p").st_mode == f.S_IFIFO | 0o644
    assert root.call(files.Mknod, b"f", 0o600, 0) is None
    assert root.stat(b"f").st_mode == f.S_IFREG | 0o600
    assert root.call(files.Mknod, b"d", f.S_IFCHR, 259) == -e.EPERM
    assert root.call(files.Mknod, b"d", f.S_IFDIR, 0) == -e.EPERM
    assert root.call(files.Mknod, b"p", f.S_IFIFO, 0) == -e.EEXIST
    root.call(files.Mknod, b"s", f.S_IFSOCK | 0o666, 0)
    assert root.open(b"s") == -e.ENXIO


def test_an_unlinked_file_lives_until_its_last_close(root):
    fd = root.open(b"f", CREATE)
    root.call(files.Write, fd, b"abc")
    assert root.call(files.Unlink, b"f") is None
    assert root.call(files.Fstat, fd).st_nlink == 0
    assert root.call(files.Pread, fd, 9, 0) == b"abc"
    assert root.call(files.Link, b"/proc/self/fd/3", b"g") == -e.EXDEV
    assert root.actor.told_to == []
    root.call(files.Close, fd)
    assert [message for _, message in root.actor.told_to] == [memory.DropObject(2)]


def test_a_tmpfile_has_no_name(root):
    fd = root.open(b"/tmp", f.O_TMPFILE | f.O_RDWR, 0o600)
    assert root.call(files.Fstat, fd).st_nlink == 0
    assert root.names(b"/tmp") == []
    assert root.call(files.Write, fd, b"abc") == 3
    root.call(files.Close, fd)


def test_a_removed_working_directory_has_no_path(root):
    root.call(files.Mkdir, b"d", 0o777)
    root.call(files.Chdir, b"d")
    assert root.call(files.Rmdir, b"/home/user/d") is None
    assert root.call(files.Getcwd) == -e.ENOENT
    assert root.open(b"x", CREATE) == -e.ENOENT
    assert root.call(files.Mkdir, b"x", 0o777) == -e.ENOENT
    assert root.stat(b".").st_nlink == 0
    assert root.call(files.Chdir, b"..") is None
    assert root.call(files.Getcwd) == b"/home/user"


def test_a_renamed_directory_takes_its_path_along(root):
    root.call(files.Mkdir, b"d", 0o777)
    fd = root.open(b"d/f", CREATE)
    root.call(files.Chdir, b"d")
    root.call(files.Rename, b"/home/user/d", b"/tmp/e")
    assert root.call(files.Getcwd) == b"/tmp/e"
    listed = {one: text for one, text, _, _ in root.actor.request(files.DescriptorList(root.caller.table))}
    assert listed[fd] == "/tmp/e/f"
    root.call(files.Rename, b"f", b"g")
    listed = {one: text for one, text, _, _ in root.actor.request(files.DescriptorList(root.caller.table))}
    assert listed[fd] == "/tmp/e/g"
    root.call(files.Unlink, b"g")
    listed = {one: text for one, text, _, _ in root.actor.request(files.DescriptorList(root.caller.table))}
    assert listed[fd] == "/tmp/e/g (deleted)"


def test_getdents_goes_on_where_it_was_although_entries_come_and_go(root):
    root.call(files.Mkdir, b"/tmp/d", 0o777)
    for name in (b"a", b"b", b"c", b"d"):
        root.open(b"/tmp/d/" + name, CREATE)
    fd = root.open(b"/tmp/d", f.O_DIRECTORY)
    first = root.call(files.Getdents, fd, 4)
    assert [name for _, _, name in first] == [b".", b"..", b"a", b"b"]
    root.call(files.Unlink, b"/tmp/d/b")
    root.call(files.Unlink, b"/tmp/d/c")
    root.open(b"/tmp/d/e", CREATE)
    assert [name for _, _, name in root.call(files.Getdents, fd, 9)] == [b"d", b"e"]
    assert root.call(files.Getdents, fd, 9) == ()
    root.call(files.Lseek, fd, 0, f.SEEK_SET)
    assert len(root.call(files.Getdents, fd, 9)) == 5


def test_times_are_virtual_and_start_at_boot(root):
    root.actor.clock = 5_000
    fd = root.open(b"f", CREATE)
    root.actor.clock = 6_000
    root.call(files.Write, fd, b"x")
    root.actor.clock = 7_000
    root.call(files.Pread, fd, 1, 0)
    root.actor.clock = 8_000
    root.call(files.Chmod, b"f", 0o600)
    found = root.call(files.Fstat, fd)
    base = 1_700_000_000 * 10**9
    assert (found.st_mtime_ns - base, found.st_atime_ns - base, found.st_ctime_ns - base) == (6_000, 7_000, 8_000)


def test_execve_finds_what_may_be_executed(root):
    root.open(b"plain", CREATE, 0o644)
    root.call(files.Symlink, b"lock", b"l")
    found = root.actor.request(files.OpenExec(root.caller, b"l"))
    assert (found.path, found.size, found.seed) == (b"/home/user/lock", 9, b"\x7fELF lock")
    root.actor.request(files.Unpin(found.object))
    for path, errno in ((b"plain", e.EACCES), (b"/tmp", e.EACCES), (b"none", e.ENOENT), (b"lock/x", e.ENOTDIR), (b"/proc/1/exe", e.EACCES)):
        assert root.actor.request(files.OpenExec(root.caller, path)).errno == errno
    assert root.actor.request(files.FileStatistics()).pinned == 0
