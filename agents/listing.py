"""The price list: which offers open and close, and what each costs its seller this quarter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.cloud import Cloud, decide_hosting
from model.catalogue import Model
from model.hosting import HourCosts, hour_costs, token_cost
from model.offer import Offer
from model.place import CHINA, REGION_INDEX, REGIONS

if TYPE_CHECKING:
    from model.market import Market

GLOBAL, ABROAD = "global", "abroad"

TIERS = ("flagship", "small")

PARTNER_ONLY = "partner"
"""Scope of access of a cloud that may sell partners' proprietary models in a region, and nothing else."""


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
    costs = {
        name: hour_costs(owner.fleet, market.catalogue, market.outlook.replacement, market.parameters)
        for name, owner in market.clouds.items()
    }
    market.hour_costs = costs
    wanted = [*_apis(market), *_resales(market), *_hosted(market, costs)]
    keep = {offer.key for offer in wanted}
    for offer in list(market.offers):
        if offer.key not in keep:
            market.offers.close(offer)
    for offer in wanted:
        known = market.offers.get(offer.key)
        if known is None:
            _cost(market, offer, costs[offer.host])
            # A line opens once its host has a chip that can serve it.
            if np.isfinite(offer.price):
                market.offers.open(offer)
        else:
            # Reach and hosting contracts change while the line stays the same to its buyers.
            known.regions, known.host = offer.regions, offer.host
    for offer in market.offers:
        _cost(market, offer, costs[offer.host])


def _apis(market: Market) -> list[Offer]:
    found = []
    for vendor in market.vendors.values():
        if not vendor.active:
            continue
        hosts = market.graph.sources(vendor.name, "hosting")
        if not hosts:
            continue
        for model in vendor.models:
            for area, regions in areas_of(market, vendor.name).items():
                found.append(Offer(model, "api", vendor.name, vendor.name, hosts[0], area, regions, market.t))
    return found


def _resales(market: Market) -> list[Offer]:
    found = []
    for vendor in market.vendors.values():
        if not vendor.active:
            continue
        for cloud in market.graph.targets(vendor.name, "hosting"):
            if market.graph.terms(vendor.name, cloud, "hosting").get("role") != "resells":
                continue
            for model in vendor.models:
                if model.open_weights:
                    continue
                for area, regions in areas_of(market, cloud, partner=True).items():
                    found.append(Offer(model, "managed", cloud, vendor.name, cloud, area, regions, market.t))
    return found


def _hosted(market: Market, costs: dict[str, HourCosts]) -> list[Offer]:
    """Open models on every cloud and venue that decides to host them."""
    p = market.parameters
    models = [m for vendor in market.vendors.values() for m in vendor.models if m.open_weights]
    found: list[Offer] = []
    for owner in market.clouds.values():
        areas = areas_of(market, owner.name)
        if not models or not areas:
            continue
        value = np.array([_value(market, owner, m, costs[owner.name]) for m in models])
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
                found.append(Offer(model, owner.channel, owner.name, owner.name, owner.name, area, regions, market.t))
    return found


def _value(market: Market, owner: Cloud, model: Model, costs: HourCosts) -> float:
    """Utility of the mean customer of a model at the host's own cost, with the host's interest in its vendor."""
    p = market.parameters
    units = owner.fleet.serving_units(p.ceiling_utilisation)
    cost = token_cost(units, costs, market.catalogue, model, market.outlook.maturity)
    if not np.isfinite(cost.resource):
        return float("-inf")
    value = p.beta_mean * (model.capability - p.capability_reference)
    value -= p.alpha_mean * np.log(cost.resource + p.nuisance_usd_per_mtok)
    return float(value + market.institutions.affinity(market, owner.name, model.vendor))


def _cost(market: Market, offer: Offer, costs: HourCosts) -> None:
    """What the line costs its host, and what the setter of its price reckons with."""
    p = market.parameters
    owner = market.clouds[offer.host]
    units = owner.fleet.serving_units(p.ceiling_utilisation)
    cost = token_cost(units, costs, market.catalogue, offer.model, market.outlook.maturity)
    offer.hours_per_mtok = cost.hours
    offer.resource = cost.resource + p.serving_overhead_usd_per_mtok
    offer.full_cost = cost.full + p.serving_overhead_usd_per_mtok
    offer.transfer = cost.resource * (1.0 + p.hosting_markup) + p.serving_overhead_usd_per_mtok
    offer.unit_cost = offer.resource if offer.host == offer.setter else offer.transfer
    if not np.isfinite(offer.price):
        if market.t == 0:
            flagship = offer.model.tier == "flagship"
            offer.price = p.initial_price_flagship if flagship else p.initial_price_small
        elif np.isfinite(offer.unit_cost):
            # Where the search for the best response starts; a fresh offer is posted at the response itself.
            offer.price = offer.unit_cost * (1.0 + p.search_markup)

