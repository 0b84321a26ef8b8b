"""The base of every actor: a mailbox, the four waits, ask, tell, forward.

An actor is one coroutine, `run`, that receives a message, serves it and waits again. It waits in four ways only: `receive`, `ask`,
`sleep_until` and `pause`; in each of them it hands the baton to whoever the conductor picks, so that exactly one actor runs at a time.
A wait yields the next actor to its driver (drivers.py); an actor that is picked again at once does not leave its loop.

Laws kept here: `ask` goes strictly down the ranks, a forward goes strictly below the original asker, `tell` goes anywhere (law 2);
errno crosses a message border as the value `Failure`, never as an exception; all state of a subclass stands in `self.state` (law 9).

To add a message: a class in messages/<owner>.py, a method, and a line in that actor's `handlers()`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from actors.events import Event, MessageEvent
from actors.messages.base import Message
from actors.ranks import actor_name, rank
from kernel.abi.errnos import Failure, SysError
from kernel.invariants import Violation

if TYPE_CHECKING:
    from actors.conductor import Conductor

ReplyTo = int  # address of the actor that waits for the reply


class _Pending:
    """The type of PENDING: "no reply from this handler; it comes later, by `answer` or from whom it was forwarded to"."""

    def __repr__(self) -> str:
        return "PENDING"

    def __deepcopy__(self, memo: object) -> _Pending:
        return self


PENDING: Final = _Pending()

# The waits, and what can end one.
RUNNING: Final = 0
RECEIVE: Final = 1
ASK: Final = 2
SLEEP: Final = 3
PAUSE: Final = 4

MESSAGE: Final = 0
INTERRUPT: Final = 1
REPLY: Final = 2
TIME: Final = 3  # the time that was waited for, or a pause's turn

NEVER: Final = 1 << 62  # a time that does not come

Envelope = tuple[Any, int, int, int]  # message, sender, reply_to (-1: oneway), cause


class Actor:
    """Base class. A subclass gives `rank`, `handlers()` and sets `state`."""

    rank: ClassVar[int] = -1

    def __init__(self, conductor: Conductor, address: int, state: Any) -> None:
        self.conductor = conductor
        self.agenda = conductor.agenda
        self.config = conductor.config
        self.costs = conductor.config.costs
        self.log = conductor.recorder
        self.machine = conductor.machine
        self.address = address
        self.name = actor_name(address)
        self.state = state
        # ---- what the agenda keeps with an actor; meaning differs by agenda, see agenda.py
        self.clock = 0  # local virtual time, ns
        self.wait = RUNNING
        self.until = NEVER  # of receive and sleep_until
        self.ready_at = -1
        self.box: Any = conductor.agenda.new_box()
        self.irqs: Any = conductor.agenda.new_box()
        self.reply: Any = None  # (value, attention, cause) once it is here
        self.reply_at = NEVER
        self.offered: Any = None  # the turn that it offers as a candidate
        self.last_arrival: dict[int, int] = {}  # by receiver: messages of a pair arrive in order
        # ---- of the request being served
        self.cause = 0  # seq of the event that led here
        self._asker: ReplyTo = -1
        self._attention = 0
        self.serving: Any = None  # the message, for a panic's report
        self._table = self.handlers()
        self.coroutine: Any = None

    # ---- for subclasses ---------------------------------------------------------------------------------------------------

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """Message class to bound method; a method may be `async`."""
        raise NotImplementedError

    def next_deadline(self) -> int | None:
        """Absolute ns at which `on_deadline` wants to be called although no message came; None: never."""
        return None

    def on_deadline(self) -> None:
        """The time that `next_deadline` gave has come."""

    def check(self) -> Iterable[Violation]:
        """What does not hold in this actor's state."""
        checker = getattr(self.state, "check", None)
        return checker() if checker is not None else ()

    # ---- the loop -----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve messages for ever. Between two messages nothing but `self.state` matters (law 9)."""
        while True:
            deadline = self.next_deadline()
            envelope = await self.receive(deadline)
            if envelope is None:
                self.on_deadline()
            else:
                await self.serve(envelope)
            if self.conductor.checking:
                self.conductor.check_after(self)
            self.serving = None

    async def serve(self, envelope: Envelope) -> None:
        """One message: call its handler, reply unless the handler said PENDING."""
        message, _, reply_to, self.cause = envelope
        self.serving = message
        self._asker = reply_to
        self._attention = 0
        self.clock += self.agenda.handler_cost
        try:
            result = self._table[message.__class__](message)
            if result.__class__ is types.CoroutineType:
                result = await result
        except SysError as error:
            result = Failure(error.errno)
        if reply_to >= 0 and result is not PENDING:
            self.answer(reply_to, result, self._attention)

    # ---- the four waits -----------------------------------------------------------------------------------------------------

    @types.coroutine
    def receive(self, until: int | None = None) -> Generator[Any, None, Envelope | None]:
        """The next message, or None when the time `until` (absolute ns) has come first."""
        self.wait = RECEIVE
        self.until = NEVER if until is None else until
        self.agenda.enter_wait(self)
        following = self.conductor.next()
        if following is not self:
            yield following
        kind, payload = self.agenda.take(self)
        self.wait = RUNNING
        if kind == TIME:
            return None
        if self.log.message:
            payload = self._log_receive(payload)
        return payload  # type: ignore[no-any-return]

    @types.coroutine
    def ask(self, target: int, message: Message) -> Generator[Any, None, Any]:
        """Send and wait for the reply: a value, `Failure` or `WouldBlock`. `target` must rank strictly below this actor."""
        assert rank(target) > rank(self.address), f"{self.name} asks {actor_name(target)}: ask goes strictly down (law 2)"
        self.reply = None
        envelope = (message, self.address, self.address, self._sending(target, message))
        self.agenda.post(self, self.conductor.actors[target], MESSAGE, envelope)
        self.wait = ASK
        self.agenda.enter_wait(self)
        following = self.conductor.next()
        if following is not self:
            yield following
        _, payload = self.agenda.take(self)
        self.wait = RUNNING
        return self._accept_reply(payload)

    @types.coroutine
    def sleep_until(self, time_ns: int) -> Generator[Any, None, None]:
        """Let virtual time pass."""
        self.wait = SLEEP
        self.until = time_ns
        self.agenda.enter_wait(self)
        following = self.conductor.next()
        if following is not self:
            yield following
        self.agenda.take(self)
        self.wait = RUNNING

    @types.coroutine
    def pause(self) -> Generator[Any, None, None]:
        """Offer the machine to others."""
        self.wait = PAUSE
        self.agenda.enter_wait(self)
        following = self.conductor.next()
        if following is not self:
            yield following
        self.agenda.take(self)
        self.wait = RUNNING

    # ---- sending ------------------------------------------------------------------------------------------------------------

    def tell(self, target: int, message: Any) -> None:
        """Send without a reply, to anybody; an `Interrupt` reaches a core in whatever wait it is."""
        self.agenda.post(self, self.conductor.actors[target], message.lane, (message, self.address, -1, self._sending(target, message)))

    def forward(self, target: int, message: Message) -> Any:
        """Hand the request on; the reply goes from there to the original asker. `return self.forward(…)` ends a handler."""
        asker = self._asker
        assert asker >= 0, f"{self.name} forwards {type(message).__name__}, but nobody waits for a reply"
        assert rank(target) > rank(asker), f"{self.name} forwards to {actor_name(target)}, not below {actor_name(asker)} (law 2)"
        self.agenda.post(self, self.conductor.actors[target], MESSAGE, (message, self.address, asker, self._sending(target, message)))
        return PENDING

    def defer(self) -> ReplyTo:
        """Park the request (law 2b): keep the token in `state`, return PENDING, and `answer` it when the time has come."""
        assert self._asker >= 0, f"{self.name} defers {type(self.serving).__name__}, but nobody waits for a reply"
        return self._asker

    def answer(self, to: ReplyTo, value: Any, attention: int = 0) -> None:
        """Reply to a request; `attention` is the caller's thread's level, if this request changed it."""
        cause = self.cause
        if self.log.message:
            fields = self.log.fields_of(value)
            cause = self.emit(MessageEvent(step="reply", target=actor_name(to), message=type(value).__name__, fields=fields))
        self.agenda.post(self, self.conductor.actors[to], REPLY, (value, attention, cause))

    def give_attention(self, level: int) -> None:
        """The reply to the request being served tells the caller's core that its thread has something to deliver."""
        if level > self._attention:
            self._attention = level

    def charge(self, ns: int) -> None:
        """This request takes `ns` more of virtual time."""
        self.clock += self.agenda.scaled(ns)

    def emit(self, event: Event, *, cpu: int = -1, pid: int = 0, tid: int = 0, comm: str = "") -> int:
        """Log an event; its seq becomes the cause of what this actor does next."""
        event.cpu = cpu
        event.pid = pid
        event.tid = tid
        event.comm = comm
        event.actor = self.name
        event.time_ns = self.clock
        event.cause = self.cause
        self.cause = seq = self.log.add(event)
        return seq

    # ---- inside -------------------------------------------------------------------------------------------------------------

    def _accept_reply(self, payload: tuple[Any, int, int]) -> Any:
        value, attention, self.cause = payload
        if attention > self._attention:
            self._attention = attention
        return value

    def _sending(self, target: int, message: Any) -> int:
        """The cause that travels with a message: its own send event where those are logged."""
        if not self.log.message:
            return self.cause
        before = self.cause
        fields = self.log.fields_of(message)
        seq = self.emit(MessageEvent(step="send", target=actor_name(target), message=type(message).__name__, fields=fields))
        self.cause = before
        return seq

    def _log_receive(self, envelope: Envelope) -> Envelope:
        message, sender, reply_to, self.cause = envelope
        seq = self.emit(MessageEvent(step="receive", target=actor_name(sender), message=type(message).__name__, fields={}))
        return (message, sender, reply_to, seq)
