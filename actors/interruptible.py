"""An actor that takes interrupts: the four waits once more, each of which serves interrupts while it waits.

An interrupt (TLB shootdown, kick, reschedule) goes to the plain method `interrupt`, which may change only the actor's own state and
`tell`; then the wait goes on. Without this, two cores that each wait for the other's shootdown to be acknowledged would wait for ever.
"""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import Any

from actors.actor import ASK, INTERRUPT, MESSAGE, NEVER, PAUSE, RECEIVE, REPLY, RUNNING, SLEEP, TIME, Actor
from actors.messages.base import Message


class InterruptibleActor(Actor):
    """Base of cores."""

    def interrupt(self, envelope: Any) -> None:
        """Serve one interrupt."""
        raise NotImplementedError

    def thread_attention(self, level: int) -> None:
        """A reply says that the thread that runs here has something to deliver."""
        raise NotImplementedError

    @types.coroutine
    def _wait(self, wait: int, until: int) -> Generator[Any, None, tuple[int, Any]]:
        agenda = self.agenda
        conductor = self.conductor
        while True:
            self.wait = wait
            self.until = until
            agenda.enter_wait(self)
            following = conductor.next()
            if following is not self:
                yield following
            taken = agenda.take(self)
            self.wait = RUNNING
            if taken[0] != INTERRUPT:
                return taken
            self.interrupt(taken[1])
            if wait == SLEEP:
                return TIME, None  # the caller looks at what the interrupt changed

    @types.coroutine
    def receive(self, until: int | None = None) -> Generator[Any, None, Any]:
        """As in the base class, with interrupts."""
        kind, payload = yield from self._wait(RECEIVE, NEVER)
        assert kind == MESSAGE, f"an idle {self.name} got {kind}"
        return self._log_receive(payload) if self.log.message else payload

    @types.coroutine
    def ask(self, target: int, message: Message) -> Generator[Any, None, Any]:
        """As in the base class, with interrupts; the reply's attention is the thread's."""
        self.reply = None
        envelope = (message, self.address, self.address, self._sending(target, message))
        self.agenda.post(self, self.conductor.actors[target], MESSAGE, envelope)
        kind, payload = yield from self._wait(ASK, NEVER)
        assert kind == REPLY, f"{self.name} waited for a reply and got {kind}"
        value, attention, self.cause = payload
        if attention:
            self.thread_attention(attention)
        return value

    @types.coroutine
    def sleep_until(self, time_ns: int) -> Generator[Any, None, None]:
        """As in the base class; an interrupt ends it early."""
        yield from self._wait(SLEEP, time_ns)

    @types.coroutine
    def pause(self) -> Generator[Any, None, None]:
        """As in the base class, with interrupts; written out, because searches pause before every op."""
        agenda = self.agenda
        while True:
            self.wait = PAUSE
            self.until = NEVER
            agenda.enter_wait(self)
            following = self.conductor.next()
            if following is not self:
                yield following
            kind, payload = agenda.take(self)
            self.wait = RUNNING
            if kind != INTERRUPT:
                return
            self.interrupt(payload)
