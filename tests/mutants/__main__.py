"""`make mutants`: break the kernel on purpose, one mutant at a time, and see that the tests notice.

For each mutant of catalogue.py the tree is copied, the change applied, and a program run: a mutant that does not boot proves nothing.
Then the named folders are tested until the first failure, and one line says which test it was. Exit status 1 if a mutant survives,
does not boot or does not apply. `python -m tests.mutants NAME …` runs some of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.catalogue import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("kernel", "actors", "userspace", "trapline", "configs", "tests", "pyproject.toml")
MAX_LINES = 5  # of a mutant
TIME_LIMIT_S = 400
SMOKE = (
    "from trapline.machine import Machine\n"
    "for config in ('uni', 'quad'):\n"
    "    run = Machine(config, seed=1).run('pid')\n"
    "    assert run.verdict == 'ok' and run.stdout, (run.verdict, run.panic)\n"
)


def check_size(mutant: Mutant) -> None:
    """A mutant is at most five lines, and its place is not ambiguous."""
    text = (ROOT / mutant.file).read_text()
    assert text.count(mutant.old) == 1, f"{mutant.name}: its place stands {text.count(mutant.old)} times in {mutant.file}"
    lines = max(len(mutant.old.splitlines()), len(mutant.new.splitlines()))
    assert lines <= MAX_LINES + 1, f"{mutant.name}: {lines} lines are more than a mutant may have"


def copy_with(mutant: Mutant, target: Path) -> None:
    """The tree, broken."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        else:
            shutil.copy(source, target / name)
    path = target / mutant.file
    path.write_text(path.read_text().replace(mutant.old, mutant.new))


def python(target: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, with the copy's packages first."""
    environment = {**os.environ, "PYTHONPATH": str(target), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=target, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False
    )


def catcher(mutant: Mutant, target: Path) -> str:
    """The first test that fails; empty if none does. A test run that does not end counts as caught by whoever hung."""
    for folder in mutant.tests:
        try:
            done = python(target, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:warnings", folder)
        except subprocess.TimeoutExpired:
            return f"{folder} (did not end within {TIME_LIMIT_S} s)"
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        if found:
            return found.group(1)
    return ""


def judge(mutant: Mutant) -> bool:
    """Run one mutant, print its line; True if it was caught."""
    began = time.monotonic()
    check_size(mutant)
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        target = Path(folder)
        copy_with(mutant, target)
        smoke = python(target, "-c", SMOKE)
        if smoke.returncode:
            print(f"DOES NOT BOOT  {mutant.name}: {smoke.stderr.strip().splitlines()[-1:]}", flush=True)
            return False
        test = catcher(mutant, target)
    verdict = f"caught by {test}" if test else "SURVIVES"
    print(f"{mutant.name}: {mutant.breaks}: {verdict}  [{time.monotonic() - began:.0f} s]", flush=True)
    return bool(test)


def main(names: list[str]) -> int:
    """All mutants, or those named."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    caught = sum([judge(mutant) for mutant in chosen])
    print(f"{caught} of {len(chosen)} mutants caught")
    return 0 if chosen and caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
