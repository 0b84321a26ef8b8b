"""What the lecture says of its programs, one check per program: each looks at a whole run and asserts what holds whatever the schedule.

`holds(name, run)` is the check of a timed run. `survives(name, run)` is the weaker one for schedules in which timers may fire at any
moment: a sleep then orders nothing, so what the lecture promises by sleeping is not promised there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from tests.support.machines import program, ran_well
from trapline.machine import Run
from trapline.programs import Found, find

# signal.py runs for ever: this one is the shell in the lecture's demonstration, `kill -USR1` and later `kill`.
SIGNAL_DRIVER = """
from userspace.libc import *

async def main():
    pid = await fork()
    if pid == 0:
        await execv("/bin/signal", ["signal"])
    await usleep(1_500_000)
    await kill(pid, SIGUSR1)
    await usleep(500_000)
    await kill(pid, SIGTERM)
    _, status = await waitpid(pid, 0)
    assert WIFSIGNALED(status)
    await printf("ended by %d\\n", WTERMSIG(status))
"""
SIGUSR1, SIGTERM = 10, 15
WORK, RECEIVED = "[101] Doing useful work", "[101] signal received!"
MODE = r"[-dpl][-r][-w][-x]{1}[-rwx]{6}"


def lecture_program(name: str) -> Found:
    """The program in /bin, or what drives it where it does not end by itself."""
    return program(SIGNAL_DRIVER, "drive_signal") if name == "signal" else find(name)


def lines(run: Run) -> list[str]:
    """What was printed."""
    return run.stdout.decode().splitlines()


def counters(run: Run) -> list[tuple[int, int, int]]:
    """(who, old, new) of each `counter` line; every line must be one."""
    found = [re.fullmatch(r"\[(\d+)\] counter (\d+) -> (\d+)", line) for line in lines(run)]
    assert all(found), f"lines that are no counter lines: {lines(run)}"
    return [(int(match[1]), int(match[2]), int(match[3])) for match in found if match is not None]


def is_right(run: Run) -> bool:
    """Did the counter go from 0 to 10 by ones, each value exactly once?"""
    return [(old, new) for _, old, new in counters(run)] == [(value, value + 1) for value in range(10)]


def check_pid(run: Run) -> None:
    """A process learns its own pid."""
    assert run.stdout == b"my pid is: 100\n"


def check_fork(run: Run) -> None:
    """Each has its own copy of both variables; the two orders of their lines are both right."""
    printed = lines(run)
    parent = ["[100] parent before update local = 10, global = 42", "[100] parent after update local = 0, global = 0"]
    child = ["[101] child, before update local = 10, global = 42", "[101] child after update local = 100, global = 100"]
    assert printed[0] == parent[0], "the parent prints once before it forks"
    assert [line for line in printed if line.startswith("[100]")] == parent
    assert [line for line in printed if line.startswith("[101]")] == child
    assert len(printed) == 4


def check_forkexec(run: Run) -> None:
    """The child says goodbye and becomes `ls -l`; nothing of the old program goes on in it."""
    printed = lines(run)
    assert printed[:2] == ["[100] Parent, forking", "[101] child, calling execve()"]
    assert re.fullmatch(r"total \d+", printed[2])
    assert all(re.match(rf"{MODE} +\d+ ", line) for line in printed[3:]), printed


def check_signal(run: Run) -> None:
    """The handler runs between two rounds of work, and the default action of SIGTERM ends the loop."""
    assert lines(run) == [WORK, WORK, RECEIVED, WORK, f"ended by {SIGTERM}"]


def check_fifo(run: Run) -> None:
    """The reader gets the writer's line whole."""
    assert run.stdout == b"Parent received: Hello from child!\n"


def check_lock(run: Run) -> None:
    """Two processes, five increments each, none lost."""
    assert is_right(run), lines(run)
    assert Counter(who for who, _, _ in counters(run)) == {100: 5, 101: 5}


def check_thread(run: Run) -> None:
    """The same with two threads, which report their tids."""
    assert is_right(run), lines(run)
    assert Counter(who for who, _, _ in counters(run)) == {101: 5, 102: 5}


def check_nolock(run: Run) -> None:
    """Ten updates were printed; what they were is the race's business, but none can exceed the number of updates."""
    values = counters(run)
    assert len(values) == 10
    assert all(new == old + 1 and 1 <= new <= 10 for _, old, new in values), values


CHECKS: dict[str, Callable[[Run], None]] = {
    "pid": check_pid, "fork": check_fork, "forkexec": check_forkexec, "signal": check_signal, "fifo": check_fifo, "lock": check_lock,
    "thread": check_thread, "lock_nolock": check_nolock, "thread_nolock": check_nolock,
}  # fmt: skip
PROMISED = tuple(name for name in CHECKS if not name.endswith("_nolock"))  # programs of which the lecture says what comes out


def check_signal_at_any_time(run: Run) -> None:
    """A signal may come before the handler is there (its default action ends the program) or find it at work."""
    printed = lines(run)
    assert printed[-1] in (f"ended by {SIGUSR1}", f"ended by {SIGTERM}")
    assert set(printed[:-1]) <= {WORK, RECEIVED}
    assert printed.count(RECEIVED) <= 1
    if printed[-1] == f"ended by {SIGUSR1}":
        assert not printed[:-1], "the handler is installed before the first round of work"


def left_nothing(run: Run) -> Run:
    """Assert that the run was good, ended with 0, and left the machine as it was."""
    ran_well(run)
    assert run.status == 0
    left = run.system.leftovers()
    assert not left, f"seed {run.seed} leaves {left}"
    return run


def holds(name: str, run: Run) -> None:
    """What the lecture says of this program, in a timed run."""
    CHECKS[name](left_nothing(run))


def survives(name: str, run: Run) -> None:
    """What holds under every interleaving whatsoever."""
    check = check_signal_at_any_time if name == "signal" else CHECKS[name]
    check(left_nothing(run))
