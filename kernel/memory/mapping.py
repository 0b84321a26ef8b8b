"""mmap(2), munmap(2), mprotect(2), brk(2), msync(2): changes of areas, with the page-table entries and references that follow.

The order of checks and their errnos are Linux's (mm/mmap.c, mm/mprotect.c). Each call answers a `Change`: what TLBs must forget and which
frames are released after that. Where no entry was present there is nothing to forget, and the change is empty.

Not modelled: RLIMIT_AS, RLIMIT_DATA, mlock, huge pages, protection keys. Like Linux's default (vm.overcommit_memory = 0), a mapping is
refused only if it is larger than all memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from kernel.abi import flags as f
from kernel.abi.errno_values import EACCES, EEXIST, EINVAL, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM
from kernel.abi.errnos import SysError
from kernel.abi.layout import MMAP_MIN, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, STACK_TOP
from kernel.memory.address_space import MAX_AREAS, AddressSpace
from kernel.memory.areas import Area, page_flags
from kernel.memory.faults import resolve
from kernel.memory.shootdown import Change, PageRange

if TYPE_CHECKING:
    from kernel.memory.memory import Memory

PROT_ALL: Final = f.PROT_READ | f.PROT_WRITE | f.PROT_EXEC
PROT_SEM: Final = 8  # accepted and ignored by Linux
MAP_NORESERVE: Final = 0x4000
TASK_SIZE: Final = STACK_TOP  # bytes; no user mapping ends above
SHARED_VALIDATE_FLAGS: Final = (
    f.MAP_TYPE | f.MAP_FIXED | f.MAP_ANONYMOUS | f.MAP_DENYWRITE | f.MAP_EXECUTABLE | f.MAP_GROWSDOWN | f.MAP_LOCKED
    | MAP_NORESERVE | f.MAP_POPULATE | 0x10000 | f.MAP_STACK | 0x40000 | f.MAP_FIXED_NOREPLACE)  # 0x10000 NONBLOCK, 0x40000 HUGETLB
SHARED_ANONYMOUS_NAME: Final = "/dev/zero (deleted)"


class FileToMap(msgspec.Struct, frozen=True):
    """What mmap needs to know of a file."""

    object: int
    name: str
    inode: int
    may_write: bool  # opened for reading and writing


class MmapRequest(msgspec.Struct, frozen=True):
    """mmap(2)'s arguments, resolved."""

    address: int
    length: int  # bytes
    prot: int
    flags: int
    offset: int = 0  # bytes
    file: FileToMap | None = None  # None: anonymous memory
    privileged: bool = True  # may map below MMAP_MIN, but never page 0


def round_up(length: int) -> int:
    """To whole pages."""
    return (length + PAGE_MASK) & ~PAGE_MASK


def map_memory(memory: Memory, space: AddressSpace, request: MmapRequest) -> Change:
    """mmap(2): the change's value is the address. Raises EINVAL, ENOMEM, EOVERFLOW, EPERM, EEXIST, EACCES, EOPNOTSUPP."""
    if request.offset & PAGE_MASK or not request.length:
        raise SysError(EINVAL)
    length = round_up(request.length)
    if not 0 < length <= TASK_SIZE:
        raise SysError(ENOMEM)
    if request.offset + length > 1 << 63:
        raise SysError(EOVERFLOW)
    if len(space.areas) >= MAX_AREAS:
        raise SysError(ENOMEM)
    start = _choose_address(space, request, length)
    shared = _is_shared(request)
    _refuse_overcommit(memory, request, shared, length)
    prot = request.prot & PROT_ALL
    change = unmap_range(memory, space, start, start + length) if space.overlapping(start, start + length) else Change()
    change.value = start
    area = _new_area(memory, request, start, length, shared)
    space.insert(area)
    memory.sync_objects(space, change, [area.object] if area.object else [])
    if request.flags & (f.MAP_POPULATE | f.MAP_LOCKED) and prot:
        for address in range(start, start + length, PAGE_SIZE):
            if resolve(memory, space.number, address, write=bool(prot & f.PROT_WRITE), execute=False).trap is not None:
                break
    return change


def _choose_address(space: AddressSpace, request: MmapRequest, length: int) -> int:
    address, flags = request.address, request.flags
    if not flags & (f.MAP_FIXED | f.MAP_FIXED_NOREPLACE):
        return space.place(length, address)
    if not 0 <= address <= TASK_SIZE - length:
        raise SysError(ENOMEM)
    if address & PAGE_MASK:
        raise SysError(EINVAL)
    if not address or (address < MMAP_MIN and not request.privileged):
        raise SysError(EPERM)
    if flags & f.MAP_FIXED_NOREPLACE and space.overlapping(address, address + length):
        raise SysError(EEXIST)
    return address


def _is_shared(request: MmapRequest) -> bool:
    kind = request.flags & f.MAP_TYPE
    if request.file is None:
        if kind not in (f.MAP_SHARED, f.MAP_PRIVATE):
            raise SysError(EINVAL)
        return kind == f.MAP_SHARED
    if kind == f.MAP_SHARED_VALIDATE and request.flags & ~SHARED_VALIDATE_FLAGS:
        raise SysError(EOPNOTSUPP)
    if kind not in (f.MAP_SHARED, f.MAP_SHARED_VALIDATE, f.MAP_PRIVATE):
        raise SysError(EINVAL)
    if kind != f.MAP_PRIVATE and request.prot & f.PROT_WRITE and not request.file.may_write:
        raise SysError(EACCES)
    if request.flags & f.MAP_GROWSDOWN:
        raise SysError(EINVAL)
    return kind != f.MAP_PRIVATE


def _refuse_overcommit(memory: Memory, request: MmapRequest, shared: bool, length: int) -> None:
    """Linux's heuristic: what could never be backed by frames is refused at once."""
    private_writable = not shared and request.prot & f.PROT_WRITE and not request.flags & MAP_NORESERVE
    if (private_writable or (shared and request.file is None)) and length >> PAGE_SHIFT > memory.hardware.ram.frame_count:
        raise SysError(ENOMEM)


def _new_area(memory: Memory, request: MmapRequest, start: int, length: int, shared: bool) -> Area:
    end, prot = start + length, request.prot & PROT_ALL
    if request.file is not None:
        file = request.file
        return Area(start, end, prot, shared, file.object, request.offset, file.name, file.inode, not shared or file.may_write)
    if shared:
        made = memory.objects.create_anonymous(length)
        return Area(start, end, prot, shared=True, object=made.number, name=SHARED_ANONYMOUS_NAME)
    return Area(start, end, prot, grows_down=bool(request.flags & f.MAP_GROWSDOWN))


def unmap_range(memory: Memory, space: AddressSpace, start: int, end: int) -> Change:
    """Remove areas and entries of [start, end). Raises ENOMEM if a split would make too many areas.

    Objects lose their references only at `memory.sync_objects`, so that a mapping may be replaced by one of the same object.
    """
    change = Change()
    for area in space.remove(start, end):
        _clear(memory, space, area.start, area.end, change)
        if area.object:
            memory.unsettled.append(area.object)
    return change


def _clear(memory: Memory, space: AddressSpace, start: int, end: int, change: Change) -> None:
    first, count = start >> PAGE_SHIFT, (end - start) >> PAGE_SHIFT
    frames = memory.tables.clear(space.number, first, count)
    if frames:
        change.add([PageRange(space.number, first, count)], frames)


def unmap_memory(memory: Memory, space: AddressSpace, address: int, length: int) -> Change:
    """munmap(2). Raises EINVAL, ENOMEM."""
    if address & PAGE_MASK or not 0 <= address <= TASK_SIZE or not 0 < length <= TASK_SIZE - address:
        raise SysError(EINVAL)
    change = unmap_range(memory, space, address, address + round_up(length))
    memory.sync_objects(space, change)
    return change


def protect_memory(memory: Memory, space: AddressSpace, address: int, length: int, prot: int) -> tuple[Change, int]:
    """mprotect(2): the change and an errno, 0 for success: on ENOMEM and EACCES what comes before the bad area has been changed."""
    if address & PAGE_MASK or prot & ~(PROT_ALL | PROT_SEM):
        return Change(), EINVAL
    if not length:
        return Change(), 0
    end = address + round_up(length)
    if length < 0 or not 0 <= address < end <= TASK_SIZE:
        return Change(), ENOMEM
    prot &= PROT_ALL
    change = Change()
    position = address
    for area in space.overlapping(address, end):
        if area.start > position:
            return change, ENOMEM
        if prot & f.PROT_WRITE and not area.may_write:
            return change, EACCES
        stop = min(area.end, end)
        try:
            space.protect(position, stop, prot)
        except SysError as refused:
            return change, refused.errno
        first, count = position >> PAGE_SHIFT, (stop - position) >> PAGE_SHIFT
        if memory.tables.protect(space.number, first, count, page_flags(prot, area.shared)):
            change.add([PageRange(space.number, first, count)], [])
        position = stop
    return change, 0 if position >= end else ENOMEM


def move_break(memory: Memory, space: AddressSpace, address: int) -> Change:
    """brk(2) as the system call: the change's value is the break afterwards; it stays where it cannot move."""
    if address < space.brk_start:
        return Change(space.brk)
    old_end, new_end = round_up(space.brk), round_up(address)
    change = Change()
    if new_end < old_end:
        change = unmap_range(memory, space, new_end, old_end)
        memory.sync_objects(space, change)
    elif new_end > old_end:
        too_large = (new_end - old_end) >> PAGE_SHIFT > memory.hardware.ram.frame_count
        if new_end > TASK_SIZE or too_large or len(space.areas) >= MAX_AREAS or not space.is_free(old_end, new_end + PAGE_SIZE):
            return Change(space.brk)
        space.insert(Area(old_end, new_end, f.PROT_READ | f.PROT_WRITE, name="[heap]"))
    space.brk = address
    change.value = address
    return change


def check_sync(space: AddressSpace, address: int, length: int, flags: int) -> None:
    """msync(2): mappings are coherent, so this only checks. Raises EINVAL, ENOMEM."""
    both = f.MS_ASYNC | f.MS_SYNC
    if flags & ~(both | f.MS_INVALIDATE) or address & PAGE_MASK or flags & both == both:
        raise SysError(EINVAL)
    end = address + round_up(length)
    if end < address:
        raise SysError(ENOMEM)
    position = address
    for area in space.overlapping(address, end) if end > address else []:
        if area.start > position:
            break
        position = area.end
    if position < end:
        raise SysError(ENOMEM)


def truncate_object(memory: Memory, number: int, size: int) -> Change:
    """Cut an object to `size`; its pages beyond go from all page tables too, private copies as well (as Linux: the access is SIGBUS)."""
    change = Change()
    entry = memory.objects.table[number]
    old_pages = entry.page_count
    change.add([], memory.objects.resize(number, size))
    first_cut = entry.page_count
    if first_cut < old_pages:
        for space_number in sorted(entry.mapped_by):
            space = memory.spaces[space_number]
            for area in space.areas:
                if area.object == number:
                    start = max(area.start, area.start + (first_cut << PAGE_SHIFT) - area.offset)
                    if start < area.end:
                        _clear(memory, space, start, area.end, change)
    return change
