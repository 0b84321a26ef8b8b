"""`memory` as an actor: address spaces, faults, the page cache, and the shootdowns that make changes of them true on every core.

A request that takes translations away changes the page table first, sends `Shootdown` to every core that has the space loaded (the
asker's too: it serves interrupts while it waits), and is answered at the last `ShootdownAck`; frames are released only then.
memory never waits for the acknowledgements itself (law 2b): it goes on serving, and parks what would disturb a pending shootdown,
which is tried again from the start when that is over (kernel/memory/shootdown.py says what and why).

A core that faults forgets the faulting page itself, as x86 does: a copy on write interrupts only the other cores.
FUTEX_WAIT and FUTEX_WAKE pass here, where mappings are known, on their way to `ipc`: so that no copy-on-write comes between the
translation of the address and the comparison (law 3).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Final

import msgspec

from actors.actor import PENDING, Actor, ReplyTo
from actors.events import FutexWaitEvent, PageFaultUser, TlbShootdown
from actors.messages import core, files, ipc, memory
from actors.messages.base import Message
from actors.ranks import FILES, FIRST_CORE, IPC, MEMORY
from kernel.abi import flags as f
from kernel.abi.errno_values import EAGAIN, EINVAL, ENOSPC, ENOSYS, ESRCH
from kernel.abi.errnos import Failure, SysError
from kernel.abi.layout import PAGE_SHIFT, STACK_TOP
from kernel.abi.records import Stat
from kernel.memory import mapping
from kernel.memory.areas import AreaStatistics
from kernel.memory.faults import Resolution, grant_write, resolve
from kernel.memory.frames import FrameStatistics
from kernel.memory.futex_keys import FutexKey, futex_key, futex_word
from kernel.memory.mapping import FileToMap, MmapRequest
from kernel.memory.memory import ImageToMap, Memory, SegmentToMap
from kernel.memory.shootdown import Change, PageRange, Pending
from kernel.processes.initial_stack import Arguments, build_initial_stack

FUTEX_COMMAND: Final = 127  # op without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME


class MemoryActor(Actor):
    """Serves messages/memory.py."""

    rank: ClassVar[int] = MEMORY
    state: Memory

    def handlers(self) -> dict[type[Message], Callable[[Any], Any]]:
        """What may be parked stands in PARKABLE, below."""
        table: dict[type[Message], Callable[[Any], Any]] = {
            memory.NewSpace: self.new_space,
            memory.ShareSpace: self.share_space,
            memory.ReleaseSpace: self.release_space,
            memory.ShootdownAck: self.shootdown_ack,
            memory.Msync: self.check_sync,
            memory.Futex: self.wait_or_wake,
            memory.DropObject: self.drop_object,
            memory.ReadObject: self.read_object,
            memory.WriteObject: self.write_object,
            memory.ResizeObject: self.resize_object,
            memory.StatObject: self.stat_object,
            memory.Maps: self.maps,
            memory.ResidentPages: self.resident_pages,
            memory.MemoryStatistics: self.memory_statistics,
            memory.PeekWord: self.peek_word,
        }
        for kind, work in PARKABLE.items():
            table[kind] = partial(self._begin, work)
        return table

    # ---- shootdown -----------------------------------------------------------------------------------------------------------

    def _begin(self, work: Callable[[MemoryActor, ReplyTo, Any], Any], message: Message) -> Any:
        return work(self, self.defer(), message)

    def _finish(self, to: ReplyTo, change: Change, except_core: int = -1) -> Any:
        """Answer when TLBs have forgotten what the change took away: at once if no core has the space loaded, else PENDING."""
        told = [(number, one) for one in change.ranges for number in self.state.hardware.loaded_by(one.space) if number != except_core]
        if not told:
            self.state.settle(change.frames)
            return change.value
        self._shoot(change, told).reply = (to, change.value)
        return PENDING

    def _shoot(self, change: Change, told: list[tuple[int, PageRange]]) -> Pending:
        pending = self.state.shootdowns.begin(change, [number for number, _ in told])
        if self.log.fault:
            for one in change.ranges:
                cores = [number for number, asked in told if asked == one]
                if cores:
                    self.emit(TlbShootdown(space=one.space, first_page=one.first, pages=one.pages, cores=cores))
        for number, one in told:
            self.tell(FIRST_CORE + number, core.Shootdown(pending.token, one.space, one.first, one.pages))
        return pending

    def shootdown_ack(self, message: memory.ShootdownAck) -> None:
        """The last one releases frames, answers the request, and lets parked requests try again."""
        done = self.state.shootdowns.acknowledge(message.token, message.core)
        if done is None:
            return
        self.state.settle(done.frames)
        if done.grant is not None:
            grant_write(self.state, *done.grant)
        if done.reply is not None:
            self.answer(*done.reply)
        for to, request in done.parked:
            try:
                value = PARKABLE[type(request)](self, to, request)
            except SysError as error:
                value = Failure(error.errno)
            if value is not PENDING:
                self.answer(to, value)

    def _parked_on_space(self, space: int, to: ReplyTo, message: Message) -> bool:
        """Areas of a space change one request at a time, as under Linux's mmap_lock."""
        pending = self.state.shootdowns.of_space(space)
        if pending is not None:
            pending.parked.append((to, message))
        return pending is not None

    def _parked_on_page(self, space: int, address: int, to: ReplyTo, message: Message) -> bool:
        """A page that some core may still see differently waits."""
        pending = self.state.shootdowns.of_page(space, address >> PAGE_SHIFT)
        if pending is not None:
            pending.parked.append((to, message))
        return pending is not None

    # ---- faults --------------------------------------------------------------------------------------------------------------

    def page_fault(self, to: ReplyTo, message: memory.PageFault) -> Any:
        """A core's access missed."""
        if self._parked_on_page(message.space, message.address, to, message):
            return PENDING
        found = resolve(self.state, message.space, message.address, message.write, message.execute)
        self._log_fault(to, message, found)
        if found.trap is None and found.kind != "spurious":
            self.charge(self.costs.fault_ns + (self.costs.page_copy_ns if found.copied else 0))
        if found.replaced:
            return self._replace(to, message.space, message.address, found)
        return found.trap

    def _replace(self, to: ReplyTo, space: int, address: int, found: Resolution) -> Any:
        """A copy has taken the place of a frame that other cores may still read: it may be written when they have forgotten that."""
        vpn = address >> PAGE_SHIFT
        outcome = self._finish(to, Change(None, [PageRange(space, vpn, 1)], [found.replaced]), except_core=to - FIRST_CORE)
        grant = (space, vpn, found.frame)
        if outcome is PENDING:
            pending = self.state.shootdowns.of_page(space, vpn)
            assert pending is not None, "a shootdown that has just begun is pending"
            pending.grant = grant
        else:
            grant_write(self.state, *grant)
        return outcome

    def _log_fault(self, to: ReplyTo, message: memory.PageFault, found: Resolution) -> None:
        if self.log.fault:
            access = "write" if message.write else "execute" if message.execute else "read"
            event = PageFaultUser(address=message.address, access=access, kind=found.kind, frame=found.frame, copied=found.copied)
            self.emit(event, cpu=to - FIRST_CORE if to >= FIRST_CORE else -1, pid=message.pid, tid=message.tid)

    # ---- spaces --------------------------------------------------------------------------------------------------------------

    def new_space(self, message: memory.NewSpace) -> memory.SpaceReady:
        """execve(2)."""
        image = message.image
        stack = build_initial_stack(Arguments(message.argv, message.envp, message.execfn), image.entry, message.stack_limit,
                                    message.random, message.ids)
        if message.object:
            self.state.objects.ensure(message.object, message.seed)
        segments = tuple(SegmentToMap(part.address, part.size, part.prot, part.offset, part.file_size, part.data, part.name)
                         for part in image.segments)
        path = message.execfn.decode(errors="backslashreplace")
        space = self.state.create(ImageToMap(message.object, path, segments, image.brk), message.stack_limit, stack.data)
        return memory.SpaceReady(space.number, stack.pointer, max(STACK_TOP - message.stack_limit, 0))

    def duplicate_space(self, to: ReplyTo, message: memory.DuplicateSpace) -> Any:
        """fork(2)."""
        if self._parked_on_space(message.space, to, message):
            return PENDING
        self.charge(self.costs.fork_page_ns * self.state.tables.resident(message.space))
        return self._finish(to, self.state.duplicate(message.space))

    def share_space(self, message: memory.ShareSpace) -> None:
        """CLONE_VM."""
        self.state.spaces[message.space].users += 1

    def release_space(self, message: memory.ReleaseSpace) -> Any:
        """exit, exec."""
        return self._finish(self.defer(), self.state.release(message.space))

    # ---- areas ---------------------------------------------------------------------------------------------------------------

    def map_memory(self, to: ReplyTo, message: memory.Mmap) -> Any:
        """mmap(2)."""
        number = message.caller.space
        if self._parked_on_space(number, to, message):
            return PENDING
        file = None
        if message.file is not None and message.file.device != "zero":
            self.state.objects.ensure(message.file.object, message.file.seed)
            file = FileToMap(message.file.object, message.file.name, message.file.inode, message.file.may_write)
        request = MmapRequest(message.address, message.length, message.prot, message.flags, message.offset, file,
                              privileged=message.caller.euid == 0)
        return self._finish(to, mapping.map_memory(self.state, self.state.spaces[number], request))

    def unmap_memory(self, to: ReplyTo, message: memory.Munmap) -> Any:
        """munmap(2)."""
        number = message.caller.space
        if self._parked_on_space(number, to, message):
            return PENDING
        return self._finish(to, mapping.unmap_memory(self.state, self.state.spaces[number], message.address, message.length))

    def protect_memory(self, to: ReplyTo, message: memory.Mprotect) -> Any:
        """mprotect(2)."""
        number = message.caller.space
        if self._parked_on_space(number, to, message):
            return PENDING
        change, errno = mapping.protect_memory(self.state, self.state.spaces[number], message.address, message.length, message.prot)
        change.value = Failure(errno) if errno else None
        return self._finish(to, change)

    def move_break(self, to: ReplyTo, message: memory.Brk) -> Any:
        """brk(2)."""
        number = message.caller.space
        if self._parked_on_space(number, to, message):
            return PENDING
        return self._finish(to, mapping.move_break(self.state, self.state.spaces[number], message.address))

    def check_sync(self, message: memory.Msync) -> None:
        """msync(2)."""
        mapping.check_sync(self.state.spaces[message.caller.space], message.address, message.length, message.flags)

    # ---- futex words -----------------------------------------------------------------------------------------------------------

    def wait_or_wake(self, message: memory.Futex) -> Any:
        """futex(2): WAIT and WAKE, and their bitset forms with the bitset that matches everything."""
        command = message.op & FUTEX_COMMAND
        waits = command in {f.FUTEX_WAIT, f.FUTEX_WAIT_BITSET}
        if not waits and command not in {f.FUTEX_WAKE, f.FUTEX_WAKE_BITSET}:
            raise SysError(ENOSYS)
        if waits and message.deadline is not None and message.deadline < 0:
            raise SysError(EINVAL)
        if message.op & f.FUTEX_CLOCK_REALTIME and command != f.FUTEX_WAIT_BITSET:
            raise SysError(ENOSYS)
        if command in {f.FUTEX_WAIT_BITSET, f.FUTEX_WAKE_BITSET} and message.value3 != f.FUTEX_BITSET_MATCH_ANY:
            raise SysError(EINVAL if message.value3 == 0 else ENOSYS)
        key = futex_key(self.state, message.caller.space, message.word, bool(message.op & f.FUTEX_PRIVATE_FLAG))
        if not waits:
            return self.forward(IPC, ipc.FutexWake(message.caller, message.serial, key, message.value, message.word))
        found = futex_word(self.state, message.caller.space, message.word)
        queued = found == message.value & 0xFFFF_FFFF
        self._log_futex(message, key, found, queued)
        if not queued:
            raise SysError(EAGAIN)
        return self.forward(IPC, ipc.FutexQueue(message.caller, message.serial, key, message.deadline, message.word))

    def _log_futex(self, message: memory.Futex, key: FutexKey, found: int, queued: bool) -> None:
        if self.log.futex:
            event = FutexWaitEvent(address=message.word, key=list(key), expected=message.value & 0xFFFF_FFFF, found=found, queued=queued)
            self.emit(event, cpu=self.defer() - FIRST_CORE, pid=message.caller.pid, tid=message.caller.tid)

    def clear_tid(self, to: ReplyTo, message: memory.ClearTid) -> Any:
        """CLONE_CHILD_CLEARTID: a thread died; whoever joins it waits on this word."""
        outcome = self._store(to, message, message.space, message.address, 0)
        if outcome is not PENDING:
            try:
                key = futex_key(self.state, message.space, message.address, private=False)
            except SysError:
                return None  # a bad address: nobody can wait there
            self.tell(IPC, ipc.FutexWakeDead(key))
        return outcome

    def write_word(self, to: ReplyTo, message: memory.WriteWord) -> Any:
        """CLONE_PARENT_SETTID, CLONE_CHILD_SETTID."""
        return self._store(to, message, message.space, message.address, message.value)

    def _store(self, to: ReplyTo, message: Message, space: int, address: int, value: int) -> Any:
        """Store an int32; None when done (or the address is bad), PENDING where the page must first be forgotten by other cores."""
        if address & 3:
            return None
        if self._parked_on_page(space, address, to, message):
            return PENDING
        found = resolve(self.state, space, address, write=True, execute=False)
        if found.trap is not None:
            return None
        if found.replaced and self._replace(-1, space, address, found) is PENDING:
            self._take_over_reply(space, address, to, message)
            return PENDING
        self.state.poke(space, address, value)
        return None

    def _take_over_reply(self, space: int, address: int, to: ReplyTo, message: Message) -> None:
        """The shootdown of a kernel store answers nobody: the store is tried again after it."""
        pending = self.state.shootdowns.of_page(space, address >> PAGE_SHIFT)
        assert pending is not None, "a shootdown that has just begun is pending"
        pending.reply = None
        pending.parked.append((to, message))

    # ---- memory objects --------------------------------------------------------------------------------------------------------

    def drop_object(self, message: memory.DropObject) -> None:
        """The file is gone; mappings may keep its pages."""
        self.state.drop_object(message.object)

    def read_object(self, message: memory.ReadObject) -> bytes:
        """read(2) of a regular file."""
        self.state.objects.ensure(message.object, message.seed)
        return self.state.objects.read(message.object, message.offset, message.count)

    def write_object(self, message: memory.WriteObject) -> int:
        """write(2) of a regular file."""
        self.state.objects.ensure(message.object, message.seed)
        written = self.state.objects.write(message.object, message.offset, message.data)
        if written < len(message.data):
            self.tell(FILES, files.WriteFellShort(message.inode, message.description, message.offset, len(message.data), written))
            if not written:
                raise SysError(ENOSPC)
        return written

    def resize_object(self, message: memory.ResizeObject) -> Any:
        """truncate(2)."""
        self.state.objects.ensure(message.object, message.seed)
        change = mapping.truncate_object(self.state, message.object, message.size)
        change.value = message.answer
        return self._finish(self.defer(), change)

    def stat_object(self, message: memory.StatObject) -> Stat:
        """stat(2): only here is it known which pages are holes."""
        return msgspec.structs.replace(message.stat, st_blocks=self.state.objects.blocks(message.object))

    # ---- for /proc, reports and checks -------------------------------------------------------------------------------------------

    def maps(self, message: memory.Maps) -> tuple[AreaStatistics, ...]:
        """/proc/PID/maps."""
        self._require_space(message.space)
        return self.state.maps(message.space)

    def resident_pages(self, message: memory.ResidentPages) -> tuple[int, int]:
        """/proc/PID/statm."""
        self._require_space(message.space)
        return self.state.resident_pages(message.space)

    def _require_space(self, space: int) -> None:
        if space not in self.state.spaces:
            raise SysError(ESRCH)  # it was released after whoever asks had looked

    def memory_statistics(self, _: memory.MemoryStatistics) -> FrameStatistics:
        """/proc/meminfo."""
        return self.state.statistics()

    def peek_word(self, message: memory.PeekWord) -> int | None:
        """For diagnosis: changes nothing."""
        return self.state.peek(message.space, message.address)


PARKABLE: Final[dict[type[Message], Callable[[MemoryActor, ReplyTo, Any], Any]]] = {
    memory.PageFault: MemoryActor.page_fault,
    memory.DuplicateSpace: MemoryActor.duplicate_space,
    memory.Mmap: MemoryActor.map_memory,
    memory.Munmap: MemoryActor.unmap_memory,
    memory.Mprotect: MemoryActor.protect_memory,
    memory.Brk: MemoryActor.move_break,
    memory.ClearTid: MemoryActor.clear_tid,
    memory.WriteWord: MemoryActor.write_word,
}
"""Requests that wait while a shootdown concerns them, and are tried again from the start."""
