"""A state's mandate on orders of chips: buyers take a share of them from makers of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from agents.procurement import ChipNeeds
    from model.market import Market
    from model.parameters import Parameters

    Decide = Callable[[ChipNeeds, NDArray[np.float64], Parameters], NDArray[np.float64]]

FloatArray = NDArray[np.float64]

PROHIBITIVE = 60.0
"""Utils at which a chip is as good as not on sale."""

HALVINGS = 50


@dataclass
class Mandate:
    """Of what each cloud in a region orders, at least ``share`` comes from makers of ``origin``.

    Counted over all its work, in units or in ``value``. With a ``waiver`` what those makers refuse may be bought
    elsewhere; without one, orders that makers accept keep to the share as well. ``shadow`` is its shadow price on
    other makers' chips by buyer, utils: what a buyer reckons with, and makers see, a quarter later; ``extra`` what
    this quarter's orders add to it.
    """

    region: str
    origin: str
    share: float
    value: bool
    waiver: bool
    shadow: dict[str, float] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)

    def binds(self, market: Market, buyer: str) -> bool:
        """Whether it is about this buyer: a cloud of the region, but no venue of buyers' own chips."""
        return market.graph.node(buyer).region == self.region and not market.clouds[buyer].venue


def shadow(market: Market) -> FloatArray:
    """What mandates cost each owner of a fleet on each maker's chips, utils, at the shadow prices of its last orders.

    Shape (owners, makers).
    """
    cost = np.zeros((len(market.clouds), len(market.chipmakers)))
    for mandate in market.interventions.mandates:
        foreign = [maker.origin != mandate.origin for maker in market.chipmakers.values()]
        cost += np.outer([mandate.shadow.get(buyer, 0.0) for buyer in market.clouds], foreign)
    return cost


def weighed(
    market: Market, needs: ChipNeeds, price: FloatArray, decide: Decide
) -> tuple[FloatArray, FloatArray]:
    """``home`` of the needs under the mandates in force, for the first choice of a quarter and for later ones.

    The first choice finds the shadow price at which a buyer's orders just keep to the share; what makers refuse is
    ordered anew at the same price, or at none where there is a waiver.
    """
    first = later = needs.home
    for mandate in market.interventions.mandates:
        foreign = _foreign(market, mandate, needs)
        _find_shadow(market, mandate, replace(needs, home=first), price, foreign, decide)
        extra = _of_rows(market, mandate.extra, needs)
        first = first - np.outer(extra, foreign)
        waived = _of_rows(market, mandate.shadow, needs) if mandate.waiver else 0.0
        later = later - np.outer(extra - waived, foreign)
    return first, later


def accepted(market: Market, needs: ChipNeeds, price: FloatArray, shipped: FloatArray) -> FloatArray:
    """What is left of orders that makers accepted where a mandate without a waiver cuts them, (rows, chips)."""
    for mandate in market.interventions.mandates:
        if mandate.waiver:
            continue
        foreign = _foreign(market, mandate, needs)
        weight = price if mandate.value else np.ones(len(price))
        for number, buyer in enumerate(market.clouds):
            rows = np.flatnonzero(needs.buyer == number)
            if not len(rows) or not mandate.binds(market, buyer):
                continue
            counted = shipped[rows] * weight
            abroad = float(counted[:, foreign].sum())
            allowed = float(counted[:, ~foreign].sum()) * (1.0 - mandate.share) / mandate.share
            if abroad > allowed:
                shipped = shipped.copy()
                shipped[np.ix_(rows, np.flatnonzero(foreign))] *= allowed / abroad
    return shipped


def _foreign(market: Market, mandate: Mandate, needs: ChipNeeds) -> NDArray[np.bool_]:
    """Whether each chip of a table of needs comes from another origin than the mandate's, shape (chips,)."""
    chips = market.catalogue.chips
    return np.array([chips[j].spec.origin != mandate.origin for j in needs.chips], dtype=bool)


def _of_rows(market: Market, of_buyer: dict[str, float], needs: ChipNeeds) -> FloatArray:
    """A number of each buyer for each row of a table of needs, 0 where it has none, shape (rows,)."""
    return np.array([of_buyer.get(buyer, 0.0) for buyer in market.clouds])[needs.buyer]


def _find_shadow(
    market: Market,
    mandate: Mandate,
    needs: ChipNeeds,
    price: FloatArray,
    foreign: NDArray[np.bool_],
    decide: Decide,
) -> None:
    """Bisect for the lowest cost on others' chips at which each buyer's orders keep to the share."""
    names, asking = list(market.clouds), np.unique(needs.buyer)
    bound = [number for number in asking if mandate.binds(market, names[number])]
    if not bound:
        return
    buyers = [names[number] for number in bound]
    member = (needs.buyer == np.array(bound)[:, None]).astype(np.float64)
    before = np.array([mandate.shadow.get(buyer, 0.0) for buyer in buyers])
    weight = price if mandate.value else np.ones(len(price))

    def short(cost: FloatArray) -> NDArray[np.bool_]:
        """Whether each buyer falls short of the share at a total cost on others' chips."""
        extra = (cost - before) @ member
        wanted = decide(replace(needs, home=needs.home - np.outer(extra, foreign)), price, market.parameters)
        counted = member @ (wanted * weight)
        return np.asarray(counted[:, ~foreign].sum(axis=1) < mandate.share * counted.sum(axis=1))

    low, high = np.zeros(len(buyers)), np.full(len(buyers), PROHIBITIVE)
    high = np.where(short(low), high, 0.0)
    for _ in range(HALVINGS):
        if not (high > low).any():
            break
        middle = (low + high) / 2.0
        lacking = short(middle)
        low, high = np.where(lacking, middle, low), np.where(lacking, high, middle)
    mandate.extra = dict(zip(buyers, (high - before).tolist(), strict=True))
    mandate.shadow = dict(zip(buyers, high.tolist(), strict=True))
