"""What a program may contain: the honesty checks, made on its syntax tree before anything of it runs.

They guard a program's determinism from mistakes, and its author from the three that everybody makes: an `await` that was forgotten
(the call then never happens), Python's own `print`, `input` or `open` (they would act on the host), and an import that reaches outside
the machine. Each is an error that names file, line and remedy. A module global that functions change is a warning: Python globals are
private to a process and no instruction of the simulated CPU touches them, so no race on them is ever seen.

A coroutine counts as used if it is awaited, stored, returned or passed on. Names are followed through `import`, module level and
function scopes; what cannot be known (an attribute of an unknown object) is let through. These checks are no security.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from userspace.loader_names import (
    ALLOWED_IMPORTS,
    ASYNC,
    FUNCTIONS,
    LIBC,
    OTHER,
    SCOPES,
    Problem,
    bound_names,
    changed_globals,
    declared_global,
    function_kind,
    is_async,
    own_nodes,
    shadowed_globals,
    top_level,
)  # fmt: skip
from userspace.loader_shared import shared_changes

_REMEDIES: Final = {
    "os": "userspace.libc has open, read, fork and the rest",
    "sys": "arguments come with `async def main(argv)`, and `await exit(status)` ends the program",
    "time": "use `await clock_gettime(CLOCK_MONOTONIC)`, `await usleep(us)` or `await sleep(s)`",
    "datetime": "use `await time()` or `await clock_gettime(CLOCK_REALTIME)`",
    "random": "use `await rand()` or `await getrandom(n)`",
    "secrets": "use `await getrandom(n)`",
    "uuid": "use `await getrandom(16)`",
    "threading": "use `await pthread_create(fn, arg)`",
    "asyncio": "a program is its own event loop here: use pthread_create, fork, poll",
    "multiprocessing": "use `await fork()`",
    "subprocess": "use `await posix_spawn(…)`, `await system(…)` or fork and execv",
    "signal": "userspace.libc has sigaction, kill and the SIG constants",
    "socket": "userspace.libc has socket, socketpair, bind and the rest",
    "select": "userspace.libc has poll and select",
    "queue": "use a pipe, or a mutex and a condition variable",
    "ctypes": "userspace.libc has the types of simulated memory",
    "mmap": "userspace.libc has mmap",
    "pathlib": "userspace.libc has open, stat, listdir",
    "io": "userspace.libc has fopen, printf, fgets",
    "logging": "use `await fprintf(stderr, …)`",
}
_HOST_CALLS: Final = {
    "print": "print() writes to the host: use `await printf(…)` or `await puts(…)`",
    "input": "input() reads from the host: use `await getline(stdin)` or `await read(0, n)`",
    "exec": "exec() runs code that nothing has checked: write it as a function",
    "eval": "eval() runs code that nothing has checked: write it as a function",
    "compile": "compile() makes code that nothing has checked: write it as a function",
    "breakpoint": "breakpoint() stops the host: look at the log instead",
    "__import__": "__import__() goes round the checks: use an import statement",
}
_HOST_OPEN: Final = (
    "open() of Python opens a file of the host: use `await open(path, flags)` or `await fopen(path, mode)` of userspace.libc"
)
_REFERENCE_METHODS: Final = frozenset(
    {
        "load", "store", "fetch_add", "fetch_sub", "fetch_and", "fetch_or", "fetch_xor", "exchange", "compare_exchange",
        "read_bytes", "write_bytes", "read_cstr", "write_cstr",
    }
)  # fmt: skip


class ProgramError(Exception):
    """A program that is refused. The text has one line for each problem: `lock.py:7: fork() is not awaited: …`."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Facts(NamedTuple):
    """What the checks learned about a module."""

    tree: ast.Module
    code: types.CodeType
    imports: tuple[str, ...]  # modules of the program's folder, in order of first mention
    warnings: tuple[Problem, ...]
    globals: tuple[str, ...]  # names that the module or its functions bind at module level, in order


def check_module(source: bytes, file: str, folder: Mapping[str, bytes]) -> Facts:
    """Compile and judge one module; `folder` has the sources of the modules beside it, by name. Raises ProgramError."""
    tree, code = _compiled(source, file)
    checker = _Checker(tree, file, folder)
    checker.run()
    problems = [*checker.problems, *shared_changes(tree, file, _libc_names())]
    if problems:
        raise ProgramError(*sorted(problems, key=lambda problem: problem.line))
    bound = tuple(dict.fromkeys(bound_names(tree.body)) | dict.fromkeys(declared_global(tree)))
    warnings = (*changed_globals(tree, file, bound), *shadowed_globals(tree, file))
    return Facts(tree, code, tuple(checker.imports), warnings, bound)


def check_main(facts: Facts, file: str) -> None:
    """A program, as against a module, has an `async def main`. Raises ProgramError."""
    found: Any = None
    for node in ast.walk(facts.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "main" and node in top_level(facts.tree.body):
            found = node
    if found is None:
        if "main" in facts.globals:
            return  # imported or assigned: judged when it is called
        raise ProgramError(Problem(file, 0, "has no main: add `async def main(argv)`"))
    if isinstance(found, ast.FunctionDef):
        raise ProgramError(Problem(file, found.lineno, "main is not async: write `async def main(argv)`"))
    if any(isinstance(node, ast.Yield) for node in own_nodes(found)):
        raise ProgramError(Problem(file, found.lineno, "main is a generator: it must not contain `yield`"))
    arguments = found.args
    count, needed = len(arguments.posonlyargs + arguments.args), len(arguments.posonlyargs + arguments.args) - len(arguments.defaults)
    fits = arguments.vararg is not None or any(needed <= n <= count for n in (0, 1, 3))
    if not fits or any(default is None for default in arguments.kw_defaults):
        raise ProgramError(Problem(file, found.lineno, f"main takes {count} parameters: it must take none, (argv) or (argc, argv, envp)"))


def _compiled(source: bytes, file: str) -> tuple[ast.Module, types.CodeType]:
    try:
        tree = ast.parse(source, file)
        return tree, compile(tree, file, "exec", dont_inherit=True, optimize=0)
    except SyntaxError as error:
        raise ProgramError(Problem(file, error.lineno or 1, f"syntax error: {error.msg}")) from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise ProgramError(Problem(file, 1, f"cannot be compiled: {error or type(error).__name__}")) from None


def _libc_names() -> dict[str, str]:
    """Every name that `from userspace.libc import *` gives, and whether calling it gives a coroutine."""
    from userspace import libc  # here, so that the checks themselves need no libc

    names: dict[str, str] = {}
    for name in libc.__all__:
        names[name] = ASYNC if is_async(getattr(libc, name)) else OTHER
    return names


def _async_functions(source: bytes) -> dict[str, str]:
    """Kinds of the functions that a module of the folder defines; nothing if it has a syntax error, which its own check reports."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {node.name: function_kind(node) for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


class _Stored:
    """What a function does with its variables: which get coroutines, and whether they are used as results or in other ways."""

    def __init__(self) -> None:
        self.calls: dict[str, ast.Call] = {}  # variable: the first call whose coroutine it gets
        self.misused: set[str] = set()  # compared, calculated with, unpacked: a coroutine is of no use there
        self.unknown: set[str] = set()  # awaited, passed on, or assigned something else

    def note(self, name: str, call: ast.Call | None) -> None:
        """`name` is assigned: by a call that gives a coroutine, or (None) something else."""
        if call is None:
            self.unknown.add(name)
        else:
            self.calls.setdefault(name, call)


class _Checker:
    """One walk over a module, with a stack of scopes: each maps a name to its kind, or to the names of the module it stands for."""

    def __init__(self, tree: ast.Module, file: str, folder: Mapping[str, bytes]) -> None:
        self.tree = tree
        self.file = file
        self.folder = folder
        self.problems: list[Problem] = []
        self.imports: dict[str, None] = {}
        self.scopes: list[dict[str, Any]] = [{}]
        self.stored: list[_Stored] = [_Stored()]  # of the functions around, innermost last
        self.async_methods = _async_methods(tree)

    def run(self) -> None:
        """Find every problem of the module."""
        self._enter(self.tree.body, {})
        for statement in self.tree.body:
            self._visit(statement, None)

    def _problem(self, node: Any, text: str) -> None:
        self.problems.append(Problem(self.file, node.lineno, text))

    # ---- scopes -------------------------------------------------------------------------------------------------------------

    def _enter(self, body: list[ast.stmt], parameters: dict[str, Any]) -> None:
        """Open a scope for a body: what it binds is unknown, but for its functions and imports."""
        scope: dict[str, Any] = dict.fromkeys(bound_names(body), OTHER) | parameters
        self.scopes.append(scope)
        for node in top_level(body):
            if isinstance(node, ast.Global):
                for name in node.names:
                    scope.pop(name, None)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                scope[node.name] = function_kind(node)
            elif isinstance(node, ast.Import):
                self._bind_imports(node, scope)
            elif isinstance(node, ast.ImportFrom):
                self._bind_from(node, scope)

    def _bind_imports(self, node: ast.Import, scope: dict[str, Any]) -> None:
        for alias in node.names:
            if alias.name in self.folder:
                scope[alias.asname or alias.name] = _async_functions(self.folder[alias.name])
            elif alias.name == LIBC and alias.asname:
                scope[alias.asname] = _libc_names()

    def _bind_from(self, node: ast.ImportFrom, scope: dict[str, Any]) -> None:
        if node.module == "userspace":
            scope.update({alias.asname or alias.name: _libc_names() for alias in node.names if alias.name == "libc"})
            return
        names = _libc_names() if node.module == LIBC else _async_functions(self.folder.get(node.module or "", b""))
        for alias in node.names:
            if alias.name == "*":
                scope.update({name: kind for name, kind in names.items() if scope.get(name, OTHER) == OTHER and not self._rebound(name)})
            else:
                scope[alias.asname or alias.name] = names.get(alias.name, OTHER)

    def _rebound(self, name: str) -> bool:
        """Does the module bind the name itself, so that the star import's is not meant?"""
        return name in self.scopes[-1] and self.scopes[-1][name] != ASYNC

    def _lookup(self, name: str) -> Any:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def _is_bound(self, name: str) -> bool:
        return any(name in scope for scope in self.scopes)

    # ---- the walk -----------------------------------------------------------------------------------------------------------

    def _visit(self, node: ast.AST, parent: ast.AST | None) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._check_import(node, alias.name)
        elif isinstance(node, ast.ImportFrom):
            self._check_from(node)
        elif isinstance(node, ast.Name):
            self._check_name(node, parent)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            self.stored[-1].unknown.update(node.names)
        elif isinstance(node, ast.Call):
            self._check_call(node, parent)
        if isinstance(node, SCOPES):
            self._visit_scope(node)
            return
        inner = parent if _passes_on(node) else node  # what a conditional expression gives, its own parent gets
        for child in ast.iter_child_nodes(node):
            self._visit(child, node if isinstance(node, ast.IfExp) and child is node.test else inner)

    def _visit_scope(self, node: Any) -> None:
        inside = node.body if isinstance(node.body, list) else [node.body]
        for child in ast.iter_child_nodes(node):
            if child not in inside:
                self._visit(child, node)
        parameters = (
            {argument.arg: OTHER for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
            if isinstance(node, FUNCTIONS)
            else {}
        )
        self._enter(inside, parameters)
        self.stored.append(_Stored())
        if isinstance(node, ast.ClassDef):
            outer = self.scopes.pop()  # a class's names are not seen by its methods
            for child in inside:
                self._visit(child, node)
            self.scopes.append(outer)
        else:
            for child in inside:
                self._visit(child, node)
        self.scopes.pop()
        stored = self.stored.pop()
        if isinstance(node, FUNCTIONS):
            self._check_stored(stored)

    def _check_import(self, node: Any, name: str) -> None:
        top = name.partition(".")[0]
        if top in ALLOWED_IMPORTS or name == LIBC:
            return
        if name in self.folder:
            self.imports.setdefault(name)
            return
        remedy = _REMEDIES.get(top, f"a program may import {LIBC}, modules beside it and {', '.join(ALLOWED_IMPORTS)}")
        self._problem(node, f"import of {name} is not possible in the machine: {remedy}")

    def _check_from(self, node: ast.ImportFrom) -> None:
        if node.level:
            self._problem(node, "relative import: modules beside the program are imported by their plain name")
        elif node.module == "userspace" and all(alias.name == "libc" for alias in node.names):
            return
        else:
            self._check_import(node, node.module or "")

    def _check_name(self, node: ast.Name, parent: ast.AST | None) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.stored[-1].note(node.id, self._stored_call(node, parent))
            return
        for stored in self.stored:
            (stored.misused if _discards(node, parent) else stored.unknown).add(node.id)
        if node.id in _HOST_CALLS and not self._is_bound(node.id):
            self._problem(node, _HOST_CALLS[node.id])
        elif node.id == "open" and not self._is_bound("open"):
            self._problem(node, _HOST_OPEN)

    def _stored_call(self, node: ast.Name, parent: ast.AST | None) -> ast.Call | None:
        """The call whose coroutine `name = call()` stores, if that is what the parent is."""
        value = parent.value if isinstance(parent, ast.Assign) and parent.targets == [node] else None
        return value if isinstance(value, ast.Call) and self._coroutine_name(value.func) else None

    def _check_stored(self, stored: _Stored) -> None:
        """Variables that hold nothing but coroutines, and are used only as if they held results."""
        for name, call in stored.calls.items():
            if name in stored.misused and name not in stored.unknown:
                what = f"{self._coroutine_name(call.func)}() is not awaited, so {name} is no result and nothing is done"
                self._problem(call, f"{what}: write `{name} = await {ast.unparse(call)}`")

    def _check_call(self, node: ast.Call, parent: ast.AST | None) -> None:
        name = self._coroutine_name(node.func)
        if not name or isinstance(parent, ast.Await):
            return
        if name == "open" and (len(node.args) < 2 or isinstance(getattr(node.args[1], "value", 0), str) or node.keywords):
            self._problem(node, _HOST_OPEN)
        elif _discards(node, parent):
            self._problem(node, f"{name}() is not awaited, so it does nothing: write `await {ast.unparse(node)}`")

    def _coroutine_name(self, function: ast.expr) -> str:
        """The name of what is called if that gives a coroutine, else the empty string."""
        if isinstance(function, ast.Name):
            return function.id if self._lookup(function.id) == ASYNC else ""
        if isinstance(function, ast.Attribute):
            owner = self._lookup(function.value.id) if isinstance(function.value, ast.Name) else None
            if isinstance(owner, dict):
                return function.attr if owner.get(function.attr) == ASYNC else ""
            if function.attr in _REFERENCE_METHODS or function.attr in self.async_methods:
                return function.attr
        return ""


def _async_methods(tree: ast.Module) -> set[str]:
    """Names that are coroutine methods in every class of the module that has them."""
    kinds: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    kinds.setdefault(method.name, []).append(function_kind(method))
    return {name for name, found in kinds.items() if OTHER not in found}


def _passes_on(node: ast.AST) -> bool:
    """Expressions whose value is that of a part."""
    return isinstance(node, ast.IfExp | ast.BoolOp)


def _discards(node: ast.expr, parent: ast.AST | None) -> bool:
    """Is a coroutine in this place neither awaited nor stored nor passed on?"""
    if isinstance(parent, ast.Assign):
        return parent.value is node and any(isinstance(target, ast.Tuple | ast.List) for target in parent.targets)  # r, w = pipe()
    if isinstance(parent, ast.comprehension):
        return parent.iter is node and not parent.is_async
    if isinstance(parent, ast.Call):
        return parent.func is node
    if isinstance(parent, ast.If | ast.While | ast.Assert | ast.IfExp):
        return True
    if isinstance(parent, ast.withitem):
        return False  # `async with f()` awaits; `with f()` fails by itself
    return isinstance(
        parent,
        ast.Expr
        | ast.Compare
        | ast.BinOp
        | ast.AugAssign
        | ast.UnaryOp
        | ast.Subscript
        | ast.Attribute
        | ast.For
        | ast.FormattedValue
        | ast.Starred
        | ast.Match,
    )
