"""The child process that a run lives in: limits, the hang report, and what is left to say when it dies.

A program may loop without ever reaching an op, eat the host's memory, or be killed. So `trapline run` starts the machine in a child with
a fixed hash seed and a memory limit, and stays outside:

    parent   writes request.json, waits, forwards ^C                     reads outcome.json, or hang.txt, or the exit status
    child    reads the request, boots and drives (child.py)              a watchdog: no heartbeat for `host_step_limit_s` -> hang.txt, exit

The watchdog is faulthandler's own C thread: it also stops a loop inside C code, which exceptions thrown from timers do not.
Files in a private temporary folder carry everything, so that a half-written answer is recognised as one.
This protects the machine's determinism from mistakes, not the host from malice.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from kernel.config import Config
from trapline.verdicts import RunReport

REQUEST: Final = "request.json"
OUTCOME: Final = "outcome.json"
HANG: Final = "hang.txt"
CAPTURED: Final = {1: "stdout.bin", 2: "stderr.bin"}
ENTRY: Final = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); from trapline.child import main; main()"
_FRAME: Final = re.compile(r'^\s*File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$', re.MULTILINE)


class Request(msgspec.Struct, frozen=True):
    """What the child is asked to run."""

    program: str  # as given on the command line
    argv: tuple[str, ...]
    config: Config
    config_name: str  # as given: a name or a file
    seed: int
    strategy: str
    granularity: str
    driver: str
    stdin: bytes = b""
    stdin_file: str = ""  # where it came from, for the command to paste
    events: tuple[str, ...] | None = None  # None: as configured
    max_time_ns: int | None = None
    max_steps: int | None = None
    log: str = ""  # file to write the log to; "": none
    save_schedule: str = ""  # file to write the schedule to; "": none
    replay: str = ""  # schedule file whose choices are followed; "": none
    capture: bool = False  # keep the output for a document, instead of passing it on


class Outcome(msgspec.Struct, frozen=True):
    """What the child has to say, if it lived to say it. Exactly one of `report` and `refused` is there."""

    report: RunReport | None = None
    refused: str = ""  # a program, log or schedule that cannot be used
    out_of_memory: bool = False
    interrupted: bool = False


class Hang(msgspec.Struct, frozen=True):
    """No op was reached in time: where the program was."""

    file: str  # as the log calls it; "" if no frame of a program was found
    line: int
    function: str


class Ended(msgspec.Struct, frozen=True):
    """How a child ended."""

    outcome: Outcome | None
    hang: Hang | None
    returncode: int  # as subprocess has it: negative for a signal
    stdout: bytes  # what was captured
    stderr: bytes

    @property
    def interrupted(self) -> bool:
        """By ^C: at a choice, or, where none came, at once."""
        return self.returncode == -signal.SIGINT or (self.outcome is not None and self.outcome.interrupted)


def supervise(request: Request, program_files: Iterable[str]) -> Ended:
    """Run the request in a child and wait for it; ^C is forwarded. `program_files` are names under which programs are compiled."""
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        Path(folder, REQUEST).write_bytes(msgspec.json.encode(request))
        returncode = _run_child(folder)
        captured = [_content(folder, CAPTURED[stream]) for stream in (1, 2)]
        outcome = _outcome(_content(folder, OUTCOME))
        hang = parse_hang(_content(folder, HANG).decode("utf-8", "replace"), program_files) if outcome is None else None
        return Ended(outcome, hang, returncode, *captured)


def _run_child(folder: str) -> int:
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": path}
    command = [sys.executable, "-P", "-c", ENTRY, folder]
    group = {"process_group": 0} if os.name == "posix" else {}  # ^C comes to us alone, and we pass on each one once
    child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, **group)  # type: ignore[call-overload]  # noqa: S603 - our own interpreter

    def forward(signo: int, _: FrameType | None) -> None:
        child.send_signal(signo)

    before = {signo: signal.signal(signo, forward) for signo in (signal.SIGINT, signal.SIGTERM)}
    try:
        return int(child.wait())
    finally:
        for signo, handler in before.items():
            signal.signal(signo, handler)
        if child.poll() is None:
            child.kill()


def _content(folder: str, name: str) -> bytes:
    try:
        return Path(folder, name).read_bytes()
    except FileNotFoundError:
        return b""


def _outcome(content: bytes) -> Outcome | None:
    try:
        return msgspec.json.decode(content, type=Outcome)
    except msgspec.DecodeError:
        return None


def parse_hang(dump: str, program_files: Iterable[str]) -> Hang | None:
    """The innermost frame of a program in what faulthandler wrote; None if it wrote nothing."""
    if not dump.strip():
        return None
    files = frozenset(program_files)
    for match in _FRAME.finditer(dump):
        if match["file"] in files:
            return Hang(match["file"], int(match["line"]), match["function"])
    return Hang("", 0, "")
