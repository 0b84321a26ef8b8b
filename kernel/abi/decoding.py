"""What the simulated CPU can decode: which op records are instructions, and which are not.

The hot loop trusts the ops that it is given, because libc makes them from checked arguments. A program is Python, though, and could hand
over anything: a count that is a float, a record of its own making. Where the hot loop stumbles, `malformed` says whether the op is to
blame; the core then refuses it at the program's line, as a real CPU raises an invalid opcode. An op that is well formed and still makes
the core stumble is a bug of ours.
"""

from __future__ import annotations

from typing import Any, Final

from kernel.abi.ops import (
    CACHE_LINE,
    FORMATS,
    MEMORY_ORDERS,
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
from kernel.abi.signos import NSIG

REGISTERS: Final = ("tid", "tls", "pthread_self", "stack_pointer", "stack_low", "processors", "cpu")

_FIELDS: Final[dict[type[Op], tuple[type, ...]]] = {  # the exact classes of the fields
    Load: (int, int, int), Store: (int, int, int, int), ReadModifyWrite: (int, int, int, int, int),
    CompareExchange: (int, int, int, int, int), ReadLine: (int, int), WriteLine: (int, bytes), Fence: (int,), Relax: (), Compute: (int,),
    Alloca: (int, int), Register: (str,), Become: (int, tuple), UncaughtException: (str, str, str, str, int, int), Syscall: (int, tuple),
}  # fmt: skip


def malformed(op: Any) -> str:
    """Why this is no instruction; the empty string if it is one."""
    kind = type(op)
    classes = _FIELDS.get(kind)
    if classes is None:
        return f"{class_name(kind)} is no op"
    for name, wanted in zip(kind.__struct_fields__, classes, strict=True):
        value = getattr(op, name)
        if type(value) is not wanted:
            return f"{kind.__name__.lower()}: {name} must be {wanted.__name__}, not {class_name(type(value))}"
    return _out_of_range(op)


def order_name(order: Any) -> str:
    """A memory order as logs show it."""
    return MEMORY_ORDERS[order] if type(order) is int and 0 <= order < len(MEMORY_ORDERS) else "plain"


def _out_of_range(op: Any) -> str:
    kind = type(op)
    if kind in (Load, Store, ReadModifyWrite, CompareExchange) and not 0 <= op.code < len(FORMATS):
        return f"{kind.__name__.lower()}: there is no scalar {op.code}"
    stored = op.value if kind is Store else op.desired if kind is CompareExchange else 0
    if stored and not _fits(stored, op.code):
        return f"{kind.__name__.lower()}: {stored} does not fit into {SIZES[op.code]} bytes"
    size = op.count if kind is ReadLine else len(op.data) if kind is WriteLine else 1
    if not 0 < size <= CACHE_LINE:
        return f"{kind.__name__.lower()}: {size} bytes are not within a line"
    if kind in (ReadLine, WriteLine) and op.address % CACHE_LINE + size > CACHE_LINE:
        return f"{kind.__name__.lower()}: {size} bytes at {op.address:#x} are not within a line"
    if kind is Alloca and (op.align < 1 or op.align & (op.align - 1)):
        return f"alloca: {op.align} is no alignment"
    if kind is UncaughtException and not 0 < op.signo < NSIG:
        return f"there is no signal {op.signo}"
    return f"there is no register {op.name!r}" if kind is Register and op.name not in REGISTERS else ""


def _fits(value: int, code: int) -> bool:
    bits = 8 * SIZES[code]
    return -(1 << bits - 1) <= value < 1 << bits - 1 if SIGNED[code] else 0 <= value < 1 << bits


def class_name(kind: type) -> str:
    """A class's qualified name, whatever its metaclass says."""
    return str(type.__dict__["__qualname__"].__get__(kind))
