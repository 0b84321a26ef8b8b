"""What libc knows of each thread: control blocks, their list, and stacks.

A thread control block (TCB) lies at the top of the thread's stack mapping, the first thread's in the libc segment; its address is the
thread's pthread_t and its TLS base, as in glibc. The kernel writes the tid into it at clone, clears it at exit and wakes who waits there.
All blocks are in one list that begins at the first thread's: so a pthread_t that does not exist any more is recognised, and the last
thread recognises itself. All accesses are atomic or under the list's lock: no race is ever reported on a TCB.

    low   guard page | stack ... | TCB   high
"""

from __future__ import annotations

from struct import Struct as Packing
from typing import Any, Final

from kernel.abi.flags import MAP_ANONYMOUS, MAP_PRIVATE, MAP_STACK, PROT_NONE, PROT_READ, PROT_WRITE
from kernel.abi.layout import PAGE_MASK, PAGE_SIZE
from kernel.abi.ops import ACQUIRE, RELAXED
from userspace.layout import Struct
from userspace.libc.libc_data import PTHREAD_DATA, PTHREAD_DATA_SIZE
from userspace.libc.lowlevellock import lock, unlock
from userspace.ref import sizeof
from userspace.scalars import i32, i64, u32, u64
from userspace.trap import register, syscall

_mmap: Final = syscall("mmap")
_mprotect: Final = syscall("mprotect")
_munmap: Final = syscall("munmap")
_set_tid_address: Final = syscall("set_tid_address")

# What the function of a new thread is, as the first word of what crosses (see pthread.thread_main).
PTHREAD: Final = "pthread"
HELD_PTHREAD: Final = "held pthread"  # waits until its creator has finished preparing it
CLONED: Final = "clone"  # made by clone(): no TCB
BECOME: Final = "become"  # goes on at a function by become()

RUNNING: Final = 0  # states of a thread
DETACHED: Final = 1  # running, and nobody will join it
EXITED: Final = 2

READY: Final = 0  # a held thread may start
HELD: Final = 1
ABANDONED: Final = 2  # it could not be prepared and ends at once

RESULT_NONE: Final = 0  # how a thread's result is kept
RESULT_INT: Final = 1
RESULT_TEXT: Final = 2  # `result` is the address of `result_size` bytes: a Python literal

ALL_RUN: Final = 0  # values of `process_end`: the first thread has not called pthread_exit
LAST_ENDS: Final = 1  # the last thread to end calls exit(0)
ENDING: Final = 2  # it has


class ThreadControlBlock(Struct):
    """A thread, for libc. One cache line, then what only the first thread's has."""

    tid: i32  # written and cleared by the kernel
    state: i32  # RUNNING, DETACHED, EXITED: changed by the thread itself and by pthread_detach
    joiner: u64  # who joins: its pthread_t; the thread's own: it is detached; 0: nobody yet
    next: u64  # address of the next TCB, under the list's lock, as `previous`
    previous: u64
    stack: u64  # address of the mapping, 0 for the first thread
    stack_size: u64  # bytes, with the guard page
    start: i32  # READY, HELD, ABANDONED
    result_kind: i32  # RESULT_*
    result: i64
    result_size: i64
    list_lock: u32  # of the first thread's: guards `next` and `previous` of all
    process_end: i32  # of the first thread's: ALL_RUN, LAST_ENDS, ENDING


MAIN_TCB: Final = PTHREAD_DATA
MAIN: Final[ThreadControlBlock] = ThreadControlBlock.at(MAIN_TCB)
NEW_BLOCK: Final = Packing("<iiQQQQQii")  # the first line: the fields up to result_kind, written in one piece
TCB_SIZE: Final = (sizeof(ThreadControlBlock) + 63) & ~63

assert NEW_BLOCK.size <= 64, "one line"
assert TCB_SIZE <= PTHREAD_DATA_SIZE, "the first thread's block fits into the libc segment"


async def prepare_first_thread() -> None:
    """At the start of a program, as in glibc: the first thread's tid stands in its block too, and is cleared at its end."""
    await MAIN.tid.store(await _set_tid_address(MAIN_TCB), RELAXED)


async def self_address() -> int:
    """The calling thread's TCB."""
    base: int = await register("pthread_self")
    return base or MAIN_TCB


async def tid_address() -> int:
    """Where the calling thread's tid stands."""
    return await self_address()  # the first field


# ---- stacks -----------------------------------------------------------------------------------------------------------------


async def map_stack(size: int) -> tuple[int, int]:
    """A mapping of at least `size` usable bytes over a guard page: (address, size with the guard). Raises OSError(ENOMEM)."""
    total = (size + PAGE_MASK & ~PAGE_MASK) + PAGE_SIZE
    stack: int = await _mmap(0, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)
    try:
        await _mprotect(stack + PAGE_SIZE, total - PAGE_SIZE, PROT_READ | PROT_WRITE)
    except OSError:
        await _munmap(stack, total)
        raise
    return stack, total


async def unmap_stack(stack: int, size: int) -> None:
    await _munmap(stack, size)


# ---- the list ---------------------------------------------------------------------------------------------------------------


async def link(tcb: Any) -> None:
    """Put a new thread right after the first."""
    await lock(MAIN.list_lock)
    after = await MAIN.next.load(RELAXED)
    await tcb.next.store(after, RELAXED)
    await tcb.previous.store(MAIN_TCB, RELAXED)
    if after:
        await ThreadControlBlock.at(after).previous.store(tcb.address, RELAXED)
    await MAIN.next.store(tcb.address, RELAXED)
    await unlock(MAIN.list_lock)


async def unlink(tcb: Any) -> None:
    """Take a thread out; the first one is never taken out."""
    await lock(MAIN.list_lock)
    before = await tcb.previous.load(RELAXED)
    after = await tcb.next.load(RELAXED)
    await ThreadControlBlock.at(before).next.store(after, RELAXED)
    if after:
        await ThreadControlBlock.at(after).previous.store(before, RELAXED)
    await unlock(MAIN.list_lock)


async def is_thread(thread: int) -> bool:
    """Is it the pthread_t of a thread that exists (or has ended and is not joined)?"""
    await lock(MAIN.list_lock)
    address = MAIN_TCB
    while address not in (0, thread):
        address = await ThreadControlBlock.at(address).next.load(RELAXED)
    await unlock(MAIN.list_lock)
    return address != 0


async def is_last(me: int) -> bool:
    """Have all threads but the caller (TCB `me`) ended?"""
    await lock(MAIN.list_lock)
    address = MAIN_TCB
    while address:
        tcb = ThreadControlBlock.at(address)
        if address != me and await tcb.state.load(ACQUIRE) != EXITED:
            break
        address = await tcb.next.load(RELAXED)
    await unlock(MAIN.list_lock)
    return address == 0


async def forget_other_threads() -> None:
    """In the child of fork, which has the calling thread only. It reads before it writes: the pages are shared copy-on-write."""
    me = await self_address()
    if me == MAIN_TCB:
        if await MAIN.next.load(RELAXED):
            await MAIN.next.store(0, RELAXED)
            await MAIN.list_lock.store(0, RELAXED)
        return
    tcb = ThreadControlBlock.at(me)
    await tcb.next.store(0, RELAXED)
    await tcb.previous.store(MAIN_TCB, RELAXED)
    await MAIN.next.store(me, RELAXED)
    await MAIN.list_lock.store(0, RELAXED)
    await MAIN.state.store(EXITED, RELAXED)  # the first thread does not exist here
    await MAIN.process_end.store(LAST_ENDS, RELAXED)
