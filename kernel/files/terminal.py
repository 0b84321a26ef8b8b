r"""The console's input side: the line discipline in canonical mode (termios(3)).

Typed bytes gather in the line being edited; a newline hands it to readers whole, and one read gives at most one line. Where somebody
types (`interactive`), the special characters work: erase (^? and ^H), kill (^U), end of file (^D: the line so far is readable, an empty
one reads as the end), and those that make signals for the foreground process group: ^C, ^\\, ^Z, which also discard what was typed.
Input from a file has no special characters, and its last line need not end in a newline.

Echo is the host terminal's business, and output passes by unchanged. Other modes (raw, no echo) do not exist.
"""

from __future__ import annotations

from typing import Final

from kernel.abi.signos import SIGINT, SIGQUIT, SIGTSTP

ERASE: Final = (0x7F, 0x08)
KILL: Final = 0x15
END_OF_FILE: Final = 0x04
NEWLINE: Final = 0x0A
SIGNALS: Final = {0x03: SIGINT, 0x1C: SIGQUIT, 0x1A: SIGTSTP}

ROWS: Final = 24
COLUMNS: Final = 80
# struct termios of a fresh Linux console, as tcgetattr(3): iflag, oflag, cflag, lflag, ispeed, ospeed (B38400 is 15), control characters
CONTROL_CHARACTERS: Final = bytes((0x03, 0x1C, 0x7F, 0x15, 0x04, 0, 1, 0, 0x11, 0x13, 0x1A, 0, 0x12, 0x0F, 0x17, 0x16, 0))
ATTRIBUTES: Final = (0x4500, 0x5, 0xBF, 0x8A33, 15, 15, CONTROL_CHARACTERS)


class Terminal:
    """The one terminal of a machine. Plain data."""

    __slots__ = ("chunks", "ended", "foreground", "interactive", "line")

    def __init__(self, interactive: bool, ended: bool) -> None:
        self.interactive = interactive  # special characters work
        self.ended = ended  # no more input will come; what is buffered can still be read
        self.foreground = 0  # process group, tcgetpgrp(3); 0: none yet
        self.line = bytearray()  # being edited: not readable yet. Invariant: terminal_ended - empty when `ended`
        self.chunks: list[bytes] = []  # what reads give, one at a time; b"" is ^D on an empty line

    def receive(self, data: bytes) -> list[int]:
        """Bytes from the host, b"" is the end of input. Returns the signals to send to the foreground process group."""
        if not data:
            self._end_line()
            self.ended = True
            return []
        signals: list[int] = []
        for byte in data:
            if self.interactive and self._edit(byte):
                continue
            if self.interactive and byte in SIGNALS:
                self.line.clear()
                self.chunks.clear()
                signals.append(SIGNALS[byte])
                continue
            self.line.append(byte)
            if byte == NEWLINE:
                self._end_line()
        return signals

    def readable(self) -> bool:
        """Would a read give something, or the end?"""
        return bool(self.chunks) or self.ended

    def read(self, count: int) -> bytes | None:
        """At most one line; b"" is the end of input; None: the reader has to wait."""
        if count == 0:
            return b""
        if not self.chunks:
            return b"" if self.ended else None
        chunk = self.chunks.pop(0)
        if len(chunk) > count:
            self.chunks.insert(0, chunk[count:])
        return chunk[:count]

    def buffered(self) -> int:
        """FIONREAD: bytes of the lines that can be read."""
        return sum(len(chunk) for chunk in self.chunks)

    def _edit(self, byte: int) -> bool:
        if byte in ERASE:
            del self.line[-1:]
        elif byte == KILL:
            self.line.clear()
        elif byte == END_OF_FILE:
            self.chunks.append(bytes(self.line))
            self.line.clear()
        else:
            return False
        return True

    def _end_line(self) -> None:
        if self.line:
            self.chunks.append(bytes(self.line))
            self.line.clear()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Terminal) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable
