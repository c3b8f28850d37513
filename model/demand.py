"""Demand for tokens: random-coefficients nested logit with two nests, and its compiled population step.

Enterprise i values offer j of model m at

    u_ij = beta_i * capability_j - alpha_i * ln(price_j + h_i) + offset_ij

where the offset holds home + channel + xi (minus infinity where the offer is not available to the buyer).
Utility linear in price takes the tangent of the logarithm at a stated price instead (``price_term``).
Nests: outside against all LLMs (``sigma1``), inside them the model (``sigma2 >= sigma1``); Berry (1994),
Berry, Levinsohn and Pakes (1995), Grigolon and Verboven (2014). With D_m the sum over the offers of a model
of exp(u/(1-sigma2)), the LLM nest is B = sum_m D_m^((1-sigma2)/(1-sigma1)), adoption
S = B^(1-sigma1) / (1 + B^(1-sigma1)), and volume V = V0 (B/B_ref)^(eta(1-sigma1)/alpha), so that volume and
choice come from one indirect utility.

Signatures (I buyers, J offers, S segments):

    shares(alpha[I], beta[I], nuisance, capability[J], price[J], offset, model[J], sigma1, sigma2,
           *, linear_at=None) -> Choice
    price_term(reach, tangent) -> log of price + h, or its tangent
    step(alpha[I], beta[I], nuisance[I], weight[I], segment[I], capability[J], price[J], offset[S,J],
         model[J], sigma1, sigma2, eta, reference_log_inclusive, adoption_rate, portfolio_rate,
         adoption[I], portfolio[I,J], tokens_out[S,J], *, firms=None, growth=1.0, adopters_out=None, volume_out=None,
         linear_at=None)
    new_portfolio(enterprises, offers) -> portfolio          remap_portfolio(portfolio, old_to_new, offers)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.population import population_step
from model.portfolio import new_portfolio, remap_portfolio

__all__ = [
    "Choice",
    "check_nests",
    "groups_of",
    "log_shares",
    "logistic",
    "new_portfolio",
    "price_term",
    "remap_portfolio",
    "shares",
    "step",
]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """What buyers choose at given prices; rows are buyers, columns offers, every field a pure number."""

    share: Floats  # (I, J) of the whole market, the outside option included
    within: Floats  # (I, J) of the LLM nest; a row without an available offer is zero
    within_model: Floats  # (I, J) of the offer's model
    adoption: Floats  # (I,) inside share, the sum of ``share``
    log_inclusive: Floats  # (I,) ln B; minus infinity without an available offer


def check_nests(sigma1: float, sigma2: float) -> None:
    """Raise ValueError unless 0 <= sigma1 <= sigma2 < 1, the condition for a random-utility model."""
    if not 0.0 <= sigma1 <= sigma2 < 1.0:
        raise ValueError(
            f"nests need 0 <= sigma1 <= sigma2 < 1, got sigma1 = {sigma1:g} and sigma2 = {sigma2:g}: "
            "offers of one model must be at least as close substitutes as different models"
        )


def price_term(reach: Floats, tangent: Floats | float | None) -> Floats:
    """What alpha multiplies in utility at ``reach`` = price + h: its logarithm, or the tangent of the logarithm.

    With ``tangent`` t, in the unit of price and any shape that broadcasts with ``reach``, the term is
    ln t + (reach - t) / t: linear in price, with the level and the slope of the logarithm where price + h = t. So
    the own-price elasticity alpha p / t (1 - s) agrees with that of the log form there, and grows with the price.
    """
    if tangent is None:
        return np.asarray(np.log(reach))
    return np.asarray(np.log(tangent) + (reach - tangent) / tangent)


def groups_of(model: ArrayLike) -> Ints:
    """Number the models 0, 1, ... in place of any integer labels; shape (J,) in and out."""
    labels = np.asarray(model)
    if labels.dtype.kind == "i" and labels.ndim == 1 and labels.size:
        low, high = labels.min(), labels.max()
        if low == 0 and high < labels.size and np.bincount(labels).all():
            return labels.astype(np.int64)  # as they are already
    return np.unique(np.asarray(model), return_inverse=True)[1].astype(np.int64)


def _group_log_sum(values: Floats, starts: Ints, sizes: Ints) -> tuple[Floats, Floats]:
    """Log-sum-exp over runs of columns, and each column's log share of its run."""
    top = np.maximum.reduceat(values, starts, axis=1)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = top + np.log(np.add.reduceat(np.exp(values - np.repeat(top, sizes, axis=1)), starts, axis=1))
        part = values - np.repeat(total, sizes, axis=1)
    return total, np.where(np.isneginf(values), -np.inf, part)


def log_shares(value: Floats, model: Ints, sigma1: float, sigma2: float) -> tuple[Floats, Floats, Floats]:
    """Log shares within the model (I, J), log shares within the LLM nest (I, J) and ln B (I,).

    ``value`` (I, J) is utility with price; ``model`` numbers the models from 0 without gaps.
    """
    order = np.argsort(model, kind="stable")
    grouped = model[order]
    starts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    sizes = np.diff(np.r_[starts, grouped.size])
    inner, of_model = _group_log_sum(value[:, order] / (1.0 - sigma2), starts, sizes)
    everything = np.array([0]), np.array([starts.size])
    log_inclusive, of_nest = _group_log_sum(inner * ((1.0 - sigma2) / (1.0 - sigma1)), *everything)
    back = np.argsort(order, kind="stable")
    return of_model[:, back], (of_model + np.repeat(of_nest, sizes, axis=1))[:, back], log_inclusive[:, 0]


def shares(
    alpha: ArrayLike,
    beta: ArrayLike,
    nuisance: ArrayLike,
    capability: ArrayLike,
    price: ArrayLike,
    offset: ArrayLike,
    model: ArrayLike,
    sigma1: float,
    sigma2: float,
    *,
    linear_at: float | None = None,
) -> Choice:
    """Choice probabilities in float64, the reference for the compiled step.

    ``alpha``, ``beta`` (I,) tastes; ``nuisance`` h, a scalar, (I,) or (I, J), in the unit of price;
    ``capability``, ``price``, ``model`` (J,); ``offset`` (I, J) or anything that broadcasts to it, minus
    infinity where not available. With ``linear_at``, a price, utility is linear in price and touches the log form
    there. Raises ValueError for nests out of order.
    """
    check_nests(sigma1, sigma2)
    taste, prices = np.asarray(alpha, float)[:, None], np.asarray(price, float)
    h = np.asarray(nuisance, float)
    h = h[:, None] if h.ndim == 1 else h
    value = (
        np.asarray(beta, float)[:, None] * np.asarray(capability, float)
        - taste * price_term(prices + h, None if linear_at is None else linear_at + h)
        + np.asarray(offset, float)
    )
    of_model, of_nest, log_inclusive = log_shares(value, groups_of(model), sigma1, sigma2)
    adoption = logistic((1.0 - sigma1) * log_inclusive)
    within = np.exp(of_nest)
    return Choice(adoption[:, None] * within, within, np.exp(of_model), adoption, log_inclusive)


def logistic(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0.0, 1.0, small) / (1.0 + small))


def step(
    alpha: Singles,
    beta: Singles,
    nuisance: Singles,
    weight: Singles,
    segment: NDArray[np.int32],
    capability: ArrayLike,
    price: ArrayLike,
    offset: Singles,
    model: ArrayLike,
    sigma1: float,
    sigma2: float,
    eta: float,
    reference_log_inclusive: ArrayLike,
    adoption_rate: float,
    portfolio_rate: float,
    adoption: Singles,
    portfolio: Singles,
    tokens_out: Floats,
    *,
    firms: Singles | None = None,
    growth: ArrayLike = 1.0,
    adopters_out: Floats | None = None,
    volume_out: Singles | None = None,
    linear_at: float | None = None,
) -> None:
    """One quarter of demand: adoption and portfolios move towards choice, tokens are asked for.

    Population columns, float32 (I,): ``alpha``, ``beta`` tastes, ``nuisance`` h in the unit of price,
    ``weight`` V0 in the unit of tokens, ``firms`` real firms each stands for (default ones); ``segment``
    int32 (I,), fastest when sorted. ``growth``, a scalar or (S,), multiplies V0 this quarter. Offers, (J,):
    ``capability``, ``price``, ``model`` (any integers, any order). ``offset`` float32 (S, J): home + channel +
    xi, minus infinity where the segment cannot buy. ``reference_log_inclusive`` ln B_ref, a scalar or (S,).
    With ``linear_at``, a price above zero, utility is linear in price and touches the log form there.

    State, changed in place: ``adoption`` float32 (I,), which moves the fraction ``adoption_rate`` towards
    S; ``portfolio`` float32 (I, J) from ``new_portfolio``, shares within the LLM nest, moves
    ``portfolio_rate`` towards s|L. A row is renormalised over the offers still available; a row with none
    of them starts at its target; an enterprise without any offer has target adoption 0 and an empty
    portfolio. Results, overwritten: ``tokens_out`` float64 (S, J) = sum of V * adoption * portfolio;
    ``adopters_out`` float64 (S,) = sum of firms * adoption; ``volume_out`` float32 (I,) = V.

    Raises ValueError where a shape, type or memory order is not as above.
    """
    check_nests(sigma1, sigma2)
    enterprises, (segments, offers) = alpha.size, offset.shape
    if portfolio.shape != (enterprises, offers) or not portfolio.T.flags.c_contiguous:
        raise ValueError(
            f"portfolio must be ({enterprises}, {offers}) and stored by offer: make it with new_portfolio"
        )
    if tokens_out.shape != (segments, offers):
        raise ValueError(f"tokens_out must be ({segments}, {offers}), got {tokens_out.shape}")
    if portfolio.dtype != np.float32 or adoption.dtype != np.float32:
        raise ValueError("portfolio and adoption are the state of the population and must be float32")
    done = population_step(
        _column(alpha),
        _column(beta),
        _column(nuisance),
        _column(weight),
        _by_segment(growth, segments, "growth"),
        np.ones(enterprises, np.float32) if firms is None else _column(firms),
        _column(segment, np.int32),
        _numbered(model),
        _column(capability, np.float64),
        _column(price, np.float64),
        _column(offset),
        np.float32(0.0 if linear_at is None else linear_at),
        float(sigma1),
        float(sigma2),
        float(eta),
        _by_segment(reference_log_inclusive, segments, "reference_log_inclusive"),
        float(adoption_rate),
        float(portfolio_rate),
        adoption,
        portfolio.T,
        np.empty(0, np.float32) if volume_out is None else volume_out,
        tokens_out,
        np.empty(segments) if adopters_out is None else adopters_out,
    )
    if not done:
        raise ValueError(f"segment must lie in 0..{segments - 1}, the rows of offset")


def _by_segment(values: ArrayLike, segments: int, name: str) -> Singles:
    """One number for each segment, shape (segments,), of a scalar or of as many."""
    numbers = np.asarray(values, np.float32)
    if numbers.ndim == 0 or numbers.shape == (1,):
        return np.full(segments, numbers)
    if numbers.shape != (segments,):
        raise ValueError(f"{name} must be a scalar or ({segments},), got {numbers.shape}")
    return _column(numbers)


def _numbered(model: ArrayLike) -> Ints:
    """The models numbered from 0, (J,); labels that are such numbers stay as they are."""
    labels = np.asarray(model)
    numbers = labels.dtype == np.int64 and labels.min(initial=0) >= 0 and labels.max(initial=-1) < labels.size
    return _column(labels, np.int64) if numbers else groups_of(labels)


def _column(values: ArrayLike, dtype: type = np.float32) -> NDArray[Any]:
    """As the kernel reads it; a read-only array is copied, since it would be a type to compile for anew."""
    return np.require(values, dtype, ["C", "W"])
