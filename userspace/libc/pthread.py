"""pthread.h, threads: create, join, exit, detach.

A thread is made by clone(2) with the flags that glibc uses; its pthread_t is the address of its control block (threads.py). Join is a
futex wait on the tid that the kernel clears when the thread has ended (CLONE_CHILD_CLEARTID). The joiner then unmaps the stack; a
detached thread unmaps its own, with all signals blocked, since nothing may be pushed on it any more.

What a function returns is a plain value, and crosses simulated memory: nothing and small ints in the control block, anything else as a
Python literal on the thread's own stack. pthread_exit unwinds by an exception that only crt catches.
Man pages pthread_create(3), pthread_join(3), pthread_exit(3), pthread_detach(3), pthread_kill(3), pthread_setname_np(3).
"""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Iterable
from operator import index
from typing import Any, Final

from kernel.abi import flags as f
from kernel.abi.errno_values import EAGAIN, EBUSY, EDEADLK, EINVAL, ENOMEM, ERANGE, ESRCH
from kernel.abi.layout import THREAD_STACK
from kernel.abi.ops import ACQ_REL, ACQUIRE, RELAXED, RELEASE, SEQ_CST
from userspace.libc import threads as t
from userspace.libc.arguments import bytes_text, plain_argument, text_bytes
from userspace.libc.futex import PRIVATE, SHARED, futex_wait, futex_wake
from userspace.libc.sched import core_mask
from userspace.libc.stdlib import exit as exit_process
from userspace.libc.threads import MAIN, MAIN_TCB, ThreadControlBlock, self_address
from userspace.libc.unistd import COMM_MAX
from userspace.trap import os_error, read_memory, stack_room, syscall, text_address, write_memory

_clone: Final = syscall("clone")
_close: Final = syscall("close")
_exit: Final = syscall("exit")
_getpid: Final = syscall("getpid")
_munmap: Final = syscall("munmap")
_openat: Final = syscall("openat")
_prctl: Final = syscall("prctl")
_read: Final = syscall("read")
_sched_setaffinity: Final = syscall("sched_setaffinity")
_set_tid_address: Final = syscall("set_tid_address")
_sigprocmask: Final = syscall("rt_sigprocmask")
_tgkill: Final = syscall("tgkill")
_write: Final = syscall("write")

Thread = Callable[[Any], Awaitable[Any]]  # a module-level async function

THREAD_FLAGS: Final = (
    f.CLONE_VM
    | f.CLONE_FS
    | f.CLONE_FILES
    | f.CLONE_SIGHAND
    | f.CLONE_THREAD
    | f.CLONE_SYSVSEM
    | f.CLONE_SETTLS
    | f.CLONE_PARENT_SETTID
    | f.CLONE_CHILD_CLEARTID
)
_ALL_SIGNALS: Final = (1 << 64) - 1
_INT64_MIN: Final = -(1 << 63)
_INT64_MAX: Final = (1 << 63) - 1


class ThreadExit(BaseException):
    """pthread_exit on its way out of the thread's function; programs do not catch it, crt does."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


# ---- creation ---------------------------------------------------------------------------------------------------------------


async def pthread_create(
    fn: Thread, arg: Any = None, *, detached: bool = False, affinity: Iterable[int] | None = None, stacksize: int = THREAD_STACK
) -> int:
    """The pthread_t of a new thread that runs fn(arg). Raises OSError(EAGAIN) without resources, EINVAL for a bad attribute."""
    address, arg = text_address(fn), plain_argument(arg)
    if index(stacksize) < f.PTHREAD_STACK_MIN:
        raise os_error(EINVAL)
    cores = None if affinity is None else core_mask(affinity)
    tcb = await _new_block(stacksize, detached, held=cores is not None)
    kind = t.PTHREAD if cores is None else t.HELD_PTHREAD
    try:
        tid = await _clone(THREAD_FLAGS, tcb.address, tcb.tid.address, tcb.tid.address, tcb.address, address, (kind, arg))
    except OSError as error:
        await _dispose(tcb)
        raise os_error(EAGAIN) if error.errno == ENOMEM else error from None
    if cores is not None:
        await _prepare(tcb, tid, cores)
    return tcb.address  # type: ignore[no-any-return]


async def _new_block(stacksize: int, detached: bool, held: bool) -> Any:
    """A control block at the top of a new stack, in the list."""
    try:
        stack, size = await t.map_stack(stacksize)
    except OSError as error:
        raise os_error(EAGAIN) if error.errno == ENOMEM else error from None
    tcb = ThreadControlBlock.at(stack + size - t.TCB_SIZE)
    state, joiner = (t.DETACHED, tcb.address) if detached else (t.RUNNING, 0)
    await tcb.write_bytes(t.NEW_BLOCK.pack(0, state, joiner, 0, 0, stack, size, t.HELD if held else t.READY, t.RESULT_NONE))
    await t.link(tcb)
    return tcb


async def _dispose(tcb: Any) -> None:
    """The thread has ended, or never began: out of the list, and its stack with its block is unmapped."""
    stack = await tcb.stack.load(RELAXED)
    size = await tcb.stack_size.load(RELAXED)
    await t.unlink(tcb)
    await t.unmap_stack(stack, size)


async def _prepare(tcb: Any, tid: int, cores: tuple[int, ...]) -> None:
    """Give a held thread its cores and let it go; if that fails it ends without having begun."""
    refused = None
    try:
        await _sched_setaffinity(tid, cores)
    except OSError as error:
        refused = error
        await tcb.state.store(t.RUNNING, RELAXED)  # this call joins it, detached or not
    await tcb.start.store(t.READY if refused is None else t.ABANDONED, RELEASE)
    await futex_wake(tcb.start.address, 1, PRIVATE)
    if refused is not None:
        await _wait_for_end(tcb)
        await _dispose(tcb)
        raise refused


async def thread_main(fn: Callable[..., Awaitable[Any]], arg: Any) -> None:
    """What crt runs at the bottom of a coroutine stack that does not begin with main: `arg` is what crossed the trap. Never returns."""
    kind, plain = arg
    if kind == t.CLONED:
        status = await fn(plain)
        await _exit(0 if status is None else index(status))
    if kind == t.HELD_PTHREAD and not await _may_start():
        await _exit(0)
    value = await (fn(*plain) if kind == t.BECOME else fn(plain))
    if kind == t.BECOME and await self_address() == MAIN_TCB:
        await exit_process(0 if value is None else index(value))
    await finish_thread(value)


async def _may_start() -> bool:
    tcb = ThreadControlBlock.at(await self_address())
    while (start := await tcb.start.load(ACQUIRE)) == t.HELD:
        await futex_wait(tcb.start.address, t.HELD, PRIVATE)
    return bool(start == t.READY)


# ---- the end ----------------------------------------------------------------------------------------------------------------


async def pthread_exit(value: Any = None) -> None:
    """End the calling thread; pthread_join gives `value`. In the first thread, the others go on. Never returns."""
    raise ThreadExit(value)


async def finish_thread(value: Any) -> None:
    """Leave the result for the joiner and end the calling thread; after the first thread's pthread_exit the last one ends the process.

    Never returns. Each thread says that it has ended before it looks at the others, so at least one sees itself as the last.
    """
    me = await self_address()
    tcb = ThreadControlBlock.at(me)
    kind, result, text = _encode(value)
    if text:
        result = await stack_room(len(text), 16)  # of this coroutine, which never ends: the text stays until the joiner has read it
        await write_memory(result, text)
        await tcb.result_size.store(len(text), RELAXED)
    if kind != t.RESULT_NONE:
        await tcb.result.store(result, RELAXED)
        await tcb.result_kind.store(kind, RELAXED)
    if me == MAIN_TCB:
        await MAIN.process_end.compare_exchange(t.ALL_RUN, t.LAST_ENDS, SEQ_CST)
    detached = await tcb.state.compare_exchange(t.RUNNING, t.EXITED, ACQ_REL) == t.DETACHED
    stack, size = (await tcb.stack.load(RELAXED), await tcb.stack_size.load(RELAXED)) if detached else (0, 0)
    if detached and stack:
        await t.unlink(tcb)
    elif detached:
        await tcb.state.store(t.EXITED, SEQ_CST)
    if await MAIN.process_end.load(SEQ_CST) == t.LAST_ENDS and await t.is_last(me):
        await _end_process()
    if stack:
        await _sigprocmask(f.SIG_BLOCK, _ALL_SIGNALS)
        await _set_tid_address(0)
        await _munmap(stack, size)
    await _exit(0)


async def _end_process() -> None:
    """Two threads may both find that they are the last: one of them ends the process."""
    if await MAIN.process_end.exchange(t.ENDING) == t.LAST_ENDS:
        await exit_process(0)


def _encode(value: Any) -> tuple[int, int, bytes]:
    """(RESULT_*, the int, the literal) of a thread's result. Raises TypeError for what is not plain."""
    if value is None:
        return t.RESULT_NONE, 0, b""
    if value.__class__ is int and _INT64_MIN <= value <= _INT64_MAX:
        return t.RESULT_INT, value, b""
    _check_plain(value)
    return t.RESULT_TEXT, 0, repr(value).encode("utf-8", "surrogateescape")


def _check_plain(value: Any) -> None:
    if value.__class__ is tuple:
        for part in value:
            _check_plain(part)
    elif value is not None and value.__class__ not in (bool, int, float, str, bytes):
        kind = type(value).__name__
        raise TypeError(f"a thread's result is a plain value (int, str, bytes, None, tuples of these; a reference's .address), not {kind}")


async def _load_result(tcb: Any) -> Any:
    kind = await tcb.result_kind.load(RELAXED)
    if kind == t.RESULT_NONE:
        return None
    result = await tcb.result.load(RELAXED)
    if kind == t.RESULT_INT:
        return result
    text = await read_memory(result, await tcb.result_size.load(RELAXED))
    return ast.literal_eval(text.decode("utf-8", "surrogateescape"))


# ---- join and detach --------------------------------------------------------------------------------------------------------


async def _find(thread: int) -> Any:
    if not await t.is_thread(index(thread)):
        raise os_error(ESRCH)
    return ThreadControlBlock.at(thread)


async def _wait_for_end(tcb: Any) -> None:
    """Until the kernel has cleared the tid. The wake-up comes by the kernel, which knows nothing of private futexes here."""
    while tid := await tcb.tid.load(ACQUIRE):
        await futex_wait(tcb.tid.address, tid, SHARED)


async def pthread_join(thread: int) -> Any:
    """Wait for the thread's end: what its function returned or pthread_exit was given.

    Raises OSError: ESRCH no such thread, EINVAL detached or joined by another thread, EDEADLK oneself or a thread that joins the caller.
    """
    tcb = await _find(thread)
    me = await self_address()
    if thread == me or await ThreadControlBlock.at(me).joiner.load(RELAXED) == thread:
        raise os_error(EDEADLK)
    if await tcb.joiner.compare_exchange(0, me, ACQ_REL):
        raise os_error(EINVAL)
    await _wait_for_end(tcb)
    value = await _load_result(tcb)
    if thread != MAIN_TCB:
        await _dispose(tcb)
    return value


async def pthread_tryjoin_np(thread: int) -> Any:
    """As pthread_join, but OSError(EBUSY) while the thread runs."""
    tcb = await _find(thread)
    if await tcb.tid.load(ACQUIRE):
        raise os_error(EBUSY)
    return await pthread_join(thread)


async def pthread_detach(thread: int) -> None:
    """Nobody will join it: its stack goes when it ends. Raises OSError: ESRCH, EINVAL if it is detached or being joined."""
    tcb = await _find(thread)
    if await tcb.joiner.compare_exchange(0, thread, ACQ_REL):
        raise os_error(EINVAL)
    if await tcb.state.compare_exchange(t.RUNNING, t.DETACHED, ACQ_REL) == t.EXITED and thread != MAIN_TCB:
        await _wait_for_end(tcb)  # it looked before we came, and leaves its stack to us
        await _dispose(tcb)


# ---- the rest ---------------------------------------------------------------------------------------------------------------


def pthread_self() -> Awaitable[int]:
    """The caller's pthread_t."""
    return self_address()


async def pthread_kill(thread: int, signo: int) -> None:
    """Signal one thread of the process; nothing happens if it has ended. Raises OSError: ESRCH no such thread, EINVAL no such signal."""
    tcb = await _find(thread)
    tid = await tcb.tid.load(RELAXED)
    if not 0 <= index(signo) <= 64:
        raise os_error(EINVAL)
    if tid:
        await _tgkill(await _getpid(), tid, signo)


async def _tid_of(thread: int) -> int:
    """The tid of a thread that runs. Raises OSError(ESRCH)."""
    tid: int = await (await _find(thread)).tid.load(RELAXED)
    if not tid:
        raise os_error(ESRCH)
    return tid


async def pthread_setaffinity_np(thread: int, mask: Iterable[int]) -> None:
    await _sched_setaffinity(await _tid_of(thread), core_mask(mask))


async def pthread_setname_np(thread: int, name: str) -> None:
    """Raises OSError(ERANGE) for more than 15 bytes."""
    data = text_bytes(name)
    if len(data) > COMM_MAX:
        raise os_error(ERANGE)
    if thread == await self_address():
        await _prctl(f.PR_SET_NAME, data)
        return
    fd = await _open_comm(await _tid_of(thread), f.O_RDWR)
    try:
        await _write(fd, data)
    finally:
        await _close(fd)


async def pthread_getname_np(thread: int) -> str:
    """The thread's name, as /proc and `ps` show it."""
    if thread == await self_address():
        return bytes_text(await _prctl(f.PR_GET_NAME, None))
    fd = await _open_comm(await _tid_of(thread), f.O_RDONLY)
    try:
        return bytes_text(await _read(fd, COMM_MAX + 1)).removesuffix("\n")
    finally:
        await _close(fd)


async def _open_comm(tid: int, flags: int) -> int:
    """Other threads' names are files, as in glibc."""
    fd: int = await _openat(f.AT_FDCWD, b"/proc/self/task/%d/comm" % tid, flags, 0)
    return fd
