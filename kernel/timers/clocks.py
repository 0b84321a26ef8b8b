"""The clocks that programs read (clock_gettime(2), clock_nanosleep(2)), all derived from one virtual time.

The machine has one time line, in integer ns from boot: CLOCK_MONOTONIC. CLOCK_REALTIME is that plus a fixed start, so that a run shows the
same date on every host. CPU clocks are sums that the scheduler keeps; whoever calls `read_clock` passes them in. The coarse clocks
stand still between two ticks, as on Linux with CONFIG_HZ=250. Nothing sets a clock: there is no clock_settime.

Pure functions, no state: cores use them for clock_gettime, `timers` for sleeps.
"""

from __future__ import annotations

from typing import Final

from kernel.abi.errno_values import EINVAL, EOPNOTSUPP
from kernel.abi.errnos import SysError
from kernel.abi.flags import (
    CLOCK_BOOTTIME,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_COARSE,
    CLOCK_THREAD_CPUTIME_ID,
)

NS_PER_SECOND: Final = 1_000_000_000
REALTIME_BASE_NS: Final = 1_700_000_000 * NS_PER_SECOND  # CLOCK_REALTIME when CLOCK_MONOTONIC is 0: 14 November 2023
TICK_NS: Final = 4_000_000  # resolution of the coarse clocks
TIME_MAX_NS: Final = (1 << 62) - 1  # deadlines beyond it are cut to it: 146 years from boot, never reached

_RESOLUTION_NS: Final = {
    CLOCK_REALTIME: 1,
    CLOCK_MONOTONIC: 1,
    CLOCK_PROCESS_CPUTIME_ID: 1,
    CLOCK_THREAD_CPUTIME_ID: 1,
    CLOCK_MONOTONIC_RAW: 1,
    CLOCK_REALTIME_COARSE: TICK_NS,
    CLOCK_MONOTONIC_COARSE: TICK_NS,
    CLOCK_BOOTTIME: 1,
}
_REALTIME: Final = (CLOCK_REALTIME, CLOCK_REALTIME_COARSE)


def read_clock(clock: int, now_ns: int, process_cpu_ns: int, thread_cpu_ns: int) -> int:
    """clock_gettime(2): ns on `clock` at virtual time `now_ns`, for a thread with these CPU times. Raises SysError(EINVAL)."""
    resolution = resolution_ns(clock)
    if clock == CLOCK_PROCESS_CPUTIME_ID:
        return process_cpu_ns
    if clock == CLOCK_THREAD_CPUTIME_ID:
        return thread_cpu_ns
    base = REALTIME_BASE_NS if clock in _REALTIME else 0
    return base + now_ns - now_ns % resolution


def resolution_ns(clock: int) -> int:
    """clock_getres(2). Raises SysError(EINVAL) for an unknown clock."""
    if clock not in _RESOLUTION_NS:
        raise SysError(EINVAL)
    return _RESOLUTION_NS[clock]


def check_sleep_clock(clock: int) -> None:
    """Can one sleep on `clock`?

    EINVAL for an unknown one and for the thread's own CPU clock (as glibc), EOPNOTSUPP for those that Linux cannot sleep on.
    The process CPU clock is EOPNOTSUPP here too, although Linux can.
    """
    resolution_ns(clock)
    if clock == CLOCK_THREAD_CPUTIME_ID:
        raise SysError(EINVAL)
    if clock not in (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME):
        raise SysError(EOPNOTSUPP)


def monotonic_ns(clock: int, time_ns: int) -> int:
    """The virtual time at which `clock` shows `time_ns`: negative for a date before boot."""
    return min(time_ns - (REALTIME_BASE_NS if clock in _REALTIME else 0), TIME_MAX_NS)
