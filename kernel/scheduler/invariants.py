"""What must hold of the scheduler's state after each message. Statements that belong to one field stand at that field as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kernel.invariants import Violation
from kernel.scheduler.policies import weight_of
from kernel.scheduler.run_queue import IDLE, PARKED, RUNNABLE, RUNNING, RunQueue, ScheduledThread, entry_of


def violations(
    core_count: int, wide: bool, cores: Sequence[RunQueue], threads: dict[int, ScheduledThread], attention: dict[int, int]
) -> Iterator[Violation]:
    """Every statement that does not hold, by name."""
    queued: dict[int, list[int]] = {}
    for queue in cores:
        for _, _, _, tid in queue.entries:
            queued.setdefault(tid, []).append(queue.number)
    for key, thread in threads.items():
        yield from _one_place(key, thread, cores, queued.pop(key, []))
        yield from _one_thread(key, thread, attention)
    for tid, where in queued.items():
        yield Violation("thread_in_one_place", f"thread {tid} is unknown but queued on core {where[0]}")
    for queue in cores:
        yield from _one_queue(queue, threads)
        if queue.running == IDLE and not wide and queue.number < core_count:
            yield from _idle_core(queue, cores, threads)


def _one_place(key: int, thread: ScheduledThread, cores: Sequence[RunQueue], queued: list[int]) -> Iterator[Violation]:
    running = [queue.number for queue in cores if queue.running == key]
    expected_queued = [thread.core] if thread.state is RUNNABLE else []
    expected_running = [thread.core] if thread.state is RUNNING else []
    if queued != expected_queued or running != expected_running:
        state = f"{thread.state.value} on core {thread.core}"
        yield Violation("thread_in_one_place", f"thread {key} is {state}, but queued on {queued} and running on {running}")
    if (thread.context is None) != (thread.state is RUNNING):
        where = "away" if thread.context is None else "here"
        yield Violation("context_with_holder", f"thread {key} is {thread.state.value} and its context is {where}")


def _one_thread(key: int, thread: ScheduledThread, attention: dict[int, int]) -> Iterator[Violation]:
    if thread.weight != weight_of(thread.nice):
        yield Violation("weight_follows_nice", f"thread {key} has nice {thread.nice} and weight {thread.weight}")
    if thread.state is RUNNABLE and not thread.allows(thread.core):
        yield Violation("queued_where_allowed", f"thread {key} is queued on core {thread.core}, which it may not use")
    if thread.state is not PARKED:
        return
    if thread.wake_serial == thread.serial:
        yield Violation("remembered_wake_not_parked", f"thread {key} is parked under {thread.serial}, and was woken under it before")
    if attention.get(key, 0) > thread.killable:
        yield Violation("attention_ends_wait", f"thread {key} is parked with attention {attention[key]} (killable: {thread.killable})")


def _one_queue(queue: RunQueue, threads: dict[int, ScheduledThread]) -> Iterator[Violation]:
    if queue.entries != sorted(queue.entries):
        yield Violation("queue_sorted", f"core {queue.number} has {queue.entries}")
    for entry in queue.entries:
        thread = threads.get(entry[3])
        if thread is not None and entry_of(thread) != entry:
            yield Violation("queue_sorted", f"core {queue.number} queues thread {entry[3]} as {entry}, but it has {entry_of(thread)}")
    if queue.running != IDLE and queue.running not in threads:
        yield Violation("thread_in_one_place", f"core {queue.number} runs the unknown thread {queue.running}")
    if queue.entries and queue.running != IDLE and not queue.sliced and not queue.asked_back:
        yield Violation("waiting_has_an_end", f"threads wait for core {queue.number}, but thread {queue.running} has no slice")


def _idle_core(idle: RunQueue, cores: Sequence[RunQueue], threads: dict[int, ScheduledThread]) -> Iterator[Violation]:
    if idle.entries:
        yield Violation("idle_core_has_no_queue", f"core {idle.number} is idle, and {len(idle.entries)} threads wait for it")
    for queue in cores:
        for _, _, _, tid in queue.entries:
            if queue is not idle and tid in threads and threads[tid].allows(idle.number):
                yield Violation("no_core_idles_while_one_waits", f"core {idle.number} is idle, thread {tid} waits for core {queue.number}")
