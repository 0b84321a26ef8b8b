"""/proc as programs and ps(1) see it."""

from __future__ import annotations

from typing import Any

import pytest

from actors.messages import files, memory, processes, scheduler
from actors.messages.base import Caller
from kernel.abi.errno_values import EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, EROFS, ESRCH
from kernel.abi.errnos import Failure
from kernel.abi.flags import (
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    R_OK,
    W_OK,
    X_OK,
)
from kernel.memory.areas import AreaStatistics
from kernel.memory.frames import FrameStatistics
from kernel.processes.credentials import Credentials
from tests.support.processes_actor import THREAD, LoneProcesses


def name(actor: LoneProcesses, request: Any, text: str) -> Any:
    """What comes back, or what was forwarded to files."""
    actor.done.clear()
    reply = actor.request(processes.ProcOpen(request, tuple(part for part in text.split("/") if part)))
    return reply if not actor.done or type(actor.done[-1]) not in (files.InstallProc, type(request)) else actor.done[-1]


def opened(actor: LoneProcesses, caller: Caller, text: str, flags: int = O_RDONLY) -> Any:
    return name(actor, files.OpenAt(caller, 1, AT_FDCWD, b"/proc/" + text.encode(), flags, 0), text)


def content(actor: LoneProcesses, text: str) -> bytes:
    request = files.Read(Caller(100, 100, 0, 0, 0, (0,)), 1, 3, 4096)
    actor.request(processes.ProcRead(request, 9, tuple(text.split("/"))))
    served = actor.done[-1]
    assert (type(served), served.description) == (files.ServeContent, 9)
    return served.content


def entries(actor: LoneProcesses, text: str) -> list[tuple[bytes, int]]:
    request = files.Getdents(Caller(100, 100, 0, 0, 0, (0,)), 1, 3, 100)
    actor.request(processes.ProcRead(request, 9, tuple(part for part in text.split("/") if part)))
    return [(entry[2], entry[1]) for entry in actor.done[-1].entries]


def test_self_is_the_caller_from_then_on() -> None:
    actor = LoneProcesses()
    first = actor.start()
    assert opened(actor, first, "self/stat").parts == ("100", "stat")
    thread = actor.fork(first, THREAD)
    assert opened(actor, thread, "thread-self/comm").parts == ("100", "task", "101", "comm")
    assert opened(actor, first, "self").directory


@pytest.mark.parametrize(("text", "flags", "errno"), [
    ("nothing", O_RDONLY, ENOENT), ("999", O_RDONLY, ENOENT), ("0100", O_RDONLY, ENOENT), ("self/stat/x", O_RDONLY, ENOTDIR),
    ("self/stat", O_WRONLY, EACCES), ("self", O_RDWR, EISDIR), ("self/stat", O_DIRECTORY, ENOTDIR), ("self/exe", O_NOFOLLOW, ELOOP),
    ("uptime", O_CREAT | O_EXCL, EEXIST), ("self/task/999", O_RDONLY, ENOENT), ("self/fd/9", O_RDONLY, ENOENT),
    ("self/fd/3", O_RDONLY, ENOENT),
    ("3/exe", O_RDONLY, ENOENT),
])
def test_opening_refuses(text: str, flags: int, errno: int) -> None:
    actor = LoneProcesses()
    assert opened(actor, actor.start(), text, flags) == Failure(errno)


def test_magic_links_lead_back_to_files() -> None:
    actor = LoneProcesses()
    first = actor.start()
    assert opened(actor, first, "self/cwd/data.txt").path == b"/home/user/data.txt"
    assert opened(actor, first, "self/exe").path == b"/home/user/lock"
    assert opened(actor, first, "100/fd/0").path == b"/dev/console"
    assert name(actor, files.Chdir(first, 1, b"/proc/self/cwd"), "self/cwd").path == b"/home/user"


def test_links_can_be_read() -> None:
    actor = LoneProcesses()
    first = actor.start()
    shown = {text: name(actor, files.Readlink(first, 1, b""), text) for text in ("self", "thread-self", "100/cwd", "100/exe", "self/fd/3")}
    assert shown == {
        "self": b"100", "thread-self": b"100/task/100", "100/cwd": b"/home/user", "100/exe": b"/home/user/lock", "self/fd/3": b"pipe:[7]",
    }
    assert name(actor, files.Readlink(first, 1, b""), "self/stat") == Failure(EINVAL)


def test_stat_shows_types_modes_and_owner() -> None:
    actor = LoneProcesses()
    first = actor.start()
    actor.state.processes[100].credentials = Credentials(5, 5, 5, 6, 6, 6)
    request = files.Newfstatat(first, 1, AT_FDCWD, b"", AT_SYMLINK_NOFOLLOW)
    modes = {text: name(actor, request, text) for text in ("self", "100", "100/stat", "100/fd")}
    assert {text: oct(found.st_mode) for text, found in modes.items()} == {
        "self": "0o120777", "100": "0o40555", "100/stat": "0o100444", "100/fd": "0o40500",
    }
    assert (modes["100"].st_uid, modes["100"].st_gid) == (5, 6)
    assert len({found.st_ino for found in modes.values()}) == 4


def test_access_chdir_and_changes() -> None:
    actor = LoneProcesses()
    first = actor.start()
    assert name(actor, files.Access(first, 1, b"", R_OK), "100/stat") is None
    assert name(actor, files.Access(first, 1, b"", W_OK), "100/stat") == Failure(EACCES)
    assert name(actor, files.Access(first, 1, b"", X_OK), "100") is None
    name(actor, files.Chdir(first, 1, b""), "self")
    assert actor.done[-1] == files.EnterProc(first, ("100",))
    assert name(actor, files.Chdir(first, 1, b""), "uptime") == Failure(ENOTDIR)
    assert name(actor, files.Truncate(first, 1, b"", 0), "uptime") == Failure(EROFS)


def test_a_strangers_descriptors_are_hidden() -> None:
    actor = LoneProcesses()
    first = actor.start()
    child = actor.fork(first)
    actor.state.processes[100].credentials = Credentials(5, 5, 5, 5, 5, 5)
    for text in (f"{child.pid}/fd", f"{child.pid}/exe", f"{child.pid}/maps", f"{child.pid}/fd/0"):
        assert opened(actor, first, text) == Failure(EACCES)
    assert opened(actor, first, f"{child.pid}/stat").parts == ("101", "stat")


def test_directories_list_what_can_be_opened() -> None:
    actor = LoneProcesses()
    first = actor.start()
    actor.fork(first, THREAD)
    top = entries(actor, "")
    assert top[:2] == [(b".", 4), (b"..", 4)]
    assert {(b"self", 10), (b"uptime", 8), (b"1", 4), (b"100", 4)} <= set(top)
    assert (b"101", 4) not in top, "threads are not listed, although they can be opened"
    assert [item[0] for item in entries(actor, "100/task")[2:]] == [b"100", b"101"]
    assert entries(actor, "100/fd")[2:] == [(b"0", 10), (b"3", 10)]
    for listed, kind in entries(actor, "100")[2:]:
        if kind == 8:
            assert opened(actor, first, f"100/{listed.decode()}").parts == ("100", listed.decode())


def test_stat_has_fifty_two_fields_that_ps_can_read() -> None:
    actor = LoneProcesses()
    first = actor.start()
    child = actor.fork(first)
    actor.state.threads[child.tid].comm = "a (b) c"
    line = content(actor, "101/stat").decode()
    head, tail = line[: line.rindex(")") + 1], line[line.rindex(")") + 2 :].split()
    assert head == "101 (a (b) c)"
    fields = dict(enumerate(tail, start=3))
    assert len(tail) == 50
    assert (fields[3], fields[4], fields[5], fields[6]) == ("S", "100", "100", "1")
    assert (fields[14], fields[18], fields[19], fields[20]) == ("3", "20", "0", "1")
    assert (fields[23], fields[24], fields[32], fields[38], fields[39]) == ("40960", "3", "512", "17", "1")


def test_zombies_and_kernel_threads_have_stat_lines_too() -> None:
    actor = LoneProcesses()
    first = actor.start()
    actor.end(actor.fork(first), 2)
    zombie = content(actor, "101/stat").split()
    assert (zombie[1], zombie[2], zombie[-1]) == (b"(lock)", b"Z", b"512")
    assert content(actor, "101/cmdline") == b""
    assert content(actor, "4/stat").startswith(b"4 (memory) S 2 0 0 ")
    assert len(content(actor, "4/stat").split()) == 52
    assert b"State:\tZ (zombie)\n" in content(actor, "101/status")


def test_status_maps_cmdline_and_comm() -> None:
    actor = LoneProcesses()
    actor.start()
    actor.answers[memory.Maps] = lambda _: (
        AreaStatistics(0x400000, 0x402000, 5, False, 0x1000, 7, "/home/user/lock", 1), AreaStatistics(0x7000, 0x8000, 3, True, 0, 0, "", 0),
    )
    status = content(actor, "100/status").decode()
    assert "Name:\tlock\n" in status
    assert "SigBlk:\t0000000000000200\n" in status
    assert "Cpus_allowed_list:\t0-3\n" in status
    maps = content(actor, "100/maps").decode().splitlines()
    assert maps[0] == "00400000-00402000 r-xp 00001000 00:01 7".ljust(73) + "/home/user/lock"
    assert maps[1].startswith("00007000-00008000 rw-s 00000000 00:00 0")
    assert content(actor, "100/cmdline") == b"lock\0-v\0"
    assert content(actor, "100/task/100/comm") == b"lock\n"


def test_the_machines_files() -> None:
    actor = LoneProcesses()
    actor.start()
    actor.answers[scheduler.SchedulerSnapshot] = lambda _: (actor.answers[scheduler.ThreadStatistics](scheduler.ThreadStatistics(100)),)
    actor.answers[memory.MemoryStatistics] = lambda _: FrameStatistics(16384, 100, 16284, 50)
    actor.clock = 3_210_000_000
    assert content(actor, "uptime") == b"3.21 12.81\n"
    assert b"MemTotal:          65536 kB\n" in content(actor, "meminfo")
    assert content(actor, "cpuinfo").count(b"processor\t:") == 4
    assert content(actor, "version").startswith(b"Linux version ")
    assert content(actor, "stat").startswith(b"cpu  3 0 0 1281 ")


def test_reading_a_process_that_is_gone_is_esrch() -> None:
    actor = LoneProcesses()
    first = actor.start()
    request = files.Read(first, 1, 3, 100)
    assert actor.request(processes.ProcRead(request, 9, ("777", "stat"))) == Failure(ESRCH)
