"""The way back to user space: the only place where signals are delivered, lazily, as the lecture says.

With attention set, the core asks `signals` what to do until there is nothing more: push a handler's frame, stop, or end the process.
A call that a signal interrupted is decided here by its row's restart rule: the first handler that runs makes it fail with EINTR, or
leaves it pending so that it runs again when the handler has returned; without a handler it runs again anyway (signal(7)).

A handler's frame is real in two places: its bytes stand on the user's stack (kernel/signals/stack_frame.py), where a dump shows signal
number and return address, and its coroutine on the thread's stack of coroutines. `sigreturn` pops both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors import calls, execute, registers, user_memory
from actors.events import SignalDeliver, SignalReturn, UncaughtExceptionEvent
from actors.messages import processes, signals
from actors.ranks import PROCESSES, SIGNALS
from kernel.abi.errnos import Failure
from kernel.abi.flags import FPE_INTDIV, SA_RESTART, SA_SIGINFO, SEGV_MAPERR, SI_TKILL
from kernel.abi.layout import ENTRY_OFFSET, TEXT_BASE
from kernel.abi.ops import Syscall, UncaughtException
from kernel.abi.signos import SIGFPE, SIGSEGV, signal_name
from kernel.abi.syscalls import TABLE
from kernel.memory.faults import Trap
from kernel.processes.context import Context, Frame
from kernel.processes.coroutines import dispose
from kernel.processes.reexecution import note_enter, note_leave
from kernel.signals import stack_frame
from kernel.tickets import WouldBlock

if TYPE_CHECKING:
    from actors.core import Core

CORE_DUMP_FLAG: Final = 0x80  # in a wait status
RESTORER: Final = TEXT_BASE + ENTRY_OFFSET + 0x80  # libc's code that makes the sigreturn call


async def interrupted(core: Core, context: Context, failure: Failure) -> None:
    """A call answered EINTR: what becomes of it is decided when it is known whether a handler runs."""
    context.interrupted = failure
    await deliver(core, context)


async def deliver(core: Core, context: Context) -> None:
    """Deliver until nothing is left; afterwards the thread goes on, is parked by a stop, or is gone."""
    caller = context.caller
    while True:
        context.attention = 0
        context.serial += 1
        delivery = await core.ask(SIGNALS, signals.Deliver(caller.tid, context.serial))
        action = delivery.action
        if action == "handler":
            _decide_call(core, context, delivery.flags)
            await push_handler(core, context, delivery)
            if core.state.context is not context:
                return  # there was no room for the frame: the process is gone
        elif action == "terminate":
            await _terminate(core, context, delivery)
            return
        elif action == "stop":
            await _stop(core, context, delivery)
            return
        if not context.attention:
            break
    if context.interrupted is not None:
        context.interrupted = None
        calls.log_restart(core, context)


def _decide_call(core: Core, context: Context, flags: int) -> None:
    """A handler runs: does the interrupted call fail with EINTR, or run again after it?"""
    failure = context.interrupted
    if failure is None:
        return
    context.interrupted = None
    op = context.frames[-1].pending
    assert isinstance(op, Syscall), f"interrupted while {op} is pending"
    rule = TABLE[op.nr].restart
    timed = context.restart_deadline is not None
    if flags & SA_RESTART and (rule == "restart" or (rule == "restart_untimed" and not timed)):
        calls.log_restart(core, context)
    else:
        calls.done(core, context, failure)


async def push_handler(core: Core, context: Context, delivery: signals.Delivery) -> None:
    """Write the frame to the user's stack and start the handler's coroutine."""
    info = delivery.info
    assert info is not None, "a handler without a signal"
    core.charge(core.costs.signal_ns)
    op = context.frames[-1].pending
    place = context.image.place(context.frames[-1].coroutine)
    registers.release_allocas(context)
    saved_sp = context.stack_pointer
    address = stack_frame.frame_address(saved_sp)
    frame = stack_frame.build(stack_frame.SignalFrame(RESTORER, info, delivery.saved_mask, place.pc, saved_sp))
    args: tuple[Any, ...] = (info.signo,)
    if delivery.flags & SA_SIGINFO:
        args = (info.signo, (info.signo, info.code, info.errno, info.pid, info.uid, info.status, info.value, info.address), address)
    try:
        coroutine = context.image.start_handler(delivery.handler, args)
    except KeyError:
        await core.fault(context, Trap(SIGSEGV, SEGV_MAPERR), delivery.handler)
        return
    if not await user_memory.write_user(core, context, address, frame):
        dispose(coroutine, core.machine.graveyard)
        await calls.die(core, context, SIGSEGV | CORE_DUMP_FLAG)
        return
    if core.log.signal:
        name = TABLE[op.nr].name if isinstance(op, Syscall) else ""
        core.emit_thread(
            context,
            SignalDeliver(
                signo=info.signo, name=signal_name(info.signo), action="handler", handler=delivery.handler, flags=delivery.flags,
                interrupted=name, pc=place.pc, sp=address,
            ),
        )  # fmt: skip
    pushed = Frame(coroutine, "handler", delivery.handler, args, delivery.saved_mask, saved_sp)
    context.frames.append(pushed)
    context.stack_pointer = address
    note_enter(context, pushed)
    execute.advance(pushed, None)


async def sigreturn(core: Core, context: Context) -> None:
    """The handler has returned: pop its frame; the mask comes back, and with it perhaps more to deliver."""
    frame = context.frames[-1]
    if frame.kind != "handler":
        await core.fault(context, Trap(SIGSEGV, SEGV_MAPERR), 0)
        return
    core.charge(core.costs.signal_ns)
    address = stack_frame.frame_address(frame.saved_sp)  # where it was pushed: what lies below is the handler's own
    data = await user_memory.read_user(core, context, address, stack_frame.SIZE)
    if data is None:  # the handler unmapped its own stack
        await calls.die(core, context, SIGSEGV | CORE_DUMP_FLAG)
        return
    saved = stack_frame.parse(data)  # what stands on the stack counts, also if the handler changed it
    context.frames.pop()
    dispose(frame.coroutine, core.machine.graveyard)
    note_leave(context)
    registers.drop_allocas_below(context, address)
    context.stack_pointer = saved.saved_sp
    core.thread_attention(await core.ask(SIGNALS, signals.Sigreturn(context.caller.tid, saved.saved_mask)))
    if core.log.signal:
        place = context.image.place(context.frames[-1].coroutine)
        core.emit_thread(context, SignalReturn(pc=place.pc, sp=context.stack_pointer))


async def _stop(core: Core, context: Context, delivery: signals.Delivery) -> None:
    """The thread stops: processes counts it, and it parks until SIGCONT or SIGKILL."""
    info = delivery.info
    if core.log.signal and info is not None:
        _log_action(core, context, info, "stop")
    await core.ask(PROCESSES, processes.ThreadStopped(context.caller.tid))
    await calls.park(core, context, WouldBlock(SIGNALS, calls.STOPPED, f"process:{context.caller.pid}", None, True))


async def _terminate(core: Core, context: Context, delivery: signals.Delivery) -> None:
    """A fatal signal ends the process; without `info` the group is exiting already and this thread goes quietly."""
    info = delivery.info
    if info is None:
        await calls.thread_exit(core, context, 0)
        return
    if core.log.signal:
        _log_action(core, context, info, "terminate")
    await calls.die(core, context, info.signo | (CORE_DUMP_FLAG if delivery.core_dump else 0))


def _log_action(core: Core, context: Context, info: signals.SignalInfo, action: str) -> None:
    place = context.image.place(context.frames[-1].coroutine)
    op = context.frames[-1].pending
    name = TABLE[op.nr].name if context.interrupted is not None and isinstance(op, Syscall) else ""
    core.emit_thread(
        context,
        SignalDeliver(
            signo=info.signo, name=signal_name(info.signo), action=action, handler=0, flags=0, interrupted=name, pc=place.pc,
            sp=context.stack_pointer,
        ),
    )  # fmt: skip


async def uncaught(core: Core, context: Context, op: UncaughtException) -> None:
    """The program let an exception out: its signal, once to a handler, then for good, as abort(3) does."""
    if not context.uncaught:
        context.uncaught = True
        core.emit_uncaught(context, op)
        if core.log.process:
            event = UncaughtExceptionEvent(kind=op.kind, message=op.message, file=op.file, line=op.line, traceback=op.traceback)
            core.emit_thread(context, event)
        code = FPE_INTDIV if op.signo == SIGFPE else SI_TKILL
        info = signals.SignalInfo(op.signo, code, pid=context.caller.pid)
        core.thread_attention(await core.ask(SIGNALS, signals.Fault(context.caller.tid, info)) or 1)
        return
    await calls.die(core, context, op.signo | CORE_DUMP_FLAG, f"uncaught {op.kind}")
