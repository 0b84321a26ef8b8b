"""A loop that never reaches an op: the run ends as a hang that names file, line and function, whether the loop is Python's or C's."""

import json

import pytest

from tests.support.command_line import IMPATIENT, run_text

PYTHON_LOOP = """
async def helper():
    n = 0
    while True:
        n += 1

async def main():
    await printf("before\\n")
    await helper()
"""
C_LOOP = """
import itertools

async def main():
    await printf("before\\n")
    total = sum(itertools.count())
"""
MODULE_BODY = "while True:\n    pass\n\nasync def main():\n    pass\n"
RAN_OUT = "reached no op for 1 s of host time (run.host_step_limit_s): a loop needs an awaited op in it"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "impatient.toml").write_text(IMPATIENT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "lines", "function", "output"),
    [(PYTHON_LOOP, (5, 6), "helper", "before\n"), (C_LOOP, (6,), "main", "before\n"), (MODULE_BODY, (2, 3), "<module>", "")],
    ids=["a loop of Python", "a loop inside of C", "a loop at module level"],
)
def test_a_hang_names_file_line_and_function(folder, text, lines, function, output):
    ran = run_text(folder, text, "--config", "impatient.toml")
    assert (ran.returncode, ran.stdout) == (1, output)
    again = "to run it again: trapline run program.py --config impatient.toml --seed 1\n"
    assert ran.stderr in {f"trapline: hang: program.py:{line}: {function} {RAN_OUT}\n{again}" for line in lines}


def test_a_hang_is_a_failure_in_the_document(folder):
    ran = run_text(folder, PYTHON_LOOP, "--config", "impatient.toml", "--json")
    document = json.loads(ran.stdout)
    (failure,) = document["failures"]
    assert (document["verdict"], document["stdout"], failure["kind"]) == ("failed", "before\n", "hang")
    assert failure["where"][0]["file"] == "program.py"
    assert failure["where"][0]["line"] in (5, 6)
