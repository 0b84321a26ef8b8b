"""Runs that must be equal, and the first place at which two of them are not.

A triple is a program, a config and a seed (with the strategy under which it is run). One process per PYTHONHASHSEED runs triples in all
four ways (WAYS), hashes each log and keeps it on disk, so that two that differ can be compared line by line:

    python -m tests.determinism.comparing FOLDER COUNT      what a child does; `hashes` starts it
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actors.choices import Choice
from kernel.config import EVENT_CATEGORIES
from tests.lecture import checks
from tests.support.machines import program
from tests.sweeps.claims import DRIVERS, drive
from trapline import __version__, config, reproduce
from trapline.machine import Machine, Run
from trapline.programs import Found

ROOT = Path(__file__).parents[2]
WAYS = (*DRIVERS, "replayed")
HASH_SEEDS = ("0", "1", "4711")

# Threads and processes that end, stop, execute and are signalled while others do the same.
TURMOIL = """
async def sleeper(arg):
    while True:
        await pause()

async def spinner(arg):
    while True:
        await compute(1000)

async def execer(arg):
    await execv("/bin/true", ["true"])

async def main():
    pid = await fork()
    if pid == 0:
        await pthread_create(sleeper)
        await pthread_create(spinner)
        await pthread_create(execer)
        await sleeper(None)
    _, status = await waitpid(pid, 0)
    await printf("exec: %d\\n", status)
    pid = await fork()
    if pid == 0:
        await pthread_create(spinner)
        await sleeper(None)
    for _ in range(2):
        await kill(pid, SIGSTOP)
        await waitpid(pid, WUNTRACED)
        await kill(pid, SIGCONT)
        await waitpid(pid, WCONTINUED)
    await kill(pid, SIGKILL)
    _, status = await waitpid(pid, 0)
    await printf("killed: %d\\n", status)
    r, w = await pipe()
    for number in range(3):
        if await fork() == 0:
            await write(w, bytes([65 + number]))
            await _exit(0)
    await close(w)
    while text := await read(r, 8):
        await printf("%s\\n", text.decode())
    while True:
        try:
            await wait()
        except ChildProcessError:
            break
"""


class Triple(NamedTuple):
    """What fixes a run."""

    program: str
    config: str
    seed: int
    strategy: str = "timed"
    granularity: str = "ops"


OPS, MESSAGES = ("random", "ops"), ("random", "messages")
TRIPLES = (
    Triple("turmoil", "quad", 1),
    Triple("lock_nolock", "quad", 2, *OPS),
    Triple("fifo", "skewed", 3, *MESSAGES),
    Triple("signal", "dual", 4),
    Triple("thread", "many", 5),
    Triple("turmoil", "skewed", 6, *MESSAGES),
    Triple("turmoil", "uni", 7, *OPS),
    Triple("forkexec", "quad", 8),
    Triple("lock", "uni", 9),
    Triple("lock", "skewed", 10),
    Triple("thread_nolock", "quad", 11),
    Triple("fork", "many", 12),
    Triple("signal", "quad", 13, *OPS),
    Triple("signal", "skewed", 14, *MESSAGES),
    Triple("thread_nolock", "dual", 15, *MESSAGES),
    Triple("forkexec", "skewed", 16, *OPS),
    Triple("fifo", "uni", 17),
    Triple("turmoil", "many", 18),
    Triple("lock", "tiny", 19),
    Triple("thread", "checked", 20, *OPS),
)


def found_of(name: str) -> Found:
    """The program of a triple."""
    return program(TURMOIL, "turmoil") if name == "turmoil" else checks.lecture_program(name)


def machine_of(triple: Triple, choices: Sequence[Choice] | None = None) -> Machine:
    """A machine that logs everything there is."""
    return Machine(
        triple.config, seed=triple.seed, strategy=triple.strategy, granularity=triple.granularity, events=EVENT_CATEGORIES, choices=choices
    )


def log_of(run: Run) -> bytes:
    """The log as `--log` writes it."""
    encode = msgspec.json.Encoder().encode
    return b"".join(encode(event) + b"\n" for event in run.log)


def replay(triple: Triple, found: Found, original: Run, path: Path) -> Run:
    """The run again, from its schedule file."""
    header = reproduce.Header(
        format=reproduce.FORMAT, schema=reproduce.SCHEMA, version=__version__, program=triple.program,
        program_hash=found.library.program_hash(), argv=(), stdin=b"", config=config.load(triple.config), strategy=triple.strategy,
        granularity=triple.granularity, seed=triple.seed, max_time_ns=None, max_steps=None, choices=len(original.choices),
    )  # fmt: skip
    reproduce.save(str(path), reproduce.Schedule(header, tuple(original.choices)))
    return machine_of(triple, reproduce.load(str(path)).choices).run(found)


def run_every_way(triple: Triple, folder: Path, number: int) -> dict[str, str]:
    """Hash of the log by way; the logs themselves are left in `folder`."""
    found = found_of(triple.program)
    hashes = {}
    original: Run | None = None
    for index, way in enumerate(WAYS):
        if way == "replayed":
            assert original is not None, "something is replayed that was not run"
            run = replay(triple, found, original, folder / f"{number}.schedule")
        else:
            run = drive(machine_of(triple), found, way)
            original = original or run
        assert not run.panic, run.panic
        log = log_of(run)
        (folder / f"{number}-{index}.jsonl").write_bytes(log)
        hashes[way] = hashlib.sha256(log).hexdigest()
    return hashes


def hashes(folder: Path, count: int, hash_seed: str) -> list[dict[str, str]]:
    """What the first `count` triples give in a process of its own under this PYTHONHASHSEED."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.determinism.comparing", str(folder), str(count)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def first_difference(one: Sequence[Any], other: Sequence[Any]) -> str:
    """The first position at which two sequences differ, with both items; "" if they are equal."""
    for position, (mine, theirs) in enumerate(zip_longest(one, other, fillvalue="(the end)")):
        if mine != theirs:
            return f"they differ first at {position}:\n  {mine}\n  {theirs}"
    return ""


def same_everywhere(folder: Path, count: int, hash_seeds: Sequence[str] = HASH_SEEDS) -> int:
    """Assert that the logs of the first `count` triples are equal, byte for byte, in all ways; the number of runs."""
    found = {seed: hashes(folder / f"hashseed-{seed}", count, seed) for seed in hash_seeds}
    for number in range(count):
        expected = found[hash_seeds[0]][number][WAYS[0]]
        for seed in hash_seeds:
            for index, way in enumerate(WAYS):
                if found[seed][number][way] != expected:
                    one = (folder / f"hashseed-{hash_seeds[0]}" / f"{number}-0.jsonl").read_text().splitlines()
                    other = (folder / f"hashseed-{seed}" / f"{number}-{index}.jsonl").read_text().splitlines()
                    which = f"{TRIPLES[number]}: {WAYS[0]} under PYTHONHASHSEED={hash_seeds[0]} and {way} under {seed}"
                    raise AssertionError(f"{which}: {first_difference(one, other)}")
    return count * len(hash_seeds) * len(WAYS)


if __name__ == "__main__":
    into = Path(sys.argv[1])
    print(json.dumps([run_every_way(triple, into, number) for number, triple in enumerate(TRIPLES[: int(sys.argv[2])])]))
