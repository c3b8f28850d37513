"""How many processes the server of the pages may begin."""

from __future__ import annotations

import os

VARIABLE = "UNDERCUT_WORKERS"
"""The environment variable that says so; by default one a processor."""


def processes() -> int:
    """Their number: for the live runs of all sessions, and again for the comparison that is being made."""
    return int(os.environ.get(VARIABLE, "0")) or os.cpu_count() or 1
