"""`trapline configs`: the machines that ship with the package."""

from __future__ import annotations

import sys

from trapline import config, verdicts


def configs() -> int:
    """Print name, cores, memory and purpose of each."""
    names = config.names()
    width = max(map(len, names))
    for name in names:
        machine = config.load(name).machine
        plural = "s" if machine.cores > 1 else " "
        sys.stdout.write(f"{name.ljust(width)}  {machine.cores:>2} core{plural}  {machine.memory_mib:>4} MiB  {config.description(name)}\n")
    return verdicts.EXIT_GOOD
