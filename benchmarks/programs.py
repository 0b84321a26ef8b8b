"""The programs that are measured: small texts, compiled as any user's program."""

from __future__ import annotations

from actors.loader import Library
from trapline.programs import Found


def program(body: str, name: str = "bench") -> Found:
    """A program from its text below the import of libc."""
    source = ("from userspace.libc import *\n" + body).encode()
    return Found(name, f"/home/user/{name}", source, Library({name: source}))


def loads(count: int) -> Found:
    """`count` plain loads by one thread."""
    return program(f"X = Global(i32, 0)\nasync def main():\n    for _ in range({count}):\n        await X.load()\n")


def syscalls(count: int) -> Found:
    """`count` calls that an owner answers with two messages (getppid)."""
    return program(f"async def main():\n    for _ in range({count}):\n        await getppid()\n")


def racy(*, locked: bool) -> Found:
    """Two threads with two increments each; under a mutex where `locked`."""
    body = "            old = await X.load()\n            await X.store(old + 1)\n"
    guard = "        async with M:\n" if locked else "        if True:\n"
    return program(
        "X = Global(i32, 0)\nM = Global(pthread_mutex_t)\n"
        f"async def worker(arg):\n    for _ in range(2):\n{guard}{body}"
        "async def main():\n    a = await pthread_create(worker)\n    b = await pthread_create(worker)\n"
        "    await pthread_join(a)\n    await pthread_join(b)\n"
    )


def forks(pages: int, record: int, count: int) -> Found:
    """`count` forks of a process with so many resident pages and so many results on record; the child exits at once."""
    return program(
        f"async def main():\n    area = await mmap(NULL, {max(pages, 1)} * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)\n"
        f"    for page in range({pages}):\n        await i32.at(area + page * 4096).store(1)\n"
        f"    for _ in range({record}):\n        await cpu_relax()\n"
        f"    for _ in range({count}):\n        if await fork() == 0:\n            await _exit(0)\n        await wait()\n"
    )


def threads(count: int, rounds: int) -> Found:
    """`count` threads that each do `rounds` loads of a word of their own."""
    return program(
        f"X = Global(Array[i32, {count}], [0])\nasync def worker(i):\n    word = X[i]\n"
        f"    for _ in range({rounds}):\n        await word.load()\n"
        f"async def main():\n    all = [await pthread_create(worker, i, stacksize=16384) for i in range({count})]\n"
        "    for thread in all:\n        await pthread_join(thread)\n"
    )
