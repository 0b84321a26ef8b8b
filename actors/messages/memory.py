"""What `memory` understands: address spaces, faults, memory objects (the page cache), futex words.

Ids: a *space* is an address space and the root of its page table; an *object* is what a file, a shared mapping or shared memory
keeps its pages in. Addresses and lengths are bytes. Changed page-table entries are shot down in every core that runs the space
before the call is answered (the asker's own core included).

Objects of files have even ids, allotted by `files`; memory's own anonymous objects have odd ones. memory creates a file's object when it
first hears of its id (ReadObject, WriteObject, ResizeObject, a MappedFile, an exec), with the bytes of `seed` as its first content, and
ignores `seed` when it knows the id already. `files` sends `seed` until it has handed the object to memory itself: a MappedFile or ExecFile
that travels through a core may overtake or be overtaken, and both orders give the same object. `DropObject` of an unknown id is nothing.
"""

from __future__ import annotations

from typing import ClassVar

from actors.messages.base import Caller, Message, SyscallMessage
from kernel.abi.records import Stat
from kernel.abi.syscalls import NUMBERS
from kernel.processes.image import Image


class NewSpace(Message, frozen=True, gc=False):
    """execve(2): a blank space with the image's segments, heap start and stack, whose top holds `stack` (argc, argv, envp, auxv).

    `object` is the file's memory object (segments are private mappings of it). Reply: SpaceReady or Failure(ENOMEM, E2BIG).
    """

    image: Image
    object: int
    argv: tuple[bytes, ...]
    envp: tuple[bytes, ...]
    execfn: bytes
    stack_limit: int  # bytes, RLIMIT_STACK
    random: bytes  # 16 bytes for AT_RANDOM
    ids: tuple[int, int, int, int]  # uid, euid, gid, egid for the auxiliary vector
    seed: bytes = b""  # ExecFile.seed, if the exec maps a file that memory may not know yet


class SpaceReady(Message, frozen=True, gc=False):
    """Reply of NewSpace."""

    space: int
    stack_pointer: int
    stack_low: int  # lowest address that the stack may grow to


class DuplicateSpace(Message, frozen=True, gc=False):
    """fork: share frames read-only, copy on write. The parent's writable entries are shot down before the reply.

    Reply: space id or Failure(ENOMEM).
    """

    space: int


class ShareSpace(Message, frozen=True, gc=False):
    """CLONE_VM: one more process uses the space. Reply: None."""

    space: int


class ReleaseSpace(Message, frozen=True, gc=False):
    """A process is done with the space (exit, exec); the last one frees it. Reply: None, after every core forgot it."""

    space: int


class ShootdownAck(Message, frozen=True, gc=False):
    """A core has forgotten what `Shootdown(token)` named."""

    oneway: ClassVar[bool] = True
    token: int
    core: int


class PageFault(Message, frozen=True, gc=False):
    """The core's access at `address` missed (`write`, `execute` say how).

    Reply: None (try again), or kernel.memory.faults.Trap(signo, code).
    Asked by the core itself, which forgets the page at `address` in its TLB before it tries again, as x86 does: a copy on write
    interrupts only the other cores.
    """

    space: int
    address: int
    write: bool
    execute: bool
    pid: int = 0  # for the log
    tid: int = 0


class Mmap(SyscallMessage, frozen=True, gc=False):
    """mmap(2). The core has resolved `fd`: `file` is files' MappedFile or None (anonymous). Reply: address or Failure."""

    nr: ClassVar[int] = NUMBERS["mmap"]
    address: int
    length: int
    prot: int
    flags: int
    file: MappedFile | None
    offset: int


class MappedFile(Message, frozen=True, gc=False):
    """What files answers to `PinForMapping`: enough to map the file. files knows nothing of the mapping; memory keeps the object alive."""

    object: int
    size: int
    name: str  # as /proc/PID/maps shows it
    inode: int
    may_write: bool  # opened O_RDWR: a shared mapping may become writable
    device: str = ""  # "zero" for /dev/zero: mapped as anonymous memory
    seed: bytes = b""  # content to create the object with, if its id is unknown


class Munmap(SyscallMessage, frozen=True, gc=False):
    """munmap(2). Reply: None or Failure(EINVAL, ENOMEM); frames are released at the last shootdown ack, before the reply."""

    nr: ClassVar[int] = NUMBERS["munmap"]
    address: int
    length: int


class Mprotect(SyscallMessage, frozen=True, gc=False):
    """mprotect(2). Reply: None or Failure(EINVAL, ENOMEM, EACCES)."""

    nr: ClassVar[int] = NUMBERS["mprotect"]
    address: int
    length: int
    prot: int


class Brk(SyscallMessage, frozen=True, gc=False):
    """brk(2) as the system call: Reply: the break after the call (unchanged where it cannot move); 0 asks."""

    nr: ClassVar[int] = NUMBERS["brk"]
    address: int


class Msync(SyscallMessage, frozen=True, gc=False):
    """msync(2): mappings are coherent, so this only checks. Reply: None or Failure(EINVAL, ENOMEM)."""

    nr: ClassVar[int] = NUMBERS["msync"]
    address: int
    length: int
    flags: int


class Futex(SyscallMessage, frozen=True, gc=False):
    """futex(2). WAIT: compare, then ~> ipc.FutexQueue; WAKE: ~> ipc.FutexWake. `deadline` absolute or None.

    Reply: 0 or a count; Failure(EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT, EINTR); WouldBlock (by ipc).
    """

    nr: ClassVar[int] = NUMBERS["futex"]
    word: int
    op: int
    value: int
    deadline: int | None
    word2: int
    value3: int


class ClearTid(Message, frozen=True, gc=False):
    """A thread died: write 0 to its CLEARTID word (if it can be written), -> ipc.FutexWakeDead. Reply: None."""

    space: int
    address: int


class WriteWord(Message, frozen=True, gc=False):
    """CLONE_PARENT_SETTID and CLONE_CHILD_SETTID: store a tid as int32. Reply: None; a bad address is ignored, as Linux does."""

    space: int
    address: int
    value: int


class DropObject(Message, frozen=True, gc=False):
    """files has no use for the object any more (last link and description gone); mappings may still keep it."""

    oneway: ClassVar[bool] = True
    object: int


class ReadObject(Message, frozen=True, gc=False):
    """read(2) of a regular file, forwarded by files; also exec's look at an image. Holes read as zeros.

    `count` never passes the file's size. Reply: bytes.
    """

    object: int
    offset: int
    count: int
    seed: bytes = b""  # content to create the object with, if its id is unknown


class WriteObject(Message, frozen=True, gc=False):
    """write(2) of a regular file, forwarded by files, which has already moved size and offset; `size` is the file's size after it.

    Without frames it writes what it can and -> files.WriteFell short (nothing at all: Failure(ENOSPC)). Reply: bytes written.
    """

    object: int
    offset: int
    data: bytes
    size: int
    inode: int
    description: int
    seed: bytes = b""  # content to create the object with, if its id is unknown


class ResizeObject(Message, frozen=True, gc=False):
    """truncate, ftruncate, O_TRUNC: forwarded by files. Pages beyond `size` go, also from page tables (SIGBUS). Reply: `answer`."""

    object: int
    size: int
    answer: int | None  # what the original asker gets: None for truncate, the descriptor for open(O_TRUNC)
    seed: bytes = b""  # content to create the object with, if its id is unknown


class StatObject(Message, frozen=True, gc=False):
    """The stat family: forwarded by files for a file whose content is here. Reply: `stat` with its st_blocks."""

    object: int
    stat: Stat


class Maps(Message, frozen=True, gc=False):
    """/proc/PID/maps and statistics. Reply: tuple of kernel.memory.address_space.AreaStatistics, by address."""

    space: int


class ResidentPages(Message, frozen=True, gc=False):
    """Reply: (pages mapped by areas, pages present in the page table)."""

    space: int


class MemoryStatistics(Message, frozen=True, gc=False):
    """Reply: kernel.memory.frames.FrameStatistics."""


class PeekWord(Message, frozen=True, gc=False):
    """For diagnosis only (who holds this mutex?): Reply: the int32 at `address`, or None if no frame is there."""

    caller: Caller | None
    space: int
    address: int
