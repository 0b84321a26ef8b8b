"""What all parts of the `processes` actor share: its state, and the few steps that every part takes.

The actor is one class in five files, by subject: process_tables.py (this one), process_birth.py (clone, exec, the first program),
process_exit.py (exit, wait, stops), process_control.py (signals by pid, groups, credentials, limits), procfs.py (/proc), and
processes.py, which puts them together. Each part has a table of handlers. A handler serves its request to the end before the next one
is received, so that the tree never changes under it, although it may ask others in between (strictly down, law 2).
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors import ranks
from actors.actor import Actor
from actors.messages import scheduler, signals
from actors.messages.base import Caller
from actors.messages.signals import SignalInfo
from kernel.abi.errnos import Failure
from kernel.processes.process import Process, Usage
from kernel.processes.processes import Processes
from kernel.processes.thread import Thread
from kernel.tickets import Ticket


class ProcessTables(Actor):
    """Base of the parts of the `processes` actor."""

    rank: ClassVar[int] = ranks.PROCESSES
    state: Processes

    def caller_process(self, caller: Caller) -> Process:
        """The caller's process; a thread that can make calls has one."""
        return self.state.processes[caller.pid]

    def caller_thread(self, caller: Caller) -> Thread:
        """The caller's thread."""
        return self.state.threads[caller.tid]

    def wake(self, ticket: Ticket) -> None:
        """The wait may be over: its thread runs, and its core sends Resume here."""
        self.tell(ranks.SCHEDULER, scheduler.Wake(ticket.tid, ticket.serial, timed_out=False))

    async def post(self, target: Process, tid: int, info: SignalInfo, caller_tid: int = 0) -> None:
        """Generate a signal for a process or one of its threads; the caller's own attention goes with the reply."""
        if target.accepts_signals():
            self.give_attention(await self.ask(ranks.SIGNALS, signals.Post(target.pid, tid, info, caller_tid)))

    async def usage_of(self, thread: Thread) -> Usage:
        """Run time and switches of a living thread. All of it counts as user time: actors, not threads, do the kernel's work."""
        found: Any = await self.ask(ranks.SCHEDULER, scheduler.ThreadStatistics(thread.tid))
        if found.__class__ is Failure:
            return Usage()  # not enqueued yet
        return Usage(utime_ns=found.sum_exec_ns, nvcsw=found.voluntary_switches, nivcsw=found.involuntary_switches)

    async def usage_of_process(self, process: Process) -> Usage:
        """Of the threads that have ended and those that live."""
        total = process.usage
        for thread in process.live_threads():
            total = total.plus(await self.usage_of(thread))
        return total
