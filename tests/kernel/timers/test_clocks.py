"""clock_gettime(2) and clock_getres(2)."""

from __future__ import annotations

import pytest

from kernel.abi import flags
from kernel.abi.errno_values import EINVAL
from kernel.abi.errnos import SysError
from kernel.timers.clocks import REALTIME_BASE_NS, TICK_NS, monotonic_ns, read_clock, resolution_ns

NOW = 9_000_001


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (flags.CLOCK_REALTIME, REALTIME_BASE_NS + NOW),
        (flags.CLOCK_MONOTONIC, NOW),
        (flags.CLOCK_PROCESS_CPUTIME_ID, 50),
        (flags.CLOCK_THREAD_CPUTIME_ID, 20),
        (flags.CLOCK_MONOTONIC_RAW, NOW),
        (flags.CLOCK_REALTIME_COARSE, REALTIME_BASE_NS + 2 * TICK_NS),
        (flags.CLOCK_MONOTONIC_COARSE, 2 * TICK_NS),
        (flags.CLOCK_BOOTTIME, NOW),
    ],
)
def test_each_clock_shows_its_time(clock: int, expected: int):
    assert read_clock(clock, NOW, 50, 20) == expected


def test_resolution_is_one_nanosecond_but_a_tick_for_coarse_clocks():
    assert resolution_ns(flags.CLOCK_MONOTONIC) == 1
    assert resolution_ns(flags.CLOCK_REALTIME_COARSE) == TICK_NS


@pytest.mark.parametrize("clock", [-1, 10, 99])
def test_unknown_clock_is_einval(clock: int):
    for call in (lambda: read_clock(clock, 0, 0, 0), lambda: resolution_ns(clock)):
        with pytest.raises(SysError) as error:
            call()
        assert error.value.errno == EINVAL


def test_a_date_before_boot_is_a_negative_time():
    assert monotonic_ns(flags.CLOCK_REALTIME, 0) == -REALTIME_BASE_NS
