"""A loaded image: one process's own copy of a program, and the map between its functions and their addresses in .text.

The module bodies are executed once per process image, in fresh namespaces with their own builtins; so Python globals are private to a
process as C's are, and a fork's child (which gets `fresh()`) shares no object with its parent. What a body must not reach is not there:
imports give libc, harmless parts of the standard library and the program's own modules, each loaded anew.

Then the linker's work: each `Global` found at module level gets its place in .data (initialised) or .bss after it, each function
its address. A coroutine's place in the program is read from its frames: libc's are skipped, the innermost of the program's own counts.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from kernel.abi.flags import PROT_READ, PROT_WRITE
from kernel.abi.layout import BYTES_PER_LINE, DATA_BASE, FUNCTION_ALIGN, LIBC_DATA, MMAP_TOP, PAGE_MASK, TEXT_BASE
from kernel.processes.coroutines import frames
from kernel.processes.image import Header, Image, Segment
from userspace import crt
from userspace.layout import argument_in
from userspace.loader_check import ProgramError
from userspace.loader_names import LIBC, Problem
from userspace.loader_shared import import_view, is_shared, view_of
from userspace.ref import bind_global, global_align, global_bytes, global_size, is_global
from userspace.trap import FUNCTIONS, TEXT_ADDRESS

if TYPE_CHECKING:
    from actors.loader import Module, Program

_REFUSED: Final = (
    "print", "input", "open", "exec", "eval", "compile", "breakpoint", "help", "quit", "exit", "copyright", "credits", "license",
)  # fmt: skip
NAMESPACE: Final = "program."  # prefix of __name__ in a program's modules


class Place(NamedTuple):
    """Where a coroutine stands in its program."""

    pc: int  # .text address
    file: str
    line: int
    function: str


NOWHERE: Final = Place(0, "", 0, "")


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"{name}() of Python would act on the host: use what userspace.libc has")

    refuse.__name__ = name
    return refuse


_SAFE_BUILTINS: Final = {**vars(builtins), **{name: _refusal(name) for name in _REFUSED}}


class LoadedImage:
    """One executed copy of a program: the ProgramImage of kernel/processes/context.py."""

    def __init__(self, program: Program, records_all: bool) -> None:
        self.program = program
        self.records_all = records_all
        self.records_ops = records_all or program.names_fork
        self.namespaces: dict[str, dict[str, Any]] = {}  # by module name, in the order in which bodies began
        self._loaded: dict[str, types.ModuleType] = {}  # complete ones, in the order in which bodies ended
        self._builtins = {**_SAFE_BUILTINS, "__import__": self._import}
        self.functions: dict[int, Any] = {}  # by .text address
        self.symbols: list[tuple[str, int, int]] = [(symbol.name, symbol.address, symbol.size) for symbol in program.symbols]
        self.data = b""  # of .data
        self.data_size = 0  # bytes of .data and .bss
        self._execute(program.main)
        self._place_globals()
        self._place_functions()
        self.main = self._entry_point()

    # ---- execution of module bodies -----------------------------------------------------------------------------------------

    def _import(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        """What `import` does inside a program."""
        if name == LIBC and fromlist:
            return view_of(sys.modules[LIBC])  # the whole protocol of a from-import costs as much as a small schedule
        if is_shared(name) or (name == "userspace" and fromlist):
            return import_view(name, tuple(fromlist or ()))
        module = self.program.modules.get(name)
        if module is None or level:
            raise ImportError(f"no module named {name!r} in the program's folder")
        found = sys.modules.get(NAMESPACE + name) if name in self.namespaces and name not in self._loaded else self._loaded.get(name)
        return found or self._execute(module)

    def _execute(self, module: Module) -> types.ModuleType:
        qualified = NAMESPACE + module.name
        loaded = types.ModuleType(qualified)
        namespace = loaded.__dict__
        namespace.update({"__builtins__": self._builtins, "__file__": module.file, FUNCTIONS: self.functions})
        self.namespaces[module.name] = namespace
        before = sys.modules.get(qualified)
        sys.modules[qualified] = loaded  # dataclasses and typing look a class's module up there
        try:
            exec(module.code, namespace)  # noqa: S102 - what a loader is for; the source was judged
        except ProgramError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a module body raises refuses the program
            raise ProgramError(self._failure(module, error)) from None
        finally:
            sys.modules[qualified] = before or types.ModuleType(qualified)
        self._loaded[module.name] = loaded
        return loaded

    def _entry_point(self) -> Any:
        """The program's main. Raises ProgramError for what is none, wherever it comes from."""
        main = self.namespaces[self.program.main.name].get("main")
        if type(main) is not types.FunctionType:
            raise ProgramError(Problem(self.program.main.file, 0, "main is not a function: write `async def main(argv)`"))
        return main

    def _failure(self, module: Module, error: BaseException) -> Problem:
        """A module body that fails refuses the program: the innermost line of the program's own code."""
        files = {known.file for known in self.program.modules.values()}
        file, line, trace = module.file, 1, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in files:
                file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        return Problem(file, line, f"module level fails with {type(error).__name__}: {crt.message_of(error)}")

    # ---- the linker ---------------------------------------------------------------------------------------------------------

    def _place_globals(self) -> None:
        """Lay out .data, then .bss; an object that two modules name is one symbol."""
        found: list[tuple[str, Any]] = []
        for name in self._loaded:
            prefix = "" if name == self.program.main.name else f"{name}."
            for variable, value in self._own(name):
                if is_global(value) and not any(value is other for _, other in found):
                    found.append((prefix + variable, value))
        initialised = [item for item in found if global_bytes(item[1]) is not None]
        zeroed = [item for item in found if global_bytes(item[1]) is None]
        data = bytearray()
        address = DATA_BASE
        for name, value in (*initialised, *zeroed):
            align = global_align(value)
            address = (address + align - 1) // align * align
            content = global_bytes(value)
            if content is not None:
                data.extend(bytes(address - DATA_BASE - len(data)) + content)
            bind_global(value, address)
            self.symbols.append((name, address, global_size(value)))
            address += global_size(value)
        if address > MMAP_TOP:
            raise ProgramError(Problem(self.program.main.file, 0, f"its Globals take {address - DATA_BASE} bytes: too many to address"))
        self.data, self.data_size = bytes(data), address - DATA_BASE

    def _place_functions(self) -> None:
        """Module-level functions get their symbol's address; one that a decorator made gets a place after all symbols."""
        extra = self.program.text_end
        for name in self._loaded:
            namespace = self.namespaces[name]
            for _, function in self._own(name):
                if not isinstance(function, types.FunctionType) or function.__globals__ is not namespace:
                    continue
                if function.__name__ == "<lambda>" or "." in function.__qualname__ or TEXT_ADDRESS in function.__dict__:
                    continue
                symbol = self.program.symbol_of.get(function.__code__)
                address = symbol.address if symbol is not None else extra
                if address in self.functions:
                    address = extra
                if address == extra:
                    extra += FUNCTION_ALIGN
                function.__dict__[TEXT_ADDRESS] = address
                self.functions[address] = function
        self.text_size = extra - TEXT_BASE
        if extra > LIBC_DATA:
            raise ProgramError(Problem(self.program.main.file, 0, f"too long: its functions take {extra - TEXT_BASE} bytes of .text"))

    def data_segments(self) -> tuple[Segment, ...]:
        """.data with .bss, if the program has Globals."""
        if not self.data_size:
            return ()
        return (Segment(DATA_BASE, self.data_size, PROT_READ | PROT_WRITE, -1, 0, self.data, ".data"),)

    @property
    def brk(self) -> int:
        """Where the heap starts: the page after .bss."""
        return (DATA_BASE + self.data_size + PAGE_MASK) & ~PAGE_MASK

    def image(self, header: Header) -> Image:
        """The plain facts of this image: what the file's header says, with the data and symbols of the program.

        Imported modules lie behind the program's own functions, so .text is made longer where they need it.
        """
        segments = []
        for segment in header.segments:
            wanted = (self.text_size + PAGE_MASK) & ~PAGE_MASK if segment.address == TEXT_BASE else 0
            segments.append(msgspec.structs.replace(segment, size=max(segment.size, wanted)))
        return Image(header.name, header.entry, header.interpreter, (*segments, *self.data_segments()), self.brk, tuple(self.symbols))

    # ---- the ProgramImage protocol ------------------------------------------------------------------------------------------

    def start(self, entry: int, args: tuple[Any, ...]) -> Any:
        """A fresh coroutine of the function at .text address `entry`; raises KeyError if there is none."""
        modules = {NAMESPACE + name: namespace for name, namespace in self.namespaces.items()}
        return crt.start_thread(self.functions[entry], *argument_in(args, modules))

    def start_main(self) -> Any:
        """A fresh coroutine of the entry point."""
        return crt.start_main(self.main)

    def start_handler(self, entry: int, args: tuple[Any, ...]) -> Any:
        """A fresh coroutine that runs a signal handler and then sigreturn; raises KeyError if there is no such function."""
        return crt.run_handler(self.functions[entry], args)

    def fresh(self) -> LoadedImage:
        """The same image in new namespaces."""
        return LoadedImage(self.program, self.records_all)

    def __deepcopy__(self, memo: Any) -> LoadedImage:
        copied = self.fresh()
        memo[id(self)] = copied  # the protocol of copy.deepcopy
        return copied

    # ---- places ---------------------------------------------------------------------------------------------------------------

    def place(self, coroutine: Any) -> Place:
        """Where a suspended coroutine stands: its innermost frame that is the program's own."""
        frame = None
        for candidate in frames(coroutine):
            if self.owns(candidate):
                frame = candidate
        return self.place_of(frame) if frame is not None else NOWHERE

    def owns(self, frame: types.FrameType) -> bool:
        """Is it a frame of a program's own code, not of libc or the standard library?"""
        return FUNCTIONS in frame.f_globals

    def place_of(self, frame: types.FrameType) -> Place:
        """The place that a frame of the program stands for."""
        code, line = frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno
        symbol = self.program.symbol_of.get(code)
        pc = symbol.address + BYTES_PER_LINE * (line - symbol.first_line) if symbol is not None else TEXT_BASE
        return Place(pc, code.co_filename, line, code.co_name)

    def plain_globals(self) -> Iterator[tuple[str, str, Any]]:
        """(module, name, value) of what the modules bind themselves, in order."""
        for name in self.namespaces:
            for variable, value in self._own(name):
                yield name, variable, value

    def _own(self, module: str) -> Iterator[tuple[str, Any]]:
        """What a module binds itself, in order: not the hundreds of names that it imports from libc."""
        namespace = self.namespaces[module]
        for variable in self.program.modules[module].facts.globals:
            if variable in namespace:
                yield variable, namespace[variable]
