"""References: typed names of places in simulated memory, and `Global`, which makes a place a symbol of the program.

A reference is a type and an address, nothing else: `Shared.at(address)`. It holds no value, so it refuses everything for which a value
would be needed (arithmetic, comparison, truth, formatting): whoever means the value writes `await x.load()`, which is an instruction
of the simulated CPU and may be interleaved with other cores. Two references are equal if type and address are.

`Global(type, value)` stands at module level and gives a reference without an address: the loader lays .data and .bss out and binds it.
In C the linker does this; `is_global`, `global_size`, `global_bytes`, `bind_global` are what it would find in the object file.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from operator import index
from typing import Any, ClassVar, Final

from userspace.trap import read_memory, stack_reference, write_memory

RESERVED_NAMES: Final = ("address", "at", "read_bytes", "write_bytes")  # of every reference: no field may be called so

_REFUSED: Final = {  # what would need the value: as the program writes it, and the special methods behind it
    "+": "add radd iadd pos", "-": "sub rsub isub neg", "*": "mul rmul imul", "/": "truediv rtruediv", "//": "floordiv rfloordiv",
    "%": "mod rmod", "divmod()": "divmod rdivmod", "**": "pow rpow", "<<": "lshift rlshift", ">>": "rshift rrshift", "&": "and rand iand",
    "|": "or ror ior", "^": "xor rxor ixor", "abs()": "abs", "~": "invert", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
    "a truth test (if, while, and, or, not)": "bool", "int()": "int", "float()": "float", "complex()": "complex",
    "an index or a range": "index", "round()": "round trunc floor ceil", "formatting": "format", "str()": "str", "bytes()": "bytes",
}  # fmt: skip
_INSTRUCTIONS: Final = {  # that do in one step what an augmented assignment means
    "__iadd__": "fetch_add", "__isub__": "fetch_sub", "__iand__": "fetch_and", "__ior__": "fetch_or", "__ixor__": "fetch_xor",
}  # fmt: skip

LIBRARY: Final = "userspace."  # prefix of the modules whose types are shared by all programs
_new: Final = object.__new__


class ReferenceType(type):
    """The class of the types of simulated memory. Those of libc are shared by all programs, and refuse to be changed by one."""

    def __setattr__(cls, name: str, value: Any) -> None:
        if cls.__module__.startswith(LIBRARY) and _sealed:
            raise TypeError(f"{cls.__name__} is shared by all programs: {cls.__name__}.{name} cannot be changed")
        type.__setattr__(cls, name, value)

    def __delattr__(cls, name: str) -> None:
        if cls.__module__.startswith(LIBRARY):
            raise TypeError(f"{cls.__name__} is shared by all programs: {cls.__name__}.{name} cannot be deleted")
        type.__delattr__(cls, name)


_sealed: list[bool] = []  # not empty: libc is complete


def seal() -> None:
    """From now on the types of libc stay as they are."""
    _sealed.append(True)


class Reference(metaclass=ReferenceType):
    """A typed place in simulated memory. Made by `T.at(address)`, by fields and elements of other references, by Global and alloca."""

    __slots__ = ("_initial_", "address")

    _size_: ClassVar[int] = 0  # bytes
    _align_: ClassVar[int] = 1  # bytes

    address: int  # of the first byte; unset while a Global is unbound
    _initial_: bytes | None  # set on Globals only: their first bytes; None: zeroes

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Refused: memory is obtained from the simulated machine."""
        name = cls.__name__
        raise TypeError(
            f"{name}() makes no memory: use {name}.at(address) on what mmap or malloc gave, "
            f"`await alloca({name})`, or Global({name}) at module level"
        )

    @classmethod
    def at(cls, address: Any) -> Any:
        """The reference of this type at an address (a number, or the address of another reference). Nothing is read."""
        reference = _new(cls)
        _set_address(reference, address if address.__class__ is int else address_of(address))
        return reference

    @classmethod
    def _encode_(cls, value: Any) -> bytes:
        """The bytes of an initial value. Raises TypeError for what the type cannot hold."""
        raise TypeError(f"{cls.__name__} has no size: {value!r} cannot be stored there")

    def read_bytes(self, n: int = -1) -> Awaitable[bytes]:
        """`n` bytes from here on, by default the type's size; one op for each 64-byte line."""
        return read_memory(self.address, self._size_ if n < 0 else index(n))

    def write_bytes(self, data: bytes) -> Awaitable[None]:
        """Write these bytes from here on; one op for each 64-byte line."""
        return write_memory(self.address, bytes(data))

    def __getattr__(self, name: str) -> Any:
        if name == "address":
            kind = type(self).__name__
            raise RuntimeError(f"this Global({kind}) has no address: Global stands at module level only, where the loader finds it")
        raise AttributeError(f"{type(self).__name__} has no field or method {name!r}")

    def __repr__(self) -> str:
        where = f"at {self.address:#x}" if not is_unbound(self) else "unbound"
        return f"<{type(self).__name__} {where}>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Reference):
            # By name, not by identity: a fork's child has classes of its own, and its pointers equal its parent's.
            return type(self).__qualname__ == type(other).__qualname__ and self.address == other.address
        if isinstance(other, int | float | bytes | str):
            raise TypeError(_refusal(self, "==", "__eq__"))
        return NotImplemented

    def __hash__(self) -> int:
        return ~self.address  # no text in it, so the same under any hash seed, and no plain address's hash

    def __copy__(self) -> Reference:
        return self  # a reference is a name: copying it copies no memory

    def __deepcopy__(self, memo: Any) -> Reference:
        return self


_set_address: Final = Reference.__dict__["address"].__set__
_set_initial: Final = Reference.__dict__["_initial_"].__set__


def _refusal(reference: Reference, what: str, method: str) -> str:
    name = name_in_caller(reference, "x")
    about = f"{name} is a reference to simulated memory ({type(reference).__name__}), and {what} needs its value"
    if method in _INSTRUCTIONS and hasattr(reference, "fetch_add"):
        return f"{about}; write `await {name}.{_INSTRUCTIONS[method]}(…)`, or load it first: `await {name}.load()`"
    reader = next((reader for reader in ("load", "read_cstr") if hasattr(reference, reader)), None)
    return f"{about}; load it first: " + (f"`await {name}.{reader}()`" if reader else "its fields or elements one by one")


def _refuser(what: str, method: str) -> Any:
    def refuse(self: Reference, *_: Any) -> Any:
        raise TypeError(_refusal(self, what, method))

    refuse.__name__ = method
    return refuse


for _what, _methods in _REFUSED.items():
    for _method in _methods.split():
        setattr(Reference, f"__{_method}__", _refuser(_what, f"__{_method}__"))


def name_in_caller(reference: Reference, default: str) -> str:
    """The variable, or `variable.field`, by which one of the nearest calls knows this reference, for error texts; else `default`."""
    frame: Any = sys._getframe(1)
    for _ in range(6):
        if frame is None:
            break
        for name, value in (*frame.f_locals.items(), *frame.f_globals.items()):
            if name in ("self", "reference", "value", "other", "instance"):
                continue
            if value is reference:
                return str(name)
            if isinstance(value, Reference):  # a structure keeps the references to its fields that were asked for
                fields = getattr(value, "__dict__", {})
                field = next((field for field, known in fields.items() if known is reference), None)
                if field is not None:
                    return f"{name}.{field}"
        frame = frame.f_back
    return default


def make_reference(type_: type[Reference], address: int) -> Any:
    """As `type_.at(address)`, for an address that is known to be an int."""
    reference = _new(type_)
    _set_address(reference, address)
    return reference


def address_of(place: Any) -> int:
    """The address meant: of a reference, of a number, 0 for None. Raises TypeError for anything else."""
    if isinstance(place, Reference):
        return place.address
    if place is None:
        return 0
    if isinstance(place, int):
        return int(place)
    raise TypeError(f"an address or a reference is needed, not {type(place).__name__}")


def is_type(candidate: Any) -> bool:
    """Is it a type of simulated memory that has a size?"""
    return isinstance(candidate, type) and issubclass(candidate, Reference) and candidate._size_ > 0


def sizeof(type: Any) -> int:
    """The size in bytes of a type of simulated memory, or of what a reference names, as on x86-64."""
    if is_type(type):
        return int(type._size_)
    if isinstance(type, Reference):
        return type._size_
    raise TypeError(f"sizeof takes a type of simulated memory (i32, Array[i32, 4], a Struct class), not {type!r}")


def alloca(type: Any) -> Awaitable[Any]:
    """A reference to a fresh `type` on the thread's stack, released when the calling function ends. Not zeroed."""
    if not is_type(type):
        raise TypeError(f"alloca takes a type of simulated memory, not {type!r}")
    return stack_reference(type.at, type._size_, type._align_)  # no coroutine of its own: the room is its caller's


def Global(type: Any, value: Any = None) -> Any:  # noqa: N802 - it reads as a declaration
    """A symbol in .data (with a value: int, list, bytes, or a dict of fields) or in .bss. Stands at module level."""
    if not is_type(type):
        raise TypeError(f"Global takes a type of simulated memory (i32, Array[i32, 4], a Struct class), not {type!r}")
    reference = _new(type)
    _set_initial(reference, None if value is None else type._encode_(value))
    return reference


def is_global(candidate: Any) -> bool:
    """Was it made by Global?"""
    return isinstance(candidate, Reference) and hasattr(candidate, "_initial_")


def is_unbound(reference: Reference) -> bool:
    """Has the loader not given it an address yet?"""
    return is_global(reference) and not _has_address(reference)


def _has_address(reference: Reference) -> bool:
    try:
        object.__getattribute__(reference, "address")
    except AttributeError:
        return False
    return True


def global_size(reference: Reference) -> int:
    """The symbol's size in bytes."""
    return reference._size_


def global_align(reference: Reference) -> int:
    """The symbol's alignment in bytes."""
    return reference._align_


def global_bytes(reference: Reference) -> bytes | None:
    """The symbol's first content, of its full size; None: it goes to .bss."""
    initial = reference._initial_
    return initial if initial is not None and any(initial) else None


def bind_global(reference: Reference, address: int) -> None:
    """The loader's: the symbol lies at this address."""
    assert is_global(reference), "only what Global made is bound"
    if hasattr(reference, "__dict__"):
        reference.__dict__.clear()  # fields made for an earlier address
    _set_address(reference, address)
