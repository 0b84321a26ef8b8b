"""Runs the cases of one file of tests/syscalls/cases on the host's kernel: `python -m tests.support.host_runner FILE` prints a JSON object.

Each case is a process of its own, made by fork, so that signals, exits and descriptors of one are no other's business. It starts as a
program starts on our machine: a process group of its own, in an empty directory of a tmpfs, descriptors 0 to 2 open, umask 022, root,
every signal at its default and none blocked, the limits that our machine gives. What the case returns goes home as text.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from tests.support import host_libc
from tests.support.host_calls import drive

REPORT_FD = 900  # far above what a case opens
TIME_LIMIT_S = 10.0
LIMITS = {"CORE": (0, -1), "NOFILE": (1024, 4096), "STACK": (8 << 20, -1), "FSIZE": (-1, -1), "DATA": (-1, -1), "AS": (-1, -1)}


def start_like_a_program(folder: str) -> None:
    """What every case finds."""
    os.setpgid(0, 0)
    os.chdir(folder)
    os.umask(0o022)
    os.setgroups(())
    for signo in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(signo, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.closerange(3, REPORT_FD)
    for name, limits in LIMITS.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), limits)


def run_case(case: Any, folder: str, report: int) -> None:
    """In the child."""
    os.dup2(report, REPORT_FD, inheritable=False)
    start_like_a_program(folder)
    try:
        text = repr(drive(case()))
    except BaseException:
        text = traceback.format_exc()
    os.write(REPORT_FD, text.encode())
    os._exit(0)


def observe(case: Any, folder: str) -> str:
    """What the case returned, as text; what became of it if it returned nothing."""
    reader, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        run_case(case, folder, report)
    os.close(report)
    deadline = time.monotonic() + TIME_LIMIT_S
    ended = status = 0
    while not ended and time.monotonic() < deadline:
        time.sleep(0.001)
        ended, status = os.waitpid(pid, os.WNOHANG)
    for target in (os.killpg, os.kill):  # its children, and itself where it hangs or left its group
        try:
            target(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    if not ended:
        os.waitpid(pid, 0)
    os.set_blocking(reader, False)
    text = os.read(reader, 1 << 16) if ended else b"it did not end"
    os.close(reader)
    return text.decode() or f"it ended with status {status:#x}"


def main() -> None:
    """All cases of a file."""
    os.setsid()
    sys.dont_write_bytecode = True
    file = Path(sys.argv[1])
    sys.modules["userspace.libc"] = host_libc
    sys.path.insert(0, str(file.parent))
    names: dict[str, Any] = {"__name__": file.stem}
    exec(compile(file.read_text(), str(file), "exec"), names)  # the case's own source, as it stands
    seen = {}
    base = tempfile.mkdtemp(prefix="trapline-cases-", dir="/dev/shm")
    try:
        os.chmod(base, 0o755)
        for name in sys.argv[2:]:
            folder = f"{base}/{name}"
            os.mkdir(folder, 0o755)
            seen[name] = observe(names[name], folder)
    finally:
        shutil.rmtree(base)
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
