"""The border: failures become the exceptions of Python's `os`, functions become addresses."""

from __future__ import annotations

import errno
import os

import pytest

from kernel.abi.errno_values import ERRNO_NAMES
from kernel.abi.errnos import Failure
from kernel.abi.syscalls import NUMBERS
from tests.support.fake_cpu import FakeCpu
from userspace import trap


async def module_level():
    return None


def test_every_errno_raises_the_class_that_python_gives_it():
    for number in ERRNO_NAMES:
        assert type(trap.os_error(number)) is type(OSError(number, "text")), errno.errorcode.get(number)
        assert trap.os_error(number).strerror == os.strerror(number)


def test_a_failed_call_raises_and_an_interrupted_sleep_tells_what_is_left():
    cpu = FakeCpu()
    cpu.calls[NUMBERS["nanosleep"]] = lambda _: Failure(errno.EINTR, 7)
    with pytest.raises(InterruptedError) as caught:
        cpu.run(trap.syscall("nanosleep")(10))
    assert caught.value.remaining_ns == 7
    cpu.calls[NUMBERS["close"]] = lambda _: Failure(errno.EBADF)
    with pytest.raises(OSError, match="Bad file descriptor") as caught_close:
        cpu.run(trap.syscall("close")(99))
    assert not hasattr(caught_close.value, "remaining_ns")


def test_a_call_as_a_value_raises_nothing():
    cpu = FakeCpu()
    cpu.calls[NUMBERS["close"]] = lambda _: Failure(errno.EBADF)
    assert cpu.run(trap.syscall_value(NUMBERS["close"])(99)) == Failure(errno.EBADF)


def test_only_module_level_functions_have_an_address(monkeypatch):
    module_level.__text_address__ = 0x401000
    assert trap.text_address(module_level) == 0x401000

    async def closure():
        return None

    class Holder:
        async def method(self):
            return None

    for refused in (closure, lambda: None, Holder().method, 5, print):
        with pytest.raises(TypeError, match="move it to module level and pass what it needs as the argument"):
            trap.text_address(refused)


def test_a_function_is_found_by_its_address_in_the_image_of_the_caller():
    namespace = {trap.FUNCTIONS: {0x401000: module_level}, "function_at": trap.function_at}
    exec("def program(): return function_at(0x401000)", namespace)
    assert namespace["program"]() is module_level
    with pytest.raises(KeyError):
        trap.function_at(0x401000)
