"""Where things lie in an address space, as on x86-64 Linux without address space randomisation."""

from __future__ import annotations

from typing import Final

PAGE_SIZE: Final = 4096
PAGE_SHIFT: Final = 12
PAGE_MASK: Final = PAGE_SIZE - 1

TEXT_BASE: Final = 0x0040_0000  # the image's text segment; functions have addresses in it
ENTRY_OFFSET: Final = 0x1000  # of the entry point; program functions follow it
FUNCTION_ALIGN: Final = 16
BYTES_PER_LINE: Final = 4  # a line of a function takes so many bytes of .text: pc = symbol + 4 * (line - first line)
LIBC_DATA: Final = 0x0080_0000  # libc's own data (.bss): stdio, malloc, rand, atexit, environ
LIBC_DATA_SIZE: Final = 0x1_0000
DATA_BASE: Final = 0x00A0_0000  # .data and .bss of the program's Globals; the heap starts at the next page after them
MMAP_TOP: Final = 0x7FFF_F000_0000  # mmap goes down from here
STACK_TOP: Final = 0x7FFF_FFFF_F000  # the main stack ends here and grows down
USER_END: Final = 0x8000_0000_0000  # addresses from here on are never user memory
MMAP_MIN: Final = 0x1_0000  # lower fixed mappings are EPERM for programs without privilege; NULL stays unmapped
STACK_LIMIT: Final = 8 << 20  # bytes, RLIMIT_STACK
THREAD_STACK: Final = 8 << 20  # bytes, default pthread stack
STACK_PER_CALL: Final = 16 << 10  # bytes of stack that one nested coroutine counts for
