"""What `from userspace.libc import *` gives."""

from __future__ import annotations

import errno
import os
import signal
import types

from userspace import libc
from userspace.libc import constants


def test_all_names_everything_that_stands_in_the_module():
    """Type checkers read `__all__` as it is written, so it is written out; this test says which name is missing or too many."""
    public = {
        name for name, value in vars(libc).items()
        if (not name.startswith("_") or name in ("_exit", "_IOFBF", "_IOLBF", "_IONBF"))
        and not isinstance(value, types.ModuleType)
        and name != "annotations"
    }  # fmt: skip
    assert public == set(libc.__all__)
    assert len(libc.__all__) == len(set(libc.__all__))


def test_names_shadowed_by_modules_are_the_functions():
    for name in ("signal", "time", "malloc", "abort", "futex"):
        assert callable(getattr(libc, name)), name


def test_constants_are_plain_ints_with_the_values_of_the_host():
    for name in constants.__all__:
        value = getattr(constants, name)
        assert type(value) is int, name
        for module in (os, errno):
            host = getattr(module, name, None)
            if isinstance(host, int) and name != "O_LARGEFILE":
                assert value == host, name
        if name.startswith("SIG") and isinstance(getattr(signal, name, None), signal.Signals):
            assert value == getattr(signal, name), name


def test_star_import_shadows_no_builtin_that_programs_need():
    builtins = {"print", "range", "len", "int", "bytes", "str", "list", "dict", "set", "tuple", "min", "max", "sum", "sorted", "type", "id"}
    assert not builtins & set(libc.__all__)
