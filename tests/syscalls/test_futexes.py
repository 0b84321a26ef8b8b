"""Futex: the cases of cases/futexes.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("futexes"))
def test_futexes(case: str, kernel: str) -> None:
    check("futexes", case, kernel)
