"""Mmap and its kin: the cases of cases/mappings.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("mappings"))
def test_mappings(case: str, kernel: str) -> None:
    check("mappings", case, kernel)
