"""Enterprises: who buys tokens. One population of columns, and a Mesa agent as the view of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.facts import KEPT
from model.demand import new_portfolio, remap_portfolio, shares, step
from model.form import linear_at, token_nests
from model.offer import Offer
from model.parameters import Parameters
from model.place import REGION_INDEX, SIZES
from model.trend import faded_growth

if TYPE_CHECKING:
    from model.market import Market

Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class Cell:
    """Enterprises of one region, sector and size: the rows of ``evidence/segments.csv``."""

    region: int
    sector: str
    size: str
    firms: float
    workload_mtok: float
    alpha_factor: float
    beta_factor: float


@lru_cache(maxsize=KEPT)
def cells(parameters: Parameters) -> tuple[Cell, ...]:
    """The cells of the population in the order of the table; workloads in Mtok a quarter and firm."""
    return tuple(
        Cell(
            region=REGION_INDEX[str(row["region"])],
            sector=str(row["sector"]),
            size=str(row["size"]),
            firms=float(row["firms"]),
            workload_mtok=float(row["workload_mtok_per_quarter"]) * parameters.workload_scale,
            alpha_factor=float(row["alpha_factor"]),
            beta_factor=float(row["beta_factor"]),
        )
        for row in parameters.facts("segments")
    )


class Population:
    """The enterprises as columns, each of shape (enterprises,) and float32 where that is enough.

    ``alpha`` and ``beta`` are tastes for log price and for capability, ``nuisance`` the buyer's own cost
    of using a million tokens (USD), ``firms`` the real firms that a row stands for, ``workload`` their
    potential tokens together (Mtok a quarter at the reference inclusive value), ``cell`` the row of
    :func:`cells`. State: ``adoption`` (share of the workload on LLMs) and ``portfolio`` (shares of the
    offers within it, shape (enterprises, offers)).
    """

    def __init__(self, parameters: Parameters, size: int, stream: np.random.Generator) -> None:
        self.cells = cells(parameters)
        count = _allocate(size, np.array([c.firms * c.workload_mtok for c in self.cells]))
        self.region_of_cell = np.array([c.region for c in self.cells])
        self.large = np.array([c.size == SIZES[0] for c in self.cells])
        self.cell = np.repeat(np.arange(len(self.cells), dtype=np.int32), count)
        self.region = self.region_of_cell[self.cell]
        n = len(self.cell)
        normal = stream.standard_normal((4, n))
        spread = parameters.taste_spread
        alpha_mean = np.array([parameters.alpha_mean * c.alpha_factor for c in self.cells])[self.cell]
        excess = np.maximum(alpha_mean - parameters.alpha_floor, parameters.alpha_floor * spread)
        alpha = parameters.alpha_floor + excess * _mean_one(spread, normal[0])
        beta_mean = np.array([parameters.beta_mean * c.beta_factor for c in self.cells])[self.cell]
        beta = beta_mean * _mean_one(spread, normal[1])
        # The value of capability in money, beta over alpha, has a bound: without one a single row outgrows the world.
        beta = np.minimum(beta, parameters.taste_ratio_most * alpha)
        nuisance = parameters.nuisance_usd_per_mtok * _mean_one(parameters.nuisance_spread, normal[2])
        dispersion = _mean_one(parameters.workload_spread, normal[3])
        firms = np.array([c.firms for c in self.cells])[self.cell] / count[self.cell]
        total = np.bincount(self.cell, weights=dispersion, minlength=len(self.cells))
        workload = (
            np.array([c.firms * c.workload_mtok for c in self.cells])[self.cell]
            * dispersion
            / total[self.cell]
        )
        self.alpha: Float32Array = alpha.astype(np.float32)
        self.beta: Float32Array = beta.astype(np.float32)
        self.nuisance: Float32Array = nuisance.astype(np.float32)
        self.firms: Float32Array = firms.astype(np.float32)
        self.workload: Float32Array = workload.astype(np.float32)
        self.adoption: Float32Array = np.zeros(n, dtype=np.float32)
        self.portfolio: Float32Array = new_portfolio(n, 0)

    def __len__(self) -> int:
        return len(self.cell)

    def weight_at(self, market: Market) -> Float32Array:
        """Potential tokens of each row this quarter, Mtok."""
        return np.asarray(self.workload * self.growth_at(market)[self.region])

    def growth_at(self, market: Market) -> Float32Array:
        """What multiplies the workloads of each region this quarter: the latent trend and this quarter's business."""
        p = market.parameters
        years, rate = market.years, float(np.log1p(p.workload_growth))
        # The latent trend fades: it is what firms learn to do with language models, not what they cost.
        grown = faded_growth(rate, p.workload_growth_fade, years) if years > 0.0 else rate * years
        swing = market.interventions.swing(market.t, bought=True)
        return np.asarray((np.exp(grown) * market.business.tokens * swing).astype(np.float32))

    def types(self, groups: int) -> ConsumerTypes:
        """What market research tells sellers: a few types by region, size and taste for price."""
        region = np.array([c.region for c in self.cells])[self.cell]
        size = np.array([SIZES.index(c.size) for c in self.cells])[self.cell]
        stratum = region * len(SIZES) + size
        label = np.empty(len(self), dtype=np.int64)
        for s in np.unique(stratum):
            rows = np.flatnonzero(stratum == s)
            ranked = rows[np.argsort(self.alpha[rows], kind="stable")]
            share = np.cumsum(self.workload[ranked].astype(np.float64))
            label[ranked] = s * groups + np.minimum((share / share[-1] * groups).astype(np.int64), groups - 1)
        kinds, label = np.unique(label, return_inverse=True)
        weight = np.bincount(label, weights=self.workload.astype(np.float64))

        def mean(column: Float32Array) -> NDArray[np.float64]:
            return np.bincount(label, weights=self.workload.astype(np.float64) * column) / weight

        mixture = np.zeros((len(kinds), len(self.cells)))
        np.add.at(mixture, (label, self.cell), self.workload.astype(np.float64))
        return ConsumerTypes(
            alpha=mean(self.alpha),
            beta=mean(self.beta),
            nuisance=mean(self.nuisance),
            weight=np.asarray(weight, dtype=np.float64),
            cell=np.array([self.cell[label == kind][0] for kind in range(len(kinds))], dtype=np.int64),
            mixture=mixture / weight[:, None],
        )


@dataclass(frozen=True)
class ConsumerTypes:
    """Tastes and weights (Mtok a quarter) of a few consumer types, each of shape (types,).

    ``mixture`` says which cells a type is made of, shape (types, cells), rows sum to one; ``cell`` is one of them.
    """

    alpha: NDArray[np.float64]
    beta: NDArray[np.float64]
    nuisance: NDArray[np.float64]
    weight: NDArray[np.float64]
    cell: NDArray[np.int64]
    mixture: NDArray[np.float64]


def _mean_one(spread: float, normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lognormal draws of mean one and log standard deviation ``spread``."""
    return np.asarray(np.exp(spread * normal - spread * spread / 2.0))


def _allocate(size: int, value: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many rows stand for each cell: one at least, the rest by the square root of its value.

    The square root lets small cells be seen without much precision lost in large ones (Neyman 1934).

    Raises:
        ValueError: there are fewer rows than cells.
    """
    if size < len(value):
        raise ValueError(
            f"enterprises = {size} cannot cover the {len(value)} segments: write {len(value)} or more"
        )
    share = np.sqrt(value)
    ideal = share / share.sum() * (size - len(value))
    count = np.floor(ideal).astype(np.int64)
    short = size - len(value) - int(count.sum())
    count[np.argsort(count - ideal, kind="stable")[:short]] += 1
    return np.asarray(count + 1)


class Enterprise(mesa.Agent):
    """A view of one row of the population. Made on demand; it holds no state of its own."""

    model: Market

    def __init__(self, market: Market, row: int) -> None:
        # A view is not a member of the model's agent set: registering it would keep it alive.
        self.model = market
        self.row = row
        self.unique_id = row
        self.pos = None

    @property
    def _population(self) -> Population:
        return self.model.population

    @property
    def cell(self) -> Cell:
        """Region, sector and size."""
        return self._population.cells[int(self._population.cell[self.row])]

    @property
    def alpha(self) -> float:
        """Taste for log price."""
        return float(self._population.alpha[self.row])

    @property
    def beta(self) -> float:
        """Taste for capability."""
        return float(self._population.beta[self.row])

    @property
    def firms(self) -> float:
        """Real firms that it stands for."""
        return float(self._population.firms[self.row])

    @property
    def adoption(self) -> float:
        """Share of its potential workload on LLMs."""
        return float(self._population.adoption[self.row])

    @property
    def portfolio(self) -> dict[tuple[str, str, str, str], float]:
        """Share of each offer (model, channel, seller, area) in its LLM workload, largest first."""
        row = self._population.portfolio[self.row]
        offers = self.model.offers.offers
        return {offers[j].key: float(row[j]) for j in np.argsort(-row, kind="stable") if row[j] > 0}


class Enterprises:
    """The sequence of enterprises: ``market.enterprises[i]`` makes the view of row *i*."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def __len__(self) -> int:
        return len(self._market.population)

    def __getitem__(self, row: int) -> Enterprise:
        size = len(self)
        if not -size <= row < size:
            raise IndexError(f"enterprise {row} does not exist: there are {size}, numbered from 0")
        return Enterprise(self._market, row % size)


@dataclass
class Demand:
    """What enterprises asked for and got this quarter, in Mtok.

    ``demanded`` and ``served`` have shape (cells, offers), ``adopters`` (cells,) counts real firms' workload
    on LLMs. ``reference`` is ln B from which volume is measured, (cells,): that of the first recorded quarter, or
    of the first in which anything was offered to the cell; nan until then.
    """

    demanded: NDArray[np.float64]
    served: NDArray[np.float64]
    adopters: NDArray[np.float64]
    reference: NDArray[np.float64] | None = None
    offers: Sequence[Offer] = ()
    version: int = -1

    @classmethod
    def empty(cls, market: Market) -> Demand:
        """Before the first quarter."""
        cells = len(market.population.cells)
        return cls(np.zeros((cells, 0)), np.zeros((cells, 0)), np.zeros(cells))


def consume(market: Market) -> None:
    """The sixth event: enterprises adopt, allocate and consume; what a fleet cannot serve is rationed."""
    p, book, population = market.parameters, market.offers, market.population
    demand = market.demand
    if demand.version != book.version:
        _carry_over(market)
    home = market.offset.astype(np.float32)
    capability = book.lines.capability - p.capability_reference
    price = book.price
    groups = book.model_groups()
    if market.t >= market.record_from and len(book):
        demand.reference = _reference(market, demand.reference, capability, price, groups)
    reference = (
        0.0 if demand.reference is None else np.where(np.isnan(demand.reference), 0.0, demand.reference)
    )
    # Before the reference is known volume does not respond: it is measured from there.
    eta = p.eta * p.demand_elasticity if demand.reference is not None else 0.0
    demand.demanded = np.empty((len(population.cells), len(book)))
    step(
        population.alpha,
        population.beta,
        population.nuisance,
        population.workload,
        population.cell,
        capability,
        price,
        home,
        groups,
        *token_nests(p),
        eta,
        reference,
        p.adoption_rate,
        p.portfolio_rate,
        population.adoption,
        population.portfolio,
        demand.demanded,
        firms=population.firms,
        growth=population.growth_at(market)[population.region_of_cell],
        adopters_out=demand.adopters,
        linear_at=linear_at(p),
    )
    market.traffic.load(market)


def _carry_over(market: Market) -> None:
    """Give the portfolio a column for each offer on the list; those that left take their shares with them."""
    demand, book, population = market.demand, market.offers, market.population
    # Offers keep their order, and new ones come at the end.
    moved, now, at = [], book.offers, 0
    for offer in demand.offers:
        stays = at < len(now) and now[at] is offer
        moved.append(at if stays else -1)
        at += stays
    population.portfolio = remap_portfolio(population.portfolio, moved, len(book))
    demand.offers, demand.version = book.offers, book.version


def _reference(
    market: Market,
    known: NDArray[np.float64] | None,
    capability: NDArray[np.float64],
    price: NDArray[np.float64],
    groups: NDArray[np.int64],
) -> NDArray[np.float64]:
    """``known``, with ln B of the mean buyer now in the cells that had no offer before, shape (cells,)."""
    if known is not None and not np.isnan(known).any():
        return known
    p, population = market.parameters, market.population
    count = np.bincount(population.cell, minlength=len(population.cells))

    def mean(column: Float32Array) -> NDArray[np.float64]:
        return np.bincount(population.cell, weights=column, minlength=len(population.cells)) / count

    choice = shares(
        mean(population.alpha),
        mean(population.beta),
        mean(population.nuisance),
        capability,
        price,
        market.offset,
        groups,
        *token_nests(p),
        linear_at=linear_at(p),
    )
    now = np.where(np.isfinite(choice.log_inclusive), choice.log_inclusive, np.nan)
    return now if known is None else np.where(np.isnan(known), now, known)


def applications(market: Market) -> NDArray[np.float64]:
    """Deployed applications by cell: adopting firms' share of work on LLMs times what such a firm runs at full use."""
    p = market.parameters
    full = np.where(market.population.large, p.applications_large, p.applications_small)
    return np.asarray(market.demand.adopters * full)
