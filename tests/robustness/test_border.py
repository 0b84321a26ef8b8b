"""What crosses the border from programs: every op record is checked field by field, every call's arguments by the table."""

from __future__ import annotations

import enum

import pytest

from actors import traps
from kernel.abi import ops
from kernel.abi.decoding import malformed, order_name
from kernel.abi.ops import In, Out
from kernel.abi.syscalls import NUMBERS, TABLE

GOOD = [
    ops.Load(8, ops.I32, ops.PLAIN),
    ops.Store(8, ops.U8, 255, ops.SEQ_CST),
    ops.ReadModifyWrite(8, ops.I64, ops.ADD, 1 << 70, ops.SEQ_CST),
    ops.CompareExchange(8, ops.I8, 300, -128, ops.SEQ_CST),
    ops.ReadLine(62, 2),
    ops.WriteLine(0, bytes(64)),
    ops.Fence(ops.SEQ_CST),
    ops.Relax(),
    ops.Compute(-1),
    ops.Alloca(0, 16),
    ops.Register("tid"),
    ops.Become(0x400000, ()),
    ops.UncaughtException("ValueError", "", "", "", 0, 6),
    ops.Syscall(0, ()),
]
OUT_OF_RANGE = [
    (ops.Load(8, 8, 0), "load: there is no scalar 8"),
    (ops.Store(8, ops.U8, 256, 0), "store: 256 does not fit into 1 bytes"),
    (ops.CompareExchange(8, ops.I8, 0, 128, 0), "compareexchange: 128 does not fit into 1 bytes"),
    (ops.ReadLine(0, 65), "readline: 65 bytes are not within a line"),
    (ops.ReadLine(63, 2), "readline: 2 bytes at 0x3f are not within a line"),
    (ops.WriteLine(0, b""), "writeline: 0 bytes are not within a line"),
    (ops.Alloca(8, 3), "alloca: 3 is no alignment"),
    (ops.Register("cr3"), "there is no register 'cr3'"),
    (ops.UncaughtException("E", "", "", "", 0, 99), "there is no signal 99"),
    (ops.Op(), "Op is no op"),
    ("x", "str is no op"),
]


@pytest.mark.parametrize("op", GOOD, ids=lambda op: type(op).__name__)
def test_an_op_is_an_instruction_if_each_field_is_of_its_class(op):
    assert malformed(op) == ""
    for name in op.__struct_fields__:
        wrong = type(op)(*(None if field == name else getattr(op, field) for field in op.__struct_fields__))
        assert malformed(wrong).startswith(f"{type(op).__name__.lower()}: {name} must be ")


@pytest.mark.parametrize(("op", "text"), OUT_OF_RANGE, ids=[text for _, text in OUT_OF_RANGE])
def test_what_no_cpu_could_do_is_told(op, text):
    assert malformed(op) == text


def test_any_memory_order_can_be_shown():
    assert [order_name(order) for order in (0, 5, -1, 99, "x", None)] == ["relaxed", "seq_cst", *["plain"] * 4]


class Number(int):
    def __eq__(self, other: object) -> bool:
        raise AssertionError("code of the program")

    __hash__ = int.__hash__


class Fd(enum.IntEnum):
    OUT = 1


def test_every_call_has_a_shape_and_takes_what_fits():
    assert traps.admit(999, ()) is None
    for nr, shape in traps._SHAPES.items():
        assert isinstance(traps.admit(nr, (object(),) * (len(shape) + 1)), str), TABLE[nr].name
        assert isinstance(traps.admit(nr, list(shape)), str), TABLE[nr].name


def test_ints_of_a_program_become_ints():
    fd, count = traps.admit(NUMBERS["read"], (Fd.OUT, Number(3)))
    assert (type(fd), fd, type(count), count) == (int, 1, int, 3)
    signo, (handler, _, _) = traps.admit(NUMBERS["rt_sigaction"], (True, (Number(2), 0, 0)))
    assert (type(signo), type(handler)) == (int, int)
    (_, data) = traps.admit(NUMBERS["write"], (1, In(Number(8), Fd.OUT)))
    assert (type(data.address), type(data.count)) == (int, int)


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("read", ("x", 1), "read: int is needed, not str"),
        ("read", (0,), "read: 2 arguments are needed"),
        ("read", (0, 1.0), "read: int is needed, not float"),
        ("close", (Out(0, 1),), "close: int is needed, not Out"),
        ("read", (0, Out("x", 1)), "read: int is needed, not str"),
        ("execve", (b"x", b"x", ()), "execve: tuple is needed, not bytes"),
        ("execve", (b"x", ("x",), ()), "execve: bytes is needed, not str"),
        ("futex", (0, 0, 0, 1.5, 0, 0), "futex: int or NoneType is needed, not float"),
        ("rt_sigaction", (1, (2, 3)), "rt_sigaction: tuple or NoneType is needed, not tuple"),
    ],
)
def test_what_no_register_holds_is_refused(name, args, text):
    assert traps.admit(NUMBERS[name], args) == text
