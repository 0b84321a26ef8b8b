"""`make bench` prints every figure. Sizes are tiny here, and no figure is judged: a timing never decides a test."""

from __future__ import annotations

from benchmarks.__main__ import main

ROWS = (
    "bare coroutine send", "sum for an op", "sum for a system call", "op (timed)", "op (random)", "system call (inline)",
    "message (inline)", "system call (tasks on asyncio)", "message (tasks on asyncio)", "system call (inline, random)",
    "schedule (racy)", "schedule (under a mutex)",
    "fork with 1 resident pages", "fork with 10 results on record", "op on 4 cores (timed)", "op on 4 cores (random)",
    "op among 2 threads (timed)", "op among 20 threads (random)", "event (in memory), by itself", "event (as JSON lines to /dev/null)",
    "profile of ops", "profile of system calls",
)  # fmt: skip


def test_every_figure_is_printed_with_what_is_wanted_of_it(capsys):
    assert main(["--quick", "--profile"]) == 0
    printed = capsys.readouterr().out
    assert [row for row in ROWS if row not in printed] == []
    assert printed.count("reached") == 7, "each section has its heading"
    for wanted in ("at most 2", "at most 3", "3,000 where a send takes 41 ns", "at most 1.50 times"):
        assert wanted in printed
