"""The heap: addresses, reuse, misuse; a Hypothesis model of live blocks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.abi.errnos import Failure
from kernel.abi.syscalls import NUMBERS
from tests.support.fake_cpu import Ended, FakeCpu
from userspace.libc import SIGABRT, calloc, free, malloc, memset, read_bytes, realloc, write_bytes

SIZES = st.one_of(st.integers(0, 200), st.integers(900, 5000), st.sampled_from([131055, 131056, 200_000]))


def test_addresses_are_aligned_and_what_was_freed_last_comes_first():
    async def program():
        blocks = [await malloc(size) for size in (0, 1, 16, 100)]
        assert all(block % 16 == 0 for block in blocks)
        await free(blocks[1])
        await free(blocks[2])
        assert await malloc(10) == blocks[2]
        assert await malloc(16) == blocks[1]
        await free(0)

    FakeCpu().run(program())


def test_a_small_malloc_takes_six_ops_and_no_call():
    cpu = FakeCpu()
    cpu.run(malloc(24))
    cpu.trace.clear()
    cpu.run(malloc(24))
    assert len(cpu.trace) == 6
    assert not cpu.syscalls()


def test_large_blocks_are_mapped_and_unmapped():
    cpu = FakeCpu()

    async def program():
        block = await malloc(128 << 10)
        await write_bytes(block, b"x")
        await free(block)

    cpu.run(program())
    assert cpu.syscalls() == ["mmap", "munmap"]


def test_calloc_clears_memory_that_was_used_before():
    async def program():
        block = await malloc(100)
        await memset(block, 0xFF, 100)
        await free(block)
        again = await calloc(10, 10)
        assert again == block
        return await read_bytes(again, 100)

    assert FakeCpu().run(program()) == bytes(100)


def test_realloc_keeps_the_content():
    async def program():
        block = await realloc(0, 10)
        await write_bytes(block, b"0123456789")
        grown = await realloc(block, 5000)
        assert await read_bytes(grown, 10) == b"0123456789"
        mapped = await realloc(grown, 200_000)
        assert await read_bytes(mapped, 10) == b"0123456789"
        small = await realloc(mapped, 5)
        assert await read_bytes(small, 5) == b"01234"
        assert await realloc(small, 2) == small
        assert await realloc(small, 0) == 0

    FakeCpu().run(program())


@pytest.mark.parametrize(("misuse", "message"), [
    ("twice", b"free(): double free detected in tcache 2\n"), ("odd", b"free(): invalid pointer\n"), ("wild", b"free(): invalid pointer\n"),
])  # fmt: skip
def test_misuse_aborts_with_the_message_of_glibc(misuse, message):
    cpu = FakeCpu()

    async def program():
        block = await malloc(24)
        if misuse == "twice":
            await free(block)
        await free(block + {"twice": 0, "odd": 8, "wild": 0x10000}[misuse])

    with pytest.raises(Ended) as ended:
        cpu.run(program())
    assert ended.value.args == ("signal", SIGABRT)
    assert cpu.output(2) == message


def test_no_memory_raises():
    cpu = FakeCpu()
    cpu.calls[NUMBERS["brk"]] = lambda _: 0x100_0000
    cpu.calls[NUMBERS["mmap"]] = lambda *_: Failure(12)
    for size in (10, 1 << 20, 1 << 63, -1):
        with pytest.raises(OSError, match="Cannot allocate memory"):
            cpu.run(malloc(size))
    with pytest.raises(OSError, match="Cannot allocate memory"):
        cpu.run(calloc(1 << 40, 1 << 40))


def test_the_heap_goes_on_after_a_break_that_somebody_else_moved():
    cpu = FakeCpu()

    async def program():
        first = await malloc(100)
        cpu.break_ += 4096 + 8
        second = await malloc(127 << 10)
        third = await malloc(127 << 10)
        assert first < second < third
        assert third + (127 << 10) <= cpu.break_

    cpu.run(program())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(SIZES, st.integers(-20, -1)), min_size=1, max_size=40))
def test_live_blocks_never_overlap_and_keep_their_bytes(steps):
    """A positive step allocates that many bytes, a negative one frees (or resizes) one of the live blocks."""
    cpu = FakeCpu()
    live: list[tuple[int, int, int]] = []  # address, size, byte it begins and ends with

    async def check(address: int, size: int, byte: int) -> None:
        if size:
            assert (await read_bytes(address, 1))[0] == byte
            assert (await read_bytes(address + size - 1, 1))[0] == byte

    async def fill(address: int, size: int, byte: int) -> None:
        if size:
            await write_bytes(address, bytes([byte]))
            await write_bytes(address + size - 1, bytes([byte]))

    async def program():
        for number, step in enumerate(steps):
            byte = number % 255 + 1
            if step >= 0:
                address = await malloc(step)
                await fill(address, step, byte)
                live.append((address, step, byte))
            elif live:
                address, size, byte = live.pop(-step % len(live))
                await check(address, size, byte)
                if step % 5 == 0 and size:
                    grown = await realloc(address, size * 2)
                    assert (await read_bytes(grown, 1))[0] == byte
                    await fill(grown, size * 2, byte)
                    live.append((grown, size * 2, byte))
                else:
                    await free(address)
        for block in live:
            await check(*block)
        spans = sorted((address, address + max(size, 1)) for address, size, _ in live)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))

    cpu.run(program())
