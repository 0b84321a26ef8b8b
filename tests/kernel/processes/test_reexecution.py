"""Re-execution: a copy fed with results stands where its original stands, and a difference is told by function, line and variable."""

from __future__ import annotations

import random
import types
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errnos import Failure
from kernel.abi.ops import Load, Register, Store, Syscall
from kernel.processes import reexecution
from kernel.processes.context import Context, Frame
from kernel.processes.coroutines import CLOSE_LIMIT, chain, depth, dispose, frames
from kernel.processes.digest import Digest, FrameDigest, digest, first_difference, plain
from kernel.processes.reexecution import ReexecutionError

GETPID, CLONE = Syscall(39, ()), Syscall(56, (17,))


@types.coroutine
def do(op: Any) -> Any:
    return (yield op)


class Image:
    """A program of this file's functions; `variables` are its module globals."""

    def __init__(self, main: Any, functions: dict[int, Any] | None = None, variables: dict[str, Any] | None = None) -> None:
        self.main, self.functions, self.variables = main, functions or {}, variables or {}

    def start_main(self) -> Any:
        return self.main()

    def start(self, entry: int, args: tuple[Any, ...]) -> Any:
        return self.functions[entry](*args)

    def start_handler(self, entry: int, args: tuple[Any, ...]) -> Any:
        return self.functions[entry](*args)

    def owns(self, frame: types.FrameType) -> bool:
        return frame.f_code.co_filename == __file__ and frame.f_code.co_name not in ("do", "body")

    def plain_globals(self) -> Any:
        return (("p", name, value) for name, value in self.variables.items())


class Runner:
    """Does what a core does with one thread: executes the pending op by a rule, and keeps the record."""

    def __init__(self, image: Image, kind: str = "main", entry: int = 0, args: tuple[Any, ...] = ()) -> None:
        self.context = Context(None, image, "p")
        self.context.record = []
        coroutine = image.start_main() if kind == "main" else image.start(entry, args)
        self.push(Frame(coroutine, kind, entry, args))

    def push(self, frame: Frame) -> None:
        self.context.frames.append(frame)
        frame.pending = frame.coroutine.send(None)

    def step(self, result: Any) -> None:
        frame = self.context.frames[-1]
        reexecution.note(self.context, frame.pending, result)
        frame.pending = frame.coroutine.send(result)

    def enter(self, entry: int, args: tuple[Any, ...]) -> None:
        frame = Frame(self.context.image.start_handler(entry, args), "handler", entry, args, 5, 64)
        reexecution.note_enter(self.context, frame)
        self.push(frame)

    def leave(self) -> None:
        dispose(self.context.frames.pop().coroutine, [])
        reexecution.note_leave(self.context)

    def copy(self, image: Image | None = None) -> list[Frame]:
        return reexecution.rebuild(self.context, image or self.context.image)


async def summing() -> None:
    total = 0
    while True:
        total += await do(Load(total, 4, -1))
        await do(Store(0, 4, total, -1))


def test_a_copy_stands_at_the_same_op_with_the_same_locals():
    runner = Runner(Image(summing))
    for result in (3, None, 4, None, 5):
        runner.step(result)
    (copy,) = runner.copy()
    assert copy.pending == runner.context.frames[0].pending == Store(0, 4, 12, -1)
    assert copy.coroutine.cr_frame.f_locals["total"] == 12


def test_the_original_is_not_touched():
    runner = Runner(Image(summing))
    runner.step(3)
    copy = runner.copy()[0]
    copy.coroutine.send(None)
    assert runner.context.frames[0].pending == Store(0, 4, 3, -1)
    runner.step(None)


def test_a_thread_that_has_not_started_is_copied_unstarted():
    image = Image(summing)
    context = Context(None, image, "p")
    context.record = []
    context.frames.append(Frame(image.start_main(), "main", 0, ()))
    (copy,) = reexecution.rebuild(context, image)
    assert copy.pending is None
    copy.coroutine.close()
    context.frames[0].coroutine.close()


@given(st.lists(st.integers(0, 1 << 31), max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_prefix_of_results_is_reproduced(results):
    runner = Runner(Image(summing))
    for result in results:
        runner.step(result)
        runner.step(None)
    (copy,) = runner.copy()
    assert copy.pending == runner.context.frames[0].pending


def test_a_failed_call_fails_in_the_copy_too():
    async def body() -> None:
        outcome = await do(Syscall(3, (9,)))
        await do(Register(f"failed {outcome.errno}"))

    runner = Runner(Image(body))
    runner.step(Failure(9))
    assert runner.copy()[0].pending == Register("failed 9")


async def worker(first: int, second: str) -> None:
    await do(Register(f"{first}{second}"))


def test_a_thread_starts_again_at_its_function_with_its_arguments():
    runner = Runner(Image(summing, {0x400: worker}), "thread", 0x400, (7, "x"))
    copy = runner.copy()[0]
    assert (copy.kind, copy.entry, copy.args, copy.pending) == ("thread", 0x400, (7, "x"), Register("7x"))


async def handler(signo: int) -> None:
    await do(Register(f"handling {signo}"))
    await do(CLONE)


def test_a_fork_inside_a_handler_copies_both_coroutines():
    runner = Runner(Image(summing, {0x500: handler}))
    runner.step(3)
    runner.enter(0x500, (10,))
    runner.step(1)
    below, above = runner.copy()
    assert (below.pending, above.pending) == (Store(0, 4, 3, -1), CLONE)
    assert (above.kind, above.entry, above.saved_mask, above.saved_sp) == ("handler", 0x500, 5, 64)


def test_a_handler_that_returned_leaves_the_interrupted_op_pending():
    runner = Runner(Image(summing, {0x500: handler}))
    runner.step(3)
    runner.enter(0x500, (10,))
    runner.step(1)
    runner.leave()
    runner.step(None)
    runner.step(4)
    assert runner.copy()[0].pending == Store(0, 4, 7, -1)


def test_a_handler_that_was_just_pushed_is_copied_at_its_first_op():
    runner = Runner(Image(summing, {0x500: handler}))
    runner.enter(0x500, (12,))
    assert runner.copy()[1].pending == Register("handling 12")


def test_an_op_that_differs_is_told_with_function_line_and_both_ops():
    drawn = iter([1, 2])

    async def impure() -> None:
        await do(Load(next(drawn), 4, -1))
        await do(CLONE)

    runner = Runner(Image(impure))
    runner.step(5)
    with pytest.raises(
        ReexecutionError, match=r"test_reexecution.py:\d+ in .*impure: its next op is Load\(address=2.*the parent's was Load\(address=1"
    ):
        runner.copy()


def test_a_copy_that_ends_early_is_told():
    drawn = iter([True, False])

    async def impure() -> None:
        if next(drawn):
            await do(GETPID)
            await do(CLONE)
        else:
            await do(GETPID)

    runner = Runner(Image(impure))
    runner.step(5)
    with pytest.raises(ReexecutionError, match="it ended where the parent went on"):
        runner.copy()


def test_an_exception_in_the_copy_is_told():
    drawn = iter([0])

    async def impure() -> None:
        next(drawn)
        await do(CLONE)

    with pytest.raises(ReexecutionError, match="it raised"):
        Runner(Image(impure)).copy()


def test_a_local_that_differs_is_told_by_name_with_both_values():
    stream = random.Random(3)

    async def impure() -> None:
        secret = stream.random()
        await do(CLONE)
        del secret

    with pytest.raises(
        ReexecutionError, match=r"in .*impure: the local variable secret is .* in the parent and .* in the child.*id\(\), hash\(\)"
    ):
        Runner(Image(impure)).copy()


def test_a_module_global_that_differs_is_told():
    runner = Runner(Image(summing, variables={"seen": [1, 2]}))
    with pytest.raises(ReexecutionError, match=r"the module global p\.seen is .* in the parent and .* in the child"):
        runner.copy(Image(summing, variables={"seen": [1]}))


def test_locals_of_awaited_functions_and_async_generators_are_compared_too():
    drawn = iter([1, 2])

    async def numbers() -> Any:
        inner = next(drawn)
        await do(CLONE)
        yield inner

    async def outer() -> None:
        async for _ in numbers():
            pass

    with pytest.raises(ReexecutionError, match="the local variable inner is 1 in the parent and 2 in the child"):
        Runner(Image(outer)).copy()


def test_become_drops_what_came_before():
    runner = Runner(Image(summing))
    runner.step(3)
    reexecution.drop(runner.context)
    assert (runner.context.record, runner.context.record_bytes) == ([], 0)


def test_a_thread_without_record_notes_no_handlers():
    context = Context(None, Image(summing), "p")
    reexecution.note_enter(context, Frame(None, "handler", 1, ()))
    reexecution.note_leave(context)
    reexecution.drop(context)
    assert context.record is None


def test_a_record_past_its_number_of_results_is_refused_naming_limit_count_and_remedies():
    runner = Runner(Image(summing))
    for result in (3, None, 4):
        runner.step(result)
    assert reexecution.refusal(runner.context, 3, 1 << 20) == ""
    text = reexecution.refusal(runner.context, 2, 1 << 20)
    assert "3 results, the limit is 2" in text
    assert all(name in text for name in ("clone", "become", "posix_spawn"))


def test_a_record_past_its_size_is_refused():
    runner = Runner(Image(summing))
    reexecution.note(runner.context, GETPID, b"x" * (3 << 20))
    assert "in 3 MiB, the limit is 1 MiB" in reexecution.refusal(runner.context, 100, 1 << 20)


def test_stack_room_of_a_copied_stack_belongs_to_the_copied_coroutines():
    async def inner() -> None:
        await do(CLONE)

    async def outer() -> None:
        await inner()

    runner = Runner(Image(outer))
    original = runner.context.frames
    links = list(chain(original[0].coroutine))
    copy = runner.copy()
    copied = list(chain(copy[0].coroutine))
    assert reexecution.rebind_allocas([(links[0], 100), (links[1], 80)], original, copy) == [(copied[0], 100), (copied[1], 80)]


# ---- disposal -----------------------------------------------------------------------------------------------------------------


def started(function: Any) -> Any:
    coroutine = function()
    coroutine.send(None)
    return coroutine


def test_ops_of_a_finally_clause_are_discarded():
    trace: list[str] = []

    async def body() -> None:
        try:
            await do(GETPID)
        finally:
            await do(Register("discarded"))
            trace.append("finally")

    graveyard: list[Any] = []
    coroutine = started(body)
    dispose(coroutine, graveyard)
    assert graveyard == []
    assert frames(coroutine) is not None
    assert coroutine.cr_frame is None
    assert trace == []  # the op that finally yielded was answered by closing again


def test_what_an_ending_program_raises_concerns_nobody():
    async def body() -> None:
        try:
            await do(GETPID)
        finally:
            raise SystemExit(3)

    coroutine = started(body)
    dispose(coroutine, [])
    assert coroutine.cr_frame is None


def test_a_coroutine_that_will_not_end_goes_to_the_graveyard_after_so_many_tries():
    tries = 0

    async def stubborn() -> None:
        nonlocal tries
        while True:
            try:
                await do(GETPID)
            except GeneratorExit:
                tries += 1
                if tries > 2 * CLOSE_LIMIT:
                    raise

    graveyard: list[Any] = []
    coroutine = started(stubborn)
    dispose(coroutine, graveyard)
    assert graveyard == [coroutine]
    assert tries == CLOSE_LIMIT
    dispose(coroutine, graveyard)
    dispose(coroutine, graveyard)


def test_nesting_is_counted_by_coroutines():
    async def one() -> None:
        await do(GETPID)

    async def two() -> None:
        await one()

    coroutine = started(two)
    assert depth(coroutine) == 3
    coroutine.close()


# ---- digests ------------------------------------------------------------------------------------------------------------------


class Thing:
    def __init__(self, value: int) -> None:
        self.value = value


@pytest.mark.parametrize(
    "value",
    [
        0,
        True,
        "x",
        b"x",
        None,
        1.5,
        float("nan"),
        (1, [2, {"a": {3}}]),
        {1: (2,)},
        bytearray(b"x"),
        frozenset({"a"}),
        Thing(4),
        [Thing(1)],
        len,
        Thing,
    ],
)
def test_plain_copies_of_equal_values_are_equal(value):
    assert plain(value) == plain(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 2), ([1], [2]), ({"a": 1}, {"a": 2}), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (Thing(1), Thing(2)), ([1], (1,)), ({1}, {2})],
)
def test_plain_copies_of_different_values_differ(one, other):
    assert plain(one) != plain(other)


def test_a_plain_copy_does_not_follow_later_changes():
    items = [1]
    copy = plain(items)
    items.append(2)
    assert copy != plain(items)


def test_a_list_that_contains_itself_is_summed_up():
    items: list[Any] = []
    items.append(items)
    assert plain(items) == plain(items)


def frame(line: int = 1, **variables: Any) -> FrameDigest:
    return FrameDigest("f", "p.py", line, variables)


@pytest.mark.parametrize(
    ("copy", "message"),
    [
        (Digest((frame(2, x=1),), {}), "the parent stands at p.py:1 in f, the child at line 2"),
        (Digest((frame(x=2),), {}), "p.py:1 in f: the local variable x is 1 in the parent and 2 in the child"),
        (Digest((frame(),), {}), "p.py:1 in f: the local variable x is 1 in the parent and unset in the child"),
        (Digest((frame(x=1, y=2),), {}), "p.py:1 in f: the local variable y is unset in the parent and 2 in the child"),
        (Digest((frame(x=1), frame()), {}), "the parent has 1 suspended functions, the child 2"),
        (Digest((FrameDigest("g", "p.py", 1, {}),), {}), "p.py:1 in f runs in the parent, p.py:1 in g in the child"),
        (Digest((frame(x=1),), {"p.z": 1}), "the module global p.z is unset in the parent and 1 in the child"),
    ],
)
def test_the_first_difference_names_function_line_and_variable(copy, message):
    assert first_difference(Digest((frame(x=1),), {}), copy) == message


def test_equal_digests_have_no_difference():
    runner = Runner(Image(summing, variables={"n": 1}))
    taken = digest(runner.context.frames, runner.context.image)
    assert first_difference(taken, digest(runner.context.frames, runner.context.image)) is None
    assert taken.frames[0].function == "summing"
    assert taken.globals == {"p.n": 1}
