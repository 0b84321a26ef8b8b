"""The actor `files`: names, inodes, descriptors, offsets, devices, the terminal, and the way into /proc.

Here: its table of handlers, open and close, descriptor tables, and FIFOs. Calls on names stand in files_names.py, transfers of bytes in
files_transfers.py; the rules are in kernel/files.

A FIFO is opened by rendezvous (fifo(7)): `ipc` counts the end in and says whether the other side is there. If not, the caller's ticket is
queued and what was resolved (inode, descriptor number, flags) is kept with it; at its Resume `ipc` is asked again, and only then is the
descriptor installed. A descriptor number is taken when the call begins, as on Linux, so it is reserved while the call waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from actors.files_names import FileNames
from actors.files_transfers import FileTransfers
from actors.messages import files, ipc, memory, processes
from actors.messages.base import Message, Resume
from actors.ranks import FILES, IPC, PROCESSES
from kernel.abi.errno_values import EACCES, EBADF, EINVAL, ENODEV, ENOTTY, EPERM
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_GETPIPE_SZ,
    F_SETFD,
    F_SETFL,
    FD_CLOEXEC,
    FIONREAD,
    MAP_SHARED,
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_NOATIME,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_WRONLY,
    PROT_WRITE,
    TCGETS,
    TIOCGPGRP,
    TIOCGWINSZ,
    TIOCSPGRP,
)
from kernel.files.descriptors import Description, FileStatistics
from kernel.files.devices import ZERO
from kernel.files.inodes import NO_PIPE, PROC, Inode
from kernel.files.opening import Found, description_flags, find_to_open, normalise
from kernel.files.paths import check_path
from kernel.files.records import FifoWait
from kernel.files.terminal import ATTRIBUTES, COLUMNS, ROWS
from kernel.tickets import Ticket, WouldBlock

SETTABLE: Final = O_APPEND | O_NONBLOCK | O_NOATIME  # by F_SETFL


class FilesActor(FileNames, FileTransfers):
    """Serves messages/files.py."""

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """Message class to method."""
        return {
            files.OpenAt: self.open_at, files.Close: self.close, files.Read: self.read, files.Write: self.write, files.Pread: self.pread,
            files.Pwrite: self.pwrite, files.Lseek: self.lseek, files.Fstat: self.fstat, files.Newfstatat: self.newfstatat,
            files.Access: self.access, files.Ioctl: self.ioctl, files.Dup: self.dup, files.Dup2: self.dup2, files.Dup3: self.dup3,
            files.Fcntl: self.fcntl, files.Fsync: self.fsync, files.Truncate: self.truncate, files.Ftruncate: self.ftruncate,
            files.Getcwd: self.getcwd, files.Chdir: self.chdir, files.Fchdir: self.fchdir, files.Rename: self.rename,
            files.Mkdir: self.mkdir, files.Rmdir: self.rmdir, files.Link: self.link, files.Unlink: self.unlink,
            files.Symlink: self.symlink, files.Readlink: self.readlink, files.Chmod: self.chmod, files.Fchmod: self.fchmod,
            files.Umask: self.umask, files.Mknod: self.mknod, files.Getdents: self.getdents, files.Pipe2: self.pipe2,
            files.Getrandom: self.getrandom, files.OpenExec: self.open_exec, files.Unpin: self.unpin,
            files.PinForMapping: self.pin_for_mapping, files.NewTable: self.new_table, files.CopyTable: self.copy_table,
            files.ReleaseTable: self.release_table, files.CloseOnExec: self.close_on_exec,
            files.SetLimits: self.set_limits, files.DescriptorList: self.descriptor_list,
            files.WorkingDirectory: self.working_directory, files.InstallProc: self.install_proc, files.EnterProc: self.enter_proc,
            files.ServeContent: self.serve_content, files.WriteFellShort: self.write_fell_short, files.ConsoleInput: self.console_input,
            files.FileStatistics: self.file_statistics, Resume: self.resume,
        }

    # ---- opening and closing ----------------------------------------------------------------------------------------------------

    def open_at(self, message: files.OpenAt) -> Any:
        """openat(2). The descriptor number comes first (EMFILE), as on Linux."""
        flags = normalise(message.flags)
        check_path(message.path)
        caller = message.caller
        table = self.table(caller)
        table.lowest_free()
        start = self.state.start(caller.table, caller.fs, message.dirfd, message.path)
        found = find_to_open(self.names(caller), start, message.path, flags, message.mode)
        if found.proc is not None:
            return self.forward(PROCESSES, processes.ProcOpen(message, found.proc))
        if self.state.inodes.get(found.inode).is_fifo and not flags & O_PATH:
            return self._open_fifo(message, found, flags)
        walked = found.walk
        description = self.state.add_description(found.inode, description_flags(flags), walked.parent, walked.name)
        fd = self.state.install(table, description, close_on_exec=flags & O_CLOEXEC != 0)
        if not found.truncate:
            return fd
        self.content_changes(caller, found.inode)
        return self.set_size(found.inode, 0, fd)

    def close(self, message: files.Close) -> Any:
        """close(2)."""
        self.state.close(self.table(message.caller), message.fd)
        return self.told()

    def install_proc(self, message: files.InstallProc) -> int:
        """open(2) below /proc, which processes has looked at."""
        table = self.table(message.caller)
        table.lowest_free()
        description = self.state.add_description(PROC, description_flags(normalise(message.flags)), proc=message.parts)
        description.directory = message.directory
        return self.state.install(table, description, close_on_exec=message.flags & O_CLOEXEC != 0)

    async def pipe2(self, message: files.Pipe2) -> Any:
        """pipe2(2): ipc has the buffer, two descriptions share one inode. Packet mode (O_DIRECT) does not exist."""
        if message.flags & ~(O_CLOEXEC | O_NONBLOCK):
            raise SysError(EINVAL)
        caller = message.caller
        table = self.table(caller)
        table.lowest_free(table.lowest_free() + 1)
        pipe = await self.ask(IPC, ipc.CreatePipe())
        inode = self.state.new_pipe(pipe, caller.euid, caller.egid, self.now_ns())
        status, close_on_exec = message.flags & O_NONBLOCK, message.flags & O_CLOEXEC != 0
        ends = [self.state.add_description(inode.number, mode | status) for mode in (O_RDONLY, O_WRONLY)]
        return tuple(self.state.install(table, end, close_on_exec=close_on_exec) for end in ends)

    # ---- FIFOs --------------------------------------------------------------------------------------------------------------------

    async def _open_fifo(self, message: files.OpenAt, found: Found, flags: int) -> Any:
        if flags & O_ACCMODE == O_ACCMODE:
            raise SysError(EINVAL)
        caller = message.caller
        pipe = self.state.inodes.get(found.inode).pipe
        if pipe == NO_PIPE:
            pipe = await self.ask(IPC, ipc.CreateFifo())
        fd = self.table(caller).lowest_free()
        wait = FifoWait(found.inode, pipe, flags, caller.table, fd, found.walk.parent, found.walk.name)
        self.state.begin_fifo(wait)
        ends = (wait.readable, wait.writable, flags & O_NONBLOCK != 0)
        answer = await self.ask(IPC, ipc.FifoOpen(pipe, *ends, caller.tid, message.serial, -1))
        if answer.__class__ is Failure:
            self.state.abandon_fifo(wait)
            return self.told(answer)
        if answer.done:
            return self.state.finish_fifo(wait, description_flags(flags))
        wait = msgspec.structs.replace(wait, generation=answer.generation)
        self.state.fifo_waits[Ticket(caller.tid, message.serial)] = wait
        return self._waits_for_partner(wait)

    async def _resume_fifo(self, ticket: Ticket, interrupted: bool) -> Any:
        """What became of an open that waited: the other side came, it was interrupted, or it still waits."""
        wait = self.state.fifo_waits[ticket]
        ends = (wait.readable, wait.writable)
        rest = (ticket.tid, ticket.serial, wait.generation)
        answer = await self.ask(IPC, ipc.FifoOpen(wait.pipe, *ends, wait.flags & O_NONBLOCK != 0, *rest))
        if not answer.done and not interrupted:
            return self._waits_for_partner(wait)
        del self.state.fifo_waits[ticket]
        if answer.done:
            return self.state.finish_fifo(wait, description_flags(wait.flags))
        await self.ask(IPC, ipc.FifoForget(wait.pipe, *ends, ticket.tid, ticket.serial))
        self.state.abandon_fifo(wait)
        return self.told(self.interrupted())

    def _waits_for_partner(self, wait: FifoWait) -> WouldBlock:
        return WouldBlock(FILES, "fifo_open", f"pipe:{wait.pipe}")

    def resume(self, message: Resume) -> Any:
        """A thread that waited here runs again."""
        ticket = Ticket(message.caller.tid, message.serial)
        if ticket in self.state.fifo_waits:
            return self._resume_fifo(ticket, message.interrupted)
        return self.resume_read(ticket, message.interrupted)

    # ---- descriptors ----------------------------------------------------------------------------------------------------------------

    def dup(self, message: files.Dup) -> int:
        """dup(2)."""
        description = self.state.describe(message.caller.table, message.fd)
        return self.state.install(self.table(message.caller), description, close_on_exec=False)

    def dup2(self, message: files.Dup2) -> Any:
        """dup2(2): onto itself it only checks."""
        if message.fd == message.fd2:
            self.state.describe(message.caller.table, message.fd)
            return message.fd
        return self.told(self.state.duplicate_onto(self.table(message.caller), message.fd, message.fd2, close_on_exec=False))

    def dup3(self, message: files.Dup3) -> Any:
        """dup3(2)."""
        if message.flags & ~O_CLOEXEC or message.fd == message.fd2:
            raise SysError(EINVAL)
        close_on_exec = message.flags & O_CLOEXEC != 0
        return self.told(self.state.duplicate_onto(self.table(message.caller), message.fd, message.fd2, close_on_exec=close_on_exec))

    def fcntl(self, message: files.Fcntl) -> int:
        """fcntl(2): duplicates, descriptor and status flags, a pipe's size. Everything else is EINVAL."""
        table = self.table(message.caller)
        description = self.state.describe(message.caller.table, message.fd)
        command, argument = message.cmd, message.argument
        if description.path_only and command not in (F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL):
            raise SysError(EBADF)
        if command in (F_DUPFD, F_DUPFD_CLOEXEC):
            if not 0 <= argument < table.limit:
                raise SysError(EINVAL)
            return self.state.install(table, description, close_on_exec=command == F_DUPFD_CLOEXEC, first=argument)
        if command == F_GETFD:
            return FD_CLOEXEC if table.slots[message.fd].close_on_exec else 0
        if command == F_SETFD:
            table.slots[message.fd] = table.slots[message.fd]._replace(close_on_exec=argument & FD_CLOEXEC != 0)
            return 0
        if command == F_GETFL:
            return description.flags
        if command == F_SETFL:
            return self._set_status(message, description)
        if command == F_GETPIPE_SZ:
            if self.state.inodes.get(description.inode).pipe == NO_PIPE:
                raise SysError(EBADF)
            return self.state.pipe_bytes
        raise SysError(EINVAL)

    def _set_status(self, message: files.Fcntl, description: Description) -> int:
        owner = self.state.inodes.get(description.inode).uid
        if message.argument & ~description.flags & O_NOATIME and message.caller.euid not in (0, owner):
            raise SysError(EPERM)
        description.flags = description.flags & ~SETTABLE | message.argument & SETTABLE
        return 0

    def ioctl(self, message: files.Ioctl) -> Any:
        """ioctl(2): what a terminal says of itself, and how much could be read."""
        description = self.state.opened(message.caller.table, message.fd)
        inode = self.state.inodes.get(description.inode)
        terminal = self.state.terminal if self.state.is_terminal(description) else None
        if message.request == FIONREAD:
            return self._readable_bytes(description, inode)
        if terminal is None:
            raise SysError(ENOTTY)
        if message.request == TCGETS:
            return ATTRIBUTES
        if message.request == TIOCGWINSZ:
            return (ROWS, COLUMNS, 0, 0)
        if message.request == TIOCGPGRP:
            return terminal.foreground
        if message.request != TIOCSPGRP:
            raise SysError(ENOTTY)
        if message.argument is None or message.argument <= 0:
            raise SysError(EINVAL)
        terminal.foreground = message.argument
        return None

    def _readable_bytes(self, description: Description, inode: Inode) -> Any:
        if inode.is_fifo:
            return self.forward(IPC, ipc.PipeBytes(inode.pipe))
        if inode.is_regular:
            return max(0, inode.size - description.offset)
        if self.state.is_terminal(description):
            return self.state.terminal.buffered()
        raise SysError(ENOTTY)

    # ---- what processes and cores ask -----------------------------------------------------------------------------------------------

    def pin_for_mapping(self, message: files.PinForMapping) -> memory.MappedFile:
        """mmap(2)'s descriptor."""
        description = self.state.opened(message.caller.table, message.fd)
        shared = message.flags & MAP_SHARED != 0
        if not description.readable or (shared and message.prot & PROT_WRITE and not description.writable):
            raise SysError(EACCES)
        inode = self.state.inodes.get(description.inode)
        name = self.state.link_text(description)
        if inode.device == ZERO:
            return memory.MappedFile(0, 0, name, inode.number, description.writable, "zero")
        if not inode.is_regular:
            raise SysError(ENODEV)
        object = self.state.pin_object(inode.number)
        return memory.MappedFile(object, inode.size, name, inode.number, description.writable, seed=inode.seed)

    def unpin(self, message: files.Unpin) -> None:
        """A core or processes is done with an object."""
        self.state.unpin_object(message.object)
        self.told()

    def new_table(self, message: files.NewTable) -> tuple[int, int]:
        """The first process's table and working directory."""
        if message.pgid:
            self.state.terminal.foreground = message.pgid
        return self.state.new_table()

    def copy_table(self, message: files.CopyTable) -> tuple[int, int]:
        """clone(2)."""
        return self.state.copy_table(message.table, message.fs, message.flags, message.nofile)

    def release_table(self, message: files.ReleaseTable) -> Any:
        """exit(2)."""
        self.state.release_table(message.table, message.fs)
        return self.told()

    def close_on_exec(self, message: files.CloseOnExec) -> Any:
        """execve(2); the working directory may stay shared."""
        return self.told((self.state.close_on_exec(message.table), message.fs))

    def set_limits(self, message: files.SetLimits) -> None:
        """setrlimit(2): what is open above the limit stays open, what is longer already stays so."""
        table = self.state.tables[message.table]
        table.limit, table.size_limit = message.limits

    def descriptor_list(self, message: files.DescriptorList) -> Any:
        """/proc/PID/fd."""
        table = self.state.tables.get(message.table)
        if table is None:
            return ()
        described = [(fd, self.state.descriptions[slot.description]) for fd, slot in table.open_slots()]
        return tuple((fd, self.state.link_text(one), one.flags, one.offset) for fd, one in described)

    def file_statistics(self, message: files.FileStatistics) -> FileStatistics:
        """For the comparison at the end of a run."""
        return self.state.statistics()
