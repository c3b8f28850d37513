"""Parameters and their values in the words of a sentence."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from studies.breaks.line import WHOLE

if TYPE_CHECKING:
    from studies.discovery.box import Box
    from studies.space import Space

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


def words(box: Box, space: Space) -> str:
    """A box in words: each limited parameter with its limits and unit."""
    return " and ".join(_limited(box, column, space) for column in dict.fromkeys(c for c, _ in box.limits))


def _limited(box: Box, column: int, space: Space) -> str:
    parameter = space.parameters[column]
    low, high = float(box.low[column]), float(box.high[column])
    what = f"\u201c{phrase(parameter.name, parameter.description)}\u201d ({parameter.name})"
    if parameter.distribution == "switch":
        return f"{what} is {'on' if math.isfinite(low) else 'off'}"
    if parameter.distribution in WHOLE:
        low, high = (
            math.ceil(low) if math.isfinite(low) else low,
            math.floor(high) if math.isfinite(high) else high,
        )
        above, below = "at least", "at most"
    else:
        above, below = "above", "below"
    if math.isfinite(low) and math.isfinite(high):
        return f"{what} is between {amount(low, '')} and {amount(high, parameter.unit)}"
    return (
        f"{what} is {above} {amount(low, parameter.unit)}"
        if math.isfinite(low)
        else (f"{what} is {below} {amount(high, parameter.unit)}")
    )
