"""The project's claims about its machines, as functions of how often they are tried.

`make test` calls them with small sizes (tests/lecture, tests/determinism), `make sweep` with the full ones (`python -m tests.sweeps`).
Each raises AssertionError with the seed that broke the claim, or returns how many runs it made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import uvloop

from tests.lecture import checks
from trapline.machine import Machine, Run
from trapline.programs import Found

CONFIGS = ("uni", "dual", "quad", "many", "skewed")
DRIVERS = ("inline", "tasks on asyncio", "tasks on uvloop")


def drive(machine: Machine, found: Found, driver: str) -> Run:
    """One run under one of DRIVERS."""
    if driver == "inline":
        return machine.run(found)
    factory = uvloop.new_event_loop if driver.endswith("uvloop") else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(machine.run_async(found))


def lecture_holds(name: str, config: str, driver: str, seeds: Iterable[int]) -> int:
    """What the lecture says of the program, holds on this machine each time."""
    found = checks.lecture_program(name)
    count = 0
    for seed in seeds:
        checks.holds(name, drive(Machine(config, seed=seed, events=()), found, driver))
        count += 1
    return count


def first_wrong_seed(name: str, seeds: Iterable[int], config: str = "quad") -> int:
    """The first seed under which the unlocked program shows a wrong counter; there must be one."""
    found = checks.lecture_program(name)
    for seed in seeds:
        run = Machine(config, seed=seed, events=()).run(found)
        checks.holds(name, run)
        if not checks.is_right(run):
            return seed
    raise AssertionError(f"{name} lost no update on {config} in {seeds}")


def never_wrong(name: str, seeds: Iterable[int], config: str = "quad") -> int:
    """Under the lock no update is ever lost."""
    return lecture_holds(name, config, "inline", seeds)


def survives_every_delivery(name: str, seeds: Iterable[int]) -> int:
    """Every delivery a choice, every invariant checked after every message: no law is broken, and nothing is left."""
    found = checks.lecture_program(name)
    count = 0
    for seed in seeds:
        checks.survives(name, Machine("checked", seed=seed, strategy="random", granularity="messages", events=()).run(found))
        count += 1
    return count
