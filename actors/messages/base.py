"""What all messages have in common, and the values that come back.

A message is a small immutable record. Two kinds exist: a *call* has a reply (its class names the type in the docstring, `Reply: …`),
a *oneway* has none. `SyscallMessage` is a call that a program's system call becomes: `nr` ties it to its row in kernel/abi/syscalls.py,
and its fields after `caller` and `serial` are the arguments of the trap, in order.

A reply is any plain value, or `Failure(errno)`, or `WouldBlock(…)`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who makes a system call, as resolved by the core: the identity that travels in every request. Changes replace the record."""

    tid: int
    pid: int  # thread group id
    space: int  # address space id (memory)
    table: int  # descriptor table id (files)
    fs: int  # cwd, root and umask id (files)
    path: tuple[int, ...]  # stable identity: parent's path and the ordinal among its children
    uid: int = 0
    gid: int = 0
    euid: int = 0
    egid: int = 0


class Message(msgspec.Struct, frozen=True, gc=False):
    """Base of every message."""

    oneway: ClassVar[bool] = False
    lane: ClassVar[int] = 0  # 0: the mailbox; 1: an interrupt, which a core serves in every wait


class SyscallMessage(Message, frozen=True, gc=False):
    """Base of the messages that system calls become. `serial` with `caller.tid` is the ticket, should the call block."""

    nr: ClassVar[int] = -1
    caller: Caller
    serial: int


class Resume(Message, frozen=True, gc=False):
    """A thread that waited under (caller.tid, serial) runs again: what became of its call?

    The owner decides in this order: completed while you slept, can complete now, interrupted, timed out, still blocked;
    every answer but the last (`WouldBlock` again) removes the ticket from every queue. An interrupted call answers `Failure(EINTR)`:
    the core applies the row's restart rule. Reply: as the call that blocked.
    """

    caller: Caller
    serial: int
    interrupted: bool
    timed_out: bool


class ChangedCaller(msgspec.Struct, frozen=True, gc=False):
    """A reply that also changes the caller's identity (setuid, unshare): the core stores `caller`, the program gets `value`."""

    caller: Caller
    value: Any
