"""Discounts that a chipmaker grants on some of its edges: what those buyers pay, and what its rivals see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from agents.procurement import ChipNeeds
    from model.market import Market

FloatArray = NDArray[np.float64]

TERM = "discount"
"""The term of a chips edge that holds it: the share of the posted price that the buyer need not pay."""


def paid_share(market: Market, buyer: str, chips: NDArray[np.int64]) -> FloatArray:
    """Share of the posted price that a buyer pays for each chip, shape (chips,)."""
    graph, share = market.graph, np.ones(len(chips))
    for maker in market.interventions.rebates:
        if graph.permitted(maker, buyer, "chips"):
            own = np.array([market.catalogue.chips[j].spec.maker == maker for j in chips], dtype=bool)
            share[own] = 1.0 - graph.terms(maker, buyer, "chips").get(TERM, 0.0)
    return share


def applied(market: Market, needs: ChipNeeds, but_of: str = "") -> ChipNeeds:
    """The needs as they are at posted prices once discounts are taken off, but for those that ``but_of`` grants.

    With a share s of the price p to pay and o of running cost, ln(s p + o) = ln s + ln(p + o / s): the discount raises
    the taste for the chip, its running cost and the value of its work, at which linear utility touches the log form.
    A maker that cuts a price for some does not raise the posted one in answer, so it leaves its own discounts out when
    it sets prices; rivals see them.
    """
    if not market.interventions.rebates - {but_of}:
        return needs
    share = np.array([paid_share(market, buyer, needs.chips) for buyer in needs.buyer])
    share = share.reshape(needs.home.shape)
    own = np.array([market.catalogue.chips[j].spec.maker == but_of for j in needs.chips], dtype=bool)
    share[:, own] = 1.0
    taste = market.parameters.chip_alpha * np.log(share)
    return replace(needs, home=needs.home - taste, opex=needs.opex / share, worth=needs.worth / share)


def paid(market: Market, needs: ChipNeeds, price: FloatArray) -> FloatArray:
    """What each need's buyer pays for each chip, USD, shape (rows, chips)."""
    share = [paid_share(market, buyer, needs.chips) for buyer in needs.buyer]
    return np.asarray(price * np.array(share).reshape(needs.home.shape))


def replacements(market: Market) -> FloatArray:
    """What each chip would cost each owner of a fleet now, USD, shape (fleets, chips)."""
    price = market.outlook.replacement
    if not market.interventions.rebates:
        return np.broadcast_to(price, (len(market.clouds), len(price)))
    chips = np.arange(len(price))
    return np.asarray(price * np.array([paid_share(market, buyer, chips) for buyer in market.clouds]))
