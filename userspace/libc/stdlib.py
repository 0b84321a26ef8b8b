"""<stdlib.h> without malloc: exit(3) and atexit(3), rand(3). (malloc.py has the heap, environment.py getenv, abort.py abort and _exit.)

rand gives glibc's own numbers: with seed 1, or none, the first is 1804289383. Its state is 31 words in the libc segment, under a lock,
so a fork's child draws the same numbers as its parent from there on, as in C.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final

from userspace.libc.abort import _exit, abort
from userspace.libc.environment import current_environment, environ, getenv, setenv, unsetenv
from userspace.libc.libc_data import EXITS, RAND_DEGREE, RANDOM, ExitFunction
from userspace.libc.lowlevellock import lock, unlock
from userspace.libc.malloc import calloc, free, malloc, realloc
from userspace.libc.stdio import flush_at_exit
from userspace.ref import sizeof
from userspace.trap import function_at, text_address, write_memory

__all__ = [
    "_exit", "abort", "atexit", "calloc", "current_environment", "environ", "exit", "free", "getenv", "malloc", "rand", "realloc",
    "run_exit_functions", "setenv", "srand", "unsetenv",
]  # fmt: skip

SEPARATION: Final = 3  # words between the two that are added
DISCARDED: Final = 310  # numbers that srand throws away, so that the seed is well mixed


async def exit(status: int = 0) -> None:
    """Run the atexit functions, last registered first, write out all streams, end the process. The low 8 bits of `status` count."""
    await run_exit_functions()
    await flush_at_exit()
    await _exit(status)


async def run_exit_functions() -> None:
    """Each is taken off the list before it runs, so one that calls exit, or registers more, does no harm."""
    while True:
        await lock(EXITS.lock)
        node = await EXITS.head.load()
        if node:
            entry = ExitFunction.at(node)
            function = await entry.function.load()
            await EXITS.head.store(await entry.next.load())
        await unlock(EXITS.lock)
        if not node:
            return
        await free(node)
        await function_at(function)()


async def atexit(fn: Callable[[], Awaitable[None]]) -> None:
    """Run fn() when the process exits. It is a module-level function. Raises OSError(ENOMEM)."""
    address = text_address(fn)
    node = await malloc(sizeof(ExitFunction))
    await lock(EXITS.lock)
    await write_memory(node, struct.pack("<QQ", address, await EXITS.head.load()))
    await EXITS.head.store(node)
    await unlock(EXITS.lock)


# ---- rand: random_r.c, TYPE_3 -------------------------------------------------------------------------------------------------


def seeded_state(seed: int) -> list[int]:
    """The 31 words after srand(seed), the next to be replaced first, as 32-bit ints."""
    word = seed & 0xFFFF_FFFF or 1
    word -= (word & 0x8000_0000) << 1
    words = [word]
    for _ in range(RAND_DEGREE - 1):
        high = abs(word) // 127773 * (1 if word >= 0 else -1)  # C's division: towards zero
        word = 16807 * (word - high * 127773) - 2836 * high
        word += 0x7FFF_FFFF if word < 0 else 0
        words.append(word)
    front = SEPARATION
    for _ in range(DISCARDED):
        words[front] = (words[front] + words[front - SEPARATION]) & 0xFFFF_FFFF
        front = (front + 1) % RAND_DEGREE
    return [word & 0xFFFF_FFFF for word in words]


FRONT_AFTER_SEED: Final = (SEPARATION + DISCARDED) % RAND_DEGREE


async def srand(seed: int) -> None:
    """Start the sequence of `seed`."""
    await lock(RANDOM.lock)
    try:
        await _seed(seed)
    finally:
        await unlock(RANDOM.lock)


async def _seed(seed: int) -> None:
    words: list[Any] = seeded_state(seed)
    await write_memory(RANDOM.front.address, struct.pack(f"<i{RAND_DEGREE}I", FRONT_AFTER_SEED + 1, *words))


async def rand() -> int:
    """The next number, 0 to RAND_MAX."""
    await lock(RANDOM.lock)
    try:
        front = await RANDOM.front.load() - 1
        if front < 0:
            await _seed(1)
            front = FRONT_AFTER_SEED
        word = RANDOM.state[front]
        value: int = (await word.load() + await RANDOM.state[(front - SEPARATION) % RAND_DEGREE].load()) & 0xFFFF_FFFF
        await word.store(value)
        await RANDOM.front.store((front + 1) % RAND_DEGREE + 1)
    finally:
        await unlock(RANDOM.lock)
    return value >> 1
