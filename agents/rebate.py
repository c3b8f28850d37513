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


def paid_share(market: Market) -> FloatArray:
    """Share of the posted price that each owner of a fleet pays for each chip, shape (owners, chips)."""
    chips, graph = market.catalogue.chips, market.graph
    share = np.ones((len(market.clouds), len(chips)))
    for name in market.interventions.rebates:
        own = chips.maker == market.firm_number[name]
        for number, buyer in enumerate(market.clouds):
            if graph.permitted(name, buyer, "chips"):
                share[number, own] = 1.0 - graph.terms(name, buyer, "chips").get(TERM, 0.0)
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
    share = paid_share(market)
    if but_of:
        share[:, market.catalogue.chips.maker == market.firm_number[but_of]] = 1.0
    share = share[needs.buyer[:, None], needs.chips]
    taste = market.parameters.chip_alpha * np.log(share)
    return replace(needs, home=needs.home - taste, opex=needs.opex / share, worth=needs.worth / share)


def paid(market: Market, price: FloatArray) -> FloatArray:
    """What each owner of a fleet pays for chips whose posted price is ``price``, USD, shape (owners, chips)."""
    if not market.interventions.rebates:
        return np.repeat(price[None, :], len(market.clouds), axis=0)
    return np.asarray(price * paid_share(market))


def replacements(market: Market) -> FloatArray:
    """What each chip would cost each owner of a fleet now, USD, shape (owners, chips)."""
    return paid(market, market.outlook.replacement)
