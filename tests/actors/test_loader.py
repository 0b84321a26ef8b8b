"""Loading programs: fresh namespaces, addresses of functions and Globals, places of suspended coroutines."""

from __future__ import annotations

import copy
import textwrap

import pytest

from actors.loader import FIRST_FUNCTION, Library, describe, system_folders
from kernel.abi.layout import DATA_BASE, PAGE_SIZE, TEXT_BASE
from kernel.processes.image import build, parse
from userspace.loader_check import ProgramError
from userspace.trap import function_at, text_address

STAR = "from userspace.libc import *\n"


def library(**sources: str) -> Library:
    return Library({name: textwrap.dedent(text).encode() for name, text in sources.items()})


def loaded(main: str, **others: str):
    found = library(p=main, **others)
    return found.load(found.home.sources["p"], "p").instantiate()


def test_each_instance_has_its_own_namespace():
    program = library(p="seen = []\nasync def main(): pass\n").load(b"seen = []\nasync def main(): pass\n", "p")
    first, second = program.instantiate(), program.instantiate()
    assert first.namespaces["p"]["seen"] is not second.namespaces["p"]["seen"]
    assert first.namespaces["p"]["__builtins__"] is not second.namespaces["p"]["__builtins__"]


def test_a_module_of_the_folder_is_loaded_once_per_image():
    image = loaded("import a, b\nasync def main(): pass\n", a="import b\nitems = b.items\n", b="items = []\n")
    names = image.namespaces
    assert names["a"]["items"] is names["b"]["items"] is names["p"]["b"].items
    assert image.fresh().namespaces["b"]["items"] is not names["b"]["items"]


def test_modules_may_import_each_other():
    image = loaded("import a\nasync def main(): pass\n", a="import b\nx = 1\ndef f():\n    return b.y\n", b="import a\ny = 2\n")
    assert image.namespaces["a"]["f"]() == 2


def test_a_source_is_compiled_once():
    text = "async def main(): pass  # compiled once\n"
    assert library(p=text).load(text.encode(), "p") is library(p=text).load(text.encode(), "p")


def test_a_changed_module_is_another_program():
    text = "import a\nasync def main(): pass\n"
    first, second = library(p=text, a="x = 1"), library(p=text, a="x = 2")
    assert first.load(text.encode(), "p") is not second.load(text.encode(), "p")
    assert first.program_hash() != second.program_hash()


def test_functions_have_ascending_addresses_in_text_and_can_be_found_again():
    image = loaded("async def first(): pass\n\nasync def main():\n    x = 1\n    return x\nclass A:\n    def m(self): pass\n")
    names = image.namespaces["p"]
    assert text_address(names["first"]) == FIRST_FUNCTION
    assert text_address(names["main"]) == FIRST_FUNCTION + 16
    assert image.functions[FIRST_FUNCTION] is names["first"]
    assert [name for name, _, _ in image.symbols] == ["first", "main", "A.m"]


def test_addresses_are_the_same_in_every_instance_and_functions_are_its_own():
    image = loaded("async def work(x): pass\nasync def main(): pass\n")
    other = image.fresh()
    assert list(image.functions) == list(other.functions)
    assert image.functions[FIRST_FUNCTION] is not other.functions[FIRST_FUNCTION]


@pytest.mark.parametrize("maker", ["make = lambda: 1", "def outer():\n    def inner(): pass\n    return inner\nmake = outer()"])
def test_lambdas_and_closures_have_no_address(maker):
    image = loaded(f"{maker}\nasync def main(): pass\n")
    with pytest.raises(TypeError, match="move it to module level"):
        text_address(image.namespaces["p"]["make"])


def test_a_decorated_function_has_an_address_of_its_own():
    image = loaded("""
        import functools
        def twice(f):
            @functools.wraps(f)
            async def wrapped(x):
                return await f(x)
            return wrapped
        @twice
        async def one(x): pass
        @twice
        async def two(x): pass
        async def main(): pass
    """)
    names = image.namespaces["p"]
    addresses = {text_address(names[name]) for name in ("twice", "one", "two", "main")}
    assert len(addresses) == 4
    assert all(image.functions[text_address(names[name])] is names[name] for name in ("twice", "one", "two", "main"))


def test_globals_are_laid_out_data_first_then_bss_each_aligned():
    image = loaded(STAR + "a = Global(i8)\nb = Global(i64, 7)\nc = Global(i8, 1)\nd = Global(i32)\nasync def main(): pass\n")
    names = image.namespaces["p"]
    assert [names[name].address - DATA_BASE for name in "bcad"] == [0, 8, 9, 12]
    assert image.data == b"\7\0\0\0\0\0\0\0\1"
    assert image.data_size == 16
    assert image.brk == DATA_BASE + PAGE_SIZE


def test_a_global_that_two_modules_name_is_one_symbol():
    image = loaded("from a import counter\nasync def main(): pass\n", a=STAR + "counter = Global(i32)\n")
    assert [(name, size) for name, address, size in image.symbols if address >= DATA_BASE] == [("a.counter", 4)]


def test_a_global_inside_a_function_has_no_address():
    image = loaded(STAR + "def f():\n    return Global(i32)\nasync def main(): pass\n")
    with pytest.raises(RuntimeError, match="module level only"):
        _ = image.namespaces["p"]["f"]().address


def test_an_image_has_the_files_segments_and_its_data():
    text = STAR + "x = Global(i32, 5)\nasync def main(): pass\n"
    file = build("p", text.encode())
    image = loaded(text).image(parse(file, len(file)))
    assert [segment.name for segment in image.segments] == [".text", "libc", ".data"]
    assert image.segments[0].address == TEXT_BASE
    assert image.segments[2].data == b"\5\0\0\0"


def test_only_programs_that_name_fork_are_recorded():
    assert loaded(STAR + "async def main():\n    await fork()\n").records_ops
    assert loaded(STAR + "import a\nasync def main(): pass\n", a=STAR + "async def f():\n    await fork()\n").records_ops
    assert not loaded(STAR + "async def main(): pass\n").records_ops
    found = library(p="async def main(): pass\n")
    assert found.load(found.home.sources["p"], "p").instantiate(records_all=True).records_ops


def test_the_place_of_a_coroutine_is_the_programs_innermost_line():
    image = loaded(STAR + "async def inner():\n    await getpid()\n\nasync def main():\n    await inner()\n")
    coroutine = image.namespaces["p"]["main"]()
    coroutine.send(None)
    place = image.place(coroutine)
    assert (place.file, place.line, place.function, place.pc) == ("p.py", 3, "inner", FIRST_FUNCTION + 4)
    coroutine.close()


def test_the_place_inside_an_async_generator_is_found():
    image = loaded(
        STAR + "async def numbers():\n    await getpid()\n    yield 1\nasync def main():\n    async for _ in numbers():\n        pass\n"
    )
    coroutine = image.namespaces["p"]["main"]()
    coroutine.send(None)
    assert image.place(coroutine)[1:] == ("p.py", 3, "numbers")
    coroutine.close()


def test_function_at_finds_the_running_images_function():
    image = loaded("async def work(): pass\ndef ask(f, a):\n    return f(a)\nasync def main(): pass\n")
    copied = copy.deepcopy(image)
    assert image.namespaces["p"]["ask"](function_at, FIRST_FUNCTION) is image.functions[FIRST_FUNCTION]
    assert copied.namespaces["p"]["ask"](function_at, FIRST_FUNCTION) is copied.functions[FIRST_FUNCTION]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = 1 / 0\nasync def main(): pass\n", "p.py:2: module level fails with ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\nasync def main(): pass\n", "p.py:1: module level fails with SystemExit: 3"),
        ("import a\nasync def main(): pass\n", "a.py:1: module level fails with NameError: name 'nothing' is not defined"),
    ],
)
def test_a_module_body_that_fails_refuses_the_program_with_its_line(text, message):
    with pytest.raises(ProgramError) as caught:
        loaded(text, a="nothing\n")
    assert str(caught.value) == message


def test_python_that_acts_on_the_host_is_not_there_even_if_hidden_from_the_checks():
    image = loaded("names = __builtins__\nasync def main(): pass\n")
    with pytest.raises(RuntimeError, match="would act on the host"):
        image.namespaces["p"]["names"]["print"]("x")
    with pytest.raises(ImportError):
        image.namespaces["p"]["names"]["__import__"]("os")


def test_dataclasses_work_under_future_annotations():
    image = loaded(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n  x: int = 3\nasync def main(): 0\n"
    )
    assert image.namespaces["p"]["P"]().x == 3


def test_errors_are_told_with_the_file_as_the_user_named_it():
    found = Library({"p": b"def main(): pass\n"}, "some/where/")
    with pytest.raises(ProgramError) as caught:
        found.load(b"def main(): pass\n", "p")
    assert describe(caught.value, found).startswith("some/where/p.py:1: main is not async")


def test_every_installed_program_can_be_loaded():
    found = Library({})
    for folder in system_folders():
        for name, source in folder.sources.items():
            image = found.load(source, name).instantiate()
            assert image.main is not None, name
