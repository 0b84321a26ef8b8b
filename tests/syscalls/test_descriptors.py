"""Open, read, write, lseek, dup, fcntl: the cases of cases/descriptors.py, on our kernel and on the host's."""

from __future__ import annotations

import pytest

from tests.support.syscall_cases import KERNELS, cases, check


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", cases("descriptors"))
def test_descriptors(case: str, kernel: str) -> None:
    check("descriptors", case, kernel)
