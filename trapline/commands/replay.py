"""`trapline replay`: a saved schedule once more, choice by choice."""

from __future__ import annotations

from trapline import reproduce
from trapline.commands.run import UsageError, finish
from trapline.programs import MissingProgramError, find
from trapline.supervisor import Request


def replay(path: str, *, log: str = "", json: bool = False) -> int:
    """The command's exit status: as that of the run that was recorded."""
    try:
        schedule = reproduce.load(path)
        found = find(schedule.header.program)
    except (reproduce.ScheduleError, MissingProgramError) as error:
        raise UsageError(str(error)) from None
    header = schedule.header
    if found.library.program_hash() != header.program_hash:
        raise UsageError(f"{path}: {header.program} or a Python file beside it has changed since this schedule was recorded")
    request = Request(
        program=header.program, argv=header.argv, config=header.config, config_name=header.config.name, seed=header.seed,
        strategy=header.strategy, granularity=header.granularity, driver="inline", stdin=header.stdin, max_time_ns=header.max_time_ns,
        max_steps=header.max_steps, log=log, replay=path, capture=json,
    )  # fmt: skip
    return finish(request, found, json=json)
