"""The wheel: built from the sources, installed into an empty environment elsewhere, it runs the lecture's program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("actors", "configs", "kernel", "trapline", "userspace", "pyproject.toml", "README.md", "LICENSE")
NO_NETWORK = ("NameResolutionError", "NewConnectionError", "No matching distribution", "Could not find a version", "No module named pip")


def pip(*words: str, cwd: Path) -> None:
    """Run pip; without a network, or without pip, the test cannot say anything."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_RETRIES": "1", "PIP_TIMEOUT": "5"}
    ran = subprocess.run([sys.executable, "-m", "pip", *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode and any(sign in ran.stderr + ran.stdout for sign in NO_NETWORK):
        pytest.skip("no package index can be reached")
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of a fresh environment that has nothing but the wheel and what it needs."""
    place = tmp_path_factory.mktemp("wheel")
    sources = place / "sources"
    sources.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, sources / name)
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(place), str(sources), cwd=place)
    (wheel,) = place.glob("*.whl")
    environment = place / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    interpreter = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip("--python", str(interpreter), "install", "--quiet", str(wheel), cwd=place)
    return interpreter


def command(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The installed `trapline`, with nothing of the sources in reach."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    script = python.with_name("trapline")
    return subprocess.run([str(script), *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_installed_command_runs_the_lectures_program(python, tmp_path):
    ran = command(python, tmp_path, "run", "lock", "--config", "quad", "--seed", "7")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("counter") == 10


def test_the_installed_command_finds_its_machines_and_its_calls(python, tmp_path):
    machines = command(python, tmp_path, "configs")
    assert machines.returncode == 0
    assert {"quad", "tiny", "checked"} <= {line.split()[0] for line in machines.stdout.splitlines()}
    calls = command(python, tmp_path, "syscalls")
    assert calls.returncode == 0
    assert "execve" in calls.stdout


def test_an_installed_program_of_the_users_own_folder_runs(python, tmp_path):
    (tmp_path / "mine.py").write_text("from userspace.libc import *\n\nasync def main():\n    await execv('/bin/echo', ['echo', 'mine'])\n")
    ran = command(python, tmp_path, "run", "mine.py", "--seed", "1")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "mine\n", "")
