"""The demand step with one Mesa object an enterprise, as Mesa's tutorials write a model.

An ``Agent`` with a ``step``, and ``model.agents.do("step")``. It has two variants, pure Python and NumPy inside each
agent; the faster one is the reference.
"""

from __future__ import annotations

import math
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from benchmarks.demand_world import (
    ADOPTION_RATE,
    ETA,
    MODELS,
    OFFERS,
    PORTFOLIO_RATE,
    REFERENCE,
    SEGMENTS,
    SIGMA1,
    SIGMA2,
    World,
)


class RowEnterprise(mesa.Agent):
    """What both objects take from their row of the population."""

    def __init__(self, market: ObjectMarket, row: int) -> None:
        super().__init__(market)
        world = market.world
        self.alpha, self.beta = float(world.alpha[row]), float(world.beta[row])
        self.nuisance, self.weight = float(world.nuisance[row]), float(world.weight[row])
        self.segment = int(world.segment[row])
        self.adoption = 0.0


class PythonEnterprise(RowEnterprise):
    """An enterprise in pure Python, with its offers as plain lists."""

    def __init__(self, market: ObjectMarket, row: int) -> None:
        super().__init__(market, row)
        self.portfolio = [0.0] * OFFERS

    def step(self) -> None:
        """Choose, adopt, move the portfolio and ask for tokens."""
        market: ObjectMarket = self.model
        log, exp = math.log, math.exp
        alpha, beta, nuisance = self.alpha, self.beta, self.nuisance
        near = 1.0 / (1.0 - SIGMA2)
        shrink = (1.0 - SIGMA2) / (1.0 - SIGMA1)
        offset = market.offset_lists[self.segment]
        weights = [0.0] * OFFERS
        nests = []
        for members in market.members[self.segment]:
            values = [
                (beta * market.capability[j] - alpha * log(market.price[j] + nuisance) + offset[j]) * near
                for j in members
            ]
            top = max(values)
            total = 0.0
            for j, value in zip(members, values, strict=True):
                weights[j] = exp(value - top)
                total += weights[j]
            nests.append((members, total, (top + log(total)) * shrink))
        top = max(nest[2] for nest in nests)
        whole = sum(exp(nest[2] - top) for nest in nests)
        log_inclusive = top + log(whole)
        for members, total, inclusive in nests:
            share = exp(inclusive - top) / whole / total
            for j in members:
                weights[j] *= share
        target = 1.0 / (1.0 + exp(-(1.0 - SIGMA1) * log_inclusive))
        self.adoption += ADOPTION_RATE * (target - self.adoption)
        volume = self.weight * exp(ETA * (1.0 - SIGMA1) / alpha * (log_inclusive - REFERENCE))
        held = sum(self.portfolio)
        demand = volume * self.adoption
        tokens = market.tokens[self.segment]
        if held > 0.0:
            keep = (1.0 - PORTFOLIO_RATE) / held
            portfolio = [keep * p + PORTFOLIO_RATE * w for p, w in zip(self.portfolio, weights, strict=True)]
        else:
            portfolio = weights
        self.portfolio = portfolio
        for j, share in enumerate(portfolio):
            tokens[j] += demand * share


class NumpyEnterprise(RowEnterprise):
    """An enterprise that uses NumPy on its own offers; those of a segment are prepared, by model."""

    def __init__(self, market: ObjectMarket, row: int) -> None:
        super().__init__(market, row)
        self.portfolio = np.zeros(market.grouped[self.segment][0].size)
        self.empty = True

    def step(self) -> None:
        """Choose, adopt, move the portfolio and ask for tokens."""
        market: ObjectMarket = self.model
        capability, price, offset, starts, sizes = market.grouped[self.segment]
        value = self.beta * capability
        value -= self.alpha * np.log(price + self.nuisance)
        value += offset
        value /= 1.0 - SIGMA2
        top = value.max()  # one shift is enough for these numbers
        weights = np.exp(value - top)
        total = np.add.reduceat(weights, starts)
        inclusive = (np.log(total) + top) * ((1.0 - SIGMA2) / (1.0 - SIGMA1))
        highest = inclusive.max()
        nest = np.exp(inclusive - highest)
        whole = nest.sum()
        log_inclusive = float(highest) + math.log(whole)
        weights *= (nest / (total * whole)).repeat(sizes)
        target = 1.0 / (1.0 + math.exp(-(1.0 - SIGMA1) * log_inclusive))
        self.adoption += ADOPTION_RATE * (target - self.adoption)
        volume = self.weight * math.exp(ETA * (1.0 - SIGMA1) / self.alpha * (log_inclusive - REFERENCE))
        if self.empty:
            self.portfolio, self.empty = weights, False
        else:
            self.portfolio += PORTFOLIO_RATE * (weights - self.portfolio)
        market.tokens[self.segment] += volume * self.adoption * self.portfolio


class ObjectMarket(mesa.Model):
    """A market of one Mesa object an enterprise."""

    def __init__(self, world: World, kind: type[mesa.Agent]) -> None:
        super().__init__(rng=1)
        self.world = world
        self.pure = kind is PythonEnterprise
        self.capability = world.capability.tolist()
        self.price = world.price.tolist()
        self.offset_lists = world.offset.astype(float).tolist()
        self.members: list[list[list[int]]] = []
        self.grouped: list[tuple[Any, ...]] = []
        self.order: list[NDArray[np.int64]] = []
        for s in range(SEGMENTS):
            members = [
                [j for j in range(OFFERS) if world.model[j] == m and world.offset[s, j] > -np.inf]
                for m in range(MODELS)
            ]
            self.members.append([m for m in members if m])
            order = np.array([j for m in members for j in m])
            sizes = np.array([len(m) for m in members if m])
            starts = np.r_[0, np.cumsum(sizes)[:-1]]
            offset = world.offset[s, order].astype(float)
            self.order.append(order)
            self.grouped.append((world.capability[order], world.price[order], offset, starts, sizes))
        for row in range(world.alpha.size):
            kind(self, row)
        self.tokens: list[Any] = []

    def step(self) -> None:
        """One quarter of demand."""
        if self.pure:
            self.tokens = [[0.0] * OFFERS for _ in range(SEGMENTS)]
        else:
            self.tokens = [np.zeros(order.size) for order in self.order]
        self.agents.do("step")

    def tokens_by_offer(self) -> NDArray[np.float64]:
        """Tokens asked for, (segments, offers)."""
        if self.pure:
            return np.array(self.tokens)
        table = np.zeros((SEGMENTS, OFFERS))
        for s, order in enumerate(self.order):
            table[s, order] = self.tokens[s]
        return table
