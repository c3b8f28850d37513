"""Price indices of offers: unit value, fixed basket, chained Fisher, constant quality, hedonic, dispersion.

Tidy arrays of equal length hold one row an offer and quarter: ``quarter`` (integers from 0), ``offer`` (any
integer id), ``price`` (USD/Mtok), ``tokens`` (Mtok), ``capability`` (log10 effective FLOP). Indices over time
return one value for each quarter 0 ... ``quarters - 1``, nan where they cannot be computed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def unit_value(price: ArrayLike, tokens: ArrayLike) -> float:
    """Revenue over tokens, shapes that broadcast; nan when nothing was sold."""
    prices, quantities = _floats(price), _floats(tokens)
    sold = float(quantities.sum())
    return float((prices * quantities).sum()) / sold if sold > 0.0 else np.nan


def laspeyres(price0: ArrayLike, price1: ArrayLike, tokens0: ArrayLike) -> float:
    """Cost of the old basket at new over old prices, rows matched; nan when the basket is worth nothing."""
    return _ratio(_floats(price1) * _floats(tokens0), _floats(price0) * _floats(tokens0))


def paasche(price0: ArrayLike, price1: ArrayLike, tokens1: ArrayLike) -> float:
    """Cost of the new basket at new over old prices, rows matched; nan when it was worth nothing."""
    return _ratio(_floats(price1) * _floats(tokens1), _floats(price0) * _floats(tokens1))


def fisher(price0: ArrayLike, tokens0: ArrayLike, price1: ArrayLike, tokens1: ArrayLike) -> float:
    """Geometric mean of Laspeyres and Paasche, rows matched (Fisher 1922)."""
    return float(np.sqrt(laspeyres(price0, price1, tokens0) * paasche(price0, price1, tokens1)))


def hedonic_factor(
    price0: ArrayLike,
    tokens0: ArrayLike,
    capability0: ArrayLike,
    price1: ArrayLike,
    tokens1: ArrayLike,
    capability1: ArrayLike,
) -> float:
    """Price change between two quarters at constant capability, as a factor.

    Adjacent-period time dummy: ln price = a + b capability + d [second quarter], weighted by each offer's
    share of its quarter's tokens; the factor is exp(d) (Triplett 2006; de Haan 2015). Rows need not match.
    Offers without price or tokens are left out. nan when a quarter is empty, or when capability differs
    between the quarters but not within them, so that price and quality cannot be told apart.
    """
    log0, quality0, weight0 = _hedonic_rows(price0, tokens0, capability0)
    log1, quality1, weight1 = _hedonic_rows(price1, tokens1, capability1)
    if log0.size == 0 or log1.size == 0:
        return np.nan
    # Frisch-Waugh: with a dummy a quarter, the slope comes from variation within the quarters.
    mean_log0, mean_quality0 = float(weight0 @ log0), float(weight0 @ quality0)
    mean_log1, mean_quality1 = float(weight1 @ log1), float(weight1 @ quality1)
    spread = float(weight0 @ (quality0 - mean_quality0) ** 2 + weight1 @ (quality1 - mean_quality1) ** 2)
    shift = mean_quality1 - mean_quality0
    rounding = np.finfo(np.float64).eps * max(abs(mean_quality0), abs(mean_quality1), 1.0)
    if spread <= rounding**2:
        return float(np.exp(mean_log1 - mean_log0)) if abs(shift) <= rounding else np.nan
    moved = float(
        weight0 @ ((quality0 - mean_quality0) * (log0 - mean_log0))
        + weight1 @ ((quality1 - mean_quality1) * (log1 - mean_log1))
    )
    return float(np.exp(mean_log1 - mean_log0 - moved / spread * shift))


def fixed_basket(
    quarter: ArrayLike,
    offer: ArrayLike,
    price: ArrayLike,
    tokens: ArrayLike,
    base: ArrayLike,
    quarters: int,
) -> Floats:
    """Laspeyres index on the pooled basket of the quarters in ``base``, whose unit values are 1.

    An offer that leaves is carried at its last price, one that had not entered at its first; nan in quarters in
    which nothing of the basket is on sale. Raises ValueError for an offer that appears twice in a quarter.
    """
    when, ids, prices, quantities = _tidy(quarter, offer, price, tokens)
    in_base = np.isin(when, np.asarray(base)) & (quantities > 0.0)
    basket, place = np.unique(ids[in_base], return_inverse=True)
    amount = np.bincount(place, weights=quantities[in_base], minlength=basket.size)
    spent = float((prices[in_base] * quantities[in_base]).sum())
    index = np.full(quarters, np.nan)
    if basket.size == 0 or spent <= 0.0:
        return index
    panel = np.full((quarters, basket.size), np.nan)
    kept = np.isin(ids, basket)
    panel[when[kept], np.searchsorted(basket, ids[kept])] = prices[kept]
    on_sale = ~np.isnan(panel)
    for column in range(basket.size):
        seen = np.flatnonzero(on_sale[:, column])
        last_seen = seen[np.maximum(np.searchsorted(seen, np.arange(quarters), side="right") - 1, 0)]
        panel[:, column] = panel[last_seen, column]
    return np.where(on_sale.any(axis=1), panel @ amount / spent, np.nan)


def chained_fisher(
    quarter: ArrayLike, offer: ArrayLike, price: ArrayLike, tokens: ArrayLike, quarters: int
) -> Floats:
    """Fisher index of offers matched between adjacent quarters, chained, 1 in the first quarter with a sale.

    nan before it, and from the first pair of quarters without a matched sale on. Raises ValueError for an
    offer that appears twice in a quarter.
    """
    when, ids, prices, quantities = _tidy(quarter, offer, price, tokens)
    index, first = _chain_start(when, quantities, quarters)
    for t in range(first + 1, quarters):
        old, new = np.flatnonzero(when == t - 1), np.flatnonzero(when == t)
        _, from_old, from_new = np.intersect1d(ids[old], ids[new], assume_unique=True, return_indices=True)
        i, j = old[from_old], new[from_new]
        index[t] = index[t - 1] * fisher(prices[i], quantities[i], prices[j], quantities[j])
    return index


def chained_hedonic(
    quarter: ArrayLike, price: ArrayLike, tokens: ArrayLike, capability: ArrayLike, quarters: int
) -> Floats:
    """``hedonic_factor`` between adjacent quarters, chained, 1 in the first quarter with a sale."""
    when = np.asarray(quarter, dtype=np.int64)
    prices, quantities, quality = _floats(price), _floats(tokens), _floats(capability)
    index, first = _chain_start(when, quantities, quarters)
    for t in range(first + 1, quarters):
        old, new = when == t - 1, when == t
        index[t] = index[t - 1] * hedonic_factor(
            prices[old], quantities[old], quality[old], prices[new], quantities[new], quality[new]
        )
    return index


def price_at_quality(price: ArrayLike, capability: ArrayLike, reference: float) -> float:
    """Lowest posted price at or above a reference capability; nan when no offer reaches it."""
    prices = _floats(price)[_floats(capability) >= reference]
    return float(prices.min()) if prices.size else np.nan


def constant_quality(
    quarter: ArrayLike,
    region: ArrayLike,
    price: ArrayLike,
    capability: ArrayLike,
    reference: float,
    quarters: int,
    regions: int,
) -> Floats:
    """``price_at_quality`` by quarter and region, shape (quarters, regions); ``region`` counts from 0."""
    when, where = np.asarray(quarter, dtype=np.int64), np.asarray(region, dtype=np.int64)
    prices, quality = _floats(price), _floats(capability)
    reached = quality >= reference
    lowest = np.full((quarters, regions), np.inf)
    np.minimum.at(lowest, (when[reached], where[reached]), prices[reached])
    return np.where(np.isinf(lowest), np.nan, lowest)


def constant_quality_index(lowest: ArrayLike) -> Floats:
    """Chain of equal-weight means over regions of (quarters, regions) prices, 1 in the first with a price.

    Only regions that have a price in both quarters link them, so that a region's entry does not move the
    index; nan before the first price and from the first pair of quarters that no region links.
    """
    table = _floats(lowest)
    index = np.full(table.shape[0], np.nan)
    served = np.flatnonzero(~np.isnan(table).all(axis=1))
    if served.size == 0:
        return index
    index[served[0]] = 1.0
    for t in range(int(served[0]) + 1, table.shape[0]):
        both = ~np.isnan(table[t - 1]) & ~np.isnan(table[t])
        index[t] = index[t - 1] * _ratio(table[t][both], table[t - 1][both])
    return index


def rebase(index: ArrayLike, base: ArrayLike) -> Floats:
    """Index divided by its mean over the quarters in ``base``, so that their pooled level is 1."""
    values = _floats(index)
    return np.asarray(values / values[np.asarray(base, dtype=np.int64)].mean())


def dispersion(price: ArrayLike) -> float:
    """Standard deviation of log prices, equal weights, in log points; nan and zero prices are left out."""
    prices = _floats(price)
    prices = prices[prices > 0.0]
    return float(np.log(prices).std()) if prices.size else np.nan


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _ratio(above: Floats, below: Floats) -> float:
    total = float(below.sum())
    return float(above.sum()) / total if total > 0.0 else np.nan


def _chain_start(when: Integers, quantities: Floats, quarters: int) -> tuple[Floats, int]:
    """An index that is 1 in the first quarter with a sale and nan elsewhere, and that quarter."""
    sold = when[quantities > 0.0]
    first = int(sold.min()) if sold.size else quarters
    index = np.full(quarters, np.nan)
    index[first : first + 1] = 1.0
    return index, first


def _hedonic_rows(
    price: ArrayLike, tokens: ArrayLike, capability: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    prices, quantities, quality = _floats(price), _floats(tokens), _floats(capability)
    kept = (prices > 0.0) & (quantities > 0.0)
    # A fixed order of summation gives the same bytes whatever the order of the rows.
    order = np.lexsort((quantities[kept], quality[kept], prices[kept]))
    weights = quantities[kept][order]
    shares = weights / weights.sum() if weights.size else weights
    return np.log(prices[kept][order]), quality[kept][order], shares


def _tidy(
    quarter: ArrayLike, offer: ArrayLike, price: ArrayLike, tokens: ArrayLike
) -> tuple[Integers, Integers, Floats, Floats]:
    when, ids = np.asarray(quarter, dtype=np.int64), np.asarray(offer, dtype=np.int64)
    order = np.lexsort((ids, when))
    when, ids = when[order], ids[order]
    twice = (np.diff(when) == 0) & (np.diff(ids) == 0)
    if twice.any():
        first = int(np.flatnonzero(twice)[0])
        raise ValueError(f"offer {ids[first]} appears twice in quarter {when[first]}: add its rows up first")
    return when, ids, _floats(price)[order], _floats(tokens)[order]
