"""The names of a program: what its scopes bind, which of them give coroutines, which module globals its functions change.

Half of the honesty checks (loader_check.py has the other half and the rules): facts about a syntax tree, with no judgement but two.
These are warnings: a module global that functions change is private to each process and invisible to the race detector; and a function
that assigns to the name of a Global does not write simulated memory, as its author means.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_MUTATORS: Final = frozenset(
    {
        "append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "add", "discard", "update", "setdefault", "popitem",
        "appendleft", "popleft", "extendleft", "difference_update", "intersection_update", "symmetric_difference_update", "rotate",
    }
)  # fmt: skip
ALLOWED_IMPORTS: Final = (
    "__future__", "abc", "bisect", "collections", "contextlib", "copy", "dataclasses", "enum", "errno", "functools", "heapq", "itertools",
    "json", "math", "operator", "re", "string", "struct", "textwrap", "typing",
)  # fmt: skip
LIBC: Final = "userspace.libc"
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
SCOPES: Final = (*FUNCTIONS, ast.ClassDef)

ASYNC: Final = "coroutine"  # a call of this name gives a coroutine
OTHER: Final = "other"  # bound to something else, or unknown


class Problem(NamedTuple):
    """One finding."""

    file: str
    line: int
    text: str  # what, and the remedy

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


def is_async(function: Any) -> bool:
    """Does calling it give something that must be awaited?"""
    if not isinstance(function, types.FunctionType):
        return False
    if function.__code__.co_flags & (inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE):
        return True
    return str(function.__annotations__.get("return", "")).rpartition(".")[2].startswith(("Awaitable", "Coroutine")) or "Awaitable[" in str(
        function.__annotations__.get("return", "")
    )


def bound_names(body: list[ast.stmt]) -> Iterator[str]:
    """Names that statements bind in their own scope, nested functions and classes by name only."""
    for statement in body:
        for node in own_nodes_of(statement):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                yield node.id
            elif isinstance(node, ast.Import | ast.ImportFrom):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*")
            elif (isinstance(node, ast.ExceptHandler) and node.name) or (isinstance(node, ast.MatchAs | ast.MatchStar) and node.name):
                yield node.name


def own_nodes_of(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what it contains, without the insides of functions, lambdas and classes."""
    yield node
    if not isinstance(node, SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from own_nodes_of(child)


def own_nodes(function: Any) -> Iterator[ast.AST]:
    body = function.body if isinstance(function.body, list) else [function.body]
    for statement in body:
        yield from own_nodes_of(statement)


def top_level(body: list[ast.stmt]) -> list[ast.AST]:
    return [node for statement in body for node in own_nodes_of(statement)]


def declared_global(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from node.names


def is_generator(function: Any) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function))


def function_kind(node: Any) -> str:
    return ASYNC if isinstance(node, ast.AsyncFunctionDef) and not is_generator(node) and not node.decorator_list else OTHER


# ---- globals that functions change -------------------------------------------------------------------------------------------


def changed_globals(tree: ast.Module, file: str, bound: tuple[str, ...]) -> Iterator[Problem]:
    """One warning for each module global that some function assigns or changes."""
    told: set[str] = set()
    plain = {name for name in bound if name in _module_names(tree, simulated=False)}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        parameters = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
        declared = {name for node in own_nodes(function) if isinstance(node, ast.Global) for name in node.names}
        local = (set(bound_names(function.body)) | parameters) - declared
        for node in own_nodes(function):
            for name in _changes(node, declared):
                if name not in told and name not in local and (name in plain or name in declared):
                    told.add(name)
                    line = getattr(node, "lineno", function.lineno)
                    what = f"{function.name} changes the module global {name}"
                    yield Problem(file, line, f"warning: {what}: each process has its own, and no race on it is seen: use Global")


def shadowed_globals(tree: ast.Module, file: str) -> Iterator[Problem]:
    """One warning for each function that assigns to the name of a Global, and so makes a Python variable in its place."""
    symbols = _module_names(tree, simulated=True)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        declared = {name for node in own_nodes(function) if isinstance(node, ast.Global) for name in node.names}
        told = declared | {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
        for node in own_nodes(function):
            for target in _assigned(node):
                if target.id in symbols - told:
                    told.add(target.id)
                    instruction = "fetch_add" if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) else "store"
                    what = f"{function.name} assigns {target.id}, which makes a Python variable and leaves the Global as it is"
                    yield Problem(file, target.lineno, f"warning: {what}: write `await {target.id}.{instruction}(…)`")


def _assigned(node: Any) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    return [target for target in targets if isinstance(target, ast.Name)]


def _module_names(tree: ast.Module, *, simulated: bool) -> set[str]:
    """Module globals assigned from Global(…) (`simulated`), or from something else."""
    names: set[str] = set()
    for node in top_level(tree.body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            called = node.value.func if isinstance(node.value, ast.Call) else None
            if (isinstance(called, ast.Name) and called.id == "Global") is simulated:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names.update(target.id for target in targets if isinstance(target, ast.Name))
    return names


def _changes(node: ast.AST, declared: set[str]) -> Iterator[str]:
    """Names of what this node assigns (where declared global) or changes in place."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del) and node.id in declared:
        yield node.id
    elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        if isinstance(node.value, ast.Name):
            yield node.value.id
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS:
        yield from (owner.id for owner in [node.func.value] if isinstance(owner, ast.Name))
