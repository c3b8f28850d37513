"""Clouds and venues: what work they expect, which models they host, how racks are cooled and wired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import mandate
from agents.firm import Firm, decide_service_effort
from agents.policy import chip_edges
from model.cost import WATTS_PER_KW
from model.fleet import HOURS_PER_QUARTER, Fleet, Fleets
from model.ledger import Kind
from model.parameters import Parameters
from model.place import PURPOSES, TRAINING, VENUES
from model.procurement import Expectation, moved

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


def decide_cooling(rack_kw: float | FloatArray, air_limit_kw: float, width_kw: float) -> FloatArray:
    """Share of new racks cooled by liquid: rises through the density that air can still carry away."""
    return np.asarray(1.0 / (1.0 + np.exp(-(rack_kw - air_limit_kw) / width_kw)))


def decide_network(gain: float | FloatArray, premium: float, width: float) -> FloatArray:
    """Share of new ports on Ethernet.

    InfiniBand costs ``premium`` more and is worth ``gain`` to the work (both as shares of an Ethernet port):
    much to the tight collectives of training, little to serving.
    """
    return np.asarray(1.0 / (1.0 + np.exp(-(premium - gain) / width)))


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
        self.hosted: set[str] = set()
        self.service_effort = market.parameters.service_effort_start

    @property
    def venue(self) -> bool:
        """Whether it stands for buyers who run their own chips."""
        return self.channel in VENUES

    @property
    def champion(self) -> bool:
        """Whether it stands for the local clouds of a region that has no hyperscaler of its own."""
        return self.origin not in ("CN", "US") and not self.venue

    @property
    def work(self) -> FloatArray:
        """Work demanded of its fleet in the last quarter, reference units, shape (purposes,)."""
        return np.asarray(self.model.owners.work[self.fleet.number])

    @work.setter
    def work(self, value: FloatArray) -> None:
        self.model.owners.work[self.fleet.number] = value


class Owners:
    """What the owners of fleets know and think, side by side in the order of the fleets and of ``market.clouds``.

    ``work`` that was demanded of each fleet in the last quarter and what its owner expects of it (``expect``), in reference
    units, shape (owners, purposes); ``qualification`` of each maker with it, (owners, makers), nan before its first
    delivery.
    """

    def __init__(self, owners: int, makers: int) -> None:
        self.work, level, growth = np.zeros((3, owners, len(PURPOSES)))
        self.expect = Expectation(level, growth)
        self.qualification = np.full((owners, makers), np.nan)

    def qualified(self, p: Parameters) -> FloatArray:
        """Qualification of each maker with each owner, shape (owners, makers)."""
        return np.where(np.isnan(self.qualification), p.qualification_start, self.qualification)

    def qualify(self, delivered: FloatArray, p: Parameters) -> None:
        """Chips in use earn their maker qualification (Grabowski and Vernon 1992 call it a stock of trust).

        ``delivered`` is units of the quarter, shape (owners, makers); who got nothing learns nothing.
        """
        total = delivered.sum(axis=1, keepdims=True)
        share = np.divide(delivered, total, out=np.zeros_like(delivered), where=total > 0.0)
        before = self.qualified(p)
        speed = p.qualification_speed * share / (share + p.qualification_half_share)
        np.copyto(self.qualification, before + speed * (1.0 - before), where=total > 0.0)

    def observe(self, seen: FloatArray, fixed: bool, p: Parameters) -> None:
        """Learn from the work demanded of the fleets this quarter, reference units, shape (owners, purposes).

        Expectations that are ``fixed`` go on as they were; of work that is new they are the first sight.
        """
        held = (self.expect.level > 0.0) if fixed else None
        self.expect.learn(
            seen, p.forecast_level_weight, p.forecast_growth_weight, p.forecast_growth_bound, held
        )
        if held is not None:
            self.expect.hold(p.trend_damping, held)


def forecast(market: Market) -> FloatArray:
    """Work of each purpose that an order of today is for, reference units a quarter, shape (owners, purposes).

    The plans of its own other business are known to an owner; what customers and vendors will want is
    extrapolated from what was seen.
    """
    p = market.parameters
    return expected(market, int(p.lead_time_quarters + p.order_horizon_quarters))


def expected(market: Market, ahead: int, planned: int | None = None) -> FloatArray:
    """Work that owners expect ``ahead`` quarters after the last one seen, shape (owners, purposes).

    Of their own business that of ``planned`` quarters from now, as many unless given.
    """
    plan = market.captive.plan(ahead if planned is None else planned)
    return np.asarray(market.owners.expect.ahead(ahead, market.parameters.trend_damping) + plan)


def capacity(market: Market, forecast: FloatArray) -> FloatArray:
    """Work a quarter, reference units, that each fleet can do when an order of today arrives, (owners, purposes).

    Installed and ordered chips less what will have retired, once those that one work can spare have gone to
    another, at full use. Orders that forget such moves come back as too much or too little.
    """
    p, fleets, outlook = market.parameters, market.fleets, market.outlook
    survive = (1.0 - p.retirement_rate) ** p.lead_time_quarters
    moving = 1.0 - (1.0 - p.reassignment_rate) ** p.lead_time_quarters
    units = moved(
        fleets.units * survive + fleets.on_order(),
        forecast,
        outlook.work,
        outlook.suitability,
        moving,
        p.target_utilisation,
    )
    return np.asarray(np.einsum("fcw,cw->fw", units, outlook.work) * HOURS_PER_QUARTER)


def tastes(market: Market) -> FloatArray:
    """Utility of each maker to each owner beside cost, shape (owners, makers).

    Earned qualification, second source, security of supply, and what mandates cost.
    """
    p, fleets, makers = market.parameters, market.fleets, len(market.chipmakers)
    held = fleets.units_by_maker(market.catalogue.chips.maker, makers)
    total = held.sum(axis=1, keepdims=True)
    share = np.divide(held, total, out=np.zeros_like(held), where=total > 0.0)
    utility = p.qualification_weight * np.log(market.owners.qualified(p)) + p.second_source_taste * (
        1.0 - share
    )
    if p.export_rules:
        utility -= p.supply_security_taste * chip_edges(market).exposed
    if market.interventions.mandates:
        utility -= mandate.shadow(market)
    return np.asarray(utility)


def install(
    fleets: Fleets, count: FloatArray, watts: FloatArray, value: FloatArray, p: Parameters
) -> FloatArray:
    """Rack what arrived; returns what servers and racks cost, USD, shape (fleets,).

    By fleet and purpose, (fleets, purposes): ``count`` of chips, their rated power, ``watts``, and what was paid for
    them, ``value``, USD.
    """
    some = count > 0.0
    kw = watts / WATTS_PER_KW * (1.0 + p.server_power_share)
    density = np.minimum(kw / np.where(some, count, 1.0) * p.chips_per_rack, p.rack_limit_kw)
    liquid = decide_cooling(density, p.air_cooling_limit_kw, p.air_cooling_width_kw)
    ethernet = decide_network(_infiniband_gain(p), p.infiniband_premium, p.network_choice_width)
    racks = kw / np.where(some, density, 1.0)
    fleets.racks[..., 0] += racks * (1.0 - liquid)
    fleets.racks[..., 1] += racks * liquid
    fleets.ports[..., 0] += count * (1.0 - ethernet)
    fleets.ports[..., 1] += count * ethernet
    cooling = p.cooling_usd_per_chip * (1.0 + liquid * p.liquid_cooling_premium)
    network = p.network_usd_per_chip * (1.0 + (1.0 - ethernet) * p.infiniband_premium)
    return np.asarray((value * p.server_share + count * (cooling + network)).sum(axis=1))


def _infiniband_gain(p: Parameters) -> FloatArray:
    """What InfiniBand is worth to each kind of work, as a share of an Ethernet port, shape (purposes,)."""
    gain = np.full(len(PURPOSES), p.infiniband_gain_inference)
    gain[TRAINING] = p.infiniband_gain_training
    return gain


ROUNDING = 1e-9
"""Relative: some thousand roundings of the work that a fleet did in all."""


def learn(market: Market) -> None:
    """The clouds' part of the eighth event: forecasts and effort follow what was seen."""
    p = market.parameters
    captive = market.captive.now()
    # Expectations that are fixed are those of the end of the facts.
    fixed = not p.adaptive_expectations and market.t > market.facts_end
    bought = market.owners.work - captive
    # What rounding leaves of a fleet that did its owner's work alone is no work of customers.
    bought[bought <= ROUNDING * captive] = 0.0
    market.owners.observe(bought, fixed, p)
    for owner in market.clouds.values():
        owner.service_effort = decide_service_effort(
            owner.service_effort, owner.token_margin, owner.service_margin, p.service_effort_speed
        )
        if owner.cash < 0.0:
            # A cloud is a line of a larger business, which stands behind it.
            market.ledger.pay("other business", owner.name, Kind.FUNDING, -owner.cash)
