"""The command line in tests: a program's text becomes a file of its own folder, and `trapline run` runs it as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.machines import PRELUDE

ROOT = Path(__file__).resolve().parents[2]
IMPATIENT = 'extends = "dual"\n[run]\nhost_step_limit_s = 1\n'  # a config for programs that hang


def trapline(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "trapline", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def run_text(folder: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`trapline run program.py` with this text; the star import is its first line, so the text begins in line 2."""
    (folder / "program.py").write_text(PRELUDE + text.lstrip("\n"), encoding="utf-8")
    return trapline(folder, "run", "program.py", "--seed", "1", *words)
