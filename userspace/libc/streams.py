"""The stream layer under stdio(3): FILE objects in simulated memory, their locks, their buffers.

A stream's head is one cache line (FILE in libc_data.py), read by one op; its buffer is simulated memory too. So fork duplicates text
that has not been written yet, and the child writes it once more at its end, exactly as in C. stdin, stdout and stderr need no set-up:
a head of zeroes is a standard stream that nobody has used.

One printf on a line-buffered stream: Register, compare_exchange (lock), read the head, write the text into the buffer, store the
position, write(2), store the position, exchange (unlock). The lock is glibc's: recursive by its owner (so a handler may print while its
thread prints), and slept on by futex where another thread has it. A stream writes or reads at one time: `end` is 0 while it writes.
Buffering follows glibc's fileops.c: chosen at the first use, by lines on a terminal, else in blocks of st_blksize.
"""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

from kernel.abi.errno_values import EBADF
from kernel.abi.errnos import Failure
from kernel.abi.flags import BUFSIZ, S_IFCHR, S_IFMT, SEEK_CUR, TIOCGWINSZ
from kernel.abi.ops import ACQUIRE, CACHE_LINE, RELEASE, In, Out
from kernel.abi.syscalls import NUMBERS
from userspace import trap
from userspace.libc.libc_data import FILE, STATIC_BUFFER, STDERR, STDIN, STDIN_BUFFER, STDOUT, STDOUT_BUFFER, STREAMS
from userspace.libc.lowlevellock import lock, unlock, wait_while, wake_one
from userspace.libc.malloc import malloc
from userspace.ref import address_of

READS: Final = 1  # bits of a stream's flags
WRITES: Final = 2
BY_LINES: Final = 4  # _IOLBF
UNBUFFERED: Final = 8  # _IONBF
CHOSEN: Final = 16  # how to buffer has been decided
AT_END: Final = 32  # end of file was seen: sticky, as in glibc since 2.28
FAILED: Final = 64  # an error was seen
OWN_BUFFER: Final = 128  # the buffer is from malloc
OWN_HEAD: Final = 256  # the FILE itself is from malloc

WAITED_FOR: Final = 1 << 31  # in the lock word
OWNER: Final = WAITED_FOR - 1

_HEAD: Final = struct.Struct("<IIiiQQQQQq")
_STANDARD: Final = {STDIN: (0, READS), STDOUT: (1, WRITES), STDERR: (2, WRITES | UNBUFFERED | CHOSEN)}  # fd, flags

_read_value = trap.syscall_value(NUMBERS["read"])
_write_value = trap.syscall_value(NUMBERS["write"])
_fstat_value = trap.syscall_value(NUMBERS["fstat"])
_ioctl_value = trap.syscall_value(NUMBERS["ioctl"])
_lseek_value = trap.syscall_value(NUMBERS["lseek"])


class Head(NamedTuple):
    """What the head of a stream held when it was read."""

    lock: int
    flags: int
    fd: int
    offset: int
    buffer: int
    size: int
    position: int
    end: int
    next: int
    child: int


def stream_at(stream: Any) -> FILE:
    """The FILE meant by a program's argument. Raises OSError(EBADF) for NULL and TypeError for what is no stream."""
    if stream.__class__ is FILE:
        return stream
    address = address_of(stream)
    if address == 0:
        raise trap.os_error(EBADF)
    found: FILE = FILE.at(address)
    return found


# ---- the lock -------------------------------------------------------------------------------------------------------------------


async def lock_stream(stream: FILE) -> int:
    """flockfile(3): take the stream. What `unlock_stream` needs: the owner's mark, or 0 if this thread had it already."""
    owner = (await trap.register("pthread_self") >> 6) & OWNER or 1  # control blocks are lines apart, so marks differ
    seen = await stream.lock.compare_exchange(0, owner, ACQUIRE)
    if seen == 0:
        return owner
    if seen & OWNER == owner:
        return 0
    mark = owner | WAITED_FOR  # whoever slept must assume that others still do
    while seen:
        if seen & WAITED_FOR or await stream.lock.compare_exchange(seen, seen | WAITED_FOR, ACQUIRE) == seen:
            await wait_while(stream.lock, seen | WAITED_FOR)
        seen = await stream.lock.compare_exchange(0, mark, ACQUIRE)
    return owner


async def unlock_stream(stream: FILE, owner: int) -> None:
    """funlockfile(3)."""
    if owner and await stream.lock.exchange(0, RELEASE) & WAITED_FOR:
        await wake_one(stream.lock)


# ---- heads and buffers: the stream is locked --------------------------------------------------------------------------------------


async def read_head(stream: FILE) -> Head:
    """The head; a standard stream's is filled in at its first use."""
    head = Head._make(_HEAD.unpack(await trap.read_memory(stream.address, _HEAD.size)))
    if head.flags:
        return head
    fd, flags = _STANDARD[stream.address]
    await trap.write_memory(stream.flags.address, struct.pack("<Ii", flags, fd))
    return head._replace(flags=flags, fd=fd)


async def set_flags(stream: FILE, head: Head, flags: int) -> Head:
    """Change the flags, in memory and in what was read."""
    if flags != head.flags:
        await stream.flags.store(flags)
    return head._replace(flags=flags)


async def set_range(stream: FILE, position: int, end: int) -> None:
    """Both marks, by one op."""
    await trap.write_memory(stream.position.address, struct.pack("<QQ", position, end))


async def set_buffer(stream: FILE, buffer: int, size: int) -> None:
    """Both facts of the buffer, by one op."""
    await trap.write_memory(stream.buffer.address, struct.pack("<QQ", buffer, size))


async def with_buffer(stream: FILE, head: Head) -> Head:
    """At the first transfer: choose how to buffer, as glibc's _IO_file_doallocate, and get the buffer."""
    if head.buffer and head.flags & CHOSEN:
        return head
    flags, size = head.flags, head.size
    if not flags & CHOSEN:
        status = await _fstat_value(head.fd)
        size = BUFSIZ
        if status.__class__ is not Failure:
            size = status.st_blksize if 0 < status.st_blksize < BUFSIZ else BUFSIZ
            if status.st_mode & S_IFMT == S_IFCHR and (await _ioctl_value(head.fd, TIOCGWINSZ, None)).__class__ is not Failure:
                flags |= BY_LINES
        flags |= CHOSEN
    if flags & UNBUFFERED:
        size = 1  # a reader's one character
    buffer = {STDIN: STDIN_BUFFER, STDOUT: STDOUT_BUFFER}.get(stream.address, 0)
    if buffer == 0 or size > STATIC_BUFFER:
        buffer = await malloc(size)
        flags |= OWN_BUFFER
    await set_buffer(stream, buffer, size)
    return await set_flags(stream, head._replace(buffer=buffer, size=size), flags)


# ---- writing ----------------------------------------------------------------------------------------------------------------------


async def flush_locked(stream: FILE, head: Head) -> None:
    """Write out what waits. On an error the text is lost and the stream marked, as in glibc; raises OSError."""
    if head.end or not head.position:
        return
    done = 0
    while done < head.position:
        written = await _write_value(head.fd, In(head.buffer + done, head.position - done))
        if written.__class__ is Failure:
            await set_range(stream, 0, 0)
            await set_flags(stream, head, head.flags | FAILED)
            raise trap.os_error(written.errno)
        done += written
    await stream.position.store(0)


async def write_through(stream: FILE, head: Head, data: bytes) -> None:
    """Write bytes that pass no buffer. Raises OSError, and marks the stream."""
    while data:
        written = await _write_value(head.fd, data)
        if written.__class__ is Failure:
            await set_flags(stream, head, head.flags | FAILED)
            raise trap.os_error(written.errno)
        data = data[written:]


async def put_locked(stream: FILE, data: bytes) -> None:
    """Append to the stream, and write out what its buffering says. Raises OSError."""
    head = await read_head(stream)
    if not head.flags & WRITES:
        await set_flags(stream, head, head.flags | FAILED)
        raise trap.os_error(EBADF)
    if head.end:
        head = await stop_reading(stream, head)
    if head.flags & UNBUFFERED:
        await write_through(stream, head, data)
        return
    head = await with_buffer(stream, head)
    position = head.position
    newline = data.rfind(b"\n") if head.flags & BY_LINES else -1
    if newline < 0 and position + len(data) <= head.size:
        await trap.write_memory(head.buffer + position, data)
        await stream.position.store(position + len(data))
        return
    await _put_and_flush(stream, head, data, newline + 1)


async def _put_and_flush(stream: FILE, head: Head, data: bytes, lines: int) -> None:
    """Glibc's xsputn where something must be written now: `lines` bytes of it are whole lines."""
    room = head.size - head.position
    count = min(room, lines or len(data)) if len(data) <= room else room
    if count:
        await trap.write_memory(head.buffer + head.position, data[:count])
        head = head._replace(position=head.position + count)
        await stream.position.store(head.position)
    await flush_locked(stream, head)
    rest = data[count:]
    blocks = len(rest) - len(rest) % head.size
    if lines > count:
        blocks = max(blocks, lines - count)
    await write_through(stream, head, rest[:blocks])
    if rest[blocks:]:
        await trap.write_memory(head.buffer, rest[blocks:])
        await stream.position.store(len(rest) - blocks)


async def emit(stream: FILE, data: bytes) -> int:
    """All of printf, puts and fwrite after formatting: the bytes appended, as one piece. Raises OSError."""
    if data:
        owner = await lock_stream(stream)
        try:
            await put_locked(stream, data)
        finally:
            await unlock_stream(stream, owner)
    return len(data)


# ---- reading ----------------------------------------------------------------------------------------------------------------------


async def stop_reading(stream: FILE, head: Head) -> Head:
    """Give back what was read ahead (files only; of a pipe or terminal it stays read), so that the descriptor's offset is the stream's."""
    if head.end > head.position and (await _lseek_value(head.fd, head.position - head.end, SEEK_CUR)).__class__ is Failure:
        return head._replace(position=0, end=0)
    await set_range(stream, 0, 0)
    return head._replace(position=0, end=0)


async def fill(stream: FILE, head: Head) -> Head:
    """Read on into the empty buffer; `end` stays 0 at the end of the file. Raises OSError."""
    if head.flags & AT_END:
        return head._replace(position=0, end=0)
    head = await with_buffer(stream, head)
    if head.flags & (BY_LINES | UNBUFFERED):
        await _flush_terminal(stream)
    count = await _read_value(head.fd, Out(head.buffer, head.size))
    if count.__class__ is Failure:
        await set_flags(stream, head, head.flags | FAILED)
        raise trap.os_error(count.errno)
    if count == 0:
        head = await set_flags(stream, head, head.flags | AT_END)
    await set_range(stream, 0, count)
    return head._replace(position=0, end=count)


async def _flush_terminal(reader: FILE) -> None:
    """Before a read from a terminal, stdout's unfinished line is shown: so that a prompt is seen."""
    if reader.address == STDOUT:
        return
    stream = FILE.at(STDOUT)
    if not await stream.flags.load() & BY_LINES:
        return
    owner = await lock_stream(stream)
    try:
        await flush_locked(stream, await read_head(stream))
    finally:
        await unlock_stream(stream, owner)


async def take_locked(stream: FILE, limit: int, by_line: bool) -> bytes:
    """At most `limit` bytes, up to and with the first newline if `by_line`, or what there is before the end. Raises OSError."""
    head = await read_head(stream)
    if not head.flags & READS:
        await set_flags(stream, head, head.flags | FAILED)
        raise trap.os_error(EBADF)
    if head.position and not head.end:
        await flush_locked(stream, head)
        head = head._replace(position=0)
    taken: list[bytes] = []
    while limit > 0:
        if head.position >= head.end:
            if not by_line and head.size and limit >= head.size and head.flags & CHOSEN:
                return b"".join(taken) + await _read_through(stream, head, limit)
            head = await fill(stream, head)
            if not head.end:
                break
        piece = await _from_buffer(head, limit, by_line)
        head = head._replace(position=head.position + len(piece))
        await stream.position.store(head.position)
        taken.append(piece)
        limit -= len(piece)
        if by_line and piece.endswith(b"\n"):
            break
    return b"".join(taken)


async def _from_buffer(head: Head, limit: int, by_line: bool) -> bytes:
    """What the buffer has, no more of it than needed: a line is looked for line of the cache by line of the cache."""
    count = min(limit, head.end - head.position)
    address = head.buffer + head.position
    if not by_line:
        return bytes(await trap.read_memory(address, count))
    pieces: list[bytes] = []
    while count > 0:
        piece: bytes = await trap.read_memory(address, min(count, CACHE_LINE - address % CACHE_LINE))
        newline = piece.find(b"\n")
        if newline >= 0:
            pieces.append(piece[: newline + 1])
            break
        pieces.append(piece)
        address += len(piece)
        count -= len(piece)
    return b"".join(pieces)


async def _read_through(stream: FILE, head: Head, limit: int) -> bytes:
    """The rest of a large fread: whole blocks pass no buffer, as in glibc. The buffer is empty."""
    taken: list[bytes] = []
    while limit >= head.size and not head.flags & AT_END:
        piece = await _read_value(head.fd, limit - limit % head.size)
        if piece.__class__ is Failure:
            await set_flags(stream, head, head.flags | FAILED)
            raise trap.os_error(piece.errno)
        if not piece:
            head = await set_flags(stream, head, head.flags | AT_END)
        taken.append(piece)
        limit -= len(piece)
    await set_range(stream, 0, 0)
    if limit > 0 and not head.flags & AT_END:
        taken.append(await take_locked(stream, limit, by_line=False))
    return b"".join(taken)


# ---- the list of streams ------------------------------------------------------------------------------------------------------------


async def all_streams() -> list[FILE]:
    """Every open stream, in the order in which glibc flushes them: fopen's, newest first, then stderr, stdout, stdin."""
    streams: list[FILE] = []
    await lock(STREAMS.lock)
    address = await STREAMS.head.load()
    while address:
        stream = FILE.at(address)
        streams.append(stream)
        address = await stream.next.load()
    await unlock(STREAMS.lock)
    return [*streams, FILE.at(STDERR), FILE.at(STDOUT), FILE.at(STDIN)]


async def link(stream: FILE, flags: int, fd: int, offset: int) -> None:
    """A new stream, `offset` bytes into what malloc gave: fill in its head and put it on the list."""
    await lock(STREAMS.lock)
    head = await STREAMS.head.load()
    await trap.write_memory(stream.address, _HEAD.pack(0, flags, fd, offset, 0, 0, 0, 0, head, 0))
    await STREAMS.head.store(stream.address)
    await unlock(STREAMS.lock)


async def unlink(stream: FILE) -> None:
    """Take a stream off the list."""
    await lock(STREAMS.lock)
    place = STREAMS.head
    address = await place.load()
    while address and address != stream.address:
        place = FILE.at(address).next
        address = await place.load()
    if address:
        await place.store(await stream.next.load())
    await unlock(STREAMS.lock)
