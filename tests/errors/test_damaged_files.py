"""Logs and schedules that are cut, edited or something else: told by line number; of a log, what is readable is shown all the same."""

import pytest

from tests.support.command_line import run_text, trapline

PROGRAM = "async def main():\n    await fork()\n    await printf('hello\\n')\n    await usleep(5)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged")
    assert run_text(path, PROGRAM, "--log", "good.jsonl", "--schedule", "good.schedule", "--strategy", "random").returncode == 0
    return path


def damaged(folder, name, change):
    lines = (folder / "good.jsonl").read_bytes().splitlines(keepends=True)
    (folder / name).write_bytes(b"".join(change(lines)))
    return len(lines)


def test_a_log_that_was_cut_shows_all_but_its_last_line(folder):
    count = damaged(folder, "cut.jsonl", lambda lines: [*lines[:-1], lines[-1][:20]])
    ran = trapline(folder, "log", "cut.jsonl")
    assert (ran.returncode, ran.stderr) == (2, f"trapline: cut.jsonl: line {count}: cut short\n")
    assert len(ran.stdout.splitlines()) == count - 1


def test_each_damaged_line_is_told_and_the_others_are_shown(folder):
    def change(lines):
        lines[2] = b"\xff\xfe\x00 not text\n"
        lines[4] = lines[4].replace(b'"seq":5', b'"seq":"five"')
        lines[6] = b'{"event":"no_such_event"}\n'
        return lines

    count = damaged(folder, "edited.jsonl", change)
    ran = trapline(folder, "log", "edited.jsonl")
    told = ran.stderr.splitlines()
    assert ran.returncode == 2
    assert [line.split(": ")[:3] for line in told] == [["trapline", "edited.jsonl", f"line {number}"] for number in (3, 5, 7)]
    assert "Expected `int`, got `str` - at `$.seq`" in told[1]
    assert "no_such_event" in told[2]
    assert len(ran.stdout.splitlines()) == count - 3


@pytest.mark.parametrize("view", [("lanes",), ("lanes", "--by", "thread"), ("why",)])
def test_every_view_of_a_cut_log_still_shows_what_is_there(folder, view):
    damaged(folder, "half.jsonl", lambda lines: [*lines[: len(lines) // 2], lines[len(lines) // 2][:-9]])
    whole = trapline(folder, "log", *view[:1], "good.jsonl", *view[1:], *(["100"] if view == ("why",) else []))
    part = trapline(folder, "log", *view[:1], "half.jsonl", *view[1:], *(["100"] if view == ("why",) else []))
    assert (whole.returncode, part.returncode) == (0, 2)
    assert "cut short" in part.stderr
    assert part.stdout


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"hello\n", "line 1: not an event log: cut short"),
        (b"[1, 2]\n", "line 1: not an event log: "),
        (b"\x7fELF\x02\x01", "line 1: not an event log: "),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_one_line(folder, content, reason):
    (folder / "other").write_bytes(content)
    ran = trapline(folder, "log", "other")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("trapline: other: ")
    assert reason in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_schedule_that_was_cut_is_refused_with_its_line(folder):
    lines = (folder / "good.schedule").read_bytes().splitlines(keepends=True)
    assert len(lines) > 3, "the program makes choices"
    (folder / "cut.schedule").write_bytes(b"".join(lines[:2]) + lines[2][:-6])
    ran = trapline(folder, "replay", "cut.schedule")
    assert ran.returncode == 2
    assert ran.stderr.startswith("trapline: cut.schedule: line 3: damaged choice: ")
