"""The honesty checks: each mistake named with line and remedy, and what is fine let through."""

from __future__ import annotations

import textwrap

import pytest

from userspace.loader_check import ProgramError, check_main, check_module

STAR = "from userspace.libc import *\n"


def judged(text: str, folder: dict[str, bytes] | None = None, file: str = "p.py"):
    facts = check_module(textwrap.dedent(text).encode(), file, folder or {})
    check_main(facts, file)
    return facts


def refused(text: str, folder: dict[str, bytes] | None = None) -> list[str]:
    with pytest.raises(ProgramError) as caught:
        judged(text, folder)
    return str(caught.value).split("\n")


def main_with(*lines: str) -> str:
    return STAR + "async def main(argv):\n" + "".join(f"    {line}\n" for line in lines)


DISCARDED = [
    "fork()",
    "x = 1 if fork() == 0 else 2",
    "if fork(): pass",
    "while wait(): pass",
    "assert fork()",
    "n = getpid() + 1",
    "n = -getpid()",
    "argv and fork()",
    "f'{getpid()}'",
    "fork() if argv else None",
    "pipe()[0]",
    "[x for x in pipe()] and None; pipe().x",
    "usleep(10)",
]


@pytest.mark.parametrize("line", DISCARDED)
def test_a_coroutine_that_is_discarded_is_an_error(line):
    assert "is not awaited, so it does nothing: write `await " in refused(main_with(line))[0]


FINE = [
    "await fork()",
    "x = fork(); await x",
    "pending = [fork(), wait()]",
    "await attempt(fork())",
    "x = (await fork()) or (await wait())",
    "x = await (fork() if argv else wait())",
    "async with m: pass",
    "return getpid()",
    "if WIFEXITED(3): pass",
    "await shared.store(1)",
    "class A: pass",
    "lambda: fork()",
    "for i in range(3): await usleep(i)",
]


@pytest.mark.parametrize("line", FINE)
def test_a_coroutine_that_is_awaited_stored_or_passed_on_is_fine(line):
    judged(main_with(line) + "async def attempt(x):\n    return await x\n")


def test_the_error_names_file_line_and_remedy():
    assert refused(main_with("pass", "usleep(100)")) == ["p.py:4: usleep() is not awaited, so it does nothing: write `await usleep(100)`"]


def test_a_programs_own_coroutine_is_watched_too():
    assert "p.py:4: work() is not awaited" in refused(STAR + "async def work(): pass\nasync def main():\n    work()\n")[0]


def test_a_reference_that_is_stored_to_without_await_is_an_error():
    assert "store() is not awaited" in refused(main_with("shared.counter.store(5)"))[0]


def test_a_method_of_the_program_is_watched_where_all_classes_agree():
    text = STAR + "class A:\n    async def go(self): pass\nasync def main():\n    A().go()\n"
    assert "go() is not awaited" in refused(text)[0]
    judged(text + "class B:\n    def go(self): pass\n")


def test_a_coroutine_of_a_module_beside_it_is_watched():
    folder = {"other": b"async def work(): pass\ndef plain(): pass\n"}
    assert "work() is not awaited" in refused("import other\nasync def main():\n    other.work()\n", folder)[0]
    assert "work() is not awaited" in refused("from other import work\nasync def main():\n    work()\n", folder)[0]
    judged("import other\nasync def main():\n    other.plain()\n", folder)


def test_libc_under_another_name_is_watched():
    assert "fork() is not awaited" in refused("import userspace.libc as c\nasync def main():\n    c.fork()\n")[0]
    assert "split() is not awaited" in refused("from userspace.libc import fork as split\nasync def main():\n    split()\n")[0]


def test_a_name_that_the_program_binds_itself_is_not_libcs():
    judged(STAR + "def wait(): pass\nasync def main():\n    wait()\n")
    judged(
        STAR
        + "async def main(fork=None):\n    fork()\n".replace("fork=None", "argv").replace("fork()", "fork = print_ = len\n    fork(argv)")
    )


def test_an_async_generator_is_no_coroutine():
    judged(STAR + "async def numbers():\n    yield 1\nasync def main():\n    async for n in numbers():\n        pass\n")


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("print('x')", "print() writes to the host: use `await printf(…)`"),
        ("x = input()", "input() reads from the host: use `await getline(stdin)`"),
        ("f = open('x')", "use `await open(path, flags)`"),
        ("f = open('x', 'r')", "use `await open(path, flags)`"),
        ("with open('x') as f: pass", "use `await open(path, flags)`"),
        ("exec('1')", "exec() runs code that nothing has checked"),
        ("list(map(print, argv))", "print() writes to the host"),
    ],
)
def test_python_calls_that_act_on_the_host_are_refused_with_a_remedy(line, remedy):
    assert any(remedy in text for text in refused(main_with(line)))


def test_libcs_open_is_libcs():
    judged(main_with("fd = await open('x', O_RDONLY)", "pending = open('x', O_RDONLY)"))


def test_pythons_open_without_libc_is_refused():
    assert "opens a file of the host" in refused("async def main():\n    f = open('x', 3)\n")[0]


@pytest.mark.parametrize(
    "module", ["os", "time", "random", "threading", "asyncio", "sys", "socket", "os.path", "numpy", "kernel.abi.ops", "trapline"]
)
def test_imports_that_reach_outside_are_refused(module):
    assert f"p.py:1: import of {module} is not possible in the machine: " in refused(f"import {module}\nasync def main(): pass\n")[0]


def test_allowed_imports_pass():
    names = "errno abc bisect collections collections.abc contextlib copy enum functools heapq itertools json math operator re"
    text = (
        "from __future__ import annotations\n"
        + "".join(f"import {name}\n" for name in names.split())
        + "import dataclasses, string, struct, textwrap, typing\n"
    )
    judged(text + "from userspace import libc\nimport userspace.libc\nasync def main(): pass\n")


def test_modules_of_the_folder_are_imports_in_order_of_mention():
    facts = judged("import b\nfrom a import x\nasync def main():\n    import b, c\n", {"a": b"x = 1", "b": b"", "c": b""})
    assert facts.imports == ("b", "a", "c")


def test_relative_imports_are_refused():
    assert "imported by their plain name" in refused("from . import a\nasync def main(): pass\n", {"a": b""})[0]


def test_all_mistakes_are_told_in_order_of_lines():
    assert [text.split(":")[1] for text in refused(main_with("fork()", "print(1)", "fork()"))] == ["3", "4", "5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "p.py: has no main: add `async def main(argv)`"),
        ("def main(argv): pass\n", "p.py:1: main is not async: write `async def main(argv)`"),
        ("async def main(argv, envp): pass\n", "p.py:1: main takes 2 parameters: it must take none, (argv) or (argc, argv, envp)"),
        ("async def main():\n    yield 1\n", "p.py:1: main is a generator: it must not contain `yield`"),
        ("async def main(:\n", "p.py:1: syntax error: invalid syntax"),
        ("def f():\n    await x\n", "p.py:2: syntax error: 'await' outside async function"),
    ],
)
def test_a_program_needs_an_async_main(text, message):
    assert refused(text) == [message]


@pytest.mark.parametrize("parameters", ["", "argv", "argc, argv, envp", "*args", "argv=None"])
def test_main_takes_none_one_or_three_parameters(parameters):
    judged(f"async def main({parameters}): pass\n")


def test_null_bytes_are_no_program():
    with pytest.raises(ProgramError):
        check_module(b"x = 1\0", "p.py", {})


@pytest.mark.parametrize(
    "body", ["global total\n    total += 1", "seen.append(1)", "seen[0] = 1", "del seen[0]", "table['x'] = 1", "holder.x = 1"]
)
def test_a_module_global_that_functions_change_is_a_warning(body):
    facts = judged(f"total = 0\nseen = [0]\ntable = {{}}\nholder = object()\nasync def main():\n    {body}\n")
    assert len(facts.warnings) == 1
    assert "use Global" in str(facts.warnings[0])


def test_locals_and_globals_of_simulated_memory_are_no_warning():
    text = STAR + "n = Global(i32)\nFIXED = [1, 2]\nasync def main():\n    seen = []\n    seen.append(1)\n    await n.store(len(FIXED))\n"
    assert judged(text).warnings == ()
