"""The part of the actor `files` that serves calls on names: stat, chdir, mkdir, rename, … and permissions.

Names below /proc are `processes`' business: looking at them is forwarded there (the asker is a core, so it may be above us), changing
them fails here. The rules stand in kernel/files/{paths,namespace,permissions}.py.
"""

from __future__ import annotations

from typing import Any, Final

from actors.files_base import FilesBase
from actors.messages import files, memory, processes
from actors.messages.base import Caller
from actors.ranks import MEMORY, PROCESSES
from kernel.abi.errno_values import EACCES, EINVAL, EISDIR, ENOENT, ENOTDIR, EPERM, ETXTBSY
from kernel.abi.errnos import SysError
from kernel.abi.flags import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, F_OK
from kernel.abi.records import Stat
from kernel.files.descriptors import is_written
from kernel.files.inodes import PROC, Inode, change_mode, stat_of, touch_read
from kernel.files.paths import Last, Place, Walk, name_path, path_of, walk
from kernel.files.permissions import MAY_EXECUTE, MAY_WRITE, Credentials, require
from kernel.files.transfers import MAX_FILE_SIZE

STAT_FLAGS: Final = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | 0x6800  # and AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, which change nothing here


class FileNames(FilesBase):
    """Handlers by path."""

    # ---- looking ------------------------------------------------------------------------------------------------------------

    def newfstatat(self, message: files.Newfstatat) -> Any:
        """stat(2), lstat(2)."""
        if message.flags & ~STAT_FLAGS:
            raise SysError(EINVAL)
        caller = message.caller
        if not message.path and message.flags & AT_EMPTY_PATH:
            return self._stat_descriptor(message, message.dirfd)
        start = self.state.start(caller.table, caller.fs, message.dirfd, message.path)
        last = Last.NOFOLLOW if message.flags & AT_SYMLINK_NOFOLLOW else Last.FOLLOW
        found = walk(self.state.inodes, start, message.path, Credentials(caller.euid, caller.egid), last)
        if found.proc:
            return self.forward(PROCESSES, processes.ProcOpen(message, found.proc))
        return self._stat(self._existing(found))

    def fstat(self, message: files.Fstat) -> Any:
        """fstat(2)."""
        return self._stat_descriptor(message, message.fd)

    def access(self, message: files.Access) -> Any:
        """access(2), in the name of the real ids."""
        if message.mode & ~7:
            raise SysError(EINVAL)
        caller = message.caller
        real = Credentials(caller.uid, caller.gid)
        found = walk(self.state.inodes, self.state.contexts[caller.fs].place, message.path, real, Last.FOLLOW)
        if found.proc:
            return self.forward(PROCESSES, processes.ProcOpen(message, found.proc))
        inode = self._existing(found)
        if message.mode != F_OK:
            require(inode, message.mode, real)
        return None

    def readlink(self, message: files.Readlink) -> Any:
        """readlink(2)."""
        found = self._walk(message.caller, message.path, Last.NOFOLLOW)
        if found.proc:
            return self.forward(PROCESSES, processes.ProcOpen(message, found.proc))
        inode = self._existing(found)
        if not inode.is_link:
            raise SysError(EINVAL)
        touch_read(self.state.inodes, inode.number, self.now_ns())
        return inode.target

    def open_exec(self, message: files.OpenExec) -> files.ExecFile:
        """execve(2)'s look-up: a regular file that the caller may execute, pinned."""
        found = self._walk(message.caller, message.path, Last.FOLLOW)
        if found.proc is not None:
            raise SysError(EACCES)  # nothing below /proc can be executed
        inode = self._existing(found)
        if not inode.is_regular:
            raise SysError(EACCES)
        require(inode, MAY_EXECUTE, Credentials(message.caller.euid, message.caller.egid))
        if is_written(self.state.descriptions, inode.number):
            raise SysError(ETXTBSY)
        object = self.state.pin_object(inode.number)
        path = name_path(self.state.inodes, found.parent, found.name)
        return files.ExecFile(object, inode.size, path, self.state.inodes.get(inode.number).seed)

    # ---- the working directory ------------------------------------------------------------------------------------------------

    def getcwd(self, message: files.Getcwd) -> bytes:
        """getcwd(2)."""
        return self.state.working_directory(message.caller.fs)

    def working_directory(self, message: files.WorkingDirectory) -> bytes:
        """/proc/PID/cwd, which names a removed directory too."""
        context = self.state.contexts.get(message.fs)
        if context is None:
            raise SysError(ENOENT)
        if path_of(self.state.inodes, context.place.inode) is None:
            return self.state.inodes.get(context.place.inode).name + b" (deleted)"
        return self.state.working_directory(message.fs)

    def chdir(self, message: files.Chdir) -> Any:
        """chdir(2)."""
        found = self._walk(message.caller, message.path, Last.FOLLOW)
        if found.proc:
            return self.forward(PROCESSES, processes.ProcOpen(message, found.proc))
        return self._enter(message.caller, self._existing(found))

    def fchdir(self, message: files.Fchdir) -> Any:
        """fchdir(2)."""
        place = self.state.directory_place(self.state.describe(message.caller.table, message.fd))
        if place.proc:
            self.state.change_directory(message.caller.fs, place)
            return self.told()
        return self._enter(message.caller, self.state.inodes.get(place.inode))

    def enter_proc(self, message: files.EnterProc) -> Any:
        """chdir(2) below /proc, which processes has looked at."""
        self.state.change_directory(message.caller.fs, Place(PROC, message.parts))
        return self.told()

    def umask(self, message: files.Umask) -> int:
        """umask(2)."""
        context = self.state.contexts[message.caller.fs]
        before, context.umask = context.umask, message.mask & 0o777
        return before

    # ---- changing names ---------------------------------------------------------------------------------------------------------

    def mkdir(self, message: files.Mkdir) -> None:
        """mkdir(2)."""
        self.names(message.caller).mkdir(message.path, message.mode)

    def rmdir(self, message: files.Rmdir) -> Any:
        """rmdir(2)."""
        names = self.names(message.caller)
        names.rmdir(message.path)
        self.state.reap_all(names.unlinked)
        return self.told()

    def link(self, message: files.Link) -> None:
        """link(2)."""
        self.names(message.caller).link(message.source, message.path)

    def unlink(self, message: files.Unlink) -> Any:
        """unlink(2)."""
        names = self.names(message.caller)
        names.unlink(message.path)
        self.state.reap_all(names.unlinked)
        return self.told()

    def symlink(self, message: files.Symlink) -> None:
        """symlink(2)."""
        self.names(message.caller).symlink(message.target, message.path)

    def mknod(self, message: files.Mknod) -> None:
        """mknod(2)."""
        self.names(message.caller).mknod(message.path, message.mode)

    def rename(self, message: files.Rename) -> Any:
        """rename(2)."""
        names = self.names(message.caller)
        moved = names.rename(message.source, message.path)
        if moved is not None:
            old, new = moved
            self.state.renamed(old.found, (old.parent, old.name), (new.parent, new.name))
        self.state.reap_all(names.unlinked)
        return self.told()

    # ---- changing inodes --------------------------------------------------------------------------------------------------------

    def chmod(self, message: files.Chmod) -> None:
        """chmod(2)."""
        found = self._walk(message.caller, message.path, Last.FOLLOW)
        if found.proc is not None:
            raise SysError(EPERM)
        self._change_mode(message.caller, self._existing(found), message.mode)

    def fchmod(self, message: files.Fchmod) -> None:
        """fchmod(2)."""
        description = self.state.opened(message.caller.table, message.fd)
        if description.proc is not None:
            raise SysError(EPERM)
        self._change_mode(message.caller, self.state.inodes.get(description.inode), message.mode)

    def truncate(self, message: files.Truncate) -> Any:
        """truncate(2)."""
        if message.length < 0:
            raise SysError(EINVAL)
        found = self._walk(message.caller, message.path, Last.FOLLOW)
        if found.proc:
            raise SysError(EACCES)
        inode = self._existing(found)
        if inode.is_directory:
            raise SysError(EISDIR)
        if not inode.is_regular:
            raise SysError(EINVAL)
        require(inode, MAY_WRITE, Credentials(message.caller.euid, message.caller.egid))
        return self._resize(message.caller, inode, message.length)

    def ftruncate(self, message: files.Ftruncate) -> Any:
        """ftruncate(2)."""
        if message.length < 0:
            raise SysError(EINVAL)
        description = self.state.opened(message.caller.table, message.fd)
        inode = self.state.inodes.get(description.inode)
        if not inode.is_regular or not description.writable:
            raise SysError(EINVAL)
        return self._resize(message.caller, inode, message.length)

    def _resize(self, caller: Caller, inode: Inode, size: int) -> Any:
        if size > inode.size and self.table(caller).size_limit < size <= MAX_FILE_SIZE:
            return self.too_large(caller)
        self.content_changes(caller, inode.number)
        return self.set_size(inode.number, size, None)

    def set_size(self, number: int, size: int, answer: int | None) -> Any:
        """A new size for a regular file; memory hears of it if it knows the file, and answers in our place."""
        if size > MAX_FILE_SIZE:
            raise SysError(EINVAL)
        if not self.state.resize(number, size, self.now_ns()):
            return answer
        object, seed = self.state.hand_over(number)
        return self.forward(MEMORY, memory.ResizeObject(object, size, answer, seed))

    # ---- inside -----------------------------------------------------------------------------------------------------------------

    def _walk(self, caller: Caller, path: bytes, last: Last) -> Walk:
        place = self.state.contexts[caller.fs].place
        return walk(self.state.inodes, place, path, Credentials(caller.euid, caller.egid), last)

    def _existing(self, found: Walk) -> Inode:
        if not found.found:
            raise SysError(ENOENT)
        return self.state.inodes.get(found.found)

    def _stat_descriptor(self, message: files.Fstat | files.Newfstatat, fd: int) -> Stat | Any:
        if fd == AT_FDCWD:
            place = self.state.contexts[message.caller.fs].place
            proc, number = place.proc, place.inode
        else:
            description = self.state.describe(message.caller.table, fd)
            proc, number = description.proc or (), description.inode
        if proc:
            return self.forward(PROCESSES, processes.ProcOpen(message, proc))
        return self._stat(self.state.inodes.get(number))

    def _stat(self, inode: Inode) -> Any:
        """The holes of a file that memory has are known there."""
        stat = stat_of(inode)
        return self.forward(MEMORY, memory.StatObject(inode.object, stat)) if inode.object and not inode.seed else stat

    def _enter(self, caller: Caller, inode: Inode) -> Any:
        if not inode.is_directory:
            raise SysError(ENOTDIR)
        require(inode, MAY_EXECUTE, Credentials(caller.euid, caller.egid))
        self.state.change_directory(caller.fs, Place(inode.number))
        return self.told()

    def _change_mode(self, caller: Caller, inode: Inode, mode: int) -> None:
        change_mode(self.state.inodes, inode.number, mode, Credentials(caller.euid, caller.egid), self.now_ns())
