"""Chipmakers: what they charge, how much they can make, and the next chip."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import procurement, rebate, software
from agents.facts import chip_of
from agents.firm import Firm
from model.calendar import QUARTERS_PER_YEAR
from model.chip import ANYBODY, GRADES, Chip
from model.ledger import Kind
from model.parameters import Parameters
from model.pricing import Buyers, best_responses, partial_adjustment
from model.serving import ChipSpec

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LARGEST_LOAD = 100.0


def decide_capacity(capacity: float, load: float, target_load: float, fastest_growth: float) -> float:
    """Capacity of the next quarter, in the units of ``capacity``.

    A maker expands until its order book fills the target load, no faster than its foundry allows
    (``fastest_growth``, log points a quarter); it does not scrap capacity when orders fall.
    """
    if capacity <= 0.0 or load <= target_load:
        return capacity
    return capacity * math.exp(min(math.log(load / target_load), fastest_growth))


def decide_scarcity(scarcity: float, load: float, speed: float, ceiling: float) -> float:
    """The shadow price of capacity, as a multiple of unit cost, after seeing last quarter's load.

    The multiplier of the capacity constraint, found by tatonnement in logs: cost with its shadow price rises
    by ``speed`` of the log load while orders exceed what can be made, and falls again while capacity is spare.
    """
    if load <= 0.0:
        return 0.0
    moved: float = (1.0 + scarcity) * min(load, LARGEST_LOAD) ** speed
    return min(max(moved - 1.0, 0.0), ceiling)


@dataclass(frozen=True)
class Progress:
    """Yearly growth factors of a maker's next chips."""

    tflops: float
    bandwidth: float
    memory: float
    interconnect: float
    power: float
    cost: float


def decide_next_chip(
    latest: ChipSpec, years: float, progress: Progress, tflops_cap: float, name: str, release: str
) -> ChipSpec:
    """The successor of a chip after ``years``: technical progress at the maker's rates.

    A line made for a market under export rules keeps its TFLOP/s below the cap; memory and bandwidth,
    which the rules of 2023 leave free on a finished chip, go on growing.
    """
    faster = min(progress.tflops**years, max(tflops_cap / latest.bf16_tflops, 1.0))
    return replace(
        latest,
        name=name,
        release=release,
        bf16_tflops=latest.bf16_tflops * faster,
        int8_tops=latest.int8_tops * faster,
        memory_gb=latest.memory_gb * progress.memory**years,
        bandwidth_tbs=latest.bandwidth_tbs * progress.bandwidth**years,
        interconnect_gbs=latest.interconnect_gbs * progress.interconnect**years,
        tdp_w=latest.tdp_w * progress.power**years,
    )


class Chipmaker(Firm):
    """Designs, prices and makes chips.

    ``capacity`` is units a quarter by grade (AI-class, mid-range): the facts to the end of 2024, the maker's
    decision afterwards. ``load`` is orders over capacity and ``scarcity`` its shadow price, both by grade.
    """

    def __init__(
        self, market: Market, name: str, region: str, origin: str, given: dict[int, dict[str, float]]
    ) -> None:
        super().__init__(market, name, region, origin)
        # A copy: shocks change it, and what the facts say is shared by all markets of a process.
        self.given_capacity = dict(given)
        self.capacity = dict(given[0])
        self.load = dict.fromkeys(GRADES, 0.0)
        self.scarcity = dict.fromkeys(GRADES, 0.0)
        self.made = 0.0
        self.experience = 0.0
        self.installed = 0.0
        self.chips: list[Chip] = []

    @property
    def domestic(self) -> bool:
        """Whether it is a Chinese maker."""
        return self.origin == "CN"

    def learns(self, parameters: Parameters) -> float:
        """1 if its software and costs improve with experience, 0 for a Chinese maker without domestic learning."""
        return parameters.domestic_learning if self.domestic else 1.0

    def maturity(self, parameters: Parameters) -> FloatArray:
        """Share of a chip's physics that the maker's software delivers, shape (purposes,)."""
        return np.asarray(software.of_makers([self], parameters)[0])

    def expand(self, unit_cost: dict[str, float]) -> None:
        """Feel how scarce capacity is and build more; ``unit_cost`` is the mean of its chips on sale by grade, USD."""
        market, p = self.model, self.model.parameters
        for grade in GRADES:
            self.scarcity[grade] = decide_scarcity(
                self.scarcity[grade], self.load[grade], p.scarcity_speed, p.scarcity_ceiling
            )
        if self.domestic and not p.domestic_capacity_growth and market.t > market.record_from:
            return
        limit = p.domestic_capacity_growth_limit if self.domestic else p.foreign_capacity_growth_limit
        fastest = math.log1p(limit) / QUARTERS_PER_YEAR
        given = self.given_capacity.get(market.t)
        for grade in GRADES:
            before = self.capacity[grade]
            if given is not None:
                self.capacity[grade] = given[grade]
            else:
                self.capacity[grade] = decide_capacity(before, self.load[grade], p.target_load, fastest)
            outlay = (self.capacity[grade] - before) * unit_cost[grade] * p.capacity_capex_share
            if outlay > 0.0:
                market.ledger.pay(self.name, "suppliers", Kind.CAPACITY, outlay)

    def launch_next(self) -> None:
        """Launch the successors of its chips that are due."""
        market, p = self.model, self.model.parameters
        if market.t <= market.facts_end:
            return
        newest: dict[str, Chip] = {}
        for chip in self.chips:
            if chip.line not in newest or chip.launched >= newest[chip.line].launched:
                newest[chip.line] = chip
        for line, chip in newest.items():
            if market.t - chip.launched < p.chip_cadence_quarters:
                continue
            # Nothing is designed for rules that are gone, or for a market that they close.
            if chip.made_for_rules and (not p.export_rules or np.isinf(self._cap_of(chip))):
                continue
            years = (market.t - chip.launched) / QUARTERS_PER_YEAR
            progress = progress_of(p, self.domestic)
            cap = self._cap_of(chip)
            # A chip held at the cap grows in memory only, a part of what a new chip costs more.
            dearer = 1.0 if chip.spec.bf16_tflops < cap else p.chip_cost_growth_at_cap
            growth = progress.cost ** (years * dearer)
            spec = decide_next_chip(
                chip.spec, years, progress, cap, f"{line} {market.quarter}", market.quarter
            )
            self.launch(
                Chip(
                    spec=spec,
                    index=len(market.catalogue.chips),
                    launched=market.t,
                    line=line,
                    grade=chip.grade,
                    inference_listed=chip.inference_listed,
                    captive_owner=chip.captive_owner,
                    price=chip.price * growth,
                    unit_cost=chip.unit_cost * growth,
                    first_cost=chip.first_cost * growth,
                    given=False,
                    made_for_rules=chip.made_for_rules,
                    trains=chip.trains,
                )
            )

    def _cap_of(self, chip: Chip) -> float:
        """The most TFLOP/s that rules in force allow a chip made for a restricted market."""
        if not chip.made_for_rules:
            return np.inf
        graph = self.model.graph
        caps = [
            graph.terms(self.name, b, "chips")["export"].max_tflops for b in graph.targets(self.name, "chips")
        ]
        return min(caps, default=np.inf)

    def launch(self, chip: Chip) -> None:
        """Put a chip on sale; its forerunner in the line is sold for a while longer."""
        market, p = self.model, self.model.parameters
        for old in self.chips:
            if old.line == chip.line and np.isinf(old.until):
                old.until = market.t + int(p.chip_overlap_quarters)
        self.chips.append(chip)
        market.add_chip(chip)
        market.event("launch", self.name, chip.name, chip.price, "first price in USD")


def progress_of(p: Parameters, domestic: bool) -> Progress:
    """Technical progress of a maker's chips: Chinese makers are bound to the processes open to them."""
    return Progress(
        tflops=p.chip_tflops_growth_domestic if domestic else p.chip_tflops_growth,
        bandwidth=p.chip_bandwidth_growth_domestic if domestic else p.chip_bandwidth_growth,
        memory=p.chip_memory_growth_domestic if domestic else p.chip_memory_growth,
        interconnect=p.chip_interconnect_growth,
        power=p.chip_power_growth,
        cost=p.chip_cost_growth_domestic if domestic else p.chip_cost_growth,
    )


def advance(market: Market) -> None:
    """The third event: makers launch, learn, expand and reprice."""
    # A release is the first delivery: orders open a lead time earlier.
    ahead = market.t + int(market.parameters.lead_time_quarters)
    for quarter in sorted(q for q in market.chips_to_come if q <= ahead):
        for row in market.chips_to_come.pop(quarter):
            market.chipmakers[row["maker"]].launch(
                chip_of(row, len(market.catalogue.chips), market.parameters)
            )
    learn_to_make(market)
    for maker, unit_cost in zip(market.chipmakers.values(), mean_unit_costs(market), strict=True):
        maker.expand(dict(zip(GRADES, unit_cost, strict=True)))
        maker.launch_next()
    market.fleets.widen(len(market.catalogue.chips))
    market.look_around()
    reprice(market)


def learn_to_make(market: Market) -> None:
    """Unit costs follow output by Wright's law: each doubling of it cuts them by the learning rate.

    Costs to the end of 2024 are facts; experience counts from there.
    """
    p, chips = market.parameters, market.catalogue.chips
    doublings = np.zeros(len(market.chipmakers))
    for number, maker in enumerate(market.chipmakers.values()):
        if market.t <= market.facts_end:
            maker.experience = maker.made
        elif maker.experience > 0.0:
            doublings[number] = maker.learns(p) * math.log2(maker.made / maker.experience)
    chips.unit_cost[:] = chips.first_cost * ((1.0 - p.chip_learning_rate) ** doublings)[chips.maker]


def mean_unit_costs(market: Market) -> list[list[float]]:
    """Mean unit cost of each maker's chips on sale by grade, USD, (makers, grades); 0 where it sells none."""
    chips = market.catalogue.chips
    sold, size = chips.on_sale(market.t), len(market.chipmakers) * len(GRADES)
    count = np.bincount(chips.process[sold], minlength=size)
    total = np.bincount(chips.process[sold], weights=chips.unit_cost[sold], minlength=size)
    mean: list[list[float]] = (total / np.maximum(count, 1)).reshape(-1, len(GRADES)).tolist()
    return mean


def decide_chip_prices(
    demand: Buyers, price: FloatArray, setter: IntArray, cost: FloatArray, stake: FloatArray, floor: float
) -> FloatArray:
    """Best response of every maker on its own chips to the prices of all others, USD a chip, shape (chips,).

    The same function that prices tokens (``model/pricing.py``); ``setter`` is the row of ``stake`` (firms, chips) of the
    maker that decides each price, -1 where nobody does, ``cost`` holds the shadow price of capacity.
    """
    return np.asarray(
        best_responses(demand, price, setter, cost, stake, np.zeros_like(stake), floor=floor).price
    )


def reprice(market: Market) -> None:
    """Makers move their prices part of the way to their best responses to last quarter's prices."""
    p, chips = market.parameters, market.catalogue.chips
    market.needs = needs = procurement.chip_needs(market)
    makers = list(market.chipmakers.values())
    on_sale = needs.chips
    scarcity = np.array([maker.scarcity[grade] for maker in makers for grade in GRADES])
    cost = chips.unit_cost[on_sale] * (1.0 + scarcity[chips.process[on_sale]])
    price, captive = chips.price[on_sale], chips.captive[on_sale] != ANYBODY
    target = price.copy()
    # Those of its chips that somebody can buy a maker prices.
    wanted = ~captive & np.isfinite(needs.home).any(axis=0)
    maker = chips.maker[on_sale]
    # Makers are the first of the firms.
    stake = np.take(market.kappa()[: len(makers)], maker, axis=1)
    granting = [name in market.interventions.rebates for name in market.chipmakers]
    # A maker that grants discounts sees other needs than its rivals, who see them.
    views = [(rebate.applied(market, needs), ~np.array(granting))]
    views += [
        (rebate.applied(market, needs, but_of=name), np.arange(len(makers)) == number)
        for number, name in enumerate(market.chipmakers)
        if granting[number]
    ]
    for seen, deciding in views:
        own = wanted & deciding[maker]
        if own.any():
            setter = np.where(own, maker, -1)
            best = decide_chip_prices(seen.as_buyers(p), price, setter, cost, stake, p.chip_price_floor_usd)
            target[own] = best[own]
    moved, _ = partial_adjustment(price, target, p.chip_price_adjustment, p.price_threshold, p.price_move_cap)
    # Inside a group chips pass at cost and the shadow price of the capacity that they take.
    chips.price[on_sale] = np.where(captive, cost * (1.0 + p.captive_markup), moved)


def learn(market: Market) -> None:
    """Software matures with what is installed; output so far moves the learning curve (:func:`learn_to_make`)."""
    by_fleet = market.fleets.units_by_maker(market.catalogue.chips.maker, len(market.chipmakers))
    installed = by_fleet.sum(axis=0)
    for maker, units in zip(market.chipmakers.values(), installed.tolist(), strict=True):
        if maker.name not in market.interventions.stalled:
            maker.installed = units
