"""The top of a new image's stack: argc, argv, envp and the auxiliary vector, byte for byte as the x86-64 ABI lays them out.

    higher   8 zero bytes
             execfn, environment strings, argument strings (NUL-terminated)
             16 random bytes
             auxiliary vector: pairs of 8 bytes, the last AT_NULL
             envp pointers, NULL
             argv pointers, NULL
    lower    argc                        <- stack pointer, a multiple of 16

Limits as Linux's: one string at most 128 KiB with its NUL; strings and pointers together at most a quarter of the stack limit
(but at least 128 KiB, and at most 6 MiB). Man pages: execve(2), getauxval(3).
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from kernel.abi.errno_values import E2BIG
from kernel.abi.errnos import SysError
from kernel.abi.layout import PAGE_SIZE, STACK_TOP

AT_NULL: Final = 0
AT_PAGESZ: Final = 6
AT_ENTRY: Final = 9
AT_UID: Final = 11
AT_EUID: Final = 12
AT_GID: Final = 13
AT_EGID: Final = 14
AT_CLKTCK: Final = 17
AT_SECURE: Final = 23
AT_RANDOM: Final = 25
AT_EXECFN: Final = 31

CLOCK_TICKS: Final = 100  # per second: sysconf(_SC_CLK_TCK)
MAX_STRING: Final = 32 * PAGE_SIZE  # bytes, MAX_ARG_STRLEN
ARG_MAX: Final = 32 * PAGE_SIZE  # bytes that are always allowed
MAX_STRINGS_SHARE: Final = 6 << 20  # bytes, three quarters of the default stack limit
POINTER: Final = 8  # bytes


class Arguments(msgspec.Struct, frozen=True):
    """What execve(2) hands to the new image, without NUL bytes."""

    argv: tuple[bytes, ...]
    envp: tuple[bytes, ...]
    execfn: bytes  # the path as it was given


class InitialStack(msgspec.Struct, frozen=True):
    """`data` lies from `pointer` to the top of the stack."""

    pointer: int
    data: bytes


def build_initial_stack(arguments: Arguments, entry: int, stack_limit: int, random: bytes, ids: tuple[int, int, int, int]) -> InitialStack:
    """Lay out the stack. `stack_limit` in bytes; `ids` are uid, euid, gid, egid; `random` is 16 bytes. Raises E2BIG."""
    argv, envp, execfn = arguments.argv, arguments.envp, arguments.execfn
    assert len(random) == 16, "AT_RANDOM is 16 bytes"
    _refuse_too_big(arguments, stack_limit)
    strings = bytearray()
    offsets: list[int] = []  # of each string, from where `strings` begins
    for text in (*argv, *envp, execfn):
        offsets.append(len(strings))
        strings += text + b"\0"
    strings += bytes(POINTER)
    strings_at = STACK_TOP - len(strings)
    addresses = [strings_at + offset for offset in offsets]
    random_at = (strings_at - 16) & ~15
    auxiliary = (
        (AT_PAGESZ, PAGE_SIZE), (AT_CLKTCK, CLOCK_TICKS), (AT_ENTRY, entry), (AT_UID, ids[0]), (AT_EUID, ids[1]), (AT_GID, ids[2]),
        (AT_EGID, ids[3]), (AT_SECURE, int(ids[0] != ids[1] or ids[2] != ids[3])), (AT_RANDOM, random_at), (AT_EXECFN, addresses[-1]),
        (AT_NULL, 0))
    words = [len(argv), *addresses[:len(argv)], 0, *addresses[len(argv):-1], 0]
    words += [word for pair in auxiliary for word in pair]
    pointer = (random_at - POINTER * len(words)) & ~15
    data = struct.pack(f"<{len(words)}Q", *words)
    data += bytes(random_at - pointer - len(data)) + random
    return InitialStack(pointer, data + bytes(strings_at - random_at - len(random)) + bytes(strings))


def _refuse_too_big(arguments: Arguments, stack_limit: int) -> None:
    argv, envp = arguments.argv, arguments.envp
    if any(len(text) + 1 > MAX_STRING for text in (*argv, *envp)):
        raise SysError(E2BIG)
    limit = max(min(stack_limit // 4, MAX_STRINGS_SHARE), ARG_MAX)
    size = sum(len(text) + 1 for text in (*argv, *envp, arguments.execfn)) + POINTER * (max(len(argv), 1) + len(envp))
    if size > limit:
        raise SysError(E2BIG)
