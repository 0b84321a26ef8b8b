"""Programs that are refused before anything of them runs: exit status 2, one line for each mistake, with its line and its remedy."""

import pytest

from tests.support.command_line import run_text, trapline

IMPOSSIBLE = "is not possible in the machine"
REFUSED = {
    "a call that is not awaited": (
        "async def main():\n    printf('hello')\n",
        ["program.py:3: printf() is not awaited, so it does nothing: write `await printf('hello')`"],
    ),
    "a result that is a coroutine": (
        "async def main():\n    pid = fork()\n    if pid == 0:\n        return 1\n",
        ["program.py:3: fork() is not awaited, so pid is no result and nothing is done: write `pid = await fork()`"],
    ),
    "a function of the program's own": (
        "async def helper(n):\n    pass\n\nasync def main():\n    helper(3)\n",
        ["program.py:6: helper() is not awaited, so it does nothing: write `await helper(3)`"],
    ),
    "a store that is not awaited": (
        "x = Global(i32)\n\nasync def main():\n    x.store(1)\n",
        ["program.py:5: store() is not awaited, so it does nothing: write `await x.store(1)`"],
    ),
    "a pair that is a coroutine": (
        "async def main():\n    r, w = pipe()\n",
        ["program.py:3: pipe() is not awaited, so it does nothing: write `await pipe()`"],
    ),
    "Python's print": (
        "async def main():\n    print('hello')\n",
        ["program.py:3: print() writes to the host: use `await printf(…)` or `await puts(…)`"],
    ),
    "Python's input": (
        "async def main():\n    return input()\n",
        ["program.py:3: input() reads from the host: use `await getline(stdin)` or `await read(0, n)`"],
    ),
    "the loop of the host": (
        "import asyncio\n\nasync def main():\n    await asyncio.sleep(1)\n",
        [f"program.py:2: import of asyncio {IMPOSSIBLE}: a program is its own event loop here: use pthread_create, fork, poll"],
    ),
    "two mistakes": (
        "import random\nimport threading\n\nasync def main():\n    return random.random()\n",
        [
            f"program.py:2: import of random {IMPOSSIBLE}: use `await rand()` or `await getrandom(n)`",
            f"program.py:3: import of threading {IMPOSSIBLE}: use `await pthread_create(fn, arg)`",
        ],
    ),
    "no main": ("async def start():\n    pass\n", ["program.py: has no main: add `async def main(argv)`"]),
    "a main that is not async": ("def main():\n    pass\n", ["program.py:2: main is not async: write `async def main(argv)`"]),
    "no Python": ("async def main(:\n    pass\n", ["program.py:2: syntax error: invalid syntax"]),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_refused_program_is_told_what_to_write_instead(tmp_path, mistake):
    text, lines = REFUSED[mistake]
    ran = run_text(tmp_path, text)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "trapline: " + "\n".join(lines) + "\n"


def test_a_program_that_is_not_there_is_told_in_one_line(tmp_path):
    ran = trapline(tmp_path, "run", "nowhere.py", "--seed", "1")
    assert (ran.returncode, ran.stderr) == (2, "trapline: nowhere.py: No such file or directory\n")


def test_a_name_that_is_misspelt_is_told_its_neighbour(tmp_path):
    ran = trapline(tmp_path, "run", "thraed", "--seed", "1")
    assert (ran.returncode, ran.stderr) == (2, "trapline: thraed: no such program in /bin: did you mean thread?\n")


def test_a_file_named_without_its_suffix_is_told_the_suffix(tmp_path):
    (tmp_path / "mine.py").write_text("async def main(): pass\n", encoding="utf-8")
    ran = trapline(tmp_path, "run", "mine", "--seed", "1")
    assert (ran.returncode, ran.stderr) == (2, "trapline: mine: no such program in /bin: write mine.py for the file in this folder\n")


@pytest.mark.parametrize(
    "body",
    [
        "pid = fork()\n    await printf('%d', await pid)",
        "pid = fork()\n    return await pid",
        "calls = [getpid(), gettid()]\n    for call in calls:\n        await call",
        "pid = None\n    if pid:\n        await pid\n    pid = fork()",
        "async def later():\n        await pid\n    pid = fork()\n    if pid:\n        await later()",
    ],
)
def test_a_coroutine_that_is_kept_and_awaited_later_is_no_mistake(body):
    from userspace.loader_check import check_module

    check_module(f"from userspace.libc import *\nasync def main():\n    {body}\n".encode(), "program.py", {})
