"""Programs that try to break the machine, one trick each. It stands, says what happened, and leaves nothing behind.

Each runs on a small machine and a larger one, in time, at op and at message granularity, with invariants checked where orders are drawn.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.machines import explain, run
from userspace.loader_check import ProgramError

MODES: list[dict[str, Any]] = [
    {"config": "tiny"},
    {"config": "quad"},
    {"config": "checked", "strategy": "random", "granularity": "ops"},
    {"config": "checked", "strategy": "random", "granularity": "messages"},
]
ANY = -2  # in place of a status: it depends on the order
REFUSED = -1  # in place of a status: the program is refused before it runs

TRICKS: dict[str, tuple[int, str, str]] = {  # status, a text that is told or printed, program
    "a count that is a float": (
        134,
        "'float' object cannot be interpreted as an integer",
        """
async def main():
    a = await malloc(64)
    x = i32.at(a)
    await x.read_bytes(1.5)
""",
    ),
    "work that is a text": (
        134,
        "'str' object cannot be interpreted as an integer",
        """
async def main():
    await compute("1")
""",
    ),
    "work that is a float": (
        134,
        "'float' object cannot be interpreted as an integer",
        """
async def main():
    await compute(1.5)
""",
    ),
    "a value that computes itself into a text": (
        134,
        "store: value must be int, not str",
        """
class I(int):
    def __add__(self, o): return "x"
    __radd__ = __add__
class J:
    def __add__(self, o): return self
    def __and__(self, o): return self
    def __sub__(self, o): return "oops"
async def main():
    a = await malloc(64)
    await i32.at(a).store(J())
""",
    ),
    "numbers of a class with hostile comparisons": (
        0,
        "hello",
        """
class I(int):
    def __hash__(self): raise ValueError("hash")
    def __eq__(self, other): raise ValueError("eq")
async def main():
    await write(I(1), b"hello\\n")
    await close(I(1))
    await kill(I(100), I(0))
    await getpgid(I(100))
""",
    ),
    "descriptors and flags that are enums": (
        0,
        "hello\nchild\n",
        """
import enum
class Fd(enum.IntEnum):
    OUT = 1
class Fl(enum.IntFlag):
    A = 2
    B = 64
async def main():
    await write(Fd.OUT, b"hello\\n")
    fd = await open("q", Fl.A | Fl.B)
    if await fork() == 0:
        await write(Fd.OUT, b"child\\n")
        return 3
    await wait()
""",
    ),
    "a list handed to another process": (
        134,
        "an argument is a plain value",
        """
L = []
async def child(arg):
    arg.append(1)
    return 0
async def main():
    l = []
    pid = await clone(child, SIGCHLD, l)
    await waitpid(pid, 0)
    await printf("%d\\n", len(l))
""",
    ),
    "a list handed to another thread": (
        134,
        "an argument is a plain value",
        """
async def child(arg):
    arg.append(1)
async def main():
    l = []
    t = await pthread_create(child, l)
    await pthread_join(t)
    await printf("%d\\n", len(l))
""",
    ),
    "an object handed on by become": (
        134,
        "an argument is a plain value",
        """
class Bad:
    def __eq__(self, o): raise ValueError("eq")
    def __hash__(self): raise ValueError("hash")
    def __repr__(self): raise ValueError("repr")
async def child(arg):
    if await fork() == 0:
        return 3
    await wait()
    return 0
async def main():
    await become(child, Bad())
""",
    ),
    "an exception that cannot be shown": (
        134,
        "<exception str() failed>",
        """
class Bad:
    def __repr__(self): raise E(Bad())
class E(Exception):
    def __str__(self): raise E(Bad())
async def main():
    raise E(Bad())
""",
    ),
    "GeneratorExit": (
        134,
        "uncaught GeneratorExit",
        """
async def main():
    raise GeneratorExit
""",
    ),
    "GeneratorExit in a thread": (
        134,
        "uncaught GeneratorExit",
        """
async def thread(arg):
    raise GeneratorExit

async def main():
    await pthread_join(await pthread_create(thread))
""",
    ),
    "GeneratorExit in a handler": (
        134,
        "uncaught GeneratorExit",
        """
async def handler(signo):
    raise GeneratorExit

async def main():
    await signal(SIGUSR1, handler)
    await raise_signal(SIGUSR1)
""",
    ),
    "GeneratorExit at exit": (
        134,
        "uncaught GeneratorExit",
        """
async def last():
    raise GeneratorExit

async def main():
    await atexit(last)
""",
    ),
    "SystemExit with a text": (
        1,
        "bye\n",
        """
async def main():
    raise SystemExit("bye")
""",
    ),
    "KeyboardInterrupt": (
        134,
        "uncaught KeyboardInterrupt",
        """
async def main():
    raise KeyboardInterrupt
""",
    ),
    "StopIteration": (
        134,
        "coroutine raised StopIteration",
        """
async def main():
    raise StopIteration(5)
""",
    ),
    "a group of exceptions": (
        134,
        "uncaught BaseExceptionGroup",
        """
async def main():
    raise BaseExceptionGroup("x", [GeneratorExit(), ValueError(1)])
""",
    ),
    "causes in a circle": (
        134,
        "uncaught ValueError: 1",
        """
async def main():
    a = ValueError(1); b = ValueError(2)
    a.__cause__ = b; b.__cause__ = a
    raise a
""",
    ),
    "an exception without a usable traceback": (
        134,
        "the exceptions of this program raise others without end",
        """
async def main():
    class E(Exception):
        __traceback__ = 5
        __cause__ = 7
        __context__ = "x"
    raise E
""",
    ),
    "an exit within an exit": (
        4,
        "a\na\n",
        """
async def last():
    await printf("a\\n")
    await exit(4)

async def main():
    await atexit(last)
    await atexit(last)
""",
    ),
    "an awaiting object that refers to its coroutine": (
        0,
        "",
        """
box = []

class Circle:
    __slots__ = ("inner", "outer")
    def __iter__(self): return self
    def __next__(self): return self.inner.send(None)
    def send(self, value): return self.inner.send(value)
    def throw(self, *error): return self.inner.throw(*error)

class Awaited:
    def __await__(self):
        circle = Circle()
        circle.inner, circle.outer = alloca(i32), box[0]
        return circle

async def circular():
    await Awaited()

async def main():
    coroutine = [circular()][0]
    box.append(coroutine)
    await coroutine
""",
    ),
    "a system call that does not exist": (
        0,
        "Failure(errno=38",
        """
class Raw:
    def __init__(self, op): self.op = op
    def __await__(self):
        return (yield self.op)
async def main():
    c0 = [getpid()][0]
    op = c0.send(None)
    S = op.__class__
    r = await Raw(S(9999, ()))
    await printf("%s\\n", str(r))
""",
    ),
    "a system call with a text for a number": (
        134,
        "read: int is needed, not str",
        """
class Raw:
    def __init__(self, op): self.op = op
    def __await__(self):
        return (yield self.op)
async def main():
    c0 = [getpid()][0]
    op = c0.send(None)
    S = op.__class__
    r = await Raw(S(0, ("x", "y")))
    await printf("%s\\n", str(r))
""",
    ),
    "a system call without arguments": (
        134,
        "read: 2 arguments are needed",
        """
class Raw:
    def __init__(self, op): self.op = op
    def __await__(self):
        return (yield self.op)
async def main():
    c0 = [getpid()][0]
    op = c0.send(None)
    S = op.__class__
    r = await Raw(S(0, ()))
    await printf("%s\\n", str(r))
""",
    ),
    "a load from nowhere": (
        134,
        "load: address must be int, not str",
        """
class Raw:
    def __init__(self, op): self.op = op
    def __await__(self):
        return (yield self.op)
async def main():
    c0 = [i32.at(8).load()][0]
    op = c0.send(None)
    S = op.__class__
    r = await Raw(S("x", 99, 1))
    await printf("%s\\n", str(r))
""",
    ),
    "an op that is none": (
        134,
        "Op is no op",
        """
class Raw:
    def __init__(self, op): self.op = op
    def __await__(self):
        return (yield self.op)
async def main():
    c0 = [i32.at(8).load()][0]
    op = c0.send(None)
    r = await Raw(op.__class__.__mro__[1]())
    await printf("%s\\n", str(r))
""",
    ),
    "an object that claims to be an op": (
        134,
        "was awaited, which this machine cannot run",
        """
class X:
    def __init__(self, k): self.k = k
    def __await__(self):
        yield self
    @property
    def __class__(self): return self.k
async def main():
    c0 = [getpid()][0]
    op = c0.send(None)
    await X(op.__class__)
""",
    ),
    "a call driven by hand": (
        0,
        "5\ndone\n",
        """
async def main():
    c = getpid()
    d = c
    op = d.send(None)
    try:
        c.send(5)
    except StopIteration as e:
        await printf("%d\\n", e.value)
    c2 = [printf("x\\n")][0]
    c2.send(None)
    c2.close()
    await printf("done\\n")
""",
    ),
    "asynchronous generators left half-run": (
        0,
        "end\n",
        """
async def generator():
    try:
        for i in range(10):
            await cpu_relax()
            yield i
    finally:
        await printf("finally\\n")

async def main():
    async for i in generator():
        if i == 2:
            break
    left = generator()
    await left.__anext__()
    del left
    await printf("end\\n")
""",
    ),
    "an asynchronous generator that will not close": (
        134,
        "async generator ignored GeneratorExit",
        """
async def generator():
    try:
        while True:
            await cpu_relax()
            yield 1
    except GeneratorExit:
        yield 2

async def main():
    left = generator()
    await left.__anext__()
    await left.aclose()
""",
    ),
    "a finally that never ends, of a killed process": (
        0,
        "",
        """
async def main():
    pid = await fork()
    if pid == 0:
        try:
            await pause()
        finally:
            while True:
                try:
                    await printf("x")
                except BaseException:
                    pass
    await usleep(1000)
    await kill(pid, SIGKILL)
    await wait()
""",
    ),
    "a killed process that swallows everything": (
        0,
        "",
        """
async def main():
    pid = await fork()
    if pid == 0:
        while True:
            try:
                await pause()
            except BaseException:
                pass
    await usleep(1000)
    await kill(pid, SIGKILL)
    await wait()
""",
    ),
    "a __del__ that raises": (
        0,
        "x\n",
        """
class Mine:
    def __del__(self): raise ValueError("del")

async def main():
    mine = Mine()
    del mine
    await printf("x\\n")
""",
    ),
    "recursion without end": (
        139,
        "uncaught RecursionError",
        """
def f(n): return f(n + 1)

async def main():
    f(0)
""",
    ),
    "recursion of coroutines without end": (
        139,
        "uncaught RecursionError",
        """
async def f(n):
    await getpid()
    await f(n + 1)

async def main():
    await f(0)
""",
    ),
    "a handler at no function, for SIGSEGV": (
        139,
        "",
        """
async def main():
    await sigaction(SIGSEGV, SigAction(0x400101))
    await raise_signal(SIGSEGV)
""",
    ),
    "a handler at no function": (
        0,
        "segv\non\n",
        """
async def h(s):
    await printf("segv\\n")
async def main():
    await sigaction(SIGUSR1, SigAction(0x400101))
    await signal(SIGSEGV, h)
    await raise_signal(SIGUSR1)
    await raise_signal(SIGUSR1)
    await printf("on\\n")
""",
    ),
    "signals without a stack for their handlers": (
        139,
        "",
        """
async def h(s):
    pass
async def main():
    await signal(SIGUSR1, h); await signal(SIGUSR2, h); await signal(SIGSEGV, h)
    await sigprocmask(SIG_BLOCK, (SIGUSR1, SIGUSR2))
    await raise_signal(SIGUSR1); await raise_signal(SIGUSR2)
    x = await alloca(i32)
    await munmap(x.address & ~4095, 4096)
    await munmap((x.address & ~4095) - 4096, 4096)
    await sigprocmask(SIG_UNBLOCK, (SIGUSR1, SIGUSR2))
""",
    ),
    "a handler whose stack is taken away": (
        139,
        "",
        """
async def h(s):
    await printf("handler\\n")
async def main():
    await signal(SIGSEGV, h)
    x = await alloca(i32)
    await mmap(x.address & ~4095, 4096, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
    await x.store(5)
""",
    ),
    "memset of a terabyte": (
        139,
        "",
        """
async def main():
    await memset(await malloc(100), 1, 2**40)
""",
    ),
    "iteration over a terabyte": (
        0,
        "",
        """
g = Global(Array[u8, 2**40])
async def main():
    for x in g:
        await x.store(1)
        break
""",
    ),
    "execve of a terabyte of nothing": (
        134,
        "Exec format error",
        """
async def main():
    fd = await open("x", O_RDWR | O_CREAT, 0o755)
    await ftruncate(fd, 2**40)
    await close(fd)
    await execv("./x", ["x"])
""",
    ),
    "execve of a script with a terabyte of nothing": (
        0,
        "./x\n",
        """
async def main():
    fd = await open("x", O_RDWR | O_CREAT, 0o755)
    await write(fd, b"#!/bin/echo\\n")
    await ftruncate(fd, 2**40)
    await close(fd)
    await execv("./x", ["x"])
""",
    ),
    "reading all of /dev/zero": (
        0,
        "",
        """
async def main():
    fd = await open("/dev/zero", O_RDONLY)
    n = 0
    for _ in range(3):
        n += len(await read(fd, 10**12))
    await printf("%ld\\n", n)
""",
    ),
    "reading all of /dev/urandom": (
        0,
        "1048576\n",
        """
async def main():
    fd = await open("/dev/urandom", O_RDONLY)
    n = len(await read(fd, 10**12))
    n = len(await getrandom(10**12))
    await printf("%ld\\n", n)
""",
    ),
    "reading all of a sparse file": (
        0,
        "",
        """
async def main():
    fd = await open("x", O_RDWR | O_CREAT, 0o644)
    await ftruncate(fd, 2**40)
    d = await read(fd, 10**12)
    await printf("read %ld\\n", len(d))
    d = await pread(fd, 10**12, 2**39)
    await printf("read %ld\\n", len(d))
""",
    ),
    "Globals larger than the address space": (
        REFUSED,
        "too many to address",
        """
g = Global(Array[u8, 2**70])
async def main():
    await g[0].store(1)
""",
    ),
    "a Global of a terabyte": (
        0,
        "",
        """
g = Global(Array[u8, 2**40])
async def main():
    await g[0].store(1)
""",
    ),
    "fork in a handler": (
        0,
        "child in handler\n",
        """
async def h(s):
    if await fork() == 0:
        await printf("child in handler\\n")
async def main():
    await signal(SIGUSR1, h)
    await raise_signal(SIGUSR1)
    await printf("main\\n")
    try:
        await wait()
    except ChildProcessError:
        pass
""",
    ),
    "execve in a handler": (
        0,
        "hi\n",
        """
async def h(s):
    await execv("/bin/echo", ["echo", "hi"])
async def main():
    await signal(SIGUSR1, h)
    await raise_signal(SIGUSR1)
""",
    ),
    "a handler that smashes its frame": (
        139,
        "",
        """
async def h(s, info, ctx):
    await write_bytes(ctx, b"\\xff" * 200)
async def main():
    await sigaction(SIGUSR1, SigAction(h, (), SA_SIGINFO))
    await raise_signal(SIGUSR1)
    m = await sigprocmask(SIG_BLOCK, None)
    await printf("%d %d\\n", SIGKILL in m, SIGSTOP in m)
    x = await alloca(i32)
    await x.store(1)
""",
    ),
    "a coroutine closed by another thread": (
        ANY,
        "",
        """
shared = []
async def t(a):
    c = shared[0]
    c.close()
async def inner():
    await usleep(100000)
    await usleep(100000)
async def main():
    p = await pthread_create(t)
    c = inner()
    shared.append(c)
    await c
""",
    ),
    "a generator closed by another thread": (
        ANY,
        "",
        """
shared = []
async def gen():
    await usleep(1000)
    yield 1
async def t(a):
    await shared[0].aclose()
async def main():
    g = gen()
    shared.append(g)
    p = await pthread_create(t)
    async for x in g:
        pass
""",
    ),
    "a field of 10**20 characters": (
        134,
        "Value too large for defined data type",
        """
async def main():
    await printf("%99999999999999999999d\\n", 5)
""",
    ),
    "2**31 digits": (
        134,
        "Value too large for defined data type",
        """
async def main():
    await printf("%.2147483647f\\n", 1.5)
""",
    ),
    "builtins overwritten": (
        134,
        "uncaught ValueError: x",
        """
async def main():
    __builtins__["len"] = None
    try:
        await printf("%d\\n", len("abc"))
    except TypeError:
        await printf("no len\\n")
    __builtins__["isinstance"] = None
    raise ValueError("x")
""",
    ),
    "a forged address of a function": (
        134,
        "clone: int is needed, not str",
        """
async def t(a): pass
async def main():
    t.__text_address__ = "x"
    await pthread_create(t)
""",
    ),
    "fork inside of an asynchronous generator": (
        0,
        "exit 1\n",
        """
class CM:
    async def __aenter__(self):
        await getpid()
        return self
    async def __aexit__(self, *a):
        await printf("exit %d\\n", await getpid() > 0)
async def gen():
    async with CM():
        pid = await fork()
        yield pid
async def main():
    async for pid in gen():
        if pid == 0:
            await _exit(0)
    await wait()
""",
    ),
    "a main that is a number": (
        REFUSED,
        "main is not a function",
        """
main = 5
""",
    ),
    "a main that is an object": (
        REFUSED,
        "main is not a function",
        """
import functools

async def real(argv): return 0

main = functools.partial(real)
""",
    ),
    "a module that raises KeyboardInterrupt": (
        REFUSED,
        "module level fails with KeyboardInterrupt",
        """
raise KeyboardInterrupt
async def main(): pass
""",
    ),
    "a module whose exception cannot be shown": (
        REFUSED,
        "module level fails with E",
        """
class E(Exception):
    def __str__(self): raise E
    def __repr__(self): raise E
raise E
async def main(): pass
""",
    ),
    "a result that is an object": (
        134,
        "a thread's result is a plain value",
        """
class X: pass
async def t(a):
    await pthread_exit(X())
async def main():
    p = await pthread_create(t, 5)
    await pthread_join(p)
""",
    ),
}


@pytest.mark.parametrize("mode", MODES, ids=["tiny", "quad", "ops", "messages"])
@pytest.mark.parametrize("trick", TRICKS)
def test_the_machine_stands(trick, mode):
    status, text, source = TRICKS[trick]
    if status == REFUSED:
        with pytest.raises(ProgramError, match=text):
            run(source)
        return
    result = run(source, **mode, seed=3, max_steps=300_000)
    assert not result.panic, result.panic
    assert status in (result.status, ANY), explain(result)
    assert text in explain(result)
    assert "0x7f" not in explain(result), "no address of the host, which would differ from run to run"
    assert not result.system.leftovers(), explain(result)
