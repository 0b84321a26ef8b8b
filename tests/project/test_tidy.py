"""The house style as a test: sizes with a ratchet, bans with a replacement in the message, one border between program and kernel."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("kernel", "actors", "userspace", "trapline", "configs")
SIMULATED = ("kernel", "actors", "userspace")  # what runs inside the machine: nothing of the host may show through
PROGRAMS = ("userspace/bin/", "userspace/lecture/")  # written as users write: no rules for modules of the product
TEXTS = (".py", ".toml", ".md", ".txt", ".pyi", ".yml", ".json")

MODULE_LINES = 400
FUNCTION_LINES = 60
LONG_MODULES: dict[str, int] = {
    "actors/messages/files.py": 437,  # one protocol, one class a request
}  # path: lines. May only shrink: a listed module that got shorter must be listed with its new size
LONG_FUNCTIONS: dict[str, int] = {
    "actors/execute.py:burst": 66,  # the hot loop: a call there costs what an op does
}  # path:name: lines. May only shrink

BANNED_IMPORTS = {
    "time": "the actor's `clock`",
    "datetime": "the actor's `clock`",
    "random": "a kernel.rng.Stream",
    "secrets": "a kernel.rng.Stream",
    "uuid": "a number that the owner counts",
}
BANNED_CALLS = {"id": "a number that the owner counts", "hash": "zlib.crc32 of the bytes meant"}
ALLOWED = {  # path: what it may use although it is banned, with the reason
    "kernel/rng.py": {"random"},  # the one module that draws
    "actors/loader_image.py": {"id"},  # the memo of copy.deepcopy is keyed by id()
    "kernel/processes/reexecution.py": {"id"},  # the same
}
YIELDS = {  # modules of userspace with a `yield` of their own, and why
    "userspace/trap.py",  # the border
    "userspace/loader_check.py",  # runs on the host, before the program does
    "userspace/loader_names.py",  # the same
    "userspace/loader_shared.py",  # the same
}


@functools.cache
def modules(*folders: str) -> dict[str, str]:
    """Path relative to the root -> source, of every Python file in these folders."""
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


@functools.cache
def tree_of(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def of_product() -> list[str]:
    return [path for path in modules(*PRODUCT) if not path.startswith(PROGRAMS)]


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, f"{prefix}{node.name}." if isinstance(node, ast.ClassDef) else prefix)


def over(sizes: dict[str, int], limit: int, listed: dict[str, int]) -> list[str]:
    """What is too long, and what of the list is out of date."""
    problems = []
    for name, size in sizes.items():
        allowed = listed.get(name, limit)
        if size > allowed:
            problems.append(f"{name}: {size} lines, at most {allowed}: cut it by subject")
        elif name in listed and size < allowed:
            problems.append(f"{name}: has shrunk to {size} lines: " + ("list that" if size > limit else "take it off the list"))
    return problems + [f"{name}: listed, but not there" for name in listed if name not in sizes]


def test_no_module_is_longer_than_400_lines():
    sizes = {
        path: text.count("\n")
        for path, text in modules(*PRODUCT).items()
        if "constants" not in path and not re.search(r"_values\.py$", path)
    }
    assert over(sizes, MODULE_LINES, LONG_MODULES) == []


def test_no_function_is_longer_than_60_lines():
    sizes = {f"{path}:{name}": node.end_lineno - node.lineno + 1 for path in of_product() for name, node in functions(tree_of(path))}
    assert over(sizes, FUNCTION_LINES, LONG_FUNCTIONS) == []


def test_every_module_opens_by_teaching():
    assert [path for path in of_product() if modules(*PRODUCT)[path].strip() and ast.get_docstring(tree_of(path)) is None] == []


def test_annotations_are_never_evaluated():
    missing = [
        path
        for path in of_product()
        if not path.endswith("__init__.py") and "from __future__ import annotations" not in modules(*PRODUCT)[path]
    ]
    assert missing == []


def banned_uses(path: str, tree: ast.Module) -> Iterator[str]:
    allowed = ALLOWED.get(path, set())
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        yield from (
            f"{path}:{node.lineno}: imports {name}: use {BANNED_IMPORTS[name]}"
            for name in names
            if name in BANNED_IMPORTS and name not in allowed
        )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in set(BANNED_CALLS) - allowed:
            yield f"{path}:{node.lineno}: calls {node.func.id}(): use {BANNED_CALLS[node.func.id]}"
        if isinstance(node, ast.Attribute) and node.attr == "environ" and isinstance(node.value, ast.Name) and node.value.id == "os":
            yield f"{path}:{node.lineno}: reads os.environ: use a config key"
        if isinstance(node, ast.FunctionDef) and node.name == "__del__":
            yield f"{path}:{node.lineno}: has __del__: collection is no event; end things by a message"
        yield from (f"{path}:{place.lineno}: iterates over a set: use a dict, or sorted(…)" for place in set_iterations(node))


def is_set(node: ast.AST) -> bool:
    return isinstance(node, ast.Set | ast.SetComp) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    )


def set_iterations(node: ast.AST) -> Iterator[ast.expr]:
    """Places where the order of a set would show."""
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        sources = [node.iter]
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("list", "tuple", "enumerate", "iter", "zip", "map", "dict")
    ) or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("join", "extend", "fromkeys")):
        sources = list(node.args)
    elif isinstance(node, ast.Starred):
        sources = [node.value]
    else:
        sources = []
    yield from (source for source in sources if is_set(source))


def test_nothing_of_the_host_shows_through():
    # userspace/lecture and bin are programs: the loader's own checks judge them
    paths = [path for path in modules(*SIMULATED) if not path.startswith(PROGRAMS) and path != "userspace/libc/time.py"]
    assert [use for path in paths for use in banned_uses(path, tree_of(path))] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import time", "imports time: use the actor's `clock`"),
        ("from random import Random", "imports random: use a kernel.rng.Stream"),
        ("x = id(y)", "calls id()"),
        ("x = hash(y)", "calls hash()"),
        ("import os\nx = os.environ", "reads os.environ"),
        ("class A:\n    def __del__(self): pass", "has __del__"),
        ("for x in {1, 2}: pass", "iterates over a set"),
        ("y = [x for x in set(z)]", "iterates over a set"),
        ("y = list(frozenset(z))", "iterates over a set"),
        ("y = ','.join({str(x) for x in z})", "iterates over a set"),
    ],
)
def test_each_ban_is_noticed(text, found):
    assert any(found in use for use in banned_uses("x.py", ast.parse(text)))


def test_sorted_sets_and_membership_are_no_iteration():
    assert list(banned_uses("x.py", ast.parse("for x in sorted(set(y)): pass\nz = 1 in {1, 2}"))) == []


def test_there_is_one_border_between_program_and_kernel():
    yields = [
        f"{path}:{node.lineno}"
        for path in modules("userspace")
        if path not in YIELDS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Yield | ast.YieldFrom)
    ]
    assert yields == []


def texts() -> Iterator[tuple[str, str]]:
    folders = (*PRODUCT, "tests", "benchmarks", "docs", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()] + [
        path for path in ROOT.iterdir() if path.is_file()
    ]
    for path in sorted(files):
        if path.suffix in TEXTS or path.name in ("Makefile", "run", "LICENSE"):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace")


def test_the_project_stands_alone():
    outside = re.compile(r"/wor[k]/|\.\./share[d]|/root[/]")
    assert [path for path, text in texts() if outside.search(text)] == []


def test_nothing_is_left_to_do():
    marks = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b")
    assert [path for path, text in texts() if path.endswith(".py") and marks.search(text)] == []


def test_no_test_folder_is_a_package():
    assert [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("__init__.py")] == []
