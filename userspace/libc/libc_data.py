"""The libc segment: where in simulated memory libc keeps what C's libc keeps in .data and .bss.

libc holds no Python state. Everything that outlives a call lies here, so fork duplicates it (unflushed stdio text among it) exactly as
in C, and threads meet on it exactly as in C: each part has a lock word, taken by compare-and-exchange and slept on by futex.
The segment starts as zeroes, at a fixed address, and zero is everywhere a good beginning: an unlocked lock, a stream that has not been
used, an empty heap, a generator that nobody has seeded.

    +0x0000  stdin, stdout, stderr        64 bytes each
    +0x0100  the list of streams, the list of atexit functions, environ
    +0x0200  rand
    +0x0300  the heap: arena and small bins
    +0x1000  buffers of stdin and stdout, 4 KiB each
    +0x8000  the rest is for pthreads and whoever else needs a fixed place (PTHREAD_DATA)
"""

from __future__ import annotations

from typing import Final

from kernel.abi.layout import LIBC_DATA, LIBC_DATA_SIZE
from userspace.layout import Array, Struct
from userspace.ref import sizeof
from userspace.scalars import i32, i64, ptr, u32, u64

SMALL_BINS: Final = 64  # free lists of chunks of one size: 16, 32, … bytes
RAND_DEGREE: Final = 31  # words of rand's state, TYPE_3 of glibc's random_r.c
STATIC_BUFFER: Final = 4096  # bytes, of stdin's and stdout's buffers


class FILE(Struct):
    """A stdio stream: one cache line, so that its whole head is read by one op. `lock` guards all other fields."""

    lock: u32  # 0 free, else the owner (from its pthread_self) and the bit 31 "somebody waits"
    flags: u32  # F_* in stdio.py; 0: a standard stream nobody has used yet
    fd: i32
    offset: i32  # bytes from what malloc gave to this head
    buffer: u64  # address, 0: none yet
    size: u64  # bytes of the buffer
    position: u64  # writing: bytes that wait to be written; reading: index of the next byte
    end: u64  # reading: bytes in the buffer; 0 while writing
    next: u64  # next stream of the list, guarded by the list's lock
    child: i64  # popen's process


class StreamList(Struct):
    """The streams that fopen made, newest first; the three standard ones come after them."""

    lock: u32
    head: u64


class ExitFunction(Struct):
    """A node of the atexit list, from malloc."""

    function: u64  # .text address
    next: u64


class ExitList(Struct):
    """atexit's functions, last registered first."""

    lock: u32
    head: u64


class Environment(Struct):
    """environ(7): the vector of pointers to NAME=value strings."""

    lock: u32
    vector: ptr  # 0 until crt has run
    capacity: u64  # entries in a vector that libc allocated itself; 0: the one on the stack, which cannot grow


class RandomState(Struct):
    """random_r(3), TYPE_3: an additive feedback generator."""

    lock: u32
    front: i32  # 1 + index of the word to be replaced next; 0: not seeded, which is srand(1)
    state: Array[u32, RAND_DEGREE]  # type: ignore[type-arg, valid-type]


class Arena(Struct):
    """The heap. One line, read by one op. Invariant: top <= end."""

    lock: u32
    unused: u32
    large: u64  # first free chunk that has no bin, 0: none
    top: u64  # first byte never handed out
    end: u64  # end of the heap's memory, the program break


class Bins(Struct):
    """First free chunk of each small size."""

    head: Array[u64, SMALL_BINS]  # type: ignore[type-arg, valid-type]


STDIN: Final = LIBC_DATA
STDOUT: Final = LIBC_DATA + 0x40
STDERR: Final = LIBC_DATA + 0x80
STREAMS: Final[StreamList] = StreamList.at(LIBC_DATA + 0x100)
EXITS: Final[ExitList] = ExitList.at(LIBC_DATA + 0x140)
ENVIRONMENT: Final[Environment] = Environment.at(LIBC_DATA + 0x180)
RANDOM: Final[RandomState] = RandomState.at(LIBC_DATA + 0x200)
ARENA: Final[Arena] = Arena.at(LIBC_DATA + 0x300)
BINS: Final[Bins] = Bins.at(LIBC_DATA + 0x340)
STDIN_BUFFER: Final = LIBC_DATA + 0x1000
STDOUT_BUFFER: Final = LIBC_DATA + 0x2000
PTHREAD_DATA: Final = LIBC_DATA + 0x8000
PTHREAD_DATA_SIZE: Final = LIBC_DATA_SIZE - 0x8000

assert sizeof(FILE) == 64, "a stream's head is one line"
assert sizeof(RandomState) <= 0x100, "rand's state ends before the heap's"
assert sizeof(Bins) + 0x340 <= 0x1000, "the bins end before the buffers"
assert STDOUT_BUFFER + STATIC_BUFFER <= PTHREAD_DATA, "the buffers end before the threads' part"
