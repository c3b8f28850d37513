"""Research: the money that a vendor has for it, what came of it so far, and what everybody can see of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from model.calendar import QUARTERS_PER_YEAR
from model.trend import faded_growth

if TYPE_CHECKING:
    from model.market import Market


def decide_research(plan: float, margin: float, support: float, cash: float, terms: Purse) -> float:
    """Research money of the quarter (USD): the plan and what is reinvested of the margin, within its means.

    Means are owners' support, the margin and a slice of the cash: a vendor with no margin and no owner to
    fund it runs down its cash and falls behind.
    """
    wanted = plan + terms.reinvested * max(margin, 0.0)
    means = support + max(margin, 0.0) + max(cash, 0.0) / terms.drawdown_quarters
    return max(min(wanted, means), 0.0)


def decide_draw(committed: float, plan: float, margin: float, cash: float, terms: Purse) -> float:
    """What a vendor draws of the money committed to it (USD): what its plan needs beyond its own means."""
    own = margin + max(cash, 0.0) / terms.drawdown_quarters
    return float(min(max(plan - own, 0.0), committed))


class Purse(NamedTuple):
    """How a vendor spends: share of its margin reinvested, and over how many quarters it spends its cash."""

    reinvested: float
    drawdown_quarters: float


def decide_raise(cash: float, loss: float, plan: float, gap: float, terms: RaiseTerms) -> float:
    """Capital to raise now (USD), 0 for none.

    A vendor goes to investors when cash covers fewer than ``runway`` quarters of its losses; they pay for
    ``quarters`` of the research plan if its best model is within ``gap`` of the frontier.
    """
    if loss <= 0.0 or cash >= terms.runway * loss or gap > terms.gap:
        return 0.0
    return terms.appetite * terms.quarters * plan


class RaiseTerms(NamedTuple):
    """Investors' terms: runway and paid research in quarters, tolerated gap in log10 effective FLOP."""

    runway: float
    quarters: float
    gap: float
    appetite: float


@dataclass
class Programme:
    """A vendor's training compute of about the last year (FLOP), algorithmic efficiency (log10), and if it has experts."""

    flop: float = 0.0
    launched: int = -1000
    generation: dict[str, int] = field(default_factory=dict)
    efficiency: float = float("nan")
    sparse: bool = False


KEPT = 8
"""Quarters whose funding is kept at hand: all vendors ask for the same one."""


@dataclass
class Frontier:
    """What is known in public this quarter, log10: the best capability, and what vendors can learn from.

    ``efficiency`` is the best algorithmic efficiency behind open weights or, at a distance, behind closed
    ones; ``open_models`` the best open model of each vendor.
    """

    capability: float = float("nan")
    efficiency: float = float("nan")
    open_models: dict[str, float] = field(default_factory=dict)
    people: float = float("nan")

    def open_to(self, vendor: str) -> float:
        """Capability of the best open model of another vendor; -inf if there is none."""
        return max((c for name, c in self.open_models.items() if name != vendor), default=-np.inf)


def growth_of_funding(market: Market) -> float:
    """Owners' and investors' money a quarter, relative to the start of 2023: growth that fades after 2024."""
    p = market.parameters
    given = (market.facts_end - market.record_from) / QUARTERS_PER_YEAR
    return _funding(market.years, given, p.funding_growth, p.funding_growth_fade)


@lru_cache(maxsize=KEPT)
def _funding(years: float, given: float, growth: float, fade: float) -> float:
    """Funding after so many ``years`` relative to the start; growth fades after the ``given`` ones."""
    return float((1.0 + growth) ** (min(years, given) + faded_growth(1.0, fade, max(years - given, 0.0))))


def carry_out(market: Market) -> None:
    """The second event: money is spent, capability advances, generations launch, weights open."""
    # One draw for every vendor, in business or not: worlds that are compared share their luck.
    draws = market.chance.stream("research").standard_normal(len(market.vendors))
    market.research_luck = dict(zip(market.vendors, draws.tolist(), strict=True))
    for name in market.vendors:
        vendor = market.vendors[name]
        if vendor.active and market.t >= vendor.starts:
            if market.t == vendor.starts:
                market.event("entry", name, "research begins", vendor.plan, "USD a quarter planned")
            vendor.spend()
    for model in market.models_to_come.pop(market.t, []):
        if market.vendors[model.vendor].active:
            market.vendors[model.vendor].launch_given(model)
    if market.t > market.facts_end:
        for vendor in market.vendors.values():
            if vendor.active:
                vendor.consider_launch()
    market.research = _look(market)


def _look(market: Market) -> Frontier:
    """What can be seen in public after this quarter's launches."""
    p = market.parameters
    seen = Frontier()
    for name, vendor in market.vendors.items():
        opened = [model.capability for model in vendor.models if model.open_weights]
        seen.capability = _larger(seen.capability, vendor.best)
        if opened:
            seen.open_models[name] = max(opened)
        seen.efficiency = _larger(
            seen.efficiency, vendor.programme.efficiency - (0.0 if opened else p.closed_lag)
        )
        if vendor.research > 0.0:
            seen.people = _larger(seen.people, vendor.research * (1.0 - p.research_compute_share))
    return seen


def _larger(known: float, other: float) -> float:
    """The larger of two numbers, of which nan and infinite ones are none."""
    return other if math.isfinite(other) and not known >= other else known
