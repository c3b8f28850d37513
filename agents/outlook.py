"""What everybody can see at the start of a quarter: how well chips work, what they cost, what work is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import software
from model.calendar import QUARTERS_PER_YEAR
from model.hosting import life_hours, replacement_prices, with_surroundings
from model.place import CAPTIVE, PURPOSES
from model.procurement import suitability

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]

ANCHOR_CHIPS = ("A100", "A10")
"""Chips whose cost at the start says what work is worth: training and inference, and captive work."""


@dataclass(frozen=True)
class Outlook:
    """``maturity`` of the makers' software (chips, purposes); ``work``, reference units a chip hour with it.

    ``replacement`` is what each chip costs now (chips,), USD; ``suitability`` how readily it is given to each
    work (chips, purposes).
    """

    maturity: FloatArray
    work: FloatArray
    replacement: FloatArray
    suitability: FloatArray

    @classmethod
    def of(cls, market: Market) -> Outlook:
        """Look at the market as it is."""
        p, catalogue = market.parameters, market.catalogue
        maturity = software.of_makers(market.chipmakers.values(), p)[catalogue.chips.maker]
        replacement = replacement_prices(catalogue, market.t, p.hardware_price_decline)
        work = catalogue.work * maturity
        cost = np.asarray(with_surroundings(replacement, p))
        suits = suitability(work, cost, p.suitability_sharpness)
        return cls(maturity, work, replacement, suits)


def value_of_work(market: Market) -> FloatArray:
    """What a reference unit of work is worth to buyers, USD, shape (purposes,).

    Anchored on what it cost to do in 2022Q1 on the chip that did most of it, at a premium, and falling with
    the long-run cost of computing: buyers expect more for their money every year.
    """
    p, catalogue = market.parameters, market.catalogue
    worth = np.zeros(len(PURPOSES))
    hours = life_hours(p)
    for w in range(len(PURPOSES)):
        chip = catalogue.chips[market.chip_index[ANCHOR_CHIPS[w == CAPTIVE]]]
        cost = with_surroundings(market.anchor_price[chip.name], p)
        worth[w] = cost / (catalogue.work[chip.index, w] * hours)
    years = market.t / QUARTERS_PER_YEAR
    return np.asarray(worth * p.work_value_premium * (1.0 - p.work_value_decline) ** years)
