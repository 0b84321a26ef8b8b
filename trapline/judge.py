"""What a finished run has come to: from a stopped machine to a verdict, failures and a status.

A set of threads that was found dead while others lived is judged here for the last time: still blocked, or dissolved.

The order matters: a panic explains everything else; then what the program itself did (an exception, its status); then what the machine
found (deadlock, livelock); last, limits that were reached, which are never a pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from actors import diagnosis
from actors.diagnosis import Waiting
from actors.events import Diagnosis
from actors.ranks import PROCESSES
from kernel.abi.signos import SIGNAL_DESCRIPTIONS, signal_name
from trapline import verdicts
from trapline.verdicts import Failure, Where

if TYPE_CHECKING:
    from trapline.machine import LiveRun

_EXCEPTION_KINDS = {"AssertionError": "assertion", "ImpureFork": "nondeterminism"}
REASONS = {"max_steps": "max_steps", "max_time": "max_time_ns", "interrupted": "^C"}


class Judgement(msgspec.Struct):
    """The result of judging."""

    verdict: str
    status: int
    failures: list[Failure]
    undetermined: bool = False


def judge(live: LiveRun) -> Judgement:
    """Look at the machine as it stands and say what became of the run."""
    conductor = live.system.conductor
    processes = conductor.actors[PROCESSES].state
    status = exit_status(processes.first_status)
    if live.panic is not None:
        return Judgement(verdicts.FAILED, status, [Failure("panic", str(live.panic))])
    failures = _exceptions(live)
    if not failures and processes.first_status is not None:
        failures += _own_status(live, processes)
    if processes.first_error:
        failures.append(Failure("exit_status", f"the program could not be started (errno {processes.first_error})"))
    reason = conductor.stop_reason
    if reason == "livelock":
        failures.append(_livelock(live))
    if reason in ("idle", "paused"):
        failures += _deadlock(live, processes)
    elif reason in REASONS:
        failures += _dead(live, live.system.stalls.remaining())
    if live.diverged:
        failures.append(Failure("nondeterminism", live.diverged))
    undetermined = reason in REASONS
    return Judgement(verdicts.verdict_of(failures, undetermined), status, failures, undetermined)


def exit_status(wait_status: int | None) -> int:
    """0 to 255 from a wait status word; 128 + n for a signal; 137 for a program that never ended."""
    if wait_status is None:
        return verdicts.STATUS_KILLED
    return 128 + (wait_status & 0x7F) if wait_status & 0x7F else wait_status >> 8 & 0xFF


def _exceptions(live: LiveRun) -> list[Failure]:
    """Uncaught exceptions of any process."""
    library = live.found.library
    failures = []
    for op, pid, tid, comm in live.services.exceptions:
        kind = _EXCEPTION_KINDS.get(op.kind, "exception")
        text = f"{op.kind}: {op.message}" if op.message else op.kind
        text = op.message if kind == "nondeterminism" else f"uncaught {text}"
        place = (Where(library.as_given(op.file), op.line, pid, tid),) if op.file else ()
        failures.append(Failure(kind, f"[{tid}] {comm}: {text}", place))
    return failures


def _own_status(live: LiveRun, processes: Any) -> list[Failure]:
    status = processes.first_status
    name = live.found.name
    if status & 0x7F:
        signo = status & 0x7F
        return [Failure("signal", f"{name} was killed by {signal_name(signo)} ({SIGNAL_DESCRIPTIONS.get(signo, 'signal')})")]
    if status:
        return [Failure("exit_status", f"{name} ended with status {status >> 8 & 0xFF}")]
    return []


def _deadlock(live: LiveRun, processes: Any) -> list[Failure]:
    """The machine is idle. Whoever still waits without a deadline waits for ever."""
    if processes.user_processes_alive() == 0:
        return []
    return _dead(live, diagnosis.dead_set(live.system) or diagnosis.blocked_threads(live.system))


def _dead(live: LiveRun, dead: list[Waiting]) -> list[Failure]:
    """The failure that these threads are."""
    if not dead:
        return []
    text = diagnosis.describe(dead)
    _log(live, "deadlock", text, [entry.tid for entry in dead])
    library = live.found.library
    places = tuple(Where(library.as_given(entry.file), entry.line, entry.pid, entry.tid) for entry in dead[: diagnosis.SHOWN] if entry.file)
    return [Failure("deadlock", text, places)]


def _livelock(live: LiveRun) -> Failure:
    steps = live.machine.config.run.livelock_steps
    running = [core.state.context for core in live.system.cores if core.state.context is not None]
    lines = [f"{steps} choices went by and no thread changed shared state or completed a call"]
    places = []
    for context in running[: diagnosis.SHOWN]:
        place = context.image.place(context.frames[-1].coroutine)
        lines.append(f"  [{context.caller.tid}] {context.comm} is at {place.file}:{place.line}")
        places.append(Where(live.found.library.as_given(place.file), place.line, context.caller.pid, context.caller.tid))
    text = "\n".join([*lines, *diagnosis.more(len(running))])
    _log(live, "livelock", text, [context.caller.tid for context in running])
    return Failure("livelock", text, tuple(places))


def _log(live: LiveRun, kind: str, text: str, tids: list[int]) -> None:
    if live.recorder.run:
        live.recorder.add(Diagnosis(kind=kind, text=text, threads=tids, actor="host"))
