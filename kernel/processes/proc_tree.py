"""The names in /proc: what a path below it means.

    /proc/{uptime,version,meminfo,cpuinfo,stat}   files of the machine
    /proc/self, /proc/thread-self                 links to the caller
    /proc/PID/{stat,status,maps,cmdline,comm}     files; of every process, kernel threads included
    /proc/PID/{cwd,exe}, /proc/PID/fd/N           magic links: what they lead to is a path in the file system
    /proc/PID/task/TID/{stat,status,comm}         the same per thread

`files` hands over the parts of a path with "." and ".." taken out. Following a link can lead out of /proc: then the answer is a path to
go on with. As in Linux, a tid is found under /proc although only processes are listed. Manual: proc(5).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec

from kernel.abi.errno_values import EACCES, ENOENT, ENOTDIR
from kernel.abi.errnos import SysError
from kernel.processes.process import Process

if TYPE_CHECKING:
    from kernel.processes.processes import Processes

Parts = tuple[str, ...]

MACHINE_FILES: Final = ("cpuinfo", "meminfo", "stat", "uptime", "version")
SELF_LINKS: Final = ("self", "thread-self")
PROCESS_FILES: Final = ("cmdline", "comm", "maps", "stat", "status")
MAGIC_LINKS: Final = ("cwd", "exe")
THREAD_FILES: Final = ("comm", "stat", "status")


class Kind(Enum):
    """What a name in /proc is."""

    DIRECTORY = "directory"
    FILE = "file"
    LINK = "link"


class ProcNode(msgspec.Struct, frozen=True):
    """One thing in /proc. `rest` is what is left of the path behind a link."""

    kind: Kind
    parts: Parts  # its name, without self: what a description keeps
    pid: int = 0  # 0: of the machine
    tid: int = 0  # below task/, else 0
    name: str = ""  # last part; "" for a directory of a process or thread
    fd: int = -1  # of a link in fd/
    rest: Parts = ()


def resolve(state: Processes, pid: int, tid: int, parts: Parts, *, follow_self: bool) -> ProcNode:
    """What `parts` means to the thread `tid` of process `pid`. A self link at the end is followed if `follow_self`.

    Raises ENOENT, ENOTDIR (something below a file).
    """
    if not parts:
        return ProcNode(Kind.DIRECTORY, ())
    head, rest = parts[0], parts[1:]
    if head in MACHINE_FILES:
        return _leaf(ProcNode(Kind.FILE, (head,), name=head), rest)
    if head in SELF_LINKS:
        if not rest and not follow_self:
            return ProcNode(Kind.LINK, (head,), pid, tid if head == "thread-self" else 0, head)
        target = self_target(head, pid, tid)
        return resolve(state, pid, tid, (*target, *rest), follow_self=True)
    return _below_process(_process(state, head), head, rest)


def self_target(name: str, pid: int, tid: int) -> Parts:
    """Where /proc/self and /proc/thread-self lead."""
    return (str(pid),) if name == "self" else (str(pid), "task", str(tid))


def _number(text: str) -> int:
    """A decimal without signs or leading zeros. Raises ENOENT."""
    if not text.isascii() or not text.isdigit() or (text[0] == "0" and text != "0"):
        raise SysError(ENOENT)
    return int(text)


def _process(state: Processes, text: str) -> Process:
    number = _number(text)
    thread = state.find_thread(number)
    found = state.find(thread.pid if thread is not None else number)
    if found is None:
        raise SysError(ENOENT)
    return found


def _leaf(node: ProcNode, rest: Parts) -> ProcNode:
    if rest:
        raise SysError(ENOTDIR)
    return node


def _below_process(process: Process, head: str, rest: Parts) -> ProcNode:
    pid = process.pid
    if not rest:
        return ProcNode(Kind.DIRECTORY, (head,), pid)
    name, below = rest[0], rest[1:]
    if name in PROCESS_FILES:
        return _leaf(ProcNode(Kind.FILE, (head, name), pid, 0, name), below)
    if name in MAGIC_LINKS:
        return ProcNode(Kind.LINK, (head, name), pid, 0, name, rest=below)
    if name == "fd":
        if not below:
            return ProcNode(Kind.DIRECTORY, (head, name), pid, 0, name)
        return ProcNode(Kind.LINK, (head, name, below[0]), pid, 0, name, _number(below[0]), below[1:])
    if name == "task":
        return _below_task(process, head, below)
    raise SysError(ENOENT)


def _below_task(process: Process, head: str, rest: Parts) -> ProcNode:
    if not rest:
        return ProcNode(Kind.DIRECTORY, (head, "task"), process.pid, 0, "task")
    tid = _number(rest[0])
    if tid not in process.threads and tid != process.pid:
        raise SysError(ENOENT)
    here = (head, "task", rest[0])
    if len(rest) == 1:
        return ProcNode(Kind.DIRECTORY, here, process.pid, tid)
    if rest[1] not in THREAD_FILES:
        raise SysError(ENOENT)
    return _leaf(ProcNode(Kind.FILE, (*here, rest[1]), process.pid, tid, rest[1]), rest[2:])


def mode(node: ProcNode) -> int:
    """Permission bits, as Linux's."""
    if node.kind is Kind.LINK:
        return 0o500 if node.fd >= 0 else 0o777
    if node.name == "fd":
        return 0o500
    return 0o555 if node.kind is Kind.DIRECTORY else 0o444


def check_inspection(caller: Process, owner: Process) -> None:
    """fd, cwd, exe and maps of a process are for its own user and root. Raises EACCES."""
    if not caller.credentials.may_inspect(owner.credentials):
        raise SysError(EACCES)


def inode_number(parts: Parts) -> int:
    """A stable number for a name: a checksum-free encoding of its parts, big enough not to meet the tree's own."""
    number = 1
    for part in parts:
        number = (number * 1_000_003 + int.from_bytes(part.encode(), "big")) % (1 << 31)
    return number | 1 << 31


def names(state: Processes, node: ProcNode) -> list[tuple[str, Kind]]:
    """What a directory holds, but for fd/, which files knows. Without . and .. ; of a process that is gone: nothing."""
    if node.pid == 0:
        listed = [(name, Kind.FILE) for name in MACHINE_FILES] + [(name, Kind.LINK) for name in SELF_LINKS]
        return listed + [(str(pid), Kind.DIRECTORY) for pid in sorted(state.processes) if state.processes[pid].visible]
    if node.tid:
        return [(name, Kind.FILE) for name in THREAD_FILES]
    if node.name == "task":
        process = state.find(node.pid)
        tids = sorted(process.threads) if process is not None else []
        return [(str(tid), Kind.DIRECTORY) for tid in tids]
    listed = [(name, Kind.FILE) for name in PROCESS_FILES] + [(name, Kind.LINK) for name in MAGIC_LINKS]
    return listed + [("fd", Kind.DIRECTORY), ("task", Kind.DIRECTORY)]
