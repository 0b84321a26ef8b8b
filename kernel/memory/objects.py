"""Memory objects: what the pages of a file, of a shared mapping, or of shared memory are kept in. Together they are the page cache.

An object is pages by number and a size in bytes. read(2), write(2) and MAP_SHARED mappings all work on these same frames, which is why
they are coherent. A page that nobody has touched is a hole: it costs no frame and reads as zeros.

An object lives as long as a file refers to it (`files` says when it no longer does) or a mapping does. `mapped_by` doubles as Linux's
i_mmap: it says in which address spaces a truncated page must be looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kernel.abi.errno_values import ENOMEM
from kernel.abi.errnos import SysError
from kernel.abi.layout import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from kernel.hardware.ram import PhysicalFrame
from kernel.memory.frames import Frames


@dataclass(slots=True)
class MemoryObject:
    """Numbered pages in frames."""

    number: int
    size: int  # bytes
    held_by_file: bool  # a file (or files' page of /dev/shm) refers to it
    pages: dict[int, int] = field(default_factory=dict)  # page number -> frame, one reference each; none at or beyond the end
    mapped_by: dict[int, None] = field(default_factory=dict)  # spaces; Invariant: object_references - exactly those with an area of it

    @property
    def page_count(self) -> int:
        """Pages up to the end, the last one rounded up: an access beyond them is SIGBUS."""
        return (self.size + PAGE_MASK) >> PAGE_SHIFT


class Objects:
    """All memory objects by number: even numbers are given by `files`, odd ones are anonymous objects made here."""

    __slots__ = ("frames", "next_number", "table")

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.table: dict[int, MemoryObject] = {}
        self.next_number = 1

    def create_anonymous(self, size: int) -> MemoryObject:
        """A new object of `size` bytes, all holes, that no file holds: it must be mapped at once."""
        made = MemoryObject(self.next_number, size, held_by_file=False)
        self.next_number += 2
        self.table[made.number] = made
        return made

    def ensure(self, number: int, seed: bytes) -> MemoryObject:
        """The object of a file; made with `seed` as its content where it is not known yet. Raises ENOMEM (nothing is made then)."""
        found = self.table.get(number)
        if found is not None:
            return found
        assert number > 0, "object ids count from 1"
        assert number % 2 == 0, "objects of files have even ids"
        made = self.table[number] = MemoryObject(number, 0, held_by_file=True)
        if self.write(number, 0, seed) < len(seed):
            del self.table[number]
            self.frames.release_all(made.pages[page] for page in sorted(made.pages))
            raise SysError(ENOMEM)
        return made

    def page(self, entry: MemoryObject, number: int) -> PhysicalFrame:
        """The frame of page `number`, made if it is a hole. Raises ENOMEM."""
        frame = entry.pages.get(number)
        if frame is not None:
            return self.frames.ram.frame(frame)
        made = self.frames.allocate()
        entry.pages[number] = made.number
        return made

    def read(self, number: int, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`, fewer at the end; holes read as zeros and stay holes."""
        entry = self.table[number]
        end = min(offset + count, entry.size)
        parts: list[bytes] = []
        while offset < end:
            start = offset & PAGE_MASK
            length = min(PAGE_SIZE - start, end - offset)
            frame = entry.pages.get(offset >> PAGE_SHIFT)
            parts.append(bytes(length) if frame is None else bytes(self.frames.ram.frame(frame).data[start:start + length]))
            offset += length
        return b"".join(parts)

    def write(self, number: int, offset: int, data: bytes) -> int:
        """Write `data` at `offset`, growing the object; answers how many bytes fitted into the frames that were left."""
        entry = self.table[number]
        written = 0
        while written < len(data):
            start = (offset + written) & PAGE_MASK
            length = min(PAGE_SIZE - start, len(data) - written)
            try:
                frame = self.page(entry, (offset + written) >> PAGE_SHIFT)
            except SysError as refused:
                if refused.errno != ENOMEM:
                    raise
                break
            frame.data[start:start + length] = data[written:written + length]
            written += length
        if written:
            entry.size = max(entry.size, offset + written)
        return written

    def resize(self, number: int, size: int) -> list[int]:
        """Set the size; answers the frames of the pages that are cut off, whose references the caller now has.

        The rest of the last page is zeroed: what grows back later reads as zeros (truncate(2)).
        """
        entry = self.table[number]
        entry.size = size
        cut = [page for page in entry.pages if page >= entry.page_count]
        frames = [entry.pages.pop(page) for page in sorted(cut)]
        last = entry.pages.get(size >> PAGE_SHIFT)
        if last is not None and size & PAGE_MASK:
            self.frames.ram.frame(last).data[size & PAGE_MASK:] = bytes(PAGE_SIZE - (size & PAGE_MASK))
        return frames

    def collect(self, number: int) -> list[int]:
        """If neither file nor mapping refers to the object, remove it; answers its frames, whose references the caller now has."""
        entry = self.table[number]
        if entry.held_by_file or entry.mapped_by:
            return []
        del self.table[number]
        return [entry.pages[page] for page in sorted(entry.pages)]

    def blocks(self, number: int) -> int:
        """What stat(2) calls st_blocks: the object's pages in units of 512 bytes, without its holes; 0 for what is not known here yet."""
        entry = self.table.get(number)
        return len(entry.pages) * (PAGE_SIZE // 512) if entry is not None else 0

    def cached_frames(self) -> int:
        """Frames of objects that files hold."""
        return sum(len(entry.pages) for entry in self.table.values() if entry.held_by_file)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Objects) and self.table == other.table and self.next_number == other.next_number

    __hash__ = None  # type: ignore[assignment]  # mutable
