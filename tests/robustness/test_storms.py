"""Whatever processes and threads do to each other, the machine stands, checks out after every message, and is empty at the end."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.robustness.storm import storm
from tests.support.machines import FULL, explain, program, run

MODES: tuple[dict[str, Any], ...] = (
    {"config": "checked", "strategy": "random", "granularity": "messages"},
    {"config": "checked", "strategy": "random", "granularity": "messages"},
    {"config": "tiny", "strategy": "random", "granularity": "messages"},
    {"config": "checked", "strategy": "random", "granularity": "ops"},
    {"config": "checked"},
)
WAITING = {"deadlock", "livelock"}  # a fair end for those who stopped or destroyed what they wait for


@pytest.mark.parametrize("block", range(20 if FULL else 2))
def test_the_machine_stands_in_a_storm(block):
    for seed in range(10 * block, 10 * block + 10):
        found, random = program(storm(seed)), Random(seed)
        for mode in MODES:
            result = run(found, **mode, seed=random.randrange(1000), events=(), max_steps=60_000)
            kinds = {failure.kind for failure in result.failures}
            assert not result.panic, f"storm {seed} {mode}\n{result.panic}"
            assert "nondeterminism" not in kinds, f"storm {seed} {mode}\n{explain(result)}"
            if result.verdict != "undetermined" and not kinds & WAITING:
                assert not result.system.leftovers(), f"storm {seed} {mode}\n{explain(result)}"
