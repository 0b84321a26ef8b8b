"""Mutexes on the real machine: pthread_mutex_lock(3) and its errors, who owns, and when the kernel is not asked."""

import pytest

from tests.support.machines import ran_well, run, sweep

COUNTER = """
class Shared(Struct):
    counter: i32
    lock: pthread_mutex_t

shared = Global(Shared)

async def add(rounds):
    for _ in range(rounds):
        await pthread_mutex_lock(shared.lock)
        await shared.counter.store(await shared.counter.load() + 1)
        await pthread_mutex_unlock(shared.lock)

async def main():
    threads = [await pthread_create(add, 4) for _ in range(3)]
    for thread in threads:
        await pthread_join(thread)
    await printf("%d\\n", await shared.counter.load())
"""


def test_no_update_is_lost_under_a_mutex_in_any_schedule():
    assert set(sweep(COUNTER)) == {b"12\n"}


def test_a_zeroed_mutex_is_a_default_one_and_uncontended_use_makes_no_system_call():
    result = ran_well(run(
        """
        lock = Global(pthread_mutex_t)

        async def main():
            for _ in range(5):
                async with lock:
                    pass
        """
    ))
    names = [event.name for event in result.log if type(event).__name__ == "SysEnter"]
    assert "futex" not in names


def outcome(body: str, prelude: str = "") -> list[str]:
    """What a main with this body prints, as words; `attempt` gives the errno's name of a call, or ok."""
    source = f"""
import errno

lock = Global(pthread_mutex_t)
{prelude}

async def attempt(call):
    try:
        await call
    except OSError as error:
        return errno.errorcode[error.errno].replace("DEADLOCK", "DEADLK")
    return "ok"

async def main():
""" + "".join(f"    {line}\n" for line in body.strip().splitlines())
    return ran_well(run(source)).stdout.decode().split()


@pytest.mark.parametrize(("kind", "expected"), [
    ("PTHREAD_MUTEX_ERRORCHECK", ["EPERM", "ok", "EDEADLK", "EBUSY", "EBUSY", "ok", "EPERM", "ok"]),
    ("PTHREAD_MUTEX_RECURSIVE", ["EPERM", "ok", "ok", "ok", "EBUSY", "ok", "ok", "EBUSY"]),
])
def test_kinds_of_mutex_answer_as_glibc(kind, expected):
    words = outcome(f"""
await pthread_mutex_init(lock, type={kind})
for call in (pthread_mutex_unlock, pthread_mutex_lock, pthread_mutex_lock, pthread_mutex_trylock, pthread_mutex_destroy,
             pthread_mutex_unlock, pthread_mutex_unlock, pthread_mutex_destroy):
    await printf("%s ", await attempt(call(lock)))
""")
    assert words == expected


def test_a_recursive_mutex_is_free_after_as_many_unlocks_as_locks():
    assert outcome("""
await pthread_mutex_init(lock, type=PTHREAD_MUTEX_RECURSIVE)
for _ in range(3):
    await pthread_mutex_lock(lock)
for _ in range(4):
    await printf("%s ", await attempt(pthread_mutex_unlock(lock)))
""") == ["ok", "ok", "ok", "EPERM"]


def test_a_normal_mutex_is_busy_for_its_owner_too_and_may_be_released_by_another_thread():
    assert outcome(
        """
await printf("%s ", await attempt(pthread_mutex_lock(lock)))
await printf("%s ", await attempt(pthread_mutex_trylock(lock)))
await printf("%s ", await attempt(pthread_mutex_destroy(lock)))
await pthread_join(await pthread_create(release))
await printf("%s ", await attempt(pthread_mutex_trylock(lock)))
""",
        prelude="""
async def release(_):
    await pthread_mutex_unlock(lock)
""",
    ) == ["ok", "EBUSY", "EBUSY", "ok"]


def test_a_destroyed_mutex_refuses_and_may_be_initialised_again():
    assert outcome("""
for call in (pthread_mutex_destroy, pthread_mutex_lock, pthread_mutex_trylock, pthread_mutex_unlock,
             pthread_mutex_init, pthread_mutex_lock):
    await printf("%s ", await attempt(call(lock)))
""") == ["ok", "EINVAL", "EINVAL", "EINVAL", "ok", "ok"]


def test_unknown_attributes_are_einval():
    assert outcome("""
await printf("%s ", await attempt(pthread_mutex_init(lock, type=7)))
await printf("%s ", await attempt(pthread_mutex_init(lock, pshared=2)))
""") == ["EINVAL", "EINVAL"]


def test_the_owner_stands_at_offset_8_while_the_mutex_is_held_and_the_struct_has_40_bytes():
    assert outcome("""
await pthread_mutex_lock(lock)
held = await i32.at(lock.address + 8).load()
await pthread_mutex_unlock(lock)
await printf("%d %d %d", held == await gettid(), await i32.at(lock.address + 8).load(), sizeof(pthread_mutex_t))
""") == ["1", "0", "40"]


def test_async_with_releases_the_mutex_when_an_exception_passes():
    assert outcome("""
try:
    async with lock:
        raise ValueError
except ValueError:
    await printf("%s ", await attempt(pthread_mutex_trylock(lock)))
""") == ["ok"]


def test_a_normal_mutex_locked_twice_is_a_deadlock():
    result = run("""
    lock = Global(pthread_mutex_t)

    async def main():
        await pthread_mutex_lock(lock)
        await pthread_mutex_lock(lock)
    """)
    assert [failure.kind for failure in result.failures] == ["deadlock"]


SHARED = """
class Shared(Struct):
    counter: i32
    lock: pthread_mutex_t

async def main():
    shared = Shared.at(await mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS))
    await pthread_mutex_init(shared.lock, type=PTHREAD_MUTEX_ERRORCHECK, pshared=PTHREAD_PROCESS_SHARED)
    pid = await fork()
    for _ in range(3):
        async with shared.lock:
            await shared.counter.store(await shared.counter.load() + 1)
    if pid:
        await wait()
        await printf("%d\\n", await shared.counter.load())
"""


def test_a_process_shared_mutex_protects_across_fork_in_any_schedule():
    assert set(sweep(SHARED)) == {b"6\n"}
