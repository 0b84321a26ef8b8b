"""A reference is no value: what would need its value says so, at the program's line, and what to write instead."""

import pytest

from tests.support.command_line import run_text
from tests.support.machines import run

PROGRAM = """
class Shared(Struct):
    counter: i32
    name: char[8]

x = Global(i32, 4)
shared = Global(Shared)
table = Global(Array[i32, 4])

async def main():
    {statement}
"""
LINE = 11  # of the statement, after the star import
LOAD = "load it first: `await x.load()`"
X = "x is a reference to simulated memory (i32), and"
NEEDS = "is a reference to simulated memory ({}), and {} needs its value"
COUNTER = "shared.counter " + NEEDS
TRUTH = "a truth test (if, while, and, or, not)"
NOT_ASSIGNED = "simulated memory is not assigned to: write"
MISUSES = [
    ("y = x + 1", f"{X} + needs its value; {LOAD}"),
    ("y = 7 - x", f"{X} - needs its value; {LOAD}"),
    ("y = -x", f"{X} - needs its value; {LOAD}"),
    ("y = x < 5", f"{X} < needs its value; {LOAD}"),
    ("y = x == 4", f"{X} == needs its value; {LOAD}"),
    ("y = 1 if x else 2", f"{X} {TRUTH} needs its value; {LOAD}"),
    ("y = not x", f"{X} {TRUTH} needs its value; {LOAD}"),
    ("y = f'{x}'", f"{X} formatting needs its value; {LOAD}"),
    ("y = str(x)", f"{X} str() needs its value; {LOAD}"),
    ("y = int(x)", f"{X} int() needs its value; {LOAD}"),
    ("y = [0] * 9; y = y[x]", f"{X} an index or a range needs its value; {LOAD}"),
    ("y = range(x)", f"{X} an index or a range needs its value; {LOAD}"),
    ("y = shared.counter * 2", f"{COUNTER.format('i32', '*')}; load it first: `await shared.counter.load()`"),
    (
        "shared.counter += 1",
        f"{COUNTER.format('i32', '+')}; write `await shared.counter.fetch_add(…)`, or load it first: `await shared.counter.load()`",
    ),
    ("y = f'{shared.name}'", f"shared.name {NEEDS.format('char[8]', 'formatting')}; load it first: `await shared.name.read_cstr()`"),
    ("y = bool(shared)", f"shared {NEEDS.format('Shared', TRUTH)}; load it first: its fields or elements one by one"),
    ("shared.counter = 5", f"{NOT_ASSIGNED} `await shared.counter.store(5)`"),
    ("table[2] = 5", f"{NOT_ASSIGNED} `await table[2].store(5)`"),
    ("await printf('%d', x)", "printf: %d needs an int, not a reference (i32): pass `await x.load()`"),
    (
        "pid = getpid(); await printf('%d', pid)",
        "printf: %d needs an int, not a coroutine: getpid(…) is not awaited: write `await getpid(…)`",
    ),
]


@pytest.mark.parametrize(("statement", "message"), MISUSES, ids=[statement for statement, _ in MISUSES])
def test_a_misused_reference_names_itself_and_the_remedy(statement, message):
    result = run("from userspace.libc import *\n" + PROGRAM.format(statement=statement).lstrip("\n"))
    (failure,) = result.failures[:1]
    assert failure.message.partition("Error: ")[2] == message
    assert [(place.file, place.line) for place in failure.where] == [("program.py", LINE)]
    assert message in result.stderr.decode()


def test_assigning_to_a_field_on_the_command_line(tmp_path):
    ran = run_text(tmp_path, PROGRAM.format(statement="shared.counter = 5"))
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [
        "Traceback (most recent call last):",
        f'  File "program.py", line {LINE}, in main',
        f"AttributeError: {NOT_ASSIGNED} `await shared.counter.store(5)`",
        f"trapline: exception: [100] program: uncaught AttributeError: {NOT_ASSIGNED} `await shared.counter.store(5)`",
        f"    at program.py:{LINE} (pid 100, tid 100)",
        "to run it again: trapline run program.py --config quad --seed 1",
    ]


@pytest.mark.parametrize(("statement", "instruction"), [("x = 5", "store"), ("x += 1", "fetch_add")])
def test_assigning_to_the_name_of_a_global_is_warned_of(statement, instruction):
    result = run("from userspace.libc import *\n" + PROGRAM.format(statement=statement).lstrip("\n"))
    what = "main assigns x, which makes a Python variable and leaves the Global as it is"
    assert result.notes == [f"program.py:{LINE}: warning: {what}: write `await x.{instruction}(…)`"]


def test_a_parameter_may_have_the_name_of_a_global():
    assert run("from userspace.libc import *\nx = Global(i32)\nasync def f(x):\n    x = 1\nasync def main():\n    await f(2)\n").notes == []
