"""Finding a user's program on the host, before anything runs.

A PROGRAM with a `/` or ending in `.py` is a file of the host: its folder's Python files, read once, become the programs of the machine's
/home/user. Anything else is a name in the machine's /bin, where the lecture's programs are. What is read here is all that a machine
ever sees of the host's files.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import NamedTuple

from actors.loader import BIN, HOME, Library, system_folders


class MissingProgramError(Exception):
    """No such program. The text names it and what there is instead."""


class Found(NamedTuple):
    """A program and the library that it comes with."""

    name: str  # argv[0] and the name in the folder: `lock`
    path: str  # in the machine: `/home/user/lock`
    source: bytes
    library: Library


def is_file(program: str) -> bool:
    """Is PROGRAM meant as a file of the host?"""
    return "/" in program or "\\" in program or program.endswith(".py")


def find(program: str) -> Found:
    """The program that the user named. Raises MissingProgramError."""
    return _find_file(program) if is_file(program) else _find_installed(program)


def _find_installed(program: str) -> Found:
    known: list[str] = []
    for folder in system_folders():
        if program in folder.sources:
            return Found(program, f"{BIN}/{program}", folder.sources[program], Library({}, own=folder))
        known += folder.sources
    if Path(f"{program}.py").is_file():
        hint = f"write {program}.py for the file in this folder"
    else:
        close = difflib.get_close_matches(program, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "a file is named with .py or a slash"
    raise MissingProgramError(f"{program}: no such program in /bin: {hint}")


def _find_file(program: str) -> Found:
    path = Path(program)
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise MissingProgramError(f"{program}: not a regular file")  # a FIFO would be waited for
        source = path.read_bytes()
    except OSError as error:
        raise MissingProgramError(f"{program}: {error.strerror}") from None
    except ValueError as error:
        raise MissingProgramError(f"{program!r}: {error}") from None
    name = path.name.removesuffix(".py")
    home = _folder(path.parent)
    home[name] = source
    prefix = program[: len(program) - len(path.name)]
    shown = {} if path.name.endswith(".py") else {f"{name}.py": program}
    return Found(name, f"{HOME}/{name}", source, Library(home, prefix, shown))


def _folder(folder: Path) -> dict[str, bytes]:
    """Every readable Python file of a folder, by name without `.py`."""
    sources: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.py")):
        try:
            if path.is_file():
                sources[path.name.removesuffix(".py")] = path.read_bytes()
        except OSError:
            continue  # another program's business; importing it says that it is not there
    return sources
