"""What a handler finds on its stack: the frame that the core pushes before it starts the handler, and that rt_sigreturn(2) pops.

    address        what
    frame          return address: the restorer, whose code is rt_sigreturn
    frame + 8      signal number
    frame + 16     siginfo: signo, errno, code, (pad), pid, uid, status, (pad), value, address
    frame + 64     signal mask to restore
    frame + 72     program counter and, + 80, stack pointer of the interrupted code

As the x86-64 ABI wants it, the 128 bytes below the interrupted stack pointer (the red zone) stay untouched, and the frame lies so that
frame + 8 is a multiple of 16, as after a call. Linux's own rt_sigframe also holds all registers; here those are a coroutine's locals.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from kernel.signals.pending import SignalInfo

RED_ZONE: Final = 128  # bytes below the stack pointer that a leaf function may use
STACK_ALIGN: Final = 16

_LAYOUT: Final = struct.Struct("<QQ iii4x iIi4x qQ QQQ")
SIZE: Final = _LAYOUT.size
SIGINFO_OFFSET: Final = 16

assert SIZE % 8 == 0, "a frame is whole words"


class SignalFrame(msgspec.Struct, frozen=True, gc=False):
    """The fields of a frame."""

    restorer: int  # .text address that the handler returns to
    info: SignalInfo
    saved_mask: int
    saved_pc: int
    saved_sp: int


def frame_address(stack_pointer: int) -> int:
    """Where the frame goes, below `stack_pointer` and its red zone; it is the handler's stack pointer."""
    return (stack_pointer - RED_ZONE - SIZE) // STACK_ALIGN * STACK_ALIGN - 8


def build(frame: SignalFrame) -> bytes:
    """The bytes to write at `frame_address`."""
    info = frame.info
    return _LAYOUT.pack(
        frame.restorer, info.signo, info.signo, info.errno, info.code, info.pid, info.uid, info.status, info.value, info.address,
        frame.saved_mask, frame.saved_pc, frame.saved_sp,
    )  # fmt: skip


def parse(data: bytes) -> SignalFrame:
    """The fields of a frame's bytes, as sigreturn finds them (a handler may have changed them)."""
    restorer, _, signo, errno, code, pid, uid, status, value, address, mask, pc, sp = _LAYOUT.unpack(data)
    return SignalFrame(restorer, SignalInfo(signo, code, errno, pid, uid, status, value, address), mask, pc, sp)
