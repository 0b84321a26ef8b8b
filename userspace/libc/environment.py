"""environ(7): the vector of NAME=value strings, in simulated memory; getenv(3), setenv(3).

At first it is the one that the kernel put on the stack; the first change copies the pointers to the heap, where the vector can grow.
Strings are never freed, because getenv's callers in C may still hold them. Reading the environment takes ops, like any memory, so
`environ` cannot be subscripted without an await: `await getenv(name)` reads one variable, `await environ.read()` all of them, and the
third parameter of `main` is the environment at start. As in glibc, getenv takes no lock and changes do.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Final

from kernel.abi.errno_values import EINVAL
from userspace.libc.arguments import bytes_text, text_bytes
from userspace.libc.libc_data import ENVIRONMENT
from userspace.libc.lowlevellock import lock, unlock
from userspace.libc.malloc import free, malloc
from userspace.trap import os_error, read_memory, read_string, write_memory

POINTER: Final = 8  # bytes
SPARE: Final = 8  # entries more than needed, each time the vector grows
STRING_MAX: Final = 128 << 10  # bytes of one string, MAX_ARG_STRLEN of execve(2)


async def read_vector(address: int) -> list[int]:
    """The pointers of a NULL-terminated vector, without the NULL. Nothing after the NULL's line is read."""
    pointers: list[int] = []
    while True:
        count = (64 - address % 64) // POINTER
        words = struct.unpack(f"<{count}Q", await read_memory(address, count * POINTER))
        if 0 in words:
            return pointers + list(words[: words.index(0)])
        pointers += words
        address += count * POINTER


async def read_strings(pointers: list[int]) -> tuple[bytes, ...]:
    """The strings pointed to."""
    return tuple([await read_string(pointer, STRING_MAX) for pointer in pointers])


async def current_environment() -> tuple[bytes, ...]:
    """All NAME=value strings, in order: what execv(3) hands on."""
    vector = await ENVIRONMENT.vector.load()
    return await read_strings(await read_vector(vector)) if vector else ()


def mapping_of(strings: tuple[bytes, ...]) -> dict[str, str]:
    """NAME to value; the first of a name counts, as for getenv. Strings without `=` are no variables."""
    variables: dict[str, str] = {}
    for text in strings:
        name, sign, value = text.partition(b"=")
        if sign:
            variables.setdefault(bytes_text(name), bytes_text(value))
    return variables


async def _find(name: bytes) -> tuple[int, list[int], int]:
    """(address of the vector, its pointers, index of the variable or -1)."""
    vector = await ENVIRONMENT.vector.load()
    pointers = await read_vector(vector) if vector else []
    wanted = name + b"="
    for index, pointer in enumerate(pointers):
        if await read_string(pointer, len(wanted)) == wanted:
            return vector, pointers, index
    return vector, pointers, -1


async def getenv(name: str, default: str | None = None) -> str | None:
    """The variable's value, or `default`."""
    wanted = text_bytes(name)
    _, pointers, index = await _find(wanted)
    if index < 0:
        return default
    return bytes_text(await read_string(pointers[index] + len(wanted) + 1, STRING_MAX))


def _checked_name(name: str) -> bytes:
    data = text_bytes(name)
    if not data or b"=" in data:
        raise os_error(EINVAL)
    return data


async def setenv(name: str, value: str, overwrite: int = 1) -> None:
    """Give the variable a value; with `overwrite` 0 an existing one stays. Raises OSError(EINVAL) for a name that is empty or has a `=`."""
    wanted = _checked_name(name)
    text = wanted + b"=" + text_bytes(value) + b"\0"
    await lock(ENVIRONMENT.lock)
    try:
        vector, pointers, index = await _find(wanted)
        if index >= 0 and not overwrite:
            return
        string = await malloc(len(text))
        await write_memory(string, text)
        if index >= 0:
            await write_memory(vector + POINTER * index, struct.pack("<Q", string))
        else:
            await _append(vector, pointers, string)
    finally:
        await unlock(ENVIRONMENT.lock)


async def _append(vector: int, pointers: list[int], string: int) -> None:
    """One more pointer at the vector's end. The environment is locked."""
    capacity = await ENVIRONMENT.capacity.load()
    needed = len(pointers) + 2
    if needed <= capacity:
        await write_memory(vector + POINTER * len(pointers), struct.pack("<QQ", string, 0))
        return
    fresh = await malloc(POINTER * (needed + SPARE))
    await write_memory(fresh, struct.pack(f"<{needed}Q", *pointers, string, 0))
    await ENVIRONMENT.vector.store(fresh)
    await ENVIRONMENT.capacity.store(needed + SPARE)
    if capacity:
        await free(vector)


async def unsetenv(name: str) -> None:
    """Remove the variable, if it is there. Raises OSError(EINVAL) as setenv."""
    wanted = _checked_name(name)
    await lock(ENVIRONMENT.lock)
    try:
        while True:
            vector, pointers, index = await _find(wanted)
            if index < 0:
                return
            rest = [*pointers[index + 1 :], 0]
            await write_memory(vector + POINTER * index, struct.pack(f"<{len(rest)}Q", *rest))
    finally:
        await unlock(ENVIRONMENT.lock)


class Environ(Mapping[str, str]):
    """`environ`: names what lies in simulated memory, and holds nothing of it. Without an await it can only say so."""

    __slots__ = ()

    def read(self) -> Awaitable[dict[str, str]]:
        """All variables, as a dict of now."""
        return _read_environment()

    def _refuse(self, what: str) -> TypeError:
        return TypeError(f"environ lies in simulated memory, which is read by an await: write `{what}`")

    def __getitem__(self, name: str) -> str:
        raise self._refuse(f"await getenv({name!r})")

    def get(self, name: str, default: Any = None) -> Any:
        """Refused, as any reading without an await."""
        raise self._refuse(f"await getenv({name!r})")

    def __contains__(self, name: object) -> bool:
        raise self._refuse(f"await getenv({name!r}) is not None")

    def __iter__(self) -> Iterator[str]:
        raise self._refuse("await environ.read()")

    def __len__(self) -> int:
        raise self._refuse("await environ.read()")

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<environ>"


async def _read_environment() -> dict[str, str]:
    return mapping_of(await current_environment())


environ: Final = Environ()
