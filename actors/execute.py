"""The hot loop of a core: execute the pending op, hand its result to the program, look at the op that comes back.

`burst` runs loads, stores and atomics through the core's TLB until something needs more than that: a TLB miss, a system call, a signal,
the end of the slice, somebody else's turn. It is a plain function: no await, no message. Everything slow is named by its answer, and the
core (core.py) does it and comes back.

The op that a thread's top coroutine has yielded is *pending* until it completes: a fault, an interrupt or a signal in between leaves
it pending, so that it is tried again afterwards, exactly like an instruction of a real CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.events import OpEvent, StoreEvent
from kernel.abi.decoding import class_name, malformed, order_name
from kernel.abi.ops import (
    ADD,
    AND,
    EXCHANGE,
    MASKS,
    OR,
    RMW_NAMES,
    SHIFTS,
    SIGNED,
    SIZES,
    SUB,
    Alloca,
    CompareExchange,
    Fence,
    Load,
    Op,
    ReadLine,
    ReadModifyWrite,
    Register,
    Relax,
    Store,
    Syscall,
    UncaughtException,
    WriteLine,
)
from kernel.abi.signos import SIGABRT
from kernel.processes.reexecution import note_refused

if TYPE_CHECKING:
    from actors.core import Core
    from kernel.processes.context import Context, Frame

BOUNDARY: Final = 0  # attention, or the horizon is reached: look around before the next op
SLOW: Final = 1  # the pending op is no memory access: a system call, compute, …
MISS: Final = 2  # the pending op's page is not in the TLB: `core.miss_address`, `core.miss_write`
UNALIGNED: Final = 3  # SIGBUS

RESULT_BYTES: Final = 64  # what one op and its result count for in the record's limit, besides the bytes they hold


def burst(core: Core, context: Context) -> int:
    """Run ops of the thread until one of the answers above; at least one op completes unless that op itself is the reason."""
    frame = context.frames[-1]
    send = frame.coroutine.send
    op: Any = frame.pending
    record = context.record
    tlb_read, tlb_write = core.tlb.read, core.tlb.write
    clock, limit = core.clock, core.limit
    cost, jitter = core.op_cost, core.jitter
    turn = core.jitter_turn
    watched = core.log.op or core.log.store
    answer = BOUNDARY
    try:
        while True:
            kind = op.__class__
            if kind is Load:
                address = op.address
                page = tlb_read.get(address >> 12)
                code = op.code
                if page is None or address & MASKS[code]:
                    answer = _refuse(core, address, code, False)
                    break
                view = page.views[code] or page.view(code)
                result = view[(address & 4095) >> SHIFTS[code]]
            elif kind is Store:
                address = op.address
                page = tlb_write.get(address >> 12)
                code = op.code
                if page is None or address & MASKS[code]:
                    answer = _refuse(core, address, code, True)
                    break
                view = page.views[code] or page.view(code)
                if watched:
                    _log_store(core, context, address, code, view[(address & 4095) >> SHIFTS[code]], op.value)
                view[(address & 4095) >> SHIFTS[code]] = op.value
                core.stored = True
                result = None
            elif kind is Syscall:
                answer = SLOW
                break
            else:
                result = _other(core, context, op, tlb_read, tlb_write)
                if result is _STOP:
                    answer = core.other_answer
                    break
                clock += core.clock_extra
                core.clock_extra = 0
            if watched and core.log.op:
                _log_op(core, context, op, result)
            turn += 1
            clock += cost + jitter[turn & 1023]
            if record is not None:
                record.append(op)
                record.append(result)
            try:
                op = send(result)
            except BaseException as error:  # noqa: BLE001 - the one place that calls `send` on user code
                op = escaped(error)
            if clock >= limit:
                break
    except Exception as error:  # noqa: BLE001 - `_blame` raises what is not the op's fault
        answer = _blame(op, error)
    frame.pending = op
    core.jitter_turn = turn
    core.clock = clock
    return answer


def _blame(op: Any, error: Exception) -> int:
    """The hot loop stumbled: over an op that is none, which is refused elsewhere, or by a bug of ours."""
    if not malformed(op):
        raise error
    return SLOW


class _Stop:
    """The type of `_STOP`: the op is not for the hot loop."""


_STOP: Final = _Stop()


def _refuse(core: Core, address: int, code: int, write: bool) -> int:
    """Why the hot loop cannot do this access."""
    if address & MASKS[code]:
        core.miss_address = address
        return UNALIGNED
    core.miss_address = address
    core.miss_write = write
    return MISS


def _other(core: Core, context: Context, op: Any, tlb_read: dict[int, Any], tlb_write: dict[int, Any]) -> Any:
    """The rarer ops that need no kernel; `_STOP` with `core.other_answer` where one cannot be done here."""
    kind = op.__class__
    if kind is ReadModifyWrite or kind is CompareExchange:
        address, code = op.address, op.code
        page = tlb_write.get(address >> 12)
        if page is None or address & MASKS[code]:
            core.other_answer = _refuse(core, address, code, True)
            return _STOP
        view = page.views[code] or page.view(code)
        index = (address & 4095) >> SHIFTS[code]
        old = view[index]
        new = _new_value(op, old)
        if new is not None:
            if core.log.store:
                _log_store(core, context, address, code, old, new)
            view[index] = new
            core.stored = True
        core.clock_extra += core.atomic_cost + _contention(core, page.number, address)
        return old
    if kind is ReadLine:
        page = tlb_read.get(op.address >> 12)
        if page is None:
            core.other_answer = _refuse(core, op.address, 0, False)
            return _STOP
        start = op.address & 4095
        return bytes(page.data[start : start + op.count])
    if kind is WriteLine:
        page = tlb_write.get(op.address >> 12)
        if page is None:
            core.other_answer = _refuse(core, op.address, 0, True)
            return _STOP
        start = op.address & 4095
        page.data[start : start + len(op.data)] = op.data
        core.stored = True
        return None
    if kind is Register:
        return core.read_register(context, op.name)
    if kind is Fence:
        return None
    if kind is Relax:
        core.clock_extra += core.agenda.scaled(core.costs.relax_ns)
        return None
    if kind is Alloca:
        return core.alloca(context, op)
    core.other_answer = SLOW
    return _STOP


def _contention(core: Core, frame: int, address: int) -> int:
    """What it costs to fetch the line from the core that did the last atomic on it; the line is this core's afterwards."""
    line = frame << 6 | address >> 6 & 63
    owners = core.hardware.line_owners
    before = owners.get(line)
    if before == core.number:
        return 0
    owners[line] = core.number
    return core.contended_cost if before is not None else 0


def _new_value(op: Any, old: int) -> int | None:
    """What a read-modify-write leaves in the word; None: nothing is written (a compare that failed)."""
    if op.__class__ is CompareExchange:
        return int(op.desired) if old == op.expected else None
    kind, operand = op.kind, op.operand
    if kind == ADD:
        value = old + operand
    elif kind == EXCHANGE:
        value = operand
    elif kind == SUB:
        value = old - operand
    elif kind == AND:
        value = old & operand
    elif kind == OR:
        value = old | operand
    else:
        value = old ^ operand
    bits = 8 * SIZES[op.code]
    value &= (1 << bits) - 1
    if SIGNED[op.code] and value >> (bits - 1):
        value -= 1 << bits
    return int(value)


def advance(frame: Frame, result: Any) -> None:
    """Complete the frame's pending op outside of the hot loop: the program runs on to its next op."""
    try:
        frame.pending = frame.coroutine.send(result)
    except BaseException as error:  # noqa: BLE001 - as in `burst`
        frame.pending = escaped(error)


def refuse(context: Context, text: str) -> None:
    """The pending op, or whatever else was yielded, is none: tell the program so, at the line that did it."""
    frame = context.frames[-1]
    note_refused(context, text)
    try:
        frame.pending = frame.coroutine.throw(TypeError(text))
    except BaseException as error:  # noqa: BLE001 - as in `burst`
        frame.pending = escaped(error)


def not_awaitable(thing: Any) -> str:
    """Why something that is no op was refused, and what to use instead."""
    kind = type(thing)
    return (
        f"a {kind.__module__}.{class_name(kind)} was awaited, which this machine cannot run: await calls of userspace.libc only "
        f"(sleep, usleep and nanosleep wait in virtual time; pthread_create starts a thread)"
    )


def escaped(error: BaseException) -> Op:
    """What crt lets through although it catches everything: the coroutine ended without its last op. A bug of the program's host code."""
    return UncaughtException(type(error).__name__, "", "", "", 0, SIGABRT)


def _log_store(core: Core, context: Context, address: int, code: int, old: int, new: int) -> None:
    if core.log.store:
        file, line = core.where(context)
        core.emit_thread(context, StoreEvent(address=address, size=SIZES[code], old=old, new=new, file=file, line=line))


def _log_op(core: Core, context: Context, op: Any, result: Any) -> None:
    kind = op.__class__
    if kind not in (Load, Store, ReadModifyWrite, CompareExchange):
        return
    name = RMW_NAMES[op.kind] if kind is ReadModifyWrite else "compare_exchange" if kind is CompareExchange else kind.__name__.lower()
    value = op.value if kind is Store else result
    order = order_name(op.order)
    file, line = core.where(context)
    core.emit_thread(context, OpEvent(op=name, address=op.address, size=SIZES[op.code], order=order, value=value, file=file, line=line))
