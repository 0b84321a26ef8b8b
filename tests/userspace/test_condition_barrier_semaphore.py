"""Conditions, barriers and semaphores on the real machine, over many schedules."""

from tests.support.machines import ran_well, run, sweep

QUEUE = """
class Queue(Struct):
    lock: pthread_mutex_t
    filled: pthread_cond_t
    drained: pthread_cond_t
    full: i32
    value: i32

queue = Global(Queue)

async def produce(count):
    for value in range(1, count + 1):
        async with queue.lock:
            while await queue.full.load():
                await pthread_cond_wait(queue.drained, queue.lock)
            await queue.value.store(value)
            await queue.full.store(1)
            await pthread_cond_signal(queue.filled)

async def main():
    thread = await pthread_create(produce, 4)
    for _ in range(4):
        async with queue.lock:
            while not await queue.full.load():
                await pthread_cond_wait(queue.filled, queue.lock)
            await printf("%d ", await queue.value.load())
            await queue.full.store(0)
            await pthread_cond_signal(queue.drained)
    await pthread_join(thread)
    await pthread_cond_destroy(queue.filled)
    await pthread_cond_destroy(queue.drained)
"""


def test_a_one_place_queue_hands_over_every_value_in_order():
    assert set(sweep(QUEUE)) == {b"1 2 3 4 "}


BROADCAST = """
class Gate(Struct):
    lock: pthread_mutex_t
    opened: pthread_cond_t
    open_: i32
    passed: i32

gate = Global(Gate)

async def enter(_):
    async with gate.lock:
        while not await gate.open_.load():
            await pthread_cond_wait(gate.opened, gate.lock)
        await gate.passed.store(await gate.passed.load() + 1)

async def main():
    threads = [await pthread_create(enter) for _ in range(3)]
    async with gate.lock:
        await gate.open_.store(1)
        await pthread_cond_broadcast(gate.opened)
    for thread in threads:
        await pthread_join(thread)
    await printf("%d", await gate.passed.load())
"""


def test_a_broadcast_lets_all_waiters_go():
    assert set(sweep(BROADCAST)) == {b"3"}


def test_a_timed_wait_ends_at_its_time_with_the_mutex_held():
    result = ran_well(run("""
    lock = Global(pthread_mutex_t)
    never = Global(pthread_cond_t)

    async def main():
        await pthread_mutex_init(lock, type=PTHREAD_MUTEX_ERRORCHECK)
        for clock in (CLOCK_REALTIME, CLOCK_MONOTONIC):
            await pthread_cond_init(never, clock=clock)
            await pthread_mutex_lock(lock)
            start = await clock_gettime(clock)
            try:
                await pthread_cond_timedwait(never, lock, start + 1_000_000)
            except TimeoutError:
                passed = await clock_gettime(clock) - start
                await printf("%d ", 1_000_000 <= passed < 2_000_000)
            try:
                await pthread_cond_timedwait(never, lock, 0)
            except TimeoutError:
                await printf("past ")
            try:
                await pthread_cond_timedwait(never, lock, -1)
            except OSError as error:
                await printf("%d ", error.errno == EINVAL)
            await pthread_mutex_unlock(lock)
    """))
    assert result.stdout == b"1 past 1 1 past 1 "


def test_waiting_with_a_mutex_of_somebody_else_is_eperm_and_leaves_no_waiter():
    result = ran_well(run("""
    lock = Global(pthread_mutex_t)
    never = Global(pthread_cond_t)

    async def main():
        await pthread_mutex_init(lock, type=PTHREAD_MUTEX_ERRORCHECK)
        try:
            await pthread_cond_wait(never, lock)
        except PermissionError:
            await printf("EPERM")
        await pthread_cond_destroy(never)
    """))
    assert result.stdout == b"EPERM"


def test_a_handler_that_runs_does_not_end_a_condition_wait():
    result = ran_well(run("""
    lock = Global(pthread_mutex_t)
    ready = Global(pthread_cond_t)
    done = Global(i32)

    async def handler(signo):
        await printf("handler ")

    async def wake(tid):
        await usleep(1000)
        await tgkill(await getpid(), tid, SIGUSR1)
        await usleep(1000)
        async with lock:
            await done.store(1)
            await pthread_cond_signal(ready)

    async def main():
        await sigaction(SIGUSR1, SigAction(handler))
        await pthread_create(wake, await gettid(), detached=True)
        rounds = 0
        async with lock:
            while not await done.load():
                await pthread_cond_wait(ready, lock)
                rounds += 1
        await printf("%d", rounds)
    """))
    assert result.stdout == b"handler 1"


BARRIER = """
barrier = Global(pthread_barrier_t)
arrived = Global(i32)

async def meet(_):
    serial = 0
    for round_ in range(1, 4):
        await arrived.fetch_add(1)
        serial += await pthread_barrier_wait(barrier) == PTHREAD_BARRIER_SERIAL_THREAD
        if await arrived.load(memory_order_seq_cst) < 3 * round_:
            await printf("too early ")
        await pthread_barrier_wait(barrier)
    return serial

async def main():
    await pthread_barrier_init(barrier, 3)
    threads = [await pthread_create(meet) for _ in range(2)]
    serial = await meet(None)
    for thread in threads:
        serial += await pthread_join(thread)
    await pthread_barrier_destroy(barrier)
    await printf("%d", serial)
"""


def test_nobody_passes_a_barrier_early_and_each_round_has_one_serial_thread():
    assert set(sweep(BARRIER)) == {b"3"}


DESTROY = """
async def meet(address):
    await pthread_barrier_wait(pthread_barrier_t.at(address))

async def main():
    address = await mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    barrier = pthread_barrier_t.at(address)
    await pthread_barrier_init(barrier, 3)
    threads = [await pthread_create(meet, address) for _ in range(2)]
    await pthread_barrier_wait(barrier)
    await pthread_barrier_destroy(barrier)
    await munmap(address, 4096)
    for thread in threads:
        await pthread_join(thread)
"""


def test_a_barrier_may_be_destroyed_and_unmapped_as_soon_as_one_wait_has_returned():
    assert set(sweep(DESTROY)) == {b""}


SHARED_BARRIER = """
class Shared(Struct):
    barrier: pthread_barrier_t
    sem: sem_t
    count: i32

async def main():
    shared = Shared.at(await mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    await pthread_barrier_init(shared.barrier, 2, pshared=PTHREAD_PROCESS_SHARED)
    await sem_init(shared.sem, 1, 1)
    pid = await fork()
    await sem_wait(shared.sem)
    await shared.count.store(await shared.count.load() + 1)
    await sem_post(shared.sem)
    await pthread_barrier_wait(shared.barrier)
    if pid == 0:
        return 0
    await printf("%d", await shared.count.load())
    await wait()
"""


def test_barriers_and_semaphores_work_between_processes():
    assert set(sweep(SHARED_BARRIER)) == {b"2"}


SEMAPHORE = """
sem = Global(sem_t)
inside = Global(i32)
most = Global(i32)

async def work(_):
    for _ in range(2):
        await sem_wait(sem)
        now = await inside.fetch_add(1) + 1
        if now > 2:
            await printf("crowded ")
        await inside.fetch_sub(1)
        await sem_post(sem)

async def main():
    await sem_init(sem, 0, 2)
    threads = [await pthread_create(work) for _ in range(3)]
    for thread in threads:
        await pthread_join(thread)
    await printf("%d", await sem_getvalue(sem))
"""


def test_a_semaphore_of_two_lets_two_in():
    assert set(sweep(SEMAPHORE)) == {b"2"}


def test_semaphore_errors_are_those_of_glibc():
    result = ran_well(run("""
    import errno
    sem = Global(sem_t)

    async def handler(signo):
        pass

    async def attempt(call):
        try:
            await call
        except OSError as error:
            return errno.errorcode[error.errno].replace("DEADLOCK", "DEADLK")
        return "ok"

    async def main():
        words = [await attempt(sem_init(sem, 0, SEM_VALUE_MAX + 1)), await attempt(sem_init(sem, 0, SEM_VALUE_MAX))]
        words += [await attempt(sem_post(sem))]
        await sem_init(sem, 0, 1)
        words += [await attempt(sem_timedwait(sem, -1)), await attempt(sem_trywait(sem)), await attempt(sem_timedwait(sem, -1))]
        words += [await attempt(sem_timedwait(sem, 0))]
        words += [await attempt(sem_timedwait(sem, await clock_gettime(CLOCK_REALTIME) + 1000))]
        await sigaction(SIGALRM, SigAction(handler))
        await alarm(1)
        words += [await attempt(sem_wait(sem))]
        words += [str(await sem.data.load())]
        await printf("%s", " ".join(words))
    """))
    assert result.stdout == b"EINVAL ok EOVERFLOW ok EAGAIN EINVAL ETIMEDOUT ETIMEDOUT EINTR 0"
