"""The command line as a user meets it: exit statuses, one line for each mistake, documents, logs, replay, hang and ^C."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAR = "from userspace.libc import *\n"
PROGRAMS = {
    "good": "async def main(argv):\n    await printf('%s has %d\\n', argv[0], len(argv))\n",
    "status": "async def main(argv):\n    return int(argv[1])\n",
    "fails": "async def helper(n):\n    assert n > 3, 'too small'\n\nasync def main(argv):\n    await helper(len(argv))\n",
    "raises": "async def main():\n    await printf('before\\n')\n    raise KeyError('x')\n",
    "dies": "async def main():\n    await kill(await getpid(), SIGKILL)\n    await pause()\n",
    "stuck": "m = Global(pthread_mutex_t)\nasync def main():\n    await pthread_mutex_lock(m)\n    await pthread_mutex_lock(m)\n",
    "hangs": "async def main():\n    await printf('before\\n')\n    n = 0\n    while True:\n        n += 1\n",
    "spins": "x = Global(i32)\nasync def main():\n    while True:\n        await x.fetch_add(1)\n",
    "echoes": "async def main():\n    await write(1, await read(0, 100))\n",
    "bytes": "async def main():\n    await write(1, b'a\\xff')\n    await write(2, b'err')\n",
    "refused": "import os\nasync def main():\n    fork()\n",
    "impure": "async def main():\n    thing = id(object())\n    other = [object()] * 3\n    if await fork():\n        await wait()\n",
    "hungry": "async def main():\n    data = b'x' * (1 << 44)\n",
    "execs": "async def main():\n    await execv('./refused', ['refused'])\n",
    "nothing": "x = 1\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("programs")
    for name, text in PROGRAMS.items():
        (path / f"{name}.py").write_text(STAR + text)
    (path / "short.toml").write_text('extends = "dual"\n[run]\nhost_step_limit_s = 1\n')
    return path


def command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "trapline", *words]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def trapline(folder: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*words), cwd=folder, env=environment(), input=stdin, capture_output=True, timeout=60, check=False)


# ---- exit statuses --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("good.py",), 0),
        (("status.py", "0"), 0),
        (("status.py", "3"), 1),
        (("status.py", "3", "--exit-status"), 3),
        (("dies.py",), 1),
        (("dies.py", "--exit-status"), 137),
        (("fails.py",), 1),
        (("raises.py", "--exit-status"), 134),
        (("stuck.py",), 1),
        (("refused.py",), 2),
        (("nothing.py",), 2),
        (("nowhere.py",), 2),
        (("nowhere",), 2),
        (("good.py", "--config", "nowhere"), 2),
        (("good.py", "--events", "nonsense"), 2),
        (("good.py", "--stdin", "nowhere"), 2),
        (("good.py", "--log", "no/where"), 2),
        (("good.py", "--schedule", "no/where"), 2),
        (("good.py", "--strategy", "luck"), 2),
        (("hungry.py",), 3),
        (("spins.py", "--max-time", "1000000"), 4),
        (("good.py", "--max-steps", "5"), 4),
    ],
)
def test_the_exit_status_says_what_became_of_the_run(folder, words, status):
    ran = trapline(folder, "run", *words, *(() if "--seed" in words else ("--seed", "7")))
    assert ran.returncode == status, ran.stderr.decode()
    assert b"trapline/" not in ran.stderr  # no traceback of ours


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("run", "nowhere.py"), "trapline: nowhere.py: No such file or directory"),
        (("run", "lokc"), "trapline: lokc: no such program in /bin: did you mean lock?"),
        (("run", "good"), "trapline: good: no such program in /bin: write good.py for the file in this folder"),
        (("run", "nothing.py"), "trapline: nothing.py: has no main: add `async def main(argv)`"),
        (("run", "./nothing.py"), "trapline: ./nothing.py: has no main: add `async def main(argv)`"),
        (("replay", "good.py"), "trapline: good.py: line 1: not a schedule file: "),
        (("log", "nowhere.jsonl"), "trapline: nowhere.jsonl: No such file or directory"),
        (("log", "good.py"), "trapline: good.py: line 1: not an event log: "),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(folder, words, line):
    ran = trapline(folder, *words, *(("--seed", "1") if words[0] == "run" else ()))
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith(line)
    assert ran.stderr.count(b"\n") == 1


def test_all_problems_of_a_program_are_told_with_lines(folder):
    lines = trapline(folder, "run", "refused.py", "--seed", "1").stderr.decode().splitlines()
    assert lines[0].startswith("trapline: refused.py:2: import of os is not possible")
    assert lines[1].startswith("refused.py:4: fork() is not awaited")


# ---- what is where ----------------------------------------------------------------------------------------------------------------


def test_the_programs_output_is_on_stdout_and_ours_on_stderr(folder):
    ran = trapline(folder, "run", "good.py", "a", "b", "--seed", "1")
    assert (ran.stdout, ran.stderr) == (b"good has 3\n", b"")


def test_arguments_with_dashes_follow_two_dashes(folder):
    assert trapline(folder, "run", "good.py", "--seed", "1", "--", "--config", "-x").stdout == b"good has 3\n"


def test_without_a_seed_a_fresh_one_is_drawn_and_told(folder):
    told = [trapline(folder, "run", "good.py").stderr.decode() for _ in range(2)]
    assert all(text.startswith("seed ") and text.split()[1].isdecimal() for text in told)
    assert told[0] != told[1]


def test_stdin_comes_from_a_file_or_from_ours(folder):
    (folder / "input").write_bytes(b"from a file")
    assert trapline(folder, "run", "echoes.py", "--seed", "1", "--stdin", "input").stdout == b"from a file"
    assert trapline(folder, "run", "echoes.py", "--seed", "1", "--stdin", "-", stdin=b"from ours").stdout == b"from ours"
    assert trapline(folder, "run", "echoes.py", "--seed", "1", stdin=b"not asked for").stdout == b""


def test_a_failure_says_what_where_and_how_to_have_it_again(folder):
    ran = trapline(folder, "run", "fails.py", "--config", "dual", "--seed", "7", "x y")
    lines = ran.stderr.decode().splitlines()
    assert "trapline: assertion: [100] fails: uncaught AssertionError: too small" in lines
    assert "    at fails.py:3 (pid 100, tid 100)" in lines
    assert lines[-1] == "to run it again: trapline run fails.py --config dual --seed 7 'x y'"


def test_the_command_of_a_failure_gives_the_same_log(folder):
    first = trapline(folder, "run", "fails.py", "--config", "skewed", "--seed", "11", "--log", "one.jsonl")
    again = shlex.split(first.stderr.decode().splitlines()[-1].removeprefix("to run it again: trapline "))
    trapline(folder, *again, "--log", "two.jsonl")
    assert (folder / "one.jsonl").read_bytes() == (folder / "two.jsonl").read_bytes()


def test_a_deadlock_says_who_waits_for_whom(folder):
    text = trapline(folder, "run", "stuck.py", "--seed", "1").stderr.decode()
    assert "deadlock: 1 thread waits for ever" in text
    assert "stuck.py:5" in text
    assert "[100] holds" in text


def test_a_fork_of_a_program_that_is_not_pure_names_function_line_and_variable(folder):
    text = trapline(folder, "run", "impure.py", "--seed", "1").stderr.decode()
    assert "nondeterminism: " in text
    assert "impure.py:5 in main: the local variable thing is" in text


def test_a_refused_program_that_is_executed_is_told_and_enoexec(folder):
    ran = trapline(folder, "run", "execs.py", "--seed", "1")
    assert b"refused.py:2: import of os" in ran.stderr
    assert b"Exec format error" in ran.stderr


# ---- documents ----------------------------------------------------------------------------------------------------------------------


def test_the_document_has_the_documented_fields(folder):
    document = json.loads(trapline(folder, "run", "fails.py", "--seed", "7", "--json").stdout)
    assert list(document) == [
        "schema",
        "program",
        "config",
        "strategy",
        "seed",
        "verdict",
        "status",
        "stdout",
        "stderr",
        "time_ns",
        "failures",
    ]
    assert (document["program"], document["config"], document["strategy"], document["seed"]) == ("fails.py", "quad", "timed", 7)
    assert (document["verdict"], document["status"]) == ("failed", 134)
    (failure,) = document["failures"]
    assert set(failure) == {"kind", "message", "schedule_number", "schedule", "reproduce", "where"}
    assert failure["where"] == [{"file": "fails.py", "line": 3, "pid": 100, "tid": 100}]
    assert "too small" in document["stderr"]


def test_output_in_the_document_is_text_with_bad_bytes_escaped(folder):
    ran = trapline(folder, "run", "bytes.py", "--seed", "7", "--json")
    document = json.loads(ran.stdout)
    assert (document["stdout"], document["stderr"], ran.stderr) == ("a\\xff", "err", b"")


def test_a_saved_schedule_is_named_in_the_document_and_replays_to_the_same_log(folder):
    words = (
        "run",
        "good.py",
        "--seed",
        "3",
        "--strategy",
        "random",
        "--granularity",
        "messages",
        "--schedule",
        "saved",
        "--log",
        "a.jsonl",
        "--json",
    )
    document = json.loads(trapline(folder, *words).stdout)
    assert document["schedule"] == "saved"
    replayed = trapline(folder, "replay", "saved", "--log", "b.jsonl")
    assert (replayed.returncode, replayed.stdout) == (0, b"good has 1\n")
    assert (folder / "a.jsonl").read_bytes() == (folder / "b.jsonl").read_bytes()


def test_replay_refuses_a_program_that_has_changed(tmp_path):
    program = tmp_path / "p.py"
    program.write_text(STAR + "async def main(): pass\n")
    trapline(tmp_path, "run", "p.py", "--seed", "1", "--schedule", "saved")
    program.write_text(STAR + "async def main(): pass  # changed\n")
    ran = trapline(tmp_path, "replay", "saved")
    assert ran.returncode == 2
    assert b"has changed since this schedule was recorded" in ran.stderr


# ---- the supervisor --------------------------------------------------------------------------------------------------------------------


def test_a_loop_without_ops_is_a_hang_with_file_and_line(folder):
    ran = trapline(folder, "run", "hangs.py", "--config", "short.toml", "--seed", "1", "--json")
    document = json.loads(ran.stdout)
    (failure,) = document["failures"]
    assert ran.returncode == 1
    assert (document["verdict"], document["stdout"], failure["kind"]) == ("failed", "before\n", "hang")
    assert failure["where"][0]["file"] == "hangs.py"
    assert failure["where"][0]["line"] in (6, 7)


def test_a_loop_with_ops_is_no_hang(folder):
    ran = trapline(folder, "run", "spins.py", "--config", "short.toml", "--seed", "1", "--max-time", "2500000")
    assert ran.returncode == 4


@pytest.mark.parametrize("driver", ["inline", "tasks"])
def test_the_first_interrupt_ends_the_run_with_its_log_complete(folder, driver):
    words = command("run", "spins.py", "--seed", "1", "--driver", driver, "--log", f"{driver}.jsonl")
    child = subprocess.Popen(words, cwd=folder, env=environment(), stderr=subprocess.PIPE)
    log = folder / f"{driver}.jsonl"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (log.exists() and log.stat().st_size):
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=20)
    assert child.returncode == 130, told
    assert json.loads(log.read_bytes().splitlines()[-1])["event"] == "run_end"


# ---- the other commands ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lock_log(folder: Path) -> str:
    trapline(folder, "run", "lock", "--seed", "7", "--log", "lock.jsonl")
    return "lock.jsonl"


def test_a_word_that_is_no_subcommand_is_a_log_to_show(folder, lock_log):
    assert trapline(folder, "log", lock_log).stdout == trapline(folder, "log", "show", lock_log).stdout != b""


def test_log_filters_and_limits(folder, lock_log):
    lines = trapline(folder, "log", lock_log, "--event", "sys_enter", "--tid", "101", "--limit", "3").stdout.decode().splitlines()
    assert len(lines) == 3
    assert all("lock/101" in line and "sys_enter" in line for line in lines)


def test_log_lanes_and_why(folder, lock_log):
    assert trapline(folder, "log", "lanes", lock_log, "--by", "thread", "--limit", "5").stdout.decode().split()[:3] == [
        "time",
        "lock/100",
        "lock/101",
    ]
    assert trapline(folder, "log", "lanes", lock_log).stdout.decode().split()[:2] == ["time", "cpu0"]
    assert b"waited for futex" in trapline(folder, "log", "why", lock_log, "101").stdout


def test_a_truncated_log_is_shown_and_its_damage_told_by_line(folder, lock_log):
    whole = (folder / lock_log).read_bytes()
    (folder / "cut.jsonl").write_bytes(whole[:2000])
    ran = trapline(folder, "log", "cut.jsonl")
    number = whole[:2000].count(b"\n") + 1
    assert ran.returncode == 2
    assert ran.stderr.decode() == f"trapline: cut.jsonl: line {number}: cut short\n"
    assert len(ran.stdout.splitlines()) == number - 1


def test_an_unknown_event_name_is_told(folder, lock_log):
    ran = trapline(folder, "log", lock_log, "--event", "sched_swich")
    assert ran.returncode == 2
    assert b"--event: unknown name sched_swich: expected some of" in ran.stderr


def test_syscalls_prints_every_row(folder):
    lines = trapline(folder, "syscalls").stdout.decode().splitlines()
    assert lines[0].split()[:3] == ["nr", "name", "owner"]
    assert any(line.split()[:3] == ["202", "futex", "memory"] for line in lines)


def test_configs_prints_every_machine(folder):
    assert [line.split()[0] for line in trapline(folder, "configs").stdout.decode().splitlines()] == [
        "uni", "dual", "tiny", "checked", "quad", "quiet", "skewed", "many",
    ]  # fmt: skip


def test_help_and_version(folder):
    assert b"Run a program on a machine" in trapline(folder, "--help").stdout
    assert trapline(folder, "--version").stdout.startswith(b"trapline 0.")
    assert b"show" in trapline(folder, "log", "--help").stdout
