"""Running small programs in tests: a source text becomes a program, a scenario becomes a sweep over seeds.

A sweep is the strong form of a test here: the same program under many seeds at message granularity, on the machine that checks all
invariants after every message, and with nothing left at the end. It counts what came out, so that a test can say which outcomes it
expects to see and which never.
"""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from actors.loader import Library
from kernel.config import Config
from trapline.machine import Machine, Run
from trapline.programs import Found

FULL = int(os.environ.get("TRAPLINE_SWEEP") or 0)  # `make sweep` says how many seeds; else each test has its smaller default
PRELUDE = "from userspace.libc import *\n"
DAWDLE = """
async def dawdle(most):  # a few ops, the seed decides how many: so that either side of a race has a chance to be first
    for _ in range((await getrandom(1))[0] % most):
        await cpu_relax()
"""


def program(source: str, name: str = "program", **others: str) -> Found:
    """A program from a text; `others` are further files of its folder. libc's import and `dawdle` are added."""
    sources = {key: _complete(text) for key, text in {name: source, **others}.items()}
    return Found(name, f"/home/user/{name}", sources[name], Library(sources))


def _complete(text: str) -> bytes:
    text = textwrap.dedent(text)
    text = text if "userspace.libc" in text else PRELUDE + text
    return (text + DAWDLE if "dawdle(" in text else text).encode()


def run(source: str | Found, config: str | Config = "quad", **options: Any) -> Run:
    """Run a program once; `argv` and `stdin` go to the run, the rest to the machine."""
    found = source if isinstance(source, Found) else program(source)
    argv, stdin = options.pop("argv", ()), options.pop("stdin", b"")
    return Machine(config, **options).run(found, argv, stdin)


def ran_well(result: Run) -> Run:
    """Assert that a run is `ok`, showing everything that explains why it is not."""
    assert result.verdict == "ok", explain(result)
    return result


def explain(result: Run) -> str:
    """A run that should have been good, for the assertion's message."""
    failures = "\n".join(f"{failure.kind}: {failure.message}" for failure in result.failures)
    written = (result.stdout + b"\n" + result.stderr).decode(errors="replace")
    return f"seed {result.seed}: {result.verdict}\n{failures}\n{result.panic}\n{written}"


def sweep(
    source: str | Found,
    *,
    quick: int = 25,
    config: str | Config = "checked",
    orders: Sequence[str] = (),
    judge: Callable[[Run], Any] = lambda run: run.stdout,
    argv: Sequence[str] = (),
    leftovers: bool = True,
    timed: bool = False,
    **options: Any,
) -> Counter[Any]:
    """Run under many seeds at message granularity; every run must be ok and leave nothing. Counts what `judge` says of each run.

    `timed` adds as many runs in virtual time's order: under search a timer fires at any moment, which leaves no time before it.
    With `orders`, the program prints which side came first, or how it went: one of `orders`, and each of them must occur in some run.
    """
    found = source if isinstance(source, Found) else program(source)
    settings: dict[str, Any] = {"granularity": "messages", "events": (), **options}
    outcomes: Counter[Any] = Counter()
    for seed, strategy in product(range(max(FULL, quick)), ("random", "timed") if timed else ("random",)):
        result = ran_well(Machine(config, seed=seed, strategy=strategy, **settings).run(found, argv))
        if leftovers:
            left = result.system.leftovers()
            assert not left, f"{strategy}, seed {seed} leaves {left}"
        outcomes[judge(result)] += 1
    if orders:
        seen = {outcome.decode(): count for outcome, count in outcomes.items()}
        assert set(seen) == set(orders), f"expected each of {list(orders)}, saw {seen}"
    return outcomes
