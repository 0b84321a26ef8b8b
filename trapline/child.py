"""Inside the supervised child: boot the machine, drive it, write down what came of it.

Started by supervisor.py with the folder that holds the request. The program's output goes to our own descriptors as it comes, or to
files where a document is wanted. A first ^C ends the run at the machine's next choice, a second one ends the process.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

import msgspec

from actors.loader import describe
from trapline import __version__, reproduce, verdicts
from trapline.machine import LiveRun, Machine, Run
from trapline.programs import Found, MissingProgramError, find
from trapline.supervisor import CAPTURED, HANG, OUTCOME, REQUEST, Outcome, Request
from userspace.loader_check import ProgramError

REARM_S: Final = 0.5  # host seconds between two settings of the watchdog's alarm


class Watchdog:
    """Ends the process when no heartbeat comes: faulthandler writes where every thread is, and exits."""

    def __init__(self, limit_s: int, file: IO[bytes], flush: Callable[[], None]) -> None:
        self.limit_s = limit_s
        self._file = file
        self._flush = flush  # the log, so that a hang's log is at most REARM_S old
        self._armed_at = 0.0
        self._parent = os.getppid()

    def beat(self) -> None:
        """The machine lives. Cheap: the alarm is set again only every half second."""
        now = time.monotonic()
        if now - self._armed_at < REARM_S:
            return
        self._armed_at = now
        self._flush()
        faulthandler.dump_traceback_later(self.limit_s, exit=True, file=self._file)
        if os.getppid() != self._parent:
            os._exit(verdicts.EXIT_PANIC)  # whoever supervised us is gone: nobody reads the outcome

    def stop(self) -> None:
        """The run is over."""
        faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """Entry point of the child: the folder is the only argument."""
    folder = Path(sys.argv[1])
    request = msgspec.json.decode((folder / REQUEST).read_bytes(), type=Request)
    _limit_memory(request.config.run.host_memory_mib)
    try:
        outcome = execute(request, folder)
    except MemoryError:
        outcome = Outcome(out_of_memory=True)
    partial = folder / f"{OUTCOME}.part"
    partial.write_bytes(msgspec.json.encode(outcome))
    partial.replace(folder / OUTCOME)


def _limit_memory(mib: int) -> None:
    try:
        import resource  # POSIX only: elsewhere there is no limit
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mib << 20
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def execute(request: Request, folder: Path) -> Outcome:
    """Run what is asked for."""
    try:
        found = find(request.program)
        choices = reproduce.load(request.replay).choices if request.replay else None
        log = LogFile(request.log) if request.log else None
    except (MissingProgramError, reproduce.ScheduleError) as error:
        return Outcome(refused=str(error))
    except OSError as error:
        return Outcome(refused=f"{request.log}: {error.strerror}")
    with (folder / HANG).open("wb") as hang:
        watchdog = Watchdog(request.config.run.host_step_limit_s, hang, log.flush if log is not None else _nothing)
        watchdog.beat()
        machine = Machine(
            request.config, seed=request.seed, strategy=request.strategy, granularity=request.granularity, driver=request.driver,
            events=request.events, max_time_ns=request.max_time_ns, max_steps=request.max_steps, choices=choices,
            heartbeat=watchdog.beat, output=_capture(folder) if request.capture else _pass_on,
            log_writer=log.write if log is not None else None,
        )  # fmt: skip
        try:
            run, interrupted = _drive(machine, request, found)
        except ProgramError as error:
            return Outcome(refused=describe(error, found.library))
        finally:
            watchdog.stop()
            if log is not None:
                log.close()
    if log is not None and log.problem:
        return Outcome(refused=f"{request.log}: {log.problem}")
    if any(op.kind == "MemoryError" for op, *_ in run.system.services.exceptions):
        return Outcome(out_of_memory=True)
    return _report(request, found, run, interrupted)


class LogFile:
    """Where the log goes. A disk that fills up ends the log, not the machine."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("wb", buffering=1 << 16)  # noqa: SIM115 - closed by close()
        self.problem = ""  # why the log is not complete

    def write(self, data: bytes) -> None:
        """One event."""
        self._try(lambda: self._file.write(data))

    def flush(self) -> None:
        """What is buffered goes to the file."""
        self._try(self._file.flush)

    def close(self) -> None:
        """No more events."""
        self._try(self._file.close)

    def _try(self, act: Callable[[], object]) -> None:
        if self.problem:
            return
        try:
            act()
        except OSError as error:
            self.problem = error.strerror or "cannot be written"


def _nothing() -> None:
    """No log: nothing to flush."""


def _drive(machine: Machine, request: Request, found: Found) -> tuple[Run, bool]:
    """Boot and drive to the end; the first ^C asks the conductor to stop."""
    live = machine.boot(found, request.argv, request.stdin)
    conductor = live.system.conductor

    def interrupt(signo: int, _: FrameType | None) -> None:
        conductor.interrupted = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the second one does not wait for a choice

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        if request.driver == "tasks":
            _drive_tasks(live)
        else:
            live.drive()
    finally:
        signal.signal(signal.SIGINT, before)
    return live.finish(), conductor.interrupted


def _drive_tasks(live: LiveRun) -> None:
    """On uvloop where it is installed."""
    try:
        import uvloop  # optional: Windows and PyPy have none
    except ImportError:
        asyncio.run(live.drive_async())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(live.drive_async())


def _pass_on(stream: int, data: bytes) -> None:
    """The program's output is ours. A reader that has gone is its own business, a full disk is told: the run goes on."""
    try:
        while data:
            data = data[os.write(stream, data) :]
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        if stream == 1 and not isinstance(error, BrokenPipeError):
            _pass_on(2, f"trapline: stdout: {error.strerror}\n".encode())


def _capture(folder: Path) -> Callable[[int, bytes], None]:
    files: dict[int, Any] = {stream: (folder / name).open("wb", buffering=0) for stream, name in CAPTURED.items()}

    def write(stream: int, data: bytes) -> None:
        files[stream].write(data)

    return write


def _report(request: Request, found: Found, run: Run, interrupted: bool) -> Outcome:
    """The run's document, its schedule saved if that was asked for."""
    again = reproduce.run_command(
        request.program, request.argv, config=request.config_name, seed=request.seed, strategy=request.strategy,
        granularity=request.granularity, stdin=request.stdin_file, max_time_ns=request.max_time_ns or 0, max_steps=request.max_steps or 0,
    )  # fmt: skip
    if request.replay:
        again = reproduce.replay_command(request.replay)
    saved: str | None = None
    if request.save_schedule:
        try:
            reproduce.save(request.save_schedule, _schedule(request, found, run))
        except reproduce.ScheduleError as error:
            return Outcome(refused=str(error))
        saved = request.save_schedule
    failures = tuple(msgspec.structs.replace(failure, reproduce=again, schedule=saved) for failure in run.failures)
    report = verdicts.RunReport(
        schema=verdicts.REPORT_SCHEMA, program=request.program, config=request.config_name, strategy=request.strategy, seed=request.seed,
        verdict=run.verdict, status=run.status, stdout=verdicts.text_of(run.stdout), stderr=verdicts.text_of(run.stderr),
        time_ns=run.time_ns, failures=failures, schedule=saved if saved is not None else msgspec.UNSET,
    )  # fmt: skip
    return Outcome(report=report, interrupted=interrupted)


def _schedule(request: Request, found: Found, run: Run) -> reproduce.Schedule:
    header = reproduce.Header(
        format=reproduce.FORMAT, schema=reproduce.SCHEMA, version=__version__, program=request.program,
        program_hash=found.library.program_hash(), argv=request.argv, stdin=request.stdin, config=request.config, strategy=request.strategy,
        granularity=request.granularity, seed=request.seed, max_time_ns=request.max_time_ns, max_steps=request.max_steps,
        choices=len(run.choices),
    )  # fmt: skip
    return reproduce.Schedule(header, tuple(run.choices))
