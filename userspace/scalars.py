"""The scalar types of simulated memory: i8 … u64 and `ptr`.

Each method is one instruction of the simulated CPU, hence one op; between any two of them another core may run. `load` and `store`
without an order are plain accesses, on which the data race detector reports; with one, and all read-modify-writes, they are atomic.
Values are Python ints; what is stored is cut to the scalar's width as in C. Scalars are aligned to their size: an unaligned reference
may exist and is SIGBUS when used.

`ptr["Node"]` names its target by a string where the class does not exist yet; it is looked up in the module that wrote it, at first use.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from kernel.abi import ops
from userspace import trap
from userspace.ref import Reference, address_of, is_type, make_reference


class Scalar(Reference):
    """A reference to a scalar. `order` is one of memory_order_*; without it `load` and `store` are plain."""

    __slots__ = ()
    _code_: ClassVar[int]  # row of the tables in kernel/abi/ops.py

    def __init_subclass__(cls, code: int = -1, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if code < 0:
            return
        cls._code_ = code
        cls._size_ = cls._align_ = ops.SIZES[code]
        methods: dict[str, Any] = {
            "load": trap.load_primitive(code),
            "store": trap.store_primitive(code),
            "compare_exchange": trap.compare_exchange_primitive(code),
        }
        for kind, name in enumerate(ops.RMW_NAMES):
            methods[name] = trap.rmw_primitive(code, kind)
        for name, method in methods.items():
            method.__name__, method.__qualname__ = name, f"{cls.__name__}.{name}"
            setattr(cls, name, method)

    @classmethod
    def _encode_(cls, value: Any) -> bytes:
        if isinstance(value, bytes):
            return _exactly(cls, value)
        mask, _ = trap.cutting(cls._code_)
        return (int(value) & mask).to_bytes(cls._size_, "little")

    if TYPE_CHECKING:

        async def load(self, order: int = ...) -> Any: ...
        async def store(self, value: Any, order: int = ...) -> None: ...
        async def fetch_add(self, value: int, order: int = ...) -> int: ...
        async def fetch_sub(self, value: int, order: int = ...) -> int: ...
        async def fetch_and(self, value: int, order: int = ...) -> int: ...
        async def fetch_or(self, value: int, order: int = ...) -> int: ...
        async def fetch_xor(self, value: int, order: int = ...) -> int: ...
        async def exchange(self, value: Any, order: int = ...) -> Any: ...
        async def compare_exchange(self, expected: Any, desired: Any, order: int = ...) -> Any: ...


def _exactly(cls: type[Reference], value: bytes) -> bytes:
    if len(value) != cls._size_:
        raise ValueError(f"{cls.__name__} has {cls._size_} bytes, the value {len(value)}")
    return value


class i8(Scalar, code=ops.I8):
    """int8_t."""

    __slots__ = ()


class u8(Scalar, code=ops.U8):
    """uint8_t."""

    __slots__ = ()


class i16(Scalar, code=ops.I16):
    """int16_t."""

    __slots__ = ()


class u16(Scalar, code=ops.U16):
    """uint16_t."""

    __slots__ = ()


class i32(Scalar, code=ops.I32):
    """int32_t."""

    __slots__ = ()


class u32(Scalar, code=ops.U32):
    """uint32_t."""

    __slots__ = ()


class i64(Scalar, code=ops.I64):
    """int64_t."""

    __slots__ = ()


class u64(Scalar, code=ops.U64):
    """uint64_t."""

    __slots__ = ()


class ptr(u64):
    """A pointer. `ptr["Node"]` loads a Node reference, or None for NULL, and stores either, or an address.

    Bare `ptr` is `void *`: it loads plain addresses.
    """

    __slots__ = ()
    _target_: ClassVar[Any] = None  # a type, its name, or None for void
    _namespace_: ClassVar[dict[str, Any]] = {}  # where the name is looked up

    def __class_getitem__(cls, target: Any) -> Any:
        if not isinstance(target, str) and not is_type(target) and not (isinstance(target, type) and issubclass(target, Reference)):
            raise TypeError(f"ptr[{target!r}]: a pointer points to a type of simulated memory, or to its name")
        return pointer_to(target, sys._getframe(1).f_globals)

    @classmethod
    def _resolve_(cls) -> Any:
        """The target type; a name is looked up once. Raises NameError."""
        target = cls._target_
        if isinstance(target, str):
            try:
                target = eval(target, cls._namespace_)  # noqa: S307
            except NameError:
                raise NameError(f"ptr[{target!r}]: no such type in its module") from None
            type.__setattr__(cls, "_target_", target)
        return target

    def _refer_(self, address: int) -> Any:
        target = self._resolve_()
        if target is None:
            return address
        return make_reference(target, address) if address else None

    @classmethod
    def _encode_(cls, value: Any) -> bytes:
        return address_of(value).to_bytes(8, "little")

    if not TYPE_CHECKING:
        load = trap.load_reference_primitive(ops.U64)

        def store(self, value: Any, order: int = ops.PLAIN) -> Any:
            """Make it point there: a reference, an address, or None."""
            return u64.store(self, address_of(value), order)

        async def exchange(self, value: Any, order: int = ops.SEQ_CST) -> Any:
            """Atomically point there instead; what it pointed to."""
            return self._refer_(await u64.exchange(self, address_of(value), order))

        async def compare_exchange(self, expected: Any, desired: Any, order: int = ops.SEQ_CST) -> Any:
            """Point to `desired` if it points to `expected`; what it pointed to, so success if that equals `expected`."""
            return self._refer_(await u64.compare_exchange(self, address_of(expected), address_of(desired), order))


def pointer_to(target: Any, namespace: Any) -> Any:
    """The type of pointers to `target`, which may be a name to be looked up in `namespace`."""
    name = target if isinstance(target, str) else target.__name__
    content = {"__slots__": (), "_target_": target, "_namespace_": namespace, "__module__": ptr.__module__}
    return type(f"ptr[{name}]", (ptr,), content)
