"""The border: the one module of userspace with a `yield`, and so the only way from a program to its CPU.

A program is a coroutine. What it awaits ends, after however many calls, in one of the generators below; that generator yields one op
(kernel/abi/ops.py) to the core and is sent the op's result. A call that failed comes back as a `Failure` value and is raised here as
the OSError subclass that Python's `os` raises for that errno.

    async def main():  await close(3)  ->  close's generator:  yield Syscall(3, (3,))  ->  core  ->  Failure(EBADF)  ->  OSError(EBADF)

Primitives are made by factories (`syscall_primitive`, `load_primitive`, …): a generator marked with `types.coroutine` costs half of an
`async def` around a trap, and a third of an object with `__await__`. A libc function is therefore best a plain `def` that returns what
a primitive returned. Nothing here decides anything: arguments are handed on as they are, as the C wrappers in glibc do: syscalls(2).
"""

from __future__ import annotations

import sys
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final

from kernel.abi import errno_values as e
from kernel.abi.errnos import Failure, strerror
from kernel.abi.ops import (
    CACHE_LINE,
    PLAIN,
    SEQ_CST,
    SIGNED,
    SIZES,
    Alloca,
    Become,
    CompareExchange,
    Compute,
    Fence,
    Load,
    Op,
    ReadLine,
    ReadModifyWrite,
    Register,
    Relax,
    Store,
    Syscall,
    UncaughtException,
    WriteLine,
)
from kernel.abi.syscalls import NUMBERS, TABLE

Primitive = Callable[..., Awaitable[Any]]  # called with the op's arguments, awaited once
Steps = Generator[Op, Any, Any]

TEXT_ADDRESS: Final = "__text_address__"  # attribute that the loader sets on each module-level function of a program
CRT: Final = "userspace.crt"
FUNCTIONS: Final = "__text_functions__"  # global of each program module: dict from .text address to function

_ERRORS: Final[dict[int, type[OSError]]] = {  # as in CPython, but by Linux's numbers on any host
    e.EPERM: PermissionError,
    e.EACCES: PermissionError,
    e.ENOENT: FileNotFoundError,
    e.ESRCH: ProcessLookupError,
    e.EINTR: InterruptedError,
    e.ECHILD: ChildProcessError,
    e.EAGAIN: BlockingIOError,
    e.EALREADY: BlockingIOError,
    e.EINPROGRESS: BlockingIOError,
    e.EEXIST: FileExistsError,
    e.ENOTDIR: NotADirectoryError,
    e.EISDIR: IsADirectoryError,
    e.EPIPE: BrokenPipeError,
    e.ESHUTDOWN: BrokenPipeError,
    e.ETIMEDOUT: TimeoutError,
    e.ECONNABORTED: ConnectionAbortedError,
    e.ECONNREFUSED: ConnectionRefusedError,
    e.ECONNRESET: ConnectionResetError,
}


def os_error(errno: int, remaining_ns: int = -1) -> OSError:
    """The exception for this errno, of the subclass that `os` would raise; an interrupted sleep's has `remaining_ns`."""
    error = _ERRORS.get(errno, OSError)(errno, strerror(errno))
    if remaining_ns >= 0:
        error.remaining_ns = remaining_ns  # type: ignore[attr-defined]
    return error


@types.coroutine
def trap(op: Op) -> Steps:
    """Execute one op. Raises OSError if it is a system call that failed."""
    result = yield op
    if result.__class__ is Failure:
        raise os_error(result.errno, result.remaining_ns)
    return result


def syscall_primitive(nr: int) -> Primitive:
    """A function whose arguments are those of row `nr` of the table; it raises OSError where the call fails."""

    @types.coroutine
    def call(*args: Any) -> Steps:
        result = yield Syscall(nr, args)
        if result.__class__ is Failure:
            raise os_error(result.errno, result.remaining_ns)
        return result

    call.__name__ = call.__qualname__ = TABLE[nr].name
    return call


def syscall_value(nr: int) -> Primitive:
    """As `syscall_primitive`, for callers that branch on the errno: a failed call gives its `Failure`, and nothing is raised."""

    @types.coroutine
    def call(*args: Any) -> Steps:
        return (yield Syscall(nr, args))

    call.__name__ = call.__qualname__ = TABLE[nr].name
    return call


def syscall(name: str) -> Primitive:
    """`syscall_primitive` by the row's name."""
    return syscall_primitive(NUMBERS[name])


# ---- the instructions of the simulated CPU, as methods: `self` is a reference, its `address` says where ---------------------


def load_primitive(code: int) -> Primitive:
    """`load(self, order)` for scalars of this code."""

    @types.coroutine
    def load(self: Any, order: int = PLAIN) -> Steps:
        """The value, by one instruction; plain without an order."""
        return (yield Load(self.address, code, order))

    return load


def load_reference_primitive(code: int) -> Primitive:
    """`load(self, order)` for pointers: what `self._refer_` makes of the address."""

    @types.coroutine
    def load(self: Any, order: int = PLAIN) -> Steps:
        """What the pointer points to, or None for NULL."""
        return self._refer_((yield Load(self.address, code, order)))

    return load


def store_primitive(code: int) -> Primitive:
    """`store(self, value, order)`: the value is cut to the scalar's width, as in C."""
    mask, half = cutting(code)

    @types.coroutine
    def store(self: Any, value: Any, order: int = PLAIN) -> Steps:
        """Write the value, by one instruction; plain without an order."""
        yield Store(self.address, code, ((value + half) & mask) - half, order)

    return store


def rmw_primitive(code: int, kind: int) -> Primitive:
    """`fetch_add(self, value, order)` and its kind; the result is the old value."""
    mask, half = cutting(code)

    @types.coroutine
    def read_modify_write(self: Any, value: Any, order: int = SEQ_CST) -> Steps:
        """Change the word by one atomic instruction; the old value."""
        return (yield ReadModifyWrite(self.address, code, kind, ((value + half) & mask) - half, order))

    return read_modify_write


def compare_exchange_primitive(code: int) -> Primitive:
    """`compare_exchange(self, expected, desired, order)`."""
    mask, half = cutting(code)

    @types.coroutine
    def compare_exchange(self: Any, expected: Any, desired: Any, order: int = SEQ_CST) -> Steps:
        """Store `desired` if the word holds `expected`, in one atomic instruction; the value seen."""
        op = CompareExchange(self.address, code, ((expected + half) & mask) - half, ((desired + half) & mask) - half, order)
        return (yield op)

    return compare_exchange


def cutting(code: int) -> tuple[int, int]:
    """(mask, half) of a scalar: `((value + half) & mask) - half` is the value cut to its width."""
    bits = 8 * SIZES[code]
    return (1 << bits) - 1, (1 << (bits - 1)) if SIGNED[code] else 0


@types.coroutine
def read_memory(address: int, count: int) -> Steps:
    """`count` bytes from `address`, by one op for each 64-byte line."""
    first = CACHE_LINE - (address & (CACHE_LINE - 1))
    if 0 < count <= first:
        return (yield ReadLine(address, count))
    parts = []
    while count > 0:
        step = min(count, CACHE_LINE - (address & (CACHE_LINE - 1)))
        parts.append((yield ReadLine(address, step)))
        address += step
        count -= step
    return b"".join(parts)


@types.coroutine
def write_memory(address: int, data: bytes) -> Steps:
    """Write `data` at `address`, by one op for each 64-byte line."""
    start, size = 0, len(data)
    while start < size:
        end = min(size, start + CACHE_LINE - (address + start & (CACHE_LINE - 1)))
        yield WriteLine(address + start, data[start:end])
        start = end


@types.coroutine
def fill_memory(address: int, byte: int, count: int) -> Steps:
    """memset(3), by one op for each 64-byte line."""
    while count > 0:
        step = min(count, CACHE_LINE - (address & (CACHE_LINE - 1)))
        yield WriteLine(address, bytes((byte,)) * step)
        address += step
        count -= step


@types.coroutine
def copy_memory(to: int, source: int, count: int) -> Steps:
    """memcpy(3): forward, in pieces that lie within one line on both sides."""
    while count > 0:
        step = min(count, CACHE_LINE - (to & (CACHE_LINE - 1)), CACHE_LINE - (source & (CACHE_LINE - 1)))
        yield WriteLine(to, (yield ReadLine(source, step)))
        to += step
        source += step
        count -= step


@types.coroutine
def read_string(address: int, limit: int) -> Steps:
    """The bytes from `address` up to a NUL, at most `limit`; not one line beyond the NUL's is read."""
    parts = []
    while limit > 0:
        step = min(limit, CACHE_LINE - (address & (CACHE_LINE - 1)))
        piece = yield ReadLine(address, step)
        end = piece.find(0)
        if end >= 0:
            parts.append(piece[:end])
            break
        parts.append(piece)
        address += step
        limit -= step
    return b"".join(parts)


@types.coroutine
def fence(order: int) -> Steps:
    """atomic_thread_fence(order)."""
    yield Fence(order)


@types.coroutine
def relax() -> Steps:
    """x86 PAUSE."""
    yield Relax()


@types.coroutine
def work(ns: int) -> Steps:
    """`ns` nanoseconds of CPU work."""
    yield Compute(ns)


@types.coroutine
def stack_room(size: int, align: int) -> Steps:
    """The address of `size` fresh bytes on the thread's stack."""
    return (yield Alloca(size, align))


@types.coroutine
def stack_reference(refer: Callable[[int], Any], size: int, align: int) -> Steps:
    """What `refer` makes of the address of `size` fresh bytes on the thread's stack."""
    return refer((yield Alloca(size, align)))


@types.coroutine
def register(name: str) -> Steps:
    """A register-like fact of the thread: "pthread_self", "stack_pointer", …; see kernel/abi/ops.py."""
    return (yield Register(name))


@types.coroutine
def become_function(fn: int, args: tuple[Any, ...]) -> Steps:
    """Replace the thread's coroutine stack by the function at .text address `fn`. Never returns."""
    yield Become(fn, args)


@types.coroutine
def report_uncaught(
    kind: str, message: str, traceback: str, file: str, line: int, signo: int
) -> Steps:
    """Tell the core that an exception left the program. Never returns, unless a handler for `signo` does."""
    yield UncaughtException(kind, message, traceback, file, line, signo)


# ---- functions and their addresses -------------------------------------------------------------------------------------------


def text_address(fn: Any) -> int:
    """The .text address of a function of the program. Raises TypeError for what has none: lambdas, closures, bound methods."""
    if fn.__class__ is types.FunctionType:
        address: int | None = fn.__dict__.get(TEXT_ADDRESS)
        if address is not None:
            return address
    name = getattr(fn, "__qualname__", None) or repr(fn)
    raise TypeError(f"{name} has no address: move it to module level and pass what it needs as the argument")


def _program_of(frame: types.FrameType) -> Any:
    """Before and after the program's own functions, crt knows which one it runs: `main`, or `fn` of a thread."""
    runs = frame.f_locals.get("fn") or frame.f_locals.get("main")
    return runs.__globals__.get(FUNCTIONS) if runs is not None else None


def function_at(address: int) -> Any:
    """The program's function at a .text address: the running module's own object, also in a fork's child. Raises KeyError.

    libc keeps no state, so it looks where C would: in the image of whoever called, found on the host's call stack.
    """
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        functions = frame.f_globals.get(FUNCTIONS)
        if functions is None and frame.f_globals["__name__"] == CRT:
            functions = _program_of(frame)
        if functions is not None:
            return functions[address]
        frame = frame.f_back
    raise KeyError(address)
