"""`python -m trapline`."""

from __future__ import annotations

from trapline.cli import main

main()
