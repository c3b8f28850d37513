"""Verdicts over many worlds at once: what a claim's chances are when parameters are in doubt, and not only luck."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evidence.claims import Claim, claims
from evidence.ensemble import values
from evidence.facts import constants
from evidence.judge import Verdict, judge, likelihood

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.batch import Batch
    from studies.evaluation import Evaluation

    Array = NDArray[np.float64]


def verdicts(batch: Batch, asked: Iterable[Claim] | None = None) -> list[Verdict]:
    """Verdicts over all worlds and seeds of a batch together, in the order of the claims.

    Worlds count alike, as draws from a distribution do. See :func:`share` for the interval of a probability.
    """
    wanted = tuple(claims() if asked is None else asked)
    by_world = values(batch, None, wanted)
    tables = {
        claim.id: np.array(
            [
                [by_world[label].get(claim.id, {}).get(seed, np.inf) for seed in batch.seeds]
                for label in batch.labels
            ]
        )
        for claim in wanted
    }
    return of_tables(tables, wanted)


def of_tables(tables: Mapping[str, Array], asked: Sequence[Claim]) -> list[Verdict]:
    """The same from values of each claim's metric, shape (worlds, seeds): nan where undefined, inf where not tested."""
    found = []
    for claim in asked:
        table = tables.get(claim.id, np.empty((0, 0)))
        tested = ~np.isposinf(table)
        verdict = judge({claim.id: table[tested].tolist()}, [claim])[0]
        if verdict.probability is not None:
            held = np.array([[float(claim.holds(v)) for v in row] for row in table.tolist()])
            held[np.isnan(table)] = 0.0
            held[~tested] = np.nan
            low, high = share(held)
            verdict = replace(
                verdict,
                probability_low=low,
                probability_high=high,
                word=likelihood(verdict.probability, low, high),
            )
        found.append(verdict)
    return found


def share(held: Array) -> tuple[float, float]:
    """The interval of the share of ones, shape (worlds, seeds), nan where not tested.

    Runs of one world are alike, and so are runs of one seed: the variance of the share is that of two crossed random
    effects (Searle, Casella and McCulloch 1992, chapter 4), and the interval Wilson's with as many trials as give this
    variance. One seed tells nothing of what seeds add, nor one world of what worlds do. Where all agree, worlds count.
    """
    known = np.isfinite(held)
    rows = known.any(1)
    kept = held[rows]
    whole = np.isfinite(kept).all(0)
    count = int(known.sum())
    probability = float(np.nansum(held) / count)
    trials = float(max(kept.shape))
    spread = probability * (1.0 - probability)
    # Runs that failed leave holes: effects are told from the seeds that every world has, or from worlds alone.
    square = kept[:, whole] if whole.any() else np.nanmean(kept, axis=1, keepdims=True)
    if spread > 0.0:
        variance = _variance(square)
        trials = min(max(spread / variance, 1.0), float(count)) if variance > 0.0 else float(count)
    return _wilson(probability, trials, constants()["interval_level"])


def _variance(held: Array) -> float:
    """The variance of the grand mean of a crossed table, shape (worlds, seeds)."""
    worlds, seeds = held.shape
    mean = held.mean()
    row, column = held.mean(1), held.mean(0)
    of_rows = seeds * np.square(row - mean).sum() / (worlds - 1) if worlds > 1 else 0.0
    of_columns = worlds * np.square(column - mean).sum() / (seeds - 1) if seeds > 1 else 0.0
    if worlds == 1 or seeds == 1:
        return float((of_rows + of_columns) / held.size)
    rest = np.square(held - row[:, None] - column[None, :] + mean).sum() / ((worlds - 1) * (seeds - 1))
    # An estimate of a component of variance may fall below zero: then it is none.
    return float(max(of_rows + of_columns - rest, of_rows, of_columns, rest) / held.size)


def _wilson(probability: float, trials: float, level: float) -> tuple[float, float]:
    """Wilson's interval with a number of trials that need not be whole."""
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    spread = z * z / trials
    centre = (probability + spread / 2.0) / (1.0 + spread)
    half = (
        z / (1.0 + spread) * math.sqrt(probability * (1.0 - probability) / trials + spread / (4.0 * trials))
    )
    low = 0.0 if probability == 0.0 else max(0.0, centre - half)
    high = 1.0 if probability == 1.0 else min(1.0, centre + half)
    return low, high


def beside(ensembles: Mapping[str, Evaluation]) -> pd.DataFrame:
    """A row a headline claim that needs no other world: how it stands in each of some ensembles.

    Columns of an ensemble begin with its name: ``NAME_probability``, ``_low``, ``_high``, ``_word``, ``_median``,
    ``_runs``. A run that failed tests nothing.
    """
    asked = [claim for claim in claims() if claim.headline and not claim.worlds]
    found = {}
    for name, each in ensembles.items():
        tables = {c.id: np.where(each.failed, np.inf, each.table[c.id]) for c in asked if c.id in each.table}
        found[name] = of_tables(tables, asked)
    rows = []
    for place, claim in enumerate(asked):
        row: dict[str, object] = {"claim": claim.id, "kind": claim.kind, "statement": claim.statement}
        for name, judged in found.items():
            verdict = judged[place]
            row |= {
                f"{name}_probability": verdict.probability,
                f"{name}_low": verdict.probability_low,
                f"{name}_high": verdict.probability_high,
                f"{name}_word": verdict.word,
                f"{name}_median": verdict.median,
                f"{name}_runs": verdict.seeds,
            }
        rows.append(row)
    return pd.DataFrame(rows)
