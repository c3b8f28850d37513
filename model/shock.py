"""The protocol that every shock follows: a date, and what it does to the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from model.market import Market


@runtime_checkable
class Shock(Protocol):
    """Something that policy or fate does to the market at the start of a quarter."""

    @property
    def quarter(self) -> str:
        """The quarter in which it takes effect, as ``"2026Q2"``."""
        ...

    def apply(self, market: Market) -> str:
        """Change the graph, the rules or the costs, and return one line for the event log."""
        ...
