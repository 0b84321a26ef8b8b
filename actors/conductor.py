"""The conductor: lets exactly one actor act at a time.

This is the machine's loop, spread over the places where actors wait: whoever waits calls `next`, which settles who runs now, and yields
that actor to the driver. The order of things in one turn is: limits, choose, hand over the baton; the actor serves its message; checks.
The conductor owns nothing that programs can see. It knows the actors, the agenda (who is ready), the chooser (who draws) and the
recorder (what is logged), and it is told first when an actor dies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors import crosscheck
from actors.actor import NEVER, SLEEP
from actors.agenda import BREATH_NS, Agenda
from actors.choices import Chooser, Strategy
from actors.ranks import SCHEDULER
from actors.search_agendas import MessageAgenda, OpAgenda
from actors.timed_agenda import TimedAgenda
from kernel.invariants import Violation

if TYPE_CHECKING:
    from actors.actor import Actor
    from actors.recorder import Recorder
    from kernel.config import Config

HEARTBEAT_TURNS = 16  # hand-overs between two signs of life to the host
CROSSCHECK_EVERY = 16  # settled points between two checks of what spans owners


class InvariantBroken(AssertionError):
    """An owner's check() found something after a message: the kernel has a bug."""

    def __init__(self, actor: str, message: Any, violations: list[Violation]) -> None:
        what = type(message).__name__ if message is not None else "a deadline or an op"
        super().__init__(f"after {what} in {actor}: " + "; ".join(map(str, violations)))
        self.violations = violations


class Conductor:
    """Who runs next, until when, and what stops the machine."""

    def __init__(self, config: Config, seed: int, strategy: Strategy, granularity: str, recorder: Recorder, machine: Any) -> None:
        self.config = config
        self.seed = seed
        self.granularity = granularity
        self.recorder = recorder
        self.machine = machine  # services of the host: console, heartbeat, more cores
        self.actors: dict[int, Actor] = {}  # by address
        self.chooser = Chooser(strategy)
        kind = TimedAgenda if strategy.name == "timed" else MessageAgenda if granularity == "messages" else OpAgenda
        self.agenda: Agenda = kind(config, seed, self.chooser, self.actors)
        self.checking = config.check.invariants
        self.steps = 0  # hand-overs so far
        self.max_steps = config.run.max_steps or 1 << 62
        self.max_time_ns = config.run.max_time_ns or 1 << 62
        self.stop_reason = ""  # "", "idle", "max_steps", "max_time", "interrupted", "livelock", "paused"
        self.interrupted = False  # ^C: stop at the next choice
        self.last_progress = 0  # step at which shared state last changed or a call completed
        self.livelock_steps = config.run.livelock_steps
        self.break_at = 1 << 62  # step at which the machine stops for inspection
        self.starting = False  # an actor is being brought to its first wait
        self._beat = 0
        self._settled_points = 0  # how often the machine was settled, while checks are on

    def next(self) -> Actor | None:
        """The actor that runs now; None ends the run, with the reason in `stop_reason`."""
        if self.starting:
            return None
        self.steps = steps = self.steps + 1
        if steps >= self._beat:
            self._beat = steps + HEARTBEAT_TURNS
            self.machine.heartbeat()
        idle_steps = steps - self.last_progress
        limited = self.interrupted or steps >= self.max_steps or steps >= self.break_at or idle_steps > self.livelock_steps
        if limited and self._must_stop():
            return None
        if self.checking:
            self.check_settled()
        actor = self.agenda.next()
        if actor is None:
            self.stop_reason = "idle"
        elif actor.clock >= self.max_time_ns:
            self.stop_reason = "max_time"
            return None
        return actor

    def _must_stop(self) -> bool:
        """A limit is reached; not so the livelock's where time will bring somebody who may end it."""
        if self.interrupted:
            self.stop_reason = "interrupted"
        elif self.steps >= self.max_steps:
            self.stop_reason = "max_steps"
        elif self.steps >= self.break_at:
            self.stop_reason = "paused"
        elif not self.agenda.searching and self._somebody_due():
            self.last_progress = self.steps
            return False
        else:
            self.stop_reason = "livelock"
        return True

    def _somebody_due(self) -> bool:
        """A core computes, or somebody is ready later than those who spin: a long piece of kernel work, a timer."""
        now = min((actor.ready_at for actor in self.actors.values() if actor.ready_at >= 0), default=0)
        stall_ns = self.config.run.stall_ns
        return any(actor.wait == SLEEP or BREATH_NS < actor.ready_at - now <= stall_ns for actor in self.actors.values())

    def progress(self) -> None:
        """Shared state changed or a call completed: no livelock so far."""
        self.last_progress = self.steps

    def spun(self, core: Actor, ops: int, *, sliced: bool) -> None:
        """`core` ran about `ops` ops without anybody else's turn; they count as choices, unless somebody else is due some time.

        Where others wait for the core (`sliced`) it may be one of them that it spins for: it is a livelock when all have had a slice.
        """
        if any(0 <= actor.ready_at < NEVER for actor in self.actors.values() if actor is not core):
            return
        if sliced:
            slices = 2 + sum(len(queue.entries) for queue in self.actors[SCHEDULER].state.cores)
            ops = self.livelock_steps * BREATH_NS // (slices * self.config.scheduler.slice_ns)
        self.last_progress -= ops

    def check_after(self, actor: Actor) -> None:
        """Law 7: what `actor` owns must be right after each message."""
        violations = list(actor.check())
        if violations:
            raise InvariantBroken(actor.name, actor.serving, violations)

    def check_settled(self) -> None:
        """Law 7: when nothing is in flight, the owners must tell one story. Every few times, as it looks at everything."""
        if self.settled():
            self._settled_points += 1
            if self._settled_points % CROSSCHECK_EVERY == 1:
                violations = list(crosscheck.violations(self.actors))
                if violations:
                    raise InvariantBroken("the settled machine", None, violations)

    def settled(self) -> bool:
        """Law 9: no message in flight, no ask open, no request parked. Cores may stand in a pause or a sleep."""
        actors = self.actors.values()
        return all(not (actor.box or actor.irqs or actor.reply) and actor.wait in _SETTLED_WAITS for actor in actors)


_SETTLED_WAITS = (1, 3, 4)  # RECEIVE, SLEEP, PAUSE
