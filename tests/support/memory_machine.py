"""A memory with programs that touch it, for tests of kernel/memory: accesses walk, fault and try again, as a core's do.

No core has a space loaded here, so every change is settled at once; tests/actors/test_memory.py has cores with TLBs.
"""

from __future__ import annotations

from kernel.abi import flags as f
from kernel.abi.layout import PAGE_MASK, PAGE_SHIFT
from kernel.hardware import Hardware, walk
from kernel.memory import mapping
from kernel.memory.address_space import AddressSpace
from kernel.memory.faults import Resolution, Trap, grant_write, resolve
from kernel.memory.mapping import FileToMap, MmapRequest
from kernel.memory.memory import ImageToMap, Memory
from kernel.memory.shootdown import Change

PAGE = 4096
RW = f.PROT_READ | f.PROT_WRITE
PRIVATE = f.MAP_PRIVATE | f.MAP_ANONYMOUS
SHARED = f.MAP_SHARED | f.MAP_ANONYMOUS
HEAP = 0x50_0000


class Segfault(Exception):
    """The access ended in a signal."""

    def __init__(self, trap: Trap) -> None:
        super().__init__(trap)
        self.trap = trap


class MemoryMachine:
    """One `Memory`, with calls by space number."""

    def __init__(self, frames: int = 256) -> None:
        self.memory = Memory(Hardware.with_frames(frames))
        self.last = Resolution("")  # of the last fault

    def new_space(self, stack: bytes = b"", stack_limit: int = 64 * PAGE) -> int:
        return self.memory.create(ImageToMap(0, "/bin/x", (), HEAP), stack_limit, stack).number

    def space(self, number: int) -> AddressSpace:
        return self.memory.spaces[number]

    def mmap(self, number: int, length: int, prot: int = RW, flags: int = PRIVATE, *, address: int = 0,
             file: FileToMap | None = None, offset: int = 0, privileged: bool = True) -> int:
        request = MmapRequest(address, length, prot, flags, offset, file, privileged)
        return self.settle(mapping.map_memory(self.memory, self.space(number), request))

    def munmap(self, number: int, address: int, length: int) -> None:
        self.settle(mapping.unmap_memory(self.memory, self.space(number), address, length))

    def mprotect(self, number: int, address: int, length: int, prot: int) -> int:
        change, errno = mapping.protect_memory(self.memory, self.space(number), address, length, prot)
        self.settle(change)
        return errno

    def brk(self, number: int, address: int) -> int:
        return self.settle(mapping.move_break(self.memory, self.space(number), address))

    def fork(self, number: int) -> int:
        return self.settle(self.memory.duplicate(number))

    def exit(self, number: int) -> None:
        self.settle(self.memory.release(number))

    def truncate(self, number: int, size: int) -> None:
        self.settle(mapping.truncate_object(self.memory, number, size))

    def settle(self, change: Change):
        self.memory.settle(change.frames)
        return change.value

    def file(self, number: int, content: bytes, *, may_write: bool = True) -> FileToMap:
        """A file with an object of this (even) number."""
        self.memory.objects.ensure(number, content)
        return FileToMap(number, f"/f{number}", number, may_write)

    def frame_of(self, number: int, address: int, write: bool, execute: bool = False) -> int:
        """Translate, with faults."""
        for _ in range(3):
            found = walk(self.memory.hardware.tables[number], address >> PAGE_SHIFT, write, execute)
            if found > 0:
                return found
            self.last = resolve(self.memory, number, address, write, execute)
            if self.last.trap is not None:
                raise Segfault(self.last.trap)
            if self.last.replaced:
                self.memory.settle([self.last.replaced])
                grant_write(self.memory, number, address >> PAGE_SHIFT, self.last.frame)
        raise AssertionError("a fault that was resolved happened again")

    def load(self, number: int, address: int) -> int:
        return self.memory.hardware.ram.frame(self.frame_of(number, address, write=False)).data[address & PAGE_MASK]

    def store(self, number: int, address: int, value: int) -> None:
        self.memory.hardware.ram.frame(self.frame_of(number, address, write=True)).data[address & PAGE_MASK] = value

    def violations(self) -> list[str]:
        return [violation.name for violation in self.memory.check()]

    @property
    def used(self) -> int:
        return self.memory.frames.used
