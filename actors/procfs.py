"""/proc: `files` forwards what it meets below that name, and this part of `processes` says what it is and what it holds.

Names are resolved in kernel/processes/proc_tree.py, texts made in proc_text.py; here facts are gathered from the owners below. A magic
link (cwd, exe, fd/N) is replaced by the path that it leads to, and the request goes back to files with that path. Content is taken at
the first read and kept by files with the open description: it may be old by the second, as Linux's is.

Not offered: writing (EACCES), links to what has no path (ENOENT; fd/N of a pipe can be read by readlink, not opened). Manual: proc(5).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from actors import ranks
from actors.messages import files, memory, processes, scheduler, signals
from actors.process_control import ProcessControl
from kernel.abi.errno_values import EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, EROFS, ESRCH
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    O_ACCMODE,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDONLY,
    O_TRUNC,
    R_OK,
    S_IFDIR,
    S_IFLNK,
    S_IFREG,
    W_OK,
    X_OK,
)
from kernel.abi.layout import PAGE_SIZE
from kernel.abi.records import Stat
from kernel.processes import proc_text, proc_tree
from kernel.processes.proc_text import Facts
from kernel.processes.proc_tree import Kind, ProcNode
from kernel.processes.process import Process, ProcessState, Usage
from kernel.processes.thread import Thread

_TYPE_BITS: Final = {Kind.DIRECTORY: S_IFDIR, Kind.FILE: S_IFREG, Kind.LINK: S_IFLNK}
_DT: Final = {Kind.DIRECTORY: 4, Kind.FILE: 8, Kind.LINK: 10}  # d_type of getdents64(2)
_PROC_DEVICE: Final = 21  # st_dev of /proc: a file system of its own
_PATH_REQUESTS: Final = (files.OpenAt, files.Newfstatat)  # those with a dirfd


class ProcFs(ProcessControl):
    """The files of /proc."""

    # ---- names --------------------------------------------------------------------------------------------------------------

    async def proc_open(self, message: processes.ProcOpen) -> Any:
        """A request by name that met /proc: find what it names, and do it."""
        request: Any = message.request
        serve = self._by_name().get(request.__class__)
        if serve is None:
            raise SysError(EROFS)
        caller = request.caller
        node = proc_tree.resolve(self.state, caller.pid, caller.tid, message.parts, follow_self=self._follows(request))
        self._check_search(request, node)
        if node.kind is Kind.LINK and (node.rest or self._follows(request)):
            return await self._leave(request, node)
        return await serve(request, node)

    def _by_name(self) -> dict[type[Any], Callable[[Any, ProcNode], Awaitable[Any]]]:
        return {
            files.OpenAt: self._open, files.Newfstatat: self._stat, files.Readlink: self._readlink, files.Access: self._access,
            files.Chdir: self._chdir, files.Fstat: self._stat,
        }

    @staticmethod
    def _follows(request: Any) -> bool:
        """Does the request want what a link at the end of the path leads to?"""
        if request.__class__ is files.OpenAt:
            return not request.flags & O_NOFOLLOW
        if request.__class__ is files.Newfstatat:
            return not request.flags & AT_SYMLINK_NOFOLLOW
        return request.__class__ is not files.Readlink

    def _check_search(self, request: Any, node: ProcNode) -> None:
        """fd/ and the magic links are for the owner of the process. Raises EACCES."""
        if node.fd >= 0 or (node.kind is Kind.LINK and node.name in proc_tree.MAGIC_LINKS and self._used(request, node)):
            proc_tree.check_inspection(self.caller_process(request.caller), self.state.processes[node.pid])

    def _used(self, request: Any, node: ProcNode) -> bool:
        return bool(node.rest) or request.__class__ is files.Readlink or self._follows(request)

    async def _leave(self, request: Any, node: ProcNode) -> Any:
        """Follow a link to a path outside (or inside again) and let files go on there."""
        target = await self._target(node)
        if not target.startswith(b"/"):
            raise SysError(ENOENT)
        path = b"/".join((target.rstrip(b"/") if node.rest else target, *(part.encode(errors="surrogateescape") for part in node.rest)))
        changes = {"path": path, "dirfd": AT_FDCWD} if request.__class__ in _PATH_REQUESTS else {"path": path}
        return self.forward(ranks.FILES, msgspec.structs.replace(request, **changes))

    async def _target(self, node: ProcNode) -> bytes:
        """What a link says. Raises ENOENT where there is nothing: a zombie, a kernel thread, a closed descriptor."""
        if node.name in proc_tree.SELF_LINKS:
            return "/".join(proc_tree.self_target(node.name, node.pid, node.tid)).encode()
        process = self.state.find(node.pid)
        if process is None or process.kernel or process.state is ProcessState.ZOMBIE:
            raise SysError(ENOENT)
        if node.name == "exe":
            return process.executable
        if node.name == "cwd":
            return await self.ask(ranks.FILES, files.WorkingDirectory(process.fs))  # type: ignore[no-any-return]
        for fd, text, _, _ in await self._descriptors(process):
            if fd == node.fd:
                return text if text.__class__ is bytes else text.encode(errors="surrogateescape")
        raise SysError(ENOENT)

    async def _descriptors(self, process: Process) -> tuple[tuple[int, Any, int, int], ...]:
        if process.kernel or process.state is ProcessState.ZOMBIE:
            return ()
        return await self.ask(ranks.FILES, files.DescriptorList(process.table))  # type: ignore[no-any-return]

    # ---- what can be done with a name ---------------------------------------------------------------------------------------

    async def _open(self, request: files.OpenAt, node: ProcNode) -> Any:
        """openat(2): files installs the descriptor."""
        flags = request.flags
        if flags & O_CREAT and flags & O_EXCL:
            raise SysError(EEXIST)
        if node.kind is Kind.LINK:
            raise SysError(ENOTDIR if flags & O_DIRECTORY else ELOOP)
        directory = node.kind is Kind.DIRECTORY
        if directory and (flags & O_ACCMODE != O_RDONLY or flags & O_CREAT):
            raise SysError(EISDIR)
        if not directory and flags & O_DIRECTORY:
            raise SysError(ENOTDIR)
        if flags & O_ACCMODE != O_RDONLY or flags & O_TRUNC:
            raise SysError(EACCES)
        if node.name in ("fd", "maps"):
            proc_tree.check_inspection(self.caller_process(request.caller), self.state.processes[node.pid])
        return self.forward(ranks.FILES, files.InstallProc(request.caller, flags, node.parts, directory))

    async def _stat(self, request: files.Newfstatat | files.Fstat, node: ProcNode) -> Stat:
        """stat(2), lstat(2), fstat(2)."""
        if request.__class__ is files.Newfstatat and request.flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
            raise SysError(EINVAL)
        owner = self.state.processes[node.pid].credentials if node.pid else self.state.processes[1].credentials
        start_ns = self.state.processes[node.pid].start_ns if node.pid else 0
        links = 2 if node.kind is Kind.DIRECTORY else 1
        return Stat(
            st_mode=_TYPE_BITS[node.kind] | proc_tree.mode(node), st_ino=proc_tree.inode_number(node.parts), st_dev=_PROC_DEVICE,
            st_nlink=links, st_uid=owner.euid, st_gid=owner.egid, st_rdev=0, st_size=0, st_blksize=1024, st_blocks=0,
            st_atime_ns=start_ns, st_mtime_ns=start_ns, st_ctime_ns=start_ns,
        )

    async def _readlink(self, request: files.Readlink, node: ProcNode) -> bytes:
        """readlink(2): self, thread-self, cwd, exe, fd/N."""
        if node.kind is not Kind.LINK:
            raise SysError(EINVAL)
        return await self._target(node)

    async def _access(self, request: files.Access, node: ProcNode) -> None:
        """access(2): by the real uid; nothing can be written, and only directories are executable."""
        if request.mode & ~(R_OK | W_OK | X_OK):
            raise SysError(EINVAL)
        if request.mode & W_OK or (request.mode & X_OK and node.kind is not Kind.DIRECTORY):
            raise SysError(EACCES)
        if request.mode and node.name == "fd" and request.caller.uid not in (0, self.state.processes[node.pid].credentials.euid):
            raise SysError(EACCES)

    async def _chdir(self, request: files.Chdir, node: ProcNode) -> Any:
        """chdir(2): files enters the directory."""
        if node.kind is not Kind.DIRECTORY:
            raise SysError(ENOTDIR)
        if node.name == "fd":
            proc_tree.check_inspection(self.caller_process(request.caller), self.state.processes[node.pid])
        return self.forward(ranks.FILES, files.EnterProc(request.caller, node.parts))

    # ---- content ------------------------------------------------------------------------------------------------------------

    async def proc_read(self, message: processes.ProcRead) -> Any:
        """The first read of a description: take its content. Raises ESRCH for a process that is gone."""
        parts = message.parts
        try:
            node = proc_tree.resolve(self.state, 0, 0, parts, follow_self=False)
        except SysError:
            raise SysError(ESRCH) from None
        content: bytes = b""
        entries: tuple[tuple[int, int, bytes], ...] = ()
        if node.kind is Kind.DIRECTORY:
            entries = await self._entries(node)
        else:
            content = await self._content(node)
        return self.forward(ranks.FILES, files.ServeContent(message.request, message.description, content, entries))

    async def _entries(self, node: ProcNode) -> tuple[tuple[int, int, bytes], ...]:
        """(inode, type, name) of everything in a directory, . and .. first."""
        if node.name == "fd":
            process = self.state.processes[node.pid]
            listed = [(str(fd), Kind.LINK) for fd, _, _, _ in await self._descriptors(process)]
        else:
            listed = proc_tree.names(self.state, node)
        inode = proc_tree.inode_number
        dots = [(inode(node.parts), _DT[Kind.DIRECTORY], b"."), (inode(node.parts[:-1]), _DT[Kind.DIRECTORY], b"..")]
        return (*dots, *((inode((*node.parts, name)), _DT[kind], name.encode()) for name, kind in listed))

    async def _content(self, node: ProcNode) -> bytes:
        if not node.pid:
            return (await self._machine_text(node.name)).encode()
        process = self.state.processes[node.pid]
        tid = node.tid or int(node.parts[0])
        thread = self.state.find_thread(tid)
        if node.name == "cmdline":
            return proc_text.cmdline(process)
        if node.name == "comm":
            return (thread.comm if thread is not None else process.comm).encode(errors="surrogateescape") + b"\n"
        if node.name == "maps":
            return proc_text.maps_text(await self._areas(process)).encode(errors="surrogateescape")
        facts = await self._facts(process, thread, whole=not node.tid)
        make = proc_text.stat_line if node.name == "stat" else proc_text.status_text
        return make(process, thread, tid, facts).encode(errors="surrogateescape")

    async def _areas(self, process: Process) -> tuple[Any, ...]:
        if process.kernel or process.state is ProcessState.ZOMBIE:
            return ()
        return await self.ask(ranks.MEMORY, memory.Maps(process.space))  # type: ignore[no-any-return]

    async def _facts(self, process: Process, thread: Thread | None, *, whole: bool) -> Facts:
        """What the owners below know of a process (`whole`: run times of all its threads) or of one thread."""
        cores = self.config.machine.cores
        if process.kernel:
            return Facts(cores=cores)
        if process.state is ProcessState.ZOMBIE or thread is None:
            return Facts(letter="Z", usage=process.usage, cores=cores)
        pages = await self.ask(ranks.MEMORY, memory.ResidentPages(process.space))
        letter, nice, cpu = await self._schedule(process, thread)
        own = Usage() if not thread.alive else await self.usage_of(thread)
        usage = await self.usage_of_process(process) if whole else own
        facts = Facts(
            letter=letter, usage=usage, nice=nice, cpu=cpu, virtual_bytes=pages[0] * PAGE_SIZE, resident_pages=pages[1],
            cores=cores, descriptors=len(await self._descriptors(process)),
        )
        if not thread.alive:
            return facts
        sets = await self.ask(ranks.SIGNALS, signals.SignalStatistics(process.pid, thread.tid))
        return msgspec.structs.replace(
            facts, pending=sets.pending, shared_pending=sets.shared_pending, blocked=sets.blocked, ignored=sets.ignored, caught=sets.caught,
        )

    async def _schedule(self, process: Process, thread: Thread) -> tuple[str, int, int]:
        """(state letter, nice value, core)."""
        if not thread.alive:
            return "Z", 0, 0
        found: Any = await self.ask(ranks.SCHEDULER, scheduler.ThreadStatistics(thread.tid))
        if found.__class__ is Failure:
            return "R", 0, 0  # just born
        letter = "T" if process.state is ProcessState.STOPPED else found.state
        return letter, found.nice, max(found.cpu, 0)

    async def _machine_text(self, name: str) -> str:
        cores = self.config.machine.cores
        if name == "version":
            return proc_text.VERSION
        if name == "cpuinfo":
            return proc_text.cpuinfo_text(cores)
        if name == "meminfo":
            frames: Any = await self.ask(ranks.MEMORY, memory.MemoryStatistics())
            return proc_text.meminfo_text(frames.total, frames.free, frames.cached)
        now_ns = self.clock
        threads: Any = await self.ask(ranks.SCHEDULER, scheduler.SchedulerSnapshot())
        busy = [0] * cores
        for thread in threads:
            busy[max(thread.cpu, 0) % cores] += thread.sum_exec_ns
        if name == "uptime":
            return proc_text.uptime_text(now_ns, max(0, cores * now_ns - sum(busy)))
        switches = sum(thread.voluntary_switches + thread.involuntary_switches for thread in threads)
        running = sum(1 for thread in threads if thread.state == "R")
        return proc_text.machine_stat_text(now_ns, busy, switches=switches, births=self.state.pids.births, running=running)
