"""The ops: everything that a program can ask of the simulated CPU, one yielded record each.

A program is a coroutine; what it yields is one of these, and what it is sent is the op's result. Loads, stores and atomics are
executed by the core itself through its MMU, as a real CPU does; a `Syscall` traps into the kernel.
Records are built on the hot path, so they are `msgspec.Struct` without GC tracking, with positional fields and no validation.
A record holds plain data only: the record of a thread's ops and results is what `fork` feeds to a fresh coroutine (DESIGN 7),
and two ops are the same exactly if they compare equal.

Scalars are named by a small code, an index into the tables below.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

I8: Final = 0
U8: Final = 1
I16: Final = 2
U16: Final = 3
I32: Final = 4
U32: Final = 5
I64: Final = 6
U64: Final = 7

FORMATS: Final = ("b", "B", "h", "H", "i", "I", "q", "Q")  # memoryview and struct formats, little endian hosts
SIZES: Final = (1, 1, 2, 2, 4, 4, 8, 8)  # bytes
SHIFTS: Final = (0, 0, 1, 1, 2, 2, 3, 3)  # log2 of the size
MASKS: Final = (0, 0, 1, 1, 3, 3, 7, 7)  # address bits that must be zero: scalars are aligned
SIGNED: Final = (True, False, True, False, True, False, True, False)

MEMORY_ORDERS: Final = ("relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst")
PLAIN: Final = -1  # an access without an order: the data race detector reports on these
RELAXED: Final = 0
ACQUIRE: Final = 2
RELEASE: Final = 3
ACQ_REL: Final = 4
SEQ_CST: Final = 5

ADD: Final = 0
SUB: Final = 1
AND: Final = 2
OR: Final = 3
XOR: Final = 4
EXCHANGE: Final = 5
RMW_NAMES: Final = ("fetch_add", "fetch_sub", "fetch_and", "fetch_or", "fetch_xor", "exchange")


class Op(msgspec.Struct, gc=False):
    """Base of all ops."""


class Load(Op, gc=False):
    """Read a scalar. Result: int."""

    address: int
    code: int
    order: int


class Store(Op, gc=False):
    """Write a scalar; the value is cut to the scalar's width. Result: None."""

    address: int
    code: int
    value: int
    order: int


class ReadModifyWrite(Op, gc=False):
    """fetch_add and its kind (`kind` is ADD .. EXCHANGE). Result: the old value."""

    address: int
    code: int
    kind: int
    operand: int
    order: int


class CompareExchange(Op, gc=False):
    """Store `desired` if the word holds `expected`. Result: the value seen (success if it equals `expected`)."""

    address: int
    code: int
    expected: int
    desired: int
    order: int


class ReadLine(Op, gc=False):
    """Read `count` bytes that lie within one 64-byte line. Result: bytes."""

    address: int
    count: int


class WriteLine(Op, gc=False):
    """Write `data`, which lies within one 64-byte line. Result: None."""

    address: int
    data: bytes


class Fence(Op, gc=False):
    """atomic_thread_fence(order). Result: None."""

    order: int


class Relax(Op, gc=False):
    """x86 PAUSE. Result: None."""


class Compute(Op, gc=False):
    """`ns` of CPU work, preemptible at any point. Result: None."""

    ns: int


class Alloca(Op, gc=False):
    """Move the thread's stack pointer down by `size`, aligned. Result: the address. Released when the calling coroutine ends."""

    size: int
    align: int


class Register(Op, gc=False):
    """Read a register-like fact of the thread: "pthread_self" (the TLS base), "environ" (see userspace/crt.py). Result: int."""

    name: str


class Become(Op, gc=False):
    """Replace the thread's coroutine stack by fn(*args), `fn` a .text address, and drop the record. Never returns."""

    fn: int
    args: tuple[Any, ...]


class UncaughtException(Op, gc=False):
    """The program's code let an exception out (what crt yields last): SIGABRT, SIGFPE for ZeroDivisionError. Never returns."""

    kind: str  # the exception's class name
    message: str
    traceback: str  # our own format: file, line, function; no host paths, no addresses
    file: str
    line: int
    signo: int


class Syscall(Op, gc=False):
    """Trap into the kernel: `nr` is a row of kernel/abi/syscalls.py, `args` are that row's. Result: a value or `Failure`."""

    nr: int
    args: tuple[Any, ...]


class In(msgspec.Struct, gc=False):
    """As a syscall argument: `count` bytes that the core copies in from user memory before the call is routed."""

    address: int
    count: int


class Out(msgspec.Struct, gc=False):
    """As a syscall argument: the core passes `count` to the owner and copies the bytes it answers to user memory."""

    address: int
    count: int


CACHE_LINE: Final = 64  # bytes: bulk access is one op a line
