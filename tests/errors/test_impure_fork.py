"""fork re-executes: a program that depends on what is not simulated is stopped there, with function, line, variable and remedy."""

import re

import pytest

from tests.support.command_line import run_text
from tests.support.machines import ran_well, run

REMEDY = (
    "The program depends on something that is not simulated: id(), hash(), the order of a set, an object of Python shared by both. "
    "Take it from the machine instead (simulated memory, getpid, rand), "
    "or start the child by clone(fn, flags, arg), which re-executes nothing"
)
COUNTER = """
import errno

def next_number():
    errno.errorcode[-1] = errno.errorcode.get(-1, 0) + 1  # the dict is the host's: both processes share it
    return errno.errorcode[-1]

async def start(name):
    label = next_number()
    return await fork()

async def main():
    if await start("child"):
        await wait()
"""
IDENTITY = """
async def main():
    token = id(object())
    others = [object() for _ in range(50)]
    if await fork():
        await wait()
"""
DIFFERENT_OP = """
import errno

async def main():
    errno.errorcode[-1] = errno.errorcode.get(-1, 0) + 1
    await usleep(errno.errorcode[-1])
    if await fork():
        await wait()
"""
DIFFERENT_END = """
import errno

async def main():
    errno.errorcode[-1] = errno.errorcode.get(-1, 0) + 1
    if errno.errorcode[-1] == 1:
        await fork()
    return 0
"""


@pytest.mark.parametrize(
    ("text", "difference", "line"),
    [
        (COUNTER, r": program.py:10 in start: the local variable label is \d+ in the parent and \d+ in the child", 10),
        (IDENTITY, r": program.py:5 in main: the local variable token is \d+ in the parent and \d+ in the child", 5),
        (DIFFERENT_OP, r" at program.py:6 in main: its next op is nanosleep\(\d+\), the parent's was nanosleep\(\d+\)", 7),
        (DIFFERENT_END, r" at the end of main: its next op is .*, the parent's was .*", 7),
    ],
    ids=["a counter outside of the program", "an identity", "another op", "another way"],
)
def test_an_impure_fork_says_what_differs_where_and_what_to_do(tmp_path, text, difference, line):
    ran = run_text(tmp_path, text)
    assert ran.returncode == 1
    told = next(text for text in ran.stderr.splitlines() if text.startswith("trapline: nondeterminism: "))
    subject = r"trapline: nondeterminism: \[101\] program: fork: the child, re-executed from the results of the parent's ops, differs"
    expected = rf"{subject}({difference})\. "
    assert re.fullmatch(expected + re.escape(REMEDY), told), told
    assert f"    at program.py:{line} (pid 101, tid 101)\n" in ran.stderr


def test_the_child_of_an_impure_fork_is_aborted_and_its_parent_lives():
    result = run(COUNTER.replace("        await wait()", '        await printf("%d\\n", WTERMSIG((await wait())[1]))'))
    assert (result.verdict, result.stdout) == ("failed", b"6\n")
    assert [failure.kind for failure in result.failures] == ["nondeterminism"]


def test_clone_is_the_way_out():
    text = COUNTER.replace("return await fork()", "return await clone(child, SIGCHLD, label)") + "\nasync def child(n):\n    return 0\n"
    ran_well(run(text))


def test_python_objects_of_the_program_itself_are_no_impurity():
    ran_well(
        run("""
import functools

@functools.cache
def table():
    return []

async def main():
    table().append(1)
    size = len(table())
    if await fork():
        await wait()
""")
    )
