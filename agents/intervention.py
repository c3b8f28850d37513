"""What shocks have changed in the rules by which firms decide: written by shocks, read at the place of effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.mandate import Mandate
from agents.price_rule import PriceRule
from model.catalogue import Model
from model.place import REGIONS

if TYPE_CHECKING:
    from agents.cloud import Cloud
    from agents.vendor import Vendor
    from model.market import Market


@dataclass(frozen=True)
class Swing:
    """Work that grows or shrinks by ``factor`` over ``quarters`` from quarter ``start`` on, and stays there.

    ``bought`` says that it is the work of enterprises, in ``regions``; otherwise that of the owners' other business.
    """

    factor: float
    start: int
    quarters: int
    regions: tuple[int, ...]
    bought: bool

    def log_factor(self, quarter: int) -> float:
        """Log of the factor that has been reached in a quarter."""
        passed = min(max(quarter - self.start + 1, 0) / self.quarters, 1.0)
        return passed * math.log(self.factor)


@dataclass
class Interventions:
    """Rules in force that no edge of the graph and no parameter can hold.

    ``swings`` of work; ``publishes``, vendors that must or must not open the weights of what they launch;
    ``weights_kept``, by origin the quarter from which its open weights stay at home; ``stalled`` makers whose
    software learns no more; ``apart``, vendors around which no consortium forms; ``price_rules`` on posted
    prices; ``mandates`` on orders of chips; ``rebates``, makers that grant a discount on some edge.
    """

    swings: list[Swing] = field(default_factory=list)
    publishes: dict[str, bool] = field(default_factory=dict)
    weights_kept: dict[str, int] = field(default_factory=dict)
    stalled: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)
    price_rules: list[PriceRule] = field(default_factory=list)
    mandates: list[Mandate] = field(default_factory=list)
    rebates: set[str] = field(default_factory=set)

    def swing(self, quarter: int, bought: bool) -> NDArray[np.float64]:
        """Factor on the work of a quarter by region, shape (regions,)."""
        log = np.zeros(len(REGIONS))
        for swing in self.swings:
            if swing.bought == bought:
                log[list(swing.regions)] += swing.log_factor(quarter)
        return np.exp(log)

    def kept_at_home(self, model: Model) -> bool:
        """Whether a model's open weights may not leave the jurisdiction that it comes from."""
        return model.open_weights and model.launched >= self.weights_kept.get(model.origin, math.inf)


def may_host(market: Market, owner: Cloud, models: Sequence[Model]) -> NDArray[np.bool_]:
    """Whether rules let a cloud host each open model, shape (models,)."""
    rules, confined = market.interventions, market.confined
    return np.array(
        [m.origin == owner.origin or not (m.vendor in confined or rules.kept_at_home(m)) for m in models],
        dtype=bool,
    )


def open_to(market: Market, vendor: Vendor) -> float:
    """Capability of the best open model of another vendor that this one may build on; -inf if there is none."""
    rules = market.interventions
    if not rules.weights_kept:
        return market.research.open_to(vendor.name)
    return max(
        (
            model.capability
            for other in market.vendors.values()
            if other is not vendor
            for model in other.models
            # What others launch this quarter is not public yet.
            if model.open_weights and model.launched < market.t
            if other.origin == vendor.origin or not rules.kept_at_home(model)
        ),
        default=-math.inf,
    )
