"""The shock that changes a number of the parameter table from a quarter on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.parameters import Parameters, scalars
from model.shock import Shock
from scenarios.shocks.registry import kind

if TYPE_CHECKING:
    from model.market import Market

FOUNDING: frozenset[str] = frozenset()


@kind("set")
@dataclass(frozen=True)
class SetParameter:
    """A parameter takes another value from a quarter on: a price, a rate or a switch of the table."""

    quarter: str
    name: str
    value: float

    def check(self) -> None:
        """Raise ValueError for a parameter that does not exist, cannot take the value, or is read at the start only."""
        Parameters.resolve({self.name: self.value})
        if self.name in FOUNDING or self.name not in scalars():
            raise ValueError(
                f"{self.name} makes the world at the start and is not read again: write it under [parameters], "
                "where it holds for the whole run"
            )

    def contradicts(self, other: Shock) -> str | None:
        """One value a parameter."""
        if isinstance(other, SetParameter) and other.name == self.name and other.value != self.value:
            return f"{self.name} is set to {self.value:g} and to {other.value:g}; write one of the two"
        return None

    def apply(self, market: Market) -> str:
        """Replace the value for the rest of the run."""
        market.set_parameter(self.name, self.value)
        return f"{self.name} = {self.value:g}"
