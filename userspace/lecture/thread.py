"""thread.py - two threads increment one counter on their creator's stack, under a mutex."""
from userspace.libc import *


class Shared(Struct):
    lock: pthread_mutex_t
    field1: i32
    field2: i32
    counter: i32

async def thread_func(shared):
    for _ in range(5):
        await pthread_mutex_lock(shared.lock)
        old = await shared.counter.load()
        await shared.field1.store(await rand())
        await shared.field2.store(await rand())
        await shared.counter.store(old + 1)
        await printf("[%d] counter %d -> %d\n", await gettid(), old, old + 1)
        await pthread_mutex_unlock(shared.lock)
        await usleep(100_000)
    await pthread_exit(NULL)

async def main():
    shared = await alloca(Shared)  # on this thread's stack: the others get its address
    await shared.counter.store(0)
    await pthread_mutex_init(shared.lock)
    t1 = await pthread_create(thread_func, shared)
    t2 = await pthread_create(thread_func, shared)
    await pthread_join(t1)
    await pthread_join(t2)
    await pthread_mutex_destroy(shared.lock)
    return 0
