"""`trapline run`: one run of one program, in a supervised child."""

from __future__ import annotations

import secrets
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from trapline import config as configs
from trapline import reproduce, verdicts
from trapline.programs import Found, MissingProgramError, find
from trapline.supervisor import Ended, Request, supervise


class UsageError(Exception):
    """Something the user named cannot be used. One line; the command exits with 2."""


class Options(msgspec.Struct, frozen=True):
    """What the command line says besides program and arguments."""

    config: str = "quad"
    seed: int | None = None  # None: drawn from the host
    log: str = ""
    events: str = ""  # categories, separated by commas; "": as configured
    strategy: str = "timed"
    granularity: str = "ops"
    driver: str = "inline"
    stdin: str = ""  # file
    schedule: str = ""  # file to save the schedule to
    max_time_ns: int | None = None
    max_steps: int | None = None
    exit_status: bool = False  # pass the program's own status through
    json: bool = False


def run(program: str, argv: tuple[str, ...], options: Options) -> int:
    """The command's exit status."""
    try:
        config = configs.load(options.config)
        found = find(program)
        stdin = _stdin(options.stdin)
    except (configs.ConfigError, MissingProgramError) as error:
        raise UsageError(str(error)) from None
    seed = options.seed
    if seed is None:
        seed = secrets.randbelow(1 << 32)
        sys.stderr.write(f"seed {seed}\n")
        sys.stderr.flush()
    request = Request(
        program=program, argv=argv, config=config, config_name=options.config, seed=seed, strategy=options.strategy,
        granularity=options.granularity, driver=options.driver, stdin=stdin, stdin_file=options.stdin, events=_categories(options.events),
        max_time_ns=options.max_time_ns, max_steps=options.max_steps, log=options.log, save_schedule=options.schedule, capture=options.json,
    )  # fmt: skip
    return finish(request, found, json=options.json, exit_status=options.exit_status)


def _stdin(path: str) -> bytes:
    if not path:
        return b""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _categories(text: str) -> tuple[str, ...] | None:
    """`sched,op` to categories; `all` is every one, `none` is none."""
    known = configs.event_categories()
    names = {"": None, "all": known, "none": ()}.get(text, tuple(text.split(",")))
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UsageError(f"--events: unknown category {unknown[0]}: expected all, none or some of {','.join(known)}")
    return names


def finish(request: Request, found: Found, *, json: bool, exit_status: bool = False) -> int:
    """Run the request in a child, tell the user what came of it, and give the exit status."""
    files = [folder.file(name) for folder in found.library.folders for name in folder.sources]
    ended = supervise(request, files)
    if ended.outcome is not None and ended.outcome.refused:
        raise UsageError(ended.outcome.refused)
    if ended.returncode == -signal.SIGTERM:
        return 128 + signal.SIGTERM  # we were told to end, and passed it on
    report = _report(request, found, ended)
    interrupted = ended.interrupted
    if json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
        sys.stdout.buffer.flush()
    else:
        _tell(report, interrupted)
    kinds = [failure.kind for failure in report.failures]
    code = verdicts.exit_code(report.verdict, kinds, interrupted)
    return report.status if exit_status and not interrupted and code in (verdicts.EXIT_GOOD, verdicts.EXIT_FAILED) else code


def _tell(report: verdicts.RunReport, interrupted: bool) -> None:
    for failure in report.failures:
        say(verdicts.failure_text(failure))
    if interrupted:
        say("interrupted")
    elif report.verdict == verdicts.UNDETERMINED:
        say(f"undetermined: the run reached its limit (max_time_ns or max_steps) at {report.time_ns:,} ns")


def say(text: str) -> None:
    """A line of ours, on stderr."""
    sys.stderr.write(f"trapline: {text}\n")
    sys.stderr.flush()


def _report(request: Request, found: Found, ended: Ended) -> verdicts.RunReport:
    """The child's own report, or one made from the way in which it died."""
    outcome = ended.outcome
    if outcome is not None and outcome.report is not None:
        return outcome.report
    again = reproduce.run_command(
        request.program, request.argv, config=request.config_name, seed=request.seed, strategy=request.strategy,
        granularity=request.granularity, stdin=request.stdin_file, max_time_ns=request.max_time_ns or 0, max_steps=request.max_steps or 0,
    )  # fmt: skip
    if request.replay:
        again = reproduce.replay_command(request.replay)
    failures = () if ended.interrupted else (msgspec.structs.replace(_death(request, found, ended), reproduce=again),)
    return verdicts.RunReport(
        schema=verdicts.REPORT_SCHEMA, program=request.program, config=request.config_name, strategy=request.strategy, seed=request.seed,
        verdict=verdicts.verdict_of(failures, ended.interrupted), status=verdicts.STATUS_KILLED, stdout=verdicts.text_of(ended.stdout),
        stderr=verdicts.text_of(ended.stderr), time_ns=0, failures=failures,
    )  # fmt: skip


def _death(request: Request, found: Found, ended: Ended) -> verdicts.Failure:
    limit = request.config.run
    if ended.hang is not None:
        return _hang(found, ended.hang, limit.host_step_limit_s)
    if ended.outcome is not None and ended.outcome.out_of_memory:
        return verdicts.Failure(
            "panic", f"the machine's process reached its memory limit of {limit.host_memory_mib} MiB (run.host_memory_mib)"
        )
    how = f"was killed by signal {-ended.returncode}" if ended.returncode < 0 else f"ended with status {ended.returncode}"
    return verdicts.Failure("panic", f"the machine's process {how} and left no report")


def _hang(found: Found, hang: Any, limit_s: int) -> verdicts.Failure:
    if not hang.file:
        return verdicts.Failure(
            "hang", f"no op for {limit_s} s of host time (run.host_step_limit_s), and no program was running: a bug of the machine"
        )
    file = found.library.as_given(hang.file)
    limit = f"{limit_s} s of host time (run.host_step_limit_s)"
    text = f"{file}:{hang.line}: {hang.function} reached no op for {limit}: a loop needs an awaited op in it"
    return verdicts.Failure("hang", text, (verdicts.Where(file, hang.line),))
