"""`make bench` prints every figure. Sizes are tiny here, and no figure is judged: a timing never decides a test."""

from __future__ import annotations

import contextlib
import io

from benchmarks.__main__ import main


def test_every_figure_is_printed():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["--quick"]) == 0
    text = printed.getvalue()
    for figure in ("ops (loads", "system calls (getppid, inline)", "messages (tasks on asyncio)", "schedules (2 threads", "under a mutex",
                   "resident pages", "results on record", "op on 4 cores", "op among 4 threads", "events (as JSON lines"):  # fmt: skip
        assert figure in text
    assert "wanted" in text
