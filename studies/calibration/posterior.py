"""What a posterior says: how far it contracts from the prior, and what it predicts, also of what it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evidence.facts import constants
from studies.calibration.emulator import predict
from studies.calibration.tempering import effective, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.calibration.likelihood import Likelihood
    from studies.calibration.observables import Observable
    from studies.space import Space

    Array = NDArray[np.float64]

UNIFORM_VARIANCE = 1.0 / 12.0
"""Of a coordinate of the unit cube under the prior."""

RESAMPLES = 500
"""Bootstrap samples behind an interval."""

WELL, LITTLE = 0.5, 0.1
"""A parameter is well informed when its variance falls by half, and a little when it falls by a tenth, both at the
lower end of the interval: labels to sort a table by, and no tests."""

LEAST_EFFECTIVE = 50.0
"""With weights that are worth fewer draws than this, a posterior is drawn anew and not reweighted."""

GRID = 199
"""Quantiles of each normal of a mixture from which the mixture's quantiles are taken."""


def levels() -> tuple[float, float, float]:
    """The quantiles that bound intervals, and the median."""
    tail = (1.0 - constants()["interval_level"]) / 2.0
    return tail, 0.5, 1.0 - tail


def parameters(space: Space, unit: Array, generator: np.random.Generator) -> pd.DataFrame:
    """A row a parameter: prior and posterior intervals, and how much the evidence says of it.

    ``contraction`` is one less the ratio of posterior to prior variance, in quantiles of the prior, with a bootstrap
    interval; ``divergence`` that of Kullback and Leibler from the prior, in bits (Vasicek's estimate of entropy from
    spacings); ``default_at`` the posterior's share of draws below the default, by which the hand calibration lies in it.

    Args:
        space: the parameters.
        unit: equally weighted draws, shape (draws, parameters).
        generator: of the bootstrap.
    """
    from scipy.stats import differential_entropy

    shares = np.array(levels())
    values = space.values(unit)
    prior = space.values(np.repeat(shares[:, None], len(space), axis=1))
    posterior = np.quantile(values, shares, axis=0)
    picks = generator.integers(0, len(unit), (RESAMPLES, len(unit)))
    rows = []
    for place, parameter in enumerate(space.parameters):
        own = unit[:, place]
        ratio = own.var(ddof=1) / UNIFORM_VARIANCE
        low, high = np.quantile(
            1.0 - own[picks].var(axis=1, ddof=1) / UNIFORM_VARIANCE, [shares[0], shares[2]]
        )
        bits = -float(differential_entropy(own, base=2.0)) if len(np.unique(own)) > 1 else np.inf
        rows.append(
            {
                "parameter": parameter.name,
                "group": space.groups[place],
                "unit": parameter.unit,
                "default": parameter.default,
                **_named("prior", prior[:, place]),
                **_named("posterior", posterior[:, place]),
                "default_at": float((values[:, place] < parameter.default).mean()),
                "contraction": float(1.0 - ratio),
                "contraction_low": float(low),
                "contraction_high": float(high),
                "divergence": max(bits, 0.0),
                "informed": informed(float(low)),
            }
        )
    frame = pd.DataFrame(rows)
    return frame.sort_values("contraction", ascending=False, kind="stable", ignore_index=True)


def informed(contraction: float) -> str:
    """How much the evidence says of a parameter, by the lower end of its contraction's interval."""
    return "well" if contraction >= WELL else "a little" if contraction >= LITTLE else "not"


def predicted(
    asked: Sequence[Observable],
    likelihood: Likelihood,
    prior: Array,
    unit: Array,
    hand: Array,
    generator: np.random.Generator,
) -> pd.DataFrame:
    """A row an observable: where it is by the prior, the hand calibration and the posterior, and if that is plausible.

    ``model_*`` are of the model's own value, ``replicated_*`` of an observation made by it, with all errors. ``others``
    is what parameters that are not fitted could add, as a standard deviation. ``share_below`` is the share of
    replicated observations below what was observed: near 0 or 1 the model misses it.

    Args:
        asked: the observables.
        likelihood: of all runs.
        prior: observables of runs over the prior, shape (points, observables).
        unit: draws from the posterior, shape (draws, parameters).
        hand: observables of runs at the defaults, shape (seeds, observables).
        generator: of the replicated observations.
    """
    shares = np.array(levels())
    mean, variance = predict(likelihood.emulators, unit)
    made = likelihood.replicated(unit, generator)
    luck = np.sqrt(np.diag(likelihood.chance))
    rows = []
    for place, each in enumerate(asked):
        emulator = likelihood.emulators[place]
        rows.append(
            {
                "observable": each.id,
                "statement": each.statement,
                "scale": each.scale,
                "observed": float(likelihood.observed[place]),
                "error": each.error,
                "discrepancy": each.discrepancy,
                "others": float(np.sqrt(likelihood.unfitted[place, place])),
                "chance": float(luck[place]),
                "emulator": float(np.sqrt(np.median(variance[:, place]))),
                "emulator_explains": emulator.explained,
                "emulator_covers": emulator.coverage(constants()["interval_level"]),
                **_named("prior", _quantiles(prior[:, place], shares)),
                **_named("hand", _quantiles(hand[:, place], shares)),
                **_named("model", np.quantile(mean[:, place], shares)),
                **_named("replicated", np.quantile(made[:, place], shares)),
                "share_below": float((made[:, place] < likelihood.observed[place]).mean()),
                "error_source": each.error_source,
                "discrepancy_source": each.discrepancy_source,
            }
        )
    return pd.DataFrame(rows)


def held_out(
    asked: Sequence[Observable], likelihood: Likelihood, unit: Array, generator: np.random.Generator
) -> pd.DataFrame:
    """A row an observable: what all others predict of it, and whether it lies in that interval.

    Draws are weighted by the inverse of how likely the held-out observation is given the others (Gelfand, Dey and Chang
    1992), weights cut at the root of the number of draws times their mean (Ionides 2008); where they are worth too few
    draws, the posterior without the observation is drawn anew.
    """
    from scipy.special import logsumexp, ndtr, ndtri

    tail, _, upper = levels()
    mean, variance = likelihood.conditional(unit)
    grid = ndtri((np.arange(GRID) + 0.5) / GRID)
    rows = []
    for place, each in enumerate(asked):
        seen = likelihood.observed[place]
        m, v = mean[:, place], variance[:, place]
        logs = 0.5 * (np.square(seen - m) / v + np.log(v))
        weights = np.exp(logs - logsumexp(logs))
        weights = np.minimum(weights, weights.mean() * np.sqrt(len(weights)))
        worth, anew = effective(weights), False
        if worth < LEAST_EFFECTIVE and len(asked) > 1:
            draws = sample(likelihood.without(place), unit.shape[1], len(unit), generator)
            m, v = (part[:, place] for part in likelihood.conditional(draws.unit))
            weights, worth, anew = np.ones(len(m)), float(len(m)), True
        weights = weights / weights.sum()
        below = float(weights @ ndtr((seen - m) / np.sqrt(v)))
        low, middle, high = _weighted(
            (m[:, None] + np.sqrt(v)[:, None] * grid).ravel(),
            np.repeat(weights / GRID, GRID),
            np.array(levels()),
        )
        rows.append(
            {
                "observable": each.id,
                "statement": each.statement,
                "observed": float(seen),
                "predicted_low": low,
                "predicted_median": middle,
                "predicted_high": high,
                "share_below": below,
                "inside": bool(tail <= below <= upper),
                "effective_draws": worth,
                "drawn_anew": anew,
            }
        )
    return pd.DataFrame(rows)


def _weighted(values: Array, weights: Array, shares: Array) -> list[float]:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    places = np.minimum(np.searchsorted(reached, shares * reached[-1]), len(values) - 1)
    found: list[float] = values[order][places].tolist()
    return found


def _quantiles(values: Array, shares: Array) -> Array:
    known = values[np.isfinite(values)]
    return np.quantile(known, shares) if len(known) else np.full(len(shares), np.nan)


def _named(name: str, found: Array) -> dict[str, float]:
    low, middle, high = found.tolist()
    return {f"{name}_low": low, f"{name}_median": middle, f"{name}_high": high}
