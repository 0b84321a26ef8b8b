"""The format language of printf(3): text and values in, bytes out. Pure: no memory is touched here.

Widths and precisions count bytes, as in C. Where C's behaviour depends on the type of a vararg, Python's value decides: `%d` prints an
int of any size in full unless a length modifier cuts it (`%hhd`, `%hd`), `%u`, `%x` and `%o` show a negative number as the 32-bit word
that C would see, or as 64-bit with `l`, `ll`, `z`, `j`, `t`. A value of a type that the conversion cannot take is a TypeError that names
the conversion: where a compiler would warn, and C would print garbage. `%n` and wide characters do not exist.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Any, Final, NamedTuple

from kernel.abi.errno_values import EOVERFLOW
from userspace.ref import Reference
from userspace.trap import os_error

_DIRECTIVE: Final = re.compile(rb"%([-+ 0#']*)(\*|\d*)(?:(\.)(\*|-?\d*))?(hh|h|ll|l|L|z|j|t|q)?(.)?", re.DOTALL)
_WIDTHS: Final = {b"hh": 8, b"h": 16, b"": 32, b"l": 64, b"ll": 64, b"q": 64, b"z": 64, b"j": 64, b"t": 64, b"L": 64}  # bits

FIELD_MAX: Final = 1 << 20  # bytes that a width or precision may ask for; C promises 4095


class Directive(NamedTuple):
    """One conversion specification."""

    text: str  # as written, for error texts
    flags: bytes
    width: int | None  # None: `*`
    precision: int | None  # -1: none given; None: `*`
    length: bytes
    conversion: str


@functools.lru_cache(maxsize=512)  # of pure parses: the same text always gives the same parts
def parse(format_: bytes) -> tuple[bytes | Directive, ...]:
    """Literal text and directives, in order. Raises ValueError for what C leaves undefined."""
    parts: list[bytes | Directive] = []
    position = 0
    while True:
        percent = format_.find(b"%", position)
        if percent < 0:
            parts.append(format_[position:])
            return tuple(part for part in parts if part)
        parts.append(format_[position:percent])
        match = _DIRECTIVE.match(format_, percent)
        assert match is not None, "every part of the pattern but the percent sign is optional"
        position = match.end()
        flags, width, dot, precision, length, conversion = match.groups()
        text = match.group().decode("utf-8", "replace")
        if conversion == b"%":
            parts.append(b"%")
            continue
        if conversion is None or conversion not in b"diouxXcspfFeEgGaA":
            raise ValueError(f"printf: {text!r} is no conversion (there are %d %i %o %u %x %X %c %s %p %f %e %g %a %%)")
        parts.append(
            Directive(
                text,
                flags,
                None if width == b"*" else int(width or 0),
                None if precision == b"*" else -1 if dot is None else int(precision or 0),
                length or b"",
                conversion.decode(),
            )
        )


def format_text(format_: str | bytes, args: tuple[Any, ...]) -> bytes:
    """What printf(format, *args) writes. Superfluous arguments are ignored, as in C.

    Raises TypeError for missing or unsuitable arguments, OSError(EOVERFLOW) for a field wider than FIELD_MAX.
    """
    if isinstance(format_, str):
        format_ = format_.encode("utf-8", "surrogateescape")
    if b"%" not in format_:
        return format_
    arguments = iter(args)
    pieces: list[bytes] = []
    for part in parse(format_):
        if isinstance(part, bytes):
            pieces.append(part)
            continue
        flags, width, precision = part.flags, part.width, part.precision
        if width is None:
            width = _integer(part, _next(part, arguments))
            flags, width = (flags + b"-", -width) if width < 0 else (flags, width)
        if precision is None:
            precision = max(-1, _integer(part, _next(part, arguments)))
        if width > FIELD_MAX or precision > FIELD_MAX:
            raise os_error(EOVERFLOW)
        body, zeroes = _convert(part, flags, precision, _next(part, arguments))
        pieces.append(_pad(body, flags, width, zeroes))
    return b"".join(pieces)


def _next(directive: Directive, arguments: Any) -> Any:
    for argument in arguments:
        return argument
    raise TypeError(f"printf: {directive.text} has no argument")


def _refuse(directive: Directive, needed: str, value: Any) -> TypeError:
    if isinstance(value, Reference):
        how = "read_cstr()" if hasattr(value, "read_cstr") else "load()"
        return TypeError(f"printf: {directive.text} needs {needed}, not a reference ({type(value).__name__}): pass `await x.{how}`")
    if hasattr(value, "__await__") or hasattr(value, "gi_yieldfrom"):
        call = f"{getattr(value, '__name__', 'call')}(…)"
        return TypeError(f"printf: {directive.text} needs {needed}, not a coroutine: {call} is not awaited: write `await {call}`")
    return TypeError(f"printf: {directive.text} needs {needed}, not {type(value).__name__} ({value!r})")


def _integer(directive: Directive, value: Any) -> int:
    if not isinstance(value, int):
        raise _refuse(directive, "an int", value)
    return int(value)


def _pad(body: bytes, flags: bytes, width: int, zeroes: bool) -> bytes:
    """To the field's width; `zeroes`: the flag 0 applies, and goes behind sign and prefix."""
    if len(body) >= width:
        return body
    if b"-" in flags:
        return body.ljust(width)
    if not zeroes or b"0" not in flags:
        return body.rjust(width)
    prefix = 1 if body[:1] in (b"-", b"+", b" ") else 0
    prefix += 2 if body[prefix : prefix + 2] in (b"0x", b"0X") else 0
    return body[:prefix] + b"0" * (width - len(body)) + body[prefix:]


def _convert(directive: Directive, flags: bytes, precision: int, value: Any) -> tuple[bytes, bool]:
    """(text without padding, may it be padded with zeroes)."""
    conversion = directive.conversion
    if conversion in "di":
        return _signed(directive, flags, precision, value), precision < 0
    if conversion in "ouxX":
        return _unsigned(directive, flags, precision, value), precision < 0
    if conversion == "s":
        return _string(directive, precision, value), False
    if conversion == "c":
        return _character(directive, value), False
    if conversion == "p":
        return _pointer(directive, value), False
    return _floating(directive, flags, precision, value)


def _signed(directive: Directive, flags: bytes, precision: int, value: Any) -> bytes:
    number = _integer(directive, value)
    bits = _WIDTHS[directive.length]
    if bits < 32:
        number = ((number + (1 << (bits - 1))) & ((1 << bits) - 1)) - (1 << (bits - 1))
    digits = _digits(str(abs(number)), number, precision)
    sign = "-" if number < 0 else "+" if b"+" in flags else " " if b" " in flags else ""
    return (sign + digits).encode()


def _digits(digits: str, number: int, precision: int) -> str:
    """At least `precision` digits; zero with precision zero has none."""
    return "" if precision == 0 and number == 0 else digits.rjust(precision, "0")


def _unsigned(directive: Directive, flags: bytes, precision: int, value: Any) -> bytes:
    number = _integer(directive, value)
    bits = _WIDTHS[directive.length]
    if number < 0 or bits < 32:
        number &= (1 << bits) - 1
    conversion = directive.conversion
    base = {"o": "o", "u": "d", "x": "x", "X": "X"}[conversion]
    digits = _digits(format(number, base), number, precision)
    if b"#" in flags:
        if conversion == "o" and not digits.startswith("0"):
            digits = "0" + digits
        elif conversion in "xX" and number:
            digits = "0" + conversion + digits
    return digits.encode()


def _string(directive: Directive, precision: int, value: Any) -> bytes:
    if value is None:
        return b"(null)" if precision < 0 or precision >= 6 else b""
    if isinstance(value, str):
        data = str(value).encode("utf-8", "surrogateescape")
    elif isinstance(value, bytes | bytearray):
        data = bytes(value)
    else:
        raise _refuse(directive, "a str or bytes", value)
    end = data.find(0)
    data = data if end < 0 else data[:end]
    return data if precision < 0 else data[:precision]


def _character(directive: Directive, value: Any) -> bytes:
    if isinstance(value, int):
        return bytes((value & 0xFF,))
    if isinstance(value, str | bytes) and len(value) == 1:
        return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    raise _refuse(directive, "an int or one character", value)


def _pointer(directive: Directive, value: Any) -> bytes:
    if isinstance(value, Reference):
        value = value.address
    if value is None or value == 0:
        return b"(nil)"
    if not isinstance(value, int):
        raise _refuse(directive, "an address or a reference", value)
    return b"%#x" % (value & 0xFFFF_FFFF_FFFF_FFFF)


def _floating(directive: Directive, flags: bytes, precision: int, value: Any) -> tuple[bytes, bool]:
    if not isinstance(value, int | float):
        raise _refuse(directive, "a float", value)
    number = float(value)
    conversion = directive.conversion
    if conversion in "aA":
        text = _hexadecimal(number, precision)
        text = text.upper() if conversion == "A" else text
        sign = "" if text.startswith("-") else "+" if b"+" in flags else " " if b" " in flags else ""
        return (sign + text).encode(), math.isfinite(number)
    shown = "".join(flag for flag in ("+", " ", "#") if flag.encode() in flags)
    text = f"%{shown}.{6 if precision < 0 else precision}{conversion}" % number
    return text.encode(), math.isfinite(number)


def _hexadecimal(number: float, precision: int) -> str:
    """C's %a: 0x1.8p+0, with the shortest exact fraction, or rounded to `precision` digits (half to even)."""
    if not math.isfinite(number):
        return f"{number}"
    sign, (fraction, exponent) = "-" if math.copysign(1.0, number) < 0 else "", math.frexp(abs(number))
    if fraction == 0:
        return f"{sign}0x0{'.' + '0' * precision if precision > 0 else ''}p+0"
    bits = int(fraction * (1 << 53))  # the leading 1, then 52 bits
    digits = 13
    if 0 <= precision < 13:
        drop = 4 * (13 - precision)
        low, bits = bits & ((1 << drop) - 1), bits >> drop
        half = 1 << (drop - 1)
        bits += 1 if low > half or (low == half and bits & 1) else 0
        digits = precision
    text = f"{bits & ((1 << 4 * digits) - 1):0{digits}x}" if digits else ""
    text = text.rstrip("0") if precision < 0 else text.ljust(precision, "0")
    return f"{sign}0x{bits >> 4 * digits}{'.' + text if text else ''}p{exponent - 1:+d}"
