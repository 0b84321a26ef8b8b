"""Processes: fork and clone, the exec family, wait, and the macros of wait status words.

`fork` is clone(2) with SIGCHLD and the flags that glibc adds, so that the child's control block learns its tid. It returns twice: the
kernel runs the child's coroutines again up to this call (see docs). `clone` starts its child at a module-level function instead, on a
stack that libc allots, because a C wrapper would have to be given one. `become` is ours: the thread's coroutine stack is replaced.
Man pages fork(2), clone(2), execve(2), exec(3), wait(2), wait4(2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import index
from typing import Any, Final

from kernel.abi.errno_values import EACCES, ENODEV, ENOENT, ENOEXEC, ENOTDIR, ETIMEDOUT
from kernel.abi.flags import CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_VFORK, CLONE_VM
from kernel.abi.layout import THREAD_STACK
from kernel.abi.signos import SIGCHLD
from userspace.libc.arguments import environment_vector, plain_argument, string_vector, text_bytes
from userspace.libc.environment import current_environment, environ, getenv
from userspace.libc.threads import BECOME, CLONED, forget_other_threads, map_stack, tid_address, unmap_stack
from userspace.libc.unistd import rusage
from userspace.ref import address_of
from userspace.trap import become_function, os_error, syscall, text_address

_clone: Final = syscall("clone")
_execve: Final = syscall("execve")
_wait4: Final = syscall("wait4")

Thread = Callable[[Any], Awaitable[Any]]  # a module-level async function

DEFAULT_PATH: Final = "/bin:/usr/bin"  # of execvp without PATH


async def fork() -> int:
    """0 in the child, the child's pid in the parent. Raises OSError(EAGAIN, ENOMEM)."""
    flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD
    pid: int = await _clone(flags, 0, 0, await tid_address(), 0, 0, None)
    if pid == 0:
        await forget_other_threads()
    return pid


async def clone(fn: Thread, flags: int, arg: Any = None, *, parent_tid: Any = None, child_tid: Any = None, tls: int | None = None) -> int:
    """The tid of a child that runs fn(arg); what fn returns is its exit status (None is 0), with CLONE_THREAD it ends the thread only."""
    address = text_address(fn)
    stack = size = 0
    if flags & CLONE_VM:
        stack, size = await map_stack(THREAD_STACK)
    words = address_of(parent_tid), address_of(child_tid), address_of(tls)
    try:
        tid: int = await _clone(index(flags), stack + size, *words, address, (CLONED, plain_argument(arg)))
    except OSError:
        if stack:
            await unmap_stack(stack, size)
        raise
    if stack and flags & CLONE_VFORK:
        await unmap_stack(stack, size)  # the child has left this address space
    return tid


async def become(fn: Thread, *plain: Any) -> None:
    """Go on as fn(*plain), with a fresh coroutine stack and an empty record of ops. Never returns."""
    await become_function(text_address(fn), ((BECOME, plain_argument(plain)),))


# ---- exec -------------------------------------------------------------------------------------------------------------------


async def _vector_of(env: Mapping[str, str]) -> tuple[bytes, ...]:
    """envp: of a mapping, or of `environ`, which has to be read."""
    return await current_environment() if env is environ else environment_vector(env)


async def execve(path: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Become the program in `path`. Returns only by OSError."""
    await _execve(text_bytes(path), string_vector(argv), await _vector_of(env))


async def execv(path: str, argv: Sequence[str]) -> None:
    """With the current environment."""
    await _execve(text_bytes(path), string_vector(argv), await current_environment())


async def execvp(file: str, argv: Sequence[str]) -> None:
    """Search PATH, with the current environment."""
    await _search_and_execute(file, string_vector(argv), await current_environment())


async def execvpe(file: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Search the caller's PATH, with the environment given."""
    await _search_and_execute(file, string_vector(argv), await _vector_of(env))


async def _search_and_execute(file: str, argv: tuple[bytes, ...], env: tuple[bytes, ...]) -> None:
    """exec(3), "Special semantics for execlp() and execvp()"."""
    name = text_bytes(file)
    if not name:
        raise os_error(ENOENT)
    if b"/" in name:
        await _execute_or_interpret(name, argv, env)
        return
    folders = text_bytes(await getenv("PATH") or DEFAULT_PATH).split(b":")
    refused = False
    for folder in folders:
        try:
            await _execute_or_interpret(folder + b"/" + name if folder else name, argv, env)
        except OSError as error:
            if error.errno == EACCES:
                refused = True  # go on, but say so in the end
            elif error.errno not in (ENOENT, ENOTDIR, ENODEV, ETIMEDOUT):
                raise
    raise os_error(EACCES if refused else ENOENT)


async def _execute_or_interpret(path: bytes, argv: tuple[bytes, ...], env: tuple[bytes, ...]) -> None:
    """execve, and /bin/sh for a file whose format the kernel does not know."""
    try:
        await _execve(path, argv, env)
    except OSError as error:
        if error.errno != ENOEXEC:
            raise
        await _execve(b"/bin/sh", (b"/bin/sh", path, *argv[1:]), env)


# ---- wait -------------------------------------------------------------------------------------------------------------------


async def wait() -> tuple[int, int]:
    """(pid, status word) of any child that ended."""
    pid, status, _ = await _wait4(-1, 0)
    return pid, status


async def waitpid(pid: int, options: int) -> tuple[int, int]:
    """(pid, status word); (0, 0) with WNOHANG when none is ready."""
    found, status, _ = await _wait4(index(pid), index(options))
    return found, status


async def wait4(pid: int, options: int) -> tuple[int, int, rusage]:
    """As waitpid, with what the child used."""
    found, status, usage = await _wait4(index(pid), index(options))
    return found, status, rusage(*usage)


def WIFEXITED(status: int) -> bool:  # noqa: N802 - C's name, as the next ones
    return status & 0x7F == 0


def WEXITSTATUS(status: int) -> int:  # noqa: N802
    return status >> 8 & 0xFF


def WIFSIGNALED(status: int) -> bool:  # noqa: N802
    return 0 < status & 0x7F < 0x7F


def WTERMSIG(status: int) -> int:  # noqa: N802
    return status & 0x7F


def WCOREDUMP(status: int) -> bool:  # noqa: N802
    return bool(status & 0x80)


def WIFSTOPPED(status: int) -> bool:  # noqa: N802
    return status & 0xFF == 0x7F


def WSTOPSIG(status: int) -> int:  # noqa: N802
    return status >> 8 & 0xFF


def WIFCONTINUED(status: int) -> bool:  # noqa: N802
    return status == 0xFFFF
