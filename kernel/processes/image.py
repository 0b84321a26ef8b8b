"""Images: what execve(2) finds in a file.

An image file is a real (small) ELF64 file: header, program headers, and a text segment whose content is the program's Python source.
So images can be copied, truncated (ENOEXEC) and shown as readelf(1) does; the code that runs is compiled from the text itself.
"""

from __future__ import annotations

import msgspec


class Segment(msgspec.Struct, frozen=True):
    """One PT_LOAD segment. `offset` >= 0: mapped privately from the file; -1: anonymous, starting with `data`, rest zero."""

    address: int
    size: int  # bytes in memory
    prot: int  # PROT_*
    offset: int
    file_size: int
    data: bytes = b""
    name: str = ""  # ".text", ".data", "libc"


class Image(msgspec.Struct, frozen=True):
    """A loaded image's plain facts."""

    name: str  # as `ps` shows it: last part of the path
    entry: int
    interpreter: str
    segments: tuple[Segment, ...]
    brk: int  # the heap starts here
    symbols: tuple[tuple[str, int, int], ...] = ()  # (name, address, size) of functions and globals
