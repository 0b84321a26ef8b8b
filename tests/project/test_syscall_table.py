"""Every row of the system call table is complete: a handler, a wrapper of libc that makes this very call, a man page, and a test."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from pathlib import Path

import pytest

from actors.calls import _SPECIAL
from actors.routes import MESSAGE_OF
from kernel.abi.syscalls import TABLE, Row
from trapline.commands.syscalls import syscalls
from userspace import crt, libc
from userspace.libc import threads

TESTS = Path(__file__).resolve().parents[1]
ROWS = [pytest.param(row, id=row.name) for row in TABLE.values()]

WRAPPERS = {  # row: the function that a program calls, where it is not called like the row (without rt_ and 64)
    "rt_sigtimedwait": "sigwait",
    "getdents64": "listdir",
    "newfstatat": "stat",
    "prlimit64": "getrlimit",
    "getcpu": "sched_getcpu",
    "exit": "pthread_exit",
    "exit_group": "_exit",
}
WITHOUT_WRAPPER = {  # row: who in libc makes this call in every program's stead
    "rt_sigreturn": crt,  # after a handler
    "set_tid_address": threads,  # at the start of a program
}


def wrapper_of(row: Row) -> str:
    return WRAPPERS.get(row.name, row.name.removeprefix("rt_").removesuffix("64"))


@functools.cache
def texts(*folders: str) -> str:
    """What the tests of these folders say; this project's own lists of names do not count."""
    files = sorted(path for folder in folders for path in (TESTS / folder).rglob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.name not in ("test_stubs.py", "test_libc_names.py"))


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_handler(row):
    assert (row.number in MESSAGE_OF) == (row.owner != "core")
    assert row.number in MESSAGE_OF or row.number in _SPECIAL


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_wrapper_that_makes_this_call(row):
    name = wrapper_of(row)
    module = WITHOUT_WRAPPER[row.name] if row.name in WITHOUT_WRAPPER else sys.modules[getattr(libc, name).__module__]
    assert row.name in WITHOUT_WRAPPER or name in libc.__all__
    assert f'syscall("{row.name}")' in inspect.getsource(module)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_man_page_which_its_message_names(row):
    assert re.fullmatch(r"[a-z]\w+\(2\)", row.page)
    if row.owner != "core":
        doc = MESSAGE_OF[row.number].__doc__
        assert row.page in doc or f"{row.name}(2)" in doc


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_prototype_and_says_what_is_missing(row):
    assert re.fullmatch(r"\(.+\) -> .+", row.signature)
    assert row.support in ("full", "partial")
    assert bool(row.note) == (row.support == "partial")


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test(row):
    if row.name in WITHOUT_WRAPPER:
        assert row.name in texts("support", "userspace")  # the fake CPU of libc's own tests answers it
    else:
        assert re.search(rf"\b{wrapper_of(row)}\(", texts("syscalls", "userspace")), f"no test calls {wrapper_of(row)}"


def test_the_command_prints_every_row_with_its_page(capsys):
    assert syscalls() == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:6] == ["nr", "name", "owner", "restart", "support", "man"]
    assert [line.split()[:2] for line in lines] == [[str(number), row.name] for number, row in sorted(TABLE.items())]
    assert all(line.split()[5] == row.page for line, (_, row) in zip(lines, sorted(TABLE.items()), strict=True))
    assert all(row.note in line for line, (_, row) in zip(lines, sorted(TABLE.items()), strict=True))
