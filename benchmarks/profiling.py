"""Where the time of a run goes beyond its parts: the share of each function, by Python's profiler.

It charges every call, so that small functions look dearer than they are.
"""

from __future__ import annotations

import cProfile
import pstats
from pathlib import PurePath

from trapline.machine import Machine
from trapline.programs import Found

SHOWN = 14


def profile(name: str, found: Found, strategy: str = "timed") -> None:
    """Print the functions in which a run of the program spends most."""
    live = Machine("quiet", seed=1, events=(), strategy=strategy).boot(found)
    profiler = cProfile.Profile()
    profiler.runcall(live.drive)
    assert live.finish().verdict == "ok"
    rows = sorted(((own, calls, place) for place, (_, calls, own, _, _) in pstats.Stats(profiler).stats.items()), reverse=True)
    total = sum(own for own, _, _ in rows)
    print(f"\nprofile of {name}: share of time in the function itself, calls")
    for own, calls, (file, line, function) in rows[:SHOWN]:
        place = f"{PurePath(file).name}:{line}" if line else "built in"
        print(f"  {own / total:>6.1%} {calls:>10,}  {function} ({place})")
