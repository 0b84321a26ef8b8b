"""What has no meaning inside of the machine: functions without an address, awaitables of other libraries, mistakes of main."""

import pytest

from tests.support.command_line import run_text

NO_ADDRESS = "has no address: move it to module level and pass what it needs as the argument"
CLOSURE = """
async def main():
    n = 3
    async def worker(arg):
        await printf("%d", n)
    await pthread_join(await pthread_create(worker, 1))
"""
BOUND = """
class Worker:
    async def go(self, arg):
        pass

async def main():
    await pthread_create(Worker().go, 1)
"""
LAMBDA = "async def main():\n    await pthread_create(lambda arg: None, 1)\n"
HANDLER = "async def main():\n    async def handler(signo):\n        pass\n    await signal(SIGUSR1, handler)\n"


@pytest.mark.parametrize(
    ("text", "line", "function"),
    [
        (CLOSURE, 6, "main.<locals>.worker"),
        (BOUND, 7, "Worker.go"),
        (LAMBDA, 3, "main.<locals>.<lambda>"),
        (HANDLER, 5, "main.<locals>.handler"),
    ],
    ids=["a closure", "a bound method", "a lambda", "a handler that is a closure"],
)
def test_a_function_without_an_address_is_told_where_to_go(tmp_path, text, line, function):
    ran = run_text(tmp_path, text)
    assert ran.returncode == 1
    assert f"trapline: exception: [100] program: uncaught TypeError: {function} {NO_ADDRESS}\n" in ran.stderr
    assert f"    at program.py:{line} (pid 100, tid 100)\n" in ran.stderr


FOREIGN = """
class Sleep:
    def __await__(self):
        yield self

async def main():
    await printf("before\\n")
    try:
        await Sleep()
    except TypeError as error:
        await printf("%s\\n", str(error))
    await Sleep()
"""


def test_a_foreign_awaitable_is_refused_at_its_line_with_what_to_use(tmp_path):
    ran = run_text(tmp_path, FOREIGN)
    hint = (
        "a program.program.Sleep was awaited, which this machine cannot run: await calls of userspace.libc only "
        "(sleep, usleep and nanosleep wait in virtual time; pthread_create starts a thread)"
    )
    assert ran.returncode == 1
    assert ran.stdout == f"before\n{hint}\n"  # the program may handle it like any exception
    assert '  File "program.py", line 12, in main\n' in ran.stderr
    assert f"uncaught TypeError: {hint}\n" in ran.stderr


def test_awaiting_what_is_no_awaitable_names_the_line(tmp_path):
    ran = run_text(tmp_path, "async def main():\n    await sizeof(i32)\n")
    assert ran.returncode == 1
    assert "    at program.py:3 (pid 100, tid 100)\n" in ran.stderr


def test_a_forgotten_await_leaves_no_warning_of_the_host(tmp_path):
    ran = run_text(tmp_path, "async def main():\n    pid = fork()\n    await printf('%d', pid)\n")
    assert "RuntimeWarning" not in ran.stderr
    assert "0x" not in ran.stderr  # no address of the host, which would differ from run to run
