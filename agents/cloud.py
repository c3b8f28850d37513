"""Clouds and venues: what work they expect, which models they host, how racks are cooled and wired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import mandate
from agents.firm import Firm, decide_service_effort
from agents.policy import exposed
from model.cost import WATTS_PER_KW
from model.fleet import HOURS_PER_QUARTER, Fleet
from model.ledger import Kind
from model.place import PURPOSES, TRAINING, VENUES
from model.procurement import Expectation, reassignment

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]


def decide_hosting(
    value: FloatArray, hosted: NDArray[np.bool_], slots: int | NDArray[np.int64], loyalty: float
) -> NDArray[np.bool_]:
    """Which open models to host: the ``slots`` most attractive, with a bonus for those already running.

    ``value`` is in utils of the mean customer at the host's own cost, -inf for what it cannot serve; shape (models,),
    or (hosts, models) with ``slots`` of shape (hosts,).
    """
    score = np.where(hosted, value + loyalty, value)
    order = np.argsort(-score, axis=-1, kind="stable")
    best = np.arange(score.shape[-1]) < np.expand_dims(slots, -1)
    chosen = np.zeros(score.shape, dtype=bool)
    np.put_along_axis(chosen, order, best, axis=-1)
    return np.asarray(chosen & np.isfinite(score))


def decide_cooling(rack_kw: float, air_limit_kw: float, width_kw: float) -> float:
    """Share of new racks cooled by liquid: rises through the density that air can still carry away."""
    return float(1.0 / (1.0 + np.exp(-(rack_kw - air_limit_kw) / width_kw)))


def decide_network(gain: float, premium: float, width: float) -> float:
    """Share of new ports on Ethernet.

    InfiniBand costs ``premium`` more and is worth ``gain`` to the work (both as shares of an Ethernet port):
    much to the tight collectives of training, little to serving.
    """
    return float(1.0 / (1.0 + np.exp(-(premium - gain) / width)))


def decide_consortium(
    own_cost: float, shared_cost: float, capability_gain: float, value_of_capability: float
) -> bool:
    """Whether a cloud would rather share an open model than pay for its own.

    ``own_cost`` is what its own models would take less a quarter beyond what they earn, ``shared_cost`` its
    part of the shared model and the price of depending on it; ``capability_gain`` (log10 effective FLOP) of
    the shared model over its own is worth ``value_of_capability`` USD a quarter each unit.
    """
    return own_cost + capability_gain * value_of_capability > shared_cost


class Cloud(Firm):
    """Owns a fleet, serves tokens from it, rents hours to vendors and does its owner's other work.

    ``channel`` is managed for a public cloud, colocation or on-premises for a venue, where buyers run
    their own chips.
    """

    def __init__(
        self,
        market: Market,
        name: str,
        region: str,
        origin: str,
        channel: str,
        fleet: Fleet,
        size: dict[int, float],
    ) -> None:
        super().__init__(market, name, region, origin)
        self.channel = channel
        self.fleet = fleet
        self.size = size
        self.expect = [Expectation() for _ in PURPOSES]
        self.qualification: dict[str, float] = {}
        self.hosted: set[str] = set()
        self.service_effort = market.parameters.service_effort_start
        self.work: FloatArray = np.zeros(len(PURPOSES))

    @property
    def venue(self) -> bool:
        """Whether it stands for buyers who run their own chips."""
        return self.channel in VENUES

    @property
    def champion(self) -> bool:
        """Whether it stands for the local clouds of a region that has no hyperscaler of its own."""
        return self.origin not in ("CN", "US") and not self.venue

    def forecast(self) -> FloatArray:
        """Work of each purpose that an order of today is for, reference units a quarter, shape (purposes,).

        The plans of its own other business are known to an owner; what customers and vendors will want is
        extrapolated from what was seen.
        """
        p = self.model.parameters
        ahead = int(p.lead_time_quarters + p.order_horizon_quarters)
        bought = np.array([e.ahead(ahead, p.trend_damping) for e in self.expect])
        return np.asarray(bought + self.model.captive_plan(self.name, ahead))

    def capacity(self) -> FloatArray:
        """Work a quarter, reference units, that the fleet can do when an order of today arrives.

        Installed and ordered chips less what will have retired, once those that one work can spare have gone to
        another, at full use, shape (purposes,). Orders that forget such moves come back as too much or too little.
        """
        market, p = self.model, self.model.parameters
        survive = (1.0 - p.retirement_rate) ** p.lead_time_quarters
        moving = 1.0 - (1.0 - p.reassignment_rate) ** p.lead_time_quarters
        units = self.moved(self.fleet.units * survive + self.fleet.on_order(), self.forecast(), moving)
        return np.asarray((units * market.outlook.work).sum(axis=0) * HOURS_PER_QUARTER)

    def moved(self, units: FloatArray, expected: FloatArray, rate: float) -> FloatArray:
        """Units after spare chips went to the work that is short of them, shape (chips, purposes).

        ``expected`` is work a quarter, reference units; ``rate`` the share of the spare chips that may move.
        """
        p, work = self.model.parameters, self.model.outlook.work
        pool, count = (units * work).sum(axis=0), units.sum(axis=0)
        # Work that no chip of its own pool does yet is reckoned at what the whole fleet would do.
        whole = (units.sum(axis=1) @ work) / max(count.sum(), 1.0)
        speed = np.divide(pool, count, out=whole, where=(count > 0.0) & (pool > 0.0))
        hours = np.divide(expected, speed, out=np.zeros_like(expected), where=speed > 0.0)
        # With all pools short, chips go where they are short the most.
        level = max(p.target_utilisation, float(hours.sum()) / max(count.sum() * HOURS_PER_QUARTER, 1.0))
        return reassignment(units, hours, HOURS_PER_QUARTER * level, rate, self.model.outlook.suitability)

    def tastes(self, makers: Sequence[str]) -> FloatArray:
        """Utility of each maker beside cost: earned qualification, second source, security of supply."""
        market, p = self.model, self.model.parameters
        by_maker = np.zeros(len(makers))
        for chip, units in zip(market.catalogue.chips, self.fleet.units.sum(axis=1), strict=True):
            if chip.spec.maker in makers:
                by_maker[makers.index(chip.spec.maker)] += units
        share = by_maker / by_maker.sum() if by_maker.sum() > 0 else by_maker
        qualified = np.log([self.qualification.get(maker, p.qualification_start) for maker in makers])
        at_risk = np.array([exposed(market, maker, self.name) for maker in makers], dtype=float)
        return np.asarray(
            p.qualification_weight * qualified
            + p.second_source_taste * (1.0 - share)
            - p.supply_security_taste * at_risk
            - mandate.shadow(market, self.name, list(makers))
        )

    def qualify(self, delivered: dict[str, float]) -> None:
        """Chips in use earn their maker qualification (Grabowski and Vernon 1992 call it a stock of trust)."""
        p = self.model.parameters
        total = sum(delivered.values())
        for maker, units in delivered.items():
            share = units / total if total > 0 else 0.0
            before = self.qualification.get(maker, p.qualification_start)
            speed = p.qualification_speed * share / (share + p.qualification_half_share)
            self.qualification[maker] = before + speed * (1.0 - before)

    def observe(self, work: FloatArray) -> None:
        """Learn from the work demanded of the fleet this quarter, reference units, shape (purposes,).

        Expectations that are fixed are those of the end of the facts; of work that is new after it, the first sight.
        """
        p = self.model.parameters
        fixed = not p.adaptive_expectations and self.model.t > self.model.facts_end
        for expectation, seen in zip(self.expect, work, strict=True):
            if fixed and expectation.level > 0.0:
                expectation.hold(p.trend_damping)
                continue
            expectation.learn(
                float(seen), p.forecast_level_weight, p.forecast_growth_weight, p.forecast_growth_bound
            )

    def install(self, delivered: FloatArray, price: FloatArray) -> float:
        """Rack what arrived, shape (chips, purposes), at chip prices (chips,); returns what servers and racks cost."""
        market, p = self.model, self.model.parameters
        tdp_kw = market.catalogue.column("tdp_w") / WATTS_PER_KW
        cost = 0.0
        for purpose in range(len(PURPOSES)):
            units = delivered[:, purpose]
            count = float(units.sum())
            if count <= 0.0:
                continue
            kw = float(units @ tdp_kw) * (1.0 + p.server_power_share)
            density = min(kw / count * p.chips_per_rack, p.rack_limit_kw)
            liquid = decide_cooling(density, p.air_cooling_limit_kw, p.air_cooling_width_kw)
            gain = p.infiniband_gain_training if purpose == TRAINING else p.infiniband_gain_inference
            ethernet = decide_network(gain, p.infiniband_premium, p.network_choice_width)
            racks = kw / density
            self.fleet.add_racks(
                purpose, racks * (1 - liquid), racks * liquid, count * (1 - ethernet), count * ethernet
            )
            cost += float(units @ price) * p.server_share
            cost += count * p.cooling_usd_per_chip * (1.0 + liquid * p.liquid_cooling_premium)
            cost += count * p.network_usd_per_chip * (1.0 + (1.0 - ethernet) * p.infiniband_premium)
        return cost


def learn(market: Market) -> None:
    """The clouds' part of the eighth event: forecasts and effort follow what was seen."""
    p = market.parameters
    for owner in market.clouds.values():
        owner.observe(np.maximum(owner.work - market.captive_work(owner.name), 0.0))
        owner.service_effort = decide_service_effort(
            owner.service_effort, owner.token_margin, owner.service_margin, p.service_effort_speed
        )
        if owner.cash < 0.0:
            # A cloud is a line of a larger business, which stands behind it.
            market.ledger.pay("other business", owner.name, Kind.FUNDING, -owner.cash)
