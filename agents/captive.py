"""Captive work: what the owners' other business asks of their own fleets, from ``evidence/captive.csv`` and on."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.facts import KEPT, firms
from model import calendar
from model.fleet import HOURS_PER_QUARTER
from model.memo import Memo
from model.parameters import Parameters
from model.place import CAPTIVE, PURPOSES, REGION_INDEX, TRAINING
from model.trend import faded_growth

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]

KNOTS = ("2022Q1", "2023Q1", "2024Q1", "2025Q1")
"""Quarters of the levels in ``evidence/captive.csv``."""

KNOT_QUARTERS = tuple(calendar.index(name) for name in KNOTS)

NO_CARDS = 1e-9
"""Stands for none where a logarithm is taken."""


class Captive:
    """Work of the other business of every owner of a fleet, reference units a quarter, rows as the fleets.

    Arrays that it returns have shape (fleets, purposes) and are not to be changed.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        owners = [row for row in firms(market.parameters) if row["kind"] in ("cloud", "venue")]
        self.number = {str(row["firm"]): f for f, row in enumerate(owners)}
        self._region = np.array([REGION_INDEX[str(row["region"])] for row in owners])
        chips, work = market.chip_index, market.catalogue.work
        self._per_hour = float(work[chips["A100"], TRAINING]), float(work[chips["A10"], CAPTIVE])
        self._trend: Memo[FloatArray] = Memo()
        self._plans: Memo[dict[int, FloatArray]] = Memo()

    def trend(self, quarter: int) -> FloatArray:
        """Work of a quarter without the luck of business.

        Log-linear between the levels of ``evidence/captive.csv``; after the last it grows at a rate that
        fades (``captive_growth`` a year at first, fading by ``captive_growth_fade`` a year).
        """
        p, last = self._market.parameters, self._market.last
        known = self._trend.of(lambda: _trend(p, *self._per_hour, last + 1), p)
        if quarter >= len(known):
            known = _trend(p, *self._per_hour, quarter + 1)
        return np.asarray(known[quarter])

    def now(self) -> FloatArray:
        """Work of this quarter."""
        return self.plan(0)

    def plan(self, ahead: int) -> FloatArray:
        """Work ``ahead`` quarters from now as its owners plan it: today's business fades back to its trend."""
        market = self._market
        rests = market.parameters, market.t, market.business.version, tuple(market.interventions.swings)
        known = self._plans.of(dict, *rests)
        if ahead not in known:
            luck = market.business.captive ** (market.parameters.business_persistence**ahead)
            factor = luck * market.interventions.swing(market.t + ahead, bought=False)
            known[ahead] = self.trend(market.t + ahead) * factor[self._region, None]
            known[ahead].flags.writeable = False
        return known[ahead]


@lru_cache(maxsize=KEPT)
def _levels(p: Parameters) -> FloatArray:
    """Log work of each owner's other business at the knots, in reference cards, shape (fleets, 2, knots).

    Training in A100 cards and captive inference in A10 cards; -inf for owners without other business.
    """
    found: dict[str, FloatArray] = {}
    for row in p.facts("captive"):
        levels = [max(float(row[f"level_{name.lower()}"]), NO_CARDS) for name in KNOTS]
        table = found.setdefault(str(row["owner"]), np.full((2, len(KNOTS)), math.log(NO_CARDS)))
        table[0 if row["workload"] == "training" else 1] = np.log(levels)
    none = np.full((2, len(KNOTS)), -np.inf)
    return np.array(
        [found.get(str(row["firm"]), none) for row in firms(p) if row["kind"] in ("cloud", "venue")]
    )


@lru_cache(maxsize=KEPT)
def _trend(p: Parameters, training: float, captive: float, quarters: int) -> FloatArray:
    """Work of the first so many quarters, shape (quarters, fleets, purposes); two cards' work an hour is given."""
    levels = _levels(p)
    result = np.zeros((quarters, len(levels), len(PURPOSES)))
    per_card = HOURS_PER_QUARTER * p.target_utilisation
    time = np.arange(quarters)
    years = np.maximum(time - KNOT_QUARTERS[-1], 0) / calendar.QUARTERS_PER_YEAR
    rate, fade = math.log1p(p.captive_growth), p.captive_growth_fade
    later = np.array([faded_growth(rate, fade, after) for after in years.tolist()])
    for f in np.flatnonzero(np.isfinite(levels[:, 0, 0])):
        for row, purpose, speed in zip(levels[f], (TRAINING, CAPTIVE), (training, captive), strict=True):
            cards = np.exp(np.interp(time, KNOT_QUARTERS, row) + later)
            result[:, f, purpose] = cards * per_card * speed
    result.flags.writeable = False
    return result
