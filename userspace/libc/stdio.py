"""<stdio.h>: streams as programs see them. The machinery is in streams.py, the format language in stdio_format.py.

A stream is a reference to a FILE in simulated memory; `stdin`, `stdout` and `stderr` are references to fixed places. Text is UTF-8.
A call that C would let fail with EOF or NULL raises OSError; the end of a file is None (fgets, getline) or fewer bytes (fread).
Man pages: stdio(3), printf(3), fopen(3), fgets(3), getline(3), fread(3), setvbuf(3), perror(3).
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from operator import index
from typing import Any, Final

from kernel.abi.errno_values import EBADF, EINVAL
from kernel.abi.errnos import Failure, strerror
from kernel.abi.flags import (
    _IOFBF,
    _IOLBF,
    _IONBF,
    AT_FDCWD,
    BUFSIZ,
    F_GETFL,
    F_SETFL,
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_EXCL,
    O_RDONLY,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)
from kernel.abi.syscalls import NUMBERS
from userspace import trap
from userspace.libc import streams
from userspace.libc.arguments import bytes_text, data_bytes, text_bytes
from userspace.libc.libc_data import FILE, STDERR, STDIN, STDOUT
from userspace.libc.malloc import free, malloc
from userspace.libc.stdio_format import format_text
from userspace.libc.streams import BY_LINES, CHOSEN, OWN_BUFFER, OWN_HEAD, READS, UNBUFFERED, WRITES, emit, stream_at
from userspace.ref import sizeof

__all__ = [
    "FILE", "fclose", "fdopen", "fflush", "fgets", "flush_at_exit", "fopen", "fprintf", "fputs", "fread", "fwrite", "getline", "perror",
    "printf", "puts", "setvbuf", "stderr", "stdin", "stdout", "strerror",
]  # fmt: skip

UNLIMITED: Final = 1 << 62  # bytes: as long as a line can be

stdin: Final[FILE] = FILE.at(STDIN)
stdout: Final[FILE] = FILE.at(STDOUT)
stderr: Final[FILE] = FILE.at(STDERR)

_openat = trap.syscall("openat")
_fcntl = trap.syscall("fcntl")
_close_value = trap.syscall_value(NUMBERS["close"])


# ---- output -----------------------------------------------------------------------------------------------------------------------


def printf(format: str | bytes, *args: Any) -> Awaitable[int]:
    """Write formatted text to stdout; the number of bytes."""
    return emit(stdout, format_text(format, args))


def fprintf(stream: Any, format: str | bytes, *args: Any) -> Awaitable[int]:
    """Write formatted text to a stream; the number of bytes."""
    return emit(stream_at(stream), format_text(format, args))


def puts(text: str | bytes) -> Awaitable[int]:
    """Write text and a newline to stdout."""
    return emit(stdout, text_bytes(text) + b"\n")


def fputs(text: str | bytes, stream: Any) -> Awaitable[int]:
    """Write text to a stream."""
    return emit(stream_at(stream), text_bytes(text))


def fwrite(data: bytes, stream: Any) -> Awaitable[int]:
    """Write bytes to a stream; how many."""
    return emit(stream_at(stream), data_bytes(data))


async def perror(text: str) -> None:
    """`text: what went wrong` on stderr, where that is the OSError being handled: in C it is errno, which an exception carries here."""
    error = sys.exc_info()[1]
    errno = error.errno if isinstance(error, OSError) and error.errno else 0
    prefix = text_bytes(text) + b": " if text else b""
    await emit(stderr, prefix + strerror(errno).encode() + b"\n")


async def fflush(stream: Any = None) -> None:
    """Write out what waits in the stream, or, without one, in all of them. Raises OSError."""
    if stream is not None:
        await _flush(stream_at(stream), give_back=True)
        return
    failed: OSError | None = None
    for each in await streams.all_streams():
        try:
            await _flush(each, give_back=False)
        except OSError as error:
            failed = error
    if failed is not None:
        raise failed


async def _flush(stream: FILE, give_back: bool) -> None:
    """Of one stream; `give_back` what was read ahead, too."""
    if not await stream.flags.load():
        return  # a standard stream that nobody has used
    owner = await streams.lock_stream(stream)
    try:
        head = await streams.read_head(stream)
        if head.position and not head.end:
            await streams.flush_locked(stream, head)
        elif give_back and head.end > head.position:
            await streams.stop_reading(stream, head)
    finally:
        await streams.unlock_stream(stream, owner)


async def flush_at_exit() -> None:
    """What exit(3) does with all streams: errors are nobody's business any more."""
    for stream in await streams.all_streams():
        try:
            await _flush(stream, give_back=True)
        except OSError:
            continue


# ---- opening and closing -------------------------------------------------------------------------------------------------------------


def _open_flags(mode: str) -> tuple[int, int]:
    """(flags for open, flags of the stream) of a mode. Raises OSError(EINVAL)."""
    first, rest = mode[:1], mode[1:].split(",", maxsplit=1)[0]
    if first not in ("r", "w", "a"):
        raise trap.os_error(EINVAL)
    flags = {"r": 0, "w": O_CREAT | O_TRUNC, "a": O_CREAT | O_APPEND}[first]
    if "+" in rest:
        return _extra(flags | O_RDWR, rest), READS | WRITES
    return _extra(flags | (O_RDONLY if first == "r" else O_WRONLY), rest), READS if first == "r" else WRITES


def _extra(flags: int, rest: str) -> int:
    """Glibc's `e` (close on exec) and `x` (the file must be new)."""
    return flags | (O_CLOEXEC if "e" in rest else 0) | (O_EXCL if "x" in rest else 0)


async def _new_stream(fd: int, flags: int) -> FILE:
    room = await malloc(sizeof(FILE) + 48)
    stream: FILE = FILE.at((room + 48) & ~63)  # the head is one line
    await streams.link(stream, flags | OWN_HEAD, fd, stream.address - room)
    return stream


async def fopen(path: str, mode: str) -> FILE:
    """A stream of the file: "r", "w", "a", with "+", "x", "e". Raises OSError."""
    open_flags, flags = _open_flags(mode)
    fd = await _openat(AT_FDCWD, text_bytes(path), open_flags, 0o666)
    return await _new_stream(fd, flags)


async def fdopen(fd: int, mode: str) -> FILE:
    """A stream on an open descriptor. Raises OSError(EBADF, EINVAL if the descriptor does not allow the mode)."""
    open_flags, flags = _open_flags(mode)
    status = await _fcntl(index(fd), F_GETFL, 0)
    allowed = status & O_ACCMODE
    if (allowed == O_RDONLY and flags & WRITES) or (allowed == O_WRONLY and flags & READS):
        raise trap.os_error(EINVAL)
    if open_flags & O_APPEND and not status & O_APPEND:
        await _fcntl(fd, F_SETFL, status | O_APPEND)
    return await _new_stream(fd, flags)


async def fclose(stream: Any) -> None:
    """Write out what waits, close the descriptor, free the stream. Raises OSError; the stream is gone all the same."""
    file = stream_at(stream)
    await streams.unlink(file)
    owner = await streams.lock_stream(file)
    failed: OSError | None = None
    head = await streams.read_head(file)
    try:
        if head.end:
            await streams.stop_reading(file, head)
        else:
            await streams.flush_locked(file, head)
    except OSError as error:
        failed = error
    closed = await _close_value(head.fd) if head.fd >= 0 else Failure(EBADF)
    await file.fd.store(-1)
    await streams.unlock_stream(file, owner)
    if head.flags & OWN_BUFFER:
        await free(head.buffer)
        await file.buffer.store(0)
        await file.flags.store(head.flags & ~OWN_BUFFER)
    if head.flags & OWN_HEAD:
        await free(file.address - head.offset)
    if failed is not None:
        raise failed
    if closed.__class__ is Failure:
        raise trap.os_error(closed.errno)


async def setvbuf(stream: Any, mode: int, size: int = 0) -> None:
    """How the stream is buffered from now on: _IOFBF, _IOLBF, _IONBF, with a buffer of `size` bytes. Raises OSError(EINVAL)."""
    if mode not in (_IOFBF, _IOLBF, _IONBF):
        raise trap.os_error(EINVAL)
    file = stream_at(stream)
    owner = await streams.lock_stream(file)
    try:
        head = await streams.read_head(file)
        if head.end:
            head = await streams.stop_reading(file, head)
        else:
            await streams.flush_locked(file, head)
        flags = head.flags & ~(BY_LINES | UNBUFFERED) | CHOSEN | {_IOFBF: 0, _IOLBF: BY_LINES, _IONBF: UNBUFFERED}[mode]
        if head.flags & OWN_BUFFER:
            await free(head.buffer)
            flags &= ~OWN_BUFFER
        await streams.set_buffer(file, 0, size if size > 0 else BUFSIZ)
        await streams.set_flags(file, head, flags)
    finally:
        await streams.unlock_stream(file, owner)


# ---- input ----------------------------------------------------------------------------------------------------------------------------


async def _take(stream: Any, limit: int, by_line: bool) -> bytes:
    file = stream_at(stream)
    owner = await streams.lock_stream(file)
    try:
        return await streams.take_locked(file, limit, by_line)
    finally:
        await streams.unlock_stream(file, owner)


async def fgets(n: int, stream: Any) -> str | None:
    """A line with its newline, but at most `n - 1` bytes of it; None at the end of the file."""
    line = await _take(stream, index(n) - 1, by_line=True)
    return bytes_text(line) if line or n == 1 else None


async def getline(stream: Any) -> str | None:
    """A line with its newline, however long; None at the end of the file."""
    line = await _take(stream, UNLIMITED, by_line=True)
    return bytes_text(line) if line else None


async def fread(n: int, stream: Any) -> bytes:
    """`n` bytes, or fewer at the end of the file."""
    return await _take(stream, index(n), by_line=False)
