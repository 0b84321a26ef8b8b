"""The agenda of `trapline run`: least ready time first, what a real machine would do.

An actor is ready at max(own clock, earliest arrival). Whoever has the least ready time runs; ties are drawn. So cores really run in
parallel in virtual time, and contention on a busy actor shows as latency. This is conservative discrete-event simulation (Chandy and
Misra, 1979): no message can arrive before the time that runs now, because nobody runs earlier and no latency is negative.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from actors.actor import ASK, INTERRUPT, MESSAGE, NEVER, RECEIVE, REPLY, SLEEP, TIME
from actors.agenda import DELIVERY, JITTER_DRAWS, ignore_jump
from kernel.rng import Stream

if TYPE_CHECKING:
    from actors.actor import Actor
    from actors.choices import Chooser
    from kernel.config import Config


class TimedAgenda:
    """Conservative discrete-event order: an actor is ready at max(own clock, earliest arrival); the least ready time runs.

    Boxes are heaps of (arrival, sender, serial, envelope); latency is constant per pair plus jitter, clamped so that what one actor
    sends to another arrives in order. No message can arrive before the time that runs now, because nobody runs earlier.
    """

    searching = False
    wide = False
    free_ops = False

    def __init__(self, config: Config, seed: int, chooser: Chooser, actors: dict[int, Actor]) -> None:
        self.actors = actors
        self.chooser = chooser
        self.handler_cost = config.costs.handler_ns
        self.heap: list[tuple[int, int]] = []  # (ready time, address); stale entries are skipped when they come up
        self.now = 0  # the ready time that ran last
        self.stall_ns = config.run.stall_ns
        self.before_jump: Callable[[int], None] = ignore_jump
        self.serial = 0
        self.latency_ns = config.costs.message_ns
        stream = Stream(seed, "message jitter")
        bound = config.costs.message_jitter_ns + 1
        self.jitter = [stream.below(bound) for _ in range(JITTER_DRAWS)]
        self.drawn = 0

    def new_box(self) -> list[tuple[int, int, int, Any]]:
        """A mailbox: a heap."""
        return []

    def in_flight(self, actor: Actor) -> list[Any]:
        """Messages that the actor has not received yet."""
        return [entry[3][0] for entry in (*actor.box, *actor.irqs)]

    def scaled(self, ns: int) -> int:
        """Virtual time that work of `ns` takes."""
        return ns

    def post(self, sender: Actor, receiver: Actor, kind: int, payload: Any) -> None:
        """Send; the receiver becomes ready at the arrival if its wait accepts this kind."""
        self.drawn = drawn = (self.drawn + 1) % JITTER_DRAWS
        arrival = sender.clock + self.latency_ns + self.jitter[drawn]
        last = sender.last_arrival
        address = receiver.address
        earlier = last.get(address, 0)
        if arrival < earlier:
            arrival = earlier
        last[address] = arrival
        wait = receiver.wait
        if kind == REPLY:
            receiver.reply = payload
            receiver.reply_at = arrival
            accepted = wait == ASK
        else:
            self.serial = serial = self.serial + 1
            heappush(receiver.irqs if kind == INTERRUPT else receiver.box, (arrival, sender.address, serial, payload))
            accepted = wait == RECEIVE or kind == INTERRUPT
        if accepted and receiver.ready_at >= 0:
            ready = arrival if arrival > receiver.clock else receiver.clock
            if ready < receiver.ready_at:
                receiver.ready_at = ready
                heappush(self.heap, (ready, address))

    def enter_wait(self, actor: Actor) -> None:
        """Compute when the actor is ready, from what is in its boxes."""
        wait = actor.wait
        if wait == ASK:
            ready = actor.reply_at if actor.reply is not None else NEVER
        elif wait == RECEIVE:
            ready = actor.until
            if actor.box and actor.box[0][0] < ready:
                ready = actor.box[0][0]
        elif wait == SLEEP:
            ready = actor.until
        else:
            ready = actor.clock
        if actor.irqs and actor.irqs[0][0] < ready:
            ready = actor.irqs[0][0]
        if ready < actor.clock:
            ready = actor.clock
        actor.ready_at = ready
        if ready < NEVER:
            heappush(self.heap, (ready, actor.address))

    def next(self) -> Actor | None:
        """The actor with the least ready time, its clock moved there; None: nobody will ever be ready."""
        heap = self.heap
        while heap:
            time, address = heappop(heap)
            actor = self.actors[address]
            if actor.ready_at != time:
                continue
            if heap and heap[0][0] == time:
                actor = self._break_tie(time, actor)
            if time - self.now > self.stall_ns:
                self.before_jump(self.now)
            self.now = time
            actor.ready_at = -1
            if time > actor.clock:
                actor.clock = time
            return actor
        return None

    def _break_tie(self, time: int, first: Actor) -> Actor:
        heap = self.heap
        tied = [first.address]  # ascending: the heap orders by address within a time
        while heap and heap[0][0] == time:
            _, address = heappop(heap)
            if address != tied[-1] and self.actors[address].ready_at == time:
                tied.append(address)
        chosen = tied[0]
        if len(tied) > 1:
            candidates = [(DELIVERY, address, 0) for address in tied]
            chosen = tied[self.chooser.next(candidates, self.chooser.checksum(candidates))]
            for address in tied:
                if address != chosen:
                    heappush(heap, (time, address))
        return self.actors[chosen]

    def take(self, actor: Actor) -> tuple[int, Any]:
        """What ended the wait: an interrupt that is due first, then what was waited for."""
        irqs = actor.irqs
        wait = actor.wait
        if irqs and irqs[0][0] <= actor.clock and not (wait == RECEIVE and actor.box and actor.box[0] < irqs[0]):
            return INTERRUPT, heappop(irqs)[3]
        if wait == ASK:
            reply = actor.reply
            actor.reply = None
            return REPLY, reply
        if wait == RECEIVE and actor.box and actor.box[0][0] <= actor.clock:
            return MESSAGE, heappop(actor.box)[3]
        return TIME, None

    def horizon(self, actor: Actor) -> int:
        """The clock at which a running core must offer the machine: somebody else, or an interrupt of its own, is due."""
        heap = self.heap
        while heap:
            time, address = heap[0]
            if self.actors[address].ready_at == time:
                break
            heappop(heap)
        limit: int = actor.breath_at  # type: ignore[attr-defined]  # only cores ask
        if heap and heap[0][0] < limit:
            limit = heap[0][0]
        if actor.irqs and actor.irqs[0][0] < limit:
            limit = actor.irqs[0][0]
        return limit
