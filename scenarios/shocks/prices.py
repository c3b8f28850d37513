"""Shocks to how firms set prices: hosting at cost, matching rivals, a discount on chips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from model.shock import Shock
from scenarios.shocks.registry import kind
from scenarios.shocks.roster import check_clouds, check_makers, check_named_once, check_regions, firms

if TYPE_CHECKING:
    from model.market import Market

Cost = Literal["avoidable", "resource", "full"]
"""What cost may mean (``agents/price_rule.py COSTS``)."""


@kind("hosting_at_cost")
@dataclass(frozen=True)
class HostingAtCost:
    """Clouds sell tokens of the open models that they host at cost, with no margin.

    ``cost`` is avoidable (power, traffic, staff), resource (that and the shadow rental of the hours, the cost that
    other prices reckon with) or full (all of it over use, as in the accounts). ``clouds`` are the Chinese ones unless
    named; a chip or model maker that earns on the tokens goes on earning.
    """

    quarter: str
    clouds: tuple[str, ...] = firms("cloud", "CN")
    cost: Cost = "resource"

    def check(self) -> None:
        """Raise ValueError for clouds that the market lacks."""
        check_named_once("clouds", self.clouds)
        check_clouds(self.clouds)

    def contradicts(self, other: Shock) -> str | None:
        """One meaning of cost for a cloud."""
        if (
            isinstance(other, HostingAtCost)
            and other.cost != self.cost
            and set(self.clouds) & set(other.clouds)
        ):
            return "a cloud sells at two kinds of cost; write one of them"
        return None

    def apply(self, market: Market) -> str:
        """Change the rule by which these clouds post prices."""
        from agents.price_rule import AtCost

        market.interventions.price_rules.append(AtCost(self.clouds, self.cost))
        return f"{', '.join(self.clouds)} host at {self.cost} cost"


@kind("price_match")
@dataclass(frozen=True)
class PriceMatch:
    """Clouds ask no more for the open models that they host than Chinese sellers do for comparable ones.

    Comparable is an open model of the same tier, at most ``gap`` (log10 effective FLOP) less capable, sold by a
    Chinese firm in a region where the cloud sells its own; the price is the one of last quarter. Nobody follows below
    its own ``cost``: avoidable unless another or none is named, because above it every token still pays something towards
    the chips, and below it each one loses money. ``clouds`` are the American ones unless named.
    """

    quarter: str
    clouds: tuple[str, ...] = firms("cloud", "US")
    gap: float = 0.3
    cost: Cost | Literal["none"] = "avoidable"

    def check(self) -> None:
        """Raise ValueError for clouds that the market lacks or that are Chinese, or a gap below 0."""
        check_named_once("clouds", self.clouds)
        check_clouds(self.clouds)
        for name in self.clouds:
            if name in firms("cloud", "CN"):
                raise ValueError(f"{name} is Chinese and cannot match itself; name clouds of other origins")
        if not 0.0 <= self.gap < float("inf"):
            raise ValueError(f"gap = {self.gap:g}: write how much less capable a rival may be, 0 or more")

    def apply(self, market: Market) -> str:
        """Put a ceiling on what these clouds post."""
        from agents.price_rule import Match

        market.interventions.price_rules.append(Match(self.clouds, "CN", self.gap, self.cost))
        return (
            f"{', '.join(self.clouds)} match the prices of Chinese hosts, with {self.cost} cost for a floor"
        )


@kind("chip_discount")
@dataclass(frozen=True)
class ChipDiscount:
    """A chipmaker sells to the buyers of a region below its posted prices, by a share; 0 ends it.

    The posted price does not rise in answer to the maker's own discount; rivals see it and answer.
    """

    quarter: str
    share: float
    maker: str = "NVIDIA"
    region: str = "China"

    def check(self) -> None:
        """Raise ValueError for a maker or region that the market lacks, or a share outside 0 to 1."""
        check_makers((self.maker,))
        check_regions((self.region,))
        if not 0.0 <= self.share < 1.0:
            raise ValueError(
                f"share = {self.share:g}: a discount is at least 0 and below 1, since chips are not free"
            )

    def apply(self, market: Market) -> str:
        """Write the discount on the maker's chips edges to the region."""
        from agents.rebate import TERM

        for buyer in market.graph.targets(self.maker, "chips"):
            if market.graph.node(buyer).region == self.region:
                market.graph.permit(self.maker, buyer, "chips", **{TERM: self.share})
        market.interventions.rebates.add(self.maker)
        return f"{self.maker} sells {self.share:.0%} below its price in {self.region}"
