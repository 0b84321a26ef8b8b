"""A tiny machine for tests of userspace: it runs one coroutine's ops on sparse memory, and answers system calls from a table.

    cpu = FakeCpu()
    cpu.run(printf("%d\n", 5));  cpu.output(1) == b"5\n"

Files are byte strings by path, descriptors are offsets into them; brk and mmap hand out zeroed memory. Each test may replace the answer
of a call: `cpu.calls[NUMBERS["read"]] = lambda fd, count: Failure(EINTR)`. Nothing is concurrent unless the test interleaves `step`s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernel.abi import ops
from kernel.abi.errno_values import EBADF, EINVAL, ENOENT, ENOTTY, ESPIPE
from kernel.abi.errnos import Failure
from kernel.abi.flags import O_ACCMODE, O_APPEND, O_CREAT, O_TRUNC, S_IFCHR, S_IFREG, SEEK_CUR
from kernel.abi.ops import In, Out
from kernel.abi.records import Stat
from kernel.abi.syscalls import NUMBERS, TABLE

PAGE = 4096


class Ended(Exception):
    """exit_group, exit, or an uncaught exception: `args` say which."""


class File:
    """An open file: `content` grows by writes; `pipe` has no offset."""

    def __init__(self, content: bytearray, flags: int, terminal: bool = False, pipe: bool = False) -> None:
        self.content = content
        self.flags = flags
        self.offset = 0
        self.terminal = terminal
        self.pipe = pipe


class Memory:
    """Sparse bytes, zero where nothing was written."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}

    def page(self, address: int) -> bytearray:
        return self.pages.setdefault(address // PAGE, bytearray(PAGE))

    def read(self, address: int, count: int) -> bytes:
        return bytes(self.page(a)[a % PAGE] for a in range(address, address + count))

    def write(self, address: int, data: bytes) -> None:
        for index, byte in enumerate(data):
            self.page(address + index)[(address + index) % PAGE] = byte


class FakeCpu:
    """One thread's CPU and kernel."""

    def __init__(self, terminal: bool = False) -> None:
        self.memory = Memory()
        self.registers = {"pthread_self": 0, "stack_pointer": 0x7FFF_F000, "tid": 100}
        self.trace: list[Any] = []  # every op executed
        self.written: list[tuple[int, bytes]] = []  # every write system call
        self.paths: dict[bytes, bytearray] = {}
        self.files = {fd: File(bytearray(), O_ACCMODE, terminal) for fd in range(3)}
        self.break_ = 0x0100_0000
        self.mappings = 0x7000_0000_0000
        self.calls: dict[int, Callable[..., Any]] = {}
        for name in dir(self):
            if name.startswith("sys_"):
                self.calls[NUMBERS[name[4:]]] = getattr(self, name)

    # ---- running --------------------------------------------------------------------------------------------------------

    def run(self, awaitable: Any) -> Any:
        """The result of the coroutine; its exceptions come out."""
        steps = self.start(awaitable)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value

    def start(self, awaitable: Any) -> Any:
        """A generator that executes one op at each `next`, and returns the coroutine's result."""
        coroutine = awaitable.__await__() if hasattr(awaitable, "__await__") else awaitable
        result: Any = None
        while True:
            try:
                op = coroutine.send(result)
            except StopIteration as done:
                return done.value
            self.trace.append(op)
            result = self.execute(op)
            yield op

    def output(self, fd: int) -> bytes:
        return b"".join(data for where, data in self.written if where == fd)

    def syscalls(self) -> list[str]:
        return [TABLE[op.nr].name for op in self.trace if isinstance(op, ops.Syscall)]

    # ---- ops ------------------------------------------------------------------------------------------------------------

    def scalar(self, address: int, code: int) -> int:
        return int.from_bytes(self.memory.read(address, ops.SIZES[code]), "little", signed=ops.SIGNED[code])

    def put(self, address: int, code: int, value: int) -> None:
        size = ops.SIZES[code]
        self.memory.write(address, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))

    def execute(self, op: Any) -> Any:
        match op:
            case ops.Load(address, code):
                return self.scalar(address, code)
            case ops.Store(address, code, value):
                self.put(address, code, value)
            case ops.ReadModifyWrite(address, code, kind, operand):
                old = self.scalar(address, code)
                new = (old + operand, old - operand, old & operand, old | operand, old ^ operand, operand)[kind]
                self.put(address, code, new)
                return old
            case ops.CompareExchange(address, code, expected, desired):
                old = self.scalar(address, code)
                if old == expected:
                    self.put(address, code, desired)
                return old
            case ops.ReadLine(address, count):
                assert address // 64 == (address + count - 1) // 64, "one op reads within one line"
                return self.memory.read(address, count)
            case ops.WriteLine(address, data):
                assert data, "one op writes something"
                assert address // 64 == (address + len(data) - 1) // 64, "one op writes within one line"
                self.memory.write(address, data)
            case ops.Alloca(size, align):
                self.registers["stack_pointer"] = (self.registers["stack_pointer"] - size) & ~(align - 1)
                return self.registers["stack_pointer"]
            case ops.Register(name):
                return self.registers[name]
            case ops.UncaughtException():
                raise Ended("uncaught", op)
            case ops.Syscall(nr, args):
                assert nr in self.calls, f"{TABLE[nr].name}{args} is not expected"
                return self.calls[nr](*args)
        return None

    # ---- system calls -----------------------------------------------------------------------------------------------------

    def sys_getpid(self) -> int:
        return 100

    def sys_gettid(self) -> int:
        return self.registers["tid"]

    def sys_set_tid_address(self, address: int) -> int:
        return self.registers["tid"]

    def sys_exit_group(self, status: int) -> None:
        raise Ended("exit_group", status)

    def sys_exit(self, status: int) -> None:
        raise Ended("exit", status)

    def sys_rt_sigprocmask(self, how: int, mask: int | None) -> int:
        return 0

    def sys_rt_sigaction(self, signo: int, act: Any) -> tuple[int, int, int]:
        return 0, 0, 0

    def sys_tgkill(self, tgid: int, tid: int, signo: int) -> None:
        raise Ended("signal", signo)

    def sys_rt_sigreturn(self) -> None:
        raise Ended("sigreturn")

    def sys_futex(self, word: int, op: int, value: int, *rest: Any) -> Any:
        return 0

    def sys_brk(self, address: int) -> int:
        self.break_ = max(self.break_, address)
        return self.break_

    def sys_mmap(self, address: int, length: int, *rest: int) -> int:
        self.mappings -= (length + PAGE - 1) & ~(PAGE - 1)
        return self.mappings

    def sys_munmap(self, address: int, length: int) -> None:
        for page in range(address // PAGE, (address + length + PAGE - 1) // PAGE):
            self.memory.pages.pop(page, None)

    def sys_openat(self, dirfd: int, path: bytes, flags: int, mode: int) -> Any:
        if path not in self.paths and not flags & O_CREAT:
            return Failure(ENOENT)
        content = self.paths.setdefault(path, bytearray())
        if flags & O_TRUNC:
            content.clear()
        fd = next(number for number in range(1000) if number not in self.files)
        self.files[fd] = File(content, flags)
        return fd

    def sys_close(self, fd: int) -> Any:
        return None if self.files.pop(fd, None) else Failure(EBADF)

    def sys_fcntl(self, fd: int, cmd: int, argument: int) -> Any:
        return self.files[fd].flags if fd in self.files else Failure(EBADF)

    def sys_fstat(self, fd: int) -> Any:
        if fd not in self.files:
            return Failure(EBADF)
        file = self.files[fd]
        kind = S_IFCHR if file.terminal else S_IFREG
        return Stat(kind | 0o644, fd + 1, 1, 1, 0, 0, 0, len(file.content), 4096, 0, 0, 0, 0)

    def sys_ioctl(self, fd: int, request: int, argument: Any) -> Any:
        return 0 if self.files[fd].terminal else Failure(ENOTTY)

    def sys_lseek(self, fd: int, offset: int, whence: int) -> Any:
        file = self.files[fd]
        if file.terminal or file.pipe:
            return Failure(ESPIPE)
        if whence != SEEK_CUR:
            return Failure(EINVAL)
        file.offset += offset
        return file.offset

    def sys_read(self, fd: int, count: Any) -> Any:
        if fd not in self.files:
            return Failure(EBADF)
        file = self.files[fd]
        size = count.count if isinstance(count, Out) else count
        data = bytes(file.content[file.offset : file.offset + size])
        file.offset += len(data)
        if not isinstance(count, Out):
            return data
        self.memory.write(count.address, data)
        return len(data)

    def sys_write(self, fd: int, data: Any) -> Any:
        if fd not in self.files:
            return Failure(EBADF)
        text = self.memory.read(data.address, data.count) if isinstance(data, In) else data
        self.written.append((fd, text))
        file = self.files[fd]
        if fd > 2:
            at = len(file.content) if file.flags & O_APPEND else file.offset
            file.content[at : at + len(text)] = text
            file.offset = at + len(text)
        return len(text)
