"""The stubs by which type checkers know libc: complete, true to the real module, and good for a program as its author writes it."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machines import ran_well, run
from userspace import libc
from userspace.libc import constants

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "userspace" / "libc" / "__init__.pyi"
TREE = ast.parse(STUB.read_text(encoding="utf-8"))

GOOD = """\
from userspace.libc import *


class Node(Struct):
    value: i64
    next: ptr["Node"]


class Shared(Struct):
    counter: i32
    lock: pthread_mutex_t
    slots: Array[i32, 4]
    name: char[16]
    head: ptr[Node]


ready = Global(i32, 0)
table = Global(Array[i32, 4], [1, 2, 3, 4])
name: char[16] = Global(char[16], b"trapline")
head = Global(ptr["Node"])
shared = Global(Shared, {"counter": 1})
anything = Global(ptr)


async def on_interrupt(signo: int) -> None:
    await write(1, b"interrupted %d" % signo)


async def on_child(signo: int, info: siginfo, context: object) -> None:
    await write(1, b"child %d" % info.si_pid)


async def sum_of(values: Array[i32, 4]) -> int:
    total = 0
    for index in range(len(values)):
        total += await values[index].load(memory_order_relaxed)
    return total


async def worker(rounds: int) -> int:
    for _ in range(rounds):
        async with shared.lock:
            await shared.counter.store(await shared.counter.load() + 1)
    await ready.fetch_add(1, memory_order_release)
    return rounds


async def push(value: int) -> None:
    node = Node.at(await malloc(sizeof(Node)))
    await node.value.store(value)
    await node.next.store(await head.load())
    await head.store(node)


async def main(argv: list[str]) -> int:
    await sigaction(SIGINT, SigAction(on_interrupt, mask=[SIGTERM], flags=SA_RESTART))
    await sigaction(SIGUSR1, SigAction(on_child, flags=SA_SIGINFO))
    await signal(SIGCHLD, SIG_DFL)
    await pthread_mutex_init(shared.lock, pshared=PTHREAD_PROCESS_SHARED)
    threads = [await pthread_create(worker, 10) for _ in range(2)]
    for thread in threads:
        await pthread_join(thread)
    await push(5)
    await push(6)
    node: Node | None = await head.load()
    while node is not None:
        await printf("%d ", await node.value.load())
        node = await node.next.load()
    await shared.name.write_cstr(b"shared")
    await printf("%s %s %d ", await name.read_cstr(), await shared.name.read_cstr(), await sum_of(table))
    address: int = await anything.load()
    local: Shared = await alloca(Shared)
    await local.counter.store(address, memory_order_seq_cst)
    mapped: Shared = Shared.at(await mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    await futex(mapped.counter, FUTEX_WAKE, 1)
    try:
        await close(99)
    except OSError as error:
        await printf("%s ", strerror(error.errno))
    size: int = (await stat("/home/user")).st_size
    await printf("%d %d\\n", await shared.counter.load(), size >= 0)
    pid = await fork()
    if pid == 0:
        await _exit(3)
    _, status = await waitpid(pid, 0)
    return WEXITSTATUS(status) - 3
"""

BAD = """\
from userspace.libc import *


class Shared(Struct):
    counter: i32


shared = Global(Shared)


async def handler() -> int:
    return 0


async def main() -> None:
    shared.counter = 5  # assignment
    shared.counter + 1  # operator
    await shared.counter.store("x")  # arg-type
    await write(1, "text")  # arg-type
    write(1, b"text")  # unused-coroutine
    await no_such_call()  # name-defined
    await read(0)  # call-arg
    await signal("SIGINT", SIG_IGN)  # arg-type
    text: str = await getpid()  # assignment
    await pthread_create(main)  # arg-type
"""


def definitions(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """What the stub defines, by name; of what mypy and pyright see differently, pyright's side."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
        elif isinstance(node, ast.If):
            found |= definitions(node.body) | definitions(node.orelse)
    return found


DEFINED = definitions(TREE.body)


def shape(parameters: ast.arguments) -> list[tuple[str, str, bool]]:
    """(name, kind, has a default) of each parameter, as `inspect` says it."""
    positional = parameters.posonlyargs + parameters.args
    first_default = len(positional) - len(parameters.defaults)
    found = [(arg.arg, "POSITIONAL_OR_KEYWORD", index >= first_default) for index, arg in enumerate(positional)]
    found += [(parameters.vararg.arg, "VAR_POSITIONAL", False)] if parameters.vararg else []
    return found + [
        (arg.arg, "KEYWORD_ONLY", default is not None) for arg, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
    ]


def real_shape(function: object) -> list[tuple[str, str, bool]]:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    return [(each.name, each.kind.name, each.default is not each.empty) for each in parameters]


FUNCTIONS = sorted(name for name in libc.__all__ if callable(getattr(libc, name)) and not isinstance(getattr(libc, name), type))


def test_the_stub_has_every_name_that_the_module_has_and_no_other():
    private = {name for name in DEFINED if name.startswith("_") and name not in libc.__all__}
    assert sorted(set(DEFINED) - private - {"MYPY"}) == sorted(libc.__all__)


def test_the_stub_repeats_all():
    (written,) = (node.value for node in TREE.body if isinstance(node, ast.Assign) and node.targets[0].id == "__all__")
    assert ast.literal_eval(written) == libc.__all__


def test_every_constant_is_an_int():
    lines = set(STUB.read_text(encoding="utf-8").splitlines())
    assert [name for name in constants.__all__ if f"{name}: int" not in lines] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_of_the_real_function(name):
    node = DEFINED[name]
    assert shape(node.args) == real_shape(getattr(libc, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_awaited_is_async_in_the_stub(name):
    real = getattr(libc, name)
    awaited = inspect.iscoroutinefunction(real) or inspect.signature(real).return_annotation.startswith("Awaitable")
    assert isinstance(DEFINED[name], ast.AsyncFunctionDef) == awaited


@pytest.mark.parametrize("name", ["Struct", "Array", "char", "i32", "u64", "ptr", "pthread_mutex_t", "SigAction", "siginfo"])
def test_methods_and_fields_of_types_exist_with_these_parameters(name):
    real = getattr(libc, name)
    assert inspect.isclass(real)
    pending, members = [name], {}
    while pending:
        node = DEFINED[pending.pop()]
        members = {getattr(member, "name", ""): member for member in node.body} | members
        bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
        pending += [base.id for base in bases if base.id in DEFINED]
        for member in node.body:
            if isinstance(member, ast.AnnAssign):
                assert member.target.id in real._fields, member.target.id
    for method, node in members.items():
        assert not method or hasattr(real, method) or method == "address", method
        if method in ("read_bytes", "write_bytes", "at", "read_cstr", "write_cstr"):
            assert shape(node.args)[1:] == real_shape(getattr(real, method))[not inspect.ismethod(getattr(real, method)) :], method


def mypy(folder: Path, source: str) -> list[str]:
    """What `mypy --strict`, without any configuration, says of a program that stands anywhere."""
    (folder / "program.py").write_text(source, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache' / 'programs'}", "program.py"],
        cwd=folder, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert result.stderr == ""
    return [line for line in result.stdout.splitlines() if ": error: " in line]


def test_a_program_of_every_kind_of_type_is_clean_under_mypy_strict(tmp_path):
    assert mypy(tmp_path, GOOD) == []


def test_mistakes_are_found_where_they_are(tmp_path):
    wanted = {number: line.partition("  # ")[2] for number, line in enumerate(BAD.splitlines(), 1) if "  # " in line}
    found = {int(line.split(":")[1]): re.search(r"\[([a-z-]+)\]$", line)[1] for line in mypy(tmp_path, BAD)}
    assert found == wanted


def test_the_checked_program_runs():
    """Types that no machine agrees with would be worth nothing."""
    result = ran_well(run(GOOD))
    assert result.stdout == b"6 5 trapline shared 10 Bad file descriptor 21 1\n"
