"""The command line: subcommands, their options, and the exit status. What they do stands in trapline/commands/.

0 good   1 failed   2 usage, config, missing or refused program   3 kernel panic or memory limit   4 undetermined   130 ^C
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trapline import __version__, verdicts
from trapline.commands import configs as configs_command
from trapline.commands import log as log_command
from trapline.commands import replay as replay_command
from trapline.commands import run as run_command
from trapline.commands import syscalls as syscalls_command


class StrategyName(StrEnum):
    """Who decides what runs next."""

    timed = "timed"
    random = "random"


class Granularity(StrEnum):
    """What `random` chooses between."""

    ops = "ops"
    messages = "messages"


class Driver(StrEnum):
    """How actors are driven; both mean the same."""

    tasks = "tasks"
    inline = "inline"


class By(StrEnum):
    """What a lane stands for."""

    cpu = "cpu"
    thread = "thread"


class LogGroup(TyperGroup):
    """`trapline log FILE` shows FILE: a first word that is no subcommand is a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `show` in front where no subcommand is named."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


_SETTINGS: dict[str, Any] = {
    "add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False, "no_args_is_help": True,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}  # fmt: skip
app = typer.Typer(
    name="trapline", help="A multi-core Unix kernel built of actors: see, provoke, find and explain concurrency bugs.", **_SETTINGS
)
log_app = typer.Typer(cls=LogGroup, help="Look into an event log: trapline log [show|lanes|why] FILE.", **_SETTINGS)
app.add_typer(log_app, name="log")

ProgramArgument = Annotated[str, typer.Argument(help="A Python file (with / or .py), or a program in /bin.", show_default=False)]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="An event log.", show_default=False)]
EventOption = Annotated[list[str] | None, typer.Option("--event", help="Only events of this name; repeatable.", show_default=False)]
CategoryOption = Annotated[list[str] | None, typer.Option("--category", help="Only this category; repeatable.", show_default=False)]
PidOption = Annotated[list[int] | None, typer.Option("--pid", help="Only this process; repeatable.", show_default=False)]
TidOption = Annotated[list[int] | None, typer.Option("--tid", help="Only this thread; repeatable.", show_default=False)]
CpuOption = Annotated[list[int] | None, typer.Option("--cpu", help="Only this core; repeatable.", show_default=False)]
FromOption = Annotated[int | None, typer.Option("--from", metavar="NS", help="From this virtual time on.", show_default=False)]
ToOption = Annotated[int | None, typer.Option("--to", metavar="NS", help="Up to this virtual time.", show_default=False)]
LimitOption = Annotated[int, typer.Option("--limit", min=0, help="Lines at most; 0: all.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, the program's output inside it.")]
LogOption = Annotated[str, typer.Option("--log", metavar="FILE", help="Write the event log to FILE.", show_default=False)]


def exits(command: Callable[..., int]) -> Callable[..., None]:
    """The process's exit status is what the command returns; what stops a command early is told in one line."""

    @functools.wraps(command)
    def run_command_line(**arguments: Any) -> None:
        try:
            status = command(**arguments)
            sys.stdout.flush()
        except run_command.UsageError as error:
            run_command.say(str(error))
            status = verdicts.EXIT_USAGE
        except KeyboardInterrupt:
            status = verdicts.EXIT_INTERRUPTED
        except BrokenPipeError:  # `trapline log … | head`: the reader has seen enough
            _discard_output()
            status = verdicts.EXIT_GOOD
        except OSError as error:  # every file of ours is opened where its name can be told
            _discard_output()
            run_command.say(f"stdout: {error.strerror}")
            status = verdicts.EXIT_USAGE
        raise typer.Exit(status)

    return run_command_line


def _discard_output() -> None:
    """What is still buffered for stdout has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"trapline {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """A multi-core Unix kernel built of actors: see, provoke, find and explain concurrency bugs."""


@app.command()
@exits
def run(
    program: ProgramArgument,
    args: Annotated[list[str] | None, typer.Argument(help="Its arguments; after -- also such with dashes.", show_default=False)] = None,
    config: Annotated[str, typer.Option(metavar="NAME|FILE", help="The machine: see `trapline configs`.")] = "quad",
    seed: Annotated[
        int | None, typer.Option(min=0, help="Makes the run repeatable; without it a fresh one is drawn.", show_default=False)
    ] = None,
    log: LogOption = "",
    events: Annotated[str, typer.Option(metavar="CATEGORIES", help="What to log: sched,op,…; all; none.", show_default=False)] = "",
    strategy: Annotated[StrategyName, typer.Option(help="Who decides what runs next.")] = StrategyName.timed,
    granularity: Annotated[Granularity, typer.Option(help="What `random` chooses between.")] = Granularity.ops,
    driver: Annotated[Driver, typer.Option(help="How actors are driven; both mean the same.")] = Driver.inline,
    stdin: Annotated[str, typer.Option(metavar="FILE", help="The program's standard input; - is ours.", show_default=False)] = "",
    schedule: Annotated[str, typer.Option(metavar="FILE", help="Save the schedule, for `trapline replay`.", show_default=False)] = "",
    max_time: Annotated[
        int | None, typer.Option(min=1, metavar="NS", help="Virtual time at which the run ends undetermined.", show_default=False)
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Choices after which the run ends undetermined.", show_default=False)] = None,
    exit_status: Annotated[bool, typer.Option("--exit-status", help="Exit with the program's own status (128 + signal).")] = False,
    json: JsonOption = False,
) -> int:
    """Run a program on a machine."""
    given = run_command.Options(
        config=config, seed=seed, log=log, events=events, strategy=strategy.value, granularity=granularity.value, driver=driver.value,
        stdin=stdin, schedule=schedule, max_time_ns=max_time, max_steps=max_steps, exit_status=exit_status, json=json,
    )  # fmt: skip
    return run_command.run(program, tuple(args or ()), given)


@app.command()
@exits
def replay(
    schedule: Annotated[str, typer.Argument(help="A file that `run --schedule` saved.", show_default=False)],
    log: LogOption = "",
    json: JsonOption = False,
) -> int:
    """Run a saved schedule again, choice by choice."""
    return replay_command.replay(schedule, log=log, json=json)


@log_app.command()
@exits
def show(
    file: FileArgument, event: EventOption = None, category: CategoryOption = None, pid: PidOption = None, tid: TidOption = None,
    cpu: CpuOption = None, from_ns: FromOption = None, to_ns: ToOption = None, limit: LimitOption = 0,
) -> int:  # fmt: skip
    """One line per event."""
    wanted = log_command.make_filter(event or [], category or [], pid or [], tid or [], cpu or [], from_ns, to_ns)
    return log_command.show(file, wanted, limit)


@log_app.command()
@exits
def lanes(
    file: FileArgument, by: Annotated[By, typer.Option(help="What a column stands for.")] = By.cpu, event: EventOption = None,
    category: CategoryOption = None, pid: PidOption = None, tid: TidOption = None, cpu: CpuOption = None, from_ns: FromOption = None,
    to_ns: ToOption = None, limit: LimitOption = 0,
    width: Annotated[int, typer.Option(min=8, max=120, help="Characters of a column.")] = 24,
) -> int:  # fmt: skip
    """What each core or thread did when, side by side."""
    wanted = log_command.make_filter(event or [], category or [], pid or [], tid or [], cpu or [], from_ns, to_ns)
    return log_command.lanes(file, wanted, by.value, limit, width)


@log_app.command()
@exits
def why(
    file: FileArgument, tid: Annotated[int, typer.Argument(metavar="TID", help="A thread.", show_default=False)], limit: LimitOption = 0
) -> int:
    """Why a thread waited, and who woke it."""
    return log_command.why(file, tid, limit)


@app.command()
@exits
def syscalls() -> int:
    """The system call table."""
    return syscalls_command.syscalls()


@app.command()
@exits
def configs() -> int:
    """The machines that ship with Trapline."""
    return configs_command.configs()


def _open_standard_descriptors() -> None:
    """A descriptor 0, 1 or 2 that is closed would be given to the next file that is opened, and that would get the program's output."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, "r" if descriptor == 0 else "w", encoding="utf-8"))


def main() -> None:
    """Run the command; the process exits with its status."""
    _open_standard_descriptors()
    app(prog_name="trapline")
