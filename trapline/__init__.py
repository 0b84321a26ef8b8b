"""The host's side of Trapline: command line, the Machine interface, exploration, log inspection."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.1.0"
