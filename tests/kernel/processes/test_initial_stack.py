"""The stack of a new image, read back as a C runtime would."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errno_values import E2BIG
from kernel.abi.errnos import SysError
from kernel.abi.layout import STACK_TOP
from kernel.processes.initial_stack import (
    AT_EGID,
    AT_ENTRY,
    AT_EUID,
    AT_EXECFN,
    AT_GID,
    AT_NULL,
    AT_PAGESZ,
    AT_RANDOM,
    AT_UID,
    Arguments,
    InitialStack,
    build_initial_stack,
)

LIMIT = 8 << 20
RANDOM = bytes(range(16))


def build(argv, envp, execfn=b"/bin/prog", limit=LIMIT) -> InitialStack:
    return build_initial_stack(Arguments(tuple(argv), tuple(envp), execfn), 0x40_1000, limit, RANDOM, (1, 2, 3, 4))


class Reader:
    def __init__(self, stack: InitialStack) -> None:
        self.stack = stack
        assert stack.pointer + len(stack.data) == STACK_TOP
        assert stack.pointer % 16 == 0
        self.at = stack.pointer

    def word(self) -> int:
        self.at += 8
        return struct.unpack_from("<Q", self.stack.data, self.at - 8 - self.stack.pointer)[0]

    def string(self, address: int) -> bytes:
        start = address - self.stack.pointer
        return self.stack.data[start:self.stack.data.index(b"\0", start)]

    def strings(self) -> list[bytes]:
        found = []
        while address := self.word():
            found.append(self.string(address))
        return found

    def auxiliary(self) -> dict[int, int]:
        found = {}
        while (kind := self.word()) != AT_NULL:
            found[kind] = self.word()
        return found


TEXT = st.binary(max_size=40).map(lambda text: text.replace(b"\0", b"_"))


@given(st.lists(TEXT, max_size=6), st.lists(TEXT, max_size=6))
@settings(max_examples=50, deadline=None)
def test_a_runtime_finds_argc_argv_envp_and_auxiliary_vector(argv, envp):
    reader = Reader(build(argv, envp))
    assert reader.word() == len(argv)
    assert reader.strings() == argv
    assert reader.strings() == envp
    found = reader.auxiliary()
    assert found[AT_PAGESZ] == 4096
    assert found[AT_ENTRY] == 0x40_1000
    assert [found[kind] for kind in (AT_UID, AT_EUID, AT_GID, AT_EGID)] == [1, 2, 3, 4]
    assert reader.string(found[AT_EXECFN]) == b"/bin/prog"
    start = found[AT_RANDOM] - reader.stack.pointer
    assert reader.stack.data[start:start + 16] == RANDOM
    assert reader.stack.data[-8:] == bytes(8)


@pytest.mark.parametrize(("argv", "limit"), [
    ([b"x" * 131_072], LIMIT),
    ([b"x" * 100_000] * 21, LIMIT),
    ([b"x" * 1000] * 132, 400 << 10),
])
def test_too_much_is_e2big(argv, limit):
    with pytest.raises(SysError) as refused:
        build(argv, (), limit=limit)
    assert refused.value.errno == E2BIG


def test_the_longest_string_and_128_kib_are_always_allowed():
    build([b"x" * 131_071], ())
    build([b"x" * 1000] * 100, (), limit=4096)
