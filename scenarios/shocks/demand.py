"""Shocks to work and to what running it costs: swings of demand, the price of power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from model.place import REGION_INDEX, REGIONS
from scenarios.shocks.registry import kind
from scenarios.shocks.roster import check_named_once, check_regions

if TYPE_CHECKING:
    from model.market import Market

LARGEST_FACTOR = 100.0
"""Two orders of magnitude either way: beyond it this is another market."""


def _check_factor(factor: float) -> None:
    if not 1.0 / LARGEST_FACTOR <= factor <= LARGEST_FACTOR:
        raise ValueError(
            f"factor = {factor:g}: write a factor from {1.0 / LARGEST_FACTOR:g} to {LARGEST_FACTOR:g}"
        )


@kind("demand_swing")
@dataclass(frozen=True)
class DemandSwing:
    """The work that could be done by machines grows or shrinks by a factor, over some quarters, and stays there.

    ``work`` is that of enterprises, of the fleets' owners (search, advertising, their own training), or both.
    Enterprises still adopt at their own pace, and nobody foresees it; owners know their own plans once it has begun.
    """

    quarter: str
    factor: float
    quarters: int = 1
    work: Literal["enterprises", "owners", "both"] = "enterprises"
    regions: tuple[str, ...] = REGIONS

    def check(self) -> None:
        """Raise ValueError for regions that the market lacks, or a factor or time that is impossible."""
        check_regions(self.regions)
        check_named_once("regions", self.regions)
        _check_factor(self.factor)
        if self.quarters < 1:
            raise ValueError(f"quarters = {self.quarters}: write 1 for at once, or more")

    def apply(self, market: Market) -> str:
        """Put the swing on the work of those regions."""
        from agents.intervention import Swing

        regions = tuple(REGION_INDEX[region] for region in self.regions)
        for bought in (True, False):
            if self.work in ("both", "enterprises" if bought else "owners"):
                swing = Swing(self.factor, market.t, self.quarters, regions, bought)
                market.interventions.swings.append(swing)
        return f"work of {self.work} x {self.factor:g} in {', '.join(self.regions)}"


@kind("power_price")
@dataclass(frozen=True)
class PowerPrice:
    """The price of power changes by a factor for the fleets of some regions."""

    quarter: str
    factor: float
    regions: tuple[str, ...] = REGIONS

    def check(self) -> None:
        """Raise ValueError for regions that the market lacks, or an impossible factor."""
        check_regions(self.regions)
        check_named_once("regions", self.regions)
        _check_factor(self.factor)

    def apply(self, market: Market) -> str:
        """Change what each fleet there pays for a kilowatt-hour."""
        for cloud in market.clouds.values():
            if cloud.region in self.regions:
                cloud.fleet.power_usd_per_kwh *= self.factor
        return f"power x {self.factor:g} in {', '.join(self.regions)}"
