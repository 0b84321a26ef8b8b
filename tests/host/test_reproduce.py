"""Schedule files and the command to paste."""

from __future__ import annotations

import pytest

from actors.choices import Choice
from trapline import config, reproduce
from trapline.reproduce import Header, Schedule, ScheduleError

CHOICES = (Choice("next", "core/1", 3, 77), Choice("eintr", "1", 2, 0))


def schedule() -> Schedule:
    header = Header(
        format=reproduce.FORMAT, schema=reproduce.SCHEMA, version="0", program="p.py", program_hash="ab", argv=("a b",), stdin=b"\xff\0",
        config=config.load("tiny"), strategy="random", granularity="ops", seed=5, max_time_ns=None, max_steps=9, choices=len(CHOICES),
    )  # fmt: skip
    return Schedule(header, CHOICES)


def test_a_saved_schedule_is_read_back_complete(tmp_path):
    path = str(tmp_path / "s")
    reproduce.save(path, schedule())
    assert reproduce.load(path) == schedule()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: lines[:2], "line 2: cut short: 2 choices were recorded, 1 are here"),
        (lambda lines: [lines[0], b'["next", "co', lines[2]], "line 2: damaged choice"),
        (lambda lines: [b"{", *lines[1:]], "line 1: not a schedule file"),
        (lambda lines: [], "line 1: not a schedule file"),
        (lambda lines: [lines[0].replace(b'"schema":1', b'"schema":9'), *lines[1:]], "line 1: written with schema 9"),
        (lambda lines: [lines[0].replace(b"trapline schedule", b"grocery list"), *lines[1:]], "line 1: not a schedule file: format"),
    ],
)
def test_damage_is_told_with_its_line(tmp_path, damage, message):
    path = tmp_path / "s"
    reproduce.save(str(path), schedule())
    path.write_bytes(b"\n".join(damage(path.read_bytes().splitlines())))
    with pytest.raises(ScheduleError, match=message):
        reproduce.load(str(path))


def test_a_file_that_is_not_there_or_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ScheduleError, match="No such file"):
        reproduce.load(str(tmp_path / "s"))
    with pytest.raises(ScheduleError, match="No such file"):
        reproduce.save(str(tmp_path / "no" / "s"), schedule())


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"seed": 7}, "trapline run p.py --config quad --seed 7"),
        ({"argv": ("a b", "c")}, "trapline run p.py --config quad --seed 0 'a b' c"),
        ({"argv": ("-l",)}, "trapline run p.py --config quad --seed 0 -- -l"),
        (
            {"strategy": "random", "max_steps": 5},
            "trapline run p.py --config quad --seed 0 --strategy random --granularity ops --max-steps 5",
        ),
        ({"stdin": "in put", "config": "./c.toml"}, "trapline run p.py --config ./c.toml --seed 0 --stdin 'in put'"),
    ],
)
def test_the_command_to_paste_says_what_differs_and_the_seed(options, line):
    assert reproduce.run_command("p.py", **options) == line
