"""Verdicts: what a run came to, what failed it, and with which status the command exits.

A run is `ok`, `failed` or `undetermined`; a spent budget (`max_time_ns`, `max_steps`) is never a pass. It fails by the status or fatal
signal of its *first* process, by an uncaught exception in any process, and by what the machine finds: deadlock, livelock, hang, panic.
A child's own status is its parent's business. The records here are the ones that `--json` prints, field for field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

OK: Final = "ok"
FAILED: Final = "failed"
UNDETERMINED: Final = "undetermined"
KINDS: Final = (
    "assertion", "exception", "signal", "exit_status", "deadlock", "livelock", "data_race", "leak", "hang", "panic", "nondeterminism",
)  # fmt: skip

EXIT_GOOD: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2  # also a bad config, a missing or refused program, a damaged file
EXIT_PANIC: Final = 3  # also the supervisor's memory limit
EXIT_UNDETERMINED: Final = 4
EXIT_INTERRUPTED: Final = 130
STATUS_KILLED: Final = 137  # 128 + SIGKILL: status of a first process that never ended by itself


class Where(msgspec.Struct, frozen=True):
    """A place in a program."""

    file: str  # as given on the command line
    line: int
    pid: int = 0
    tid: int = 0

    def __str__(self) -> str:
        who = f" (pid {self.pid}, tid {self.tid})" if self.tid else ""
        return f"{self.file}:{self.line}{who}"


class Failure(msgspec.Struct, frozen=True):
    """One thing that failed a run."""

    kind: str  # one of KINDS
    message: str  # what happened and who waits for whom; may have several lines
    where: tuple[Where, ...] = ()
    schedule_number: int = 0  # which schedule of an exploration; 0 for a run
    schedule: str | None = None  # a path that `replay` takes, where one was saved
    reproduce: str = ""  # the command to paste


class RunReport(msgspec.Struct, frozen=True, omit_defaults=False):
    """The document of `run --json`."""

    schema: int
    program: str
    config: str
    strategy: str
    seed: int
    verdict: str
    status: int  # 0 to 255, 128 + n for a signal
    stdout: str
    stderr: str
    time_ns: int  # virtual
    failures: tuple[Failure, ...]
    schedule: str | msgspec.UnsetType | None = msgspec.UNSET


REPORT_SCHEMA: Final = 1


def verdict_of(failures: Sequence[Any], undetermined: bool) -> str:
    """A failure that was found counts even if the budget ended then."""
    return FAILED if failures else UNDETERMINED if undetermined else OK


def exit_code(verdict: str, kinds: Iterable[str] = (), interrupted: bool = False) -> int:
    """The exit status of `trapline run` for a verdict and the kinds of its failures."""
    if interrupted:
        return EXIT_INTERRUPTED
    if "panic" in kinds:
        return EXIT_PANIC
    return {OK: EXIT_GOOD, FAILED: EXIT_FAILED}.get(verdict, EXIT_UNDETERMINED)


def text_of(data: bytes) -> str:
    """A program's output as text, bad bytes backslash-escaped."""
    return data.decode("utf-8", "backslashreplace")


def failure_text(failure: Failure) -> str:
    """What happened, where, and one line to run it again."""
    lines = [f"{failure.kind.replace('_', ' ')}: {failure.message}"]
    lines += [f"    at {place}" for place in failure.where if str(place) not in failure.message]
    if failure.reproduce:
        lines.append(f"to run it again: {failure.reproduce}")
    return "\n".join(lines)
