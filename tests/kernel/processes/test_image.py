"""An image file is a small real ELF file; everything else, and every piece of one, is ENOEXEC."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errno_values import ENOEXEC
from kernel.abi.errnos import SysError
from kernel.abi.flags import PROT_EXEC, PROT_READ, PROT_WRITE
from kernel.abi.layout import ENTRY_OFFSET, LIBC_DATA, TEXT_BASE
from kernel.processes.image import build, parse, parse_script

SOURCE = b"async def main():\n    return 0\n"


def refused(data: bytes) -> bool:
    with pytest.raises(SysError) as error:
        parse(data, len(data))
    return error.value.errno == ENOEXEC


def test_what_was_built_is_read_back() -> None:
    data = build("lock", SOURCE)
    header = parse(data, len(data))
    assert (header.source, header.name, header.interpreter) == (SOURCE, "lock", "")
    assert header.entry == TEXT_BASE + ENTRY_OFFSET
    text, libc = header.segments
    assert (text.address, text.prot, data[text.offset : text.offset + text.file_size]) == (TEXT_BASE, PROT_READ | PROT_EXEC, SOURCE)
    assert (libc.address, libc.prot, libc.offset) == (LIBC_DATA, PROT_READ | PROT_WRITE, -1)


def test_an_interpreter_is_read_back() -> None:
    data = build("lock", SOURCE, "/lib/ld.so")
    assert parse(data, len(data)).interpreter == "/lib/ld.so"


def test_an_empty_program_is_an_image() -> None:
    data = build("empty", b"")
    assert parse(data, len(data)).source == b""


def test_every_truncation_is_enoexec() -> None:
    data = build("lock", SOURCE, "/lib/ld.so")
    cuts = [*range(700), *range(4000, len(data))]
    assert all(refused(data[:cut]) for cut in cuts)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 400), st.integers(1, 255))
def test_a_damaged_header_is_enoexec_or_harmless(at: int, change: int) -> None:
    data = bytearray(build("lock", SOURCE, "/lib/ld.so"))
    data[at] ^= change
    try:
        assert parse(bytes(data), len(data)).source == SOURCE
    except SysError:
        assert refused(bytes(data))


def test_damaged_text_is_enoexec() -> None:
    assert refused(build("lock", SOURCE).replace(b"return 0", b"return 1"))


def test_a_foreign_elf_file_is_enoexec() -> None:
    assert refused(Path("/bin/true").read_bytes())


@pytest.mark.skipif(shutil.which("readelf") is None, reason="binutils are not installed")
def test_readelf_accepts_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_bytes(build("lock", SOURCE, "/lib/ld.so"))
    shown = subprocess.run(["readelf", "-h", "-l", str(path)], capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    assert "0x401000" in shown.stdout
    assert "Requesting program interpreter: /lib/ld.so" in shown.stdout


SCRIPTS = [
    (b"#!/bin/sh\n", (b"/bin/sh", None)),
    (b"#! \t /bin/sh \t\necho", (b"/bin/sh", None)),
    (b"#!/bin/sh -e -x  \n", (b"/bin/sh", b"-e -x")),
    (b"#!/bin/sh", (b"/bin/sh", None)),
    (b"#!/bin/sh -x", (b"/bin/sh", b"-x")),
    (b"#!/bin/sh " + b"a" * 400, (b"/bin/sh", b"a" * 245)),
    (b"#!/bin/sh\0junk\n", (b"/bin/sh", None)),
]


@pytest.mark.parametrize(("start", "expected"), SCRIPTS)
def test_script_line(start: bytes, expected: tuple[bytes, bytes | None]) -> None:
    assert parse_script(start) == expected


@pytest.mark.parametrize("start", [b"#!\n", b"#!", b"#!   \t\n", b"#!" + b" " * 300, b"#!/" + b"a" * 400])
def test_script_line_without_an_interpreter_is_enoexec(start: bytes) -> None:
    with pytest.raises(SysError) as error:
        parse_script(start)
    assert error.value.errno == ENOEXEC


@pytest.mark.parametrize("start", [b"", b"#", b"\x7fELF", b" #!/bin/sh\n"])
def test_other_files_are_no_scripts(start: bytes) -> None:
    assert parse_script(start) is None
