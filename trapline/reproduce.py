"""Having a run again: the command to paste, and schedule files.

A schedule file is complete: program, arguments, whole config, strategy, seed, input, and every choice that was made. It is JSON lines,
a header and then one choice a line, so that damage has a line number:

    {"format": "trapline schedule", "schema": 1, "program": "lock.py", …, "choices": 2}
    ["next", "core/1", 3, 2774116393]
    ["next", "memory", 2, 1121413112]

`replay` gives the machine the recorded choices; it refuses at the first that does not fit, and refuses at once if the program's files
are not those that were recorded.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import msgspec

from actors.choices import Choice
from kernel.config import Config

FORMAT: Final = "trapline schedule"
SCHEMA: Final = 1


class ScheduleError(Exception):
    """A schedule file that cannot be used. The text names file and line."""


class Header(msgspec.Struct, frozen=True):
    """The first line of a schedule file."""

    format: str
    schema: int
    version: str  # of trapline
    program: str  # as it was given on the command line
    program_hash: str
    argv: tuple[str, ...]  # without argv[0]
    stdin: bytes
    config: Config
    strategy: str
    granularity: str
    seed: int
    max_time_ns: int | None  # limits of that run, None: as configured
    max_steps: int | None
    choices: int  # lines that follow


class Schedule(msgspec.Struct, frozen=True):
    """A schedule file's content."""

    header: Header
    choices: tuple[Choice, ...]


def save(path: str, schedule: Schedule) -> None:
    """Write a schedule file. Raises ScheduleError."""
    encode = msgspec.json.Encoder().encode
    lines = [encode(schedule.header), *(encode(choice) for choice in schedule.choices), b""]
    try:
        Path(path).write_bytes(b"\n".join(lines))
    except OSError as error:
        raise ScheduleError(f"{path}: {error.strerror}") from None


def load(path: str) -> Schedule:
    """Read a schedule file. Raises ScheduleError, with the number of the line that is damaged."""
    try:
        lines = Path(path).read_bytes().split(b"\n")
    except OSError as error:
        raise ScheduleError(f"{path}: {error.strerror}") from None
    header = _header(path, lines[0])
    decode = msgspec.json.Decoder(Choice).decode
    choices = []
    for number, line in enumerate(lines[1 : header.choices + 1], 2):
        try:
            choices.append(decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ScheduleError(f"{path}: line {number}: damaged choice: {error}") from None
    if len(choices) < header.choices:
        raise ScheduleError(f"{path}: line {len(lines)}: cut short: {header.choices} choices were recorded, {len(choices)} are here")
    return Schedule(header, tuple(choices))


def _header(path: str, line: bytes) -> Header:
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScheduleError(f"{path}: line 1: not a schedule file: {error}") from None
    if header.format != FORMAT:
        raise ScheduleError(f"{path}: line 1: not a schedule file: format is {header.format!r}")
    if header.schema != SCHEMA:
        raise ScheduleError(
            f"{path}: line 1: written with schema {header.schema} by version {header.version}; this version reads schema {SCHEMA}"
        )
    return header


def run_command(
    program: str, argv: tuple[str, ...] = (), *, config: str = "quad", seed: int = 0, strategy: str = "timed", granularity: str = "ops",
    stdin: str = "", max_time_ns: int = 0, max_steps: int = 0,
) -> str:  # fmt: skip
    """The line that runs the same again: only what differs from the defaults is said, the seed always."""
    words = ["trapline", "run", program, "--config", config, "--seed", str(seed)]
    if strategy != "timed":
        words += ["--strategy", strategy, "--granularity", granularity]
    for option, value in (("--stdin", stdin), ("--max-time", max_time_ns), ("--max-steps", max_steps)):
        words += [option, str(value)] if value else []
    words += ["--", *argv] if any(word.startswith("-") for word in argv) else argv
    return shlex.join(words)


def replay_command(path: str) -> str:
    """The line that replays a saved schedule."""
    return shlex.join(["trapline", "replay", path])
