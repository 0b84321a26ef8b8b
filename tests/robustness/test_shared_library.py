"""libc and Python's library are one copy for all processes and all runs: what one program does to them, no other one sees."""

from __future__ import annotations

import asyncio
import collections
import gc
import json

import pytest

from tests.support.machines import program, ran_well, run
from trapline.machine import Machine
from userspace import libc
from userspace.loader_check import ProgramError

BY_NAME = [
    ("import math", "math.pi = 3"),
    ("import collections", "collections.deque = None"),
    ("import json", "del json.dumps"),
    ("import json.tool", "json.tool.main = None"),
    ("import contextlib", "contextlib.suppress.told = 1"),
    ("import userspace.libc as l", "l.printf = None"),
    ("from userspace import libc", "libc.printf.calls = 0"),
    ("", "printf.calls = 0"),
    ("", "printf.__code__ = main.__code__"),
    ("", "i32.load = None"),
    ("", "del Struct.at"),
    ("", "stdout.fd = 7"),
    ("", "SigAction.told = 1"),
]
BY_HAND = [
    ("import math", "setattr(math, 'pi', 3)"),
    ("import math as m", "x = m\n    x.pi = 3"),
    ("from userspace import libc", "setattr(libc, 'printf', None)"),
    ("", "setattr(i32, 'load', None)"),
    ("", "delattr(i32, 'load')"),
    ("", "Array[i32, 4].told = 1"),
    ("", "setattr(ptr['S'], 'told', 1)"),
    ("", "setattr(pthread_mutex_t, 'lock', 1)"),
]


def text_of(line: str, statement: str) -> str:
    return f"from userspace.libc import *\n{line}\nasync def main():\n    {statement}\n"


@pytest.mark.parametrize(("line", "statement"), BY_NAME, ids=[statement for _, statement in BY_NAME])
def test_a_program_that_assigns_to_what_all_share_is_refused(line, statement):
    with pytest.raises(ProgramError, match=r"program.py:4: \w+ is shared by all programs: .* cannot be changed"):
        run(text_of(line, statement))


@pytest.mark.parametrize(("line", "statement"), BY_HAND, ids=[statement for _, statement in BY_HAND])
def test_what_is_not_seen_at_load_time_fails_when_it_is_done(line, statement):
    result = run(text_of(line, statement))
    assert result.status == 134
    assert "is shared by all programs" in result.failures[0].message


def test_nothing_has_changed():
    assert callable(libc.printf)
    assert collections.deque([1]).pop() == 1
    assert json.dumps([1]) == "[1]"
    assert (
        ran_well(run('import math\nfrom userspace.libc import *\nasync def main():\n    await printf("%.2f", math.pi)\n')).stdout == b"3.14"
    )


def test_what_a_program_defines_is_its_own_to_change():
    source = """
        import enum, functools

        class Node(Struct):
            key: i32

        class Colour(enum.Enum):
            RED = 1

        Node.made = 0
        Colour.extra = 5
        printf_later = functools.partial(printf, "%d")

        async def helper(link):
            helper.calls = 1
            link.next = 2

        class Link:
            pass

        async def main():
            Node.made += 1
            await helper(Link())
            await printf_later(Node.made + helper.calls + Colour.extra)
    """
    found = program(source)
    assert [ran_well(run(found)).stdout for _ in range(2)] == [b"7", b"7"]


def test_modules_are_imported_as_usual():
    source = """
        import collections.abc, json.decoder as decoder
        from collections.abc import Mapping
        from json import JSONDecodeError, decoder as again
        from dataclasses import dataclass, field
        import typing, re, contextlib

        @dataclass
        class Point:
            x: int = 1
            y: list = field(default_factory=list)

        async def main():
            assert collections.abc.Mapping is Mapping
            assert decoder.JSONDecodeError is JSONDecodeError is again.JSONDecodeError
            assert Point() == Point(1, [])
            assert typing.get_type_hints(Point)["x"] is int
            assert re.sub("a", "b", "aa") == "bb"
            assert not hasattr(contextlib, "os"), "what a module imports itself is the host's"
    """
    ran_well(run(source))


def test_a_reference_has_the_type_of_the_process_that_it_comes_to():
    """Its class was the parent's: the child's own `isinstance` said no, and what the child did to it the parent saw."""
    result = ran_well(
        run("""
        class Node(Struct):
            key: i32

        Node.made = 0

        async def child(arguments):
            node, nodes, link = arguments
            Node.made += 1
            same = type(node) is Node and type(nodes[1]) is Node and type(await link.load()) is Node
            await write(1, b"%d%d " % (same, await node.key.load()))

        async def thread(node):
            if await fork() == 0:
                await printf("%d ", type(node) is Node)
                await exit(0)
            await wait()

        async def main():
            node = Node.at(await calloc(4, 8))
            link = ptr[Node].at(node.address + 16)
            await node.key.store(7)
            await link.store(node)
            await waitpid(await clone(child, SIGCHLD, (node, Array[Node, 2].at(node.address), link)), 0)
            await pthread_join(await pthread_create(thread, node))
            await printf("%d", Node.made)
    """)
    )
    assert result.stdout == b"17 1 0"


# ---- the loop around a machine ------------------------------------------------------------------------------------------------


def test_the_loop_of_the_host_does_not_adopt_the_generators_of_a_program():
    """asyncio's hooks would have run the `finally` of a generator that is left half-run as a task of the host."""
    found = program("""
        async def generator():
            try:
                for i in range(9):
                    await printf("%d", i)
                    yield i
            finally:
                await printf("never")

        async def main():
            async for i in generator():
                if i == 2:
                    break
            left = generator()
            await left.__anext__()
    """)
    problems = []

    async def host():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
        result = await Machine("quad", driver="tasks").run_async(found)
        gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return result

    result = asyncio.run(host())
    assert (result.stdout, problems) == (b"0120", [])
    assert result.stdout == run(found).stdout
