"""The actor `scheduler`: lowest in rank, asks nobody, and lives on what cores and owners tell it.

Each method hands its message to `state` (kernel/scheduler), which calls back for what must be sent: `Run`, `Kick`, `Reschedule`. This actor
is the `Hardware` that the state asks for. It serves more messages than any other actor, so there is nothing else here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from actors.actor import Actor
from actors.events import SchedMigrateTask, SchedSwitch, SchedWakeup, SchedWaking
from actors.messages import core, scheduler
from actors.messages.base import Message
from actors.ranks import FIRST_CORE, SCHEDULER
from kernel.scheduler.run_queue import ScheduledThread, SchedulerStatistics
from kernel.scheduler.scheduler import Scheduler


class SchedulerActor(Actor):
    """Serves messages/scheduler.py."""

    rank: ClassVar[int] = SCHEDULER
    state: Scheduler

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """Message class to method."""
        return {
            scheduler.Enqueue: self.enqueue,
            scheduler.Park: self.park,
            scheduler.Preempted: self.preempted,
            scheduler.Exited: self.exited,
            scheduler.Renamed: self.renamed,
            scheduler.Wake: self.wake,
            scheduler.Attention: self.attention,
            scheduler.SetAffinity: self.set_affinity,
            scheduler.GetAffinity: self.get_affinity,
            scheduler.SetNice: self.set_nice,
            scheduler.GetNice: self.get_nice,
            scheduler.ThreadStatistics: self.thread_statistics,
            scheduler.SchedulerSnapshot: self.snapshot,
        }

    # ---- messages -------------------------------------------------------------------------------------------------------------

    def park(self, message: scheduler.Park) -> None:
        """A core's thread waits."""
        self.state.park(
            message.core, message.context, message.serial, message.reason, message.object, message.timed, message.killable, message.ran_ns,
            self.clock, self,
        )  # fmt: skip

    def wake(self, message: scheduler.Wake) -> None:
        """A wait may be over."""
        self.state.wake(message.tid, message.serial, message.timed_out, self.clock, self)

    def attention(self, message: scheduler.Attention) -> None:
        """A thread has something to deliver, or nothing more."""
        self.state.set_attention(message.tid, message.level, self.clock, self)

    def preempted(self, message: scheduler.Preempted) -> None:
        """A core gives its thread back."""
        self.state.preempted(message.core, message.context, message.ran_ns, message.yielded, self.clock, self)

    def enqueue(self, message: scheduler.Enqueue) -> None:
        """A new thread."""
        self.state.enqueue(message.context, message.parent_tid, self.clock, self)

    def exited(self, message: scheduler.Exited) -> None:
        """A core's thread is gone."""
        self.state.exited(message.core, message.ran_ns, self.clock, self)

    def renamed(self, message: scheduler.Renamed) -> None:
        """Execve by a thread that was not the leader."""
        self.state.rename(message.old_tid, message.new_tid, self)

    def set_affinity(self, message: scheduler.SetAffinity) -> None:
        """Restrict a thread to some cores."""
        self.state.set_affinity(message.tid, message.cores, self.clock, self)

    def get_affinity(self, message: scheduler.GetAffinity) -> tuple[int, ...]:
        """The cores that a thread may use."""
        return self.state.get_affinity(message.tid)

    def set_nice(self, message: scheduler.SetNice) -> None:
        """Change a thread's weight."""
        self.state.set_nice(message.tid, message.nice)

    def get_nice(self, message: scheduler.GetNice) -> int:
        """A thread's nice value."""
        return self.state.find(message.tid).nice

    def thread_statistics(self, message: scheduler.ThreadStatistics) -> SchedulerStatistics:
        """What /proc shows."""
        return self.state.statistics(message.tid, self.clock)

    def snapshot(self, message: scheduler.SchedulerSnapshot) -> tuple[SchedulerStatistics, ...]:
        """All threads."""
        return self.state.snapshot()

    # ---- kernel.scheduler.scheduler.Hardware ------------------------------------------------------------------------------------

    @property
    def tracing(self) -> bool:
        """Are events of category sched on?"""
        return self.log.sched

    def dispatch(self, number: int, context: Any, slice_ns: int, attention: int, timed_out: bool) -> None:
        """Core `number` runs this thread."""
        self.tell(FIRST_CORE + number, core.Run(context, slice_ns, attention, timed_out))

    def kick(self, number: int, tid: int, level: int) -> None:
        """Interrupt: something to deliver."""
        self.tell(FIRST_CORE + number, core.Kick(tid, level))

    def reschedule(self, number: int, tid: int, slice_ns: int) -> None:
        """Interrupt: the thread's time has an end."""
        self.tell(FIRST_CORE + number, core.Reschedule(tid, slice_ns))

    def add_core(self) -> int:
        """The wide machine grows."""
        number: int = self.machine.add_core()
        return number

    def switched(self, number: int, previous: ScheduledThread | None, letter: str, reason: str, following: ScheduledThread | None) -> None:
        """Log sched_switch; the context of `following` is still here."""
        event = SchedSwitch(
            prev_tid=previous.tid if previous else 0,
            prev_comm=previous.comm if previous else "",
            prev_state=letter,
            reason=reason,
            object=previous.object if previous and letter not in ("R", "X") else "",
            next_tid=following.tid if following else 0,
            next_comm=following.comm if following else "",
            next_space=following.context.caller.space if following else 0,
        )
        who = previous or following
        self.emit(event, cpu=number, pid=who.pid if who else 0, tid=who.tid if who else 0, comm=who.comm if who else "")

    def waking(self, thread: ScheduledThread, why: str) -> None:
        """Log sched_waking."""
        self.emit(SchedWaking(target=thread.tid, target_comm=thread.comm, serial=thread.serial, why=why))

    def woken(self, thread: ScheduledThread, number: int, new: bool) -> None:
        """Log sched_wakeup."""
        self.emit(SchedWakeup(target_cpu=number, new=new), cpu=number, pid=thread.pid, tid=thread.tid, comm=thread.comm)

    def migrated(self, thread: ScheduledThread, origin: int, destination: int) -> None:
        """Log sched_migrate_task."""
        self.emit(SchedMigrateTask(orig_cpu=origin, dest_cpu=destination), pid=thread.pid, tid=thread.tid, comm=thread.comm)
