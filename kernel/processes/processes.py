"""The state of `processes`: every process and thread, the tree, groups and sessions, and who waits here.

Read it as tables by id: `processes` by pid, `threads` by tid, `groups` by pgid, `sessions` by sid. Process 1 is init, the reaper inside
the kernel unless the config names a program; 2 is kthreadd, whose children are the actors, as `ps -e` shows Linux's kernel threads.
The rules stand beside: cloning.py (birth), reaping.py (wait and orphans), groups.py, credentials.py, limits.py, pids.py.

`finished` tells the machine that a run is over: the first program and all that came from it have ended. Manual: proc(5), init(8).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from kernel.abi.errno_values import ESRCH
from kernel.abi.errnos import SysError
from kernel.config import Config
from kernel.invariants import Violation
from kernel.processes import checks, groups
from kernel.processes.credentials import Credentials
from kernel.processes.groups import Group, Session
from kernel.processes.limits import default_limits
from kernel.processes.pids import Pids
from kernel.processes.process import Process, ProcessState, ProcessStatistics
from kernel.processes.reaping import WaitCall
from kernel.processes.thread import Thread, ThreadState
from kernel.rng import Stream
from kernel.tickets import Ticket

INIT: int = 1
KTHREADD: int = 2


class VforkWait(msgspec.Struct, frozen=True):
    """The parent of CLONE_VFORK waits until thread `child` has executed or ended."""

    child: int


class ExecWait(msgspec.Struct, frozen=True):
    """A thread in execve waits for its siblings to end; its new space is ready."""

    request: Any  # the Exec message, to go on with
    ready: Any  # memory's SpaceReady


Wait = WaitCall | VforkWait | ExecWait


class Processes:
    """All that `processes` knows. Plain data."""

    __slots__ = ("faults", "first_error", "first_program", "first_status", "groups", "max_threads", "pids", "processes", "seed", "sessions",
                 "threads", "user", "waits")

    def __init__(self, config: Config, actors: tuple[str, ...] = (), seed: int = 0, wide: bool = False) -> None:
        """`actors` are the names of the actors in order of rank, cores last: they become kernel threads."""
        machine = config.machine
        # ---- tables; Invariant: embryo_invisible - an EMBRYO is in `processes` and `threads`, and nowhere else
        self.pids = Pids(machine.first_pid, machine.pid_max, wide)  # Invariant: pid_unique - holders equal a recount of these tables
        self.processes: dict[int, Process] = {}  # by pid
        self.threads: dict[int, Thread] = {}  # by tid, those of all processes
        self.groups: dict[int, Group] = {}  # by pgid; Invariant: group_members - as the processes' own pgid and sid
        self.sessions: dict[int, Session] = {}  # by sid
        # ---- who waits; Invariant: ticket_thread - each ticket's thread lives
        self.waits: dict[Ticket, Wait] = {}
        # ---- facts of the machine
        self.max_threads = machine.max_threads  # of programs, together
        self.user = Credentials(config.user.uid, config.user.uid, config.user.uid, config.user.gid, config.user.gid, config.user.gid)
        self.seed = seed  # of the machine: AT_RANDOM's bytes are drawn from streams named by path
        # ---- the run
        self.first_program = 0  # pid; 0 before it started
        self.first_status: int | None = None  # its wait status, once it has ended
        self.first_error = 0  # errno with which it could not be started
        self.faults: list[tuple[int, str]] = []  # (pid, text) of uncaught exceptions
        self._boot(actors, default_limits(machine.max_files, machine.max_threads))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Processes) and all(getattr(self, name) == getattr(other, name) for name in Processes.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def _boot(self, actors: tuple[str, ...], limits: list[tuple[int, int]]) -> None:
        self._kernel_process(INIT, 0, "init", limits)
        self._kernel_process(KTHREADD, 0, "kthreadd", limits)
        for number, name in enumerate(actors):
            self._kernel_process(KTHREADD + 1 + number, KTHREADD, name, limits)

    def _kernel_process(self, pid: int, ppid: int, comm: str, limits: list[tuple[int, int]]) -> None:
        process = Process(pid, (), 0, kernel=True, ppid=ppid, limits=list(limits))
        thread = Thread(pid, pid, (), comm, 0)
        process.threads[pid] = thread
        self.processes[pid] = process
        self.threads[pid] = thread
        self.pids.hold(pid)
        self.pids.hold(pid)
        process.move(ProcessState.LIVE)
        thread.move(ThreadState.LIVE)
        if ppid:
            self.processes[ppid].children[pid] = None
        number = INIT if pid == INIT else 0
        groups.join(self, process, number, number)
        process.session_leader = pid == INIT

    # ---- looking up ---------------------------------------------------------------------------------------------------------

    def find(self, pid: int) -> Process | None:
        """The process `pid`, zombies included; None if there is none, or it is not born yet."""
        process = self.processes.get(pid)
        return process if process is not None and process.visible else None

    def find_thread(self, tid: int) -> Thread | None:
        """The thread `tid`, a zombie leader included."""
        thread = self.threads.get(tid)
        return thread if thread is not None and thread.state is not ThreadState.EMBRYO else None

    def thread(self, tid: int) -> Thread:
        """The thread `tid`. Raises ESRCH."""
        found = self.find_thread(tid)
        if found is None:
            raise SysError(ESRCH)
        return found

    @property
    def init_is_program(self) -> bool:
        """False: pid 1 is the reaper inside the kernel."""
        return not self.processes[INIT].kernel

    def user_threads(self) -> int:
        """Threads of programs, embryos included."""
        return sum(1 for thread in self.threads.values() if not self.processes[thread.pid].kernel)

    def threads_of_user(self, uid: int) -> int:
        """What RLIMIT_NPROC counts: threads of processes with this real uid."""
        mine = (process for process in self.processes.values() if not process.kernel and process.credentials.uid == uid)
        return sum(len(process.threads) or 1 for process in mine)

    # ---- birth of the first programs ----------------------------------------------------------------------------------------

    def conceive_first(self, comm: str, now_ns: int) -> tuple[Process, Thread]:
        """The embryo of a program that the host starts: a child of init, in a group of its own, as a shell's job is.

        Its session is init's. Complete it with cloning.give_birth. Raises EAGAIN when there is no pid.
        """
        init = self.processes[INIT]
        path = (sum(1 for pid in init.children if not self.processes[pid].kernel),)
        pid = self.pids.allot(path)
        self.pids.hold(pid)
        process = Process(pid, path, now_ns, ppid=INIT, pgid=pid, sid=init.sid, credentials=self.user, limits=list(init.limits))
        thread = Thread(pid, pid, path, comm, now_ns)
        process.threads[pid] = thread
        self.processes[pid] = process
        self.threads[pid] = thread
        return process, thread

    def make_init_a_program(self, comm: str, now_ns: int) -> tuple[Process, Thread]:
        """The config names a program for pid 1: its record becomes an ordinary process's (root, session 1)."""
        init = self.processes[INIT]
        assert init.kernel, "init is a program already"
        init.kernel = False
        init.start_ns = now_ns
        thread = self.threads[INIT]
        thread.comm = comm
        return init, thread

    def random_bytes(self, process: Process) -> bytes:
        """AT_RANDOM of the process's next image: drawn from a stream of its own, so that it depends on no schedule."""
        process.images += 1
        return Stream(self.seed, f"at_random:{process.path}:{process.images}").bytes(16)

    # ---- the end of threads and processes -----------------------------------------------------------------------------------

    def end_thread(self, thread: Thread) -> None:
        """An EXITING thread ends: a leader stays as zombie while others live, every other thread is forgotten."""
        process = self.processes[thread.pid]
        if thread.tid == process.pid:
            thread.move(ThreadState.ZOMBIE)
        else:
            self._forget_thread(process, thread)

    def _forget_thread(self, process: Process, thread: Thread) -> None:
        thread.move(ThreadState.DEAD)
        del process.threads[thread.tid]
        del self.threads[thread.tid]
        self.pids.release(thread.tid)

    def become_zombie(self, process: Process, status: int) -> None:
        """The last thread has ended and its resources are released: the status waits to be collected."""
        process.last_comm = process.comm
        for thread in list(process.threads.values()):
            self._forget_thread(process, thread)
        process.status = status
        process.report = 0
        process.move(ProcessState.ZOMBIE)
        if process.fault:
            self.faults.append((process.pid, process.fault))
        if process.pid == self.first_program:
            self.first_status = status

    def reap(self, process: Process) -> None:
        """A zombie's status was collected, or nobody wants it: the process is gone, its number free."""
        process.move(ProcessState.DEAD)
        del self.processes[process.ppid].children[process.pid]
        groups.leave(self, process)
        del self.processes[process.pid]
        self.pids.release(process.pid)

    def take_leadership(self, process: Process, thread: Thread) -> int:
        """The caller of execve, all other threads gone, takes the leader's tid (its path stays). Returns the tid that it had before."""
        old_tid = thread.tid
        if old_tid == process.pid:
            return old_tid
        leader = process.threads[process.pid]
        self._forget_thread(process, leader)
        del process.threads[old_tid]
        del self.threads[old_tid]
        self.pids.release(old_tid)
        thread.tid = process.pid
        self.pids.hold(thread.tid)
        process.threads[thread.tid] = thread
        self.threads[thread.tid] = thread
        return old_tid

    # ---- for the machine ----------------------------------------------------------------------------------------------------

    def user_processes_alive(self) -> int:
        """Processes of programs that have not ended; init and kernel threads do not count."""
        return sum(1 for process in self.processes.values()
                   if not process.kernel and process.pid != INIT and process.state is not ProcessState.ZOMBIE)

    def finished(self, first_pid: int) -> bool:
        """The program `first_pid` and all its descendants have ended (every program descends from it, or from init)."""
        return self.first_status is not None and self.first_program == first_pid and self.user_processes_alive() == 0

    def statistics(self) -> tuple[ProcessStatistics, ...]:
        """Everybody, by pid."""
        return tuple(self.processes[pid].statistics() for pid in sorted(self.processes) if self.processes[pid].visible)

    def check(self) -> Iterable[Violation]:
        """Every invariant that does not hold."""
        return checks.check(self)
