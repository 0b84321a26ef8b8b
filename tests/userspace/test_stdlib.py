"""rand, atexit and exit, the environment."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.syscalls import NUMBERS
from tests.support.fake_cpu import Ended, FakeCpu
from userspace.libc import SIGABRT, abort, atexit, environ, exit, getenv, printf, rand, setenv, srand, strsignal, unsetenv
from userspace.libc.environment import current_environment
from userspace.libc.libc_data import ENVIRONMENT

_host = ctypes.CDLL(None)


async def draws(count: int) -> list[int]:
    return [await rand() for _ in range(count)]


def test_unseeded_rand_gives_the_sequence_of_glibc():
    assert FakeCpu().run(draws(3)) == [1804289383, 846930886, 1681692777]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, (1 << 32) - 1))
def test_srand_gives_the_sequence_of_the_host(seed):
    async def program():
        await srand(seed)
        return await draws(40)

    _host.srand(ctypes.c_uint(seed))
    assert FakeCpu().run(program()) == [_host.rand() for _ in range(40)]


def test_a_copy_of_the_memory_draws_the_same_numbers():
    parent, child = FakeCpu(), FakeCpu()
    parent.run(draws(5))
    child.memory.pages = {number: bytearray(page) for number, page in parent.memory.pages.items()}
    assert parent.run(draws(5)) == child.run(draws(5))


# ---- exit -------------------------------------------------------------------------------------------------------------------


async def say_first():
    await printf("first ")


async def say_second():
    await printf("second ")
    await atexit(say_first)


async def test_body():
    await atexit(say_first)
    await atexit(say_second)
    await printf("main ")
    await exit(259)


def test_exit_runs_atexit_functions_backwards_then_flushes(monkeypatch):
    functions = {0x401000: say_first, 0x401010: say_second}
    monkeypatch.setitem(globals(), "__text_functions__", functions)
    for address, function in functions.items():
        function.__text_address__ = address
    cpu = FakeCpu()
    steps = {"__text_functions__": functions, "cpu": cpu, "body": test_body}
    with pytest.raises(Ended) as ended:
        exec("cpu.run(body())", steps)
    assert ended.value.args == ("exit_group", 259)
    assert cpu.output(1) == b"main second first first "


test_body.__test__ = False


def test_atexit_refuses_a_closure():
    async def closure():
        return None

    with pytest.raises(TypeError, match="module level"):
        FakeCpu().run(atexit(closure))


def test_abort_unblocks_and_raises_the_signal():
    cpu = FakeCpu()
    with pytest.raises(Ended) as ended:
        cpu.run(abort())
    assert ended.value.args == ("signal", SIGABRT)
    assert cpu.syscalls() == ["rt_sigprocmask", "getpid", "gettid", "tgkill"]


def test_abort_insists_when_a_handler_returns():
    cpu = FakeCpu()
    cpu.calls[NUMBERS["tgkill"]] = lambda *_: None
    with pytest.raises(Ended) as ended:
        cpu.run(abort())
    assert ended.value.args == ("exit_group", 127)
    assert cpu.syscalls()[-3:] == ["rt_sigaction", "tgkill", "exit_group"]


def test_strsignal_names_standard_and_real_time_signals():
    assert [strsignal(signo) for signo in (2, 36, 99)] == ["Interrupt", "Real-time signal 2", "Unknown signal 99"]


# ---- the environment ----------------------------------------------------------------------------------------------------------


def with_environment(*strings: bytes) -> FakeCpu:
    cpu = FakeCpu()
    address, pointers = 0x5000, []
    for text in strings:
        pointers.append(address)
        cpu.memory.write(address, text + b"\0")
        address += len(text) + 1
    for index, pointer in enumerate([*pointers, 0]):
        cpu.memory.write(0x4038 + 8 * index, pointer.to_bytes(8, "little"))
    cpu.run(ENVIRONMENT.vector.store(0x4038))
    return cpu


def test_variables_are_found_changed_added_and_removed():
    cpu = with_environment(b"PATH=/bin", b"HOME=/home/user", b"odd")

    async def program():
        assert await getenv("PATH") == "/bin"
        assert await getenv("PAT") is None
        assert await getenv("odd", "none") == "none"
        await setenv("HOME", "/", 0)
        assert await getenv("HOME") == "/home/user"
        await setenv("HOME", "/")
        for number in range(30):
            await setenv(f"V{number}", str(number))
        await unsetenv("PATH")
        await unsetenv("missing")
        return await environ.read()

    variables = cpu.run(program())
    assert variables == {"HOME": "/", **{f"V{number}": str(number) for number in range(30)}}
    assert cpu.run(current_environment())[:2] == (b"HOME=/", b"odd")


@pytest.mark.parametrize("name", ["", "A=B"])
def test_bad_names_are_refused(name):
    for call in (setenv(name, "x"), unsetenv(name)):
        with pytest.raises(OSError, match="Invalid argument"):
            FakeCpu().run(call)


def test_without_an_environment_there_are_no_variables():
    cpu = FakeCpu()
    assert cpu.run(getenv("PATH")) is None
    cpu.run(setenv("A", "1"))
    assert cpu.run(getenv("A")) == "1"


def test_environ_says_that_it_must_be_awaited():
    uses = (lambda: environ["PATH"], lambda: "PATH" in environ, lambda: dict(environ), lambda: environ.get("PATH"), lambda: len(environ))
    for use in uses:
        with pytest.raises(TypeError, match="write `await"):
            use()
