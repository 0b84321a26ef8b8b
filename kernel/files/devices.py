"""The device nodes of /dev and what reading and writing them does: null(4), full(4), random(4), tty(4).

A node is an inode whose `device` is Linux's number (major << 8 | minor). /dev/null, /dev/zero and /dev/full need nothing, /dev/random and
/dev/urandom draw from the machine's seeded stream (so a run can be had again), /dev/console and /dev/tty are the one terminal
(terminal.py). mknod(2) makes no devices here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kernel.abi.errno_values import ENOSPC
from kernel.abi.errnos import SysError
from kernel.abi.flags import S_IFCHR
from kernel.rng import Stream

NULL: Final = 1 << 8 | 3
ZERO: Final = 1 << 8 | 5
FULL: Final = 1 << 8 | 7
RANDOM: Final = 1 << 8 | 8
URANDOM: Final = 1 << 8 | 9
TTY: Final = 5 << 8
CONSOLE: Final = 5 << 8 | 1

TERMINALS: Final = frozenset((TTY, CONSOLE))
RANDOM_MAX: Final = 1 << 20  # random bytes that one call gives at most; Linux has such a limit too, random(4)


class DeviceNode(NamedTuple):
    """A name in /dev."""

    name: bytes
    mode: int
    device: int


DEVICES: Final = (
    DeviceNode(b"null", S_IFCHR | 0o666, NULL),
    DeviceNode(b"zero", S_IFCHR | 0o666, ZERO),
    DeviceNode(b"full", S_IFCHR | 0o666, FULL),
    DeviceNode(b"random", S_IFCHR | 0o666, RANDOM),
    DeviceNode(b"urandom", S_IFCHR | 0o666, URANDOM),
    DeviceNode(b"console", S_IFCHR | 0o666, CONSOLE),
    DeviceNode(b"tty", S_IFCHR | 0o666, TTY),
)


def read_device(device: int, count: int, stream: Stream) -> bytes:
    """read(2) of a device that is no terminal."""
    if device == NULL:
        return b""
    return bytes(count) if device in (ZERO, FULL) else stream.bytes(min(count, RANDOM_MAX))


def write_device(device: int, count: int) -> int:
    """write(2) to a device that is no terminal: they take everything, but for /dev/full. ENOSPC."""
    if device == FULL and count:
        raise SysError(ENOSPC)
    return count


def seek_device(device: int) -> int:
    """lseek(2): these devices accept every seek and stay where they are."""
    assert device not in TERMINALS, "a terminal cannot seek"
    return 0
