"""What the thread's few registers say, and its stack pointer: the `Register` and `Alloca` ops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.processes.context import Context
from kernel.processes.coroutines import chain, frame_of

if TYPE_CHECKING:
    from actors.core import Core


def read_register(core: Core, context: Context, name: str) -> Any:
    """What the `Register` op gives."""
    if name == "tid":
        return context.caller.tid
    if name in ("tls", "pthread_self"):
        return context.tls
    if name == "stack_pointer":
        return context.stack_pointer
    if name == "stack_low":
        return context.stack_low
    if name == "processors":
        return core.config.machine.cores
    if name == "cpu":
        return core.number
    raise AssertionError(f"no register is called {name!r}")


def innermost(coroutine: Any) -> Any:
    """The coroutine that called alloca: the innermost one that is a coroutine of the program, not the trap's generator."""
    owner = coroutine
    for link in chain(coroutine):
        if link.__class__.__name__ != "generator":
            owner = link
    return owner


def release_allocas(context: Context) -> None:
    """Room on the stack goes when the coroutine that took it has ended."""
    allocas = context.allocas
    while allocas and frame_of(allocas[-1][0]) is None:
        context.stack_pointer = allocas.pop()[1]


def drop_allocas_below(context: Context, address: int) -> None:
    """A handler's frame at `address` is popped: its room is free, also where a coroutine that it left half-run still has some."""
    allocas = context.allocas
    while allocas and allocas[-1][1] <= address:
        allocas.pop()
