"""The mutants: each breaks one promise of the kernel in at most five lines, and the machine still boots.

`old` must stand exactly once in the file. `tests` are the folders that are expected to notice; the runner stops at the first test.
"""

# ruff: noqa: E501, Q003 - `old` and `new` are lines of the source as they stand there

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One way to break the kernel."""

    name: str
    breaks: str  # what is promised and not kept any more
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


SCHEDULER = "kernel/scheduler/scheduler.py"
UNITS_AND_RACES = ("tests/kernel", "tests/interleavings")

MUTANTS = (
    Mutant(
        "wake_before_sleep_lost", "a wake that comes before the park is remembered (law 4)", SCHEDULER,
        "                thread.wake_serial, thread.wake_timed_out = serial, timed_out\n",
        "                pass\n",
        ("tests/interleavings", "tests/kernel/scheduler"),
    ),
    Mutant(
        "stale_wake_accepted", "a wake with a stale serial is dropped (law 3)", SCHEDULER,
        "        if serial != thread.serial:\n            return\n        thread.timed_out = timed_out\n",
        "        thread.timed_out = timed_out\n",
        ("tests/kernel/scheduler", "tests/interleavings"),
    ),
    Mutant(
        "attention_only_in_the_context", "attention is sticky in the scheduler's table (law 4)", SCHEDULER,
        "        attention = self.attention.get(thread.tid, 0) if self.attention else 0\n",
        "        attention = context.attention\n",
        ("tests/interleavings", "tests/kernel/scheduler"),
    ),
    Mutant(
        "park_ignores_attention", "a thread that has something to deliver does not fall asleep", SCHEDULER,
        "        elif self.attention and self.attention.get(thread.tid, 0) > killable:\n",
        "        elif False:\n",
        ("tests/interleavings", "tests/kernel/scheduler"),
    ),
    Mutant(
        "reference_count_off_by_one", "a frame counts each of its references", "kernel/memory/frames.py",
        "        self.counts[number] += 1\n",
        "        self.counts[number] += 1 if self.counts[number] == 1 else 2\n",
        ("tests/kernel/memory", "tests/interleavings"),
    ),
    Mutant(
        "shootdown_without_ack", "frames are released when every core has forgotten them", "actors/memory.py",
        "        if not told:\n            self.state.settle(change.frames)\n            return change.value\n        self._shoot(change, told).reply = (to, change.value)\n        return PENDING\n",
        "        if told:\n            self._shoot(change, told)\n        self.state.settle(change.frames)\n        change.frames.clear()\n        return change.value\n",
        ("tests/actors", "tests/interleavings"),
    ),
    Mutant(
        "last_sharer_copied", "the last sharer gets its page back without a copy", "kernel/memory/faults.py",
        "    if memory.frames.counts[frame] == 1:\n        block.entries[index] = entry | WRITABLE\n",
        "    if memory.frames.counts[frame] == 0:\n        block.entries[index] = entry | WRITABLE\n",
        ("tests/kernel/memory", "tests/lecture"),
    ),
    Mutant(
        "sigchld_before_zombie", "the zombie is recorded before SIGCHLD is posted and waiters are woken", "actors/process_exit.py",
        "        process.group_status = message.status\n        process.move(ProcessState.EXITING)\n",
        "        process.group_status = message.status\n        process.move(ProcessState.EXITING)\n        parent = self.state.processes[process.ppid]\n        if not parent.kernel:\n            await self._tell_parent(parent, process, CLD_EXITED, 0)\n",
        ("tests/interleavings", "tests/actors"),
    ),
    Mutant(
        "pair_order_broken", "what one actor sends to another arrives in order", "actors/timed_agenda.py",
        "        if arrival < earlier:\n            arrival = earlier\n",
        "",
        ("tests/actors", "tests/determinism", "tests/interleavings"),
    ),
    Mutant(
        "futex_compare_left_out", "FUTEX_WAIT sleeps only if the word still has the expected value", "actors/memory.py",
        "            raise SysError(EAGAIN)\n", "            pass\n",
        ("tests/interleavings", "tests/syscalls"),
    ),
    Mutant(
        "end_of_file_too_early", "a pipe ends when its last writer closes it, no sooner", "kernel/ipc/pipes.py",
        "        return self.writers > 0 or bool(self.writing) or any(wait.both for wait in self.reading.values())\n",
        "        return self.writers > 1 or bool(self.writing) or any(wait.both for wait in self.reading.values())\n",
        UNITS_AND_RACES,
    ),
    Mutant(
        "restart_without_the_flag", "an interrupted call restarts only under SA_RESTART", "actors/delivery.py",
        "    if flags & SA_RESTART and (rule == \"restart\"",
        "    if (rule == \"restart\"",
        ("tests/syscalls", "tests/interleavings"),
    ),
    Mutant(
        "wake_one_too_few", "FUTEX_WAKE wakes as many as it is asked to", "kernel/ipc/futexes.py",
        "        for _ in range(min(max(count, 1), len(queue))):\n", "        for _ in range(1):\n",
        ("tests/kernel/ipc", "tests/syscalls"),
    ),
    Mutant(
        "late_continuation", "news of a continuation that comes late does not end the stop after it", "actors/process_exit.py",
        "            await self._tell_parent_of_change(process, CLD_CONTINUED, SIGCONT)\n        await self._stop_if_complete(process)\n",
        "            await self._tell_parent_of_change(process, CLD_CONTINUED, SIGCONT)\n",
        ("tests/interleavings", "tests/actors"),
    ),
    Mutant(
        "interrupted_beats_woken", "a wake that was counted is not spent on a call that says EINTR (law 3)", "kernel/ipc/futexes.py",
        "            del self.completed[ticket]\n            return 0\n",
        "            del self.completed[ticket]\n            return Failure(EINTR) if interrupted else 0\n",
        ("tests/interleavings", "tests/kernel/ipc"),
    ),
    Mutant(
        "fork_without_shootdown", "cores forget that they may write to what fork has shared", "kernel/memory/memory.py",
        "        return Change(child.number, [PageRange(number, 0, -1)])\n",
        "        return Change(child.number)\n",
        ("tests/interleavings", "tests/kernel/memory"),
    ),
    Mutant(
        "slice_forgotten", "a thread gives way at the end of its slice", "actors/core.py",
        "        state.slice_end = self.clock + message.slice_ns if message.slice_ns >= 0 else NEVER\n",
        "        state.slice_end = NEVER\n",
        ("tests/interleavings",),
    ),
    Mutant(
        "kick_overwritten", "attention that comes while a handler returns is kept (law 4)", "actors/delivery.py",
        "    core.thread_attention(await core.ask(SIGNALS, signals.Sigreturn(context.caller.tid, saved.saved_mask)))\n",
        "    context.attention = await core.ask(SIGNALS, signals.Sigreturn(context.caller.tid, saved.saved_mask))\n",
        ("tests/interleavings",),
    ),
)
