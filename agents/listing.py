"""The price list: which offers open and close, and what each costs its seller this quarter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import rebate
from agents.cloud import Cloud, decide_hosting
from agents.intervention import may_host
from model.catalogue import Model
from model.demand import price_term
from model.form import linear_at
from model.hosting import TokenCosts, delivered_rates, hour_costs, token_costs
from model.offer import Offer
from model.place import CHINA, REGION_INDEX, REGIONS

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]

GLOBAL, ABROAD = "global", "abroad"

TIERS = ("flagship", "small")

PARTNER_ONLY = "partner"
"""Scope of access of a cloud that may sell partners' proprietary models in a region, and nothing else."""


@dataclass(frozen=True)
class CostSheet:
    """What every model on sale costs on every fleet; ``row`` numbers the models, ``of`` is by owner."""

    row: dict[str, int]
    of: dict[str, TokenCosts]


def areas_of(market: Market, seller: str, partner: bool = False) -> dict[str, tuple[int, ...]]:
    """The price areas of a seller and the regions in each: one list for all, but China's clouds price abroad apart."""
    regions = set()
    for segment in market.graph.targets(seller, "tokens"):
        if partner or market.graph.terms(seller, segment, "tokens").get("scope") != PARTNER_ONLY:
            regions.add(REGION_INDEX[market.graph.node(segment).region])
    if market.firms[seller].origin != "CN":
        return {GLOBAL: tuple(sorted(regions))} if regions else {}
    abroad = tuple(sorted(regions - {CHINA}))
    found = {REGIONS[CHINA]: (CHINA,)} if CHINA in regions else {}
    return found | ({ABROAD: abroad} if abroad else {})


def refresh(market: Market) -> None:
    """Open what has a seller, a model and a fleet; close the rest; then cost every line."""
    market.hour_costs = {
        name: hour_costs(owner.fleet, market.catalogue, rebate.replacement(market, name), market.parameters)
        for name, owner in market.clouds.items()
    }
    sheet = _cost_sheet(market)
    wanted = _within_rules(market, [*_apis(market), *_resales(market), *_hosted(market, sheet)])
    keep = {offer.key for offer in wanted}
    market.offers.close(offer for offer in market.offers if offer.key not in keep)
    fresh = []
    for offer in wanted:
        known = market.offers.get(offer.key)
        if known is None:
            _cost(market, offer, sheet)
            # A line opens once its host has a chip that can serve it.
            if np.isfinite(offer.price):
                fresh.append(offer)
        else:
            # Reach and hosting contracts change while the line stays the same to its buyers.
            market.offers.move(known, offer.host, offer.regions)
    market.offers.open(*fresh)
    for offer in market.offers:
        _cost(market, offer, sheet)


def _within_rules(market: Market, offers: list[Offer]) -> list[Offer]:
    """What may be sold where export rules reach models: a confined vendor's are sold at home by firms of its own."""
    allowed = []
    for offer in offers:
        if offer.model.vendor in market.confined:
            vendor = market.vendors[offer.model.vendor]
            home = REGION_INDEX[vendor.region]
            if market.firms[offer.seller].origin != vendor.origin or home not in offer.regions:
                continue
            offer.regions = (home,)
        allowed.append(offer)
    return allowed


def _cost_sheet(market: Market) -> CostSheet:
    models = [model for vendor in market.vendors.values() for model in vendor.models]
    rate = delivered_rates(models, market.catalogue, market.outlook.maturity)
    ceiling = market.parameters.ceiling_utilisation
    return CostSheet(
        row={model.name: i for i, model in enumerate(models)},
        of={
            name: token_costs(owner.fleet.serving_units(ceiling), market.hour_costs[name], models, rate)
            for name, owner in market.clouds.items()
        },
    )


def _apis(market: Market) -> list[Offer]:
    found = []
    for vendor in market.vendors.values():
        if not vendor.active or not vendor.has_host:
            continue
        areas = areas_of(market, vendor.name)
        for model in vendor.models:
            for area, regions in areas.items():
                found.append(
                    Offer(model, "api", vendor.name, vendor.name, vendor.host(), area, regions, market.t)
                )
    return found


def _resales(market: Market) -> list[Offer]:
    found = []
    for vendor in market.vendors.values():
        if not vendor.active:
            continue
        closed = [model for model in vendor.models if not model.open_weights]
        for cloud in market.graph.targets(vendor.name, "hosting"):
            if market.graph.terms(vendor.name, cloud, "hosting").get("role") != "resells":
                continue
            areas = areas_of(market, cloud, partner=True)
            for model in closed:
                for area, regions in areas.items():
                    found.append(Offer(model, "managed", cloud, vendor.name, cloud, area, regions, market.t))
    return found


def _hosted(market: Market, sheet: CostSheet) -> list[Offer]:
    """Open models on every cloud and venue that decides to host them."""
    p = market.parameters
    models = [m for vendor in market.vendors.values() for m in vendor.models if m.open_weights]
    found: list[Offer] = []
    for owner in market.clouds.values():
        areas = areas_of(market, owner.name)
        if not models or not areas:
            continue
        value = _value(market, owner, models, sheet)
        hosted = np.array([m.name in owner.hosted for m in models])
        slots = int(p.venue_slots if owner.venue else p.hosting_slots)
        chosen = np.zeros(len(models), dtype=bool)
        for tier in TIERS:
            # Flagships and small models have customers of their own: each tier has its slots.
            of_tier = np.array([m.tier == tier for m in models])
            chosen |= decide_hosting(np.where(of_tier, value, -np.inf), hosted, slots, p.hosting_loyalty)
        now = {m.name for m, yes in zip(models, chosen, strict=True) if yes}
        for name in sorted(now - owner.hosted):
            market.event("hosting started", owner.name, name, float("nan"), "open weights")
        for name in sorted(owner.hosted - now):
            market.event("hosting ended", owner.name, name, float("nan"), "open weights")
        owner.hosted = now
        for model in models:
            if model.name not in now:
                continue
            if not market.graph.permitted(model.vendor, owner.name, "hosting"):
                market.graph.permit(model.vendor, owner.name, "hosting", role="open weights")
            for area, regions in areas.items():
                found.append(
                    Offer(model, owner.channel, owner.name, owner.name, owner.name, area, regions, market.t)
                )
    return found


def _value(market: Market, owner: Cloud, models: list[Model], sheet: CostSheet) -> FloatArray:
    """Utility of the mean customer of models at the host's own cost, with the host's interest in their vendors.

    Shape (models,), -inf for what it cannot serve or may not.
    """
    p = market.parameters
    interest = {
        name: market.institutions.affinity(market, owner.name, name) for name in {m.vendor for m in models}
    }
    capability = np.array([m.capability for m in models]) - p.capability_reference
    resource = sheet.of[owner.name].resource[[sheet.row[m.name] for m in models]]
    h, touch = p.nuisance_usd_per_mtok, linear_at(p)
    fall = price_term(resource + h, None if touch is None else touch + h)
    value = p.beta_mean * capability - p.alpha_mean * fall
    value += np.array([interest[m.vendor] for m in models])
    return np.where(may_host(market, owner, models), value, -np.inf)


def _cost(market: Market, offer: Offer, sheet: CostSheet) -> None:
    """What the line costs its host, and what the setter of its price reckons with."""
    p, i, costs = market.parameters, sheet.row[offer.model.name], sheet.of[offer.host]
    resource = float(costs.resource[i])
    offer.hours_per_mtok = float(costs.hours[i])
    offer.resource = resource + p.serving_overhead_usd_per_mtok
    offer.full_cost = float(costs.full[i]) + p.serving_overhead_usd_per_mtok
    offer.transfer = resource * (1.0 + p.hosting_markup) + p.serving_overhead_usd_per_mtok
    offer.unit_cost = offer.resource if offer.host == offer.setter else offer.transfer
    if not np.isfinite(offer.price):
        if market.t == 0:
            flagship = offer.model.tier == "flagship"
            offer.price = p.initial_price_flagship if flagship else p.initial_price_small
        elif np.isfinite(offer.unit_cost):
            # Where the search for the best response starts; a fresh offer is posted at the response itself.
            offer.price = offer.unit_cost * (1.0 + p.search_markup)
