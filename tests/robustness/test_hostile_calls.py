"""Whatever a program passes to libc, the machine stands: an errno, a signal, an exception of the program, never a panic, never a hang.

Programs are sequences of libc's calls with hostile arguments (catalogue.py), on small machines, in time and in every other order.
`TRAPLINE_SWEEP=1` draws more of them.
"""

from __future__ import annotations

import resource
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.robustness.catalogue import CALLS, ODD, program_text
from tests.support.machines import FULL, explain, run

MODES: list[dict[str, Any]] = [
    {"config": "tiny"},
    {"config": "quad"},
    {"config": "checked", "strategy": "random", "granularity": "ops"},
    {"config": "checked", "strategy": "random", "granularity": "messages"},
]
WAITING = ("deadlock", "livelock")  # a fair end for a program that waits for what it has destroyed
MEMORY_BOUND = 1 << 30  # bytes of host memory


def calls_of(name: str) -> st.SearchStrategy[str]:
    """Texts of calls of this function."""
    arguments = [st.sampled_from(values) | st.sampled_from(ODD) if values else st.nothing() for values in CALLS[name]]
    return st.tuples(*arguments).map(lambda chosen: f"{name}({', '.join(chosen)})")


any_call = st.sampled_from(sorted(CALLS)).flatmap(calls_of)
fuzzed = settings(
    max_examples=2000 if FULL else 60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=not FULL, database=None
)


@fuzzed
@given(st.lists(any_call, min_size=1, max_size=10), st.sampled_from(MODES), st.integers(0, 99))
def test_the_machine_stands_whatever_is_passed(calls, mode, seed):
    result = run(program_text(calls), **mode, seed=seed, max_steps=60_000, max_time_ns=10**13)
    assert not result.panic, f"{calls}\n{result.panic}"
    kinds = [failure.kind for failure in result.failures]
    assert not {"panic", "nondeterminism", "hang"} & set(kinds), f"{calls}\n{explain(result)}"
    for failure in result.failures:
        assert failure.message.partition("\n")[0], f"{calls}: a failure says what happened"
    if result.verdict != "undetermined" and not set(WAITING) & set(kinds) and "stopped" not in explain(result):
        assert not result.system.leftovers(), f"{calls}\n{explain(result)}"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10 < MEMORY_BOUND, f"{calls}: too much of the host's memory"
