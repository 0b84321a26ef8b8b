"""`make bench`: how fast the machine is. Read the ratios: hosts differ and are noisy, and no test asks for any of these figures.

    python -m benchmarks [--quick] [--profile]

--quick runs tiny sizes, to see that all of it works; --profile also says which functions the time of an op and of a system call goes to.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from benchmarks import programs
from benchmarks.profiling import profile
from benchmarks.table import REFERENCE_SEND_NS, Bench, sized
from trapline.machine import Machine, Run
from trapline.programs import Found

WANTED_SCHEDULES = 3000  # a second, where a bare send takes REFERENCE_SEND_NS
FLAT = "at most 1.50 times"
OP_TIMES, SYSCALL_TIMES = 2, 3  # wanted: at most so many times the sum of the parts


def the_parts(bench: Bench) -> None:
    """The yardstick."""
    parts = bench.parts
    bench.title("parts: what an op and a system call cannot do without")
    bench.row("bare coroutine send", parts.send)
    for name, ns in parts.by_name.items():
        bench.row(name, ns)
    bench.row("sum for an op", parts.op)
    bench.row("sum for a system call (an op, two messages)", parts.syscall)


def ops(bench: Bench) -> None:
    """Loads of one thread."""
    bench.title("ops: loads by one thread")
    count = bench.count(60_000)
    for strategy in ("timed", "random"):
        bench.parts = bench.measure_parts()
        ns = bench.time(programs.loads(count), strategy=strategy) / count
        bench.row(f"op ({strategy})", ns, reached=bench.per_part(ns, bench.parts.op), wanted=f"at most {OP_TIMES}")


def system_calls(bench: Bench) -> None:
    """getppid: one message to its owner, one back; under each driver."""
    bench.title("system calls: getppid, a message there and one back")
    count = bench.count(6_000)
    inline = 0.0
    for driver, drive in _drivers():
        bench.parts = bench.measure_parts()
        ns = bench.time(programs.syscalls(count), drive) / count
        inline = inline or ns
        reached, wanted = bench.per_part(ns, bench.parts.syscall), f"at most {SYSCALL_TIMES}"
        if driver != "inline":
            reached, wanted = f"{ns / inline:.2f} times inline", ""
        bench.row(f"system call ({driver})", ns, reached=reached, wanted=wanted)
        bench.row(f"message ({driver})", ns / 2)
    ns = bench.time(programs.syscalls(count), strategy="random") / count
    bench.row("system call (inline, random)", ns, reached=bench.per_part(ns, bench.parts.syscall), wanted=f"at most {SYSCALL_TIMES}")


def _drivers() -> list[tuple[str, Any]]:
    """Inline, and tasks on each loop that is installed."""
    found = [("inline", Machine.run), ("tasks on asyncio", _on(asyncio.new_event_loop))]
    try:
        import uvloop  # not on every platform
    except ImportError:
        return found
    return [*found, ("tasks on uvloop", _on(uvloop.new_event_loop))]


def _on(loop: Any) -> Any:
    def drive(machine: Machine, found: Found) -> Run:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(machine.run_async(found))

    return drive


def schedules(bench: Bench) -> None:
    """Boot, run and judge a small program, again and again: what exploration is made of."""
    bench.title("schedules: boot, run and judge two threads with two increments each (random, log off)")
    number = bench.count(100)
    for name, locked in (("racy", False), ("under a mutex", True)):
        found = programs.racy(locked=locked)

        def once(found: Found = found) -> float:
            began = time.thread_time_ns()
            for seed in range(number):
                run = Machine("quiet", seed=seed, strategy="random", events=()).run(found)
                assert run.verdict == "ok", (run.failures, run.panic)
            return (time.thread_time_ns() - began) / number

        bench.parts = bench.measure_parts()
        ns = bench.median(once)
        scaled = 1e9 / ns * bench.parts.send / REFERENCE_SEND_NS
        wanted = f"{WANTED_SCHEDULES:,} where a send takes {REFERENCE_SEND_NS} ns"
        bench.row(f"schedule ({name})", ns, reached=f"{scaled:,.0f} a second, scaled", wanted=wanted)


def forks(bench: Bench) -> None:
    """fork, exit and wait, against resident pages and against the length of the parent's record."""
    bench.title("forks: fork, exit of the child, wait")
    number = 5
    config = sized(memory_mib=256)
    first = 0.0
    for pages in bench.sizes(1, 10, 100, 1000, 10_000):
        ns = bench.time(programs.forks(pages, 0, number), config=config, repeats=2) / number
        first = first or ns
        bench.row(f"fork with {pages:,} resident pages", ns, reached=bench.grown(ns, first), wanted=FLAT)
    first = 0.0
    for record in bench.sizes(10, 100, 1000, 10_000):
        ns = bench.time(programs.forks(1, record, number), config=config, repeats=2) / number
        first = first or ns
        bench.row(f"fork with {record:,} results on record", ns, reached=bench.grown(ns, first))


def growth(bench: Bench) -> None:
    """The cost of an op, where there are more cores and more threads but an op does the same."""
    bench.title("growth: an op among others")
    config = sized(memory_mib=256)
    count = bench.count(20_000)
    for strategy in ("timed", "random"):
        first = 0.0
        for cores in bench.sizes(1, 4, 16, 64):
            ns = bench.time(programs.loads(count), config=sized(cores=cores), strategy=strategy) / count
            first = first or ns
            bench.row(f"op on {cores} cores ({strategy})", ns, reached=bench.grown(ns, first), wanted=FLAT)
    for strategy in ("timed", "random"):
        first = 0.0
        for threads in bench.sizes(2, 20, 200, 2000):
            more = 20 if bench.quick else max(100, 60_000 // threads)
            few, many = (bench.time(programs.threads(threads, n), strategy=strategy, config=config, repeats=1) for n in (2, 2 + more))
            ns = max(1.0, many - few) / (threads * more)  # without what starting and ending a thread costs
            first = first or ns
            bench.row(f"op among {threads:,} threads ({strategy})", ns, reached=bench.grown(ns, first), wanted=FLAT)


def events(bench: Bench) -> None:
    """With the log on: kept in memory, and written as JSON lines besides."""
    bench.title("events: the log of system calls, on")
    count = bench.count(3_000)
    found = programs.syscalls(count)
    silent = bench.time(found)
    with open("/dev/null", "wb") as nowhere:  # noqa: PTH123 - a device, unbuffered paths do not matter
        for name, options in (("in memory", {}), ("as JSON lines to /dev/null", {"log_writer": nowhere.write})):
            logged = 2 * count  # sys_enter, sys_exit
            total = bench.time(found, events=("syscall",), **options)
            bench.row(f"event ({name}), with the call it tells of", total / logged)
            bench.row(f"event ({name}), by itself", max(1.0, total - silent) / logged)


SECTIONS = (the_parts, ops, system_calls, schedules, forks, growth, events)


def main(arguments: list[str]) -> int:
    """All of it."""
    bench = Bench(quick="--quick" in arguments)
    print(f"a bare coroutine send takes {bench.parts.send:.0f} ns here; `sends` are multiples of it, best of {bench.repeats}")
    for section in SECTIONS:
        section(bench)
    if "--profile" in arguments:
        profile("ops", programs.loads(bench.count(60_000)))
        profile("system calls", programs.syscalls(bench.count(6_000)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
