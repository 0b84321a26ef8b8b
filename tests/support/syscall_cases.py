"""The cases of tests/syscalls/cases: their names and expectations, and what each kernel says to them.

A case is an async function at the top of a file there, under `@expect(...)` with the one literal that both kernels must return. On our
kernel that file, with a generated `main`, is the program. On the host the same file runs with tests/support/host_libc.py for libc.
"""

from __future__ import annotations

import ast
import functools
import json
import subprocess
import sys
from pathlib import Path

from tests.support.machines import program, ran_well
from trapline.machine import Machine
from trapline.programs import Found

FOLDER = Path(__file__).parent.parent / "syscalls" / "cases"
ROOT = FOLDER.parent.parent.parent
KERNELS = ("ours", "host")
MAIN = """

async def main(argv):
    await printf("%s\\n", repr(await {{{table}}}[argv[1]]()))
"""


@functools.cache
def expectations(area: str) -> dict[str, str]:
    """Each case's name and, as text, what it must return."""
    found = {}
    for node in ast.parse((FOLDER / f"{area}.py").read_text()).body:
        for decorator in getattr(node, "decorator_list", ()):
            if isinstance(node, ast.AsyncFunctionDef) and isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "expect":
                assert node.name not in found, f"two cases are called {node.name}"
                found[node.name] = repr(ast.literal_eval(decorator.args[0]))
    return found


def cases(area: str) -> list[str]:
    """The names of an area's cases, in the order of the file."""
    return list(expectations(area))


@functools.cache
def _program(area: str) -> Found:
    table = ", ".join(f"{name!r}: {name}" for name in expectations(area))
    observe = (FOLDER / "observe.py").read_text()
    return program((FOLDER / f"{area}.py").read_text() + MAIN.format(table=table), area, observe=observe)


def _ours(area: str, case: str) -> str:
    run = ran_well(Machine("checked", seed=1, events=()).run(_program(area), (case,)))
    return run.stdout.decode().removesuffix("\n")


@functools.cache
def _host(area: str) -> dict[str, str]:
    command = [sys.executable, "-m", "tests.support.host_runner", str(FOLDER / f"{area}.py"), *expectations(area)]
    ended = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def check(area: str, case: str, kernel: str) -> None:
    """Assert that this kernel gives what the case expects."""
    seen = _ours(area, case) if kernel == "ours" else _host(area)[case]
    assert seen == expectations(area)[case], f"{kernel} says {seen}"
