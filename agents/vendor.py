"""Model vendors: launches, sizes, openness, and how each spends and seeks money.

What they decide on money is in ``agents/research.py``; their prices are posted in ``agents/seller.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from agents import intervention
from agents.firm import Firm, decide_service_effort
from agents.research import (
    Programme,
    Purse,
    RaiseTerms,
    decide_draw,
    decide_raise,
    decide_research,
    growth_of_funding,
)
from model.capability import active_params_from_compute, capability, efficiency_growth, spillover
from model.catalogue import Model
from model.ledger import Kind
from model.parameters import Parameters
from model.serving import Architecture

if TYPE_CHECKING:
    from model.market import Market

TINY = 1e-12


def decide_launch(
    prospect: float, current: float, waited: int, step: float, shortest: int, longest: int
) -> bool:
    """Whether to launch a new generation: the step in capability is worth it, or the product is too old.

    Nothing is launched that is worse than what is on sale.
    """
    if waited < shortest or prospect <= current:
        return False
    return prospect >= current + step or waited >= longest


def decide_architecture(
    dense: Architecture, sparse: Architecture, dense_cost: float, sparse_cost: float
) -> Architecture:
    """The cheaper of two architectures of equal capability, on the fleet that will serve it."""
    return sparse if sparse_cost < dense_cost else dense


def decide_size(alpha: float, beta: float, penalty: float, optimum: float, most: float) -> float:
    """Tokens a parameter of a model that is to be served: more than training alone would want.

    Training longer on a smaller model than the optimum of Hoffmann et al. (2022) costs capability,
    ``penalty`` log10 FLOP for each squared log of the ratio to the ``optimum``; serving cost falls with the
    size, N ~ ratio^-1/2 (Sardana and Frankle 2023). The mean customer's utility beta C - alpha ln(cost) is
    highest at ln(ratio/optimum) = alpha / (4 beta penalty), up to ``most`` tokens a parameter.
    """
    return min(optimum * float(np.exp(alpha / (4.0 * beta * penalty))), most)


def decide_openness(
    stance: float, own_margin: float, owners_gain: float, lost_share: float, gap: float
) -> bool:
    """Whether the next generation's weights are published.

    Opening loses ``lost_share`` of the margin on its own API and brings its owners' other lines
    (hosting, chips) ``owners_gain``; a laggard, ``gap`` behind the frontier, has less of a margin to lose
    and more attention to win. ``stance`` is what the vendor values openness at beside that, as a share of
    its margin (positive for vendors founded on open weights).
    """
    if own_margin <= 0.0:
        return owners_gain > 0.0 or stance > 0.0
    return owners_gain + (stance + gap) * own_margin > lost_share * own_margin


class Vendor(Firm):
    """Trains models, sells tokens of them through its API, and decides whether their weights are open."""

    def __init__(
        self, market: Market, name: str, region: str, origin: str, plan: float, support: float, starts: int
    ) -> None:
        super().__init__(market, name, region, origin)
        self.plan = plan
        self.support = support
        self.starts = starts
        self.programme = Programme()
        self.margin = 0.0
        self.research = 0.0
        self.training_budget = 0.0
        self.service_effort = market.parameters.service_effort_start
        self.foundation = False
        # What was on sale when somebody looked: in which quarter, and of how many models.
        self._models: list[Model] = []
        self._best = -math.inf
        self._looked = (-1, 0)

    @property
    def models(self) -> list[Model]:
        """Its models on sale, in order of launch."""
        known, t = self.model.catalogue.models_of(self.name), self.model.t
        if self._looked != (t, len(known)):
            self._looked = (t, len(known))
            self._models = [m for m in known if m.launched <= t and (m.until is None or t <= m.until)]
            self._best = max((m.capability for m in self._models), default=-math.inf)
        return self._models

    @property
    def best(self) -> float:
        """Capability of its best model on sale, log10 effective FLOP; -inf before its first."""
        return self._best if self.models else -math.inf

    def latest(self, tier: str) -> Model | None:
        """Its newest model of a tier on sale."""
        return next((m for m in reversed(self.models) if m.tier == tier), None)

    @property
    def owned(self) -> bool:
        """Whether another firm of the market controls it."""
        return self.model.parent_of(self.name) != self.name

    def spend(self) -> None:
        """Receive support, set this quarter's research budget and pay its people."""
        market, p = self.model, self.model.parameters
        growth = growth_of_funding(market)
        pooled = market.ledger.received(self.name, Kind.POOLED_FUNDING)
        plan = self.plan * growth + pooled
        purse = Purse(p.research_reinvested, p.cash_drawdown_quarters)
        # Owners and investors pay as it is needed, up to what they have committed.
        committed = self.support * growth * market.support_left(self)
        support = decide_draw(committed, plan, self.margin, self.cash, purse)
        parent = market.parent_of(self.name)
        payer = "investors" if parent == self.name else parent
        market.ledger.pay(payer, self.name, Kind.FUNDING, support)
        self.research = decide_research(
            plan, self.margin, support + pooled, self.cash - support - pooled, purse
        )
        people = self.research * (1.0 - p.research_compute_share)
        self.training_budget = self.research - people
        market.ledger.pay(self.name, "staff", Kind.RESEARCH_PEOPLE, people)
        self._learn(people)

    def _learn(self, people: float) -> None:
        """Algorithmic efficiency: own people with diminishing returns, and spillover from what is public."""
        market, p = self.model, self.model.parameters
        efficiency = self.programme.efficiency
        if not math.isfinite(efficiency) or not math.isfinite(market.research.efficiency):
            return
        own = efficiency_growth(
            people,
            market.research.people,
            p.algorithmic_efficiency_growth,
            p.research_returns,
            p.research_best_speed,
        )
        # Discoveries come as they come; those of the facts are known.
        luck = p.research_luck * market.research_luck[self.name]
        own += luck if market.t > market.facts_end else 0.0
        own *= p.algorithmic_progress
        learned = spillover(efficiency, market.research.efficiency, p.spillover_rate)
        self.programme.efficiency = efficiency + own + learned

    def train(self, flop: float) -> None:
        """Add the training compute that the fleets delivered; compute of past years fades as it dates."""
        p = self.model.parameters
        self.programme.flop = self.programme.flop * p.training_carry_over + flop * p.final_run_share

    def launch_given(self, model: Model) -> None:
        """A launch of the facts: its capability says how efficient the vendor's compute has been."""
        self._enter(model)
        self.programme.sparse = self.programme.sparse or model.architecture.sparse
        if model.tier == "flagship" and self.programme.flop > 0.0:
            self.programme.efficiency = model.capability - float(np.log10(self.programme.flop))

    def consider_launch(self) -> None:
        """Launch a generation of both tiers when it is worth it (from 2025, when the facts end)."""
        market, p = self.model, self.model.parameters
        if not math.isfinite(self.programme.efficiency) or self.programme.flop <= 0.0:
            return
        own = float(capability(self.programme.flop, self.programme.efficiency))
        base = intervention.open_to(market, self) - p.distillation_gap
        # Experts save training compute once, with the first model that has them; first ask if that would do.
        sparse, untried = self.programme.sparse, p.sparse_architectures and not self.programme.sparse
        gain = p.sparse_training_gain if untried else 0.0
        prospect = max(own + gain, base)
        if not self._worth_launching(prospect):
            return
        # The efficiency implied by launches of the facts already holds what serving size gave up.
        ratio = decide_size(
            p.alpha_mean,
            p.beta_mean * p.flagship_taste,
            p.overtraining_penalty,
            p.tokens_per_parameter_optimum,
            p.tokens_per_parameter_most,
        )
        if untried:
            dense_b = float(active_params_from_compute(self.programme.flop, ratio))
            sparse = self._decide_architectures([dense_b])[0].sparse
            if not sparse:
                gain, prospect = 0.0, max(own, base)
                if not self._worth_launching(prospect):
                    return
        self.programme.efficiency += gain
        self.programme.sparse = sparse
        # A model built on another's open weights is as large as its own methods would make one that good.
        compute = max(self.programme.flop, 10.0 ** (prospect - self.programme.efficiency))
        dense_b = float(active_params_from_compute(compute, ratio))
        opened = self._decide_openness(prospect)
        tiers = (("flagship", 0.0), ("small", p.small_tier_gap))
        built = self._decide_architectures([dense_b, dense_b * p.small_tier_size])
        for (tier, gap), architecture in zip(tiers, built, strict=True):
            generation = self.programme.generation.get(tier, 0) + 1
            self._enter(
                Model(
                    name=f"{self.name} {tier} {generation}",
                    vendor=self.name,
                    tier=tier,
                    generation=generation,
                    origin=self.origin,
                    launched=market.t,
                    capability=prospect - gap,
                    architecture=architecture,
                    open_weights=opened,
                    given=False,
                )
            )

    def _worth_launching(self, prospect: float) -> bool:
        market, p = self.model, self.model.parameters
        shortest, longest = int(p.launch_shortest_quarters), int(p.launch_longest_quarters)
        waited = market.t - self.programme.launched
        return decide_launch(prospect, self.best, waited, p.launch_step, shortest, longest)

    def _decide_architectures(self, dense_b: Sequence[float]) -> list[Architecture]:
        """The architecture of each of some models, of so many billion parameters if dense."""
        market, p = self.model, self.model.parameters
        either = [architectures(size, p) for size in dense_b]
        if not p.sparse_architectures:
            return [dense for dense, _ in either]
        units = market.clouds[self.host()].fleet.inference_units()
        mine = units.nonzero()[0]
        rates = market.catalogue.rates([each for pair in either for each in pair], mine) @ units[mine]
        cost = [1.0 / max(rate, TINY) for rate in rates.tolist()]
        return [
            decide_architecture(*pair, *costs)
            for pair, costs in zip(either, zip(cost[::2], cost[1::2], strict=True), strict=True)
        ]

    @property
    def has_host(self) -> bool:
        """Whether a cloud serves its own interface: without one it sells no tokens itself."""
        graph = self.model.graph
        return any(
            graph.terms(s, self.name, "hosting")["role"] == "serves"
            for s in graph.sources(self.name, "hosting")
        )

    def host(self) -> str:
        """The cloud on whose fleet it trains and serves, or its parent, or the first of its region."""
        market = self.model
        for source in market.graph.sources(self.name, "hosting"):
            if market.graph.terms(source, self.name, "hosting")["role"] == "serves":
                return source
        parent = market.parent_of(self.name)
        if parent in market.clouds:
            return parent
        return next(c.name for c in market.clouds.values() if c.region == self.region or c.origin == "US")

    def _decide_openness(self, prospect: float) -> bool:
        market, p = self.model, self.model.parameters
        if not p.open_weights:
            return False
        if self.name in market.interventions.publishes:
            return market.interventions.publishes[self.name]
        gap = max(market.research.capability - prospect, 0.0)
        current = self.latest("flagship")
        stance = p.openness_stance if current is not None and current.open_weights else 0.0
        return decide_openness(stance, self.token_margin, self.owners_margin, p.openness_lost_share, gap)

    def _enter(self, model: Model) -> None:
        market, p = self.model, self.model.parameters
        before = self.latest(model.tier)
        if before is not None:
            ends = market.t + int(p.model_overlap_quarters)
            before.until = ends if before.until is None else min(before.until, ends)
        market.catalogue.add_model(model)
        self.programme.generation[model.tier] = model.generation
        if model.tier == "flagship":
            self.programme.launched = market.t
        market.event("launch", self.name, model.name, model.capability, "capability, log10 effective FLOP")
        if model.open_weights:
            market.event("weights opened", self.name, model.name, model.capability, "open weights")

    def seek_money(self) -> None:
        """Raise capital when the runway is short; below zero cash with nobody to pay, leave."""
        market, p = self.model, self.model.parameters
        best, parent = self.best, market.parent_of(self.name)
        gap = market.research.capability - best if math.isfinite(best) else 0.0
        loss = -min(self.token_margin + self.service_margin, 0.0)
        if parent == self.name:
            terms = RaiseTerms(p.raise_runway_quarters, p.raise_quarters, p.raise_gap, p.venture_appetite)
            amount = decide_raise(self.cash, loss, self.plan * growth_of_funding(market), gap, terms)
            if amount > 0.0:
                market.ledger.pay("investors", self.name, Kind.FUNDING, amount)
                market.event("funding", self.name, "capital raised", amount, "USD from investors")
        if self.cash < 0.0:
            if parent != self.name and gap <= p.raise_gap:
                market.ledger.pay(parent, self.name, Kind.FUNDING, -self.cash)
            else:
                self.leave()

    def leave(self) -> None:
        """Go out of business: sell nothing more; weights that are open stay with their hosts."""
        market = self.model
        self.active = False
        for model in self.models:
            if not model.open_weights:
                model.until = market.t
        market.event("exit", self.name, "out of business", self.cash, "cash in USD")


def architectures(dense_b: float, p: Parameters) -> tuple[Architecture, Architecture]:
    """A dense and a sparse architecture of equal quality, ``dense_b`` billion parameters if dense.

    The dense equivalent of a mixture is the geometric mean of its total and active counts
    (``model/capability.py``); its attention is latent, with a smaller cache (DeepSeek-AI 2024).
    """
    root = float(np.sqrt(p.sparsity_ratio))
    cache = p.cache_bytes_per_token * float(np.sqrt(dense_b / p.cache_reference_params_b))
    dense = Architecture(dense_b, dense_b, cache)
    sparse = Architecture(
        dense_b / root, dense_b * root, cache * p.latent_attention_share, p.shared_expert_share
    )
    return dense, sparse


def learn(market: Market) -> None:
    """The vendors' part of the eighth event: margins are smoothed, effort follows them, money is sought."""
    p = market.parameters
    for vendor in market.vendors.values():
        if not vendor.active or market.t < vendor.starts:
            continue
        vendor.margin += p.margin_smoothing * (vendor.token_margin + vendor.service_margin - vendor.margin)
        vendor.service_effort = decide_service_effort(
            vendor.service_effort, vendor.token_margin, vendor.service_margin, p.service_effort_speed
        )
        vendor.seek_money()
