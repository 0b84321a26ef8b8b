"""Resource limits: sixteen pairs of a soft limit (enforced) and a hard one (ceiling of the soft one for the unprivileged).

Enforced here: RLIMIT_NPROC; elsewhere RLIMIT_NOFILE (files), RLIMIT_STACK (memory, at execve), RLIMIT_NICE (setpriority). The others
are kept, inherited and shown. Limits belong to the process, are copied by fork and kept by execve. Manual: getrlimit(2).
"""

from __future__ import annotations

from typing import Final

from kernel.abi.errno_values import EINVAL, EPERM
from kernel.abi.errnos import SysError
from kernel.abi.flags import (
    RLIMIT_CORE,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RTPRIO,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
)
from kernel.abi.layout import STACK_LIMIT

INFINITY: Final = (1 << 64) - 1
COUNT: Final = 16  # RLIM_NLIMITS
NR_OPEN: Final = 1 << 20  # /proc/sys/fs/nr_open: no limit of descriptors may be above it

Limit = tuple[int, int]  # soft, hard


def default_limits(max_files: int, max_threads: int) -> list[Limit]:
    """Linux's defaults for a first program, with the machine's own sizes."""
    limits = [(INFINITY, INFINITY)] * COUNT
    half = max(1, max_threads // 2)
    limits[RLIMIT_STACK] = (STACK_LIMIT, INFINITY)
    limits[RLIMIT_CORE] = (0, INFINITY)
    limits[RLIMIT_NPROC] = (half, half)
    limits[RLIMIT_NOFILE] = (max_files, max(4096, max_files))
    limits[RLIMIT_MEMLOCK] = (8 << 20, 8 << 20)
    limits[RLIMIT_SIGPENDING] = (half, half)
    limits[RLIMIT_MSGQUEUE] = (819_200, 819_200)
    limits[RLIMIT_NICE] = (0, 0)
    limits[RLIMIT_RTPRIO] = (0, 0)
    return limits


def change(limits: list[Limit], resource: int, wanted: Limit | None, privileged: bool) -> Limit:
    """prlimit(2) on one resource; the previous pair. Raises EINVAL (resource, soft above hard), EPERM (raising hard, above nr_open)."""
    if not 0 <= resource < COUNT:
        raise SysError(EINVAL)
    previous = limits[resource]
    if wanted is None:
        return previous
    soft, hard = (value & INFINITY for value in wanted)  # C's rlim_t: -1 is RLIM_INFINITY
    if soft > hard:
        raise SysError(EINVAL)
    if resource == RLIMIT_NOFILE and hard > NR_OPEN:
        raise SysError(EPERM)
    if hard > previous[1] and not privileged:
        raise SysError(EPERM)
    limits[resource] = (soft, hard)
    return previous
