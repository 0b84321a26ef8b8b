"""Re-execution: how fork returns twice although a coroutine cannot be copied.

Each thread whose program names `fork` keeps the results of its ops: op, result, op, result, …, with a marker where a signal handler was
entered and where it was left. A copy of the thread is a fresh coroutine fed with those results; at the end it stands where the original
stands, at the same pending op, and can go its own way:

    record   getpid 100   EnterHandler(on_usr1)  write 7   LeaveHandler   load 41
    copy     yields getpid, gets 100; a handler starts, yields write, gets 7; is popped; yields load, gets 41; yields clone: here we are

Nothing is executed on the way: no virtual time passes, no event is emitted. Each yielded op is compared with the recorded one; a
difference means that the program depends on something else than its results, and is reported with function and line.
A record is bounded. Past the bound fork fails (ENOMEM), and `refusal` says which calls start without one.
"""

from __future__ import annotations

import copy
import types
from typing import Any, Final

import msgspec

from kernel.abi.ops import Op, Syscall
from kernel.abi.syscalls import TABLE
from kernel.processes.context import Context, Frame
from kernel.processes.coroutines import chain, dispose, frames
from kernel.processes.digest import digest, first_difference


class EnterHandler(msgspec.Struct, frozen=True, gc=False):
    """In a record: a signal handler was started here."""

    entry: int  # .text address
    args: tuple[Any, ...]
    saved_mask: int
    saved_sp: int


class LeaveHandler(msgspec.Struct, frozen=True, gc=False):
    """In a record: sigreturn popped the handler."""


class Refused(msgspec.Struct, frozen=True, gc=False):
    """In a record: what the program yielded here was no op, and this TypeError was thrown into it."""

    text: str


LEAVE: Final = LeaveHandler()
RESULT_BYTES: Final = 64  # what an op and a small result take in a record, about


class ReexecutionError(Exception):
    """A copy that went another way than its original. The text names function, line and op, and the usual cause."""


# ---- keeping a record ----------------------------------------------------------------------------------------------------------


def note(context: Context, op: Op, result: Any) -> None:
    """`op` of this thread gave `result`. Call it only where `context.record` is a list."""
    record = context.record
    assert record is not None, "a thread without a record notes nothing"
    record.append(op)
    record.append(result)
    context.record_bytes += RESULT_BYTES + (len(result) if result.__class__ in (bytes, str) else 0)


def note_enter(context: Context, frame: Frame) -> None:
    """A handler's frame was pushed."""
    if context.record is not None:
        context.record.append(EnterHandler(frame.entry, frame.args, frame.saved_mask, frame.saved_sp))


def note_leave(context: Context) -> None:
    """A handler's frame was popped by sigreturn."""
    if context.record is not None:
        context.record.append(LEAVE)


def note_refused(context: Context, text: str) -> None:
    """A TypeError with this text was thrown in place of a result."""
    if context.record is not None:
        context.record.append(Refused(text))


def drop(context: Context) -> None:
    """Become and execve: what came before is not needed any more."""
    if context.record is not None:
        context.record = []
        context.record_bytes = 0


def refusal(context: Context, result_limit: int, byte_limit: int) -> str:
    """Why this thread cannot fork any more; the empty string if it can."""
    count = len(context.record or ()) // 2
    if count > result_limit:
        what = f"{count} results, the limit is {result_limit} (run.record_results)"
    elif context.record_bytes > byte_limit:
        what = f"{count} results in {context.record_bytes >> 20} MiB, the limit is {byte_limit >> 20} MiB (run.record_mib)"
    else:
        return ""
    return (
        f"fork re-executes what the thread has done so far, and its record has {what}: "
        "start the child by clone(fn, flags, arg) or posix_spawn, or call become(fn, …) now and then, which drops the record"
    )


# ---- making a copy -------------------------------------------------------------------------------------------------------------


def rebuild(context: Context, image: Any) -> list[Frame]:
    """A copy of the thread's coroutine stack, in the namespaces of `image` (a `fresh()` one). Raises ReexecutionError.

    The copy's frames stand at the same pending ops as the original's. The original is not touched.
    """
    assert context.record is not None, "only a recorded thread can be copied"
    stack: list[Frame] = []
    try:
        _feed(context, image, stack)
        _compare_stacks(context, image, stack)
    except ReexecutionError:
        for frame in stack:
            dispose(frame.coroutine, [])
        raise
    return stack


def _feed(context: Context, image: Any, stack: list[Frame]) -> None:
    first, record = context.frames[0], context.record or []
    coroutine = image.start_main() if first.kind == "main" else image.start(first.entry, first.args)
    stack.append(Frame(coroutine, first.kind, first.entry, first.args, first.saved_mask, first.saved_sp))
    if first.pending is None:
        return  # not started
    _step(stack[0], None, image)
    index = 0
    while index < len(record):
        entry = record[index]
        index += 1
        if entry.__class__ is EnterHandler:
            stack.append(
                Frame(image.start_handler(entry.entry, entry.args), "handler", entry.entry, entry.args, entry.saved_mask, entry.saved_sp)
            )
            if index < len(record) or context.frames[-1].pending is not None:
                _step(stack[-1], None, image)
        elif entry.__class__ is LeaveHandler:
            dispose(stack.pop().coroutine, [])
        elif entry.__class__ is Refused:
            _proceed(stack[-1], stack[-1].coroutine.throw, TypeError(entry.text))
        else:
            _expect(stack[-1], entry, image)
            _step(stack[-1], record[index], image)
            index += 1


def _step(frame: Frame, result: Any, image: Any) -> None:
    _proceed(frame, frame.coroutine.send, result)


def _proceed(frame: Frame, how: Any, what: Any) -> None:
    try:
        frame.pending = how(what)
    except StopIteration:
        raise ReexecutionError(_text("it ended where the parent went on", "")) from None
    except BaseException as error:  # noqa: BLE001 - whatever the copy raises is a difference
        raise ReexecutionError(_text(f"it raised {type(error).__name__}", "")) from None


def _expect(frame: Frame, op: Op, image: Any) -> None:
    if not _same(frame.pending, op):
        raise ReexecutionError(_text(f"its next op is {_shown(frame.pending)}, the parent's was {_shown(op)}", _place(frame, image)))


def _compare_stacks(context: Context, image: Any, stack: list[Frame]) -> None:
    """After the last entry both stand at the same ops, lines and values."""
    if len(stack) != len(context.frames):
        raise ReexecutionError(_text(f"it has {len(stack)} coroutines on its stack, the parent {len(context.frames)}", ""))
    for ours, copied in zip(context.frames, stack, strict=True):
        copied.computed_ns = ours.computed_ns
        if ours.pending is not None and not _same(copied.pending, ours.pending):
            raise ReexecutionError(
                _text(f"its next op is {_shown(copied.pending)}, the parent's is {_shown(ours.pending)}", _place(copied, image))
            )
    difference = first_difference(digest(context.frames, context.image), digest(stack, image))
    if difference:
        raise ReexecutionError(_text(difference, ""))


def _text(difference: str, place: str) -> str:
    where = f" at {place}" if place else ""
    return (
        f"fork: the child, re-executed from the results of the parent's ops, differs{where}: {difference}. "
        "The program depends on something that is not simulated: id(), hash(), the order of a set, an object of Python shared by both. "
        "Take it from the machine instead (simulated memory, getpid, rand), "
        "or start the child by clone(fn, flags, arg), which re-executes nothing"
    )


def _place(frame: Frame, image: Any) -> str:
    own: types.FrameType | None = None
    for candidate in frames(frame.coroutine):
        if image.owns(candidate):
            own = candidate
    return f"{own.f_code.co_filename}:{own.f_lineno} in {own.f_code.co_qualname}" if own is not None else "the end of main"


def _same(one: Any, other: Any) -> bool:
    """Are two ops equal? What a program put into them may not even be comparable."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - the program's own __eq__
        return False


def _shown(op: Any) -> str:
    row = TABLE.get(op.nr) if isinstance(op, Syscall) else None
    try:
        text = f"{row.name}({', '.join(map(repr, op.args))})" if row is not None and isinstance(op, Syscall) else repr(op)
    except Exception:  # noqa: BLE001 - the program's own __repr__
        text = type(op).__name__
    return text if len(text) <= 160 else text[:157] + "..."


def duplicate(context: Context, memo: dict[int, Any]) -> Context:
    """`copy.deepcopy` of a recorded thread: plain fields are copied, the image is a fresh one (one for all threads of a process)."""
    made = Context.__new__(Context)
    memo[id(context)] = made  # the protocol of copy.deepcopy
    for name in Context.__slots__:
        if name not in ("frames", "allocas"):
            setattr(made, name, copy.deepcopy(getattr(context, name), memo))
    made.frames = rebuild(context, made.image)
    made.allocas = rebind_allocas(context.allocas, context.frames, made.frames)
    return made


def rebind_allocas(allocas: list[tuple[Any, int]], original: list[Frame], copy: list[Frame]) -> list[tuple[Any, int]]:
    """`context.allocas` for a copied stack: the coroutine at the same depth of the same frame."""
    mapped: list[tuple[Any, int]] = []
    pairs = [
        (ours, theirs)
        for first, second in zip(original, copy, strict=True)
        for ours, theirs in zip(chain(first.coroutine), chain(second.coroutine), strict=False)
    ]
    for owner, stack_pointer in allocas:
        mapped.extend((theirs, stack_pointer) for ours, theirs in pairs if ours is owner)
    return mapped
