"""Cores with TLBs against a model without any: whatever the order of messages and interrupts, what one core stored, all others load.

Interrupts reach a core late, memory's messages come in any order that keeps each sender's own. A page whose mapping is being changed is not
compared until the change is answered; everything else must be exact, also while forks, copies and shootdowns are under way.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages import memory
from actors.ranks import FIRST_CORE, PROCESSES
from kernel.abi import flags as f
from kernel.hardware import Tlb, walk
from kernel.processes.image import Image
from tests.support.memory_actor import LoneMemory, caller

PAGE, BASE, PAGES, SHARED_PAGES, CORES, MAX_SPACES = 4096, 0x1F_E000, 3, 1, 3, 3  # the base lies before a border of blocks
RW = f.PROT_READ | f.PROT_WRITE


class CoreModel:
    """A core: a TLB, interrupts not served yet, and what it waits for."""

    def __init__(self) -> None:
        self.tlb = Tlb(4)
        self.interrupts: deque[Any] = deque()
        self.waits: str = ""  # "", "fault", "areas"
        self.access: tuple[int, int] | None = None  # (page, value or -1): tried again after a fault
        self.page = 0  # of the change of areas that it waits for


class Simulation:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.actor = LoneMemory(frames=400)
        self.hardware = self.actor.state.hardware
        self.cores = [CoreModel() for _ in range(CORES)]
        self.boxes: dict[int, deque[Any]] = {}
        self.fork_of = 0  # space that processes is duplicating
        self.processes_waits = False
        image = Image("x", 0, "", (), 0x90_0000)
        first = self.actor.reply_to(PROCESSES, memory.NewSpace(image, 0, (), (), b"x", 1 << 20, bytes(16), (0, 0, 0, 0))).space
        for flags, start, count in [(f.MAP_PRIVATE, 0, PAGES), (f.MAP_SHARED, PAGES, SHARED_PAGES)]:
            flags |= f.MAP_ANONYMOUS | f.MAP_FIXED
            self.actor.reply_to(FIRST_CORE, memory.Mmap(caller(first), 1, BASE + start * PAGE, count * PAGE, RW, flags, None, 0))
        self.private: dict[int, dict[int, int | None]] = {first: dict.fromkeys(range(PAGES), 0)}  # None: not mapped
        self.prot: dict[int, dict[int, int]] = {first: dict.fromkeys(range(PAGES + SHARED_PAGES), RW)}
        self.shared = dict.fromkeys(range(PAGES, PAGES + SHARED_PAGES), 0)
        self.flux: dict[tuple[int, int], int] = {}  # (space, page) -> how many changes are under way; its bytes are then unknown
        self.dirtied: set[tuple[int, int]] = set()  # pages in flux that somebody stored to: unknown afterwards
        self.changes: dict[int, tuple[int, Any]] = {}  # core -> the change of areas that it waits for
        self.stores = 0
        for number in range(CORES):
            self.hardware.cr3[number] = first

    # ---- steps -------------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        choices: list[tuple[Any, ...]] = [(self.deliver, sender) for sender, box in self.boxes.items() if box]
        for number, one in enumerate(self.cores):
            if one.interrupts:
                choices.append((self.serve, number))
            if not one.waits:
                choices += [(self.act, number)] * 2
        if not self.processes_waits:
            choices.append((self.fork,) if len(self.private) < MAX_SPACES else (self.release,))
        work, *args = choices[int(self.random.random() * len(choices))]
        work(*args)

    def send(self, sender: int, message: Any) -> None:
        self.boxes.setdefault(sender, deque()).append(message)

    def deliver(self, sender: int) -> None:
        self.actor.request(sender, self.boxes[sender].popleft())
        assert [str(violation) for violation in self.actor.state.check()] == []
        for target, message in self.actor.told:
            self.cores[target - FIRST_CORE].interrupts.append(message)
        self.actor.told.clear()
        answers, self.actor.answers = self.actor.answers, []
        for to, value in answers:
            self.answered(to, value)

    def serve(self, number: int) -> None:
        one = self.cores[number]
        message = one.interrupts.popleft()
        if self.hardware.cr3[number] == message.space:
            one.tlb.invalidate(message.first, message.count)
        self.send(FIRST_CORE + number, memory.ShootdownAck(message.token, number))

    def fork(self) -> None:
        self.fork_of = list(self.private)[int(self.random.random() * len(self.private))]
        if any(space == self.fork_of for space, _ in self.flux):
            self.fork_of = 0  # what the child gets of a page in flux would not be known
            return
        self.processes_waits = True
        self.send(PROCESSES, memory.DuplicateSpace(self.fork_of))

    def release(self) -> None:
        """A process ends: one of a space that no core has loaded."""
        for space in list(self.private):
            if not self.hardware.loaded_by(space):
                del self.private[space], self.prot[space]
                self.processes_waits = True
                self.send(PROCESSES, memory.ReleaseSpace(space))
                return

    def act(self, number: int) -> None:
        one, space = self.cores[number], self.hardware.cr3[number]
        draw, page = self.random.random(), int(self.random.random() * (PAGES + SHARED_PAGES))
        if one.access is not None:
            self.attempt(number)
        elif draw < 0.04:
            one.tlb.flush()
            self.hardware.cr3[number] = list(self.private)[int(self.random.random() * len(self.private))]
        elif draw < 0.12 and page < PAGES and space != self.fork_of:
            self.change(number, space, page)
        else:
            self.stores += 1
            one.access = (page, self.stores % 250 + 1 if draw < 0.6 else -1)
            self.attempt(number)

    def change(self, number: int, space: int, page: int) -> None:
        address, who, draw = BASE + page * PAGE, caller(space), self.random.random()
        if draw < 0.3:
            message: Any = memory.Munmap(who, 1, address, PAGE)
        elif draw < 0.6:
            message = memory.Mmap(who, 1, address, PAGE, RW, f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED, None, 0)
        else:
            message = memory.Mprotect(who, 1, address, PAGE, RW if draw < 0.8 else f.PROT_READ)
        if (space, page) in self.flux:
            return
        one = self.cores[number]
        one.waits, one.page = "areas", page
        self.flux[space, page] = 1
        self.changes[number] = (space, message)
        self.send(FIRST_CORE + number, message)

    # ---- accesses ----------------------------------------------------------------------------------------------------------

    def attempt(self, number: int) -> None:
        one, space = self.cores[number], self.hardware.cr3[number]
        assert one.access is not None
        page, value = one.access
        vpn, write = (BASE >> 12) + page, value >= 0
        frame = (one.tlb.write if write else one.tlb.read).get(vpn)
        if frame is None:
            found = walk(self.hardware.tables[space], vpn, write, execute=False)
            if found <= 0:
                one.waits = "fault"
                self.send(FIRST_CORE + number, memory.PageFault(space, vpn << 12, write, False))
                return
            frame = self.hardware.ram.frame(found)
            one.tlb.insert(vpn, frame, write)
        one.access = None
        if write:
            frame.data[0] = value
        self.compare(space, page, value, frame.data[0])

    def compare(self, space: int, page: int, value: int, seen: int) -> None:
        if (space, page) in self.flux:
            if value >= 0 and page < PAGES:
                self.dirtied.add((space, page))
            return
        bytes_of = self.shared if page >= PAGES else self.private[space]
        if value >= 0:
            assert self.prot[space].get(page) == RW, "stored where writing is not allowed"
            bytes_of[page] = value
        else:
            assert self.prot[space].get(page), "loaded from what is not mapped"
            assert bytes_of[page] in {seen, None}, f"space {space} page {page}: loaded {seen}, stored was {bytes_of[page]}"

    def answered(self, to: int, value: Any) -> None:
        if to == PROCESSES:
            self.processes_waits = False
            if value is None:
                return
            self.private[value] = dict(self.private[self.fork_of])
            self.prot[value] = dict(self.prot[self.fork_of])
            self.fork_of = 0
            return
        number = to - FIRST_CORE
        one = self.cores[number]
        if one.waits == "fault":
            self.fault_answered(number, value)
        else:
            self.change_answered(number)
        one.waits = ""

    def fault_answered(self, number: int, trap: Any) -> None:
        one, space = self.cores[number], self.hardware.cr3[number]
        assert one.access is not None
        page, value = one.access
        one.tlb.invalidate((BASE >> 12) + page, 1)
        if trap is not None:
            allowed = self.prot[space].get(page, 0) & (f.PROT_WRITE if value >= 0 else f.PROT_READ)
            assert not allowed or (space, page) in self.flux, f"{trap} where the access is allowed"
            one.access = None

    def change_answered(self, number: int) -> None:
        space, message = self.changes.pop(number)
        page = self.cores[number].page
        del self.flux[space, page]
        if type(message) is memory.Munmap:
            self.prot[space].pop(page, None)
        elif type(message) is memory.Mmap:
            self.prot[space][page] = RW
            self.private[space][page] = 0
        elif page in self.prot[space]:
            self.prot[space][page] = message.prot
        if (space, page) in self.dirtied:
            self.dirtied.remove((space, page))
            self.private[space][page] = None

    # ---- the end -------------------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        while True:
            for number, one in enumerate(self.cores):
                while one.interrupts:
                    self.serve(number)
            senders = [sender for sender, box in self.boxes.items() if box]
            if not senders:
                break
            self.deliver(senders[0])
        assert not self.actor.state.shootdowns.pending
        for number in range(CORES):
            self.hardware.cr3[number] = 0
        for space in list(self.private):
            self.actor.reply_to(PROCESSES, memory.ReleaseSpace(space))
        assert self.actor.state.frames.used == 0
        assert not self.actor.state.objects.table


@given(st.integers(0, 1 << 32))
@settings(max_examples=25, deadline=None)
def test_every_core_loads_what_any_core_stored(seed):
    simulation = Simulation(seed)
    for _ in range(250):
        simulation.step()
    simulation.drain()
