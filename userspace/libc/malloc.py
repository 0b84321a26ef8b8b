"""malloc(3): the heap, on brk(2) for small requests and mmap(2) for those of 128 KiB and more.

A chunk is a 16-byte head and what the program gets; all of it lies in simulated memory, where a program can overrun and corrupt it.

    head:  size | IN_USE | MAPPED   (8 bytes; the size includes the head and is a multiple of 16)
           next free chunk          (8 bytes; meaningful while the chunk is free)

Free chunks below 1 KiB wait in a list for each size, last freed first, so the next malloc of that size gets the address just freed, as
from glibc's tcache. Larger ones wait in one list, searched first fit and split. What both lack is cut from `top`, the heap's untouched
end, which grows by brk. Chunks are joined only with `top`; glibc's bins and arenas are not modelled, its messages on misuse are.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from kernel.abi.errno_values import ENOMEM
from kernel.abi.flags import MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE
from kernel.abi.layout import PAGE_MASK
from userspace import trap
from userspace.libc.abort import die
from userspace.libc.libc_data import ARENA, BINS, SMALL_BINS
from userspace.libc.lowlevellock import lock, unlock
from userspace.ref import address_of

HEAD: Final = 16  # bytes before what malloc returns
MIN_CHUNK: Final = 32  # bytes
IN_USE: Final = 1  # bits in the size
MAPPED: Final = 2
FLAGS: Final = 15
MMAP_THRESHOLD: Final = 128 << 10  # bytes
TOP_PAD: Final = 128 << 10  # bytes more than needed, each time the heap grows
PTRDIFF_MAX: Final = (1 << 63) - 1

_ARENA: Final = struct.Struct("<QQQQ")  # lock word, large, top, end
_CHUNK: Final = struct.Struct("<QQ")

_brk = trap.syscall("brk")
_mmap = trap.syscall("mmap")
_munmap = trap.syscall("munmap")


async def malloc(size: int) -> int:
    """The address of `size` fresh bytes, a multiple of 16. Raises OSError(ENOMEM)."""
    if not 0 <= size <= PTRDIFF_MAX - PAGE_MASK - HEAD:
        raise trap.os_error(ENOMEM)
    need = max(MIN_CHUNK, (size + HEAD + 15) & ~15)
    if need >= MMAP_THRESHOLD:
        return await _map(need)
    await lock(ARENA.lock)
    try:
        return await _allocate(need) + HEAD
    finally:
        await unlock(ARENA.lock)


async def calloc(count: int, size: int) -> int:
    """The address of `count * size` bytes of zero. Raises OSError(ENOMEM), also where the product overflows."""
    total = count * size
    address = await malloc(total)
    if total + HEAD < MMAP_THRESHOLD:  # mapped memory is zero already
        await trap.write_memory(address, bytes(total))
    return address


async def realloc(address: Any, size: int) -> int:
    """Room of `size` bytes with the old content, perhaps elsewhere; the old address is then free. `realloc(p, 0)` frees, as in glibc."""
    old = address_of(address)
    if old == 0:
        return await malloc(size)
    if size == 0:
        await free(old)
        return 0
    head = await _head(old, "realloc(): invalid pointer")
    room = (head & ~FLAGS) - HEAD
    if size <= room and not head & MAPPED:
        return old
    fresh = await malloc(size)
    await trap.copy_memory(fresh, old, min(size, room))
    await free(old)
    return fresh


async def free(address: Any) -> None:
    """Give memory back; nothing for NULL. A second time, or for what malloc did not give, the process aborts with glibc's message."""
    place = address_of(address)
    if place == 0:
        return
    head = await _head(place, "free(): invalid pointer")
    if head & MAPPED:
        await _munmap(place - HEAD, head & ~FLAGS)
        return
    await lock(ARENA.lock)
    try:
        await _release(place - HEAD, head & ~FLAGS)
    finally:
        await unlock(ARENA.lock)


async def _head(address: int, complaint: str) -> int:
    """The size word of a chunk in use; aborts on anything else."""
    if address & 15:
        await die(complaint)
    (head,) = struct.unpack("<Q", await trap.read_memory(address - HEAD, 8))
    size = head & ~FLAGS
    if not head & IN_USE and MIN_CHUNK <= size < MMAP_THRESHOLD:
        await die("free(): double free detected in tcache 2")
    if not head & IN_USE or size < MIN_CHUNK:
        await die(complaint)
    return int(head)


async def _map(need: int) -> int:
    length = (need + PAGE_MASK) & ~PAGE_MASK
    chunk: int = await _mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    await trap.write_memory(chunk, struct.pack("<Q", length | IN_USE | MAPPED))
    return chunk + HEAD


async def _allocate(need: int) -> int:
    """A chunk of `need` bytes, marked in use. The arena is locked."""
    index = need // 16
    if index < SMALL_BINS:
        head = BINS.head[index]
        chunk: int = await head.load()
        if chunk:
            _, following = _CHUNK.unpack(await trap.read_memory(chunk, HEAD))
            await head.store(following)
            await _mark(chunk, need)
            return chunk
    _, large, top, end = _ARENA.unpack(await trap.read_memory(ARENA.address, _ARENA.size))
    if large:
        chunk = await _first_fit(large, need)
        if chunk:
            return chunk
    if end - top < need:
        top = await _grow(top, end, need)
    await _mark(top, need)
    await ARENA.top.store(top + need)
    return int(top)


async def _mark(chunk: int, size: int) -> None:
    await trap.write_memory(chunk, struct.pack("<Q", size | IN_USE))


async def _first_fit(chunk: int, need: int) -> int:
    """The first chunk of the large list that is big enough, cut to `need`; 0 if there is none."""
    link = ARENA.large
    while chunk:
        size, following = _CHUNK.unpack(await trap.read_memory(chunk, HEAD))
        if size >= need:
            await link.store(following)
            if size - need >= MIN_CHUNK:
                await _insert(chunk + need, size - need)
                size = need
            await _mark(chunk, size)
            return chunk
        link = type(link).at(chunk + 8)
        chunk = following
    return 0


async def _insert(chunk: int, size: int) -> None:
    """Into the list for its size, at the head."""
    head = BINS.head[size // 16] if size // 16 < SMALL_BINS else ARENA.large
    await trap.write_memory(chunk, _CHUNK.pack(size, await head.load()))
    await head.store(chunk)


async def _release(chunk: int, size: int) -> None:
    """Back into a list, or into `top` where it touches it and is large. The arena is locked."""
    if size // 16 >= SMALL_BINS and await ARENA.top.load() == chunk + size:
        await trap.write_memory(chunk, _CHUNK.pack(size, 0))  # a second free of it is still seen
        await ARENA.top.store(chunk)
        return
    await _insert(chunk, size)


async def _grow(top: int, end: int, need: int) -> int:
    """Move the program break so that `need` bytes fit after `top`; where they start. Raises OSError(ENOMEM)."""
    current: int = await _brk(0)
    start = top if current == end and end else (current + 15) & ~15  # somebody else called sbrk: go on after that
    wanted = (start + need + TOP_PAD + PAGE_MASK) & ~PAGE_MASK
    if await _brk(wanted) < wanted:
        wanted = (start + need + PAGE_MASK) & ~PAGE_MASK
        if await _brk(wanted) < wanted:
            raise trap.os_error(ENOMEM)
    await ARENA.end.store(wanted)
    return start
