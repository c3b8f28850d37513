"""Buyers as a seller sees them: types with tastes, their demand at given prices and its derivatives.

Tokens and chips are the same here: ``intensity`` is how many units of an offer a type buys per unit of what
it consumes (1 for tokens; chip hours per unit of work for chips). It only counts units: a buyer who
compares offers by the cost of its work has ``- alpha ln(intensity)`` in ``home``, since that cost is
intensity * (price + h). Utility is in the log of price + h, or linear in it where a ``tangent`` is given.

    buyers(alpha[I], beta[I], weights[I], capability[J], model[J], sigma1, sigma2, *, h, eta, volume, home,
           intensity, reference_log_inclusive, tangent) -> Buyers
    quantities(buyers, price[J]) -> (J,)          choices(buyers, price[J]) -> Choice
    derivatives(buyers, price[J]) -> (J, J)       profit(buyers, price, cost, stake[J], upstream[J]) -> float
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.demand import Choice, Floats, check_nests, groups_of, log_shares, logistic, price_term

ALPHA_SAFE = 1.1  # below it a lone seller's markup passes 1000 % and prices answer costs violently


@dataclass(frozen=True)
class Buyers:
    """Types of buyer before prices; made by ``buyers``, which checks the arrays."""

    alpha: Floats  # (I,) taste for log price, or for price over the tangent
    mass: Floats  # (I,) weight times V0 / B_ref^(eta(1-sigma1)/alpha): consumption where ln B = 0
    weights: Floats  # (I,) share or number of buyers of the type
    value: Floats  # (I, J) utility without price; minus infinity where not available
    nuisance: Floats  # (I, J) h, in the unit of price
    intensity: Floats  # (I, J) units of the offer per unit of consumption
    model: NDArray[np.int64]  # (J,) models numbered from 0
    sigma1: float
    sigma2: float
    eta: float
    tangent: Floats | None = None  # (I, J) price + h at which linear utility touches the log form; None: log

    def values_at(self, price: Floats) -> Floats:
        """Utility (I, J) at prices (J,)."""
        return np.asarray(self.value - self.alpha[:, None] * price_term(price + self.nuisance, self.tangent))

    def pace_at(self, price: Floats) -> Floats:
        """What alpha is divided by in the slope of utility in price, (I, J): price + h, or the tangent."""
        return price + self.nuisance if self.tangent is None else self.tangent


def buyers(
    alpha: ArrayLike,
    beta: ArrayLike,
    weights: ArrayLike,
    capability: ArrayLike,
    model: ArrayLike,
    sigma1: float,
    sigma2: float,
    *,
    h: ArrayLike = 0.0,
    eta: float = 0.0,
    volume: ArrayLike | None = None,
    home: ArrayLike | None = None,
    intensity: ArrayLike | None = None,
    reference_log_inclusive: ArrayLike = 0.0,
    tangent: ArrayLike | None = None,
) -> Buyers:
    """Check and combine what is known of buyers before prices.

    ``alpha``, ``beta``, ``weights``, ``volume`` V0 (default 1) and ``reference_log_inclusive`` ln B_ref are
    by type, (I,); ``capability`` and ``model`` by offer, (J,); ``home`` (everything else in utility, minus
    infinity where not available) and ``intensity`` are (I, J); ``h`` is a scalar, (I,) or (I, J), in the
    unit of price. With a ``tangent``, which broadcasts to (I, J), utility is linear in price and touches the
    log form where price + h is the tangent.

    Raises ValueError where sigma1 > sigma2, an alpha is 1 or less in the log form (revenue then never falls with
    the price, and no profit-maximising price exists) or not above 0, or a shape, sign or NaN is wrong; warns where
    an alpha of the log form is below ``ALPHA_SAFE``.
    """
    check_nests(sigma1, sigma2)
    taste, weight = _vector("alpha", alpha), _vector("weights", weights)
    quality = _vector("capability", capability)
    types, offers = taste.size, quality.size
    groups = groups_of(model)
    if groups.shape != (offers,) or weight.shape != (types,):
        raise ValueError(
            f"alpha and weights are by type, capability and model by offer; got alpha {taste.shape}, "
            f"weights {weight.shape}, capability {quality.shape}, model {groups.shape}"
        )
    active = weight > 0.0
    if (weight < 0.0).any() or not active.any():
        raise ValueError("weights must not be negative, and at least one must be positive")
    lowest = float(taste[active].min())
    if lowest <= 0.0:
        raise ValueError(f"alpha = {lowest:.4g}: buyers must like lower prices; keep every alpha above 0")
    if tangent is None and lowest <= 1.0:
        raise ValueError(
            f"alpha = {lowest:.4g}: with a taste for log price of 1 or less revenue never falls with "
            "the price and no best price exists; keep every alpha above 1 with a margin"
        )
    if tangent is None and lowest < ALPHA_SAFE:
        warnings.warn(
            f"alpha = {lowest:.4g} is close to 1, where prices explode: expect markups of alpha/(alpha-1) = "
            f"{lowest / (lowest - 1.0):.3g} times cost where that type is what remains",
            RuntimeWarning,
            stacklevel=2,
        )
    own = np.asarray(h, float)
    nuisance, h_range = _table("h", own[:, None] if own.ndim == 1 else own, types, offers)
    units, unit_range = _table("intensity", 1.0 if intensity is None else intensity, types, offers)
    value, home_range = _table("home", 0.0 if home is None else home, types, offers)
    if h_range[0] < 0.0 or unit_range[0] < 0.0 or home_range[1] == np.inf:
        raise ValueError("h and intensity must not be negative, and home must be below infinity")
    touch = None
    if tangent is not None:
        touch, (low, high) = _table("tangent", tangent, types, offers)
        if not (low > 0.0 and high < np.inf):
            raise ValueError("tangent must be above zero and finite: it is a price with the buyer's own cost")
    reference = np.broadcast_to(np.asarray(reference_log_inclusive, float), (types,))
    base = np.ones(types) if volume is None else _vector("volume", volume)
    mass = weight * base * np.exp(-eta * (1.0 - sigma1) / taste * reference)
    value += np.outer(_vector("beta", beta), quality)
    return Buyers(
        taste, mass, weight, value, nuisance, units, groups, float(sigma1), float(sigma2), float(eta), touch
    )


def _vector(name: str, values: ArrayLike) -> Floats:
    array = np.array(values, float, order="C")
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"{name} must be a vector of finite numbers, got shape {array.shape}")
    return array


def _table(name: str, values: ArrayLike, types: int, offers: int) -> tuple[Floats, tuple[float, float]]:
    """A table (I, J) of its own, with its lowest and highest value."""
    array = np.asarray(values, float)
    low, high = float(array.min(initial=np.inf)), float(array.max(initial=-np.inf))
    if np.isnan(low):
        raise ValueError(f"{name} holds NaN")
    table = np.empty((types, offers))
    try:
        table[:] = array
    except ValueError:
        raise ValueError(f"{name} must broadcast to ({types}, {offers}), got {array.shape}") from None
    return table, (low, high)


def choices(demand: Buyers, price: Floats) -> Choice:
    """Target (long-run) choice of every type at prices (J,)."""
    of_model, of_nest, log_inclusive = log_shares(
        demand.values_at(price), demand.model, demand.sigma1, demand.sigma2
    )
    adoption = logistic((1.0 - demand.sigma1) * log_inclusive)
    within = np.exp(of_nest)
    return Choice(adoption[:, None] * within, within, np.exp(of_model), adoption, log_inclusive)


def consumption(demand: Buyers, choice: Choice) -> Floats:
    """w V by type, (I,), in units of consumption: mass * B^(eta(1-sigma1)/alpha)."""
    if demand.eta == 0.0:
        return demand.mass
    power = demand.eta * (1.0 - demand.sigma1) / demand.alpha
    level = np.where(np.isfinite(choice.log_inclusive), choice.log_inclusive, 0.0)
    return np.asarray(demand.mass * np.exp(power * level))


def quantities(demand: Buyers, price: Floats) -> Floats:
    """Units demanded of each offer, (J,): q_j = sum_i w_i V_i s_ij intensity_ij."""
    choice = choices(demand, price)
    return np.asarray(consumption(demand, choice) @ (choice.share * demand.intensity))


def derivatives(demand: Buyers, price: Floats) -> Floats:
    """dq_j/dp_k in row j and column k, (J, J): -Lambda + Gamma of DESIGN section 4."""
    choice = choices(demand, price)
    own, cross = slopes(demand, price, choice)
    return np.asarray(cross - np.diag(own))


def slopes(demand: Buyers, price: Floats, choice: Choice) -> tuple[Floats, Floats]:
    """Lambda's diagonal (J,) and Gamma (J, J), with dq/dp = -Lambda + Gamma (Morrow and Skerlos 2011)."""
    near, far = 1.0 / (1.0 - demand.sigma2), 1.0 / (1.0 - demand.sigma1)
    volume = consumption(demand, choice)[:, None]
    bought = volume * choice.share * demand.intensity
    pace = demand.pace_at(price)
    alpha = demand.alpha[:, None]
    own = np.einsum("ij,ij->j", bought, alpha * near / pace)
    pull = (alpha * (choice.share + (far - 1.0) * choice.within) - demand.eta * choice.within) / pace
    same = demand.model[:, None] == demand.model[None, :]
    sibling = (near - far) * (bought.T @ (alpha * choice.within_model / pace))
    return np.asarray(own), np.asarray(bought.T @ pull + np.where(same, sibling, 0.0))


def profit(
    demand: Buyers, price: Floats, cost: Floats, stake: ArrayLike = 1.0, upstream: ArrayLike = 0.0
) -> float:
    """What one seller earns: sum_k (stake_k (p_k - c_k) + upstream_k) q_k, in money per period.

    ``stake`` (J,) is the seller's row of the ownership matrix, ``upstream`` (J,) its earnings per unit of
    each offer on other lines, weighted by kappa already.
    """
    margin = np.asarray(stake, float) * (price - cost) + np.asarray(upstream, float)
    return float(np.sum(margin * quantities(demand, price)))
