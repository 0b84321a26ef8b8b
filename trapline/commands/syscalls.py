"""`trapline syscalls`: the table, as the kernel routes by it."""

from __future__ import annotations

import sys

from kernel.abi.syscalls import TABLE
from trapline import verdicts


def syscalls() -> int:
    """Print every row."""
    rows = [("nr", "name", "owner", "restart", "support", "man page", "prototype and what is missing")]
    for number, row in sorted(TABLE.items()):
        note = f"{row.signature}; {row.note}" if row.note else row.signature
        rows.append((str(number), row.name, row.owner, row.restart if row.blocks else "-", row.support, row.page, note))
    widths = [max(len(line[column]) for line in rows) for column in range(6)]
    for line in rows:
        cells = [line[0].rjust(widths[0]), *(line[column].ljust(widths[column]) for column in range(1, 6)), line[6]]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return verdicts.EXIT_GOOD
