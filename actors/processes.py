"""The `processes` actor: pids, the tree, clone, exec, wait, exit, groups and sessions, signals by pid, /proc.

What it knows is `kernel.processes.processes.Processes`; how it serves each request stands in the parts that it is put together from
(process_tables.py lists them). This file is the table: one line for each message class, and what a `Resume` of each kind of wait means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.messages import processes
from actors.messages.base import Message, Resume
from actors.procfs import ProcFs
from kernel.processes.process import ProcessStatistics
from kernel.processes.processes import ExecWait, VforkWait
from kernel.processes.reaping import WaitCall
from kernel.tickets import Ticket


class ProcessesActor(ProcFs):
    """Owner of the process tree."""

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """One line for each message."""
        return {
            processes.Spawn: self.spawn,
            processes.Clone: self.clone,
            processes.Exec: self.execute,
            processes.ExitGroup: self.exit_group,
            processes.ThreadExit: self.thread_exit,
            processes.Wait4: self.wait4,
            processes.ThreadStopped: self.thread_stopped,
            processes.Continued: self.continued,
            Resume: self.resume,
            processes.Kill: self.kill,
            processes.Tkill: self.tkill,
            processes.Tgkill: self.tgkill,
            processes.SignalGroup: self.signal_group,
            processes.GroupOf: self.group_of,
            processes.Setpgid: self.setpgid,
            processes.Getpgid: self.getpgid,
            processes.Getpgrp: self.getpgrp,
            processes.Getsid: self.getsid,
            processes.Setsid: self.setsid,
            processes.Getppid: self.getppid,
            processes.Setuid: self.setuid,
            processes.Setgid: self.setgid,
            processes.Getpriority: self.getpriority,
            processes.Setpriority: self.setpriority,
            processes.SchedSetaffinity: self.sched_setaffinity,
            processes.SchedGetaffinity: self.sched_getaffinity,
            processes.Prlimit: self.prlimit,
            processes.Getrusage: self.getrusage,
            processes.Times: self.times,
            processes.Prctl: self.prctl,
            processes.SetTidAddress: self.set_tid_address,
            processes.ProcOpen: self.proc_open,
            processes.ProcRead: self.proc_read,
            processes.KernelStatistics: self.kernel_statistics,
        }

    def resume(self, message: Resume) -> Any:
        """A thread that waited here runs again; its ticket says for what it waited."""
        ticket = Ticket(message.caller.tid, message.serial)
        wait = self.state.waits[ticket]
        resumes: dict[type[Any], Callable[[Resume, Ticket, Any], Any]] = {
            WaitCall: self.resume_wait, VforkWait: self.resume_vfork, ExecWait: self.resume_exec,
        }
        return resumes[wait.__class__](message, ticket, wait)

    def kernel_statistics(self, _: processes.KernelStatistics) -> tuple[ProcessStatistics, ...]:
        """Everybody, for reports."""
        return self.state.statistics()
