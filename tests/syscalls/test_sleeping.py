"""Sleeps and clocks: the cases of cases/sleeping.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("sleeping"))
def test_sleeping(case: str, kernel: str) -> None:
    check("sleeping", case, kernel)
