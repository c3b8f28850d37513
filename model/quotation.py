"""How a sentence quotes what somebody wrote: whole where it is short, else how it begins."""

from __future__ import annotations

MOST_LETTERS = 60
"""How much of a value a sentence quotes."""


def quoted(value: object) -> str:
    """A value as Python writes it, cut when it is long."""
    return brief(repr(value))


def brief(text: str) -> str:
    """A text as it stands, cut when it is long."""
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."
