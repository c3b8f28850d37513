"""Sellers of tokens, vendors and clouds alike: what a line costs them, what they earn on it, what they charge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import price_rule, taste
from model.form import linear_at, token_nests
from model.hosting import life_hours
from model.pricing import Buyers, best_responses, buyers, effective_cost, partial_adjustment

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class PriceList:
    """All that a seller knows when it sets prices: offers, buyers and who earns what on each token.

    ``own[f, k]`` is the weight of the margin on offer *k* in what firm *f* maximises (kappa of *f* in the firm that sets
    its price; 0 where a venue asks its cost), ``other[f, k]`` the money (USD/Mtok) that *f* earns on offer *k* through
    its other lines: hours of its fleet, services on top, chips under it. Shapes (firms, offers); ``cost`` and ``price``
    (offers,).
    """

    firms: dict[str, int]
    own: FloatArray
    other: FloatArray
    cost: FloatArray
    price: FloatArray
    buyers: Buyers


def decide_prices(known: PriceList, setter: IntArray, floor: float) -> FloatArray:
    """Best response of every seller on its own lines to all other posted prices, USD/Mtok, shape (offers,).

    ``setter`` (offers,) is the firm that decides each price, -1 where nobody does. Bertrand with ownership (DESIGN
    section 4): a seller maximises kappa-weighted margins over every line on which it or a firm that it has a stake in
    earns.
    """
    response = best_responses(
        known.buyers, known.price, setter, known.cost, known.own, known.other, floor=floor
    )
    return np.asarray(response.price)


def decide_cost_price(full_cost: FloatArray, markup: float) -> FloatArray:
    """What a venue of the buyers' own charges: full cost and no more than its mark-up."""
    return np.asarray(full_cost * (1.0 + markup))


def patience(cash: float, burn: float, owned: bool, quarters: float) -> float:
    """How far a seller can afford to price for tomorrow's customers, 0 to 1: with cash or an owner behind it."""
    if owned:
        return 1.0
    if burn <= 0.0:
        return 1.0 if cash > 0.0 else 0.0
    return min(max(cash / (burn * quarters), 0.0), 1.0)


def price_list(market: Market) -> PriceList:
    """The market's price list as arrays."""
    p, book = market.parameters, market.offers
    lines, kappa = book.lines, market.kappa()
    own = np.where(lines.at_cost, 0.0, kappa[:, lines.setter])
    known = market.demand.reference
    reference = (
        np.zeros(len(market.types.weight)) if known is None else market.types.mixture @ np.nan_to_num(known)
    )
    touch = linear_at(p)
    return PriceList(
        firms=market.firm_number,
        own=own,
        other=kappa @ earned_beside(market),
        cost=_costs(market),
        price=book.price.copy(),
        buyers=buyers(
            market.types.alpha,
            market.types.beta,
            market.types.weight,
            lines.capability - p.capability_reference,
            book.model_groups(),
            *token_nests(p),
            h=market.types.nuisance,
            eta=p.eta * p.demand_elasticity,
            home=market.seen,
            reference_log_inclusive=reference,
            tangent=None if touch is None else touch + market.types.nuisance[:, None],
        ),
    )


def earned_beside(market: Market) -> FloatArray:
    """USD/Mtok that each firm earns on each offer beside its price, shape (firms, offers).

    The host on its hours, the seller on services, the chipmaker on chips that wear out.
    """
    p, book = market.parameters, market.offers
    lines, offers = book.lines, np.arange(len(book))
    served = np.isfinite(book.unit_cost)
    earned = np.zeros((len(market.firms), len(book)))
    # An owner's cost is the resource cost: what its fleet takes above that is its own line.
    hosted = served & (lines.host != lines.setter)
    earned[lines.host[hosted], offers[hosted]] += book.transfer[hosted] - book.resource[hosted]
    # One more token brings its part of the services that are up for choice.
    value = (lines.reach @ market.service_value) / lines.reach.sum(axis=1) * p.service_margin
    services = np.where(served & ~lines.at_cost, value * p.service_contested_share, 0.0)
    earned[lines.seller, offers] += services
    margins = chip_margins(market)
    # An hour of an idle fleet wears out nothing that has to be bought again: its maker earns with its rental.
    again = np.minimum(market.hour_costs.rental_factor, 1.0)[lines.fleet, lines.purpose]
    hours = np.where(served, book.hours_per_mtok, 0.0)
    earned[: margins.shape[1]] += margins[lines.fleet].T * (again * hours)
    return earned


def chip_margins(market: Market) -> FloatArray:
    """USD that each chipmaker earns on an hour of each host's inference chips that is bought again after use.

    Shape (fleets, chipmakers), makers in their order in the market.
    """
    chips = market.catalogue.chips
    units = market.fleets.inference_units()
    total = units.sum(axis=1, keepdims=True)
    share = np.divide(units, total, out=np.zeros_like(units), where=total > 0.0)
    margin = (chips.price - chips.unit_cost) / life_hours(market.parameters)
    of_maker = chips.maker[:, None] == np.arange(len(market.chipmakers))
    return np.asarray((share * margin) @ of_maker)


def _costs(market: Market) -> FloatArray:
    """Effective unit costs: resource or transfer cost less what a locked-in customer is worth tomorrow, (offers,).

    1 of an offer that cannot be served. Myopic sellers do not count on tomorrow.
    """
    p, book = market.parameters, market.offers
    # A cloud is a line of a larger group, and so is a vendor that a firm of the market controls.
    patient = np.ones(len(market.firms))
    for name, vendor in market.vendors.items():
        patient[market.firm_number[name]] = patience(
            vendor.cash, vendor.research, market.parent_of(name) != name, p.raise_runway_quarters
        )
    weight = patient[book.lines.setter]
    served = np.isfinite(book.unit_cost)
    cost = np.where(served, book.unit_cost, 1.0)
    margin = np.maximum(book.expected_margin, 0.0) * (p.lock_in_share * p.forward_prices)
    reduced = effective_cost(cost, p.discount_factor, 1.0 - p.portfolio_rate, margin)
    lowered = np.maximum(cost + weight * (reduced - cost), p.price_floor_usd_per_mtok)
    return np.where(served, lowered, cost)


def post(market: Market) -> None:
    """The fifth event: sellers learn their unit costs and move prices part of the way to their best responses."""
    p, book = market.parameters, market.offers
    market.listing.refresh()
    market.offset, market.seen = taste.look(market)
    known = price_list(market)
    lines, offers = book.lines, book.offers
    sold = np.isfinite(book.unit_cost) & np.isfinite(market.offset).any(axis=0)
    # A foundation asks what it costs, and venues of the buyers' own their cost and a mark-up.
    foundation = np.array([getattr(firm, "foundation", False) for firm in market.firms.values()])
    target = np.where(
        lines.at_cost, decide_cost_price(book.full_cost, p.venue_markup),
        np.where(foundation[lines.setter], book.unit_cost, book.price),
    )  # fmt: skip
    target = np.where(sold, target, book.price)
    deciding = sold & ~lines.at_cost & ~foundation[lines.setter]
    best = decide_prices(known, np.where(deciding, lines.setter, -1), p.price_floor_usd_per_mtok)
    target[deciding] = best[deciding]
    # Of two of its own products a seller would price the worse one out of the market without end.
    target = np.clip(target, p.price_floor_usd_per_mtok, p.price_ceiling_usd_per_mtok)
    target = price_rule.within(market, target)
    moved, capped = partial_adjustment(
        known.price, target, p.price_adjustment, p.price_threshold, p.price_move_cap
    )
    moved = price_rule.within(market, moved)
    fresh = lines.since == market.t
    change = np.log(moved / book.price)
    if market.t > 0:
        book.price[:] = np.where(fresh, target, moved)
    else:
        book.price[:] = np.where(fresh, book.price, moved)
    told = ~fresh & (capped | (np.abs(change) >= p.price_event_threshold))
    for j in np.flatnonzero(told):
        offer, step = offers[j], float(change[j])
        subject = f"{offer.model.name} on {offer.seller}, {offer.area}"
        if capped[j]:
            market.event("price at cap", offer.setter, subject, step, "log points")
        else:
            market.event("price move", offer.setter, subject, float(np.expm1(step)), "relative change")
