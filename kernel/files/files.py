"""`FilesState`: everything that the actor `files` knows, as one plain record.

It joins what the other modules of this folder know apart: inodes and names, descriptions and descriptor tables, working directories, the
terminal, and the tickets of calls that wait here (console reads and FIFO opens; pipe I/O waits in `ipc`). Its methods never wait.

What must be told to other actors when something goes away (a pipe's end, a memory object, a FIFO's pipe) is appended to `effects`; the
actor tells it before it answers. So closing, unlinking, exec and exit need not know what hangs on the last reference.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kernel.abi.errno_values import EBADF, EINVAL, ENOENT, ENOTDIR
from kernel.abi.errnos import SysError
from kernel.abi.flags import AT_FDCWD, CLONE_FILES, CLONE_FS, O_CLOEXEC, O_RDWR, S_IFIFO, S_IFSOCK
from kernel.files import checks
from kernel.files.descriptors import RESERVED, Description, DescriptorTable, FileStatistics, Slot
from kernel.files.devices import CONSOLE, DEVICES
from kernel.files.inodes import NO_PIPE, PROC, Inode, InodeTable
from kernel.files.opening import LARGEFILE
from kernel.files.paths import ROOT_PLACE, Last, Place, name_path, path_of, walk
from kernel.files.permissions import Credentials
from kernel.files.records import BootFile, ConsoleWait, Effect, FifoUnused, FifoWait, FsContext, ObjectPin, ObjectUnused, PipeEndClosed
from kernel.files.terminal import Terminal
from kernel.files.tree import DEV, FIRST_DEVICE, HOME_USER, BootTree
from kernel.invariants import Violation
from kernel.rng import Stream
from kernel.tickets import Ticket

OBJECT_STEP: Final = 2  # files' objects have even ids, memory's own odd ones
CONSOLE_INODE: Final = FIRST_DEVICE + [node.device for node in DEVICES].index(CONSOLE)


class FilesState:
    """All state of `files`. Plain data; copies share only the boot tree, which never changes."""

    __slots__ = (
        "console_waits", "contexts", "descriptions", "effects", "fifo_waits", "inodes", "next_context", "next_description", "next_object",
        "next_table", "nofile", "object_pins", "pipe_bytes", "random", "tables", "terminal",
    )

    def __init__(
        self,
        tree: BootTree,
        seed: int = 0,
        *,
        nofile: int = 1024,
        pipe_bytes: int = 65_536,
        interactive: bool = False,
        input_ended: bool = True,
    ) -> None:
        self.inodes = InodeTable(tree)
        self.descriptions: dict[int, Description] = {}
        self.tables: dict[int, DescriptorTable] = {}
        self.contexts: dict[int, FsContext] = {}
        self.object_pins: dict[int, ObjectPin] = {}  # by object
        self.console_waits: dict[Ticket, ConsoleWait] = {}  # in the order in which they began
        self.fifo_waits: dict[Ticket, FifoWait] = {}  # Invariant: fifo_tickets - the slot is reserved, the inode is a FIFO with that pipe
        self.terminal = Terminal(interactive, input_ended)
        self.random = Stream(seed, "urandom")
        self.effects: list[Effect] = []  # Invariant: effects_told - empty between two messages
        self.nofile = nofile  # RLIMIT_NOFILE of the first table
        self.pipe_bytes = pipe_bytes  # what F_GETPIPE_SZ gives
        self.next_description = 1
        self.next_table = 1
        self.next_context = 1
        self.next_object = OBJECT_STEP

    # ---- descriptor tables and working directories -----------------------------------------------------------------------------

    def new_table(self) -> tuple[int, int]:
        """The first process's: 0, 1 and 2 on the console, /home/user, umask 022. (table, fs)."""
        table = DescriptorTable(self.nofile)
        number = self._add_table(table)
        for fd in range(3):
            description = self.add_description(CONSOLE_INODE, O_RDWR | LARGEFILE, parent=DEV, name=b"console")
            description.stream = 2 if fd == 2 else 1
            self._put(table, fd, description, close_on_exec=False)
        return number, self._add_context(FsContext(Place(HOME_USER)))

    def copy_table(self, table: int, fs: int, flags: int, nofile: int) -> tuple[int, int]:
        """clone(2): share or copy. (table, fs) of the child."""
        if flags & CLONE_FILES:
            self.tables[table].users += 1
        else:
            table = self._copy_table(self.tables[table], nofile)
        if flags & CLONE_FS:
            self.contexts[fs].users += 1
        else:
            context = self.contexts[fs]
            fs = self._add_context(FsContext(context.place, context.umask))
        return table, fs

    def release_table(self, table: int, fs: int) -> None:
        """A process is done with both; the last user closes all and leaves the directory."""
        self._leave_table(table)
        context = self.contexts[fs]
        context.users -= 1
        if context.users == 0:
            del self.contexts[fs]
            self.release_inode(context.place.inode)

    def close_on_exec(self, table: int) -> int:
        """For execve(2): the table that the process goes on with, its own and without close-on-exec descriptors."""
        shared = self.tables[table]
        if shared.users > 1:
            copied = self._copy_table(shared, shared.limit)
            self._leave_table(table)
            table = copied
        own = self.tables[table]
        for fd in [fd for fd, slot in own.open_slots() if slot.close_on_exec]:
            self.close(own, fd)
        return table

    # ---- descriptors ---------------------------------------------------------------------------------------------------------

    def describe(self, table: int, fd: int) -> Description:
        """The description behind `fd`. EBADF for what is not open."""
        return self.descriptions[self.tables[table].get(fd)]

    def opened(self, table: int, fd: int) -> Description:
        """The same for calls that need access: EBADF for O_PATH too."""
        description = self.describe(table, fd)
        if description.path_only:
            raise SysError(EBADF)
        return description

    def add_description(
        self, inode: int, flags: int, parent: int = 0, name: bytes = b"", *, proc: tuple[str, ...] | None = None
    ) -> Description:
        """A new description that nobody refers to yet; it references the inode."""
        number = self.next_description
        self.next_description += 1
        self.inodes.edit(inode).references += 1
        description = Description(number, inode, flags, parent=parent, name=name, proc=proc)
        self.descriptions[number] = description
        return description

    def install(self, table: DescriptorTable, description: Description, *, close_on_exec: bool, first: int = 0) -> int:
        """Put the description into the lowest free slot. EMFILE is checked before the description is made."""
        fd = table.lowest_free(first)
        self._put(table, fd, description, close_on_exec=close_on_exec)
        return fd

    def close(self, table: DescriptorTable, fd: int) -> None:
        """Close a descriptor: EBADF for what is not open."""
        number = table.get(fd)
        del table.slots[fd]
        self.release_description(self.descriptions[number])

    def duplicate_onto(self, table: DescriptorTable, old: int, new: int, *, close_on_exec: bool) -> int:
        """dup2(2), dup3(2): what `new` was is closed. EBADF, EBUSY."""
        if new < 0 or new >= table.limit:
            raise SysError(EBADF)
        description = self.descriptions[table.get(old)]
        table.require_not_reserved(new)
        replaced = table.slots.get(new)
        self._put(table, new, description, close_on_exec=close_on_exec)
        if replaced is not None:
            self.release_description(self.descriptions[replaced.description])
        return new

    def pin(self, description: Description) -> None:
        """A call that waits keeps the description open."""
        description.references += 1
        description.pins += 1

    def unpin(self, number: int) -> None:
        """The call is over."""
        description = self.descriptions[number]
        description.pins -= 1
        self.release_description(description)

    def release_description(self, description: Description) -> None:
        """One reference less; the last one closes it."""
        description.references -= 1
        if description.references == 0:
            del self.descriptions[description.id]
            inode = self.inodes.get(description.inode)
            if inode.pipe != NO_PIPE and not description.path_only:
                self.effects.append(PipeEndClosed(inode.pipe, description.readable, description.writable))
            self.release_inode(description.inode)

    # ---- inodes ----------------------------------------------------------------------------------------------------------------

    def release_inode(self, number: int) -> None:
        """One reference less: an unused FIFO loses its pipe, an inode without name and use goes."""
        inode = self.inodes.edit(number)
        inode.references -= 1
        if inode.references == 0 and inode.pipe != NO_PIPE and not inode.anonymous:
            self.effects.append(FifoUnused(inode.pipe))
            inode.pipe = NO_PIPE
        self.reap(number)

    def reap(self, number: int) -> None:
        """Forget the inode if it has neither name nor use."""
        inode = self.inodes.get(number)
        if inode.references == 0 and (inode.nlink == 0 or inode.anonymous):
            if inode.object:
                self.effects.append(ObjectUnused(inode.object))
            self.inodes.remove(number)

    def reap_all(self, numbers: Iterable[int]) -> None:
        """Those that lost a name in one call."""
        for number in numbers:
            self.reap(number)

    def object_of(self, number: int) -> int:
        """The memory object of a regular file, allotted if memory has not heard of it."""
        inode = self.inodes.get(number)
        if inode.object == 0:
            inode = self.inodes.edit(number)
            inode.object = self.next_object
            self.next_object += OBJECT_STEP
        return inode.object

    def hand_over(self, number: int) -> tuple[int, bytes]:
        """(object, seed) for a message that goes straight to memory: from then on memory has the content."""
        object = self.object_of(number)
        seed = self.inodes.get(number).seed
        if seed:
            self.inodes.edit(number).seed = b""
        return object, seed

    def pin_object(self, number: int) -> int:
        """Pin a regular file for exec or mmap; the object."""
        object = self.object_of(number)
        self.inodes.edit(number).references += 1
        self.object_pins.setdefault(object, ObjectPin(number, 0)).count += 1
        return object

    def unpin_object(self, object: int) -> None:
        """The pin is no longer needed; 0 (a device's) is nothing."""
        pin = self.object_pins.get(object)
        if pin is None:
            return
        pin.count -= 1
        if pin.count == 0:
            del self.object_pins[object]
        self.release_inode(pin.inode)

    def resize(self, number: int, size: int, now_ns: int) -> bool:
        """A new size for a regular file; True if memory has to hear of it."""
        inode = self.inodes.edit(number)
        inode.size = size
        inode.grew_to = -1
        inode.mtime_ns = inode.ctime_ns = now_ns
        if inode.object == 0:
            inode.seed = inode.seed[:size]
            return size > len(inode.seed)  # a seed is content; the hole behind it is memory's
        return True

    def renamed(self, number: int, old: tuple[int, bytes], new: tuple[int, bytes]) -> None:
        """Open descriptions of the file follow its name."""
        for description in self.descriptions.values():
            if description.inode == number and (description.parent, description.name) == old:
                description.parent, description.name = new

    def boot_file(self, path: bytes) -> BootFile:
        """For the host at boot: a regular file by its absolute path, pinned as execve(2) would."""
        found = walk(self.inodes, ROOT_PLACE, path, Credentials(0, 0), Last.FOLLOW)
        inode = self.inodes.get(found.found)
        return BootFile(self.pin_object(inode.number), inode.size, name_path(self.inodes, found.parent, found.name), inode.seed)

    # ---- places ----------------------------------------------------------------------------------------------------------------

    def start(self, table: int, fs: int, dirfd: int, path: bytes) -> Place:
        """Where `path` starts: EBADF, ENOTDIR of `dirfd`, which an absolute path ignores."""
        if dirfd == AT_FDCWD or path.startswith(b"/"):
            return self.contexts[fs].place
        return self.directory_place(self.describe(table, dirfd))

    def directory_place(self, description: Description) -> Place:
        """The description as a starting point. ENOTDIR."""
        if description.proc is not None:
            if not description.directory:
                raise SysError(ENOTDIR)
            return Place(PROC, description.proc)
        if not self.inodes.get(description.inode).is_directory:
            raise SysError(ENOTDIR)
        return Place(description.inode)

    def change_directory(self, fs: int, place: Place) -> None:
        """chdir(2), after all checks."""
        context = self.contexts[fs]
        before = context.place
        self.inodes.edit(place.inode).references += 1
        context.place = place
        self.release_inode(before.inode)

    def working_directory(self, fs: int) -> bytes:
        """getcwd(2). ENOENT if it was removed."""
        place = self.contexts[fs].place
        path = path_of(self.inodes, place.inode)
        if path is None:
            raise SysError(ENOENT)
        return b"/".join((path, *(part.encode("utf-8", "surrogateescape") for part in place.proc)))

    def link_text(self, description: Description) -> str:
        """What /proc/PID/fd/N points to: a path, or pipe:[inode]."""
        inode = self.inodes.get(description.inode)
        if inode.anonymous:
            return f"pipe:[{inode.number}]"
        if description.proc is not None:
            return "/".join(("/proc", *description.proc))
        if inode.is_directory:
            path = path_of(self.inodes, inode.number)
            return "(deleted)" if path is None else path.decode("utf-8", "surrogateescape")
        parent = self.inodes.find(description.parent)
        entry = parent.entries.get(description.name) if parent is not None and parent.entries is not None else None
        gone = "" if entry is not None and entry.number == inode.number else " (deleted)"
        return name_path(self.inodes, description.parent, description.name).decode("utf-8", "surrogateescape") + gone

    # ---- pipes and FIFOs --------------------------------------------------------------------------------------------------------

    def new_pipe(self, pipe: int, uid: int, gid: int, now_ns: int) -> Inode:
        """The inode that both ends of an anonymous pipe share."""
        inode = self.inodes.create(S_IFIFO | 0o600, uid, gid, now_ns)
        inode.nlink = 1
        inode.pipe = pipe
        inode.anonymous = True
        return inode

    def begin_fifo(self, wait: FifoWait) -> None:
        """Reserve the descriptor and keep the inode while the open is in progress."""
        self.tables[wait.table].slots[wait.fd] = Slot(RESERVED, close_on_exec=False)
        inode = self.inodes.edit(wait.inode)
        inode.references += 1
        inode.pipe = wait.pipe

    def finish_fifo(self, wait: FifoWait, flags: int) -> int:
        """The other side is there: install the descriptor that was reserved."""
        description = self.add_description(wait.inode, flags, wait.parent, wait.name)
        self._put(self.tables[wait.table], wait.fd, description, close_on_exec=wait.flags & O_CLOEXEC != 0)
        self.release_inode(wait.inode)
        return wait.fd

    def abandon_fifo(self, wait: FifoWait) -> None:
        """The open failed or was interrupted: the descriptor is free again."""
        table = self.tables.get(wait.table)
        if table is not None:
            table.slots.pop(wait.fd, None)
        self.release_inode(wait.inode)

    # ---- looking ------------------------------------------------------------------------------------------------------------------

    def is_terminal(self, description: Description) -> bool:
        """The console or /dev/tty."""
        return self.inodes.get(description.inode).device >> 8 == CONSOLE >> 8

    def require_syncable(self, description: Description) -> None:
        """fsync(2): EINVAL for pipes, sockets, devices and /proc."""
        inode = self.inodes.get(description.inode)
        if inode.is_fifo or inode.device or inode.kind == S_IFSOCK or description.proc is not None:
            raise SysError(EINVAL)

    def statistics(self) -> FileStatistics:
        """What is open."""
        pinned = sum(pin.count for pin in self.object_pins.values())
        waiting = len(self.console_waits) + len(self.fifo_waits)
        return FileStatistics(len(self.descriptions), len(self.tables), len(self.contexts), pinned, waiting)

    def check(self) -> Iterable[Violation]:
        """The invariants of all that is known here."""
        return checks.check(self)

    # ---- inside -------------------------------------------------------------------------------------------------------------------

    def _put(self, table: DescriptorTable, fd: int, description: Description, *, close_on_exec: bool) -> None:
        description.references += 1
        table.slots[fd] = Slot(description.id, close_on_exec)

    def _add_table(self, table: DescriptorTable) -> int:
        number = self.next_table
        self.next_table += 1
        self.tables[number] = table
        return number

    def _copy_table(self, table: DescriptorTable, limit: int) -> int:
        copied = table.copy(limit)
        for slot in copied.slots.values():
            self.descriptions[slot.description].references += 1
        return self._add_table(copied)

    def _leave_table(self, number: int) -> None:
        table = self.tables[number]
        table.users -= 1
        if table.users == 0:
            for fd, _ in list(table.open_slots()):
                self.close(table, fd)
            del self.tables[number]

    def _add_context(self, context: FsContext) -> int:
        number = self.next_context
        self.next_context += 1
        self.contexts[number] = context
        self.inodes.edit(context.place.inode).references += 1
        return number
