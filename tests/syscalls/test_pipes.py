"""Pipes and FIFOs: the cases of cases/pipes.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("pipes"))
def test_pipes(case: str, kernel: str) -> None:
    check("pipes", case, kernel)
