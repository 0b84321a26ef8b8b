"""What the README shows is what happens: its programs are written to a folder, its commands are run there, their output is compared.

A `python` block whose first line is a docstring `name.py - what it shows` is a file. In a `console` block a line `$ command` is
followed by its output. After a change of output that is wanted, `TRAPLINE_README=write` rewrites the page instead of failing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r'^"""(\w+\.py) - ')


def blocks(language: str) -> list[re.Match[str]]:
    return [match for match in BLOCK.finditer(README.read_text(encoding="utf-8")) if match[1] == language]


def commands() -> list[str]:
    return [line[2:] for block in blocks("console") for line in block[2].splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs, and `trapline` and `python` on the path."""
    path = tmp_path_factory.mktemp("readme")
    for block in blocks("python"):
        name = FILE.match(block[2])
        assert name is not None, f"a python block without a file name: {block[2][:60]}"
        (path / name[1]).write_text(block[2], encoding="utf-8")
    bin_folder = path / "bin"
    bin_folder.mkdir()
    for name, arguments in (("trapline", "-P -m trapline"), ("python", "")):
        script = bin_folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return path


def output_of(command: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return ran.stdout if not ran.stdout or ran.stdout.endswith("\n") else ran.stdout + "\n"


def with_real_output(block: str, folder: Path) -> str:
    lines = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{output_of(line[2:], folder)}" for line in lines)


@pytest.mark.skipif(os.name != "posix", reason="the commands are written for a POSIX shell")
def test_every_command_of_the_readme_prints_what_the_readme_shows(folder):
    text = README.read_text(encoding="utf-8")
    real = BLOCK.sub(lambda match: f"```console\n{with_real_output(match[2], folder)}```" if match[1] == "console" else match[0], text)
    if os.environ.get("TRAPLINE_README") == "write":
        README.write_text(real, encoding="utf-8")
    assert real == README.read_text(encoding="utf-8")


def test_the_readme_shows_what_its_text_says(folder):
    def shown(command: str) -> str:
        (found,) = [
            block[2].partition(f"$ {command}\n")[2].partition("\n$ ")[0] for block in blocks("console") if f"$ {command}\n" in block[2]
        ]
        return found

    assert "trapline:" not in shown("trapline run account.py --config uni --seed 1")
    quad = [shown(command) for command in commands() if re.fullmatch(r"trapline run account.py --config quad --seed \d", command)]
    assert sorted("90 left" in text for text in quad) == [False, True]  # one of the two loses money
    ops = re.findall(r"op=(load|store)", shown("trapline log account.jsonl | grep -E 'account.py:(8|10)'"))
    assert ops == ["load", "load", "store", "store"]
    for command in commands():
        if "nolock" in command:
            assert "-> 10" not in shown(command)
    assert shown("python check.py").split("\n")[:2] == ["uni lost a withdrawal: False", "quad lost a withdrawal: True"]


def test_every_target_of_make_in_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for block in blocks("sh"):
        for target in re.findall(r"^make (\w+)", block[2], re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
