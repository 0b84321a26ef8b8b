"""The project's other judges, run as a user would: import contracts, types, style, and that what is stated twice agrees."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from actors import events
from kernel import config
from trapline import __version__

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def run(*words: str) -> str:
    """Output of a tool; the empty string if it is content."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [(str(BIN / "lint-imports"),), (sys.executable, "-m", "mypy"), (sys.executable, "-m", "ruff", "check", ".")],
    ids=["imports", "types", "style"],
)
def test_the_tool_is_content(words):
    assert run(*words) == ""


def test_event_categories_are_the_same_for_config_and_schema():
    assert events.CATEGORIES == config.EVENT_CATEGORIES


def test_the_version_is_stated_once_for_users_and_once_for_packagers():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_every_package_of_the_wheel_says_that_it_is_typed():
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert [name for name in packages if not (ROOT / name / "py.typed").is_file()] == []


def test_every_make_target_explains_itself():
    makefile = (ROOT / "Makefile").read_text()
    for target in ("run", "test", "bench", "lint", "sweep", "mutants"):
        assert f"\n{target}: $(STAMP)  ## " in makefile
