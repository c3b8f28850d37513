"""What an examination finds: how each thing is that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something that was looked at is: a missing one is needed for some things only."""

    OK = "ok"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, what was found, and what to do about it, if anything."""

    name: str
    state: State
    found: str
    mend: str = ""
