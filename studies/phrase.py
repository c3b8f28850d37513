"""Parameters and their values in the words of a sentence."""

from __future__ import annotations

import re

PLAIN = ("", "1", "0/1")
"""Units that are not written."""

_END = re.compile(r"[:;(]")
"""Where the first clause of a description ends."""


def phrase(name: str, description: str) -> str:
    """What a parameter is, in the first words of its description; a cell of a table of facts also says which one."""
    words = _END.split(description)[0].strip()
    _, *keys = name.split(".")[:-1] or [""]
    return f"{words} ({', '.join(keys)})" if keys else words


def amount(value: float, unit: str) -> str:
    """A value with its unit, three digits that matter."""
    text = f"{value:.3g}" if abs(value) < LARGE else f"{value:,.0f}"
    return text if unit in PLAIN else f"{text} {unit}"


LARGE = 1000.0
"""From here on a value is written in full."""
