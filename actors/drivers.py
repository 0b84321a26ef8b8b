"""The two drivers. Both do the same: send into the coroutine of whoever has the baton, which yields whoever has it next.

`inline` is a plain loop: no event loop, usable in notebooks, in threads and under a running loop; for batch runs and exploration.
`tasks` gives every actor an asyncio task in one anyio task group, and hands the baton over by setting a future; for machines that talk
to the world outside. An actor's exception reaches `died` before anything else can run.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from actors.actor import Actor
    from actors.conductor import Conductor

Died = Callable[["Actor", BaseException], None]


def drive_inline(conductor: Conductor, died: Died) -> None:
    """Run until nobody is ready. `died` hears of an actor's exception and decides what to raise."""
    actor = conductor.next()
    while actor is not None:
        try:
            actor = actor.coroutine.send(None)
        except BaseException as error:  # noqa: BLE001 - every way for an actor to die is a panic or ^C, and `died` tells them apart
            died(actor, error)
            return


class _Batons:
    """One future per waiting task; giving the baton sets it."""

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[None]] = {}
        self.over = False


async def drive_tasks(conductor: Conductor, died: Died) -> None:
    """The same, with one task per actor. Cores that are added later get their task when they first have the baton."""
    first = conductor.next()
    if first is None:
        return
    batons = _Batons()
    async with anyio.create_task_group() as group:

        def hand_to(actor: Actor | None) -> None:
            if actor is None:
                batons.over = True
                group.cancel_scope.cancel()
                return
            future = batons.waiting.pop(actor.address, None)
            if future is None:
                group.start_soon(live, actor, name=actor.name)
            else:
                future.set_result(None)

        async def live(actor: Actor) -> None:
            loop = asyncio.get_running_loop()
            hooks = sys.get_asyncgen_hooks()
            while True:
                sys.set_asyncgen_hooks(None, None)  # asyncio's would run programs' generators in tasks of the host
                try:
                    following = actor.coroutine.send(None)
                except BaseException as error:  # noqa: BLE001 - as above
                    batons.over = True
                    group.cancel_scope.cancel()
                    died(actor, error)
                    return
                finally:
                    sys.set_asyncgen_hooks(*hooks)
                own = loop.create_future()
                batons.waiting[actor.address] = own
                hand_to(following)
                await own

        hand_to(first)
