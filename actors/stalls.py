"""Dead sets that are found while the machine lives: told at once, watched until the end.

When virtual time jumps by more than `run.stall_ns`, nothing has happened for that long, and the agenda calls `look` before the jump.
What `diagnosis.dead_set` finds then is logged as a `diagnosis` event and told to the user at once; the run goes on, because others live.
A set that an exit or a signal dissolves later becomes a second note and fails nothing. One that still blocks at the end is a deadlock.

A thread is known here by its ticket (tid and serial of the wait), so that the same wait is told once, and a new one again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from actors import diagnosis
from actors.events import Diagnosis
from actors.ranks import SCHEDULER
from kernel.scheduler.run_queue import PARKED
from kernel.tickets import Ticket

if TYPE_CHECKING:
    from actors.boot import System
    from actors.diagnosis import Waiting


class Stalls:
    """The dead sets of one run."""

    def __init__(self, system: System, told: Iterable[Ticket] = ()) -> None:
        self._system = system
        self.told = dict.fromkeys(told)  # waits that were told and have not been seen to end
        system.conductor.agenda.before_jump = self.look

    def look(self, now_ns: int) -> None:
        """Time stands at `now_ns` and is about to jump: tell of threads that have come to wait for ever."""
        if not self._system.conductor.settled():
            return
        self.dissolve(now_ns)
        dead = diagnosis.dead_set(self._system)
        tickets = dict.fromkeys(self._ticket(entry.tid) for entry in dead)
        if tickets.keys() <= self.told.keys():
            return
        self.told.update(tickets)
        self._tell(now_ns, "deadlock", f"{diagnosis.describe(dead)}\n  others live, so the run goes on", [entry.tid for entry in dead])

    def dissolve(self, now_ns: int) -> None:
        """Say which of the waits that were told have ended all the same."""
        ended = [ticket for ticket in self.told if not self._waits(ticket)]
        if ended:
            for ticket in ended:
                del self.told[ticket]
            names = ", ".join(f"[{ticket.tid}]" for ticket in ended)
            verb = "waits" if len(ended) == 1 else "wait"
            text = f"{names} {verb} no longer: an exit or a signal dissolved what looked like a deadlock, so it fails nothing"
            self._tell(now_ns, "dissolved", text, [ticket.tid for ticket in ended])

    def remaining(self) -> list[Waiting]:
        """Of the waits that were told, those that still block: at the end of a run, its deadlock."""
        return [entry for entry in diagnosis.dead_set(self._system) if self._ticket(entry.tid) in self.told] if self.told else []

    def _ticket(self, tid: int) -> Ticket:
        return Ticket(tid, self._system.conductor.actors[SCHEDULER].state.threads[tid].serial)

    def _waits(self, ticket: Ticket) -> bool:
        thread = self._system.conductor.actors[SCHEDULER].state.threads.get(ticket.tid)
        return thread is not None and thread.state is PARKED and thread.serial == ticket.serial

    def _tell(self, now_ns: int, kind: str, text: str, tids: list[int]) -> None:
        recorder = self._system.conductor.recorder
        if recorder.run:
            recorder.add(Diagnosis(kind=kind, text=text, threads=tids, actor="conductor", time_ns=now_ns))
        self._system.services.note(f"at {now_ns} ns: {text}")
