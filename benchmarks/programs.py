"""The programs that are measured: small texts, compiled as any user's program.

Each prints `go` and `done` around the part that counts, so that booting and ending a machine are not measured with it.
"""

from __future__ import annotations

from actors.loader import Library
from trapline.programs import Found

GO, DONE = b"go\n", b"done\n"


def program(body: str, name: str = "bench") -> Found:
    """A program from its text below the import of libc."""
    source = ("from userspace.libc import *\n" + body).encode()
    return Found(name, f"/home/user/{name}", source, Library({name: source}))


def loads(count: int) -> Found:
    """`count` plain loads by one thread."""
    return program(
        "X = Global(i32, 0)\nasync def main():\n    await X.load()\n    await puts('go')\n"
        f"    for _ in range({count}):\n        await X.load()\n    await puts('done')\n"
    )


def syscalls(count: int) -> Found:
    """`count` calls that an owner answers with two messages (getppid)."""
    return program(
        f"async def main():\n    await puts('go')\n    for _ in range({count}):\n        await getppid()\n    await puts('done')\n"
    )


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
    """`count` forks of a process with so many resident pages and so many results on record; the child exits at once.

    `become` drops the record of the stores that made the pages resident, so that one figure is not the other.
    """
    return program(
        f"async def main():\n    area = await mmap(NULL, {pages} * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)\n"
        f"    for page in range({pages}):\n        await i32.at(area + page * 4096).store(1)\n    await become(forker)\n"
        f"async def forker():\n    for _ in range({record}):\n        await cpu_relax()\n    await puts('go')\n"
        f"    for _ in range({count}):\n        if await fork() == 0:\n            await _exit(0)\n        await wait()\n"
        "    await puts('done')\n"
    )


def threads(count: int, rounds: int) -> Found:
    """`count` threads that wait for each other, and then load a word `rounds` times each; the last says so and wakes main."""
    return program(
        f"X = Global(i32, 0)\nSTART = Global(i32, 0)\nWAITING = Global(i32, {count})\nLEFT = Global(i32, {count})\n"
        "async def worker(arg):\n"
        "    if await WAITING.fetch_add(-1) == 1:\n        await puts('go')\n        await START.store(1)\n"
        f"        await futex(START, FUTEX_WAKE, {count})\n"
        "    while await START.load() == 0:\n        try:\n            await futex(START, FUTEX_WAIT, 0)\n"
        "        except BlockingIOError:\n            pass\n"
        f"    for _ in range({rounds}):\n        await X.load()\n"
        "    if await LEFT.fetch_add(-1) == 1:\n        await puts('done')\n        await futex(LEFT, FUTEX_WAKE, 1)\n"
        f"async def main():\n    for _ in range({count}):\n        await pthread_create(worker, detached=True, stacksize=16384)\n"
        "    while (left := await LEFT.load()) != 0:\n        try:\n            await futex(LEFT, FUTEX_WAIT, left)\n"
        "        except BlockingIOError:\n            pass\n"
    )
