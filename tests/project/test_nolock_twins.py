"""The lecture's advice "comment the lock out" is a file of its own, and it must stay the same program but for that."""

from pathlib import Path

import pytest

LECTURE = Path(__file__).parents[2] / "userspace" / "lecture"
LOCK_CALLS = ("await pthread_mutex_lock(", "await pthread_mutex_unlock(")


def _lines(name: str) -> list[str]:
    return (LECTURE / f"{name}.py").read_text().splitlines()[1:]  # the first is the docstring


@pytest.mark.parametrize("name", ["lock", "thread"])
def test_nolock_twin_differs_by_its_commented_lock_calls_alone(name):
    original, twin = _lines(name), _lines(f"{name}_nolock")
    assert len(original) == len(twin)
    different = [(mine, other) for mine, other in zip(original, twin, strict=True) if mine != other]
    assert len(different) == 2
    for (mine, other), call in zip(different, LOCK_CALLS, strict=True):
        assert mine.strip().startswith(call)
        indent = mine[: len(mine) - len(mine.lstrip())]
        assert other == f"{indent}# {mine.lstrip()}"


@pytest.mark.parametrize("name", ["lock", "thread"])
def test_nolock_twin_says_whose_twin_it_is(name):
    first = (LECTURE / f"{name}_nolock.py").read_text().splitlines()[0]
    assert first.startswith(f'"""{name}_nolock.py - ')
    assert f"{name}.py" in first.split(" - ")[1]


@pytest.mark.parametrize("name", ["pid", "fork", "forkexec", "signal", "fifo", "lock", "thread"])
def test_every_program_of_the_lecture_opens_with_what_it_shows(name):
    text = (LECTURE / f"{name}.py").read_text()
    assert text.startswith(f'"""{name}.py - ')
    assert text.splitlines()[1] == "from userspace.libc import *"
