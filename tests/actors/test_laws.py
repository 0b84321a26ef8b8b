"""Law 2: ask goes down, tell anywhere, a forward below the asker; and what replies are.

Small actors with a real conductor, timed or searched.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actors.actor import PENDING, Actor
from actors.boot import Host
from actors.choices import RandomWalk, Timed
from actors.conductor import Conductor
from actors.drivers import drive_inline
from actors.messages.base import Message
from actors.ranks import FILES, IPC, MEMORY, PROCESSES, SIGNALS, TIMERS
from actors.recorder import Recorder
from kernel.abi.errno_values import ENOENT
from kernel.abi.errnos import Failure, SysError
from kernel.config import Config


class Order(Message, frozen=True, gc=False):
    """Do one thing: `verb` says what."""

    verb: str
    target: int = 0
    inner: Any = None
    number: int = 0


class Doer(Actor):
    """Does what an Order says; `seen` holds what came to it, `replies` what its asks gave."""

    def __init__(self, conductor: Conductor, address: int) -> None:
        super().__init__(conductor, address, None)
        self.seen: list[Order] = []
        self.replies: list[Any] = []
        self.kept: int | None = None

    def handlers(self):
        return {Order: self.do}

    async def do(self, order: Order) -> Any:
        self.seen.append(order)
        match order.verb:
            case "ask":
                self.replies.append(await self.ask(order.target, order.inner))
            case "tell":
                self.tell(order.target, order.inner)
            case "forward":
                return self.forward(order.target, order.inner)
            case "defer":
                self.kept = self.defer()
                return PENDING
            case "release":
                self.answer(self.kept, "at last")
            case "fail":
                raise SysError(ENOENT)
        return f"{self.name} did {order.verb}"


class Village:
    """Actors of some ranks; `run` sends orders from outside and drives until nobody is ready."""

    def __init__(self, strategy: Any = None) -> None:
        services = SimpleNamespace(heartbeat=lambda: None)
        self.conductor = Conductor(Config(), 1, strategy or Timed(1), "messages", Recorder(()), services)
        self.host = Host(self.conductor.agenda)
        self.died: list[tuple[str, BaseException]] = []
        for address in (PROCESSES, MEMORY, FILES, IPC, SIGNALS, TIMERS):
            actor = Doer(self.conductor, address)
            self.conductor.actors[address] = actor
            actor.coroutine = actor.run()
            self.conductor.starting = True
            actor.coroutine.send(None)
            self.conductor.starting = False

    def __getitem__(self, address: int) -> Doer:
        return self.conductor.actors[address]

    def run(self, *orders: tuple[int, Order]) -> None:
        for address, order in orders:
            self.host.tell(self[address], order)
        drive_inline(self.conductor, lambda actor, error: self.died.append((actor.name, error)))

    def refusal(self, address: int, order: Order) -> str:
        self.run((address, order))
        (_, error), = self.died
        assert isinstance(error, AssertionError)
        return str(error)


DO = Order("nothing")


def test_an_ask_goes_down_and_brings_the_reply():
    village = Village()
    village.run((PROCESSES, Order("ask", IPC, DO)))
    assert village[PROCESSES].replies == ["ipc did nothing"]
    assert not village.died


@pytest.mark.parametrize("target", [PROCESSES, MEMORY, FILES])
def test_an_ask_up_or_to_oneself_is_refused_by_name(target):
    assert "ask goes strictly down (law 2)" in Village().refusal(FILES, Order("ask", target, DO))


@pytest.mark.parametrize("target", [PROCESSES, FILES, TIMERS])
def test_a_tell_goes_anywhere(target):
    village = Village()
    village.run((IPC, Order("tell", target, DO)))
    assert village[target].seen == [DO]


def test_a_forward_has_its_reply_go_to_the_original_asker():
    village = Village()
    village.run((PROCESSES, Order("ask", FILES, Order("forward", IPC, DO))))
    assert village[PROCESSES].replies == ["ipc did nothing"]
    assert village[FILES].replies == []


def test_a_forward_may_go_up_from_the_forwarder_as_long_as_it_stays_below_the_asker():
    village = Village()
    village.run((PROCESSES, Order("ask", FILES, Order("forward", MEMORY, DO))))
    assert village[PROCESSES].replies == ["memory did nothing"]


@pytest.mark.parametrize("target", [PROCESSES, MEMORY])
def test_a_forward_that_is_not_below_the_asker_is_refused(target):
    """Without this, two actors could wait for each other: memory asks files, which forwards to memory."""
    assert "not below memory (law 2)" in Village().refusal(MEMORY, Order("ask", FILES, Order("forward", target, DO)))


def test_a_chain_of_forwards_is_measured_from_the_asker_too():
    chain = Order("forward", SIGNALS, Order("forward", IPC, Order("forward", MEMORY, DO)))
    assert "not below memory (law 2)" in Village().refusal(MEMORY, Order("ask", FILES, chain))
    village = Village()
    village.run((PROCESSES, Order("ask", FILES, chain)))
    assert village[PROCESSES].replies == ["memory did nothing"]


@pytest.mark.parametrize("verb", ["forward", "defer"])
def test_a_message_that_nobody_waits_for_cannot_be_forwarded_or_deferred(verb):
    assert "nobody waits for a reply" in Village().refusal(FILES, Order(verb, IPC, DO))


def test_a_deferred_request_is_answered_while_others_are_served_in_between():
    village = Village()
    village.run((PROCESSES, Order("ask", IPC, Order("defer"))), (FILES, Order("ask", IPC, DO)))
    assert village[PROCESSES].replies == []
    assert village[FILES].replies == ["ipc did nothing"]
    village.run((IPC, Order("release")))
    assert village[PROCESSES].replies == ["at last"]


def test_an_errno_crosses_as_a_value():
    village = Village()
    village.run((PROCESSES, Order("ask", IPC, Order("fail"))))
    assert village[PROCESSES].replies == [Failure(ENOENT)]
    assert not village.died


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", [Timed, RandomWalk])
def test_what_one_actor_sends_another_arrives_in_order(kind, seed):
    village = Village(kind(seed))
    village.run(*((FILES, Order("tell", IPC, Order("nothing", number=number))) for number in range(8)))
    assert [order.number for order in village[IPC].seen] == list(range(8))


def test_two_senders_arrive_in_either_order_under_search():
    seen = set()
    for seed in range(20):
        village = Village(RandomWalk(seed))
        village.run((FILES, Order("tell", IPC, Order("nothing", number=1))), (MEMORY, Order("tell", IPC, Order("nothing", number=2))))
        seen.add(tuple(order.number for order in village[IPC].seen))
    assert seen == {(1, 2), (2, 1)}


def test_an_actor_that_waits_for_a_reply_serves_nobody_else_meanwhile():
    """A mailbox is served one message at a time: state never changes between two lines of a handler but for what it asked."""
    village = Village()
    village.run((PROCESSES, Order("ask", IPC, Order("defer"))), (PROCESSES, Order("nothing")))
    assert [order.verb for order in village[PROCESSES].seen] == ["ask"]
    village.run((IPC, Order("release")))
    assert [order.verb for order in village[PROCESSES].seen] == ["ask", "nothing"]
