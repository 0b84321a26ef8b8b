"""A system call's way through the core: copy in, ask the owner, park if it would block, copy out, complete.

Most calls are routed by the table alone (routes.py). A few need the core itself: those that concern only the current thread
(`_LOCAL`), and those for which the core resolves a name first and hands on a pinned handle (mmap) or builds a context (images.py).
A call that would block leaves this core with its thread: what is left to do stands in `context.blocked`, and `resume` goes on with it
on whatever core the thread runs next. The pending op is the call itself, so a restart is simply doing it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from actors import delivery, execute, images, traps
from actors.events import SysEnter, SysExit
from actors.messages import files, memory, processes, scheduler, timers
from actors.messages.base import ChangedCaller, Resume
from actors.ranks import FILES, MEMORY, PROCESSES, SCHEDULER, TIMERS
from actors.routes import BUFFERED, DEADLINE_ARG, MESSAGE_OF, OWNER_OF
from actors.user_memory import copy_in, copy_out
from kernel.abi.decode import decode_arguments, decode_result
from kernel.abi.errno_values import EFAULT, EINTR, EINVAL, ENOSYS
from kernel.abi.errnos import Failure, SysError, errno_name
from kernel.abi.flags import (
    CLOCK_PROCESS_CPUTIME_ID,
    FUTEX_CLOCK_REALTIME,
    FUTEX_PRIVATE_FLAG,
    FUTEX_WAIT,
    MAP_ANONYMOUS,
    PR_SET_NAME,
)
from kernel.abi.ops import Become, Syscall
from kernel.abi.records import Utsname
from kernel.abi.syscalls import NUMBERS, TABLE
from kernel.processes.context import BlockedCall, Context, Frame
from kernel.processes.coroutines import dispose
from kernel.processes.reexecution import drop
from kernel.tickets import Ticket, WouldBlock
from kernel.timers import clocks

if TYPE_CHECKING:
    from actors.core import Core

COMM_BYTES: Final = 15
FUTEX: Final = NUMBERS["futex"]
FUTEX_COMMAND: Final = ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
STOPPED: Final = "stopped"  # the reason of a stop's ticket: no call waits under it


# ---- one call ---------------------------------------------------------------------------------------------------------------


async def system_call(core: Core, context: Context, op: Syscall) -> None:
    """Execute the pending call; afterwards it is complete, or the thread has left this core, or signals are to be delivered."""
    args = traps.admit(op.nr, op.args)
    if args.__class__ is str:
        execute.refuse(context, args)
        return
    if args is None:
        core.complete(context, Failure(ENOSYS))  # no row, so no name to log
        return
    context.serial += 1
    core.clock += core.agenda.scaled(core.costs.syscall_ns)
    if args is not op.args:
        op = context.frames[-1].pending = Syscall(op.nr, args)
    if core.log.syscall:
        _log_enter(core, context, op)
    nr = op.nr
    special = _SPECIAL.get(nr)
    if special is not None:
        await special(core, context, op)
        return
    if nr in BUFFERED:
        copied = await copy_in(core, context, args)
        if copied is None:
            await finish(core, context, Failure(EFAULT))
            return
        args = copied
        _charge_copy(core, args[1])
    elif nr in DEADLINE_ARG:
        args = _with_deadline(core, context, nr, args)
    reply = await core.ask(OWNER_OF[nr], MESSAGE_OF[nr](context.caller, context.serial, *args))
    await finish(core, context, reply)


async def finish(core: Core, context: Context, reply: Any) -> None:
    """What the owner's answer means for the thread."""
    kind = reply.__class__
    if kind is WouldBlock:
        await park(core, context, reply)
        return
    op = context.frames[-1].pending
    assert isinstance(op, Syscall), f"an answer for {op}"
    if kind is Failure:
        if reply.errno == EINTR and TABLE[op.nr].restart != "never":
            await delivery.interrupted(core, context, reply)
            return
    elif kind is ChangedCaller:
        context.caller = reply.caller
        reply = reply.value
    elif kind is processes.ExecDone:
        images.become_image(core, context, reply)
        return
    elif kind is bytes and op.nr in BUFFERED:
        _charge_copy(core, reply)
        reply = await copy_out(core, context, op, reply)
    done(core, context, reply)


def _charge_copy(core: Core, data: Any) -> None:
    """Bytes that cross between user memory and the kernel take time."""
    if data.__class__ is bytes:
        core.charge(core.costs.copy_ns_per_kib * len(data) >> 10)


def done(core: Core, context: Context, result: Any) -> None:
    """Log the result and let the program have it."""
    if core.log.syscall:
        log_exit(core, context, result)
    core.complete(context, result)


# ---- parking ----------------------------------------------------------------------------------------------------------------


async def park(core: Core, context: Context, would: WouldBlock) -> None:
    """The one place where a thread goes to sleep: the core gives it to the scheduler and is free."""
    ticket = Ticket(context.caller.tid, context.serial)
    context.blocked = BlockedCall(ticket, would.owner, would.deadline, would.reason, would.object, would.killable)
    if would.deadline is not None and would.owner != TIMERS:
        await core.ask(TIMERS, timers.Arm(ticket.tid, ticket.serial, would.deadline, context.caller.path))
    core.state.context = None
    ran = core.ran_ns(context)
    timed = would.deadline is not None
    core.tell(SCHEDULER, scheduler.Park(context, core.number, ticket.serial, would.reason, would.object, timed, would.killable, ran))


async def resume(core: Core, context: Context) -> None:
    """A thread that waited runs again: ask the owner of its ticket what became of the call."""
    blocked = context.blocked
    assert blocked is not None, "only a parked thread is resumed"
    ticket = blocked.ticket
    if blocked.deadline is not None and blocked.owner != TIMERS and not context.timed_out:
        await core.ask(TIMERS, timers.Disarm(ticket.tid, ticket.serial))
    interrupted = context.attention >= (2 if blocked.killable else 1)
    reply = await core.ask(blocked.owner, Resume(context.caller, ticket.serial, interrupted, context.timed_out))
    context.timed_out = False
    if reply.__class__ is WouldBlock:
        await park(core, context, reply)
        return
    context.blocked = None
    if blocked.reason == STOPPED:
        await delivery.deliver(core, context)  # what came meanwhile is next, and decides about the call that the stop interrupted
    else:
        await finish(core, context, reply)


def _with_deadline(core: Core, context: Context, nr: int, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A relative time becomes an absolute deadline, computed at the first attempt so that a restart keeps it."""
    index = DEADLINE_ARG[nr]
    relative = args[index]
    if relative is None or relative < 0:
        return args
    if nr == FUTEX and args[1] & FUTEX_COMMAND != FUTEX_WAIT:
        return args  # WAIT_BITSET's is absolute already
    if context.restart_deadline is None:
        context.restart_deadline = core.clock + relative
    return (*args[:index], context.restart_deadline, *args[index + 1 :])


# ---- calls that the core answers itself -------------------------------------------------------------------------------------


def _local(answer: Callable[[Core, Context, tuple[Any, ...]], Any]) -> Callable[[Core, Context, Syscall], Awaitable[None]]:
    async def call(core: Core, context: Context, op: Syscall) -> None:
        try:
            result = answer(core, context, op.args)
        except SysError as error:
            result = Failure(error.errno)
        done(core, context, result)

    return call


def _uname(core: Core, context: Context, args: tuple[Any, ...]) -> Utsname:
    return Utsname("Linux", "trapline", "6.1.0-trapline", "#1 SMP PREEMPT_DYNAMIC", "x86_64")


async def _clock_gettime(core: Core, context: Context, op: Syscall) -> None:
    clock = op.args[0]
    thread_cpu = context.cpu_ns + core.clock - core.state.started_ns
    process_cpu = 0
    if clock == CLOCK_PROCESS_CPUTIME_ID:
        usage = await core.ask(PROCESSES, processes.Getrusage(context.caller, context.serial, 0))
        process_cpu = usage[0] + usage[1] + core.clock - core.state.started_ns
    try:
        result: Any = clocks.read_clock(clock, core.clock, process_cpu, thread_cpu)
    except SysError as error:
        result = Failure(error.errno)
    done(core, context, result)


async def _sched_yield(core: Core, context: Context, op: Syscall) -> None:
    done(core, context, None)
    if not core.agenda.wide:
        core.preempt(context, yielded=True)


async def _sigreturn(core: Core, context: Context, op: Syscall) -> None:
    await delivery.sigreturn(core, context)


async def _mmap(core: Core, context: Context, op: Syscall) -> None:
    """The descriptor is resolved first, and stays pinned until memory holds the object."""
    address, length, prot, flags, fd, offset = op.args
    file = None
    if not flags & MAP_ANONYMOUS:
        file = await core.ask(FILES, files.PinForMapping(context.caller, fd, prot, flags))
        if file.__class__ is Failure:
            await finish(core, context, file)
            return
    reply = await core.ask(MEMORY, memory.Mmap(context.caller, context.serial, address, length, prot, flags, file, offset))
    if file is not None and file.object:
        core.tell(FILES, files.Unpin(file.object))
    await finish(core, context, reply)


async def _clock_nanosleep(core: Core, context: Context, op: Syscall) -> None:
    """Relative times count from the first attempt, as for nanosleep."""
    clock, flags, ns = op.args
    if context.restart_deadline is None:
        context.restart_deadline = core.clock
    message = timers.ClockNanosleep(context.caller, context.serial, clock, flags, ns, context.restart_deadline)
    await finish(core, context, await core.ask(TIMERS, message))


async def _prctl(core: Core, context: Context, op: Syscall) -> None:
    """A new name is also the context's, which logs and the scheduler show."""
    option, argument = op.args
    reply = await core.ask(PROCESSES, processes.Prctl(context.caller, context.serial, option, argument))
    if option == PR_SET_NAME and reply.__class__ is not Failure:
        context.comm = bytes(argument)[:COMM_BYTES].decode("utf-8", "replace")
    await finish(core, context, reply)


async def _exit(core: Core, context: Context, op: Syscall) -> None:
    await thread_exit(core, context, (op.args[0] & 0xFF) << 8)


async def _exit_group(core: Core, context: Context, op: Syscall) -> None:
    await die(core, context, (op.args[0] & 0xFF) << 8)


async def die(core: Core, context: Context, status: int, fault: str = "") -> None:
    """The whole process ends, with this wait status."""
    await core.ask(PROCESSES, processes.ExitGroup(context.caller, context.serial, status))
    await thread_exit(core, context, status, fault)


async def thread_exit(core: Core, context: Context, status: int, fault: str = "") -> None:
    """This thread ends: its owners are told by processes, its coroutines are disposed of, the core is free."""
    core.charge(core.costs.exit_ns)
    await core.ask(PROCESSES, processes.ThreadExit(context.caller, context.serial, status, fault))
    discard(core, context)
    core.state.context = None
    core.load_space(0)
    core.tell(SCHEDULER, scheduler.Exited(context.caller.tid, core.number, core.ran_ns(context)))


def discard(core: Core, context: Context) -> None:
    """Dispose of the thread's coroutines, from the top."""
    while context.frames:
        dispose(context.frames.pop().coroutine, core.machine.graveyard)
    context.allocas.clear()


def _started(context: Context, op: Become) -> Any:
    try:
        return context.image.start(op.fn, op.args)
    except (KeyError, TypeError):
        return None


def become(core: Core, context: Context, op: Become) -> None:
    """Replace the coroutine stack by fn(*args), and drop the record."""
    coroutine = _started(context, op)
    if coroutine is None:
        core.complete(context, Failure(EINVAL))
        return
    discard(core, context)
    drop(context)
    context.uncaught = False
    context.frames.append(Frame(coroutine, "become", op.fn, op.args))
    execute.advance(context.frames[-1], None)


_SPECIAL: Final[dict[int, Callable[[Core, Context, Syscall], Awaitable[None]]]] = {
    NUMBERS["getpid"]: _local(lambda core, context, args: context.caller.pid),
    NUMBERS["gettid"]: _local(lambda core, context, args: context.caller.tid),
    NUMBERS["getuid"]: _local(lambda core, context, args: context.caller.uid),
    NUMBERS["geteuid"]: _local(lambda core, context, args: context.caller.euid),
    NUMBERS["getgid"]: _local(lambda core, context, args: context.caller.gid),
    NUMBERS["getegid"]: _local(lambda core, context, args: context.caller.egid),
    NUMBERS["getcpu"]: _local(lambda core, context, args: core.number),
    NUMBERS["uname"]: _local(_uname),
    NUMBERS["clock_getres"]: _local(lambda core, context, args: clocks.resolution_ns(args[0])),
    NUMBERS["clock_gettime"]: _clock_gettime,
    NUMBERS["sched_yield"]: _sched_yield,
    NUMBERS["rt_sigreturn"]: _sigreturn,
    NUMBERS["mmap"]: _mmap,
    NUMBERS["clock_nanosleep"]: _clock_nanosleep,
    NUMBERS["prctl"]: _prctl,
    NUMBERS["exit"]: _exit,
    NUMBERS["exit_group"]: _exit_group,
    NUMBERS["execve"]: images.execve,
    NUMBERS["clone"]: images.clone,
}

assert all(nr in _SPECIAL for nr, row in TABLE.items() if row.owner == "core"), "a core call without code"


# ---- events -------------------------------------------------------------------------------------------------------------------


def _log_enter(core: Core, context: Context, op: Syscall) -> None:
    place = context.image.place(context.frames[-1].coroutine)
    name = TABLE[op.nr].name
    args = [core.log.plain(argument) for argument in decode_arguments(name, op.args)]
    core.emit_thread(context, SysEnter(nr=op.nr, name=name, args=args, file=place.file, line=place.line, pc=place.pc))


def log_exit(core: Core, context: Context, result: Any) -> None:
    """The pending call's sys_exit event."""
    op = context.frames[-1].pending
    assert isinstance(op, Syscall), f"sys_exit of {op}"
    name = TABLE[op.nr].name
    error = errno_name(result.errno) if result.__class__ is Failure else ""
    shown = -1 if error else core.log.plain(decode_result(name, op.args, result))
    core.emit_thread(context, SysExit(nr=op.nr, name=name, result=shown, error=error))


def log_restart(core: Core, context: Context) -> None:
    """The pending call will run again."""
    op = context.frames[-1].pending
    if core.log.syscall and isinstance(op, Syscall):
        core.emit_thread(context, SysExit(nr=op.nr, name=TABLE[op.nr].name, result=-1, error="ERESTART"))
