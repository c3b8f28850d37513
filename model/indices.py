"""Price indices of offers: unit value, fixed basket, chained Fisher, constant quality, hedonic, dispersion.

Indices over time are of a :class:`Panel` and return one value for each quarter 0 ... ``quarters - 1``, nan where they
cannot be computed. Their sums run over rows in the order of the panel's quarters and offers, whatever the order in
which rows were given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Panel:
    """Offers over quarters, one row an offer and quarter, sorted by both.

    ``quarter`` counts from 0 and ``offer`` numbers the offers from 0, ``price`` is USD/Mtok, ``tokens`` Mtok,
    ``capability`` log10 effective FLOP, shape (rows,) each; ``place`` (quarters, offers) is the row of an offer in a
    quarter, -1 where it is not on sale. ``order`` says which of the given rows each row was.
    """

    quarter: Integers
    offer: Integers
    price: Floats
    tokens: Floats
    capability: Floats
    place: Integers
    order: Integers

    @property
    def quarters(self) -> int:
        """How many quarters it spans."""
        return len(self.place)

    def of(self, kept: NDArray[np.bool_]) -> Panel:
        """The same of some of its rows only, shape (rows,)."""
        row = np.full(len(kept) + 1, -1)  # one more, for the place of none
        row[:-1][kept] = np.arange(kept.sum())
        columns = ("quarter", "offer", "price", "tokens", "capability", "order")
        return replace(self, place=row[self.place], **{name: getattr(self, name)[kept] for name in columns})

    def sums(self, values: Floats, rows: Integers | slice = slice(None)) -> Floats:
        """Sums by quarter, of all rows or some, shape (quarters,)."""
        return np.asarray(np.bincount(self.quarter[rows], values, minlength=self.quarters), dtype=np.float64)


def panel(
    quarter: ArrayLike,
    offer: ArrayLike,
    price: ArrayLike,
    tokens: ArrayLike,
    capability: ArrayLike,
    quarters: int,
) -> Panel:
    """A panel of rows in any order; offers are numbered from 0. Raises ValueError for one twice in a quarter."""
    when, ids = np.asarray(quarter, dtype=np.int64), np.asarray(offer, dtype=np.int64)
    place = np.full((quarters, int(ids.max()) + 1 if ids.size else 0), -1)
    place[when, ids] = np.arange(len(when))
    order = place[place >= 0]
    if len(order) < len(when):
        twice = int(np.flatnonzero(place[when, ids] != np.arange(len(when)))[0])
        raise ValueError(f"offer {ids[twice]} appears twice in quarter {when[twice]}: add its rows up first")
    place[place >= 0] = np.arange(len(order))
    prices, quantities, quality = (_floats(values)[order] for values in (price, tokens, capability))
    return Panel(when[order], ids[order], prices, quantities, quality, place, order)


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
    prices, quantities, quality = (
        np.concatenate([_floats(old), _floats(new)])
        for old, new in ((price0, price1), (tokens0, tokens1), (capability0, capability1))
    )
    count0, count1 = len(_floats(price0)), len(_floats(price1))
    quarter, offer = np.repeat([0, 1], [count0, count1]), np.r_[:count0, :count1]
    return float(_hedonic_factors(panel(quarter, offer, prices, quantities, quality, 2))[1])


def _hedonic(log_mean: Floats, quality_mean: Floats, spread: Floats, moved: Floats) -> Floats:
    """The factor between each quarter and the one before it, shape (quarters - 1,), from moments within quarters.

    Frisch-Waugh: with a dummy a quarter, the slope comes from variation within the quarters.
    """
    step, shift = np.diff(log_mean), np.diff(quality_mean)
    within, along = spread[1:] + spread[:-1], moved[1:] + moved[:-1]
    level = np.maximum(np.maximum(np.abs(quality_mean[1:]), np.abs(quality_mean[:-1])), 1.0)
    rounding = np.finfo(np.float64).eps * level
    apart = within > rounding**2
    slope = np.divide(along, within, out=np.zeros_like(within), where=apart)
    told = apart | (np.abs(shift) <= rounding)
    return np.where(told, np.exp(step - slope * np.where(apart, shift, 0.0)), np.nan)


def fixed_basket(offers: Panel, base: ArrayLike) -> Floats:
    """Laspeyres index on the pooled basket of the quarters in ``base``, whose unit values are 1.

    An offer that leaves is carried at its last price, one that had not entered at its first; nan in quarters in
    which nothing of the basket is on sale.
    """
    of_base = np.zeros(offers.quarters, dtype=bool)
    of_base[np.asarray(base, dtype=np.int64)] = True
    bought = np.flatnonzero(of_base[offers.quarter] & (offers.tokens > 0.0))
    amounts = np.bincount(offers.offer[bought], offers.tokens[bought], minlength=offers.place.shape[1])
    spent = float((offers.price[bought] * offers.tokens[bought]).sum())
    basket = np.flatnonzero(amounts)
    if basket.size == 0 or spent <= 0.0:
        return np.full(offers.quarters, np.nan)
    place = offers.place[:, basket]
    on_sale = place >= 0
    # Rows grow with quarters, so the largest so far is the last; before the first one, it is the first.
    last = np.maximum.accumulate(place, axis=0)
    first = place[on_sale.argmax(axis=0), np.arange(basket.size)]
    cost = offers.price[np.where(last >= 0, last, first)] @ amounts[basket]
    return np.where(on_sale.any(axis=1), cost / spent, np.nan)


def chained_fisher(offers: Panel) -> Floats:
    """Fisher index of offers matched between adjacent quarters, chained, 1 in the first quarter with a sale.

    nan before it, and from the first pair of quarters without a matched sale on.
    """
    before = np.full(len(offers.quarter), -1)
    later = np.flatnonzero(offers.quarter > 0)
    before[later] = offers.place[offers.quarter[later] - 1, offers.offer[later]]
    new = np.flatnonzero(before >= 0)
    old = before[new]
    price0, price1, tokens0, tokens1 = (
        offers.price[old],
        offers.price[new],
        offers.tokens[old],
        offers.tokens[new],
    )
    laspeyres_, paasche_ = (
        _quotients(offers.sums(price1 * tokens, new), offers.sums(price0 * tokens, new))
        for tokens in (tokens0, tokens1)
    )
    return _chained(offers, np.sqrt(laspeyres_ * paasche_))


def chained_hedonic(offers: Panel) -> Floats:
    """``hedonic_factor`` between adjacent quarters, chained, 1 in the first quarter with a sale."""
    return _chained(offers, _hedonic_factors(offers))


def _hedonic_factors(offers: Panel) -> Floats:
    """``hedonic_factor`` between each quarter and the one before it, shape (quarters,), nan in the first."""
    kept = np.flatnonzero((offers.price > 0.0) & (offers.tokens > 0.0))
    when, quality, logs = offers.quarter[kept], offers.capability[kept], np.log(offers.price[kept])
    share = offers.tokens[kept] / offers.sums(offers.tokens[kept], kept)[when]
    sold = np.bincount(when, minlength=offers.quarters) > 0
    log_mean, quality_mean = offers.sums(share * logs, kept), offers.sums(share * quality, kept)
    apart = share * (quality - quality_mean[when])
    spread = offers.sums(apart * (quality - quality_mean[when]), kept)
    moved = offers.sums(apart * (logs - log_mean[when]), kept)
    factor = np.full(offers.quarters, np.nan)
    told = sold[1:] & sold[:-1]
    factor[1:][told] = _hedonic(log_mean, quality_mean, spread, moved)[told]
    return factor


def price_at_quality(price: ArrayLike, capability: ArrayLike, reference: float) -> float:
    """Lowest posted price at or above a reference capability; nan when no offer reaches it."""
    prices = _floats(price)[_floats(capability) >= reference]
    return float(prices.min()) if prices.size else np.nan


def constant_quality(offers: Panel, region: ArrayLike, reference: float, regions: int) -> Floats:
    """``price_at_quality`` by quarter and region, shape (quarters, regions).

    ``region`` counts from 0 and is of the rows as they were given.
    """
    where = np.asarray(region, dtype=np.int64)[offers.order]
    reached = offers.capability >= reference
    lowest = np.full((offers.quarters, regions), np.inf)
    np.minimum.at(lowest, (offers.quarter[reached], where[reached]), offers.price[reached])
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


def dispersion(price: ArrayLike) -> Floats:
    """Standard deviation of log prices over the last axis, equal weights, in log points; nan and zeros are left out."""
    prices = _floats(price)
    kept = prices > 0.0
    count = kept.sum(axis=-1)
    logs = np.log(np.where(kept, prices, 1.0))
    mean = _quotients(logs.sum(axis=-1), count)
    squares = np.where(kept, (logs - np.expand_dims(mean, -1)) ** 2, 0.0)
    return np.asarray(np.sqrt(_quotients(squares.sum(axis=-1), count)))


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _ratio(above: Floats, below: Floats) -> float:
    total = float(below.sum())
    return float(above.sum()) / total if total > 0.0 else np.nan


def _quotients(above: Floats, below: ArrayLike) -> Floats:
    """Elementwise; nan where the denominator is not above zero."""
    under = _floats(below)
    return np.asarray(np.divide(above, under, out=np.full(np.shape(above), np.nan), where=under > 0.0))


def _chained(offers: Panel, factor: Floats) -> Floats:
    """The product of quarterly factors, 1 in the first quarter with a sale and nan before it."""
    sold = np.unique(offers.quarter[offers.tokens > 0.0])
    index = np.full(offers.quarters, np.nan)
    if sold.size:
        index[sold[0]] = 1.0
        index[sold[0] + 1 :] = np.cumprod(factor[sold[0] + 1 :])
    return index
