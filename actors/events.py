"""The event schema: one typed record per event. The log, `trapline log`, docs/events.md and the tests all come from this file.

Names and fields follow Linux's own tracepoints where Linux has one. Every event carries the fields of `Event`; `cause` is the `seq` of
the event that led here (0: none), and without it no arrow can be drawn honestly. An event is built only if its category is on:

    if self.log.sched:
        self.emit(SchedWakeup(target=tid, ...))

The recorder fills in `seq`, `time_ns`, `actor` and `cause`; whoever emits knows `cpu`, `pid`, `tid` and `comm`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

SCHEMA_VERSION: Final = 1

CATEGORIES: Final = ("run", "sched", "process", "syscall", "signal", "fault", "futex", "ipc", "timer", "message", "op", "store", "choice")


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


class Event(msgspec.Struct, tag_field="event", tag=_snake, gc=False, kw_only=True):
    """The fields that every event has."""

    category: ClassVar[str] = "run"
    seq: int = 0  # position in the log, from 1
    time_ns: int = 0  # the emitting actor's local clock
    cpu: int = -1  # core number, -1 where none is meant
    pid: int = 0  # thread group; 0 where no thread is meant
    tid: int = 0
    comm: str = ""
    actor: str = ""  # "core/0", "memory", …
    cause: int = 0  # seq of the event that led here


class RunStart(Event, gc=False, kw_only=True):
    """The first record of a log: what ran, so that it can be had again."""

    schema: int
    program: str  # its name in /home/user or /bin
    program_hash: str  # over the Python files of its folder
    argv: list[str]
    version: str
    config: str  # its name
    config_hash: str
    strategy: str
    granularity: str
    seed: int


class RunEnd(Event, gc=False, kw_only=True):
    """The last record: the verdict of this run."""

    verdict: str
    status: int
    failures: list[str]


class Diagnosis(Event, gc=False, kw_only=True):
    """A deadlocked set, a livelock, a leak: `kind` and a text for the user."""

    kind: str
    text: str
    threads: list[int]


class SchedSwitch(Event, gc=False, kw_only=True):
    """sched:sched_switch: the core goes from one thread to the next (tid 0: idle)."""

    category: ClassVar[str] = "sched"
    prev_tid: int
    prev_comm: str
    prev_state: str  # "R" preempted, "S" sleeping, "T" stopped, "X" gone, "" from idle
    reason: str  # what prev waits for: "futex", "pipe_read", …; "slice", "yield", "wakeup" for R
    object: str  # which one: "futex:7+64", "pipe:3"
    next_tid: int
    next_comm: str
    next_space: int  # root of next's page table: the same in threads of one process


class SchedWaking(Event, gc=False, kw_only=True):
    """sched:sched_waking: somebody asks that `target` become runnable (tid, pid are the waker's where there is one)."""

    category: ClassVar[str] = "sched"
    target: int
    target_comm: str
    serial: int
    why: str  # "wake", "timeout", "signal", "remembered"


class SchedWakeup(Event, gc=False, kw_only=True):
    """sched:sched_wakeup: `tid` is on the run queue of `target_cpu`."""

    category: ClassVar[str] = "sched"
    target_cpu: int
    new: bool  # a new thread: sched_wakeup_new


class SchedMigrateTask(Event, gc=False, kw_only=True):
    """sched:sched_migrate_task."""

    category: ClassVar[str] = "sched"
    orig_cpu: int
    dest_cpu: int


class SchedProcessFork(Event, gc=False, kw_only=True):
    """sched:sched_process_fork: clone(2) made a process or thread (tid is the parent's)."""

    category: ClassVar[str] = "process"
    child_pid: int
    child_tid: int
    child_comm: str
    flags: int


class SchedProcessExec(Event, gc=False, kw_only=True):
    """sched:sched_process_exec, with what the loader read."""

    category: ClassVar[str] = "process"
    filename: str
    old_tid: int
    entry: int
    interpreter: str
    segments: list[str]


class SchedProcessExit(Event, gc=False, kw_only=True):
    """sched:sched_process_exit: the thread is gone; `status` is a wait status where the process became a zombie, else -1."""

    category: ClassVar[str] = "process"
    status: int
    group_dead: bool


class SchedProcessWait(Event, gc=False, kw_only=True):
    """A wait collected a child."""

    category: ClassVar[str] = "process"
    child_pid: int
    status: int


class ProgramOutput(Event, gc=False, kw_only=True):
    """Bytes that reached the console, by descriptor (1 stdout, 2 stderr), as text with bad bytes escaped."""

    category: ClassVar[str] = "process"
    stream: int
    text: str


class UncaughtExceptionEvent(Event, gc=False, kw_only=True):
    """The program let a Python exception out."""

    category: ClassVar[str] = "process"
    kind: str
    message: str
    file: str
    line: int
    traceback: str


class SysEnter(Event, gc=False, kw_only=True):
    """raw_syscalls:sys_enter, with the program's line.

    `args` are decoded as by strace(1), see kernel/abi/decode.py: flags, signals, modes and addresses are texts in C's notation
    ("O_RDWR|O_CREAT", "0644", "SIGINT", "0x7ffff7ff0000"), None is NULL, a program's own strings are texts too, memory of the program's
    is {"address": …, "count": …}, and the rest are ints.
    """

    category: ClassVar[str] = "syscall"
    nr: int
    name: str
    args: list[Any]
    file: str
    line: int
    pc: int


class SysExit(Event, gc=False, kw_only=True):
    """raw_syscalls:sys_exit: `error` is an errno name, "" if the call succeeded; "ERESTART" if it will run again.

    `result` is decoded as `args` of sys_enter are: an int, a text, a list of these, a record's fields, None where nothing comes back;
    -1 with an error.
    """

    category: ClassVar[str] = "syscall"
    nr: int
    name: str
    result: Any
    error: str


class SignalGenerate(Event, gc=False, kw_only=True):
    """signal:signal_generate: `result` is "queued", "ignored" or "already_pending"."""

    category: ClassVar[str] = "signal"
    signo: int
    name: str
    code: int
    target_pid: int
    target_tid: int  # 0: the process
    result: str


class SignalDeliver(Event, gc=False, kw_only=True):
    """signal:signal_deliver on the way back to user space: `action` is "handler", "terminate", "stop"; `handler` its address."""

    category: ClassVar[str] = "signal"
    signo: int
    name: str
    action: str
    handler: int
    flags: int
    interrupted: str  # name of the call that the signal interrupted, "" if none
    pc: int  # where the thread resumes after the handler
    sp: int  # of the frame that was pushed


class SignalReturn(Event, gc=False, kw_only=True):
    """sigreturn popped the frame."""

    category: ClassVar[str] = "signal"
    pc: int
    sp: int


class PageFaultUser(Event, gc=False, kw_only=True):
    """exceptions:page_fault_user, and what memory did about it."""

    category: ClassVar[str] = "fault"
    address: int
    access: str  # "read", "write", "execute"
    kind: str  # "zero", "file", "cow_copy", "cow_last", "spurious", "SIGSEGV", "SIGBUS"
    frame: int
    copied: int  # bytes


class TlbShootdown(Event, gc=False, kw_only=True):
    """memory asked cores to forget translations."""

    category: ClassVar[str] = "fault"
    space: int
    first_page: int
    pages: int
    cores: list[int]


class FutexWaitEvent(Event, gc=False, kw_only=True, tag="futex_wait"):
    """A thread is queued on a futex word, or was refused because the word had changed."""

    category: ClassVar[str] = "futex"
    address: int
    key: list[int]  # [0, object, offset] shared, [1, space, address] private
    expected: int
    found: int
    queued: bool


class FutexWakeEvent(Event, gc=False, kw_only=True, tag="futex_wake"):
    """FUTEX_WAKE: who was woken."""

    category: ClassVar[str] = "futex"
    address: int
    key: list[int]
    count: int
    woken: list[int]


class PipeTransfer(Event, gc=False, kw_only=True):
    """Bytes went into or out of a pipe's buffer."""

    category: ClassVar[str] = "ipc"
    pipe: int
    direction: str  # "read", "write", "eof", "epipe"
    count: int
    buffered: int  # bytes in transit afterwards


class TimerStart(Event, gc=False, kw_only=True):
    """timer:timer_start."""

    category: ClassVar[str] = "timer"
    target: int
    deadline: int


class TimerExpire(Event, gc=False, kw_only=True):
    """timer:timer_expire_entry."""

    category: ClassVar[str] = "timer"
    target: int
    deadline: int


class MessageEvent(Event, gc=False, kw_only=True, tag="message"):
    """Actor traffic: `step` is "send", "receive" or "reply"; `target` the other actor."""

    category: ClassVar[str] = "message"
    step: str
    target: str
    message: str  # the class name
    fields: dict[str, Any]


class OpEvent(Event, gc=False, kw_only=True, tag="op"):
    """One load, store or atomic of a program."""

    category: ClassVar[str] = "op"
    op: str
    address: int
    size: int
    order: str
    value: int  # what was read, or the new value
    file: str
    line: int


class StoreEvent(Event, gc=False, kw_only=True, tag="store"):
    """A write to simulated memory with old and new value."""

    category: ClassVar[str] = "store"
    address: int
    size: int
    old: int
    new: int
    file: str
    line: int


class ChoiceEvent(Event, gc=False, kw_only=True, tag="choice"):
    """A draw between two or more candidates."""

    category: ClassVar[str] = "choice"
    kind: str  # "next", or a fault kind
    chosen: str
    enabled: list[str]
    checksum: int
