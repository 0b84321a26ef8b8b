"""What runs around a program: from the initial stack to main, from main's result to exit, and around threads and signal handlers.

    core starts start_main(main)  ->  argc, argv, envp read from the stack  ->  main(argv)  ->  exit(status)
    core starts start_thread(fn, arg)  ->  the thread's function  ->  pthread_exit's way out
    core pushes run_handler(fn, args)  ->  the handler  ->  rt_sigreturn

The kernel leaves argc, argv, envp and the auxiliary vector in simulated memory, as execve(2) does, so reading them takes ops like any
other reading. Whatever exception leaves a program's function ends here: SystemExit is exit(code), anything else is written to descriptor
2 as Python would write it, without the frames that are not the program's own, and becomes the last op of the thread. The kernel makes a
signal of that op: SIGFPE of a division by zero, SIGSEGV of a recursion without end, SIGABRT of the rest.
"""

from __future__ import annotations

import re
import struct
import types
from operator import index
from typing import Any, Final, NamedTuple

from kernel.abi.flags import EXIT_FAILURE
from kernel.abi.signos import SIGABRT, SIGFPE, SIGSEGV
from userspace import trap
from userspace.libc.abort import complain
from userspace.libc.arguments import bytes_text
from userspace.libc.environment import mapping_of, read_strings, read_vector
from userspace.libc.libc_data import ENVIRONMENT
from userspace.libc.pthread import ThreadExit, finish_thread, thread_main
from userspace.libc.signal import siginfo
from userspace.libc.stdlib import exit as exit_process
from userspace.libc.threads import prepare_first_thread

POINTER: Final = 8  # bytes
CHAIN_MAX: Final = 8  # exceptions shown that led to one another
HOST_ADDRESS: Final = re.compile(r"((?:object|function)(?: [^ >]+)?) at 0x[0-9a-f]+")  # as object.__repr__ and its kind write it
ENDINGS_MAX: Final = 100  # exceptions raised while others are being reported
REPEATED_MAX: Final = 3  # equal lines of a traceback that are shown
_TAKES_ARGUMENTS: Final = (0, 1, 3)

_sigreturn = trap.syscall("rt_sigreturn")


# ---- main -----------------------------------------------------------------------------------------------------------------------


async def start_main(main: Any) -> None:
    """The entry point of an image. Never returns."""
    try:
        await prepare_first_thread()
        arguments = await _arguments(main)
        await exit_process(_status(await main(*arguments)))
    except BaseException as error:  # noqa: BLE001 - the outermost level of a program
        await end_by(error, main)


async def _arguments(main: Any) -> tuple[Any, ...]:
    """What main is called with, by its number of parameters: (), (argv), (argc, argv, envp). Sets `environ`."""
    stack = await trap.register("stack_pointer")
    (argc,) = struct.unpack("<Q", await trap.read_memory(stack, POINTER))
    environment = stack + POINTER * (argc + 2)
    await ENVIRONMENT.vector.store(environment)
    count = main.__code__.co_argcount
    if count not in _TAKES_ARGUMENTS:
        raise TypeError(f"main takes no parameter, (argv), or (argc, argv, envp), not {count}")
    if count == 0:
        return ()
    argv = [bytes_text(text) for text in await read_strings(await read_vector(stack + POINTER))]
    if count == 1:
        return (argv,)
    return argc, argv, mapping_of(await read_strings(await read_vector(environment)))


def _status(result: Any) -> int:
    """The result of main as an exit status. Raises TypeError for what is none."""
    if result is None:
        return 0
    if isinstance(result, int):
        return int(result)
    raise TypeError(f"main returns its exit status, an int or None, not {type(result).__name__}")


# ---- threads and handlers ----------------------------------------------------------------------------------------------------------


async def start_thread(fn: Any, arg: Any) -> None:
    """A thread, or a child of clone, or what `become` goes on with: `arg` is what crossed the trap, (kind, plain). Never returns."""
    try:
        await thread_main(fn, arg)
    except BaseException as error:  # noqa: BLE001 - the outermost level of a thread
        await end_by(error, fn)


async def run_handler(fn: Any, args: tuple[Any, ...]) -> None:
    """A signal handler, then back to what it interrupted. Never returns."""
    try:
        if len(args) > 1:
            signo, info, context = args
            args = (signo, siginfo(*info), context)
        await fn(*args)
    except BaseException as error:  # noqa: BLE001 - the outermost level of a handler
        await end_by(error, fn)
    await _sigreturn()


# ---- exceptions that leave the program -----------------------------------------------------------------------------------------------


async def end_by(error: BaseException, fn: Any) -> None:
    """End as this exception says; `fn` is the function that it left. An atexit function may raise another. Never returns."""
    for _ in range(ENDINGS_MAX):
        if isinstance(error, GeneratorExit) and _is_disposal(error):
            raise error
        try:
            if isinstance(error, ThreadExit):
                await finish_thread(error.value)
            elif isinstance(error, SystemExit):
                await exit_process(await _exit_code(error))
            else:
                await _report(error, fn)
        except BaseException as another:  # noqa: BLE001 - see above
            error = another
    await trap.report_uncaught("RuntimeError", "the exceptions of this program raise others without end", "", "", 0, SIGABRT)


def _is_disposal(error: BaseException) -> bool:
    """Is a dead thread's coroutine being closed? Then it was raised where crt itself awaits, and not by the program."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals is globals()


async def _exit_code(error: SystemExit) -> int:
    """sys.exit's rule: None is 0, a number itself, anything else is a message and 1."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return index(error.code)
    await complain(f"{error.code}\n")
    return EXIT_FAILURE


async def _report(error: BaseException, fn: Any) -> None:
    text = format_exception(error)
    await complain(text)
    places = places_of(error)
    code = fn.__code__
    place = places[-1] if places else Place(code.co_filename, code.co_firstlineno, code.co_name)
    await trap.report_uncaught(type(error).__name__, message_of(error), text, place.file, place.line, signal_of(error))


def signal_of(error: BaseException) -> int:
    """What a CPU or C's runtime would have raised."""
    if isinstance(error, ZeroDivisionError):
        return SIGFPE
    return SIGSEGV if isinstance(error, RecursionError) else SIGABRT


class Place(NamedTuple):
    """A line of the program on the way of an exception."""

    file: str
    line: int
    function: str


def places_of(error: BaseException) -> list[Place]:
    """The program's own frames of the exception's way, outermost first: neither libc's nor the host's."""
    places = []
    trace: types.TracebackType | None = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if trap.FUNCTIONS in trace.tb_frame.f_globals:
            places.append(Place(code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return places


def message_of(error: BaseException) -> str:
    """str(error), also where that itself fails, without addresses of the host, which differ from run to run."""
    try:
        return HOST_ADDRESS.sub(r"\1", str(error))
    except Exception:  # noqa: BLE001 - the program's own __str__, or a reference among the arguments
        try:
            return HOST_ADDRESS.sub(r"\1", ", ".join(repr(argument) for argument in error.args))
        except Exception:  # noqa: BLE001 - the program's own __repr__ too
            return "<exception str() failed>"


def format_exception(error: BaseException) -> str:
    """The traceback, and those of the exceptions that led to it, as Python writes them."""
    parts: list[str] = []
    link = ""
    seen: BaseException | None = error
    for _ in range(CHAIN_MAX):
        if seen is None:
            break
        parts.append(_one_exception(seen) + link)
        if seen.__cause__ is not None:
            seen, link = seen.__cause__, "\nThe above exception was the direct cause of the following exception:\n\n"
        elif seen.__context__ is not None and not seen.__suppress_context__:
            seen, link = seen.__context__, "\nDuring handling of the above exception, another exception occurred:\n\n"
        else:
            seen = None
    return "".join(reversed(parts))


def _one_exception(error: BaseException) -> str:
    lines: list[str] = []
    places = places_of(error)
    if places:
        lines.append("Traceback (most recent call last):")
    before, count = None, 0
    for place in [*places, None]:
        if place is not None and place == before:
            count += 1
        else:
            if count > REPEATED_MAX:
                lines.append(f"  [Previous line repeated {count - REPEATED_MAX} more times]")
            before, count = place, 1
        if place is not None and count <= REPEATED_MAX:
            lines.append(f'  File "{place.file}", line {place.line}, in {place.function}')
    message = message_of(error)
    lines.append(f"{type(error).__name__}: {message}" if message else type(error).__name__)
    return "\n".join(lines) + "\n"
