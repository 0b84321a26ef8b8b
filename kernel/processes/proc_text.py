"""The text of /proc's files, from facts that the actor has gathered: pure formatting, so that ps(1)'s view can be tested by itself.

Fields, order and units are those of proc(5) on x86-64 (52 fields in stat, times in clock ticks of 10 ms). What this machine does not
have (swap, guest time, wait channels) is 0, as Linux shows it to readers without privilege.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from kernel.abi.flags import PROT_EXEC, PROT_READ, PROT_WRITE, RLIMIT_RSS, RLIMIT_SIGPENDING
from kernel.abi.layout import PAGE_SIZE, STACK_TOP, TEXT_BASE
from kernel.processes.process import Process, ProcessState, Usage
from kernel.processes.thread import Thread

TICK_NS: Final = 10_000_000  # sysconf(_SC_CLK_TCK) is 100
NS_PER_S: Final = 1_000_000_000
VERSION: Final = "Linux version 6.1.0-trapline (trapline@trapline) #1 SMP PREEMPT\n"
_STATE_WORDS: Final = {
    "R": "R (running)", "S": "S (sleeping)", "D": "D (disk sleep)", "T": "T (stopped)", "Z": "Z (zombie)", "I": "I (idle)",
}
_CONSOLE: Final = 5 << 8 | 1  # device number of /dev/console: tty_nr of everything in init's session
_PF_KTHREAD: Final = 0x0020_0000
_PF_FORKNOEXEC: Final = 0x0000_0040


class Area(Protocol):
    """A line of maps: memory's AreaStatistics."""

    start: int
    end: int
    prot: int
    shared: bool
    offset: int
    inode: int
    name: str


class Facts(msgspec.Struct, frozen=True):
    """What others know of a process or thread. The defaults are those of a kernel thread."""

    letter: str = "S"  # R S D T Z I
    usage: Usage = Usage()
    nice: int = 0
    cpu: int = 0
    virtual_bytes: int = 0
    resident_pages: int = 0
    pending: int = 0  # signal sets: of the thread,
    shared_pending: int = 0  # of the process
    blocked: int = 0
    ignored: int = 0
    caught: int = 0
    descriptors: int = 0  # open ones
    cores: int = 1  # that it may run on


def ticks(ns: int) -> int:
    """Clock ticks of 10 ms."""
    return ns // TICK_NS


def stat_line(process: Process, thread: Thread | None, tid: int, facts: Facts) -> str:
    """/proc/PID/stat: one line of 52 fields. A zombie has no thread any more."""
    comm = thread.comm if thread is not None else process.comm
    start_ns = thread.start_ns if thread is not None else process.start_ns
    waited = process.children_usage
    flags = _PF_KTHREAD if process.kernel else 0 if process.executed else _PF_FORKNOEXEC
    on_console = not process.kernel and process.sid == 1
    alive = process.space != 0 and process.state is not ProcessState.ZOMBIE
    text = (TEXT_BASE, TEXT_BASE + PAGE_SIZE, STACK_TOP) if alive else (0, 0, 0)
    fields: list[int] = [
        process.ppid, process.pgid, process.sid, _CONSOLE if on_console else 0, -1, flags,  # 4 to 9
        facts.usage.minflt, waited.minflt, facts.usage.majflt, waited.majflt,
        ticks(facts.usage.utime_ns), ticks(facts.usage.stime_ns), ticks(waited.utime_ns), ticks(waited.stime_ns),  # 14 to 17
        20 + facts.nice, facts.nice, len(process.threads) or 1, 0, ticks(start_ns),  # 18 to 22
        facts.virtual_bytes, facts.resident_pages, process.limits[RLIMIT_RSS][0], *text, 0, 0,  # 23 to 30
        facts.pending & 0x7FFF_FFFF, facts.blocked & 0x7FFF_FFFF, facts.ignored & 0x7FFF_FFFF, facts.caught & 0x7FFF_FFFF,  # 31 to 34
        0, 0, 0, process.exit_signal if tid == process.pid else -1, facts.cpu, 0, 0,  # 35 to 41
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, max(process.status, 0),  # 42 to 52
    ]
    return f"{tid} ({comm}) {facts.letter} " + " ".join(map(str, fields)) + "\n"


def status_text(process: Process, thread: Thread | None, tid: int, facts: Facts) -> str:
    """/proc/PID/status."""
    comm = thread.comm if thread is not None else process.comm
    who = process.credentials
    mask = (1 << facts.cores) - 1
    lines = [
        f"Name:\t{comm}", f"State:\t{_STATE_WORDS[facts.letter]}", f"Tgid:\t{process.pid}", "Ngid:\t0", f"Pid:\t{tid}",
        f"PPid:\t{process.ppid}", "TracerPid:\t0", f"Uid:\t{who.uid}\t{who.euid}\t{who.suid}\t{who.euid}",
        f"Gid:\t{who.gid}\t{who.egid}\t{who.sgid}\t{who.egid}",
        f"FDSize:\t{max(64, facts.descriptors)}", "Groups:\t ",
    ]
    if facts.virtual_bytes:
        lines += [f"VmSize:\t{facts.virtual_bytes // 1024:8} kB", f"VmRSS:\t{facts.resident_pages * PAGE_SIZE // 1024:8} kB"]
    lines += [
        f"Threads:\t{len(process.threads) or 1}", f"SigQ:\t0/{process.limits[RLIMIT_SIGPENDING][0]}",
        f"SigPnd:\t{facts.pending:016x}", f"ShdPnd:\t{facts.shared_pending:016x}", f"SigBlk:\t{facts.blocked:016x}",
        f"SigIgn:\t{facts.ignored:016x}", f"SigCgt:\t{facts.caught:016x}",
        f"Cpus_allowed:\t{mask:x}", f"Cpus_allowed_list:\t0-{facts.cores - 1}" if facts.cores > 1 else "Cpus_allowed_list:\t0",
        f"voluntary_ctxt_switches:\t{facts.usage.nvcsw}", f"nonvoluntary_ctxt_switches:\t{facts.usage.nivcsw}",
    ]
    return "\n".join(lines) + "\n"


def maps_text(areas: Sequence[Area]) -> str:
    """/proc/PID/maps: a line for each area, the name from column 74 on."""
    lines = []
    for area in areas:
        rights = "".join(letter if area.prot & bit else "-" for letter, bit in (("r", PROT_READ), ("w", PROT_WRITE), ("x", PROT_EXEC)))
        sharing = "s" if area.shared else "p"
        device = "00:01" if area.inode else "00:00"
        start = f"{area.start:08x}-{area.end:08x} {rights}{sharing} {area.offset:08x} {device} {area.inode}"
        lines.append(f"{start:<72} {area.name}" if area.name else f"{start} ")
    return "".join(line + "\n" for line in lines)


def cmdline(process: Process) -> bytes:
    """/proc/PID/cmdline: the arguments, each ended by NUL; empty for zombies and kernel threads."""
    if process.kernel or process.state is ProcessState.ZOMBIE:
        return b""
    return b"".join(argument + b"\0" for argument in process.argv)


def uptime_text(now_ns: int, idle_ns: int) -> str:
    """/proc/uptime: seconds since boot and idle seconds of all cores, with hundredths."""
    return f"{_hundredths(now_ns)} {_hundredths(idle_ns)}\n"


def _hundredths(ns: int) -> str:
    return f"{ns // NS_PER_S}.{ns % NS_PER_S // TICK_NS:02}"


def meminfo_text(total: int, free: int, cached: int) -> str:
    """/proc/meminfo, from counts of frames."""
    rows = (
        ("MemTotal", total), ("MemFree", free), ("MemAvailable", free + cached), ("Buffers", 0), ("Cached", cached),
        ("SwapTotal", 0), ("SwapFree", 0),
    )
    return "".join(f"{name + ':':<16}{frames * PAGE_SIZE // 1024:8} kB\n" for name, frames in rows)


def cpuinfo_text(cores: int) -> str:
    """/proc/cpuinfo: a paragraph for each core."""
    common = "vendor_id\t: Trapline\ncpu family\t: 6\nmodel\t\t: 1\nmodel name\t: Trapline simulated CPU"
    flags = "flags\t\t: fpu tsc cx8 lm nx\naddress sizes\t: 48 bits physical, 48 bits virtual"
    paragraphs = [f"processor\t: {core}\n{common}\ncpu cores\t: {cores}\n{flags}\n\n" for core in range(cores)]
    return "".join(paragraphs)


def machine_stat_text(now_ns: int, busy: Sequence[int], *, switches: int, births: int, running: int) -> str:
    """/proc/stat. `busy` is CPU time in ns by core; idle is what is left of the time since boot."""
    cores = len(busy)
    rows = [f"cpu  {ticks(sum(busy))} 0 0 {ticks(max(0, cores * now_ns - sum(busy)))} 0 0 0 0 0 0"]
    rows += [f"cpu{core} {ticks(used)} 0 0 {ticks(max(0, now_ns - used))} 0 0 0 0 0 0" for core, used in enumerate(busy)]
    rows += ["intr 0", f"ctxt {switches}", "btime 0", f"processes {births}", f"procs_running {running}", "procs_blocked 0"]
    return "\n".join(rows) + "\n"
