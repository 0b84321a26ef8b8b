"""execve and clone, the core's part: the core resolves the image with files and memory, and builds the coroutines of what starts.

    execve   files.OpenExec -> memory.ReadObject -> ELF or #! (again, with the interpreter) -> load -> processes.Exec(handle)
    clone    fork: re-execute the parent's record in a fresh namespace; else: a fresh coroutine at a function -> processes.Clone(context)

What was resolved is handed on and never looked up again; owners see plain facts (Image, Context), never a path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors import calls, execute
from actors.loader import describe
from actors.messages import files, memory, processes
from actors.ranks import FILES, MEMORY, PROCESSES
from kernel.abi.errno_values import EINVAL, ELOOP, ENOEXEC, ENOMEM
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import CLONE_VM
from kernel.abi.ops import Syscall, UncaughtException
from kernel.abi.signos import SIGABRT
from kernel.processes import image as image_format
from kernel.processes import reexecution
from kernel.processes.context import Context, Frame
from kernel.processes.coroutines import dispose
from userspace.loader_check import ProgramError

if TYPE_CHECKING:
    from actors.core import Core

MAX_INTERPRETERS: Final = 5  # nested #! lines: ELOOP beyond, as Linux
SCRIPT_HEAD: Final = 256  # bytes that are searched for a #! line


async def execve(core: Core, context: Context, op: Syscall) -> None:
    """execve(2) up to the point where processes takes over."""
    path, argv, envp = op.args
    comm = path.rsplit(b"/", 1)[-1][:calls.COMM_BYTES].decode("utf-8", "replace")
    largest = core.config.machine.memory_mib << 20  # a file that is larger is sparse, and no image
    for _ in range(MAX_INTERPRETERS):
        found = await core.ask(FILES, files.OpenExec(context.caller, path))
        if found.__class__ is Failure:
            await calls.finish(core, context, found)
            return
        data = await core.ask(MEMORY, memory.ReadObject(found.object, 0, min(found.size, largest), found.seed))
        script = _parse(data, found.size)
        if type(script) is Failure:
            await _refuse(core, context, found, script.errno)
            return
        if type(script) is image_format.Header:
            header = script
            break
        interpreter, argument = script
        argv = (interpreter, *([argument] if argument else ()), path, *argv[1:])
        path = interpreter
        core.tell(FILES, files.Unpin(found.object))
    else:
        await calls.finish(core, context, Failure(ELOOP))
        return
    loaded = _load(core, header.source, comm)
    if loaded is None:
        await _refuse(core, context, found, ENOEXEC)
        return
    context.next_image = loaded
    image = loaded.image(header)
    core.charge(core.costs.exec_ns)
    message = processes.Exec(context.caller, context.serial, image, found.object, argv, envp, found.path, comm, found.seed)
    await calls.finish(core, context, await core.ask(PROCESSES, message))


def _parse(data: bytes, size: int) -> Any:
    """What a file says: (interpreter, argument) of a script, the Header of an image, or Failure.

    Nothing that runs the program on may be done while an exception is handled: it would show in the program's tracebacks.
    """
    try:
        return image_format.parse_script(data[:SCRIPT_HEAD]) or image_format.parse(data, size)
    except SysError as error:
        return Failure(error.errno)


def _load(core: Core, source: bytes, comm: str) -> Any:
    """The program of an image, executed afresh; None if it is refused, which the user is told."""
    try:
        return core.machine.library.load(source, comm).instantiate(core.config.run.record == "all")
    except ProgramError as error:
        core.machine.note(describe(error, core.machine.library))
        return None


async def _refuse(core: Core, context: Context, found: files.ExecFile, errno: int) -> None:
    core.tell(FILES, files.Unpin(found.object))
    await calls.finish(core, context, Failure(errno))


def become_image(core: Core, context: Context, done: processes.ExecDone) -> None:
    """Processes has switched everything: the old coroutines go, the new image starts at its entry point."""
    if core.log.syscall:
        calls.log_exit(core, context, 0)
    calls.discard(core, context)
    image = context.image = context.next_image
    context.next_image = None
    context.caller = msgspec.structs.replace(context.caller, tid=done.tid, space=done.space, table=done.table, fs=done.fs)
    context.comm = done.comm
    context.stack_pointer = done.stack_pointer
    context.stack_low = done.stack_low
    context.tls = 0
    context.restart_deadline = None
    context.uncaught = False  # the old program may have executed this one in its handler for that
    context.record = [] if image.records_ops else None
    context.record_bytes = 0
    context.frames.append(Frame(image.start_main(), "main", 0, ()))
    core.load_space(done.space)
    core.conductor.progress()
    execute.advance(context.frames[-1], None)


async def clone(core: Core, context: Context, op: Syscall) -> None:
    """clone(2): the child's context is built here, before processes is asked, so that a difference shows at the parent's line."""
    flags, stack, parent_tid, child_tid, tls, function, argument = op.args
    child = _forked(core, context) if function == 0 else _started(core, context, flags, function, argument)
    if type(child) is not Context:
        await calls.finish(core, context, child)
        return
    child.tls = tls or context.tls
    child.stack_pointer = stack or context.stack_pointer
    child.stack_low = context.stack_low
    message = processes.Clone(context.caller, context.serial, flags, stack, parent_tid, child_tid, tls, child)
    reply = await core.ask(PROCESSES, message)
    if reply.__class__ is Failure:
        for frame in child.frames:
            dispose(frame.coroutine, core.machine.graveyard)
    elif not flags & CLONE_VM:
        core.state.tlb.flush()  # the parent's pages are read-only now
    await calls.finish(core, context, reply)


def _forked(core: Core, context: Context) -> Context | Failure:
    """The same thread once more: fork returns 0 in it. Failure(ENOMEM) where the record has become too long."""
    limits = core.config.run
    text = reexecution.refusal(context, limits.record_results, limits.record_mib << 20)
    if text:
        core.machine.note(f"[{context.caller.pid}] {context.comm}: {text}")
        return Failure(ENOMEM)
    assert context.record is not None, "a program that can fork is recorded: its code names fork"
    child = Context(context.caller, context.image.fresh(), context.comm)
    child.record = list(context.record)
    child.record_bytes = context.record_bytes
    child.injected = True
    child.inject = 0
    try:
        child.frames = reexecution.rebuild(context, child.image)
        child.uncaught = context.uncaught
        child.allocas = reexecution.rebind_allocas(context.allocas, context.frames, child.frames)
    except reexecution.ReexecutionError as error:
        place = context.image.place(context.frames[-1].coroutine)
        text = str(error)
        frame = Frame(context.image.start_main(), "main", 0, ())
        frame.pending = UncaughtException("ImpureFork", text, text, place.file, place.line, SIGABRT)
        child.frames = [frame]
        child.injected = False
    return child


def _started(core: Core, context: Context, flags: int, function: int, argument: Any) -> Context | Failure:
    """A thread or process that starts at a function, with an empty record. Failure(EINVAL) if there is no such function."""
    image = context.image if flags & CLONE_VM else context.image.fresh()
    child = Context(context.caller, image, context.comm)
    child.record = [] if image.records_ops else None
    try:
        child.frames = [Frame(image.start(function, (argument,)), "thread", function, (argument,))]
    except KeyError:
        return Failure(EINVAL)
    return child
