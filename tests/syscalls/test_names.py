"""Directories, links, renames, paths: the cases of cases/names.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("names"))
def test_names(case: str, kernel: str) -> None:
    check("names", case, kernel)
