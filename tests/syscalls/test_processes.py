"""Fork, wait, groups, kill: the cases of cases/processes.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("processes"))
def test_processes(case: str, kernel: str) -> None:
    check("processes", case, kernel)
