"""<string.h> and <stdatomic.h>: memory in bulk, fences, and `compute`.

Bulk access is one op for each 64-byte line, so it can be seen half done.

Addresses may be given as numbers or as references. Man pages: memcpy(3), memset(3), atomic_thread_fence in C11 7.17.4.
"""

from __future__ import annotations

from collections.abc import Awaitable
from operator import index
from typing import Any

from kernel.abi.signos import SIGNAL_DESCRIPTIONS, SIGRTMAX, SIGRTMIN
from userspace import trap
from userspace.ref import address_of


def read_bytes(address: Any, n: int) -> Awaitable[bytes]:
    """`n` bytes from `address`."""
    return trap.read_memory(address_of(address), index(n))


def write_bytes(address: Any, data: bytes) -> Awaitable[None]:
    """Write `data` at `address`."""
    return trap.write_memory(address_of(address), bytes(data))


def memcpy(to: Any, source: Any, n: int) -> Awaitable[None]:
    """Copy `n` bytes, forward; the areas may not overlap."""
    return trap.copy_memory(address_of(to), address_of(source), index(n))


def memset(to: Any, byte: int, n: int) -> Awaitable[None]:
    """Fill `n` bytes with the low 8 bits of `byte`."""
    return trap.fill_memory(address_of(to), byte & 0xFF, index(n))


def atomic_thread_fence(order: int) -> Awaitable[None]:
    """An ordering point between the loads and stores before and after it."""
    return trap.fence(order)


def cpu_relax() -> Awaitable[None]:
    """x86 PAUSE, for spin loops."""
    return trap.relax()


def compute(ns: int) -> Awaitable[None]:
    """Ours: `ns` nanoseconds of CPU work by this thread, preemptible at any point."""
    return trap.work(int.__index__(index(ns)))


def strsignal(signo: int) -> str:
    """A signal in words."""
    if SIGRTMIN <= signo <= SIGRTMAX:
        return f"Real-time signal {signo - SIGRTMIN}"
    return SIGNAL_DESCRIPTIONS.get(signo, f"Unknown signal {signo}")
