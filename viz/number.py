"""Numbers as people write them."""

from __future__ import annotations

import math


def number(value: object, digits: int = 3) -> str:
    """A number as people write it: three digits that matter, nothing where there is none."""
    if value is None or value == "":
        return ""
    amount = float(value)  # type: ignore[arg-type]
    if math.isnan(amount):
        return ""
    if amount == 0.0 or math.isinf(amount):
        return f"{amount:g}"
    magnitude = math.floor(math.log10(abs(amount)))
    if magnitude >= digits:
        return f"{amount:,.0f}" if magnitude < 3 * digits else f"{amount:.{digits - 1}e}"
    return f"{amount:.{digits}g}"


def scale(value: float, unit: str) -> tuple[float, str]:
    """By what to divide an amount so that it reads well, and the unit that it then has; only money is scaled."""
    if unit.split(" ")[0] != MONEY or not math.isfinite(value):
        return 1.0, unit
    for size, word in ((BILLION, "bn"), (MILLION, "million")):
        if abs(value) >= LEAST * size:
            return size, f"{word} {unit}"
    return 1.0, unit


MONEY, BILLION, MILLION = "USD", 1e9, 1e6
LEAST = 0.1
"""From a tenth of a billion on it is billions."""


def signed(value: object) -> str:
    """A change as people write it, with its sign."""
    text = number(value)
    return text if not text or text.startswith("-") or float(value) == 0.0 else f"+{text}"  # type: ignore[arg-type]
