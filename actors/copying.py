"""Copying a settled machine (law 9): the ground for stepping back, what-if and merging equal states.

A settled machine is plain data, but for two things that are made again: each actor's coroutine, which is started afresh from the
actor's record and goes on with the wait in which it stood, and each thread's coroutines, which are re-executed from the thread's
record (config `record = "all"` keeps one for every thread). Everything else is one `deepcopy` with one memo, so that what refers to
the same thing in the original (TLBs and page tables to RAM, threads of a process to their image) does so in the copy.
"""

from __future__ import annotations

import copy
from typing import Any

from actors.actor import Actor
from actors.boot import System
from actors.conductor import Conductor
from actors.core import Core
from actors.recorder import Recorder

# What an actor is between two messages, besides its state; boxes are empty where the machine is settled.
_ACTOR_FIELDS = ("clock", "wait", "until", "reply_at", "last_arrival", "cause")
_CONDUCTOR_FIELDS = ("steps", "last_progress", "stop_reason")
_AGENDA_FIELDS = ("serial", "drawn", "now", "early_timeouts")


class NotSettledError(RuntimeError):
    """A machine is copied only where it is settled: no message in flight, no ask open, no request parked."""


def run_to_settled(system: System, steps: int, drive: Any) -> bool:
    """Drive at least `steps` hand-overs on, then to the next settled point. False if the run is over before."""
    conductor = system.conductor
    conductor.break_at = conductor.steps + steps
    while True:
        conductor.stop_reason = ""
        drive()
        if conductor.stop_reason != "paused":
            return False
        if is_settled(system):
            conductor.break_at = 1 << 62
            return True
        conductor.break_at = conductor.steps + 2  # one hand-over on: the first `next` of a drive counts too


def is_settled(system: System) -> bool:
    """Nothing is in flight, and no owner has a request parked."""
    memory = system.conductor.actors[2].state
    return system.conductor.settled() and not memory.shootdowns.pending


def copy_system(system: System, services: Any) -> System:
    """An independent machine in the same state. `services` are the copy's; raises NotSettledError."""
    if not is_settled(system):
        raise NotSettledError("the machine is not settled: run it to a settled point first")
    original = system.conductor
    memo: dict[int, Any] = {}
    hardware = copy.deepcopy(system.hardware, memo)
    states = {address: copy.deepcopy(actor.state, memo) for address, actor in original.actors.items()}
    recorder = Recorder(original.recorder.categories)
    recorder.events.extend(original.recorder.events)
    recorder.seq = original.recorder.seq
    strategy = copy.deepcopy(original.chooser.strategy, memo)
    made = System.__new__(System)
    made.adopt(system, hardware, services, strategy, recorder)
    conductor = made.conductor
    conductor.chooser.taken.extend(original.chooser.taken)
    conductor.chooser.observer = recorder if original.chooser.observer is not None else None
    for name in _CONDUCTOR_FIELDS:
        setattr(conductor, name, getattr(original, name))
    for name in _AGENDA_FIELDS:
        if hasattr(original.agenda, name):
            setattr(conductor.agenda, name, getattr(original.agenda, name))
    for address, actor in original.actors.items():
        _copy_actor(made, conductor, actor, states[address])
    return made


def _copy_actor(made: System, conductor: Conductor, actor: Actor, state: Any) -> None:
    if isinstance(actor, Core):
        core = Core(conductor, actor.number, made.hardware)
        core.state = state
        core.turn = actor.turn
        core.breath_at = actor.breath_at
        core.breath_turn = actor.breath_turn
        made.hardware.cr3[actor.number] = state.space
        made.cores.append(core)
        twin: Actor = core
    else:
        twin = type(actor)(conductor, actor.address, state)
    for name in _ACTOR_FIELDS:
        setattr(twin, name, copy.copy(getattr(actor, name)))
    made.start(twin)
