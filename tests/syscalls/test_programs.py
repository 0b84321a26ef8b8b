"""Execve: the cases of cases/programs.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("programs"))
def test_programs(case: str, kernel: str) -> None:
    check("programs", case, kernel)
