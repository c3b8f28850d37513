"""What is wrong with a scenario file: one sentence with the file, the line, and the nearest right name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from model.quotation import quoted


class ScenarioError(ValueError):
    """A scenario that does not exist, or a scenario file that cannot be read as one.

    Made of one or more sentences: as text it is the first of them, ``args`` has all. What a terminal would take for
    a command, as in the name of a file, is written out.
    """

    def __init__(self, *sentences: str) -> None:
        super().__init__(*map(printable, sentences))

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a file; ``line`` counts from 1, and is 0 for what no line has, as a missing key."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        return printable(f"{self.file}{line}: {self.text}")


def close(name: str, known: Iterable[str]) -> list[str]:
    """The one or two known names that are most like ``name``, where any is."""
    by_lower = {k.lower(): k for k in known}
    matches = difflib.get_close_matches(name.lower(), by_lower, n=2)
    return [by_lower[match] for match in matches]


def nearest(name: str, known: Iterable[str]) -> str:
    """``"did you mean x?"`` for the nearest of the known names, or nothing when none is near."""
    found = close(name, known)
    return f"did you mean {' or '.join(found)}?" if found else ""


def unknown_key(key: str, allowed: Iterable[str]) -> str:
    """What to say of a key that a table does not have."""
    allowed = list(allowed)
    hint = nearest(key.rpartition(".")[2], allowed)
    return f"there is no key {quoted(key)}; {hint or 'write one of ' + ', '.join(allowed)}"


def printable(text: str) -> str:
    """Text in one line and without what would command a terminal: such characters as escapes."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
