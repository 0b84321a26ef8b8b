"""From the initial stack to main, and what becomes of results and exceptions."""

from __future__ import annotations

import pytest

from kernel.abi.ops import UncaughtException
from kernel.abi.signos import SIGABRT, SIGFPE, SIGSEGV
from kernel.processes.initial_stack import Arguments, build_initial_stack
from tests.support.fake_cpu import Ended, FakeCpu
from userspace import crt
from userspace.trap import FUNCTIONS

PROGRAM = """
from userspace.libc import *

async def none():
    await printf("hi")

async def status(argv):
    return len(argv)

async def full(argc, argv, envp):
    await printf("%d %s %s %s", argc, ",".join(argv), envp["HOME"], await getenv("PATH"))
    return True

async def odd(a, b):
    return 0

async def text():
    return "text"

def fails():
    raise ValueError("too bad")

async def chained():
    try:
        fails()
    except ValueError as error:
        raise KeyError("key") from error

async def divides():
    return 1 // 0

async def leaves():
    raise SystemExit(5)

async def leaves_with_words():
    raise SystemExit("words")

async def recurses():
    async def deeper(n):
        await deeper(n + 1)
    raise RecursionError("deep")

async def asserts(signo):
    assert signo == 3

async def informed(signo, info, context):
    assert (signo, info.si_pid, context) == (10, 4, 0x99), info
"""


@pytest.fixture(scope="module")
def program():
    namespace = {FUNCTIONS: {}, "__name__": "program.test"}
    exec(compile(PROGRAM, "prog.py", "exec"), namespace)
    return namespace


def line_of(text: str) -> int:
    return PROGRAM.split("\n").index(next(line for line in PROGRAM.split("\n") if text in line)) + 1


def execute(main, argv=(b"prog", b"one", b"")) -> tuple[FakeCpu, tuple]:
    cpu = FakeCpu()
    stack = build_initial_stack(Arguments(argv, (b"PATH=/bin", b"HOME=/h"), b"/prog"), 0x401000, 8 << 20, bytes(16), (0, 0, 0, 0))
    cpu.memory.write(stack.pointer, stack.data)
    cpu.registers["stack_pointer"] = stack.pointer
    with pytest.raises(Ended) as ended:
        cpu.run(crt.start_main(main))
    return cpu, ended.value.args


def test_main_gets_what_its_parameters_ask_for(program):
    assert execute(program["none"])[1] == ("exit_group", 0)
    assert execute(program["status"])[1] == ("exit_group", 3)
    assert execute(program["status"], ())[1] == ("exit_group", 0)
    cpu, ended = execute(program["full"])
    assert ended == ("exit_group", 1)
    assert cpu.output(1) == b"3 prog,one, /h /bin"


def test_returning_from_main_flushes_stdout(program):
    assert execute(program["none"])[0].output(1) == b"hi"


def test_system_exit_is_exit(program):
    assert execute(program["leaves"])[1] == ("exit_group", 5)
    cpu, ended = execute(program["leaves_with_words"])
    assert (ended, cpu.output(2)) == (("exit_group", 1), b"words\n")


@pytest.mark.parametrize(("name", "kind", "signo"), [
    ("divides", "ZeroDivisionError", SIGFPE), ("recurses", "RecursionError", SIGSEGV), ("chained", "KeyError", SIGABRT),
    ("odd", "TypeError", SIGABRT), ("text", "TypeError", SIGABRT),
])  # fmt: skip
def test_an_uncaught_exception_is_the_last_op(program, name, kind, signo):
    cpu, (what, op) = execute(program[name])
    assert what == "uncaught"
    assert isinstance(op, UncaughtException)
    assert (op.kind, op.signo, op.file) == (kind, signo, "prog.py")
    assert cpu.output(2) == op.traceback.encode()


def test_the_traceback_has_the_frames_of_the_program_only(program):
    _, (_, op) = execute(program["chained"])
    assert op.line == line_of("raise KeyError")
    assert op.traceback == (
        "Traceback (most recent call last):\n"
        f'  File "prog.py", line {line_of("        fails()")}, in chained\n'
        f'  File "prog.py", line {line_of("raise ValueError")}, in fails\n'
        "ValueError: too bad\n"
        "\nThe above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):\n"
        f'  File "prog.py", line {line_of("raise KeyError")}, in chained\n'
        "KeyError: 'key'\n"
    )


def test_an_exception_in_libc_is_reported_at_the_line_that_called(program):
    namespace = {FUNCTIONS: {}, "__name__": "program.test"}
    exec(compile("from userspace.libc import *\nasync def main():\n    await printf('%d', 'x')\n", "p.py", "exec"), namespace)
    _, (_, op) = execute(namespace["main"])
    assert (op.file, op.line) == ("p.py", 3)
    assert "stdio" not in op.traceback


def test_a_handler_returns_by_sigreturn_and_its_exceptions_are_the_programs(program):
    cpu = FakeCpu()
    with pytest.raises(Ended, match="sigreturn"):
        cpu.run(crt.run_handler(program["asserts"], (3,)))
    with pytest.raises(Ended, match="sigreturn"):
        cpu.run(crt.run_handler(program["informed"], (10, (10, 0, 0, 4, 0, 0, 0, 0), 0x99)))
    with pytest.raises(Ended, match="AssertionError"):
        cpu.run(crt.run_handler(program["asserts"], (4,)))


def test_repeated_lines_of_a_traceback_are_counted():
    namespace = {FUNCTIONS: {}}
    exec(compile("def f(n):\n    if n: f(n - 1)\n    else: 1 / 0\n", "p.py", "exec"), namespace)
    try:
        namespace["f"](20)
    except ZeroDivisionError as error:
        text = crt.format_exception(error)
    assert "  [Previous line repeated 17 more times]" in text
    assert text.count("\n") == 7


def test_closing_a_coroutine_does_not_run_the_program_on(program):
    coroutine = crt.start_main(program["none"])
    coroutine.send(None)
    coroutine.close()
