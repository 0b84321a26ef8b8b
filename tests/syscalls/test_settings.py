"""Limits, priorities, names: the cases of cases/settings.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("settings"))
def test_settings(case: str, kernel: str) -> None:
    check("settings", case, kernel)
