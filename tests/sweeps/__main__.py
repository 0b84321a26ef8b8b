"""`make sweep`: every claim at full size, one line each with the runs that were made. Ends with 1 if one does not hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.determinism import comparing
from tests.lecture import checks
from tests.sweeps import claims

ROOT = Path(__file__).parents[2]
SEEDS = 50  # of each program on each machine under each driver
FEW = 20  # seeds within which the unlocked programs must go wrong: "launch it a few times"
MANY = 500  # seeds in which the locked ones never do
DELIVERIES = 300  # seeds of each program, and of each scenario, with every delivery a choice
SHARE = float(os.environ.get("TRAPLINE_SWEEP_SHARE") or 1)  # for a trial of the sweep itself: 0.1 is a tenth of everything

Claim = tuple[str, Callable[[], str]]


def of(count: int) -> range:
    """Seeds of a claim."""
    return range(max(2, int(count * SHARE)))


def lecture(name: str) -> str:
    """On every machine, under every driver."""
    runs = sum(claims.lecture_holds(name, config, driver, of(SEEDS)) for config in claims.CONFIGS for driver in claims.DRIVERS)
    return f"{runs} runs"


def determinism() -> str:
    """All triples."""
    with tempfile.TemporaryDirectory() as folder:
        return f"{comparing.same_everywhere(Path(folder), len(comparing.TRIPLES))} runs of {len(comparing.TRIPLES)} triples"


def interleavings() -> str:
    """The folder tests/interleavings, whose tests take their number of seeds from TRAPLINE_SWEEP."""
    seeds = len(of(DELIVERIES))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/interleavings"]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, "TRAPLINE_SWEEP": str(seeds)}, stdout=subprocess.PIPE, text=True)
    assert ended.returncode == 0, ended.stdout[-4000:]
    passed = re.search(r"(\d+) passed", ended.stdout)
    return f"{passed[1] if passed else 0} scenarios with {seeds} seeds each"


def all_claims() -> Iterator[Claim]:
    """In the order of the lecture: what it says, what it warns of, what it promises; then the kernel's own."""
    where = f"{', '.join(claims.CONFIGS)}; {', '.join(claims.DRIVERS)}"
    for name in checks.PROMISED:
        yield f"{name}: what the lecture says holds ({where})", lambda name=name: lecture(name)
    for name in ("lock_nolock", "thread_nolock"):
        yield (
            f"{name}: a wrong counter on quad within {FEW} seeds",
            lambda name=name: f"seed {claims.first_wrong_seed(name, range(FEW))}",
        )
    for name in ("lock", "thread"):
        yield f"{name}: never a wrong counter on quad", lambda name=name: f"{claims.never_wrong(name, of(MANY))} runs"
    for name in checks.CHECKS:
        yield (
            f"{name}: no order of messages breaks a law or leaves anything",
            lambda name=name: f"{claims.survives_every_delivery(name, of(DELIVERIES))} runs",
        )
    yield "same program, config and seed: same log (drivers, loops, PYTHONHASHSEED, replay)", determinism
    yield "each hard case of the kernel, every delivery a choice (tests/interleavings)", interleavings


def main() -> int:
    """Exit status: 1 if a claim does not hold."""
    broken = 0
    for claim, prove in all_claims():
        began = time.monotonic()
        try:
            outcome = f"holds, {prove()}"
        except AssertionError as error:
            broken += 1
            outcome = f"BROKEN: {error}"
        print(f"{claim}: {outcome} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{broken} claims are broken" if broken else "all claims hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
