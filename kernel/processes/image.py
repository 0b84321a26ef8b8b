"""Images: what execve(2) finds in a file.

An image file is a real (small) ELF64 file: header, program headers, and a text segment whose content is the program's Python source.
So images can be copied, truncated (ENOEXEC) and shown as readelf(1) does; the code that runs is compiled from the text itself.

    0       ELF header, program headers, note (checksum and name), interpreter's path
    0x1000  .text: the Python source, mapped r-x at TEXT_BASE; entry point and functions have addresses in it
            libc's data: rw-, anonymous, no bytes in the file

A `#!` script is no image but names one. Deviations from Linux: a file that ends before its segments do is ENOEXEC here (Linux maps it
and sends SIGBUS later), and only files with our note are accepted: a foreign ELF file holds machine code, which nobody here executes.
Manual: elf(5), execve(2).
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Final
from zlib import crc32

import msgspec

from kernel.abi.errno_values import ENOEXEC
from kernel.abi.errnos import SysError
from kernel.abi.flags import PROT_EXEC, PROT_READ, PROT_WRITE
from kernel.abi.layout import DATA_BASE, ENTRY_OFFSET, FUNCTION_ALIGN, LIBC_DATA, LIBC_DATA_SIZE, PAGE_MASK, PAGE_SIZE, TEXT_BASE, USER_END

_MAGIC: Final = b"\x7fELF\x02\x01\x01" + bytes(9)  # 64 bits, little endian, version 1, System V
_ET_EXEC: Final = 2
_EM_X86_64: Final = 62
_PT_LOAD: Final = 1
_PT_INTERP: Final = 3
_PT_NOTE: Final = 4
_EHDR: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_PHDR: Final = struct.Struct("<IIQQQQQQ")
_NOTE: Final = struct.Struct("<III")
_NOTE_OWNER: Final = b"Trapline\0\0\0\0"  # padded to 4 bytes; the name's own size is 9
_NOTE_OWNER_SIZE: Final = 9
_NOTE_TYPE: Final = 1
_MAX_HEADERS: Final = PAGE_SIZE // _PHDR.size  # Linux refuses more than a page of program headers

SCRIPT_BYTES: Final = 256  # BINPRM_BUF_SIZE: what execve looks at to find the format


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


class Header(msgspec.Struct, frozen=True):
    """What an image file says. The loader adds .data (from the program's Globals) and symbols to make an `Image`."""

    entry: int  # .text address
    source: bytes  # the program's Python text
    segments: tuple[Segment, ...]  # in file order: .text, libc
    interpreter: str  # path, "" if none
    name: str  # as it was built


def text_size(source: bytes) -> int:
    """Bytes of memory that .text takes: room for the source, and for every line to be a function of its own."""
    lines = source.count(b"\n") + 2
    needed = ENTRY_OFFSET + max(len(source), lines * FUNCTION_ALIGN)
    return (needed + PAGE_MASK) & ~PAGE_MASK


def build(name: str, source: bytes, interpreter: str = "") -> bytes:
    """The bytes of an image file for a program's source."""
    size = text_size(source)
    assert TEXT_BASE + size <= LIBC_DATA, f"{name}: the program's text of {len(source)} bytes reaches libc's data"
    note = _note(name, source)
    path = interpreter.encode() + b"\0" if interpreter else b""
    count = 4 if path else 3
    note_at = _EHDR.size + count * _PHDR.size
    path_at = note_at + len(note)
    assert path_at + len(path) <= PAGE_SIZE, f"{name}: name and interpreter do not fit before the text"
    headers = [_PHDR.pack(_PT_INTERP, PROT_READ_FLAG, path_at, path_at, path_at, len(path), len(path), 1)] if path else []
    headers.append(_PHDR.pack(_PT_LOAD, _elf_flags(PROT_READ | PROT_EXEC), PAGE_SIZE, TEXT_BASE, TEXT_BASE, len(source), size, PAGE_SIZE))
    headers.append(_PHDR.pack(_PT_LOAD, _elf_flags(PROT_READ | PROT_WRITE), 0, LIBC_DATA, LIBC_DATA, 0, LIBC_DATA_SIZE, PAGE_SIZE))
    headers.append(_PHDR.pack(_PT_NOTE, PROT_READ_FLAG, note_at, 0, 0, len(note), len(note), 4))
    entry = TEXT_BASE + ENTRY_OFFSET
    start = _EHDR.pack(_MAGIC, _ET_EXEC, _EM_X86_64, 1, entry, _EHDR.size, 0, 0, _EHDR.size, _PHDR.size, count, 0, 0, 0)
    return (start + b"".join(headers) + note + path).ljust(PAGE_SIZE, b"\0") + source


def parse(data: bytes, size: int) -> Header:
    """Read an image file of `size` bytes from its content. Raises SysError(ENOEXEC) for anything else, cut short or damaged."""
    if len(data) < size or size < _EHDR.size:
        raise SysError(ENOEXEC)
    magic, kind, machine, version, entry, table, _, _, header_size, entry_size, count, _, _, _ = _EHDR.unpack_from(data)
    well_formed = magic == _MAGIC and kind == _ET_EXEC and machine == _EM_X86_64 and version == 1
    if not well_formed or header_size != _EHDR.size or entry_size != _PHDR.size or not 0 < count <= _MAX_HEADERS:
        raise SysError(ENOEXEC)
    if table + count * _PHDR.size > size:
        raise SysError(ENOEXEC)
    interpreter = name = ""
    checksum = -1
    segments: list[Segment] = []
    for index in range(count):
        header = _PHDR.unpack_from(data, table + index * _PHDR.size)
        offset, file_size = header[2], header[5]
        if offset + file_size > size:
            raise SysError(ENOEXEC)
        content = data[offset : offset + file_size]
        if header[0] == _PT_LOAD:
            segments.append(_segment(header))
        elif header[0] == _PT_INTERP:
            interpreter = _interpreter(content)
        elif header[0] == _PT_NOTE:
            checksum, name = _read_note(content)
    source = _source(data, segments, entry)
    if crc32(source) != checksum:
        raise SysError(ENOEXEC)
    return Header(entry, source, tuple(segments), interpreter, name)


def parse_script(start: bytes) -> tuple[bytes, bytes | None] | None:
    """The interpreter and optional argument of a `#!` line, None for another format. `start` is the file's first 256 bytes.

    As Linux reads it: blanks around the name are skipped, everything after the name is *one* argument, the line is cut at 256 bytes,
    but a name that may have been cut is ENOEXEC, as is none.
    """
    if start[:2] != b"#!":
        return None
    buffer = start[:SCRIPT_BYTES].ljust(SCRIPT_BYTES, b"\0")
    end = buffer.find(b"\n")
    if end < 0:
        name = buffer[2 : SCRIPT_BYTES - 1].lstrip(b" \t")
        if not name or not any(blank in name for blank in (b" ", b"\t", b"\0")):
            raise SysError(ENOEXEC)
        end = SCRIPT_BYTES - 1
    line = buffer[2:end].strip(b" \t")
    cut = next((at for at, byte in enumerate(line) if byte in b" \t\0"), len(line))
    if not line:
        raise SysError(ENOEXEC)
    interpreter = line[:cut]
    argument = line[cut:].lstrip(b" \t").split(b"\0")[0] if line[cut : cut + 1] in (b" ", b"\t") else b""
    if not interpreter:
        raise SysError(ENOEXEC)
    return interpreter, argument or None


def heap_start(data_end: int) -> int:
    """Where the heap begins: the page after .data and .bss, which end at `data_end` (DATA_BASE if the program has none)."""
    return (max(data_end, DATA_BASE) + PAGE_MASK) & ~PAGE_MASK


def _elf_flags(prot: int) -> int:
    """PROT_READ, WRITE, EXEC are 1, 2, 4; PF_R, PF_W, PF_X are 4, 2, 1."""
    return (4 if prot & PROT_READ else 0) | (2 if prot & PROT_WRITE else 0) | (1 if prot & PROT_EXEC else 0)


PROT_READ_FLAG: Final = _elf_flags(PROT_READ)


def _note(name: str, source: bytes) -> bytes:
    content = struct.pack("<I", crc32(source)) + name.encode()
    padding = bytes(-len(content) % 4)
    return _NOTE.pack(_NOTE_OWNER_SIZE, len(content), _NOTE_TYPE) + _NOTE_OWNER + content + padding


def _read_note(content: bytes) -> tuple[int, str]:
    start = _NOTE.size + len(_NOTE_OWNER)
    if len(content) < start + 4 or content[_NOTE.size : start] != _NOTE_OWNER:
        raise SysError(ENOEXEC)
    owner_size, size, kind = _NOTE.unpack_from(content)
    if owner_size != _NOTE_OWNER_SIZE or kind != _NOTE_TYPE or not 4 <= size <= len(content) - start:
        raise SysError(ENOEXEC)
    try:
        name = content[start + 4 : start + size].decode()
    except UnicodeDecodeError:
        raise SysError(ENOEXEC) from None
    return struct.unpack_from("<I", content, start)[0], name


def _segment(header: tuple[int, ...]) -> Segment:
    _, flags, offset, address, _, file_size, memory_size, alignment = header
    aligned = alignment == PAGE_SIZE and address & PAGE_MASK == 0 and offset & PAGE_MASK == 0
    if not aligned or file_size > memory_size or memory_size == 0 or address + memory_size > USER_END:
        raise SysError(ENOEXEC)
    prot = (PROT_READ if flags & 4 else 0) | (PROT_WRITE if flags & 2 else 0) | (PROT_EXEC if flags & 1 else 0)
    in_file = file_size > 0 or bool(prot & PROT_EXEC)
    return Segment(address, memory_size, prot, offset if in_file else -1, file_size, b"", ".text" if prot & PROT_EXEC else "libc")


def _interpreter(content: bytes) -> str:
    if len(content) < 2 or content[-1] != 0 or 0 in content[:-1]:
        raise SysError(ENOEXEC)
    try:
        return content[:-1].decode()
    except UnicodeDecodeError:
        raise SysError(ENOEXEC) from None


def _source(data: bytes, segments: list[Segment], entry: int) -> bytes:
    """The content of the one executable segment, in which the entry point must lie."""
    texts = [segment for segment in segments if segment.prot & PROT_EXEC]
    if len(texts) != 1 or texts[0].address != TEXT_BASE or not TEXT_BASE <= entry < TEXT_BASE + texts[0].size:
        raise SysError(ENOEXEC)
    if any(second.address < first.address + first.size for first, second in pairwise(segments)):
        raise SysError(ENOEXEC)
    return data[texts[0].offset : texts[0].offset + texts[0].file_size]
