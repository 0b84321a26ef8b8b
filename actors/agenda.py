"""Who is ready, and in which order: the one place that knows what "next" means.

An agenda keeps every actor's mailbox and the set of actors that could run now. Three of them give a machine its three ways to be run:

    TimedAgenda     least ready time first, ties drawn: what a real machine would do (`trapline run`)
    MessageAgenda   every delivery is a choice, on the configured machine: races of the kernel itself
    OpAgenda        every user op is a choice, the kernel settles in between: races of the user's program (DESIGN 10)

All have five methods: `post` (something is sent), `enter_wait` (an actor waits; `actor.wait` and `actor.until` say how), `next` (who runs),
`take` (what that actor's wait ended with), `horizon` (until when a running core may go on without asking). They draw through the
strategy, and only where two or more candidates exist, sorted by stable identity.

Boxes are plain containers of plain records, so that a settled machine can be copied (law 9).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from actors.actor import Actor

Identity = tuple[int, ...]  # sorts candidates; (kind, …): see `label`

DELIVERY: Final = 0  # (0, receiver, sender): a message, interrupt or reply
TURN: Final = 1  # (1, *thread path): the next op of a thread
TIMER: Final = 2  # (2, *thread path): that thread's timer fires; (2,) the next timer
TICK: Final = 3  # (3, core): time passes for a computing core

BREATH_NS: Final = 10_000  # a core with the machine for itself comes up for air this often (limits, ^C, host heartbeat)
JITTER_DRAWS: Final = 1024  # jitter is drawn in blocks: a draw per message would cost as much as the message


def ignore_jump(now_ns: int) -> None:
    """Nobody looks for dead sets."""


def label(identity: Identity) -> str:
    """An identity as logs and schedules show it."""
    kind = identity[0]
    if kind == DELIVERY:
        return f"deliver:{identity[1]}<-{identity[2]}"
    path = ".".join(map(str, identity[1:]))
    return f"turn:{path}" if kind == TURN else f"timer:{path}" if kind == TIMER else f"tick:{path}"


class Agenda(Protocol):
    """See the module's docstring."""

    searching: bool  # True: choices are searched, not timed
    wide: bool  # True: every live thread has a core of its own
    free_ops: bool  # True: ops and messages cost no virtual time
    handler_cost: int  # ns per message served
    before_jump: Callable[[int], None]  # called with the present time before time jumps by more than `run.stall_ns`

    def new_box(self) -> Any:
        """An empty mailbox."""

    def in_flight(self, actor: Actor) -> list[Any]:
        """Messages that the actor has not received yet."""

    def post(self, sender: Actor, receiver: Actor, kind: int, payload: Any) -> None:
        """Something is sent: MESSAGE, INTERRUPT or REPLY."""

    def enter_wait(self, actor: Actor) -> None:
        """The actor waits, as `actor.wait` and `actor.until` say."""

    def next(self) -> Actor | None:
        """Who runs now; None: nobody is ready, and nobody will be."""

    def take(self, actor: Actor) -> tuple[int, Any]:
        """What ended the actor's wait: a kind and its payload."""

    def horizon(self, actor: Actor) -> int:
        """The clock until which a running core may go on without asking."""

    def scaled(self, ns: int) -> int:
        """The virtual time that work of `ns` takes."""
