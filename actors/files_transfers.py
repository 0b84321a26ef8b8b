"""The part of the actor `files` that moves bytes: read, write, their positioned forms, lseek, getdents, and the terminal.

A call is resolved to its description, which says who has the bytes: `memory` (regular files), `ipc` (pipes and FIFOs), `processes` (/proc,
once; then the content is kept with the description), or this actor itself (devices, directories, the terminal). The first three get the
call forwarded and answer in our place. Only reads of the terminal wait here.
"""

from __future__ import annotations

from typing import Any, Final

from actors.events import ProgramOutput
from actors.files_base import FilesBase
from actors.messages import files, ipc, memory, processes, scheduler
from actors.messages.base import Caller
from actors.ranks import FILES, IPC, MEMORY, PROCESSES, SCHEDULER
from kernel.abi.errno_values import EAGAIN, EBADF, EINVAL, EIO, EISDIR, ENOENT, ENOTDIR, ESPIPE
from kernel.abi.errnos import SysError
from kernel.abi.flags import GRND_NONBLOCK, GRND_RANDOM, SEEK_END, SEEK_SET
from kernel.files.descriptors import Description
from kernel.files.devices import RANDOM_MAX, read_device, write_device
from kernel.files.inodes import Inode, list_entries, touch_read
from kernel.files.records import ConsoleWait
from kernel.files.transfers import MAX_FILE_SIZE, SEEK_HOLE, check_count, fell_short, read_extent, seek, within_limit, write_extent
from kernel.tickets import Ticket, WouldBlock

GRND_INSECURE: Final = 4
CURRENT: Final = -1  # in place of an offset: the description's own, which moves
CONSOLE_READ: Final = WouldBlock(FILES, "console_read", "console")


class FileTransfers(FilesBase):
    """Handlers by descriptor."""

    # ---- reading ------------------------------------------------------------------------------------------------------------

    def read(self, message: files.Read) -> Any:
        """read(2)."""
        description = self.state.opened(message.caller.table, message.fd)
        return self._read(message, description, CURRENT)

    def pread(self, message: files.Pread) -> Any:
        """pread(2)."""
        description = self._positioned(message)
        return self._read(message, description, message.offset)

    def _read(self, message: files.Read | files.Pread, description: Description, offset: int) -> Any:
        if not description.readable:
            raise SysError(EBADF)
        count = check_count(message.count, self.config.machine.memory_mib << 20)
        if description.proc is not None:
            return self._read_proc(message, description, offset, count)
        inode = self.state.inodes.get(description.inode)
        if inode.is_regular:
            return self._read_regular(description, inode, offset, count)
        if inode.is_fifo:
            return self._read_pipe(message, description, inode, count)
        if inode.is_directory:
            raise SysError(EISDIR)
        if self.state.is_terminal(description):
            return self._read_terminal(message, description, count)
        return read_device(inode.device, count, self.state.random)

    def _read_regular(self, description: Description, inode: Inode, offset: int, count: int) -> Any:
        start = description.offset if offset == CURRENT else offset
        inside = read_extent(inode, start, count)
        if count:
            touch_read(self.state.inodes, inode.number, self.now_ns())
        if inside == 0:
            return b""
        if offset == CURRENT:
            description.offset += inside
        object, seed = self.state.hand_over(inode.number)
        return self.forward(MEMORY, memory.ReadObject(object, start, inside, seed))

    def _read_pipe(self, message: files.Read | files.Pread, description: Description, inode: Inode, count: int) -> Any:
        if count == 0:
            return b""
        return self.forward(IPC, ipc.PipeRead(message.caller, message.serial, inode.pipe, count, description.flags))

    def _read_terminal(self, message: files.Read | files.Pread, description: Description, count: int) -> Any:
        data = self.state.terminal.read(count)
        if data is not None:
            return data
        if description.nonblock:
            raise SysError(EAGAIN)
        self.state.console_waits[Ticket(message.caller.tid, message.serial)] = ConsoleWait(description.id, count)
        self.state.pin(description)
        return CONSOLE_READ

    def _read_proc(self, message: files.Read | files.Pread, description: Description, offset: int, count: int) -> Any:
        if description.directory:
            raise SysError(EISDIR)
        assert description.proc is not None, "the caller has looked"
        if description.content is None:
            return self.forward(PROCESSES, processes.ProcRead(message, description.id, description.proc))
        start = description.offset if offset == CURRENT else offset
        data = description.content[start : start + count]
        if offset == CURRENT:
            description.offset += len(data)
        return data

    def serve_content(self, message: files.ServeContent) -> Any:
        """Processes made the content of a /proc description: keep it, unless another thread's call did so first."""
        description = self.state.descriptions.get(message.description)
        if description is None:  # closed by another thread meanwhile
            raise SysError(EBADF)
        match message.request:
            case files.Getdents() as request:
                description.entries = message.entries if description.entries is None else description.entries
                return self._list_proc(description, request.count)
            case files.Pread() as request:
                offset = request.offset
            case files.Read() as request:
                offset = CURRENT
        description.content = message.content if description.content is None else description.content
        return self._read_proc(request, description, offset, request.count)

    # ---- writing ------------------------------------------------------------------------------------------------------------

    def write(self, message: files.Write) -> Any:
        """write(2)."""
        description = self.state.opened(message.caller.table, message.fd)
        return self._write(message, description, CURRENT)

    def pwrite(self, message: files.Pwrite) -> Any:
        """pwrite(2); with O_APPEND it appends all the same, as Linux has it."""
        description = self._positioned(message)
        return self._write(message, description, message.offset)

    def _write(self, message: files.Write | files.Pwrite, description: Description, offset: int) -> Any:
        if not description.writable:
            raise SysError(EBADF)
        data = message.data
        if description.proc is not None:
            raise SysError(EIO)
        inode = self.state.inodes.get(description.inode)
        if inode.is_regular:
            return self._write_regular(message, description, inode, offset)
        if inode.is_fifo:
            if not data:
                return 0
            return self.forward(IPC, ipc.PipeWrite(message.caller, message.serial, inode.pipe, data, description.flags))
        if self.state.is_terminal(description):
            self._show(message.caller, description.stream, data)
            return len(data)
        return write_device(inode.device, len(data))

    def _write_regular(self, message: files.Write | files.Pwrite, description: Description, inode: Inode, offset: int) -> Any:
        data = message.data
        if not data:
            return 0
        start = description.offset if offset == CURRENT else offset
        if description.appends:
            start = inode.size
        wanted = within_limit(self.table(message.caller).size_limit, start, len(data))
        if wanted == 0:
            return self.too_large(message.caller)
        self.content_changes(message.caller, inode.number)
        count = write_extent(self.state.inodes, inode.number, start, wanted, self.now_ns())
        if offset == CURRENT:
            description.offset = start + count
        object, seed = self.state.hand_over(inode.number)
        size = self.state.inodes.get(inode.number).size
        mover = description.id if offset == CURRENT else 0
        return self.forward(MEMORY, memory.WriteObject(object, start, data[:count], size, inode.number, mover, seed))

    def write_fell_short(self, message: files.WriteFellShort) -> None:
        """Memory had no frames: offset and size go back to what was written."""
        wanted, written = message.offset + message.wanted, message.offset + message.written
        description = self.state.descriptions.get(message.description)
        if description is not None and description.offset == wanted:
            description.offset = written
        fell_short(self.state.inodes, message.inode, wanted, written)

    # ---- positions and directories ----------------------------------------------------------------------------------------------

    def lseek(self, message: files.Lseek) -> int:
        """lseek(2)."""
        description = self.state.opened(message.caller.table, message.fd)
        if not 0 <= message.whence <= SEEK_HOLE:
            raise SysError(EINVAL)
        inode = self.state.inodes.get(description.inode)
        if inode.is_fifo or self.state.is_terminal(description):
            raise SysError(ESPIPE)
        if inode.device:
            return 0  # /dev/null and the like accept every seek and stay where they are
        if message.whence > SEEK_END and not inode.is_regular:
            raise SysError(EINVAL)
        if description.proc is not None:
            return self._seek_proc(description, message)
        description.offset = seek(inode, description.offset, message.offset, message.whence)
        return description.offset

    def _seek_proc(self, description: Description, message: files.Lseek) -> int:
        """A /proc file has no end to count from; going back to its start takes the content anew."""
        if message.whence >= SEEK_END:
            raise SysError(EINVAL)
        position = message.offset + (0 if message.whence == SEEK_SET else description.offset)
        if not 0 <= position <= MAX_FILE_SIZE:
            raise SysError(EINVAL)
        description.offset = position
        if position == 0:
            description.content = description.entries = None
        return position

    def getdents(self, message: files.Getdents) -> Any:
        """getdents64(2)."""
        description = self.state.opened(message.caller.table, message.fd)
        if description.proc is not None:
            if not description.directory:
                raise SysError(ENOTDIR)
            if description.entries is None:
                return self.forward(PROCESSES, processes.ProcRead(message, description.id, description.proc))
            return self._list_proc(description, message.count)
        inode = self.state.inodes.get(description.inode)
        if not inode.is_directory:
            raise SysError(ENOTDIR)
        if inode.nlink == 0:
            raise SysError(ENOENT)
        if message.count < 1:
            raise SysError(EINVAL)
        found, description.offset = list_entries(self.state.inodes, inode, description.offset, message.count)
        touch_read(self.state.inodes, inode.number, self.now_ns())
        return tuple(found)

    def _list_proc(self, description: Description, count: int) -> tuple[tuple[int, int, bytes], ...]:
        if count < 1:
            raise SysError(EINVAL)
        assert description.entries is not None, "processes has given them"
        found = description.entries[description.offset : description.offset + count]
        description.offset += len(found)
        return found

    def fsync(self, message: files.Fsync) -> None:
        """fsync(2): there is nothing slower than memory to wait for."""
        self.state.require_syncable(self.state.opened(message.caller.table, message.fd))

    def getrandom(self, message: files.Getrandom) -> bytes:
        """getrandom(2), from the machine's seeded stream."""
        flags = message.flags
        if flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) or (flags & GRND_RANDOM and flags & GRND_INSECURE):
            raise SysError(EINVAL)
        return self.state.random.bytes(check_count(message.count, RANDOM_MAX))

    # ---- the terminal -----------------------------------------------------------------------------------------------------------

    def console_input(self, message: files.ConsoleInput) -> None:
        """From the host: signals go to the foreground process group, readers are woken; each looks for itself."""
        terminal = self.state.terminal
        for signo in terminal.receive(message.data):
            if terminal.foreground:
                self.tell(PROCESSES, processes.SignalGroup(terminal.foreground, signo))
        if terminal.readable():
            for ticket in self.state.console_waits:
                self.tell(SCHEDULER, scheduler.Wake(ticket.tid, ticket.serial, timed_out=False))

    def resume_read(self, ticket: Ticket, interrupted: bool) -> Any:
        """What became of a read that waited for input: bytes, interrupted, or still waiting."""
        wait = self.state.console_waits[ticket]
        data = self.state.terminal.read(wait.count)
        if data is None and not interrupted:
            return CONSOLE_READ
        del self.state.console_waits[ticket]
        self.state.unpin(wait.description)
        if data is None:
            self.told()
            return self.interrupted()
        return self.told(data)

    def _show(self, caller: Caller, stream: int, data: bytes) -> None:
        self.machine.console_write(stream, data)
        if self.log.process:
            text = data.decode("utf-8", "backslashreplace")
            self.emit(ProgramOutput(stream=stream, text=text), pid=caller.pid, tid=caller.tid)

    def _positioned(self, message: files.Pread | files.Pwrite) -> Description:
        """The description of a call that names its offset. EINVAL, EBADF, ESPIPE, in this order."""
        if message.offset < 0:
            raise SysError(EINVAL)
        description = self.state.opened(message.caller.table, message.fd)
        if self.state.inodes.get(description.inode).is_fifo or self.state.is_terminal(description):
            raise SysError(ESPIPE)
        return description
