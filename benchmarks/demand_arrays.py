"""The demand step in plain NumPy: arrays over the whole population in double precision, or in blocks in single.

An array lies offer by offer, (offers, enterprises), so that NumPy's inner loops are long, and sums over the offers of
a model are matrix products; both are faster than what comes to mind first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.demand_world import (
    ADOPTION_RATE,
    ETA,
    OFFERS,
    PORTFOLIO_RATE,
    REFERENCE,
    SEGMENTS,
    SIGMA1,
    SIGMA2,
    World,
)

BLOCK = 4096
"""Enterprises a block: its arrays stay in the second-level cache."""

Numbers = NDArray[Any]


@dataclass
class Block:
    """Some neighbours of the population and the offers that some of them can buy, model by model.

    ``taste`` has a column for all or one for each; ``member`` (models, offers) is one where an offer is of a model,
    ``group`` the model of each offer. ``spans`` are the segments in it, with their first and last enterprise.
    """

    rows: slice
    offers: slice | NDArray[np.int64]
    capability: Numbers
    price: Numbers
    taste: Numbers
    member: Numbers
    group: NDArray[np.int64]
    spans: list[tuple[int, slice]]
    portfolio: Numbers | None = None


class ArrayStep:
    """The step in whole arrays of float64, or in blocks of one segment of float32."""

    def __init__(self, world: World, blocked: bool) -> None:
        self.dtype = np.float32 if blocked else np.float64
        self.order = np.argsort(world.model, kind="stable")
        self.alpha, self.beta = self._typed(world.alpha), self._typed(world.beta)
        self.nuisance, self.weight = self._typed(world.nuisance), self._typed(world.weight)
        self.adoption = np.zeros(self.alpha.size, self.dtype)
        self.tokens = np.zeros((SEGMENTS, OFFERS))
        edges = [int(edge) for edge in np.searchsorted(world.segment, np.arange(SEGMENTS + 1))]
        segments = [(s, slice(edges[s], edges[s + 1])) for s in range(SEGMENTS) if edges[s] < edges[s + 1]]
        if blocked:
            self.blocks = [
                self._block(world, slice(start, min(start + BLOCK, span.stop)), s, span)
                for s, span in segments
                for start in range(span.start, span.stop, BLOCK)
            ]
        else:
            self.blocks = [self._whole(world, segments)]

    def _typed(self, values: Any) -> Numbers:
        return np.ascontiguousarray(values, self.dtype)

    def _block(self, world: World, rows: slice, segment: int, span: slice) -> Block:
        offers = self.order[world.offset[segment, self.order] > -np.inf]
        taste = world.offset[segment, offers][:, None]
        return self._of(world, rows, offers, taste, [(segment, slice(0, rows.stop - rows.start))])

    def _whole(self, world: World, segments: list[tuple[int, slice]]) -> Block:
        taste = world.offset[world.segment][:, self.order].T
        return self._of(world, slice(0, self.alpha.size), self.order, taste, segments)

    def _of(
        self, world: World, rows: slice, offers: NDArray[np.int64], taste: Any, spans: list[tuple[int, slice]]
    ) -> Block:
        models, group = np.unique(world.model[offers], return_inverse=True)
        return Block(
            rows,
            offers,
            self._typed(world.capability[offers])[:, None],
            self._typed(world.price[offers])[:, None],
            self._typed(taste),
            self._typed(group == np.arange(models.size)[:, None]),
            group,
            spans,
        )

    def step(self) -> None:
        """One quarter of demand."""
        self.tokens[:] = 0.0
        for block in self.blocks:
            self._quarter(block)

    def _quarter(self, block: Block) -> None:
        alpha, beta = self.alpha[block.rows], self.beta[block.rows]
        weights = block.price + self.nuisance[block.rows]
        np.log(weights, out=weights)
        weights *= -alpha
        weights += beta * block.capability
        weights += block.taste
        weights *= 1.0 / (1.0 - SIGMA2)
        top = weights.max(axis=0)  # one shift is enough for these numbers
        weights -= top
        np.exp(weights, out=weights)
        total = block.member @ weights
        np.maximum(total, np.finfo(self.dtype).tiny, out=total)
        inclusive = np.log(total)
        inclusive += top
        inclusive *= (1.0 - SIGMA2) / (1.0 - SIGMA1)
        highest = inclusive.max(axis=0)
        inclusive -= highest
        nest = np.exp(inclusive, out=inclusive)
        whole = nest.sum(axis=0)
        log_inclusive = np.log(whole)
        log_inclusive += highest
        nest /= total
        nest /= whole
        weights *= nest[block.group]
        adoption: Numbers = self.adoption[block.rows]
        target: Numbers = 1.0 / (1.0 + np.exp((SIGMA1 - 1.0) * log_inclusive))
        target -= adoption
        target *= ADOPTION_RATE
        adoption += target
        volume = np.exp(ETA * (1.0 - SIGMA1) / alpha * (log_inclusive - REFERENCE))
        volume *= self.weight[block.rows]
        volume *= adoption
        if block.portfolio is None:
            block.portfolio = weights
        else:
            weights -= block.portfolio
            weights *= PORTFOLIO_RATE
            block.portfolio += weights
        for segment, rows in block.spans:
            self.tokens[segment, block.offers] += block.portfolio[:, rows] @ volume[rows]
