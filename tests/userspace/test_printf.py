"""printf's format language, compared with the host's own printf."""

from __future__ import annotations

import ctypes
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from userspace.libc import i32
from userspace.libc.stdio_format import format_text

_snprintf = ctypes.CDLL(None).snprintf
_snprintf.restype = ctypes.c_int


def host(text: str, *args) -> bytes:
    buffer = ctypes.create_string_buffer(4096)
    size = _snprintf(buffer, ctypes.c_size_t(4096), text.encode(), *args)
    return buffer.raw[:size]


FLAGS = st.text(alphabet="-+ 0#", max_size=3)
WIDTH = st.one_of(st.just(""), st.integers(1, 20).map(str))
PRECISION = st.one_of(st.just(""), st.just("."), st.integers(0, 15).map(lambda n: f".{n}"))


@settings(max_examples=50, deadline=None)
@given(FLAGS, WIDTH, PRECISION, st.sampled_from("dixXou"), st.integers(-(1 << 31), (1 << 31) - 1))
def test_integers_are_formatted_as_the_host_does(flags, width, precision, conversion, value):
    text = f"%{flags}{width}{precision}{conversion}"
    assert format_text(text, (value,)) == host(text, ctypes.c_int(value))


@settings(max_examples=50, deadline=None)
@given(FLAGS, WIDTH, st.sampled_from(["ld", "lu", "llx", "zu", "hd", "hhu", "hhd", "lX"]), st.integers(-(1 << 63), (1 << 63) - 1))
def test_lengths_cut_as_the_host_does(flags, width, conversion, value):
    text = f"%{flags}{width}{conversion}"
    assert format_text(text, (value,)) == host(text, ctypes.c_longlong(value))


@settings(max_examples=50, deadline=None)
@given(FLAGS, WIDTH, PRECISION, st.sampled_from("fFeEgGaA"), st.one_of(st.floats(), st.just(0.0), st.floats(-10, 10)))
def test_floats_are_formatted_as_the_host_does(flags, width, precision, conversion, value):
    if math.isnan(value):
        value = math.nan  # its sign is the host's business
    if conversion in "aA" and ("#" in flags or 0 < abs(value) < 2.3e-308):
        return  # %#a and subnormal numbers are not modelled
    text = f"%{flags}{width}{precision}{conversion}"
    assert format_text(text, (value,)) == host(text, ctypes.c_double(value))


@pytest.mark.parametrize(("text", "value"), [("%s", "hi"), ("%6s|", "hi"), ("%-6s|", "hi"), ("%.1s", "hi"), ("%5.1s", "hi"), ("%s", "")])
def test_strings_are_formatted_as_the_host_does(text, value):
    assert format_text(text, (value,)) == host(text, value.encode())
    assert format_text(text, (value.encode(),)) == host(text, value.encode())


def test_the_rest_of_the_language():
    assert format_text("100%%|%c%c|%s|%p|%p", (65, "b", None, 0, 0x1000)) == b"100%|Ab|(null)|(nil)|0x1000"
    assert format_text("%p", (i32.at(0x2000),)) == b"0x2000"
    assert format_text("%*d|%-*d|%.*f", (5, 42, 4, 7, 1, 2.25)) == b"   42|7   |2.2"
    assert format_text("%*d|", (-4, 7)) == b"7   |"
    assert format_text("%d %d", (True, 1 << 40)) == b"1 1099511627776"
    assert format_text("häß", ()) == "häß".encode()
    assert format_text("%s", (b"\xff\xfe",)) == b"\xff\xfe"
    assert format_text("%d", (1, 2, 3)) == b"1", "superfluous arguments are ignored"
    assert format_text("%.2f", (3,)) == b"3.00"


@pytest.mark.parametrize(("text", "args", "named"), [
    ("%d", (), "%d has no argument"), ("%d", ("x",), "%d needs an int"), ("%5.2f", ("x",), "%5.2f needs a float"), ("%s", (5,), "%s needs"),
    ("%d", (1.5,), "%d needs an int, not float"), ("%c", ("ab",), "%c"), ("%p", ("x",), "%p"), ("%d", (i32.at(0),), r"await x.load\(\)"),
])  # fmt: skip
def test_a_wrong_argument_is_a_type_error_that_names_the_conversion(text, args, named):
    with pytest.raises(TypeError, match=named):
        format_text(text, args)


@pytest.mark.parametrize("text", ["%n", "%y", "%", "%5"])
def test_what_is_no_conversion_is_refused(text):
    with pytest.raises(ValueError, match="no conversion"):
        format_text(text, (1,))
