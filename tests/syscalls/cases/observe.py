"""What cases are written with: the expectation beside the case, failures and ends of processes as plain values."""

from errno import errorcode
from json import dumps, loads

from userspace.libc import *


def expect(value):
    """The one value that the case must return, on every kernel. A literal: the tests read it from the source."""
    return lambda case: case


async def attempt(call):
    """What a call gives, or the name of its errno."""
    try:
        return await call
    except OSError as error:
        return errorcode[error.errno]


def ended(status):
    """A wait status word as a value."""
    if WIFEXITED(status):
        return ("exited", WEXITSTATUS(status))
    if WIFSIGNALED(status):
        return ("killed", WTERMSIG(status))
    return ("stopped", WSTOPSIG(status)) if WIFSTOPPED(status) else ("continued" if WIFCONTINUED(status) else status)


async def start(fn, *arguments):
    """A child that runs fn(*arguments) and exits with its result; its pid."""
    pid = await fork()
    if pid == 0:
        await _exit(await fn(*arguments) or 0)
    return pid


async def end_of(pid):
    """Wait for this child; how it ended."""
    _, status = await waitpid(pid, 0)
    return ended(status)


async def in_child(fn, *arguments):
    """Run fn(*arguments) in a child; how that ended."""
    return await end_of(await start(fn, *arguments))


async def told_by_child(fn, *arguments):
    """Run fn(*arguments) in a child; what it returned, by way of JSON (so no bytes)."""
    reader, writer = await pipe()
    pid = await fork()
    if pid == 0:
        await write(writer, dumps(await fn(*arguments)).encode())
        await _exit(0)
    await close(writer)
    text = await read_all(reader)
    await close(reader)
    how = await end_of(pid)
    return frozen(loads(text)) if text else how


def frozen(value):
    """Lists as tuples."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


async def read_all(fd):
    """All that comes until the end."""
    parts = []
    while part := await read(fd, 4096):
        parts.append(part)
    return b"".join(parts)


async def file_with(path, data=b"", mode=0o644):
    """Make a file."""
    fd = await open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
    await write(fd, data)
    await close(fd)


async def content(path):
    """What is in a file."""
    fd = await open(path, O_RDONLY)
    data = await read_all(fd)
    await close(fd)
    return data


async def mode_of(path):
    """Permission bits as octal text."""
    return oct((await lstat(path)).st_mode & 0o7777)


async def until(pid, state):
    """Wait until this process sleeps (S), is stopped (T) or dead (Z), as /proc shows it."""
    while f") {state} ".encode() not in await content(f"/proc/{pid}/stat"):
        await nanosleep(1_000_000)
