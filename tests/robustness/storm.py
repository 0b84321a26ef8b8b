"""Storms: several processes and threads, each doing a few random things to itself, to the others and to what they share.

Everything that crosses owners is here: fork, clone of all kinds, execve, exit, kill, stop and continue, handlers, masks, alarms, mappings,
futexes, pipes, FIFOs, affinity. A storm is made of its seed, so a bad one can be had again.
"""

from __future__ import annotations

from random import Random
from typing import Final

ACTS: Final = (
    "kill({pid}, SIGSTOP)", "kill({pid}, SIGCONT)", "kill({pid}, SIGUSR1)", "kill({pid}, SIGUSR2)", "kill({pid}, SIGKILL)",
    "kill(0, SIGUSR1)", "raise_signal(SIGUSR1)", "raise_signal(SIGSTOP)", "tkill({tid}, SIGUSR2)", "fork_some()", "fork_some()",
    "spawn_vfork()", "spawn_vm()", 'execv("/bin/true", ["true"])', 'execv("./program", ["program", "again"])', "exit(3)", "_exit(4)",
    "pthread_some()", "pthread_some()", "pthread_exit(5)", "thread_quick()", "munmap(PAGE, 4096)", "mprotect(PAGE, 4096, PROT_READ)",
    "mprotect(PAGE, 4096, PROT_READ | PROT_WRITE)",
    "mmap(PAGE, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)", "touch()",
    "mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)", "brkgame()", "memgame()", 'write(W, b"xy")',
    "read(R, 3)", "read(R, 1)", "wait_some()", "waitpid(-1, WNOHANG)", "waitpid(-1, WNOHANG | WUNTRACED | WCONTINUED)", "nanosleep(100)",
    "usleep(1)", "usleep(5)", "compute(3000)", "compute(50000)", "sched_yield()", "alarm(1)", "sigsuspend_some()", "pause_some()",
    "futex(s.word, FUTEX_WAIT, 0, 2000)", "futex(s.word, FUTEX_WAKE, 2)", "lock_some()", "lock_some()", "cond_some()",
    "sched_setaffinity(0, (0,))", "sched_setaffinity(0, (0, 1))", "setpriority(0, 0, 3)", "getrusage(0)", "signal(SIGUSR1, SIG_IGN)",
    "signal(SIGUSR1, h)", "sigaction(SIGUSR2, SigAction(h2, (), SA_NODEFER))", "sigprocmask(SIG_BLOCK, (SIGUSR1,))",
    "sigprocmask(SIG_UNBLOCK, (SIGUSR1, SIGUSR2))", "signal(SIGCHLD, SIG_IGN)", "signal(SIGCHLD, SIG_DFL)", "signal(SIGSEGV, hsegv)",
    "setsid()", "setpgid(0, 0)", 'listdir("/proc")', "proc_some()", "open_some()", "close(5)", 'printf("p%d\\n", 1)', "fifo_some()",
)  # fmt: skip

PROGRAM: Final = """class S(Struct):
    word: i32
    lock: pthread_mutex_t
    cond: pthread_cond_t
s = Global(S)
async def h(signo):
    await cpu_relax()
    await alloca(i32)
async def h2(signo):
    await usleep(1)
async def hsegv(signo):
    await mmap(PAGE, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
PAGE = 0x10000000
async def touch():
    await i32.at(PAGE).store(5)
    return await i32.at(PAGE + 64).load()
async def nothing(arg):
    await cpu_relax()
    return 0
async def fork_some():
    if await fork() == 0:
        await usleep(2)
        await _exit(0)
async def spawn_vfork():
    return await clone(vchild, CLONE_VM | CLONE_VFORK | SIGCHLD, 1)
async def vchild(arg):
    await usleep(3)
    if (await getrandom(1))[0] & 1:
        await execv("/bin/true", ["true"])
    return 1
async def spawn_vm():
    return await clone(vmchild, CLONE_VM | CLONE_FILES | SIGCHLD, 1)
async def vmchild(arg):
    await i32.at(PAGE).store(1)
    await usleep(3)
    return 1
async def worker(arg):
    for _ in range(arg):
        await usleep(1)
        async with s.lock:
            await s.word.fetch_add(1)
    return arg
async def pthread_some():
    t = await pthread_create(worker, 2)
    await pthread_detach(t)
async def thread_quick():
    t = await pthread_create(nothing, 2)
    await pthread_join(t)
async def brkgame():
    await sbrk(4096)
    await sbrk(-4096)
async def memgame():
    a = await mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    await i32.at(a + 4096).store(1)
    await munmap(a, 8192)
async def wait_some():
    await alarm(1)
    await waitpid(-1, 0)
async def sigsuspend_some():
    await alarm(1)
    await sigsuspend((SIGUSR2,))
async def pause_some():
    await alarm(1)
    await pause()
async def lock_some():
    async with s.lock:
        await s.word.fetch_add(1)
        await usleep(1)
async def cond_some():
    async with s.lock:
        await pthread_cond_timedwait(s.cond, s.lock, await clock_gettime(CLOCK_REALTIME) + 1000)
async def proc_some():
    fd = await open("/proc/self/status", O_RDONLY)
    await read(fd, 1000)
    await close(fd)
async def open_some():
    fd = await open("x", O_RDWR | O_CREAT, 0o644)
    await write(fd, b"x" * 5000)
    await ftruncate(fd, 10)
    await close(fd)
async def fifo_some():
    try:
        await mkfifo("ff", 0o644)
    except OSError:
        pass
    await alarm(1)
    fd = await open("ff", O_RDONLY if (await getrandom(1))[0] & 1 else O_WRONLY)
    await close(fd)
R, W = 3, 4
async def ah(signo):
    pass
async def attempt(c):
    try:
        await c
    except OSError:
        pass
async def main(argv):
    if len(argv) > 1:
        return 0
    await signal(SIGALRM, ah)
    await pipe2({nonblock})
    await mmap(PAGE, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
    await signal(SIGUSR1, h)
    await sigaction(SIGUSR2, SigAction(h2, (), SA_RESTART))
"""

LAST: Final = """
    await alarm(5)
    for pid in range(101, 107):
        await attempt(kill(pid, SIGCONT))
    await attempt(wait())
    await attempt(wait())
    return 0
"""


def storm(seed: int) -> str:
    """The text of a program."""
    random = Random(seed)
    threads, children = random.choice((0, 0, 1, 2)), random.choice((0, 1, 1, 2))
    main, functions = PROGRAM.replace("{nonblock}", random.choice(("0", "O_NONBLOCK"))), ""
    for number in range(threads):
        functions += f"\nasync def thread_{number}(arg):\n{_acts(random, 2, 7)}"
        main += f"    await attempt(pthread_create(thread_{number}))\n"
    for number in range(children):
        begins = "    await attempt(pthread_create(thread_0))\n" if threads and random.random() < 0.5 else ""
        functions += f"\nasync def child_{number}():\n{begins}{_acts(random, 2, 7)}"
        main += f"    if await fork() == 0:\n        await child_{number}()\n        return 0\n"
    return main + _acts(random, 2, 8) + LAST.lstrip("\n") + functions


def _acts(random: Random, least: int, most: int) -> str:
    text = ""
    for _ in range(random.randint(least, most)):
        act = random.choice(ACTS).replace("{pid}", str(random.randint(100, 103))).replace("{tid}", str(random.randint(100, 104)))
        text += f"    await attempt({act})\n"
    return text
