"""Calls that change names: mkdir, rmdir, link, unlink, symlink, mknod, rename (man pages in section 2).

The order of checks is Linux's (fs/namei.c): first the walk to the parent, then what kind of last component it is, then whether the name is
there, and only then permissions, so that the errno is the one that Linux gives when several apply. All names are in one file system but
those in /proc, which is a mount of its own: EXDEV between the two, EBUSY for the mount point, EPERM or ENOENT inside.

What becomes of an inode whose last name goes is not decided here: `unlinked` collects them for `FilesState`.
"""

from __future__ import annotations

from typing import Final

from kernel.abi.errno_values import EBUSY, EEXIST, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EXDEV
from kernel.abi.errnos import SysError
from kernel.abi.flags import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID
from kernel.abi.layout import PAGE_SIZE
from kernel.files.inodes import PROC, Inode, InodeTable, add_entry, remove_entry
from kernel.files.paths import Kind, Last, Place, Walk, is_ancestor, walk
from kernel.files.permissions import MAY_EXECUTE, MAY_WRITE, Credentials, require, require_removable

NODE_KINDS: Final = (0, S_IFREG, S_IFIFO, S_IFSOCK)


class Namespace:
    """The operations of one caller: `start` is its working directory, `who` its credentials."""

    __slots__ = ("inodes", "now_ns", "start", "umask", "unlinked", "who")

    def __init__(self, inodes: InodeTable, start: Place, who: Credentials, umask: int, now_ns: int) -> None:
        self.inodes = inodes
        self.start = start
        self.who = who
        self.umask = umask
        self.now_ns = now_ns
        self.unlinked: list[int] = []  # inodes that lost a name

    def mkdir(self, path: bytes, mode: int) -> None:
        """A new directory: man 2 mkdir."""
        where = self._walk_to_new(path, directory=True)
        parent = self._require_creatable(where)
        inode = self.make_inode(parent, S_IFDIR | mode & 0o1777)
        inode.entries = {}
        inode.nlink = 2
        inode.parent = where.parent
        inode.name = where.name
        parent.nlink += 1
        add_entry(parent, where.name, inode.number, self.now_ns)

    def mknod(self, path: bytes, mode: int) -> None:
        """Man 2 mknod: regular files, FIFOs and (unusable) sockets; devices and directories are EPERM."""
        kind = mode & S_IFMT
        if kind in (S_IFDIR, S_IFCHR, S_IFBLK):
            raise SysError(EPERM)
        if kind not in NODE_KINDS:
            raise SysError(EINVAL)
        where = self._walk_to_new(path, directory=False)
        parent = self._require_creatable(where)
        inode = self.make_inode(parent, (kind or S_IFREG) | mode & 0o7777)
        inode.nlink = 1
        add_entry(parent, where.name, inode.number, self.now_ns)

    def create(self, where: Walk, mode: int) -> Inode:
        """open(O_CREAT) of a name that is not there: a new regular file."""
        parent = self._require_creatable(where)
        inode = self.make_inode(parent, S_IFREG | mode & 0o7777)
        inode.nlink = 1
        add_entry(parent, where.name, inode.number, self.now_ns)
        return inode

    def symlink(self, target: bytes, path: bytes) -> None:
        """A new symbolic link: man 2 symlink."""
        if not target:
            raise SysError(ENOENT)
        if len(target) >= PAGE_SIZE:
            raise SysError(ENAMETOOLONG)
        where = self._walk_to_new(path, directory=False)
        parent = self._require_creatable(where)
        inode = self.make_inode(parent, S_IFLNK | 0o777, masked=False)
        inode.target = target
        inode.nlink = 1
        add_entry(parent, where.name, inode.number, self.now_ns)

    def link(self, source: bytes, path: bytes) -> None:
        """Man 2 link: a symbolic link is linked itself, not followed."""
        old = walk(self.inodes, self.start, source, self.who, Last.NOFOLLOW)
        if old.proc is None and not old.found:
            raise SysError(ENOENT)
        where = self._walk_to_new(path, directory=False, other_mount=old.proc is not None)
        self._require_creatable(where)
        if self.inodes.get(old.found).is_directory:
            raise SysError(EPERM)
        inode = self.inodes.edit(old.found)
        if inode.nlink == 0:  # a file without a name does not get one again
            raise SysError(ENOENT)
        inode.nlink += 1
        inode.ctime_ns = self.now_ns
        add_entry(self.inodes.edit(where.parent), where.name, inode.number, self.now_ns)

    def unlink(self, path: bytes) -> None:
        """Take a name away: man 2 unlink."""
        where = walk(self.inodes, self.start, path, self.who, Last.PARENT)
        if where.kind is not Kind.NORMAL:
            raise SysError(EISDIR)
        victim = self._require_found(where)
        if where.trailing:
            raise SysError(EISDIR if victim.is_directory else ENOTDIR)
        self._require_victim(where, victim, directory=False)
        self._drop_name(where)

    def rmdir(self, path: bytes) -> None:
        """Take an empty directory away: man 2 rmdir."""
        where = walk(self.inodes, self.start, path, self.who, Last.PARENT)
        if where.kind is not Kind.NORMAL:
            raise SysError({Kind.DOT: EINVAL, Kind.DOTDOT: ENOTEMPTY, Kind.ROOT: EBUSY}[where.kind])
        victim = self._require_found(where)
        self._require_victim(where, victim, directory=True)
        if victim.number == PROC:
            raise SysError(EBUSY)
        if victim.entries:
            raise SysError(ENOTEMPTY)
        self._drop_name(where)

    def rename(self, source: bytes, path: bytes) -> tuple[Walk, Walk] | None:
        """Man 2 rename: the old and the new name; None where both are the same file and nothing happens."""
        old = walk(self.inodes, self.start, source, self.who, Last.PARENT)
        new = walk(self.inodes, self.start, path, self.who, Last.PARENT)
        if (old.proc is None) != (new.proc is None):
            raise SysError(EXDEV)
        if old.kind is not Kind.NORMAL or new.kind is not Kind.NORMAL:
            raise SysError(EBUSY)
        moved = self._require_found(old)
        target = self.inodes.find(new.found) if new.found else None
        if not moved.is_directory and (old.trailing or new.trailing):
            raise SysError(ENOTDIR)
        if old.parent != new.parent and is_ancestor(self.inodes, moved.number, new.parent):
            raise SysError(EINVAL)
        if target is not None and old.parent != new.parent and is_ancestor(self.inodes, target.number, old.parent):
            raise SysError(ENOTEMPTY)
        if target is not None and target.number == moved.number:
            return None
        self._require_renamable(old, new, moved, target)
        if target is not None:
            self._drop_name(new)
        self._move(old, new, moved.number)
        return old, new

    def make_inode(self, parent: Inode, mode: int, *, masked: bool = True) -> Inode:
        """A new inode of the caller's in `parent`, whose set-group-id bit passes on its group."""
        if masked:
            mode &= ~self.umask
        gid = self.who.gid
        if parent.mode & S_ISGID:
            gid = parent.gid
            mode |= S_ISGID if mode & S_IFMT == S_IFDIR else 0
        return self.inodes.create(mode, self.who.uid, gid, self.now_ns)

    def _walk_to_new(self, path: bytes, *, directory: bool, other_mount: bool = False) -> Walk:
        where = walk(self.inodes, self.start, path, self.who, Last.PARENT)
        if where.kind is not Kind.NORMAL or (where.found and where.proc is None):
            raise SysError(EEXIST)
        if where.proc is not None:
            raise SysError(ENOENT)  # nothing is ever made in /proc
        if where.trailing and not directory:
            raise SysError(ENOENT)
        if other_mount:
            raise SysError(EXDEV)
        return where

    def _require_creatable(self, where: Walk) -> Inode:
        """The parent, to be edited."""
        parent = self.inodes.get(where.parent)
        if parent.nlink == 0:
            raise SysError(ENOENT)
        require(parent, MAY_WRITE | MAY_EXECUTE, self.who)
        return self.inodes.edit(where.parent)

    def _require_found(self, where: Walk) -> Inode:
        if where.proc is not None:
            raise SysError(EPERM)  # names in /proc neither go nor move
        if not where.found:
            raise SysError(ENOENT)
        return self.inodes.get(where.found)

    def _require_victim(self, where: Walk, victim: Inode, *, directory: bool) -> None:
        require_removable(self.inodes.get(where.parent), victim, self.who)
        if directory and not victim.is_directory:
            raise SysError(ENOTDIR)
        if not directory and victim.is_directory:
            raise SysError(EISDIR)

    def _require_renamable(self, old: Walk, new: Walk, moved: Inode, target: Inode | None) -> None:
        self._require_victim(old, moved, directory=moved.is_directory)
        if target is None:
            self._require_creatable(new)
        else:
            self._require_victim(new, target, directory=moved.is_directory)
        if moved.is_directory and old.parent != new.parent:
            require(moved, MAY_WRITE, self.who)  # its ".." changes
        if PROC in (moved.number, new.found):
            raise SysError(EBUSY)
        if target is not None and target.entries:
            raise SysError(ENOTEMPTY)

    def _drop_name(self, where: Walk) -> None:
        """Take the name away: a directory loses its own two links and its parent one."""
        parent = self.inodes.edit(where.parent)
        inode = self.inodes.edit(where.found)
        remove_entry(parent, where.name, self.now_ns)
        if inode.is_directory:
            inode.nlink = 0
            parent.nlink -= 1
        else:
            inode.nlink -= 1
        inode.ctime_ns = self.now_ns
        self.unlinked.append(inode.number)

    def _move(self, old: Walk, new: Walk, number: int) -> None:
        source, target, inode = self.inodes.edit(old.parent), self.inodes.edit(new.parent), self.inodes.edit(number)
        remove_entry(source, old.name, self.now_ns)
        add_entry(target, new.name, number, self.now_ns)
        inode.ctime_ns = self.now_ns
        if inode.is_directory:
            inode.name = new.name
            inode.parent = new.parent
            source.nlink -= 1
            target.nlink += 1
