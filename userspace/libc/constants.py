"""Every constant that programs see, with its Linux x86-64 value: errno(3), signal(7), and the headers named in kernel/abi/flags.py."""

from __future__ import annotations

from typing import Final

from kernel.abi import errno_values, flags, signos
from kernel.abi.errno_values import *
from kernel.abi.flags import *
from kernel.abi.flags import _IOFBF, _IOLBF, _IONBF  # noqa: F401 - a star leaves them out
from kernel.abi.signos import *

NULL: Final = 0

__all__ = ["NULL"]
__all__ += [
    name
    for header in (errno_values, flags, signos)
    for name, value in vars(header).items()
    if type(value) is int and not name.startswith("__") and name != "UNBLOCKABLE"
]
