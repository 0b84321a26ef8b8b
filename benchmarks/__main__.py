"""`make bench`: every figure, its ratio to a bare coroutine send in the same run, and what is wanted of it.

Machines are noisy: read the ratios. Each figure is the best of some repetitions. `--quick` runs tiny sizes, to see that all of it works.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks import parts, programs
from trapline.config import load
from trapline.machine import Machine, Run
from trapline.programs import Found

REFERENCE_SEND_NS = 41  # of the machine on which the wanted figures were set
WANTED_SCHEDULES = 3000  # a second, on that machine
FLAT = 1.5  # growth that still counts as flat


class Bench:
    """One run of all benchmarks."""

    def __init__(self, scale: float) -> None:
        self.scale = scale  # 1 measures, 0.01 only tries
        self.send_ns = parts.bare_send(self.count(200_000))

    def count(self, wanted: int) -> int:
        """A size, scaled."""
        return max(2, int(wanted * self.scale))

    def row(self, name: str, per_unit_ns: float, unit: str, note: str = "") -> None:
        """Print one figure."""
        print(f"{name:<46} {1e9 / per_unit_ns:>12,.0f} {unit:<12} {per_unit_ns / self.send_ns:>8.1f} sends  {note}", flush=True)

    def best(self, run: Callable[[], Run], repeats: int = 3) -> float:
        """Nanoseconds of host time of the fastest of some runs; each must be ok."""
        best = float("inf")
        for _ in range(repeats if self.scale == 1 else 1):
            began = time.perf_counter_ns()
            result = run()
            best = min(best, time.perf_counter_ns() - began)
            assert result.verdict == "ok", (result.failures, result.panic)
        return best

    def machine(self, config: Any = "quiet", **options: Any) -> Machine:
        """A machine without log, unless asked for."""
        return Machine(config, **{"seed": 1, "events": (), **options})


def ops_and_calls(bench: Bench) -> None:
    """Ops, system calls, messages, and how they compare with the sum of their parts."""
    count = bench.count(60_000)
    op = bench.best(lambda: bench.machine().run(programs.loads(count))) / count
    op_sum = parts.coroutine_send() + parts.translate_and_load()
    bench.row("ops (loads, one thread, timed)", op, "ops/s", f"{op / op_sum:.1f} times the sum of its parts (wanted: at most 2)")
    searched = bench.best(lambda: bench.machine(strategy="random").run(programs.loads(count))) / count
    bench.row("ops (loads, one thread, random)", searched, "ops/s")
    count = bench.count(8_000)
    call_sum = op_sum + 2 * parts.message_hop()
    call = bench.best(lambda: bench.machine().run(programs.syscalls(count))) / count
    note = f"{call / call_sum:.1f} times the sum of its parts (wanted: at most 3)"
    bench.row("system calls (getppid, inline)", call, "syscalls/s", note)
    bench.row("messages (inline)", call / 2, "messages/s")
    for name, loop in _loops():
        ns = bench.best(lambda factory=loop: _on_loop(bench, factory, count)) / count  # type: ignore[misc]
        bench.row(f"system calls (tasks on {name})", ns, "syscalls/s", f"{ns / call:.2f} times inline")
        bench.row(f"messages (tasks on {name})", ns / 2, "messages/s")


def _loops() -> list[tuple[str, Any]]:
    try:
        import uvloop
    except ImportError:  # not available on this platform
        return [("asyncio", None)]
    return [("asyncio", None), ("uvloop", uvloop.new_event_loop)]


def _on_loop(bench: Bench, factory: Any, count: int) -> Run:
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(bench.machine(driver="tasks").run_async(programs.syscalls(count)))


def schedules(bench: Bench) -> None:
    """Boot, run and judge a small program, again and again."""
    number = bench.count(60)
    for name, locked in (("racy", False), ("under a mutex", True)):
        found = programs.racy(locked=locked)

        def all_seeds(found: Found = found) -> Run:
            results = [bench.machine(seed=seed, strategy="random").run(found) for seed in range(number)]
            return results[-1]

        ns = bench.best(all_seeds) / number
        reached = 1e9 / ns * bench.send_ns / REFERENCE_SEND_NS
        note = f"{reached:,.0f} where a send takes {REFERENCE_SEND_NS} ns (wanted: {WANTED_SCHEDULES:,})"
        bench.row(f"schedules (2 threads, 2 increments, {name})", ns, "schedules/s", note)


def fork_latency(bench: Bench) -> None:
    """Against resident pages and against the length of the record. The cost of the fork alone: with forks less without."""
    number = bench.count(20)
    config = load("quiet")
    config = msgspec.structs.replace(config, machine=msgspec.structs.replace(config.machine, memory_mib=256))

    def latency(pages: int, record: int) -> float:
        base = bench.best(lambda: bench.machine(config).run(programs.forks(pages, record, 0)))
        return max(1.0, bench.best(lambda: bench.machine(config).run(programs.forks(pages, record, number))) - base) / number

    sizes = (1, 10, 100, 1000, 10_000) if bench.scale == 1 else (1, 10)
    figures = [latency(pages, 0) for pages in sizes]
    for pages, ns in zip(sizes, figures, strict=True):
        bench.row(f"fork, exit, wait with {pages:,} resident pages", ns, "forks/s", f"{ns / figures[0]:.2f} times that with 1")
    for record in (100, 1000, 10_000) if bench.scale == 1 else (10,):
        bench.row(f"fork, exit, wait with {record:,} results on record", latency(1, record), "forks/s")


def growth(bench: Bench) -> None:
    """The cost of an op against cores and threads, where the work per op does not grow."""
    rounds = bench.count(20_000)
    config = load("quiet")

    def with_cores(cores: int) -> float:
        sized = msgspec.structs.replace(config, machine=msgspec.structs.replace(config.machine, cores=cores))
        run = bench.best(lambda: bench.machine(sized).run(programs.loads(rounds)))
        return run / rounds

    figures = {cores: with_cores(cores) for cores in ((1, 4, 16, 64) if bench.scale == 1 else (1, 4))}
    for cores, ns in figures.items():
        bench.row(f"op on {cores} cores", ns, "ops/s", f"{ns / figures[1]:.2f} times that on 1 (wanted: at most {FLAT})")
    first = 0.0
    for count in (2, 20, 200, 2000) if bench.scale == 1 else (2, 4):
        each = max(4, bench.count(8_000) // count)
        base = bench.best(lambda n=count: bench.machine(strategy="random").run(programs.threads(n, 1)), 1)  # type: ignore[misc]
        run = bench.best(lambda n=count, r=each: bench.machine(strategy="random").run(programs.threads(n, r + 1)), 1)  # type: ignore[misc]
        ns = max(1.0, run - base) / (count * each)
        first = first or ns
        bench.row(f"op among {count:,} threads (random)", ns, "ops/s", f"{ns / first:.2f} times that among 2 (wanted: at most {FLAT})")


def events(bench: Bench) -> None:
    """Events a second with the log on: kept in memory, and written as JSON lines."""
    count = bench.count(5_000)
    for name, options in (("in memory", {}), ("as JSON lines", {"log_writer": lambda line: None})):
        logged = 0

        def run(options: dict[str, Any] = options) -> Run:
            nonlocal logged
            result = bench.machine(events=("syscall", "sched", "process"), **options).run(programs.syscalls(count))
            logged = len(result.log)
            return result

        total = bench.best(run)
        bench.row(f"events ({name}, with the run that makes them)", total / logged, "events/s")


def main(arguments: list[str]) -> int:
    """All of it."""
    bench = Bench(0.01 if "--quick" in arguments else 1.0)
    print(f"a bare coroutine send takes {bench.send_ns:.0f} ns here")
    for section in (ops_and_calls, schedules, fork_latency, growth, events):
        section(bench)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
