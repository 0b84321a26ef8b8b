"""`Machine`: the Python interface for tests, notebooks and teachers.

    run = Machine("quad", seed=7).run("lock.py")
    assert run.verdict == "ok" and run.stdout.count(b"counter") == 10

A `Machine` is a description; each `run` boots a fresh one, so that the same object gives the same run twice. `run` drives it inline;
`run_async` drives it as asyncio tasks, for hosts that have a loop. Nothing here decides what happens inside: that is the kernel's.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actors import drivers
from actors.actor import Actor
from actors.boot import System
from actors.burial import bury
from actors.choices import Choice, RandomWalk, Replay, ReplayDiverged, Strategy, Timed
from actors.events import SCHEMA_VERSION, Event, RunEnd, RunStart
from actors.panic import Panic, panic_report
from actors.recorder import Recorder
from kernel.config import Config
from trapline import __version__
from trapline.config import config_hash, load
from trapline.judge import Judgement, judge
from trapline.programs import Found, find
from trapline.verdicts import Failure

USER_FRAMES = 900  # Python frames that user code may stack up: what a recursion without ops dies of, the same on every host


class Run(msgspec.Struct):
    """What one run gave."""

    status: int  # 0 to 255 of the first program, 128 + n for a signal
    stdout: bytes
    stderr: bytes
    verdict: str  # "ok", "failed", "undetermined"
    failures: list[Failure]
    log: list[Event]
    time_ns: int
    seed: int
    steps: int
    choices: list[Choice]
    notes: list[str]  # what the machine had to tell the user on the way
    panic: str = ""  # the report, if the kernel itself died
    schedule: str = ""  # path of the saved schedule, if one was saved
    system: Any = None  # the machine as it stood at the end, for reports and tests


class Services:
    """What a running machine may ask of its host."""

    def __init__(self, library: Any, heartbeat: Callable[[], None], output: Callable[[int, bytes], None] | None) -> None:
        self.library = library
        self.heartbeat = heartbeat
        self.graveyard: list[Any] = []  # coroutines that would not close
        self.written: dict[int, list[bytes]] = {1: [], 2: []}
        self.notes: list[str] = []
        self.exceptions: list[tuple[Any, int, int, str]] = []  # op, pid, tid, comm
        self.system: System | None = None
        self._output = output

    def console_write(self, stream: int, data: bytes) -> None:
        """Bytes for the user: stream 1 or 2."""
        self.written[stream].append(data)
        if self._output is not None:
            self._output(stream, data)

    def note(self, text: str) -> None:
        """One line for the user, on stderr at once."""
        self.notes.append(text)
        if self._output is not None:
            self._output(2, f"trapline: {text}\n".encode())

    def uncaught(self, op: Any, pid: int, tid: int, comm: str) -> None:
        """An exception left a program."""
        self.exceptions.append((op, pid, tid, comm))

    def add_core(self) -> int:
        """The wide machine needs one more core."""
        assert self.system is not None, "a machine that is not booted has no cores"
        return self.system.add_core()


def _nothing() -> None:
    """No heartbeat is wanted."""


class Machine:
    """A machine to run programs on."""

    def __init__(
        self,
        config: str | Config = "quad",
        *,
        seed: int = 0,
        strategy: str = "timed",
        granularity: str = "ops",
        driver: str = "inline",
        events: Iterable[str] | None = None,
        max_time_ns: int | None = None,
        max_steps: int | None = None,
        choices: Sequence[Choice] | None = None,
        heartbeat: Callable[[], None] = _nothing,
        output: Callable[[int, bytes], None] | None = None,
        log_writer: Callable[[bytes], None] | None = None,
        processors: Iterable[Any] = (),
    ) -> None:
        """`events` are categories (None: as configured); `choices` replays them; `output` gets the console's bytes as they come."""
        self.config = _configured(load(config), max_time_ns, max_steps)
        self.seed = seed
        self.strategy = strategy
        self.granularity = granularity
        self.driver = driver
        self.categories = tuple(self.config.events.categories if events is None else events)
        self.choices = choices
        self.heartbeat = heartbeat
        self.output = output
        self.log_writer = log_writer
        self.processors = tuple(processors)

    def run(self, program: str | Path | Found, argv: Sequence[str] = (), stdin: bytes = b"") -> Run:
        """Boot, run the program to the end, judge. `argv` excludes argv[0]. Raises ProgramError for a program that is refused."""
        live = self.boot(program, argv, stdin)
        live.drive()
        return live.finish()

    async def run_async(self, program: str | Path | Found, argv: Sequence[str] = (), stdin: bytes = b"") -> Run:
        """The same with actors as asyncio tasks."""
        live = self.boot(program, argv, stdin)
        await live.drive_async()
        return live.finish()

    def boot(self, program: str | Path | Found, argv: Sequence[str] = (), stdin: bytes = b"") -> LiveRun:
        """A machine with the program ready to start: to be driven step by step, or copied."""
        found = program if isinstance(program, Found) else find(str(program))
        return LiveRun(self, found, argv, stdin)

    def make_strategy(self) -> Strategy:
        """A fresh strategy for one run."""
        if self.choices is not None:
            return Replay(self.choices, self.strategy)
        return Timed(self.seed) if self.strategy == "timed" else RandomWalk(self.seed)


class LiveRun:
    """One booted machine."""

    def __init__(self, machine: Machine, found: Found, argv: Sequence[str], stdin: bytes) -> None:
        self.machine = machine
        self.found = found
        self.recorder = Recorder(machine.categories, machine.log_writer, machine.processors)
        self.services = Services(found.library, machine.heartbeat, machine.output)
        self.panic: Panic | None = None
        self.diverged = ""
        program = found.library.load(found.source, found.name)
        for warning in program.warnings:
            self.services.note(str(warning))
        loaded = program.instantiate(machine.config.run.record == "all")
        strategy = machine.make_strategy()
        self.system = System(machine.config, machine.seed, strategy, machine.granularity, self.recorder, self.services)
        self.services.system = self.system
        if self.recorder.choice_on:
            self.system.conductor.chooser.observer = self.recorder
        if self.recorder.run:
            self._log_start(argv)
        arguments = (found.name.encode(), *(text.encode("utf-8", "surrogateescape") for text in argv))
        if stdin:
            self.system.feed_console(stdin)
        self.system.feed_console(b"")
        self.system.spawn(found.path.encode(), arguments, ENVIRONMENT, loaded, loaded.records_ops)

    def _log_start(self, argv: Sequence[str]) -> None:
        machine, found = self.machine, self.found
        self.recorder.add(
            RunStart(
                schema=SCHEMA_VERSION, program=found.name, program_hash=found.library.program_hash(), argv=list(argv), version=__version__,
                config=machine.config.name, config_hash=config_hash(machine.config), strategy=machine.strategy,
                granularity=machine.granularity if machine.strategy != "timed" else "", seed=machine.seed, actor="host",
            )
        )  # fmt: skip

    def drive(self) -> None:
        """Run inline until the machine is idle or stopped."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(_depth() + USER_FRAMES)
        try:
            with _unawaited_is_the_programs_affair(), _no_generator_hooks():
                drivers.drive_inline(self.system.conductor, self._died)
        finally:
            sys.setrecursionlimit(limit)

    async def drive_async(self) -> None:
        """Run as asyncio tasks."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(_depth() + USER_FRAMES)
        try:
            with _unawaited_is_the_programs_affair():
                await drivers.drive_tasks(self.system.conductor, self._died)
        finally:
            sys.setrecursionlimit(limit)

    def _died(self, actor: Actor, error: BaseException) -> None:
        if isinstance(error, ReplayDiverged):
            self.diverged = str(error)
            return
        if isinstance(error, KeyboardInterrupt):
            self.system.conductor.stop_reason = "interrupted"
            return
        self.panic = panic_report(actor, error, self.recorder.events)

    def finish(self) -> Run:
        """Judge what the machine has come to."""
        judgement: Judgement = judge(self)
        clock = max((actor.clock for actor in self.system.conductor.actors.values()), default=0)
        if self.panic is None:
            self.system.stalls.dissolve(clock)
        if self.recorder.run:
            failures = [failure.message for failure in judgement.failures]
            self.recorder.add(RunEnd(verdict=judgement.verdict, status=judgement.status, failures=failures, actor="host", time_ns=clock))
        services = self.services
        if self.system.conductor.stop_reason != "paused":
            with _unawaited_is_the_programs_affair(), _no_generator_hooks():
                bury(self.system, services.graveyard)
        return Run(
            status=judgement.status, stdout=b"".join(services.written[1]), stderr=b"".join(services.written[2]), verdict=judgement.verdict,
            failures=judgement.failures, log=self.recorder.events, time_ns=clock, seed=self.machine.seed,
            steps=self.system.conductor.steps, choices=self.system.conductor.chooser.choices(), notes=services.notes,
            panic=str(self.panic) if self.panic is not None else "", system=self.system,
        )  # fmt: skip


@contextlib.contextmanager
def _unawaited_is_the_programs_affair() -> Iterator[None]:
    """No warning of Python's about coroutines of programs: it would name a line of the kernel, at whatever moment the collector runs."""
    hook = sys.unraisablehook
    sys.unraisablehook = _ignore
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="coroutine .* was never awaited", category=RuntimeWarning)
            yield
    finally:
        sys.unraisablehook = hook


@contextlib.contextmanager
def _no_generator_hooks() -> Iterator[None]:
    """A loop that runs around this machine must not adopt the asynchronous generators of programs."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*hooks)


def _ignore(unraisable: Any) -> None:
    """An exception in a `__del__`, or from a coroutine that the collector closes: the program's, and of no consequence."""


ENVIRONMENT = (b"PATH=/bin", b"HOME=/home/user", b"USER=user", b"TERM=dumb")


def _configured(config: Config, max_time_ns: int | None, max_steps: int | None) -> Config:
    changes: dict[str, Any] = {}
    if max_time_ns is not None:
        changes["max_time_ns"] = max_time_ns
    if max_steps is not None:
        changes["max_steps"] = max_steps
    return msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, **changes)) if changes else config


def _depth() -> int:
    frame, depth = sys._getframe(), 0
    current: Any = frame
    while current is not None:
        depth += 1
        current = current.f_back
    return depth
