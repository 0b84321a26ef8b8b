"""A thread's execution context: what moves from the scheduler to a core and back.

A real context is a set of registers; here it is a stack of coroutines (the thread's function, plus one for each signal handler in
progress), the op that the top one has yielded and that has not been executed yet, and the few registers that the kernel needs.
The locals of the coroutines are the program's registers (DESIGN 1).

Exactly one actor owns a context at any time: it travels inside messages (`Run`, `Park`, `Preempted`, `Exited`, `Clone`, `Spawn`).
Everything but the coroutines is plain data, and the coroutines can be made again from `record` (see reexecution.py).
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from kernel.abi.ops import Op
from kernel.tickets import Ticket


class ProgramImage(Protocol):
    """The host's side of a loaded image: functions by .text address. One per process image (fresh namespace)."""

    records_ops: bool  # some code of it names fork (or the config says record = "all")

    def start(self, entry: int, args: tuple[Any, ...]) -> Any:
        """A fresh coroutine of the function at .text address `entry`; raises KeyError if there is none."""

    def start_main(self) -> Any:
        """A fresh coroutine of the image's entry point."""

    def start_handler(self, entry: int, args: tuple[Any, ...]) -> Any:
        """A fresh coroutine that runs a handler and then sigreturn."""

    def fresh(self) -> ProgramImage:
        """The same image in a new namespace: a fork's child, or a copied machine."""


class Frame:
    """One coroutine of the stack."""

    __slots__ = ("args", "computed_ns", "coroutine", "entry", "kind", "pending", "saved_mask", "saved_sp")

    def __init__(self, coroutine: Any, kind: str, entry: int, args: tuple[Any, ...], saved_mask: int = 0, saved_sp: int = 0) -> None:
        self.coroutine = coroutine
        self.kind = kind  # "main", "thread", "handler", "become": which start_* makes it again
        self.entry = entry  # .text address, 0 for main
        self.args = args  # plain
        self.pending: Op | None = None  # yielded, not executed; None: not started yet
        self.saved_mask = saved_mask  # a handler's: what sigreturn restores
        self.saved_sp = saved_sp
        self.computed_ns = 0  # how much of a pending `compute` is done


class BlockedCall(msgspec.Struct, gc=False):
    """What is left to do of a call that waits: enough for any core to go on with it."""

    ticket: Ticket
    owner: int  # rank that holds the ticket
    deadline: int | None
    reason: str
    object: str
    killable: bool


class Context:
    """The context of one thread. Plain but for `frames[*].coroutine` and `image`."""

    __slots__ = (
        "allocas", "attention", "blocked", "caller", "comm", "cpu_ns", "depth_limit", "frames", "image", "inject",
        "injected", "interrupted", "next_image", "record", "record_bytes", "restart_deadline", "serial", "stack_low", "stack_pointer",
        "timed_out", "tls", "uncaught",
    )

    def __init__(self, caller: Any, image: Any, comm: str) -> None:
        self.caller = caller  # actors.messages.base.Caller: identity as resolved; replaced, never changed
        self.comm = comm
        self.image: Any = image  # ProgramImage
        self.frames: list[Frame] = []
        self.serial = 0  # of the last ticket
        self.attention = 0  # copy of the scheduler's sticky level, refreshed by Run and kicks
        self.blocked: BlockedCall | None = None
        self.restart_deadline: int | None = None  # of the pending call, computed at its first attempt
        self.injected = False  # True: `inject` is the result of the pending op (fork's 0 in the child)
        self.inject: Any = None
        self.stack_pointer = 0
        self.stack_low = 0
        self.tls = 0  # what pthread_self() gives
        self.allocas: list[tuple[Any, int]] = []  # (coroutine, stack pointer before)
        self.record: list[Any] | None = None  # op, result, op, result, … and markers; None: not recorded
        self.record_bytes = 0
        self.interrupted: Any = None  # the Failure(EINTR) of the pending call, until it is known whether a handler runs
        self.next_image: Any = None  # of an execve that waits for its siblings to end
        self.uncaught = False  # the pending UncaughtException has been signalled once
        self.depth_limit = 512  # nested coroutines: 8 MiB of stack
        self.timed_out = False  # the wait that just ended did so by its timer
        self.cpu_ns = 0  # CPU time until it last left a core

    def __deepcopy__(self, memo: dict[int, Any]) -> Context:
        """The same thread once more: its coroutines are re-executed from the record (reexecution.py)."""
        from kernel.processes.reexecution import duplicate  # it knows contexts, and is needed only here

        return duplicate(self, memo)

    @property
    def tid(self) -> int:
        """The thread's id, as Linux shows it."""
        return self.caller.tid  # type: ignore[no-any-return]
