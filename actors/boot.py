"""From a config to running actors: the hardware, one actor per subsystem with its empty state, the cores, and the first program.

Boot is a host affair: it builds plain states and coroutines and sends one message, `Spawn`. Everything after that is the machine's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.actor import MESSAGE, Actor
from actors.agenda import Agenda
from actors.conductor import Conductor
from actors.core import Core
from actors.files import FilesActor
from actors.ipc import IpcActor
from actors.memory import MemoryActor
from actors.messages import files, processes
from actors.processes import ProcessesActor
from actors.ranks import FIRST_CORE, HOST, PROCESSES, RANK_NAMES, actor_name
from actors.scheduler import SchedulerActor
from actors.signals import SignalsActor
from actors.stalls import Stalls
from actors.timers import TimersActor
from kernel.files.files import FilesState
from kernel.hardware.hardware import Hardware
from kernel.ipc.ipc import IpcState
from kernel.memory.memory import Memory
from kernel.processes.context import Context, Frame
from kernel.processes.image import parse
from kernel.processes.processes import Processes
from kernel.scheduler.scheduler import Scheduler
from kernel.signals.signals import Signals
from kernel.timers.timers import TimersState

if TYPE_CHECKING:
    from actors.choices import Strategy
    from actors.loader import Library
    from actors.messages.base import Message
    from actors.recorder import Recorder
    from kernel.config import Config

FRAMES_PER_MIB = 256


def _files(config: Config, seed: int, library: Library) -> FilesState:
    """The file system at boot: every program of the library is a file of it."""
    tree = library.boot_tree(config.user.uid, config.user.gid)
    return FilesState(tree, seed, nofile=config.machine.max_files, pipe_bytes=config.machine.pipe_bytes, input_ended=False)


def _timers(config: Config, *, searching: bool) -> TimersState:
    """Sleeps have slack, as on Linux; in a search the strategy says when they end."""
    return TimersState(slack_ns=0 if searching else config.machine.timer_slack_ns)


class Host:
    """The sender of what comes from outside: boot and the console. It has an address and a clock, and never runs."""

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self.address = HOST
        self.clock = 0
        self.last_arrival: dict[int, int] = {}

    def tell(self, target: Actor, message: Message) -> None:
        """Send into the machine."""
        self.agenda.post(self, target, MESSAGE, (message, HOST, -1, 0))  # type: ignore[arg-type]


class System:
    """A booted machine: what drivers run, and what reports look into."""

    def __init__(self, config: Config, seed: int, strategy: Strategy, granularity: str, recorder: Recorder, services: Any) -> None:
        self.config = config
        self.services = services
        self.conductor = Conductor(config, seed, strategy, granularity, recorder, services)
        self.stalls = Stalls(self)
        self.hardware = Hardware.with_frames(config.machine.memory_mib * FRAMES_PER_MIB)
        self.host = Host(self.conductor.agenda)
        self.cores: list[Core] = []
        wide = self.conductor.agenda.wide
        library: Library = services.library
        states = self._states(config, seed, wide, library)
        kinds = (ProcessesActor, MemoryActor, FilesActor, IpcActor, SignalsActor, TimersActor, SchedulerActor)
        for rank, kind in enumerate(kinds, start=PROCESSES):
            self.start(kind(self.conductor, rank, states[rank - 1]))
        for _ in range(config.machine.cores):
            self.add_core()

    def adopt(self, other: System, hardware: Hardware, services: Any, strategy: Strategy, recorder: Recorder) -> None:
        """Become a machine like `other`, on this hardware, without actors yet (copying.py)."""
        conductor = other.conductor
        self.config = other.config
        self.services = services
        self.conductor = Conductor(self.config, conductor.seed, strategy, conductor.granularity, recorder, services)
        self.stalls = Stalls(self, other.stalls.told)
        self.hardware = hardware
        self.host = Host(self.conductor.agenda)
        self.cores = []

    def _states(self, config: Config, seed: int, wide: bool, library: Library) -> tuple[Any, ...]:
        cores = tuple(actor_name(FIRST_CORE + number) for number in range(config.machine.cores))
        schedule = config.scheduler
        run_queues = Scheduler(config.machine.cores, schedule.slice_ns, schedule.wakeup_granularity_ns, schedule.balance_interval_ns, wide)
        return (
            Processes(config, RANK_NAMES[1:] + cores, seed, wide),
            Memory(self.hardware),
            _files(config, seed, library),
            IpcState(),
            Signals(),
            _timers(config, searching=self.conductor.agenda.searching),
            run_queues,
        )

    def start(self, actor: Actor) -> None:
        """Bring an actor to its first wait, or to the one in which its record says it stood."""
        self.conductor.actors[actor.address] = actor
        actor.coroutine = actor.run()
        conductor = self.conductor
        before, conductor.starting = conductor.starting, True
        actor.coroutine.send(None)  # to its first wait, which hands the baton to nobody
        conductor.starting = before

    def add_core(self) -> int:
        """One more core; the wide machine calls this when every core is busy. Returns its number."""
        core = Core(self.conductor, len(self.cores), self.hardware)
        self.cores.append(core)
        self.start(core)
        return core.number

    def spawn(self, path: bytes, argv: tuple[bytes, ...], envp: tuple[bytes, ...], loaded: Any, records: bool) -> None:
        """Start the first program: its image is loaded already, and its file known to files."""
        files_state = self.conductor.actors[3].state
        found = files_state.boot_file(path)
        context = Context(None, loaded, path.rsplit(b"/", 1)[-1][:15].decode("utf-8", "replace"))
        context.record = [] if records else None
        context.frames.append(Frame(loaded.start_main(), "main", 0, ()))
        self.host.tell(
            self.conductor.actors[PROCESSES],
            processes.Spawn(context, loaded.image(parse(found.seed, found.size)), found.object, argv, envp, path, found.seed),
        )

    def feed_console(self, data: bytes) -> None:
        """Bytes typed or piped in; b"" is the end of input."""
        self.host.tell(self.conductor.actors[3], files.ConsoleInput(data))

    def check(self) -> list[Any]:
        """Law 7 for all owners at once."""
        return [violation for actor in self.conductor.actors.values() for violation in actor.check()]

    def leftovers(self) -> list[str]:
        """What a finished run must not leave: threads, spaces, frames, descriptors, tickets, timers (law 7)."""
        actors = self.conductor.actors
        tables, memory, opened, ipc, signals, timers, queues = (actors[rank].state for rank in range(PROCESSES, FIRST_CORE))
        kept = sum(len(found.pages) for found in memory.objects.table.values() if found.held_by_file)
        counts = {
            "processes": tables.user_processes_alive(),
            "wait tickets": len(tables.waits),
            "address spaces": len(memory.spaces),
            "frames": len(memory.frames.counts) - kept,
            "shootdowns": len(memory.shootdowns.pending),
            "descriptor tables": len(opened.tables),
            "open descriptions": len(opened.descriptions),
            "working directories": len(opened.contexts),
            "pinned objects": len(opened.object_pins),
            "console and FIFO tickets": len(opened.console_waits) + len(opened.fifo_waits),
            "pipes": len(ipc.pipes),
            "futex waiters": len(ipc.futexes.waits) + len(ipc.futexes.completed),
            "signalled threads": len(signals.threads),
            "timers": len(timers.armed()),
            "threads": len(queues.threads),
            "remembered attention": len(queues.attention),
        }
        return [f"{count} {name}" for name, count in counts.items() if count]
