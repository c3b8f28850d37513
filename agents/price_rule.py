"""Rules that bound what sellers post: hosting at cost, matching a rival's price, a minimum price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from model.hosting import delivered_rates, token_costs
from model.offer import Offer

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]

FREE = (0.0, np.inf)


class PriceRule(Protocol):
    """A rule on posted prices: a law, or a decision that a seller has bound itself to."""

    def bounds(self, market: Market, offer: Offer) -> tuple[float, float]:
        """The lowest and the highest price that it leaves to an offer, USD/Mtok."""
        ...


def within(market: Market, price: FloatArray) -> FloatArray:
    """Prices of all offers within every rule in force, shape (offers,); where rules clash, the higher price holds."""
    rules = market.interventions.price_rules
    if not rules or not len(market.offers):
        return price
    limits = np.array([[rule.bounds(market, offer) for offer in market.offers] for rule in rules])
    return np.asarray(np.maximum(np.minimum(price, limits[..., 1].min(axis=0)), limits[..., 0].max(axis=0)))


def avoidable_cost(market: Market, offer: Offer) -> float:
    """USD that one more million tokens takes out of its host's pocket: power, traffic and staff, no rental."""
    p, owner = market.parameters, market.clouds[offer.host]
    costs = market.hour_costs.of(owner.fleet)
    free = replace(costs, user=np.zeros_like(costs.user))
    rate = delivered_rates([offer.model], market.catalogue, market.outlook.maturity)
    units = market.fleets.serving_units(p.ceiling_utilisation)[owner.fleet.number]
    return float(token_costs(units, free, [offer.model], rate).resource[0]) + p.serving_overhead_usd_per_mtok


COSTS: dict[str, Callable[[Market, Offer], float]] = {
    "avoidable": avoidable_cost,
    "resource": lambda _, offer: offer.resource,
    "full": lambda _, offer: offer.full_cost,
    "none": lambda _, __: 0.0,
}
"""What cost may mean: what one more token takes, that and the shadow rental of the hours, all of it over use; or none
at all."""


def _hosts(offer: Offer, sellers: tuple[str, ...]) -> bool:
    """Whether one of these clouds sets the price of an open model that it hosts."""
    return offer.setter in sellers and offer.seller == offer.setter and offer.model.open_weights


@dataclass(frozen=True)
class AtCost:
    """Clouds sell the open models that they host at cost, one of :data:`COSTS`."""

    sellers: tuple[str, ...]
    cost: str

    def bounds(self, market: Market, offer: Offer) -> tuple[float, float]:
        """That cost and nothing else."""
        if not _hosts(offer, self.sellers) or not np.isfinite(offer.unit_cost):
            return FREE
        cost = COSTS[self.cost](market, offer)
        return cost, cost


@dataclass(frozen=True)
class Match:
    """Clouds ask no more for the open models that they host than firms of an origin do for comparable ones.

    Comparable is an open model of the same tier and at most ``gap`` (log10 effective FLOP) less capable, sold where
    the offer is. The price is the one seen last quarter. Below cost, one of :data:`COSTS`, nobody follows.
    """

    sellers: tuple[str, ...]
    origin: str
    gap: float
    cost: str

    def bounds(self, market: Market, offer: Offer) -> tuple[float, float]:
        """No floor, and the ceiling that the lowest comparable price sets."""
        if not _hosts(offer, self.sellers) or not np.isfinite(offer.unit_cost):
            return FREE
        seen = [rival.price for rival in market.offers if self._comparable(market, offer, rival)]
        return 0.0, max(min(seen, default=np.inf), COSTS[self.cost](market, offer))

    def _comparable(self, market: Market, offer: Offer, rival: Offer) -> bool:
        return (
            market.firms[rival.seller].origin == self.origin
            and rival.model.open_weights
            and not rival.at_cost
            and rival.since < market.t
            and np.isfinite(rival.unit_cost)
            and rival.model.tier == offer.model.tier
            and rival.model.capability >= offer.model.capability - self.gap
            and not set(rival.regions).isdisjoint(offer.regions)
        )


@dataclass(frozen=True)
class Minimum:
    """Nobody may sell tokens to a region below a price; one's own chips are not a sale."""

    region: int
    usd_per_mtok: float

    def bounds(self, market: Market, offer: Offer) -> tuple[float, float]:
        """The legal minimum and no ceiling."""
        covered = self.region in offer.regions and not offer.at_cost
        return (self.usd_per_mtok, np.inf) if covered else FREE
