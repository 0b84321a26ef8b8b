"""What the scheduler needs of the rest of the machine, as a protocol: the actor sends messages, a test keeps a list."""

from __future__ import annotations

from typing import Any, Final, Protocol

from kernel.scheduler.run_queue import ScheduledThread

UNLIMITED: Final = -1  # slice of a thread whose core nobody else waits for
NOW: Final = -1  # "give it back at the next op boundary"


class Hardware(Protocol):
    """What the scheduler does to the rest of the machine; the actor sends messages, a test keeps a list."""

    @property
    def tracing(self) -> bool:
        """False: the four event methods are not called."""

    def dispatch(self, core: int, context: Any, slice_ns: int, attention: int, timed_out: bool) -> None:
        """Core `core`, which is idle, runs this thread."""

    def kick(self, core: int, tid: int, level: int) -> None:
        """The thread on `core` has something to deliver."""

    def reschedule(self, core: int, tid: int, slice_ns: int) -> None:
        """The thread on `core` has so much CPU time left; NOW: none."""

    def add_core(self) -> int:
        """One more core (wide machine only); its number."""

    def switched(self, core: int, previous: ScheduledThread | None, letter: str, reason: str, following: ScheduledThread | None) -> None:
        """Event sched_switch. The wait's object stands in `previous`."""

    def waking(self, thread: ScheduledThread, why: str) -> None:
        """Event sched_waking."""

    def woken(self, thread: ScheduledThread, core: int, new: bool) -> None:
        """Event sched_wakeup."""

    def migrated(self, thread: ScheduledThread, origin: int, destination: int) -> None:
        """Event sched_migrate_task."""
