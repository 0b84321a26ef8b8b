"""lock_nolock.py - lock.py with its lock commented out: the counter may lose updates."""
from userspace.libc import *


class Shared(Struct):
    field1: i32
    field2: i32
    counter: i32
    lock: pthread_mutex_t

async def main():
    address = await mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS)
    shared = Shared.at(address)
    await pthread_mutex_init(shared.lock, pshared=PTHREAD_PROCESS_SHARED)
    await shared.counter.store(0)

    pid = await fork()  # both go on from here
    for _ in range(5):
        # await pthread_mutex_lock(shared.lock)
        old = await shared.counter.load()
        await shared.field1.store(await rand())
        await shared.field2.store(await rand())
        await shared.counter.store(old + 1)
        await printf("[%d] counter %d -> %d\n", await getpid(), old, old + 1)
        # await pthread_mutex_unlock(shared.lock)
        await usleep(100_000)

    if pid > 0:
        await wait()
        await pthread_mutex_destroy(shared.lock)
        await munmap(address, sizeof(Shared))
    return 0
