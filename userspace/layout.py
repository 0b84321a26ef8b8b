"""Composite types of simulated memory: `Struct`, `Array[T, n]`, `char[n]`, with the sizes, padding and alignment of x86-64.

    class Node(Struct):
        key: i32            # offset 0, then 4 bytes of padding
        next: ptr["Node"]   # offset 8;   sizeof(Node) is 16

A field of a reference is a reference: `node.next` computes an address and touches no memory. Fields are found in the class's
annotations, at class creation; under `from __future__ import annotations` these are texts and are evaluated in the module that wrote
them. Nothing is ever assigned: `node.key = 5` is refused with what to write instead. See the System V ABI for AMD64, section 3.1.2.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, ClassVar, Final, get_origin

from userspace.ref import (
    RESERVED_NAMES,
    Reference,
    _set_address,
    is_type,
    make_reference,
    name_in_caller,
)
from userspace.scalars import _exactly, i8, pointer_to, ptr
from userspace.trap import read_string, write_memory

_new: Final = object.__new__


def _assignment_hint(reference: Reference, place: str, value: Any) -> str:
    name = name_in_caller(reference, "reference")
    return f"simulated memory is not assigned to: write `await {name}{place}.store({value!r})`"


class Field:
    """One field: the place `offset` bytes from the struct's own. Made once for each reference, then found in its `__dict__`."""

    __slots__ = ("name", "offset", "type")

    def __init__(self, name: str, type: type[Reference], offset: int) -> None:
        self.name = name
        self.type = type
        self.offset = offset  # bytes

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        reference = _new(self.type)
        _set_address(reference, instance.address + self.offset)
        instance.__dict__[self.name] = reference
        return reference

    def __repr__(self) -> str:
        return f"<field {self.name}: {self.type.__name__} at +{self.offset}>"


class Struct(Reference):
    """A C struct: subclass it and annotate the fields. Its objects are references; memory comes from mmap, malloc, alloca or Global."""

    _fields_: ClassVar[dict[str, Field]] = {}  # by name, in order of offset

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        fields = dict(cls._fields_)
        size, align = cls._size_, cls._align_
        for name, kind in _annotated(cls, sys._getframe(1)):
            offset = -(-size // kind._align_) * kind._align_
            size, align = offset + kind._size_, max(align, kind._align_)
            fields[name] = Field(name, kind, offset)
            setattr(cls, name, fields[name])
        cls._fields_ = fields
        cls._size_ = -(-size // align) * align
        cls._align_ = align

    @classmethod
    def _encode_(cls, value: Any) -> bytes:
        if isinstance(value, bytes):
            return _exactly(cls, value)
        if not isinstance(value, dict):
            raise TypeError(f"the initial value of {cls.__name__} is a dict of its fields, or bytes")
        content = bytearray(cls._size_)
        for name, part in value.items():
            if name not in cls._fields_:
                raise TypeError(f"{cls.__name__} has no field {name!r}")
            field = cls._fields_[name]
            content[field.offset : field.offset + field.type._size_] = field.type._encode_(part)
        return bytes(content)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(_assignment_hint(self, f".{name}", value))


def _annotated(cls: type[Struct], frame: Any) -> Iterator[tuple[str, type[Reference]]]:
    """The own fields of a new Struct class, checked; `frame` is where its class statement stands."""
    found: list[tuple[str, type[Reference]]] = []
    for name, annotation in inspect.get_annotations(cls).items():
        kind = _evaluate(cls, name, annotation, frame) if isinstance(annotation, str) else annotation
        if get_origin(kind) is ClassVar:
            continue
        if name in RESERVED_NAMES:
            raise TypeError(f"{cls.__name__}.{name}: a field cannot be called {name}, every reference has that itself")
        if name in cls.__dict__:
            raise TypeError(f"{cls.__name__}.{name}: a field has no value of its own; give it to Global, or store it")
        if not is_type(kind):
            known = "i8 … u64, ptr, Array[T, n], char[n], a Struct class"
            raise TypeError(f"{cls.__name__}.{name}: {kind!r} is no type of simulated memory ({known})")
        if issubclass(kind, ptr) and kind._target_ == cls.__name__:
            type.__setattr__(kind, "_target_", cls)  # a list's node: also where the class stands inside a function
        found.append((name, kind))
    return iter(found)


def _evaluate(cls: type[Struct], name: str, text: str, frame: Any) -> Any:
    scope = {**frame.f_locals, cls.__name__: cls}
    try:
        return eval(text, frame.f_globals, scope)  # noqa: S307 - an annotation of the program's own
    except NameError as error:
        raise TypeError(f"{cls.__name__}.{name}: {text}: {error}") from None


def _count(what: str, count: Any) -> int:
    if not isinstance(count, int) or count < 0:
        raise TypeError(f"{what}: the number of elements is an int, 0 or more, not {count!r}")
    return count


class _Sequence(Reference):
    """What Array and char share: elements of one type, one after the other."""

    __slots__ = ()
    _element_: ClassVar[type[Reference]]
    _length_: ClassVar[int]

    def __getitem__(self, index: int) -> Any:
        """A reference to element `index`, in bounds or not, as in C."""
        if not isinstance(index, int):
            raise TypeError(f"an index is an int, not {type(index).__name__}")
        element = self._element_
        return make_reference(element, self.address + index * element._size_)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(_assignment_hint(self, f"[{index!r}]", value))

    def __len__(self) -> int:
        return self._length_

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(self._length_))

    @property
    def checked(self) -> Checked:
        """The same elements, with IndexError out of bounds."""
        return Checked(self)


class Checked:
    """`a.checked[i]`: a reference to element `i`, or IndexError."""

    __slots__ = ("_sequence",)

    def __init__(self, sequence: _Sequence) -> None:
        self._sequence = sequence

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self._sequence):
            raise IndexError(f"index {index} is out of bounds of {type(self._sequence).__name__}")
        return self._sequence[index]

    def __len__(self) -> int:
        return len(self._sequence)


class Array(_Sequence):
    """`Array[T, n]`: n elements of type T; `a[i]` is a reference."""

    __slots__ = ()
    _length_: ClassVar[int] = 0

    def __class_getitem__(cls, parameters: Any) -> Any:
        if not isinstance(parameters, tuple) or len(parameters) != 2:
            raise TypeError("an array type is written Array[T, n]")
        element, length = parameters
        if isinstance(element, str) or not is_type(element):
            raise TypeError(f"Array[{element!r}, …]: no type of simulated memory")
        known: dict[int, Any] = element.__dict__.get("_arrays_") or {}
        if length not in known:
            name = f"Array[{element.__name__}, {length}]"
            size = element._size_ * _count(name, length)
            known[length] = type(
                name,
                (Array,),
                {
                    "__slots__": (),
                    "_element_": element,
                    "_length_": length,
                    "_size_": size,
                    "_align_": element._align_,
                    "__module__": cls.__module__,
                },
            )
            type.__setattr__(element, "_arrays_", known)  # memory of pure types; dies with the element's class
        return known[length]

    @classmethod
    def _encode_(cls, value: Any) -> bytes:
        content = value if isinstance(value, bytes) else b"".join([cls._element_._encode_(part) for part in value])
        if len(content) > cls._size_:
            raise ValueError(f"{cls.__name__} has {cls._size_} bytes, the value {len(content)}")
        return content.ljust(cls._size_, b"\0")


class char(_Sequence):
    """`char[n]`: a buffer of n bytes, often a C string. `buffer[i]` is a reference to one byte (signed, as on x86-64)."""

    __slots__ = ()
    _element_: ClassVar[type[Reference]] = i8
    _length_: ClassVar[int] = 1
    _size_: ClassVar[int] = 1

    def __class_getitem__(cls, n: int) -> Any:
        known: dict[int, Any] = char.__dict__["_types_"]
        if n not in known:
            name = f"char[{n}]"
            known[n] = type(name, (char,), {"__slots__": (), "_length_": _count(name, n), "_size_": n, "__module__": cls.__module__})
        return known[n]

    _types_: ClassVar[dict[int, Any]] = {}

    def read_cstr(self) -> Awaitable[bytes]:
        """The bytes before the first NUL, at most the buffer's."""
        return read_string(self.address, self._size_)

    def write_cstr(self, text: bytes | str) -> Awaitable[None]:
        """Write the text and a NUL. Raises ValueError if they do not fit."""
        data = text.encode() if isinstance(text, str) else bytes(text)
        if len(data) >= self._size_:
            raise ValueError(f"{len(data)} bytes and a NUL do not fit into {type(self).__name__}")
        return write_memory(self.address, data + b"\0")

    @classmethod
    def _encode_(cls, value: Any) -> bytes:
        data = value.encode() if isinstance(value, str) else bytes(value)
        if len(data) > cls._size_:
            raise ValueError(f"{cls.__name__} has {cls._size_} bytes, the value {len(data)}")
        return data.ljust(cls._size_, b"\0")


# ---- types in another copy of the program -----------------------------------------------------------------------------------


def argument_in(value: Any, modules: Mapping[str, Mapping[str, Any]]) -> Any:
    """A plain argument as another copy of the program sees it: its references are of that copy's types (`modules`: globals by name)."""
    if type(value) is tuple:
        return tuple(argument_in(part, modules) for part in value)
    return make_reference(_type_in(type(value), modules), value.address) if isinstance(value, Reference) else value


def _type_in(kind: Any, modules: Mapping[str, Mapping[str, Any]]) -> Any:
    """The type of the same name; `kind` itself where that is libc's, or was made inside of a function."""
    if issubclass(kind, Array):
        return Array.__class_getitem__((_type_in(kind._element_, modules), kind._length_))
    if issubclass(kind, ptr) and kind._target_ is not None:
        target = kind._target_ if isinstance(kind._target_, str) else _type_in(kind._target_, modules)
        return pointer_to(target, modules.get(kind._namespace_.get("__name__", ""), kind._namespace_))
    found: Any = modules.get(kind.__module__)
    for name in kind.__qualname__.split(".") if found is not None else ():
        found = found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)
    return found if is_type(found) else kind
