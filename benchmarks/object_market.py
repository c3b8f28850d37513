"""The reference of the batch benchmark: our market with one plain Mesa object an enterprise, for ``mesa.batch_run``.

All firms decide and all is recorded by the same code as in :class:`model.market.Market`. What differs is what Mesa's
tutorials would do otherwise: an enterprise is a ``mesa.Agent`` with state of its own, stepped through an ``AgentSet``,
and a ``DataCollector`` holds the headline columns. Inside, each agent uses NumPy over its offers; what the enterprises
of a cell share is prepared once a quarter and not by each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest import mock

import mesa
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from agents import enterprise
from model import calendar
from model.market import Market
from model.records import tables
from model.setting import Setting
from scenarios.scenario import load

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HEADLINE = tuple(column.column for column in tables()["quarters"])
NAN = float("nan")
TINY = 1e-300
"""Keeps the power of a model whose offers are all but worthless finite."""


@cache
def setting_of(scenario: str, enterprises: int) -> Setting:
    """A scenario by name or path, with so many enterprises."""
    return load(scenario, {"enterprises": float(enterprises)})


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the enterprises of one cell can buy this quarter, model by model, and its tokens that they ask for.

    ``quality`` and ``offset`` are those of utility over 1 - sigma2. ``carried`` says where each offer was on the
    shelf of the last quarter (one past its end if it was not there), None if all are where they were.
    """

    offers: Ints
    quality: Floats
    price: Floats
    offset: Floats
    starts: Ints
    sizes: Ints
    carried: Ints | None
    reference: float
    tokens: Floats


@dataclass(frozen=True, slots=True)
class Rates:
    """The numbers of a quarter that all enterprises share."""

    near: float
    shrink: float
    flatten: float
    grow: float
    adoption: float
    portfolio: float


class ObjectEnterprise(mesa.Agent):
    """An enterprise with tastes, adoption and a portfolio of its own."""

    model: ObjectMarket

    def __init__(self, market: ObjectMarket, row: int) -> None:
        super().__init__(market)
        population = market.population
        self.row = row
        self.cell = int(population.cell[row])
        self.alpha, self.beta = float(population.alpha[row]), float(population.beta[row])
        self.nuisance, self.firms = float(population.nuisance[row]), float(population.firms[row])
        self.adoption = 0.0
        self.portfolio: Floats = np.zeros(0)

    def buy(self) -> None:
        """Choose, adopt, move the portfolio and ask for tokens: the equations of ``model/demand.py``."""
        market = self.model
        shelf, rates = market.shelves[self.cell], market.rates
        if not shelf.offers.size:
            self.adoption -= rates.adoption * self.adoption
            self.portfolio = shelf.price
            market.adopters[self.cell] += self.firms * self.adoption
            return
        cost = shelf.price + self.nuisance
        np.log(cost, out=cost)
        cost *= self.alpha * rates.near
        weights = shelf.quality * self.beta
        weights -= cost
        weights += shelf.offset
        top = float(np.maximum.reduce(weights))
        weights -= top
        np.exp(weights, out=weights)
        total = np.add.reduceat(weights, shelf.starts)
        np.maximum(total, TINY, out=total)
        factor = total ** (rates.shrink - 1.0)
        whole = float(total.dot(factor))
        log_inclusive = top * rates.shrink + math.log(whole)
        factor /= whole
        weights *= factor.repeat(shelf.sizes)

        self.adoption += rates.adoption * (_logistic(rates.flatten * log_inclusive) - self.adoption)
        market.adopters[self.cell] += self.firms * self.adoption
        if shelf.carried is not None:
            held = np.append(self.portfolio, 0.0)[shelf.carried]
            some = float(np.add.reduce(held))
            self.portfolio = held / some if some > 0.0 else weights
        self.portfolio = self.portfolio + rates.portfolio * (weights - self.portfolio)
        grown = math.exp(rates.grow / self.alpha * (log_inclusive - shelf.reference))
        asked: Floats = (market.weights[self.row] * grown * self.adoption) * self.portfolio
        np.add(shelf.tokens, asked, out=shelf.tokens)


def _logistic(x: float) -> float:
    small = math.exp(-abs(x))
    return (1.0 if x >= 0.0 else small) / (1.0 + small)


class ObjectMarket(Market):
    """The market with an object an enterprise, as ``mesa.batch_run`` takes it: one quarter a step, then it stops."""

    shelves: list[Shelf]
    rates: Rates
    weights: list[float]
    adopters: list[float]

    def __init__(self, seed: int, scenario: str, enterprises: int) -> None:
        super().__init__(setting_of(scenario, enterprises), seed)
        for row in range(len(self.population)):
            ObjectEnterprise(self, row)
        self._moved: Ints | None = None
        self._stood: list[Ints] = [np.zeros(0, np.int64)] * len(self.population.cells)
        self.datacollector = mesa.DataCollector(
            model_reporters={column: lambda market: NAN for column in HEADLINE}
        )

    def step(self) -> None:
        """One quarter, with the population's kernel replaced."""
        with (
            mock.patch.object(enterprise, "step", self.step_enterprises),
            mock.patch.object(enterprise, "remap_portfolio", self.move_portfolios),
        ):
            super().step()
        self.datacollector.collect(self)
        self.running = not self.finished
        if self.finished:
            self.report()

    def report(self) -> None:
        """Give the collector the headline of all quarters: price indices are known when the base year is.

        Nothing is known of the quarters before the first recorded one.
        """
        columns, frame = self.datacollector.model_vars, self.tables()["quarters"]
        for name in HEADLINE:
            columns[name][-len(frame) :] = frame[name].tolist()

    # ------------------------------------------------------------------------------------------ in place of ours

    def move_portfolios(
        self, portfolio: NDArray[np.float32], old_to_new: ArrayLike, offers: int
    ) -> NDArray[np.float32]:
        """Remember where offers went; each enterprise moves its own portfolio when it buys."""
        self._moved = np.asarray(old_to_new, np.int64)
        return portfolio

    def step_enterprises(
        self,
        alpha: Any,
        beta: Any,
        nuisance: Any,
        weight: NDArray[np.float32],
        segment: Any,
        capability: Floats,
        price: Floats,
        offset: NDArray[np.float32],
        groups: Ints,
        sigma1: float,
        sigma2: float,
        eta: float,
        reference: float | Floats,
        adoption_rate: float,
        portfolio_rate: float,
        adoption: Any,
        portfolio: Any,
        tokens_out: Floats,
        *,
        firms: Any,
        growth: Floats,
        adopters_out: Floats,
        linear_at: float | None = None,
    ) -> None:
        """Step every enterprise, with the arguments of :func:`model.demand.step`; the columns are not used.

        Raises NotImplementedError for utility that is linear in price, which these objects do not know.
        """
        if linear_at is not None:
            raise NotImplementedError("plain objects know utility in the log of price alone")
        flatten = 1.0 - sigma1
        self.rates = Rates(
            near=1.0 / (1.0 - sigma2),
            shrink=(1.0 - sigma2) / flatten,
            flatten=flatten,
            grow=eta * flatten,
            adoption=adoption_rate,
            portfolio=portfolio_rate,
        )
        self.weights = (weight * growth[segment].astype(np.float32)).tolist()
        self.adopters = [0.0] * len(adopters_out)
        references = np.broadcast_to(reference, len(offset)).tolist()
        by_model = np.argsort(groups, kind="stable")
        self.shelves = [
            self._shelf(cell, by_model, capability, price, offset[cell], groups, references[cell])
            for cell in range(len(offset))
        ]
        self._moved = None
        self.agents_by_type[ObjectEnterprise].do("buy")
        tokens_out[:] = 0.0
        for cell, shelf in enumerate(self.shelves):
            tokens_out[cell, shelf.offers] = shelf.tokens
        adopters_out[:] = self.adopters

    def _shelf(
        self,
        cell: int,
        by_model: Ints,
        capability: Floats,
        price: Floats,
        offset: NDArray[np.float32],
        groups: Ints,
        reference: float,
    ) -> Shelf:
        offers = by_model[offset[by_model] > -np.inf]
        group = groups[offers]
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if offers.size else offers
        stood = self._stood[cell]
        stands = stood if self._moved is None else self._moved[stood]
        carried = None
        if not np.array_equal(stands, offers):
            place = np.full(len(groups), stood.size)
            kept = stands >= 0
            place[stands[kept]] = np.flatnonzero(kept)
            carried = place[offers]
        self._stood[cell] = offers
        near = self.rates.near
        return Shelf(
            offers=offers,
            quality=capability[offers] * near,
            price=price[offers],
            offset=offset[offers].astype(float) * near,
            starts=starts,
            sizes=np.diff(np.r_[starts, offers.size]),
            carried=carried,
            reference=reference,
            tokens=np.zeros(offers.size),
        )


def recorded(rows: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """The rows of recorded quarters, in the form of our table ``quarters``."""
    # From the end: Mesa counts steps from nought or, later, from one.
    quarters = calendar.index(setting.last) - calendar.index(setting.record_from) + 1
    return rows.sort_values("Step")[list(HEADLINE)].tail(quarters).reset_index(drop=True)
