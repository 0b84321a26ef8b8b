"""References name places and hold no values; loads and stores are one op each."""

from __future__ import annotations

import copy

import pytest

from kernel.abi import ops
from tests.support.fake_cpu import FakeCpu
from userspace.libc import (
    Array,
    Global,
    Struct,
    alloca,
    char,
    i8,
    i16,
    i32,
    i64,
    memcpy,
    memset,
    ptr,
    read_bytes,
    sizeof,
    u8,
    u16,
    u32,
    u64,
    write_bytes,
)
from userspace.ref import bind_global, global_align, global_bytes, global_size, is_global


class Shared(Struct):
    counter: i32
    name: char[10]


shared = Shared.at(0x1000)


@pytest.mark.parametrize("use", [
    lambda x: x + 1, lambda x: 1 - x, lambda x: x < 3, lambda x: x >= i32.at(0), lambda x: bool(x), lambda x: int(x), lambda x: f"{x}",
    lambda x: str(x), lambda x: x == 5, lambda x: -x, lambda x: range(x), lambda x: [1, 2][x],
])  # fmt: skip
def test_a_reference_is_no_value(use):
    with pytest.raises(TypeError, match=r"load it first: `await .*\.load\(\)`"):
        use(shared.counter)


def test_the_error_names_the_variable():
    total = i32.at(0x40)
    with pytest.raises(TypeError, match=r"await total\.load"):
        total + 1


def test_assignment_says_what_to_write_instead():
    with pytest.raises(AttributeError, match=r"await shared\.counter\.store\(5\)"):
        shared.counter = 5
    row = Array[i32, 2].at(0)
    with pytest.raises(TypeError, match=r"await row\[1\]\.store\(5\)"):
        row[1] = 5


def test_repr_shows_type_and_address():
    assert repr(shared.counter) == "<i32 at 0x1000>"
    assert repr(Array[i32, 2].at(64)) == "<Array[i32, 2] at 0x40>"


def test_equality_is_of_type_and_address():
    assert i32.at(64) == i32.at(64)
    assert i32.at(64) != u32.at(64)
    assert i32.at(64) != i32.at(68)
    assert i32.at(64) is not None
    assert len({i32.at(64), i32.at(64), i32.at(68)}) == 2
    assert copy.deepcopy(shared) is shared


@pytest.mark.parametrize(("kind", "value", "stored"), [
    (i8, 200, -56), (u8, -1, 255), (i16, 1 << 15, -(1 << 15)), (u16, 65537, 1), (i32, (1 << 31), -(1 << 31)), (u32, -1, (1 << 32) - 1),
    (i64, (1 << 64) - 1, -1), (u64, -1, (1 << 64) - 1), (i32, True, 1),
])  # fmt: skip
def test_values_are_cut_to_the_width_of_the_scalar(kind, value, stored):
    cpu = FakeCpu()
    place = kind.at(0x1000)

    async def program():
        await place.store(value)
        assert await place.exchange(value) == stored
        assert await place.compare_exchange(value, 0) == stored
        return await place.load()

    assert cpu.run(program()) == 0
    assert cpu.trace[0] == ops.Store(0x1000, kind._code_, stored, ops.PLAIN)


def test_storing_a_float_or_a_reference_is_refused():
    cpu = FakeCpu()
    with pytest.raises(TypeError):
        cpu.run(i32.at(0).store(1.5))
    with pytest.raises(TypeError, match="load it first"):
        cpu.run(i32.at(0).store(shared.counter))


def test_plain_without_an_order_and_atomic_with_one():
    cpu = FakeCpu()

    async def program():
        await shared.counter.load()
        await shared.counter.load(ops.ACQUIRE)
        await shared.counter.store(3, ops.RELEASE)
        assert await shared.counter.fetch_add(4) == 3
        assert await shared.counter.fetch_sub(1) == 7
        assert await shared.counter.fetch_and(3) == 6
        assert await shared.counter.fetch_or(8) == 2
        assert await shared.counter.fetch_xor(1) == 10

    cpu.run(program())
    assert [op.order for op in cpu.trace] == [ops.PLAIN, ops.ACQUIRE, ops.RELEASE, *[ops.SEQ_CST] * 5]


def test_bulk_access_is_one_op_for_each_line():
    cpu = FakeCpu()

    async def program():
        await write_bytes(0x1030, b"x" * 100)  # 16 + 64 + 20
        assert await read_bytes(0x1030, 100) == b"x" * 100
        await memset(0x1030, 0x141, 10)
        await memcpy(0x2000, 0x1030, 100)
        assert await read_bytes(0x2000, 100) == b"A" * 10 + b"x" * 90
        assert await read_bytes(0x2000, 0) == b""
        assert await Shared.at(0x1030).read_bytes() == b"A" * 10 + b"x" * 6

    cpu.run(program())
    assert [len(op.data) for op in cpu.trace[:3]] == [16, 64, 20]


def test_alloca_gives_aligned_room_on_the_stack():
    cpu = FakeCpu()

    async def program():
        first, second = await alloca(Array[i64, 3]), await alloca(u8)
        return first.address, second.address

    first, second = cpu.run(program())
    assert first % 8 == 0
    assert second < first
    assert sizeof(shared) == sizeof(Shared) == 16


# ---- Global -----------------------------------------------------------------------------------------------------------------


def test_a_global_carries_its_first_bytes():
    assert global_bytes(Global(i32, 42)) == b"\x2a\0\0\0"
    assert global_bytes(Global(i32)) is None
    assert global_bytes(Global(i32, 0)) is None, "zeroes go to .bss"
    assert global_bytes(Global(Array[i16, 3], [1, -1])) == b"\1\0\xff\xff\0\0"
    assert global_bytes(Global(Shared, {"counter": 1, "name": b"abc"})) == b"\1\0\0\0abc".ljust(16, b"\0")
    assert global_bytes(Global(char[4], "ab")) == b"ab\0\0"
    assert global_bytes(Global(ptr["Shared"], 0x1234)) == b"\x34\x12".ljust(8, b"\0")
    assert (global_size(Global(Shared)), global_align(Global(Shared))) == (16, 4)


def test_an_unbound_global_says_where_it_should_stand():
    lonely = Global(i32, 1)
    assert is_global(lonely)
    assert not is_global(shared)
    assert repr(lonely) == "<i32 unbound>"
    with pytest.raises(RuntimeError, match="module level"):
        FakeCpu().run(lonely.load())


def test_binding_gives_a_global_its_address():
    place = Global(Shared)
    bind_global(place, 0x1000)
    assert place.counter.address == 0x1000
    bind_global(place, 0x2000)
    assert place.counter.address == 0x2000, "fields made before are forgotten"
    assert is_global(place)


def test_initial_values_of_the_wrong_shape_are_refused():
    with pytest.raises(TypeError, match="no field"):
        Global(Shared, {"missing": 1})
    with pytest.raises(ValueError, match="bytes"):
        Global(char[2], b"abc")
    with pytest.raises(TypeError, match="Global takes a type"):
        Global(int, 5)
