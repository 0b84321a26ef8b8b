"""What all programs share: libc, and the parts of Python's library that a program may import. No program may change it.

A C program has its own copy of libc in its own memory. Here the modules, classes and functions are the host's, one copy for every process
and every run, and an attribute set on one of them would be seen by all: by the next run, by the machine itself. So

    a program gets modules through views that refuse to be changed (`view_of`), without the host modules that they import themselves
    types of simulated memory refuse it themselves (userspace/ref.py)
    the rest, functions and classes, is judged when a program is loaded (`shared_changes`): plain assignments, which are mistakes

As everywhere in the loader: this guards against mistakes, it is no security.
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any, Final

from userspace.loader_names import ALLOWED_IMPORTS, LIBC, Problem

_views: Final[dict[str, SharedModule]] = {}  # by module name: made once, what they show never changes


class SharedModule(types.ModuleType):
    """A module as programs see it."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError(f"{self.__name__} is shared by all programs: {self.__name__}.{name} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise TypeError(f"{self.__name__} is shared by all programs: {self.__name__}.{name} cannot be deleted")


def view_of(module: types.ModuleType) -> SharedModule:
    """The view of a module that programs may import."""
    view = _views.get(module.__name__)
    if view is None:
        view = _views[module.__name__] = SharedModule(module.__name__, module.__doc__)
        for name, value in vars(module).items():
            if not isinstance(value, types.ModuleType):
                view.__dict__[name] = value
            elif is_shared(value.__name__):
                view.__dict__[name] = view_of(value)
    return view


def import_view(name: str, fromlist: tuple[str, ...]) -> SharedModule:
    """What `import name` or `from name import …` gives: as Python's own `__import__`, but views."""
    found = builtins.__import__(name, None, None, fromlist, 0)
    wanted = [f"{name}.{part}" for part in fromlist if isinstance(sys.modules.get(f"{name}.{part}"), types.ModuleType)]
    for path in (name, *wanted):  # parts of a package that were not there when the package's view was made
        parts = path.split(".")
        for count in range(1, len(parts)):
            outer, inner = ".".join(parts[:count]), ".".join(parts[: count + 1])
            if is_shared(inner):
                view_of(sys.modules[outer]).__dict__.setdefault(parts[count], view_of(sys.modules[inner]))
    return view_of(found)


def is_shared(name: str) -> bool:
    """May programs import a module of this name from outside of their folder?"""
    return name == LIBC or name.partition(".")[0] in ALLOWED_IMPORTS


def shared_changes(tree: ast.Module, file: str, libc_names: Collection[str]) -> Iterator[Problem]:
    """Assignments to attributes of what was imported from libc or Python's library, by names that are never bound to anything else."""
    imported: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.asname or alias.name.partition(".")[0] for alias in node.names if is_shared(alias.name))
        elif isinstance(node, ast.ImportFrom) and (node.module == LIBC.partition(".")[0] or is_shared(node.module or "")):
            for alias in node.names:
                imported.update(libc_names if alias.name == "*" else (alias.asname or alias.name,))
        else:
            bound.update(_bound(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            root: ast.expr = node
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in imported - bound:
                yield Problem(file, node.lineno, f"{root.id} is shared by all programs: {ast.unparse(node)} cannot be changed")


def _bound(node: Any) -> Iterator[str]:
    """The names that this node itself binds, imports aside."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield node.name or ""
