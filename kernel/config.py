"""The typed configuration of a machine: what TOML files say (trapline/config.py reads them), and what actors read.

A configuration is a tree of frozen records, one per TOML table, made once before the machine boots and never changed. Each field
carries its range as `Annotated[…, Meta(ge=…, le=…)]`, so that the one reader can check every key the same way, and its meaning and
unit as a trailing comment. configs/defaults.toml shows the same keys to users; a test holds the two equal.

All times are virtual nanoseconds unless the name ends otherwise. All costs are ints: no float takes part in virtual time.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

EVENT_CATEGORIES: Final = (
    "run",
    "sched",
    "process",
    "syscall",
    "signal",
    "fault",
    "futex",
    "ipc",
    "timer",
    "message",
    "op",
    "store",
    "choice",
)
FAULT_KINDS: Final = ("spurious_wake", "eintr", "short_io", "enomem", "eagain")

Nanoseconds = Annotated[int, Meta(ge=0, le=10**18)]
Category = Literal["run", "sched", "process", "syscall", "signal", "fault", "futex", "ipc", "timer", "message", "op", "store", "choice"]
FaultKind = Literal["spurious_wake", "eintr", "short_io", "enomem", "eagain"]
Percent = Annotated[int, Meta(ge=10, le=10_000)]


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[machine]: the hardware, and what the kernel is told at boot."""

    cores: Annotated[int, Meta(ge=1, le=64)] = 4
    core_speeds: tuple[Percent, ...] = ()  # cost of an op per core in percent, in turn; () is 100 everywhere, 200 is half as fast
    memory_mib: Annotated[int, Meta(ge=1, le=1 << 20)] = 64
    memory_model: Literal["sc"] = "sc"
    init: str = ""  # program of pid 1. Reserved: "" is a reaper inside the kernel, the only one of this version
    first_pid: Annotated[int, Meta(ge=3, le=4_194_304)] = 100  # pid of the user's program
    pid_max: Annotated[int, Meta(ge=16, le=4_194_304)] = 32_768  # pids are below it and wrap
    max_threads: Annotated[int, Meta(ge=2, le=4_194_304)] = 4096  # live threads of the machine: EAGAIN past it
    max_files: Annotated[int, Meta(ge=4, le=1 << 20)] = 1024  # RLIMIT_NOFILE of the first program: EMFILE past it
    tlb_entries: Annotated[int, Meta(ge=1, le=65_536)] = 64  # per core
    pipe_bytes: Annotated[int, Meta(ge=4096, le=1 << 20)] = 65_536  # capacity of a pipe
    timer_slack_ns: Nanoseconds = 50_000  # a sleep may end this late, to share an interrupt with others: Linux's default


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[run]: limits of one run, and what is recorded of it."""

    record: Literal["fork", "all"] = "fork"  # keep results of ops for programs that fork, or of every thread
    record_results: Annotated[int, Meta(ge=1, le=10**9)] = 200_000  # a longer record makes the next fork fail with ENOMEM
    record_mib: Annotated[int, Meta(ge=1, le=65_536)] = 16  # the same, by size
    stall_ns: Nanoseconds = 1_000_000_000  # a jump of virtual time longer than this looks for deadlocked sets
    livelock_steps: Annotated[int, Meta(ge=100, le=10**12)] = 200_000  # choices without change of shared state or a completed call
    host_step_limit_s: Annotated[int, Meta(ge=1, le=3600)] = 5  # host seconds that user code may take without reaching an op
    host_memory_mib: Annotated[int, Meta(ge=128, le=1 << 20)] = 4096  # host memory of the supervised child
    max_time_ns: Nanoseconds = 0  # virtual time after which a run is undetermined; 0: no limit
    max_steps: Annotated[int, Meta(ge=0, le=10**15)] = 0  # choices after which a run is undetermined; 0: no limit


class Explore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[explore]: bounds of a search."""

    early_timeouts: Annotated[int, Meta(ge=0, le=1000)] = 1  # how many timed waits may time out while others could run


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[user]: who the program runs as (init is always root)."""

    uid: Annotated[int, Meta(ge=0, le=2**32 - 2)] = 0
    gid: Annotated[int, Meta(ge=0, le=2**32 - 2)] = 0


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[faults]: things that may go wrong on purpose. Reserved: this version refuses any `kinds` (trapline/config.py)."""

    kinds: tuple[FaultKind, ...] = ()
    budget: Annotated[int, Meta(ge=0, le=10**9)] = 0  # faults injected in a run at most
    probability: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0  # of each possible fault, in random runs


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[costs]: virtual time, in Linux's proportions; getpid is `syscall_ns`, 100 (DESIGN: an atomic add is 0.01 of it, exec 7,200)."""

    op_ns: Nanoseconds = 1  # load, store, fence, alloca
    op_jitter_ns: Nanoseconds = 2  # 0 to this, drawn per op: caches, predictors
    atomic_ns: Nanoseconds = 1  # a read-modify-write, on top of op_ns
    contended_ns: Nanoseconds = 6  # the same where another core did the last atomic on the 64-byte line
    relax_ns: Nanoseconds = 40  # PAUSE
    tlb_miss_ns: Nanoseconds = 20  # page walk by the hardware
    syscall_ns: Nanoseconds = 100  # entry, exit and dispatch of a system call
    copy_ns_per_kib: Nanoseconds = 60  # bytes between user memory and kernel
    message_ns: Nanoseconds = 30  # latency of a message between two actors
    message_jitter_ns: Nanoseconds = 20  # 0 to this, drawn per message
    interrupt_ns: Nanoseconds = 200  # taking an interrupt
    handler_ns: Nanoseconds = 30  # handling one message in an actor
    switch_ns: Nanoseconds = 700  # context switch on a core
    fault_ns: Nanoseconds = 1_200  # a page fault that needs a frame or a page
    page_copy_ns: Nanoseconds = 400  # copying one page: copy-on-write
    signal_ns: Nanoseconds = 900  # building a handler's frame, and again at sigreturn
    fork_ns: Nanoseconds = 80_000  # duplicating a process
    fork_page_ns: Nanoseconds = 90  # per resident page of the parent
    thread_ns: Nanoseconds = 8_000  # creating a thread
    exec_ns: Nanoseconds = 700_000  # replacing an image
    exit_ns: Nanoseconds = 6_000  # ending a thread


class Scheduler(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[scheduler]: fair class and ticks."""

    slice_ns: Annotated[int, Meta(ge=1000, le=10**12)] = 3_000_000  # what a thread gets before another may run
    wakeup_granularity_ns: Nanoseconds = 1_000_000  # lead in virtual run time that a woken thread needs to preempt
    balance_interval_ns: Annotated[int, Meta(ge=1000, le=10**12)] = 4_000_000  # between two looks at other cores' queues


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[check]: what the machine verifies about itself."""

    invariants: bool = False  # every owner's check() after every message


class Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[events]: what the log holds."""

    categories: tuple[Category, ...] = ("run", "sched", "process", "syscall", "signal", "fault", "futex", "ipc", "timer")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One machine."""

    name: str = "defaults"  # of the file, without .toml
    machine: Machine = Machine()
    run: Run = Run()
    explore: Explore = Explore()
    user: User = User()
    faults: Faults = Faults()
    costs: Costs = Costs()
    scheduler: Scheduler = Scheduler()
    check: Check = Check()
    events: Events = Events()


assert Category.__args__ == EVENT_CATEGORIES, "categories are listed twice and must agree"  # type: ignore[attr-defined]
assert FaultKind.__args__ == FAULT_KINDS, "fault kinds are listed twice and must agree"  # type: ignore[attr-defined]
