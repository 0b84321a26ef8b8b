"""Signals by pid, groups and sessions, credentials, limits, priorities, affinity, run times: calls about processes that exist.

Who may do what stands in kernel/processes/credentials.py and groups.py; here targets are found and owners below are asked.
Manual: kill(2), tkill(2), setpgid(2), setuid(2), prlimit(2), getpriority(2), sched_setaffinity(2), getrusage(2), times(2), prctl(2).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from actors import ranks
from actors.messages import files, processes, scheduler
from actors.messages.base import ChangedCaller
from actors.messages.signals import SignalInfo
from actors.process_exit import ProcessExit
from kernel.abi.errno_values import EACCES, EINVAL, EPERM, ESRCH
from kernel.abi.errnos import Failure, SysError
from kernel.abi.flags import (
    PR_GET_NAME,
    PR_SET_NAME,
    PRIO_PGRP,
    PRIO_PROCESS,
    PRIO_USER,
    RLIMIT_FSIZE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RUSAGE_CHILDREN,
    RUSAGE_SELF,
    RUSAGE_THREAD,
    SI_KERNEL,
    SI_TKILL,
    SI_USER,
)
from kernel.abi.signos import NSIG, SIGCONT, SIGKILL, SIGSTOP
from kernel.processes import groups, limits
from kernel.processes.credentials import Credentials
from kernel.processes.process import Process
from kernel.processes.thread import Thread

_INT_MIN: Final = -(1 << 31)
_COMM_BYTES: Final = 15


class ProcessControl(ProcessExit):
    """What processes do to each other."""

    # ---- kill ---------------------------------------------------------------------------------------------------------------

    async def kill(self, message: processes.Kill) -> None:
        """Signal one process, a group, or everybody but init and oneself."""
        caller = self.caller_process(message.caller)
        if message.pid > 0:
            await self._signal_process(caller, self._process_of_pid(message.pid), message)
        elif message.pid == -1:
            await self._signal_all(caller, message)
        elif message.pid == _INT_MIN:
            raise SysError(ESRCH)
        else:
            await self._signal_group(caller, -message.pid or caller.pgid, message)

    def _process_of_pid(self, pid: int) -> Process:
        """kill(2) takes a tid for its process, as Linux does. Raises ESRCH."""
        found = self.state.find(pid)
        return found if found is not None else self.state.processes[self.state.thread(pid).pid]

    async def _signal_process(self, caller: Process, target: Process, message: processes.Kill) -> None:
        """Raises EINVAL, EPERM. A zombie exists: success."""
        self._check_kill(caller, target, message.signo)
        info = SignalInfo(message.signo, SI_USER, pid=caller.pid, uid=caller.credentials.uid)
        await self._send(target, 0, info, message.caller.tid)

    @staticmethod
    def _check_kill(caller: Process, target: Process, signo: int) -> None:
        if not 0 <= signo < NSIG:
            raise SysError(EINVAL)
        if target is caller or caller.credentials.may_signal(target.credentials):
            return
        if signo != SIGCONT or caller.sid != target.sid:
            raise SysError(EPERM)

    async def _send(self, target: Process, tid: int, info: SignalInfo, caller_tid: int) -> None:
        """Signal 0 only asks; nobody can kill or stop init."""
        if info.signo == 0 or (target.pid == 1 and info.signo in (SIGKILL, SIGSTOP)):
            return
        await self.post(target, tid, info, caller_tid)

    async def _signal_all(self, caller: Process, message: processes.Kill) -> None:
        """kill(-1). As in Linux, EPERM for some or all is no error; ESRCH if there is nobody else."""
        others = [process for process in self.state.processes.values() if process.visible and process.pid > 1 and process is not caller]
        if not others:
            raise SysError(ESRCH)
        if not 0 <= message.signo < NSIG:
            raise SysError(EINVAL)
        for target in others:
            try:
                await self._signal_process(caller, target, message)
            except SysError:  # the number has been checked: it can only be EPERM
                continue

    async def _signal_group(self, caller: Process, pgid: int, message: processes.Kill) -> None:
        """kill(-pgid): success if one member could be signalled, else the last error."""
        group = self.state.groups.get(pgid)
        if group is None:
            raise SysError(ESRCH)
        reached, errno = False, ESRCH
        for pid in list(group.members):
            try:
                await self._signal_process(caller, self.state.processes[pid], message)
                reached = True
            except SysError as error:
                errno = error.errno
        if not reached:
            raise SysError(errno)

    async def tkill(self, message: processes.Tkill) -> None:
        """Signal one thread, by tid alone."""
        await self._signal_thread(message.caller.pid, message.caller.tid, 0, message.tid, message.signo)

    async def tgkill(self, message: processes.Tgkill) -> None:
        """Signal one thread: it must belong to that process."""
        if message.pid <= 0:
            raise SysError(EINVAL)
        await self._signal_thread(message.caller.pid, message.caller.tid, message.pid, message.tid, message.signo)

    async def _signal_thread(self, pid: int, caller_tid: int, wanted_pid: int, tid: int, signo: int) -> None:
        if tid <= 0:
            raise SysError(EINVAL)
        caller = self.state.processes[pid]
        thread = self.state.find_thread(tid)
        owner = self.state.processes[thread.pid] if thread is not None else self.state.find(tid)  # a zombie keeps its leader's tid
        if owner is None or wanted_pid not in (0, owner.pid):
            raise SysError(ESRCH)
        self._check_kill(caller, owner, signo)
        if thread is not None and thread.alive:
            await self._send(owner, tid, SignalInfo(signo, SI_TKILL, pid=pid, uid=caller.credentials.uid), caller_tid)

    async def signal_group(self, message: processes.SignalGroup) -> None:
        """The terminal signals a group."""
        await self.post_to_group(message.pgid, SignalInfo(message.signo, SI_KERNEL))

    # ---- groups and sessions ------------------------------------------------------------------------------------------------

    async def setpgid(self, message: processes.Setpgid) -> None:
        """Move a process to a group; signals hears whose stops have nobody to end them now."""
        caller = self.caller_process(message.caller)
        target = self.state.find(message.pid or caller.pid)
        before = groups.concerned_groups(self.state, target) if target is not None else []
        groups.setpgid(self.state, caller, message.pid, message.pgid)
        assert target is not None, "setpgid refuses unknown processes"
        await self.publish_orphans([*before, target.pgid])

    def getpgid(self, message: processes.Getpgid) -> int:
        """Which group a process is in."""
        return groups.process_or_self(self.state, self.caller_process(message.caller), message.pid).pgid

    def getpgrp(self, message: processes.Getpgrp) -> int:
        """The caller's own group."""
        return self.caller_process(message.caller).pgid

    def getsid(self, message: processes.Getsid) -> int:
        """Which session a process is in."""
        return groups.process_or_self(self.state, self.caller_process(message.caller), message.pid).sid

    async def setsid(self, message: processes.Setsid) -> int:
        """A new session and group for the caller."""
        caller = self.caller_process(message.caller)
        before = groups.concerned_groups(self.state, caller)
        sid = groups.setsid(self.state, caller)
        await self.publish_orphans([*before, caller.pgid])
        return sid

    def getppid(self, message: processes.Getppid) -> int:
        """The parent as it is now: init's pid for orphans."""
        return self.caller_process(message.caller).ppid

    def group_of(self, message: processes.GroupOf) -> tuple[int, int, bool]:
        """For the terminal."""
        process = self.state.find(message.pid)
        if process is None:
            raise SysError(ESRCH)
        return process.pgid, process.sid, groups.is_orphaned(self.state, process.pgid)

    # ---- credentials --------------------------------------------------------------------------------------------------------

    def setuid(self, message: processes.Setuid) -> ChangedCaller:
        """Change the user ids, and the caller's identity with them."""
        process = self.caller_process(message.caller)
        return self._changed(message, process, process.credentials.setuid(message.uid))

    def setgid(self, message: processes.Setgid) -> ChangedCaller:
        """Change the group ids, and the caller's identity with them."""
        process = self.caller_process(message.caller)
        return self._changed(message, process, process.credentials.setgid(message.gid))

    @staticmethod
    def _changed(message: processes.Setuid | processes.Setgid, process: Process, who: Credentials) -> ChangedCaller:
        process.credentials = who
        caller = msgspec.structs.replace(message.caller, uid=who.uid, gid=who.gid, euid=who.euid, egid=who.egid)
        return ChangedCaller(caller, None)

    # ---- limits, priorities, affinity -----------------------------------------------------------------------------------------

    async def prlimit(self, message: processes.Prlimit) -> tuple[int, int]:
        """Read and set one limit; files is told of RLIMIT_NOFILE and RLIMIT_FSIZE."""
        caller = self.caller_process(message.caller)
        target = caller if message.pid == 0 else self._process_of_pid(message.pid)
        if target is not caller and not caller.credentials.may_inspect(target.credentials):
            raise SysError(EPERM)
        previous = limits.change(target.limits, message.resource, message.limits, caller.credentials.privileged)
        if message.resource in (RLIMIT_NOFILE, RLIMIT_FSIZE) and message.limits is not None and target.table:
            soft = target.limits[RLIMIT_NOFILE][0], target.limits[RLIMIT_FSIZE][0]
            await self.ask(ranks.FILES, files.SetLimits(target.table, soft))
        return previous

    def _priority_targets(self, caller: Process, caller_tid: int, which: int, who: int) -> list[Thread]:
        """The threads that getpriority(2) and setpriority(2) mean. Raises EINVAL, ESRCH."""
        if which == PRIO_PROCESS:
            return [self.state.thread(who or caller_tid)]
        if which == PRIO_PGRP:
            group = self.state.groups.get(who or caller.pgid)
            chosen = [self.state.processes[pid] for pid in group.members] if group is not None else []
        elif which == PRIO_USER:
            uid = who or caller.credentials.uid
            chosen = [process for process in self.state.processes.values() if process.visible and process.credentials.uid == uid]
        else:
            raise SysError(EINVAL)
        found = [thread for process in chosen for thread in process.live_threads()]
        if not found:
            raise SysError(ESRCH)
        return found

    async def getpriority(self, message: processes.Getpriority) -> int:
        """The lowest nice value among the targets."""
        caller = self.caller_process(message.caller)
        targets = self._priority_targets(caller, message.caller.tid, message.which, message.who)
        return min([await self._nice_of(thread) for thread in targets])

    async def _nice_of(self, thread: Thread) -> int:
        if self.state.processes[thread.pid].kernel:
            return 0
        nice = await self.ask(ranks.SCHEDULER, scheduler.GetNice(thread.tid))
        return 0 if nice.__class__ is Failure else nice

    async def setpriority(self, message: processes.Setpriority) -> None:
        """All targets that the caller may change; the last refusal is the answer."""
        caller = self.caller_process(message.caller)
        nice = max(-20, min(19, message.priority))
        errno = 0
        for thread in self._priority_targets(caller, message.caller.tid, message.which, message.who):
            refused = await self._set_nice(caller, thread, nice)
            errno = refused or errno
        if errno:
            raise SysError(errno)

    async def _set_nice(self, caller: Process, thread: Thread, nice: int) -> int:
        """0 or the errno: EPERM for a stranger's thread, EACCES for more priority than RLIMIT_NICE allows."""
        owner = self.state.processes[thread.pid]
        if not caller.credentials.owns(owner.credentials):
            return EPERM
        floor = 20 - owner.limits[RLIMIT_NICE][0]
        if not caller.credentials.privileged and nice < floor and nice < await self._nice_of(thread):
            return EACCES
        if not owner.kernel:
            await self.ask(ranks.SCHEDULER, scheduler.SetNice(thread.tid, nice))
        return 0

    async def sched_setaffinity(self, message: processes.SchedSetaffinity) -> Any:
        """Cores that the machine does not have are ignored; none left is EINVAL."""
        caller = self.caller_process(message.caller)
        thread = self.state.thread(message.tid or message.caller.tid)
        owner = self.state.processes[thread.pid]
        if owner.kernel:
            raise SysError(EINVAL)
        if not caller.credentials.owns(owner.credentials):
            raise SysError(EPERM)
        cores = frozenset(core for core in message.mask if 0 <= core < self.config.machine.cores)
        if not cores:
            raise SysError(EINVAL)
        return await self.ask(ranks.SCHEDULER, scheduler.SetAffinity(thread.tid, cores))

    async def sched_getaffinity(self, message: processes.SchedGetaffinity) -> Any:
        """The cores that a thread may run on."""
        thread = self.state.thread(message.tid or message.caller.tid)
        if self.state.processes[thread.pid].kernel:
            return tuple(range(self.config.machine.cores))
        return await self.ask(ranks.SCHEDULER, scheduler.GetAffinity(thread.tid))

    # ---- accounting and names -----------------------------------------------------------------------------------------------

    async def getrusage(self, message: processes.Getrusage) -> tuple[int, ...]:
        """Run times and switches of the process, of one thread, or of children that were waited for."""
        process = self.caller_process(message.caller)
        if message.who == RUSAGE_CHILDREN:
            return process.children_usage.as_tuple()
        if message.who == RUSAGE_THREAD:
            return (await self.usage_of(self.caller_thread(message.caller))).as_tuple()
        if message.who != RUSAGE_SELF:
            raise SysError(EINVAL)
        return (await self.usage_of_process(process)).as_tuple()

    async def times(self, message: processes.Times) -> tuple[int, int, int, int, int]:
        """CPU times of the process and its collected children, and the time since boot; all in ns."""
        process = self.caller_process(message.caller)
        own, children = await self.usage_of_process(process), process.children_usage
        return own.utime_ns, own.stime_ns, children.utime_ns, children.stime_ns, self.clock

    def prctl(self, message: processes.Prctl) -> bytes | None:
        """Names of threads."""
        thread = self.caller_thread(message.caller)
        if message.option == PR_GET_NAME:
            return thread.comm.encode(errors="surrogateescape")
        if message.option != PR_SET_NAME or message.argument.__class__ is not bytes:
            raise SysError(EINVAL)
        name = message.argument.split(b"\0")[0][:_COMM_BYTES]
        thread.comm = name.decode(errors="surrogateescape")
        return None

    def set_tid_address(self, message: processes.SetTidAddress) -> int:
        """The word to clear when the thread ends; its tid."""
        self.caller_thread(message.caller).clear_tid = message.address
        return message.caller.tid
