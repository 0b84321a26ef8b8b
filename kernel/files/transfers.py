"""Reading and writing regular files, as far as it concerns `files`: offsets, sizes, times. The bytes are `memory`'s.

A read is clipped to the file's size here, so that memory never has to know where a file ends. A write moves offset and size at once,
trusting that memory has frames for it; where it has not, memory says how much it wrote and `fell_short` sets both back (pages between two
writes of different threads are then holes, as they are on Linux after ENOSPC). Files of 2**63 - 1 bytes and more are EFBIG.
"""

from __future__ import annotations

from typing import Final

from kernel.abi.errno_values import EFBIG, EINVAL, ENXIO
from kernel.abi.errnos import SysError
from kernel.abi.flags import SEEK_CUR, SEEK_END, SEEK_SET
from kernel.files.inodes import Inode, InodeTable

MAX_FILE_SIZE: Final = (1 << 63) - 1
MAX_TRANSFER: Final = 0x7FFF_F000  # bytes that one read or write moves at most (MAX_RW_COUNT)
SEEK_DATA: Final = 3
SEEK_HOLE: Final = 4


def check_count(count: int, ram_bytes: int) -> int:
    """The count that is transferred at most: no buffer is larger than the machine's RAM. EINVAL if it is negative."""
    if count < 0:
        raise SysError(EINVAL)
    return min(count, MAX_TRANSFER, ram_bytes)


def read_extent(inode: Inode, offset: int, count: int) -> int:
    """How many bytes of a read lie inside the file."""
    return max(0, min(count, inode.size - offset))


def write_extent(inodes: InodeTable, number: int, offset: int, count: int, now_ns: int) -> int:
    """How many bytes of a write may be written; size and times are those after it. EFBIG."""
    if offset + count > MAX_FILE_SIZE:
        count = MAX_FILE_SIZE - offset
        if count <= 0:
            raise SysError(EFBIG)
    inode = inodes.edit(number)
    end = offset + count
    if end > inode.size:
        inode.grew_from, inode.grew_to = inode.size, end
        inode.size = end
    elif end == inode.size:
        inode.grew_from = end  # this write must not be taken for the one that made the file so long
    inode.mtime_ns = inode.ctime_ns = now_ns
    return count


def within_limit(limit: int, offset: int, count: int) -> int:
    """How many of the bytes lie below RLIMIT_FSIZE: none from the limit on, where SIGXFSZ and EFBIG are due."""
    return max(0, min(count, limit - offset))


def fell_short(inodes: InodeTable, number: int, wanted_end: int, written_end: int) -> None:
    """A write that should have reached `wanted_end` reached `written_end`: set the size back, unless others have moved it since."""
    inode = inodes.find(number)
    if inode is not None and inode.size == inode.grew_to == wanted_end:
        edited = inodes.edit(number)
        edited.size = max(inode.grew_from, written_end)
        edited.grew_to = -1


def seek(inode: Inode, position: int, offset: int, whence: int) -> int:
    """The new position: lseek(2). A file counts as one run of data without holes. EINVAL, ENXIO."""
    size = inode.shown_size()
    if whence in (SEEK_DATA, SEEK_HOLE):
        if offset < 0 or offset >= size:
            raise SysError(ENXIO)
        return offset if whence == SEEK_DATA else size
    new = offset + {SEEK_SET: 0, SEEK_CUR: position, SEEK_END: size}[whence]
    if new < 0 or new > MAX_FILE_SIZE:
        raise SysError(EINVAL)
    return new
