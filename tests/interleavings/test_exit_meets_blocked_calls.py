"""exit_group with a sibling in a blocking call: it is interrupted, answers nothing, and the process ends with everything released."""

import pytest

from tests.support.machines import sweep

EXIT = """
word = Global(i32, 0)

async def sibling(argument):
    r, mark = argument
    await dawdle(60)
    await write(mark, b"x")
    {wait}
    await write(1, b"a sibling survived exit_group")

async def main(argv):
    r, w = await pipe()
    marks, mark = await pipe()
    pid = await fork()
    if pid == 0:
        if await fork() == 0:  # a child to wait for: it ends when both parents have closed the pipe
            await close(w)
            await close(mark)
            await read(r, 1)
            await _exit(0)
        await pthread_create(sibling, (r, mark))
        await dawdle(60)
        await _exit(7)
    await close(w)
    await close(mark)
    marked = await read(marks, 1)  # ends when the child has closed its descriptors, at the latest
    _, status = await waitpid(pid, 0)
    assert WEXITSTATUS(status) == 7
    assert await read(r, 1) == b"", "the dead process holds its end of the pipe"
    await write(1, b"sibling first" if marked else b"exit first")
"""


@pytest.mark.parametrize(
    "wait",
    [
        "await read(r, 1)",
        "await futex(word, FUTEX_WAIT, 0)",
        "while True: await nanosleep(1_000_000_000)",
        "await pause()",
        "await waitpid(-1, 0)",
        "while True: await compute(1_000_000)",
        "while True: await word.load()",
    ],
)
def test_exit_group_ends_a_sibling_wherever_it_is(wait: str) -> None:
    """Is the ticket dropped, the pipe's end closed, the zombie complete? The other side of the pipe sees the end of file."""
    sweep(EXIT.replace("{wait}", wait), quick=25, orders=("exit first", "sibling first"))
