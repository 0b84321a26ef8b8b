"""The same calls on the host's tmpfs and on ours: same errno, same tree. One directory twelve levels deep, so that ".." stays inside."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi import flags as f
from tests.support.files_actor import LoneFiles, Process, files

SHM = "/dev/shm"
DEEP = "/".join("nest" for _ in range(12))
names = st.sampled_from(["a", "b", "c", ".", "..", "a", "b", "c"])
paths = st.builds(lambda parts, slash: "/".join(parts) + slash, st.lists(names, min_size=1, max_size=3), st.sampled_from(["", "", "", "/"]))
targets = st.sampled_from(["a", "b", "c", "../a", "a/b", ".", "b/", "./c"])
open_flags = st.sampled_from(
    [0, os.O_CREAT | os.O_RDWR, os.O_CREAT | os.O_EXCL | os.O_WRONLY, os.O_DIRECTORY, os.O_NOFOLLOW, os.O_WRONLY, os.O_TRUNC | os.O_WRONLY,
     os.O_PATH | os.O_NOFOLLOW, os.O_CREAT | os.O_NOFOLLOW, os.O_CREAT | os.O_DIRECTORY, os.O_DIRECTORY | os.O_NOFOLLOW]
)
operations = st.one_of(
    st.tuples(st.just("mkdir"), paths),
    st.tuples(st.just("rmdir"), paths),
    st.tuples(st.just("unlink"), paths),
    st.tuples(st.just("open"), paths, open_flags),
    st.tuples(st.just("symlink"), targets, paths),
    st.tuples(st.just("link"), paths, paths),
    st.tuples(st.just("rename"), paths, paths),
    st.tuples(st.just("stat"), paths),
    st.tuples(st.just("lstat"), paths),
    st.tuples(st.just("readlink"), paths),
    st.tuples(st.just("truncate"), paths),
    st.tuples(st.just("chmod"), paths),
    st.tuples(st.just("access"), paths),
    st.tuples(st.just("chdir"), paths),
)


class Host:
    """Calls relative to a directory descriptor, which `chdir` replaces; a failure is its errno, negative."""

    def __init__(self, root: str) -> None:
        os.makedirs(os.path.join(root, DEEP))
        self.fd = os.open(os.path.join(root, DEEP), os.O_PATH | os.O_DIRECTORY)

    def run(self, name: str, *args) -> object:
        try:
            return getattr(self, name)(*args)
        except OSError as error:
            return -error.errno

    def mkdir(self, path):
        os.mkdir(path, 0o755, dir_fd=self.fd)

    def rmdir(self, path):
        os.rmdir(path, dir_fd=self.fd)

    def unlink(self, path):
        os.unlink(path, dir_fd=self.fd)

    def open(self, path, flags):
        os.close(os.open(path, flags, 0o644, dir_fd=self.fd))

    def symlink(self, target, path):
        os.symlink(target, path, dir_fd=self.fd)

    def link(self, source, path):
        os.link(source, path, src_dir_fd=self.fd, dst_dir_fd=self.fd, follow_symlinks=False)

    def rename(self, source, path):
        os.rename(source, path, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def stat(self, path):
        return facts(os.stat(path, dir_fd=self.fd))

    def lstat(self, path):
        return facts(os.lstat(path, dir_fd=self.fd))

    def readlink(self, path):
        return os.fsencode(os.readlink(path, dir_fd=self.fd))

    def truncate(self, path):  # truncate(2) has no form with a descriptor
        os.truncate(f"/proc/self/fd/{self.fd}/{path}", 10)

    def chmod(self, path):
        os.chmod(path, 0o700, dir_fd=self.fd)

    def access(self, path):
        os.stat(path, dir_fd=self.fd)

    def chdir(self, path):
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY, dir_fd=self.fd)
        os.close(self.fd)
        self.fd = fd


class Ours:
    """The same in our kernel."""

    def __init__(self) -> None:
        self.process = Process(LoneFiles())
        self.process.call(files.Chdir, b"/tmp")
        for name in [b"root", *DEEP.encode().split(b"/")]:
            self.process.call(files.Mkdir, name, 0o755)
            self.process.call(files.Chdir, name)

    def run(self, name: str, *args) -> object:
        call, path = self.process.call, [one.encode() if isinstance(one, str) else one for one in args]
        match name:
            case "open":
                reply = self.process.open(path[0], path[1], 0o644)
                if reply >= 0:
                    call(files.Close, reply)
                return None if reply >= 0 else reply
            case "stat" | "lstat":
                reply = self.process.stat(path[0], f.AT_SYMLINK_NOFOLLOW if name == "lstat" else 0)
                return reply if isinstance(reply, int) else facts(reply)
            case "mkdir":
                return call(files.Mkdir, path[0], 0o755)
            case "truncate":
                return call(files.Truncate, path[0], 10)
            case "chmod":
                return call(files.Chmod, path[0], 0o700)
            case "access":
                return call(files.Access, path[0], 0)
        return call(getattr(files, name.capitalize()), *path)


def facts(found) -> tuple:
    size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
    return found.st_mode, found.st_nlink, size


def host_tree(root: str) -> dict:
    found = {}
    for directory, _, _ in os.walk(root):
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            found[os.path.relpath(path, root)] = facts(os.lstat(path))
    return found


def our_tree(process: Process, top: bytes = b"/tmp/root", prefix: str = "") -> dict:
    found = {}
    for name in process.names(top):
        what = process.stat(top + b"/" + name, f.AT_SYMLINK_NOFOLLOW)
        found[prefix + name.decode()] = facts(what)
        if stat.S_ISDIR(what.st_mode):
            found.update(our_tree(process, top + b"/" + name, prefix + name.decode() + "/"))
    return found


@pytest.mark.skipif(not os.path.isdir(SHM) or os.geteuid() != 0, reason="compares with a tmpfs, as root")
@settings(max_examples=50, deadline=None)
@given(st.lists(operations, min_size=1, max_size=30))
def test_names_behave_as_on_the_host(steps):
    root = tempfile.mkdtemp(dir=SHM)
    before = os.umask(0o022)
    host, ours = Host(root), Ours()
    try:
        for step in steps:
            assert ours.run(*step) == host.run(*step), step
            assert our_tree(ours.process) == host_tree(root), step
    finally:
        os.umask(before)
        os.close(host.fd)
        shutil.rmtree(root)
