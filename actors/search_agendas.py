"""The agendas of searches: every delivery, or every user op, is a choice of the strategy.

`MessageAgenda` tests the kernel: on the configured machine any of the messages in flight may be delivered next. `OpAgenda` tests
programs: a transition is one op of one thread and all that the kernel does about it, settled in the order of sending.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from actors.actor import ASK, INTERRUPT, MESSAGE, NEVER, PAUSE, RECEIVE, REPLY, SLEEP, TIME
from actors.agenda import DELIVERY, TICK, TIMER, TURN, Identity, ignore_jump
from actors.messages.timers import Fire
from actors.ranks import FIRST_CORE, HOST, TIMERS

if TYPE_CHECKING:
    from actors.actor import Actor
    from actors.choices import Chooser
    from kernel.config import Config


SOLO_OPS: Final = 64  # ops that a thread without rivals executes between two looks around


class SearchAgenda:
    """What both searches share: no order by time, one FIFO per sender, clocks that only carry causality."""

    searching = True
    wide = False
    free_ops = False

    def __init__(self, config: Config, seed: int, chooser: Chooser, actors: dict[int, Actor]) -> None:
        self.actors = actors
        self.chooser = chooser
        self.handler_cost = config.costs.handler_ns
        self.latency_ns = config.costs.message_ns
        self.stall_ns = config.run.stall_ns
        self.before_jump: Callable[[int], None] = ignore_jump

    def horizon(self, actor: Actor) -> int:
        """A core offers the machine before every op."""
        return -1


class MessageAgenda(SearchAgenda):
    """Every delivery is a choice. A box is a dict of FIFOs by sender; replies have a slot of their own, since only one can be open.

    Time: each actor's clock is at least that of what it received. Timers may fire at any moment (a slow machine), and the slice of a
    thread may end at any moment where others wait for its core: preemption is a choice before each op.
    """

    def __init__(self, config: Config, seed: int, chooser: Chooser, actors: dict[int, Actor]) -> None:
        super().__init__(config, seed, chooser, actors)
        self.enabled: dict[Identity, Actor] = {}  # candidates; sorted when drawn from
        self.picked: Identity = (DELIVERY, 0, 0)

    def new_box(self) -> dict[int, deque[tuple[int, int, Any]]]:
        """A mailbox: sender to FIFO of (kind, sent at, envelope)."""
        return {}

    def in_flight(self, actor: Actor) -> list[Any]:
        """Messages that the actor has not received yet."""
        return [payload[0] for fifo in actor.box.values() for _, _, payload in fifo]

    def scaled(self, ns: int) -> int:
        """Virtual time that work of `ns` takes."""
        return ns

    def post(self, sender: Actor, receiver: Actor, kind: int, payload: Any) -> None:
        """Send: the delivery becomes a candidate if the receiver's wait accepts the head of this sender's FIFO."""
        sent = sender.clock + self.latency_ns
        identity = (DELIVERY, receiver.address, sender.address)
        if kind == REPLY:
            receiver.reply = payload
            receiver.reply_at = sent
            if receiver.wait == ASK:
                self.enabled[(DELIVERY, receiver.address, sender.address, 1)] = receiver
            else:
                receiver.last_arrival[-1] = sender.address
            return
        fifo = receiver.box.get(sender.address)
        if fifo is None:
            fifo = receiver.box[sender.address] = deque()
        fifo.append((kind, sent, payload))
        if len(fifo) == 1 and (receiver.wait == RECEIVE or (kind == INTERRUPT and receiver.wait)):
            self.enabled[identity] = receiver

    def enter_wait(self, actor: Actor) -> None:
        """Add what the new wait accepts to the candidates."""
        enabled = self.enabled
        address = actor.address
        wait = actor.wait
        for sender, fifo in actor.box.items():
            if fifo and (wait == RECEIVE or fifo[0][0] == INTERRUPT):
                enabled[(DELIVERY, address, sender)] = actor
        if wait == ASK:
            if actor.reply is not None:
                enabled[(DELIVERY, address, actor.last_arrival.get(-1, 0), 1)] = actor
        elif wait == PAUSE:
            enabled[actor.turn] = actor  # type: ignore[attr-defined]  # only cores pause
            if actor.state.slice_end < NEVER:
                enabled[(TICK, address - FIRST_CORE)] = actor
        elif wait == SLEEP:
            enabled[(TICK, address - FIRST_CORE)] = actor
        elif actor.until < NEVER:
            enabled[(TIMER,)] = actor

    def next(self) -> Actor | None:
        """Draw one candidate; all others of the same actor are withdrawn until it waits again."""
        enabled = self.enabled
        if not enabled:
            return None
        if len(enabled) == 1:
            identity, actor = next(iter(enabled.items()))
        else:
            identities = sorted(enabled)
            identity = identities[self.chooser.next(identities, self.chooser.checksum(identities))]
            actor = enabled[identity]
        self.picked = identity
        for other in [key for key, owner in enabled.items() if owner is actor]:
            del enabled[other]
        return actor

    def take(self, actor: Actor) -> tuple[int, Any]:
        """What the drawn candidate stands for."""
        identity = self.picked
        if identity[0] == DELIVERY:
            if len(identity) == 4:
                reply = actor.reply
                actor.reply = None
                actor.clock = max(actor.clock, actor.reply_at)
                return REPLY, reply
            fifo = actor.box[identity[2]]
            kind, sent, payload = fifo.popleft()
            if not fifo:
                del actor.box[identity[2]]
            actor.clock = max(actor.clock, sent)
            return kind, payload
        until = actor.state.slice_end if actor.wait == PAUSE else actor.until
        if identity[0] != TURN and until < NEVER:
            actor.clock = max(actor.clock, until)
        return TIME, None


class OpAgenda(SearchAgenda):
    """Every user op is a choice; what the kernel does about it settles in order of sending before the next choice.

    Ops cost nothing, the clock moves only when a timer fires. A pure sleep is a candidate at once; a timed wait fires when nothing
    else is enabled, or earlier at the price of one unit of `early_timeouts` (DESIGN 10).

    The set of turns changes little from choice to choice: a core that is chosen stays in it, and is taken out only if it did not come
    back to its pause. So a choice costs the same for 2 threads and for 2,000.
    """

    wide = True
    free_ops = True

    def __init__(self, config: Config, seed: int, chooser: Chooser, actors: dict[int, Actor]) -> None:
        super().__init__(config, seed, chooser, actors)
        self.handler_cost = 0
        self.latency_ns = 0
        self.now = 0  # the machine's one clock
        self.due: deque[Actor] = deque()  # actors that something acceptable has come for, in order of sending
        self.turns: list[Identity] = []  # threads whose next op can be executed, sorted
        self.cores: list[Actor] = []  # the core of each
        self.checksum = 0  # of `turns`
        self.running: Actor | None = None  # the core that was chosen last and may have left its pause
        self.early_timeouts = config.explore.early_timeouts

    def new_box(self) -> deque[Any]:
        """A mailbox: a FIFO of envelopes."""
        return deque()

    def in_flight(self, actor: Actor) -> list[Any]:
        """Messages that the actor has not received yet."""
        return [payload[0] for payload in (*actor.box, *actor.irqs)]

    def scaled(self, ns: int) -> int:
        """Nothing costs virtual time."""
        return 0

    def horizon(self, actor: Actor) -> int:
        """Before every op, unless the thread is the only candidate: then there is nothing to choose, and it goes on for a while."""
        alone = len(self.turns) == 1 and self.running is actor and not self.due and not self.actors[TIMERS].state.queue
        return self.now + SOLO_OPS if alone else -1

    def post(self, sender: Actor, receiver: Actor, kind: int, payload: Any) -> None:
        """Send; whoever can accept it is due, once."""
        wait = receiver.wait
        if kind == MESSAGE:
            receiver.box.append(payload)
            accepted = wait == RECEIVE
        elif kind == REPLY:
            receiver.reply = payload
            accepted = wait == ASK
        else:
            receiver.irqs.append(payload)
            accepted = wait != 0
        if accepted and receiver.ready_at < 0:
            receiver.ready_at = 0
            self.due.append(receiver)

    def enter_wait(self, actor: Actor) -> None:
        """Due at once if something acceptable is there already; a pause offers a turn."""
        wait = actor.wait
        if wait == PAUSE and actor is not self.running and actor.offered is None:
            self._offer(actor)
        if actor.irqs or (wait == RECEIVE and actor.box) or (wait == ASK and actor.reply is not None) or wait == SLEEP:
            actor.ready_at = 0
            self.due.append(actor)

    def _offer(self, actor: Actor) -> None:
        identity = actor.offered = actor.turn  # type: ignore[attr-defined]  # only cores pause
        index = bisect_left(self.turns, identity)
        self.turns.insert(index, identity)
        self.cores.insert(index, actor)
        self.checksum ^= self.chooser.mark(identity)

    def _withdraw(self, actor: Actor) -> None:
        identity = actor.offered
        assert identity is not None, "a core that offers nothing"
        index = bisect_left(self.turns, identity)
        while self.cores[index] is not actor:  # its thread may have gone to another core meanwhile, and is offered there too
            index += 1
        del self.turns[index]
        del self.cores[index]
        self.checksum ^= self.chooser.mark(identity)
        actor.offered = None

    def next(self) -> Actor | None:
        """Settle first; then draw among threads and timers."""
        if self.due:
            actor = self.due.popleft()
            actor.ready_at = -1
            actor.clock = self.now
            return actor
        running = self.running
        if running is not None:
            if running.wait != PAUSE:
                self._withdraw(running)
            elif running.turn is not running.offered:  # type: ignore[attr-defined]
                self._withdraw(running)
                self._offer(running)
            self.running = None
        timers = self.actors[TIMERS].state
        if timers.queue:
            return self._next_with_timers(timers.armed())
        count = len(self.turns)
        if count > 1:
            actor = self.cores[self.chooser.next(self.turns, self.checksum)]
        elif count:
            actor = self.cores[0]
        else:
            return None
        self.running = actor
        actor.clock = self.now
        return actor

    def _next_with_timers(self, timers: Any) -> Actor | None:
        chosen_of: dict[Identity, Any] = dict(zip(self.turns, self.cores, strict=True))
        for timer in timers:
            if timer.pure_sleep:
                chosen_of[(TIMER, *timer.path)] = timer
        timed = next((timer for timer in timers if not timer.pure_sleep), None)
        early = bool(chosen_of)
        if timed is not None and (not early or self.early_timeouts > 0):
            chosen_of[(TIMER, *timed.path, -1)] = timed
        if not chosen_of:
            return None
        identities = sorted(chosen_of)
        index = self.chooser.next(identities, self.chooser.checksum(identities)) if len(identities) > 1 else 0
        chosen = chosen_of[identities[index]]
        if identities[index][0] == TURN:
            self.running = chosen
            chosen.clock = self.now
            return chosen  # type: ignore[no-any-return]
        if chosen is timed and early:
            self.early_timeouts -= 1
        return self._fire(chosen)

    def _fire(self, timer: Any) -> Actor:
        """Move time to the timer's deadline and wake `timers` as if that time had come."""
        if timer.deadline - self.now > self.stall_ns:
            self.before_jump(self.now)
        self.now = max(self.now, timer.deadline)
        actor = self.actors[TIMERS]
        actor.clock = self.now
        actor.ready_at = -1
        actor.box.appendleft((Fire(timer.tid, timer.serial), HOST, -1, 0))
        return actor

    def take(self, actor: Actor) -> tuple[int, Any]:
        """What ended the wait."""
        if actor.irqs:
            return INTERRUPT, actor.irqs.popleft()
        wait = actor.wait
        if wait == ASK:
            reply = actor.reply
            actor.reply = None
            return REPLY, reply
        if wait == RECEIVE and actor.box:
            return MESSAGE, actor.box.popleft()
        return TIME, None
