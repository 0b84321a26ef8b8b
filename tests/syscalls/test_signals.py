"""Signals: the cases of cases/signals.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("signals"))
def test_signals(case: str, kernel: str) -> None:
    check("signals", case, kernel)
