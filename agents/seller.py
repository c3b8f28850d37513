"""Sellers of tokens, vendors and clouds alike: what a line costs them, what they earn on it, what they charge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import listing, price_rule, taste
from model.form import linear_at, token_nests
from model.hosting import life_hours, purpose_of
from model.offer import Offer
from model.pricing import Buyers, best_response, buyers, effective_cost, partial_adjustment

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PriceList:
    """All that a seller knows when it sets prices: offers, buyers and who earns what on each token.

    ``own[f, k]`` is what firm *f* cares about the margin on offer *k* (kappa of the firm that sets its
    price), ``other[f, k]`` the money (USD/Mtok) that *f* earns on offer *k* through its other lines: hours
    of its fleet, services on top, chips under it. Shapes (firms, offers); ``cost`` and ``price`` (offers,).
    """

    firms: dict[str, int]
    own: FloatArray
    other: FloatArray
    cost: FloatArray
    price: FloatArray
    buyers: Buyers


def decide_prices(firm: str, lines: NDArray[np.int64], known: PriceList, floor: float) -> FloatArray:
    """Best response of one seller on its own ``lines`` to all other posted prices, USD/Mtok, shape (lines,).

    Bertrand with ownership (DESIGN section 4): the seller maximises kappa-weighted margins over every line
    on which it or a firm that it has a stake in earns.
    """
    f = known.firms[firm]
    response = best_response(
        known.buyers, known.price, lines, known.cost, known.own[f], known.other[f], floor=floor
    )
    return np.asarray(response.price)


def decide_cost_price(offer: Offer, markup: float) -> float:
    """What a venue of the buyers' own, or a foundation, charges: full cost and no more than its mark-up."""
    return offer.full_cost * (1.0 + markup)


def patience(cash: float, burn: float, owned: bool, quarters: float) -> float:
    """How far a seller can afford to price for tomorrow's customers, 0 to 1: with cash or an owner behind it."""
    if owned:
        return 1.0
    if burn <= 0.0:
        return 1.0 if cash > 0.0 else 0.0
    return float(np.clip(cash / (burn * quarters), 0.0, 1.0))


def price_list(market: Market) -> PriceList:
    """The market's price list as arrays."""
    p, offers = market.parameters, market.offers.offers
    firms = market.firm_number
    kappa = market.kappa()
    setter = np.array([firms[offer.setter] for offer in offers], dtype=np.int64)
    at_cost = np.array([offer.at_cost for offer in offers])
    own = np.where(at_cost, 0.0, kappa[:, setter])
    earned = np.zeros((len(firms), len(offers)))
    margins = {host: chip_margins(market, host) for host in market.clouds}
    # An hour of an idle fleet wears out nothing that has to be bought again: its maker earns with its rental.
    replaced = {host: np.minimum(market.hour_costs[host].rental_factor, 1.0) for host in market.clouds}
    services = {
        regions: float(np.mean(market.service_value[list(regions)])) * p.service_margin
        for regions in {offer.regions for offer in offers}
    }
    for k, offer in enumerate(offers):
        if not np.isfinite(offer.unit_cost):
            continue
        # An owner's cost is the resource cost: what its fleet takes above that is its own line.
        if offer.host != offer.setter:
            earned[firms[offer.host], k] += offer.transfer - offer.resource
        if not offer.at_cost:
            # One more token brings its part of the services that are up for choice.
            earned[firms[offer.seller], k] += services[offer.regions] * p.service_contested_share
        for maker, money in margins[offer.host].items():
            again = float(replaced[offer.host][purpose_of(offer.model)])
            earned[firms[maker], k] += money * again * offer.hours_per_mtok
    known = market.demand.reference
    reference = (
        np.zeros(len(market.types.weight)) if known is None else market.types.mixture @ np.nan_to_num(known)
    )
    touch = linear_at(p)
    return PriceList(
        firms=firms,
        own=own,
        other=kappa @ earned,
        cost=_costs(market),
        price=market.offers.price.copy(),
        buyers=buyers(
            market.types.alpha,
            market.types.beta,
            market.types.weight,
            market.offers.lines.capability - p.capability_reference,
            market.offers.model_groups(),
            *token_nests(p),
            h=market.types.nuisance,
            eta=p.eta * p.demand_elasticity,
            home=market.types.mix(market.offset),
            reference_log_inclusive=reference,
            tangent=None if touch is None else touch + market.types.nuisance[:, None],
        ),
    )


def chip_margins(market: Market, host: str) -> dict[str, float]:
    """USD that each chipmaker earns on an hour of a host's inference chips that is bought again after use."""
    p = market.parameters
    units = market.clouds[host].fleet.inference_units()
    total = units.sum()
    life = life_hours(p)
    margins: dict[str, float] = {}
    for index in np.flatnonzero(units > 0.0):
        chip = market.catalogue.chips[index]
        earned = float((chip.price - chip.unit_cost) / life * units[index] / total)
        margins[chip.spec.maker] = margins.get(chip.spec.maker, 0.0) + earned
    return margins


def _patience(market: Market, setter: str) -> float:
    firm = market.firms[setter]
    burn = getattr(firm, "research", 0.0)
    # A cloud is a line of a larger group, and so is a vendor that a firm of the market controls.
    behind = setter in market.clouds or market.parent_of(setter) != setter
    return patience(firm.cash, burn, behind, market.parameters.raise_runway_quarters)


def _costs(market: Market) -> FloatArray:
    """Effective unit costs: resource or transfer cost less what a locked-in customer is worth tomorrow, (offers,).

    1 of an offer that cannot be served. Myopic sellers do not count on tomorrow.
    """
    p, offers = market.parameters, market.offers
    patient = {name: _patience(market, name) for name in {offer.setter for offer in offers}}
    weight = np.array([patient[offer.setter] for offer in offers])
    cost = offers.unit_cost
    served = np.isfinite(cost)
    cost = np.where(served, cost, 1.0)
    margin = np.maximum(offers.expected_margin, 0.0) * (p.lock_in_share * p.forward_prices)
    reduced = effective_cost(cost, p.discount_factor, 1.0 - p.portfolio_rate, margin)
    lowered = np.maximum(cost + weight * (reduced - cost), p.price_floor_usd_per_mtok)
    return np.where(served, lowered, cost)


def post(market: Market) -> None:
    """The fifth event: sellers learn their unit costs and move prices part of the way to their best responses."""
    p = market.parameters
    listing.refresh(market)
    market.offset = taste.offset(market)
    known = price_list(market)
    offers = market.offers.offers
    by_setter: dict[str, list[int]] = {}
    for j, offer in enumerate(offers):
        if np.isfinite(offer.unit_cost) and np.isfinite(market.offset[:, j]).any():
            by_setter.setdefault(offer.setter, []).append(j)
    target = known.price.copy()
    for firm, lines in by_setter.items():
        rows = np.array(lines, dtype=np.int64)
        if offers[lines[0]].at_cost:
            target[rows] = [decide_cost_price(offers[j], p.venue_markup) for j in lines]
        elif getattr(market.firms[firm], "foundation", False):
            target[rows] = [offers[j].unit_cost for j in lines]
        else:
            target[rows] = decide_prices(firm, rows, known, p.price_floor_usd_per_mtok)
    # Of two of its own products a seller would price the worse one out of the market without end.
    target = np.clip(target, p.price_floor_usd_per_mtok, p.price_ceiling_usd_per_mtok)
    target = price_rule.within(market, target)
    moved, capped = partial_adjustment(
        known.price, target, p.price_adjustment, p.price_threshold, p.price_move_cap
    )
    moved = price_rule.within(market, moved)
    for j, offer in enumerate(offers):
        fresh = offer.since == market.t
        if fresh and market.t > 0:
            offer.price = float(target[j])
        elif not fresh:
            _move(market, offer, float(moved[j]), bool(capped[j]))


def _move(market: Market, offer: Offer, price: float, capped: bool) -> None:
    change = float(np.log(price / offer.price))
    offer.price = price
    subject = f"{offer.model.name} on {offer.seller}, {offer.area}"
    if capped:
        market.event("price at cap", offer.setter, subject, change, "log points")
    elif abs(change) >= market.parameters.price_event_threshold:
        market.event("price move", offer.setter, subject, float(np.expm1(change)), "relative change")
