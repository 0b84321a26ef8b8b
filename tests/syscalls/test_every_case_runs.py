"""That no case is left out: every file of cases has its test module, and every case runs on both kernels."""

from __future__ import annotations

import ast

from tests.support.syscall_cases import FOLDER, KERNELS, cases

AREAS = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem != "observe")


def test_every_file_of_cases_has_a_test_module():
    tests = {file.stem for file in FOLDER.parent.glob("test_*.py")} - {"test_every_case_runs"}
    assert sorted(name.removeprefix("test_") for name in tests) == AREAS


def test_both_kernels_are_asked():
    assert KERNELS == ("ours", "host")
    assert sum(len(cases(area)) for area in AREAS) >= 200


def test_the_host_side_knows_no_errno_and_no_case():
    names = {case for area in AREAS for case in cases(area)}
    for file in (FOLDER.parent.parent / "support").glob("host_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            word = node.id if isinstance(node, ast.Name) else node.value if isinstance(node, ast.Constant) else None
            assert word not in names
            assert not (isinstance(word, str) and word.isupper() and word.startswith("E") and len(word) > 3), word
