"""signal.h of tests/support/host_libc.py: handlers are coroutines, driven where the host's kernel delivers the signal."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from ctypes import byref, c_int, c_int32, c_uint64, c_void_p
from typing import Any

from kernel.abi.flags import SA_SIGINFO
from kernel.abi.syscalls import NUMBERS
from tests.support.host_calls import FAILED, LIBRARY, call, drive, fail, plain, void
from userspace.libc.signal import SigAction, siginfo

__all__ = [
    "SigAction", "alarm", "kill", "killpg", "pause", "raise_signal", "sigaction", "siginfo", "signal", "sigpending", "sigprocmask",
    "sigsuspend", "sigwait", "tgkill", "tkill",
]  # fmt: skip

kill, killpg, tgkill, pause, raise_signal = void("kill"), void("killpg"), void("tgkill"), void("pause"), void("raise")
alarm = plain("alarm")


class _Set(ctypes.Structure):
    _fields_ = (("words", c_uint64 * 16),)


class _Action(ctypes.Structure):
    _fields_ = (("handler", c_void_p), ("mask", _Set), ("flags", c_int), ("restorer", c_void_p))


_CALLBACK = ctypes.CFUNCTYPE(None, c_int, c_void_p, c_void_p, use_errno=True)
_trampolines: dict[Any, Any] = {}  # handler to callback, kept alive
_handlers: dict[int, Any] = {}  # address of the callback to handler


def _handler_address(handler: Any, *, with_info: bool) -> int:
    if isinstance(handler, int):
        return handler
    if (handler, with_info) not in _trampolines:

        def run(signo: int, info: int, context: int) -> None:
            drive(handler(signo, _siginfo(info), context) if with_info else handler(signo))

        _trampolines[handler, with_info] = _CALLBACK(run)
    address: int = ctypes.cast(_trampolines[handler, with_info], c_void_p).value or 0
    _handlers[address] = handler
    return address


def _siginfo(address: int) -> siginfo:
    signo, errno, code, _, pid, uid, status = (c_int32 * 7).from_address(address)
    return siginfo(signo, code, errno, pid, uid, status, status, c_uint64.from_address(address + 16).value)


def _signal_set(signos: Iterable[int]) -> _Set:
    members = _Set()
    for signo in signos:
        call("sigaddset", byref(members), signo)
    return members


def _numbers(members: _Set) -> set[int]:
    return {signo for signo in range(1, 65) if members.words[0] >> (signo - 1) & 1}


async def sigaction(signo: int, act: Any = None) -> SigAction:
    wanted, before = _Action(), _Action()
    if act is not None:
        handler, mask, flags = SigAction(*act)
        wanted = _Action(_handler_address(handler, with_info=bool(flags & SA_SIGINFO)), _signal_set(mask), flags)
    call("sigaction", signo, None if act is None else byref(wanted), byref(before))
    address = before.handler or 0
    return SigAction(_handlers.get(address, address), _numbers(before.mask), before.flags)


async def signal(signo: int, handler: Any) -> Any:
    before = LIBRARY.signal(c_int(signo), c_void_p(_handler_address(handler, with_info=False))) or 0
    return fail() if before == FAILED else _handlers.get(before, before)


async def sigprocmask(how: int, mask: Iterable[int] | None) -> set[int]:
    before = _Set()
    call("sigprocmask", how, None if mask is None else byref(_signal_set(mask)), byref(before))
    return _numbers(before)


async def sigpending() -> set[int]:
    pending = _Set()
    call("sigpending", byref(pending))
    return _numbers(pending)


async def sigsuspend(mask: Iterable[int]) -> None:
    call("sigsuspend", byref(_signal_set(mask)))


async def sigwait(mask: Iterable[int]) -> int:
    signo = c_int()
    errno = LIBRARY.sigwait(byref(_signal_set(mask)), byref(signo))
    return fail(errno) if errno else signo.value


async def tkill(tid: int, signo: int) -> None:
    call("syscall", NUMBERS["tkill"], tid, signo)
