"""Programs: from Python source to something that a core can run.

The *library* of a machine holds the sources it can load: the Python files of the user's folder, read once when the machine is made, and
/bin with the lecture's programs. Each becomes an image file of the simulated file system, whose text segment is that source; so what
execve(2) loads is what the file says, and a copy of it is as good. A source is compiled and judged once (`Program`, kept for the whole
host process, since it is immutable) and executed afresh for each process image (`LoadedImage` in loader_image.py).

A program's static half is laid out here: every function written at module level or in a class gets an address in .text, in order of
modules and of lines, `BYTES_PER_LINE` for each line; so a program counter names a function and a line, on every host the same.

Deliberately no linker and no file formats: kernel/processes/image.py knows what an image file looks like.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import types
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

from actors.loader_image import LoadedImage
from kernel.abi.layout import BYTES_PER_LINE, ENTRY_OFFSET, FUNCTION_ALIGN, TEXT_BASE
from kernel.files.tree import BootTree
from kernel.processes.image import build
from userspace.loader_check import Facts, ProgramError, check_main, check_module
from userspace.loader_names import Problem

FIRST_FUNCTION: Final = TEXT_BASE + ENTRY_OFFSET + 0x100  # the entry point's own code lies before it
SYSTEM_FOLDERS: Final = ("bin", "lecture")  # packages of userspace whose programs are installed in /bin
HOME: Final = "/home/user"
BIN: Final = "/bin"


class Symbol:
    """A function's place in .text."""

    __slots__ = ("address", "first_line", "name", "size")

    def __init__(self, name: str, address: int, size: int, first_line: int) -> None:
        self.name = name  # as the program writes it; "module.name" outside the main module
        self.address = address
        self.size = size  # bytes
        self.first_line = first_line


class Module:
    """One compiled source file. Immutable."""

    __slots__ = ("code", "facts", "file", "name")

    def __init__(self, name: str, file: str, facts: Facts) -> None:
        self.name = name
        self.file = file  # as in the log and in tracebacks: relative to its folder
        self.facts = facts
        self.code = facts.code


class Program:
    """A compiled program and the modules of its folder that it can import. Immutable; shared by all machines of the host process."""

    def __init__(self, main: Module, modules: dict[str, Module]) -> None:
        self.main = main
        self.modules = modules  # by name, the main one first, then in order of first import
        self.symbols: list[Symbol] = []
        self.symbol_of: dict[types.CodeType, Symbol] = {}  # nested code belongs to the function around it
        self.text_end = FIRST_FUNCTION
        for module in modules.values():
            for code in _functions(module.code):
                self._place(code, module)
        self.names_fork = any(_names(module.code, "fork") for module in modules.values())
        self.warnings: tuple[Problem, ...] = tuple(warning for module in modules.values() for warning in module.facts.warnings)

    def _place(self, code: types.CodeType, module: Module) -> None:
        name = code.co_qualname if module is self.main else f"{module.name}.{code.co_qualname}"
        size = _aligned((_last_line(code) - code.co_firstlineno + 1) * BYTES_PER_LINE)
        symbol = Symbol(name, self.text_end, size, code.co_firstlineno)
        self.text_end += size
        self.symbols.append(symbol)
        for inner in _all_code(code):
            self.symbol_of[inner] = symbol

    def instantiate(self, records_all: bool = False) -> LoadedImage:
        """A fresh namespace: the module bodies are executed. Raises ProgramError if one fails."""
        return LoadedImage(self, records_all)


def _functions(code: types.CodeType) -> Iterator[types.CodeType]:
    """Code of the functions written at module level and in classes."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if constant.co_flags & inspect.CO_OPTIMIZED:
                yield constant
            else:
                yield from _functions(constant)


def _all_code(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _all_code(constant)


def _names(code: types.CodeType, name: str) -> bool:
    return any(name in inner.co_names for inner in _all_code(code))


def _last_line(code: types.CodeType) -> int:
    return max((line for inner in _all_code(code) for _, _, line in inner.co_lines() if line), default=code.co_firstlineno)


def _aligned(size: int) -> int:
    return (size + FUNCTION_ALIGN - 1) // FUNCTION_ALIGN * FUNCTION_ALIGN


class Folder:
    """Sources that can import each other, by module name."""

    def __init__(self, prefix: str, sources: Mapping[str, bytes]) -> None:
        self.prefix = prefix  # of file names in the log: "" for the user's folder, "bin/" for /bin
        self.sources = dict(sorted(sources.items()))

    def file(self, name: str) -> str:
        """The file of a module, as the log shows it."""
        return f"{self.prefix}{name}.py"


_compiled: dict[tuple[str, bytes, str], Program] = {}  # by file, source, folder: what a program is depends on nothing else


def _compile(source: bytes, name: str, folder: Folder) -> Program:
    """Compile and judge `source` and all that it imports from its folder. Raises ProgramError."""
    modules = {name: Module(name, folder.file(name), check_module(source, folder.file(name), folder.sources))}
    check_main(modules[name].facts, folder.file(name))
    waiting = list(modules[name].facts.imports)
    while waiting:
        wanted = waiting.pop(0)
        if wanted not in modules:
            module = Module(wanted, folder.file(wanted), check_module(folder.sources[wanted], folder.file(wanted), folder.sources))
            modules[wanted] = module
            waiting.extend(module.facts.imports)
    return Program(modules[name], modules)


@functools.cache
def system_folders() -> tuple[Folder, ...]:
    """/bin and the lecture's programs, from the installed package."""
    return tuple(Folder(f"{name}/", _package_sources(f"userspace.{name}")) for name in SYSTEM_FOLDERS)


def _package_sources(package: str) -> dict[str, bytes]:
    entries = sorted(resources.files(package).iterdir(), key=lambda entry: entry.name)
    return {entry.name[:-3]: entry.read_bytes() for entry in entries if entry.name.endswith(".py") and not entry.name.startswith("__")}


class Images(Mapping[str, bytes]):
    """File name -> image file, each built when it is first looked at."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = sources
        self._built: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        if name not in self._built:
            self._built[name] = build(name, self._sources[name])
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


@functools.cache
def _installed_images() -> Images:
    return Images({name: source for folder in system_folders() for name, source in folder.sources.items()})


class Library:
    """The programs of one machine: the user's folder as it was when the machine was made, and /bin."""

    def __init__(
        self, home: Mapping[str, bytes], shown_prefix: str = "", shown: Mapping[str, str] | None = None, own: Folder | None = None
    ) -> None:
        self.home = Folder("", home)
        self.own = own or self.home  # the folder of the program that the machine was made for
        self.folders = (self.home, *system_folders())
        self.shown_prefix = shown_prefix  # the user's folder as given on the command line, with its slash
        self._trees: dict[tuple[int, int], BootTree] = {}  # by owner of the home directory
        self.shown = dict(shown or {})  # file in the log -> file on the command line, where they differ by more

    def boot_tree(self, uid: int = 0, gid: int = 0) -> BootTree:
        """The file system at boot: the user's programs in the initial working directory, the installed ones in /bin. Made once."""
        tree = self._trees.get((uid, gid))
        if tree is None:
            tree = self._trees[uid, gid] = BootTree(_installed_images(), Images(self.home.sources), uid, gid)
        return tree

    def program_hash(self) -> str:
        """Sixteen hex digits over the Python files of the program's folder, names and content."""
        return _folder_key(self.own)[:16]

    def load(self, source: bytes, name: str) -> Program:
        """The program with this source, executed under the file name `name`. Compiled at most once. Raises ProgramError."""
        folder, module = self._origin(source, name)
        key = (folder.file(module), source, _folder_key(folder))
        program = _compiled.get(key)
        if program is None:
            program = _compiled[key] = _compile(source, module, folder)
        return program

    def _origin(self, source: bytes, name: str) -> tuple[Folder, str]:
        """Where this source was written: the folder whose modules it imports, and its module name there."""
        for folder in self.folders:
            if folder.sources.get(name) == source:
                return folder, name
        for folder in self.folders:
            for module, known in folder.sources.items():
                if known == source:
                    return folder, module
        return self.home, name  # written by a program of this run

    def as_given(self, file: str) -> str:
        """A file of the log, as the user named it on the command line."""
        if file in self.shown:
            return self.shown[file]
        own = any(folder.prefix and file.startswith(folder.prefix) for folder in system_folders())
        return file if own else self.shown_prefix + file


def _folder_key(folder: Folder) -> str:
    digest = hashlib.sha256(folder.prefix.encode())
    for name, source in folder.sources.items():
        digest.update(f"{name}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


def describe(error: Any, library: Library) -> str:
    """A refusal's text with the files as the user named them."""
    if isinstance(error, ProgramError):
        return "\n".join(str(problem._replace(file=library.as_given(problem.file))) for problem in error.problems)
    return str(error)
