"""The command line meets odd files, closed and full descriptors, and ^C: one clear line and the promised exit status, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, trapline
from tests.support.machines import PRELUDE
from trapline.log.reader import read_log

HELLO = PRELUDE + 'async def main():\n    await printf("hello\\n")\n'
CHATTY = PRELUDE + 'async def main():\n    for i in range(3000):\n        await printf("line %d\\n", i)\n'
ENDLESS = PRELUDE + 'async def main():\n    await printf("begun\\n")\n    while True:\n        await usleep(1)\n'
DEEP = "+".join(["1"] * 3000)
SOURCES: dict[str, tuple[bytes, int, str]] = {  # content, exit status, what is told
    "a byte order mark": (b"\xef\xbb\xbf" + HELLO.encode(), 0, "hello\n"),
    "another encoding": (b"# -*- coding: latin-1 -*-\n" + HELLO.replace("hello", "h\xe9llo").encode("latin-1"), 0, "h\xe9llo\n"),
    "a very long line": (
        (PRELUDE + f'async def main():\n    x = "{"a" * 1_000_000}"\n    await printf("hello\\n")\n').encode(),
        0,
        "hello\n",
    ),
    "no UTF-8": (HELLO.replace("hello", "h\xe9llo").encode("latin-1"), 2, "program.py:3: syntax error: "),
    "an unknown encoding": (b"# -*- coding: klingon -*-\n", 2, "program.py:1: syntax error: unknown encoding: klingon\n"),
    "tabs and spaces": (
        (PRELUDE + "async def main():\n\tpass\n        pass\n").encode(),
        2,
        "program.py:4: syntax error: inconsistent use of tabs",
    ),
    "a NUL": (HELLO.encode() + b"\0", 2, "program.py:1: syntax error: source code string cannot contain null bytes\n"),
    "no source at all": (bytes(range(256)) * 8, 2, "program.py:1: syntax error: source code string cannot contain null bytes\n"),
    "nothing": (b"", 2, "program.py: has no main: add `async def main(argv)`\n"),
    "too deep an expression": ((PRELUDE + f"async def main():\n    x = {DEEP}\n").encode(), 2, "program.py:1: cannot be compiled: "),
}


@pytest.mark.parametrize("what", SOURCES)
def test_a_program_file_is_run_or_refused_in_one_line(tmp_path, what):
    content, status, told = SOURCES[what]
    (tmp_path / "program.py").write_bytes(content)
    ran = trapline(tmp_path, "run", "program.py", "--seed", "1")
    assert ran.returncode == status
    assert ran.stdout == told if status == 0 else ran.stderr.startswith("trapline: " + told)
    assert ran.stderr.count("\n") <= 1


def test_what_is_no_regular_file_is_no_program(tmp_path):
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "fifo.py")
    (tmp_path / "loop.py").symlink_to("loop.py")
    refusals = {"folder.py": "Is a directory", "fifo.py": "not a regular file", "loop.py": "Too many levels of symbolic links"}
    for name, reason in refusals.items():
        ran = trapline(tmp_path, "run", name, "--seed", "1")
        assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"trapline: {name}: {reason}\n")


# ---- our own descriptors ----------------------------------------------------------------------------------------------------


def shell(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """A line of sh in the folder; `trapline` is the command."""
    command = text.replace("trapline", f"{sys.executable} -P -m trapline")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "hello.py").write_text(HELLO, encoding="utf-8")
    (tmp_path / "chatty.py").write_text(CHATTY, encoding="utf-8")
    (tmp_path / "endless.py").write_text(ENDLESS, encoding="utf-8")
    return tmp_path


def test_a_reader_that_has_seen_enough_ends_nothing(folder):
    ran = shell(folder, "{ trapline run chatty.py --seed 1; echo $? >&2; } | head -2")
    assert (ran.stdout, ran.stderr) == ("line 0\nline 1\n", "0\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full device is Linux's")
def test_output_that_has_no_room_is_told_once(folder):
    ran = shell(folder, "trapline run chatty.py --seed 1 > /dev/full")
    assert (ran.returncode, ran.stderr) == (0, "trapline: stdout: No space left on device\n")
    ran = shell(folder, "trapline configs > /dev/full")
    assert (ran.returncode, ran.stderr) == (2, "trapline: stdout: No space left on device\n")
    ran = shell(folder, "trapline run hello.py --seed 1 --log /dev/full")
    assert (ran.returncode, ran.stdout) == (2, "hello\n")
    assert ran.stderr == "trapline: /dev/full: No space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_descriptors_that_are_closed_are_no_others(folder, closed):
    ran = shell(folder, f"trapline run hello.py --seed 1 --log log.jsonl {closed}")
    assert ran.returncode == 0
    assert ran.stdout == ("" if ">&-" in closed.split() else "hello\n")
    assert all(json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()), "the program's output is not in the log"


def test_nothing_is_written_where_nothing_was_asked_for(folder):
    before = sorted(path.name for path in folder.iterdir())
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        ran = trapline(folder, "run", "hello.py", "--seed", "1")
    finally:
        folder.chmod(stat.S_IRWXU)
    assert (ran.returncode, ran.stdout) == (0, "hello\n")
    assert sorted(path.name for path in folder.iterdir()) == before


def test_two_runs_at_once_are_two_runs(folder):
    ran = shell(folder, "trapline run chatty.py --seed 1 > a & trapline run chatty.py --seed 1 > b; wait")
    assert ran.returncode == 0
    assert (folder / "a").read_text() == (folder / "b").read_text() == "".join(f"line {i}\n" for i in range(3000))


# ---- ^C -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["inline", "tasks"])
def test_an_interrupt_ends_the_run_with_its_log_written(folder, driver):
    command = [sys.executable, "-P", "-m", "trapline", "run", "endless.py", "--seed", "1", "--driver", driver, "--log", "log.jsonl"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        assert ran.stdout.readline() == "begun\n"
        time.sleep(0.2)
        ran.send_signal(signal.SIGINT)
        _, told = ran.communicate(timeout=30)
    assert ran.returncode == 130
    assert "Traceback" not in told
    events = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert events[-1]["event"] == "run_end"


def test_a_second_interrupt_does_not_wait_for_a_choice(folder):
    (folder / "stuck.py").write_text(
        PRELUDE + 'async def main():\n    await printf("begun\\n")\n    while True:\n        pass\n', encoding="utf-8"
    )
    command = [sys.executable, "-P", "-m", "trapline", "run", "stuck.py", "--seed", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        assert ran.stdout.readline() == "begun\n"
        for _ in range(2):
            time.sleep(0.3)
            ran.send_signal(signal.SIGINT)
        _, told = ran.communicate(timeout=30)
    assert ran.returncode == 130
    assert "Traceback" not in told


# ---- logs and schedules that are cut short --------------------------------------------------------------------------------------


def test_a_log_cut_at_any_byte_is_readable_up_to_there(folder):
    assert trapline(folder, "run", "hello.py", "--seed", "1", "--log", "log.jsonl").returncode == 0
    whole = (folder / "log.jsonl").read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == 10]
    cut = folder / "cut.jsonl"
    for size in [*range(ends[0], min(len(whole), ends[0] + 600)), *(end + d for end in ends[:-1] for d in (-1, 0, 1))]:
        cut.write_bytes(whole[:size])
        log = read_log(str(cut))
        complete = sum(end <= size or end == size + 1 for end in ends)  # a last line may lack its newline
        assert len(log.events) == complete, size
        assert bool(log.damage) == (whole[size - 1] != 10 and size + 1 not in ends), size
