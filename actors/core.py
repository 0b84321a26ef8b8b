"""A core: runs one thread at a time, translates its addresses, takes interrupts, carries its system calls to their owners.

    idle     receive() until the scheduler sends `Run(context)`
    running  burst (execute.py) -> boundary -> burst …; a slow op goes to its helper: calls.py, faults below, delivery.py
    giving the thread back: `Park`, `Preempted` or `Exited` to the scheduler, with the context; then idle again

What a core knows of its thread stands in `state` and in the context, never in a local that outlives a wait: a settled core can be started
afresh (law 9). Interrupts (kick, reschedule, shootdown) come in every wait, to plain methods that change only the core's own state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from actors import calls, delivery, execute, registers
from actors.actor import NEVER, PAUSE, SLEEP
from actors.agenda import BREATH_NS, TURN, Identity
from actors.events import Event
from actors.interruptible import InterruptibleActor
from actors.messages import core as messages
from actors.messages import memory, scheduler, signals
from actors.messages.base import Message
from actors.ranks import FIRST_CORE, MEMORY, SCHEDULER, SIGNALS
from kernel.abi.decoding import malformed
from kernel.abi.ops import Alloca, Become, Compute, Op, Syscall, UncaughtException
from kernel.abi.signos import SIGBUS
from kernel.hardware import mmu
from kernel.hardware.tlb import Tlb
from kernel.invariants import Violation
from kernel.memory.faults import Trap
from kernel.processes.context import Context
from kernel.rng import Stream

if TYPE_CHECKING:
    from actors.conductor import Conductor
    from kernel.hardware.hardware import Hardware
    from kernel.hardware.ram import PhysicalFrame

JITTER_DRAWS = 1024  # a power of two: execute.py masks with it


@dataclass(slots=True)
class CoreState:
    """All that a core knows, as plain data."""

    number: int
    hardware: Hardware
    tlb: Tlb
    context: Context | None = None  # the thread that runs here
    slice_end: int = NEVER  # clock at which the timer interrupt preempts
    started_ns: int = 0  # clock when the thread came
    computing_since: int = 0  # clock when the piece of `compute` that runs now began
    resched: bool = False  # a reschedule interrupt came: give the thread back at the next boundary
    jitter_turn: int = 0  # ops of the hot loop so far: each takes the next jitter of the block
    space: int = 0  # copy of cr3

    def check(self) -> Iterable[Violation]:
        """What does not hold of what this core owns."""
        return self.tlb.check()


class Core(InterruptibleActor):
    """One simulated CPU."""

    rank: ClassVar[int] = 0

    def __init__(self, conductor: Conductor, number: int, hardware: Hardware) -> None:
        config = conductor.config
        super().__init__(conductor, FIRST_CORE + number, CoreState(number, hardware, Tlb(config.machine.tlb_entries)))
        self.number: int = number
        self.hardware = hardware
        hardware.cr3[number] = 0
        speeds = config.machine.core_speeds
        speed = speeds[number % len(speeds)] if speeds else 100
        free = self.agenda.free_ops
        self.op_cost = 1 if free else max(1, config.costs.op_ns * speed // 100)
        self.contended_cost = 0 if free else config.costs.contended_ns
        self.atomic_cost = 0 if free else config.costs.atomic_ns * speed // 100
        self.jitter = _jitter(conductor, number, free)
        self.turn: Identity = (TURN,)  # this core's thread as a candidate
        self.breath_turn = 0  # `jitter_turn` at the last breath
        self.breath_at = 0  # clock at which a core alone on the machine pauses: for limits, ^C and the host's heartbeat
        self.limit = -1  # clock at which the hot loop looks around
        # ---- answers of the hot loop, valid until the next burst
        self.miss_address = 0
        self.miss_write = False
        self.other_answer = 0
        self.clock_extra = 0
        self.stored = False

    # ---- shorthands for state that the hot loop reads ---------------------------------------------------------------------

    @property
    def tlb(self) -> Tlb:
        """This core's TLB."""
        return self.state.tlb  # type: ignore[no-any-return]

    @property
    def jitter_turn(self) -> int:
        """Ops of the hot loop so far."""
        return self.state.jitter_turn  # type: ignore[no-any-return]

    @jitter_turn.setter
    def jitter_turn(self, turn: int) -> None:
        self.state.jitter_turn = turn

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """What an idle core receives."""
        return {messages.Run: self.on_run}

    # ---- the core's loop ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Idle or running, by what `state` says. A core that is started afresh goes on with the wait in which it stood (law 9)."""
        if self.state.context is not None:
            stood = self.wait
            await self._wait(stood, self.until)
            if stood == SLEEP:
                self.account_compute(self.state.context)
            await self.run_thread(self.state.context, rested=stood == PAUSE)
        while True:
            if self.state.context is None:
                envelope = await self.receive()
                if envelope is not None:
                    await self.serve(envelope)
            else:
                await self.run_thread(self.state.context)
            if self.conductor.checking:
                self.conductor.check_after(self)
            self.serving = None

    def on_run(self, message: messages.Run) -> None:
        """A thread to run: load its space, remember its slice."""
        state = self.state
        context = state.context = message.context
        self.turn = (TURN, *context.caller.path)
        self.clock += self.agenda.scaled(self.costs.switch_ns)
        state.started_ns = self.clock
        state.slice_end = self.clock + message.slice_ns if message.slice_ns >= 0 else NEVER
        state.resched = False
        context.attention = message.attention
        if context.blocked is not None:
            context.timed_out = message.timed_out
        self.breath_at = self.clock + BREATH_NS
        self.breath_turn = state.jitter_turn
        self.load_space(context.caller.space)

    async def run_thread(self, context: Context, *, rested: bool = False) -> None:
        """From where the thread stands until this core has it no more; `rested` if it has just been given its turn."""
        state = self.state
        if context.blocked is not None:
            await calls.resume(self, context)
        elif context.injected:
            context.injected = False
            self.complete(context, context.inject)
        elif context.frames and context.frames[-1].pending is None:
            execute.advance(context.frames[-1], None)
        searching, free = self.agenda.searching, self.agenda.free_ops
        answer = execute.SLOW
        while state.context is context:
            if context.attention or state.resched or self.clock >= state.slice_end:
                await self.boundary(context)
                continue
            self.limit = min(self.agenda.horizon(self), state.slice_end)
            if self.clock >= self.limit or (free and answer == execute.BOUNDARY):
                if not rested:
                    await self.pause()
                    if context.attention or state.resched or self.clock >= state.slice_end:
                        continue
                self.breath_at = self.clock + BREATH_NS
                self.breath_turn = state.jitter_turn
                self.limit = min(self.agenda.horizon(self), state.slice_end)
            rested = False
            before = self.clock
            answer = execute.burst(self, context)
            if free:  # an op cost a unit only to be counted: each is a choice, although there was nothing to choose
                self.conductor.steps += self.clock - before
                self.clock = before
            if self.stored:
                self.stored = False
                self.conductor.progress()
            if answer != execute.BOUNDARY:
                await self.slow(context, answer)
            elif self.clock >= self.breath_at and not searching:
                self.conductor.spun(self, state.jitter_turn - self.breath_turn, sliced=state.slice_end < NEVER)

    async def boundary(self, context: Context) -> None:
        """Between two ops: signals first, then the timer interrupt."""
        if context.attention:
            await delivery.deliver(self, context)
        elif not self.agenda.wide:
            self.preempt(context, yielded=False)
        else:
            self.state.resched = False

    async def slow(self, context: Context, answer: int) -> None:
        """What the hot loop could not do."""
        if answer == execute.MISS:
            trap = await self.translate(context, self.miss_address, self.miss_write)
            if trap is not None:
                await self.fault(context, trap, self.miss_address)
        elif answer == execute.UNALIGNED:
            await self.fault(context, Trap(SIGBUS, 1), self.miss_address)
        else:
            op: Any = context.frames[-1].pending
            kind = type(op)
            if kind is Syscall:
                await calls.system_call(self, context, op)
            elif issubclass(kind, Op) and (wrong := malformed(op)):
                execute.refuse(context, wrong)
            elif kind is Compute:
                await self.compute(context, op)
            elif kind is UncaughtException:
                await delivery.uncaught(self, context, op)
            elif kind is Become:
                calls.become(self, context, op)
            else:
                assert not issubclass(kind, Op), f"no code for {op}"
                execute.refuse(context, execute.not_awaitable(op))

    # ---- pieces that calls and delivery use too ---------------------------------------------------------------------------

    def complete(self, context: Context, result: Any) -> None:
        """The pending op is done: record it, let the program run on to its next op."""
        frame = context.frames[-1]
        if context.record is not None:
            context.record.append(frame.pending)
            context.record.append(result)
        context.restart_deadline = None
        self.conductor.last_progress = self.conductor.steps
        execute.advance(frame, result)

    def load_space(self, space: int) -> None:
        """Write CR3: a different space flushes the TLB."""
        if space != self.state.space:
            self.state.tlb.flush()
            self.state.space = space
            self.hardware.cr3[self.number] = space

    async def translate(self, context: Context, address: int, write: bool) -> Trap | None:
        """Make the TLB hold the page, by a walk or by memory's help; a Trap if the access is not allowed. Loops: others may unmap."""
        vpn = address >> 12
        space = context.caller.space
        while True:
            table = self.hardware.tables.get(space)
            found = mmu.walk(table, vpn, write, False) if table is not None else mmu.NOT_PRESENT
            if found > 0:
                self.state.tlb.insert(vpn, self.hardware.ram.frame(found), write)
                self.charge(self.costs.tlb_miss_ns)
                return None
            self.state.tlb.invalidate(vpn, 1)
            trap = await self.ask(MEMORY, memory.PageFault(space, address, write, False, context.caller.pid, context.caller.tid))
            if trap is not None:
                return trap  # type: ignore[no-any-return]

    async def frame_at(self, context: Context, address: int, write: bool) -> PhysicalFrame | Trap:
        """The frame behind an address of the thread, for copies to and from user memory."""
        tlb = self.state.tlb
        vpn = address >> 12
        while True:
            frame: PhysicalFrame | None = (tlb.write if write else tlb.read).get(vpn)
            if frame is not None:
                return frame
            trap = await self.translate(context, address, write)
            if trap is not None:
                return trap

    async def fault(self, context: Context, trap: Trap, address: int) -> None:
        """A synchronous signal; the op stays pending and is tried again should a handler return."""
        info = signals.SignalInfo(trap.signo, trap.code, address=address)
        self.thread_attention(await self.ask(SIGNALS, signals.Fault(context.caller.tid, info)) or 1)

    async def compute(self, context: Context, op: Compute) -> None:
        """CPU work: time passes, in pieces that end at the slice or at an interrupt."""
        if self.agenda.free_ops:
            self.complete(context, None)
            return
        done_ns = context.frames[-1].computed_ns
        if op.ns > done_ns:
            self.state.computing_since = self.clock
            await self.sleep_until(min(self.clock + op.ns - done_ns, self.state.slice_end))
        self.account_compute(context)

    def account_compute(self, context: Context) -> None:
        """The time since the core began to compute is done; the op completes when nothing is left."""
        state = self.state
        frame = context.frames[-1]
        op = frame.pending
        assert isinstance(op, Compute), f"computing while {op} is pending"
        frame.computed_ns += self.clock - state.computing_since
        state.computing_since = self.clock
        if frame.computed_ns >= op.ns:
            frame.computed_ns = 0
            self.complete(context, None)

    def preempt(self, context: Context, yielded: bool) -> None:
        """Give the thread back, runnable."""
        self.state.resched = False
        self.state.context = None
        self.tell(SCHEDULER, scheduler.Preempted(context, self.number, self.ran_ns(context), yielded))

    def ran_ns(self, context: Context) -> int:
        """CPU time since the thread came to this core; counted into its CPU clock."""
        ran: int = self.clock - self.state.started_ns
        context.cpu_ns += ran
        self.state.started_ns = self.clock
        return ran

    def alloca(self, context: Context, op: Alloca) -> int:
        """Move the stack pointer; room taken by coroutines that have ended is given back first."""
        registers.release_allocas(context)
        before = context.stack_pointer
        context.stack_pointer = (before - op.size) & ~(op.align - 1)
        context.allocas.append((registers.innermost(context.frames[-1].coroutine), before))
        return context.stack_pointer

    def read_register(self, context: Context, name: str) -> Any:
        """The `Register` op."""
        return registers.read_register(self, context, name)

    def where(self, context: Context) -> tuple[str, int]:
        """The program's file and line that the thread is at."""
        _, file, line, _ = context.image.place(context.frames[-1].coroutine)
        return file, line

    def emit_thread(self, context: Context, event: Event) -> int:
        """Log an event of the running thread."""
        caller = context.caller
        return self.emit(event, cpu=self.number, pid=caller.pid, tid=caller.tid, comm=context.comm)

    def emit_uncaught(self, context: Context, op: UncaughtException) -> None:
        """Tell the run's report of an exception that left the program."""
        caller = context.caller
        self.machine.uncaught(op, caller.pid, caller.tid, context.comm)

    def thread_attention(self, level: int) -> None:
        """A reply says that the thread that runs here has something to deliver."""
        context = self.state.context
        if context is not None and level > context.attention:
            context.attention = level

    # ---- interrupts --------------------------------------------------------------------------------------------------------

    def interrupt(self, envelope: Any) -> None:
        """Serve one interrupt, in whatever wait this core is."""
        message, _, _, cause = envelope
        self.clock += self.agenda.scaled(self.costs.interrupt_ns)
        kind = message.__class__
        state = self.state
        context = state.context
        if kind is messages.Shootdown:
            if message.space == state.space:
                state.tlb.invalidate(message.first, message.count)
            before, self.cause = self.cause, cause
            self.tell(MEMORY, memory.ShootdownAck(message.token, self.number))
            self.cause = before
        elif context is not None and message.tid in (context.caller.tid, context.caller.pid):  # execve may be about to make it the leader
            if kind is messages.Kick:
                context.attention = max(context.attention, message.level)
            elif message.slice_ns < 0:
                state.resched = True
            else:
                state.slice_end = min(state.slice_end, self.clock + message.slice_ns)


def _jitter(conductor: Conductor, number: int, free: bool) -> list[int]:
    if free:
        return [0] * JITTER_DRAWS
    stream = Stream(conductor.seed, f"op jitter {number}")
    bound = conductor.config.costs.op_jitter_ns + 1
    return [stream.below(bound) for _ in range(JITTER_DRAWS)]
