"""Modes, owners, users: the cases of cases/permissions.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("permissions"))
def test_permissions(case: str, kernel: str) -> None:
    check("permissions", case, kernel)
