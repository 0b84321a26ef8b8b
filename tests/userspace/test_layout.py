"""Structs, arrays and char buffers have the layout that a C compiler gives them on x86-64."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fake_cpu import FakeCpu
from userspace.libc import Array, Struct, char, i8, i16, i32, i64, ptr, sizeof, u8, u16, u32, u64

C_TYPES = {
    i8: ctypes.c_int8, u8: ctypes.c_uint8, i16: ctypes.c_int16, u16: ctypes.c_uint16, i32: ctypes.c_int32, u32: ctypes.c_uint32,
    i64: ctypes.c_int64, u64: ctypes.c_uint64, ptr: ctypes.c_void_p, char[5]: ctypes.c_char * 5, Array[i16, 3]: ctypes.c_int16 * 3,
}  # fmt: skip
SAMPLED = st.sampled_from(list(C_TYPES))


class Node(Struct):
    key: i32
    next: ptr["Node"]  # noqa: UP037 - the name must work under both kinds of annotation


class Outer(Struct):
    tag: u8
    node: Node
    name: char[3]
    row: Array[Node, 2]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(SAMPLED, st.lists(SAMPLED, min_size=1, max_size=4)), min_size=1, max_size=6))
def test_offsets_sizes_and_alignment_are_those_of_ctypes(kinds):
    def build(parts, name):
        ours, theirs = {}, []
        for number, part in enumerate(parts):
            mine, its = build(part, f"{name}{number}") if isinstance(part, list) else (part, C_TYPES[part])
            ours[f"f{number}"] = mine
            theirs.append((f"f{number}", its))
        return type(name, (Struct,), {"__annotations__": ours}), type(name, (ctypes.Structure,), {"_fields_": theirs})

    ours, theirs = build(kinds, "S")
    assert sizeof(ours) == ctypes.sizeof(theirs)
    assert ours._align_ == ctypes.alignment(theirs)
    reference = ours.at(4096)
    for number in range(len(kinds)):
        assert getattr(reference, f"f{number}").address - 4096 == getattr(theirs, f"f{number}").offset


def test_a_field_of_a_reference_is_a_reference_and_reads_nothing():
    outer = Outer.at(0x1000)
    assert outer.node.next.address == 0x1010
    assert outer.row[1].key.address == outer.row.address + sizeof(Node)
    assert outer.node is outer.node, "made once"


def test_pointers_name_their_target_before_it_exists():
    cpu = FakeCpu()
    first, second = Node.at(0x1000), Node.at(0x2000)

    async def program():
        assert await first.next.load() is None
        await first.next.store(second)
        assert await first.next.load() == second
        assert await first.next.compare_exchange(second, None) == second
        assert await first.next.exchange(0x2000) is None
        await (await first.next.load()).key.store(7)
        return await second.key.load()

    assert cpu.run(program()) == 7


def test_a_local_struct_can_point_to_itself():
    class Local(Struct):
        next: ptr["Local"]  # noqa: UP037

    assert Local._fields_["next"].type._resolve_() is Local


def test_elements_out_of_bounds_are_references_unless_checked():
    array = Array[i32, 4].at(0x1000)
    assert array[-1].address == 0xFFC
    assert array[4].address == 0x1010
    assert array.checked[3] == array[3]
    for index in (-1, 4):
        with pytest.raises(IndexError):
            array.checked[index]
    assert [element.address for element in array] == [0x1000, 0x1004, 0x1008, 0x100C]
    assert len(array) == 4


@pytest.mark.parametrize("name", ["address", "at", "read_bytes", "write_bytes"])
def test_reserved_field_names_are_refused_at_class_creation(name):
    with pytest.raises(TypeError, match=name):
        type("S", (Struct,), {"__annotations__": {name: i32}})


def test_a_field_of_a_python_type_is_refused_with_what_would_do():
    with pytest.raises(TypeError, match="i8 … u64"):
        type("S", (Struct,), {"__annotations__": {"x": int}})


def test_a_struct_cannot_be_called():
    with pytest.raises(TypeError, match=r"alloca\(Node\)"):
        Node()


def test_c_strings_end_at_their_nul_and_must_fit():
    cpu = FakeCpu()
    buffer = char[8].at(0x103C)

    async def program():
        await buffer.write_cstr(b"abcdefg")
        assert await buffer.read_cstr() == b"abcdefg"
        await buffer.write_cstr(b"")
        assert await buffer.read_cstr() == b""
        await buffer.write_bytes(b"12345678")
        return await buffer.read_cstr()

    assert cpu.run(program()) == b"12345678"
    with pytest.raises(ValueError, match="do not fit"):
        buffer.write_cstr(b"12345678")


def test_inherited_fields_come_first():
    class Derived(Node):
        more: u8

    assert Derived.at(0).more.address == 16
    assert Derived.at(0).key.address == 0
    assert sizeof(Derived) == 24
