"""The price list: which offers open and close, and what each costs its seller this quarter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from agents import rebate
from agents.cloud import decide_hosting
from agents.intervention import may_host
from model.catalogue import Model
from model.demand import price_term
from model.form import linear_at
from model.hosting import TokenCosts, delivered_rates, hour_costs, token_costs
from model.memo import Memo
from model.offer import Offer
from model.parameters import Parameters
from model.place import CHINA, REGION_INDEX, REGIONS

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

GLOBAL, ABROAD = "global", "abroad"

TIERS = ("flagship", "small")

PARTNER_ONLY = "partner"
"""Scope of access of a cloud that may sell partners' proprietary models in a region, and nothing else."""

Amount = TypeVar("Amount", float, FloatArray)

Areas: TypeAlias = dict[str, tuple[int, ...]]
"""The price areas of a seller and the regions in each."""

Terms: TypeAlias = tuple[Model, str, str, str, str, str, tuple[int, ...]]
"""What makes a line: model, channel, seller, setter, host, area and regions."""


@dataclass(frozen=True)
class CostSheet:
    """What every model on sale costs on every fleet, (fleets, models); ``row`` finds a model by its number."""

    models: list[Model]
    row: IntArray
    costs: TokenCosts


class Listing:
    """Who may offer what, kept as long as models, edges and hosting stay what they are."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._affinity: Memo[FloatArray] = Memo()
        self._areas: Memo[tuple[dict[str, Areas], dict[str, Areas]]] = Memo()
        self._sold: Memo[list[Terms]] = Memo()
        self._hosted: Memo[list[Terms]] = Memo()
        self._listed: set[Terms] = set()

    def refresh(self) -> None:
        """Open what has a seller, a model and a fleet; close the rest; then cost every line."""
        market, book, p = self._market, self._market.offers, self._market.parameters
        market.hour_costs = hour_costs(
            market.fleets, market.catalogue, rebate.replacements(market), market.parameters
        )
        models = [model for vendor in market.vendors.values() for model in vendor.models]
        sheet = _cost_sheet(market, models)
        self._relist(self._wanted(sheet), sheet)
        lines = book.lines
        at = lines.fleet, sheet.row[lines.model]
        book.hours_per_mtok[:] = sheet.costs.hours[at]
        book.resource[:] = sheet.costs.resource[at] + p.serving_overhead_usd_per_mtok
        book.full_cost[:] = sheet.costs.full[at] + p.serving_overhead_usd_per_mtok
        book.transfer[:] = _transfer(sheet.costs.resource[at], p)
        book.unit_cost[:] = np.where(lines.host == lines.setter, book.resource, book.transfer)

    def _wanted(self, sheet: CostSheet) -> list[Terms]:
        """What sellers would put on the list."""
        market, models = self._market, sheet.models
        tokens = market.graph.compiled("tokens").version
        reach, partners = self._areas.of(lambda: areas(market), tokens)
        self._choose_hosted(sheet, reach)
        on_sale = [(model, model.open_weights) for model in models]
        sold = self._sold.of(
            lambda: [*_apis(market, reach), *_resales(market, partners)],
            tokens,
            on_sale,
            [vendor.active for vendor in market.vendors.values()],
            [market.graph.compiled(kind).version for kind in ("hosting", "equity")],
        )
        hosted = self._hosted.of(
            lambda: _hosted(market, models, reach),
            tokens,
            on_sale,
            market.graph.compiled("hosting").version,
            [set(owner.hosted) for owner in market.clouds.values()],
        )
        return _within_rules(market, [*sold, *hosted])

    def _relist(self, wanted: list[Terms], sheet: CostSheet) -> None:
        """Take off the list what is not wanted any more, and put on it what is new."""
        market, book, p = self._market, self._market.offers, self._market.parameters
        listed, self._listed = self._listed, set(wanted)
        new = [terms for terms in wanted if terms not in listed]
        gone = {_key(terms) for terms in listed - self._listed} - {_key(terms) for terms in new}
        leaving = [offer for offer in map(book.get, gone) if offer is not None]
        fresh = []
        for terms in new:
            model, channel, seller, setter, host, area, regions = terms
            known = book.get(_key(terms))
            if known is not None:
                # Reach and hosting contracts change while the line stays the same to its buyers.
                book.move(known, host, regions)
                continue
            resource = float(sheet.costs.resource[market.clouds[host].fleet.number, sheet.row[model.number]])
            if market.t == 0:
                price = p.initial_price_flagship if model.tier == "flagship" else p.initial_price_small
            elif np.isfinite(resource):
                # Where the search for the best response starts; a fresh offer is posted at the response itself.
                cost = (
                    resource + p.serving_overhead_usd_per_mtok if host == setter else _transfer(resource, p)
                )
                price = cost * (1.0 + p.search_markup)
            else:
                # A line opens once its host has a chip that can serve it.
                self._listed.discard(terms)
                continue
            fresh.append(Offer(model, channel, seller, setter, host, area, regions, market.t, price=price))
        book.change(leaving, fresh)

    def _choose_hosted(self, sheet: CostSheet, reach: dict[str, Areas]) -> None:
        """Every cloud and venue decides which open models to host."""
        market, p = self._market, self._market.parameters
        models = [model for model in sheet.models if model.open_weights]
        if not models:
            return
        owners = list(market.clouds.values())
        value = self._value(models, sheet)
        hosted = np.array([[m.name in owner.hosted for m in models] for owner in owners])
        slots = np.array([int(p.venue_slots if owner.venue else p.hosting_slots) for owner in owners])
        chosen = np.zeros(value.shape, dtype=bool)
        for tier in TIERS:
            # Flagships and small models have customers of their own: each tier has its slots.
            of_tier = np.array([m.tier == tier for m in models])
            chosen |= decide_hosting(np.where(of_tier, value, -np.inf), hosted, slots, p.hosting_loyalty)
        changed = (chosen != hosted).any(axis=1)
        for i, owner in enumerate(owners):
            if not (changed[i] or len(owner.hosted) != hosted[i].sum()) or not reach[owner.name]:
                continue
            now = {models[m].name for m in np.flatnonzero(chosen[i])}
            for name in sorted(now - owner.hosted):
                market.event("hosting started", owner.name, name, float("nan"), "open weights")
            for name in sorted(owner.hosted - now):
                market.event("hosting ended", owner.name, name, float("nan"), "open weights")
            owner.hosted = now

    def _value(self, models: list[Model], sheet: CostSheet) -> FloatArray:
        """Utility of the mean customer of models at each host's own cost, with the host's interest in their vendors.

        Shape (fleets, models), -inf for what it cannot serve or may not.
        """
        market, p = self._market, self._market.parameters
        vendors = list(market.vendors)
        joint = [(c.target, c.members, c.foundation) for c in market.institutions.consortia]
        affinity = self._affinity.of(
            lambda: np.array(
                [
                    [market.institutions.affinity(market, cloud, vendor) for vendor in vendors]
                    for cloud in market.clouds
                ]
            ),
            p, market.graph.compiled("equity").version, joint,
        )  # fmt: skip
        capability = np.array([m.capability for m in models]) - p.capability_reference
        resource = sheet.costs.resource[:, sheet.row[[m.number for m in models]]]
        h, touch = p.nuisance_usd_per_mtok, linear_at(p)
        fall = price_term(resource + h, None if touch is None else touch + h)
        value = p.beta_mean * capability - p.alpha_mean * fall
        value += affinity[:, [vendors.index(m.vendor) for m in models]]
        if market.confined or market.interventions.weights_kept:
            allowed = np.array([may_host(market, owner, models) for owner in market.clouds.values()])
            value[~allowed] = -np.inf
        return np.asarray(value)


def _key(terms: Terms) -> tuple[str, str, str, str]:
    """That of the offer that has these terms."""
    model, channel, seller, _, _, area, _ = terms
    return (model.name, channel, seller, area)


def areas(market: Market) -> tuple[dict[str, Areas], dict[str, Areas]]:
    """The price areas of each seller and the regions in each: one list for all, but China's clouds price abroad apart.

    The second counts access that is for partners' proprietary models only, too.
    """
    own, partners = ({name: set[int]() for name in market.firms} for _ in range(2))
    place = {node: region for node, (region, _) in zip(market.nodes, market.node_places, strict=True)}
    edges = market.graph.compiled("tokens")
    for (seller, segment), data in zip(edges.position, edges.attributes, strict=True):
        partners[seller].add(place[segment])
        if data["terms"].get("scope") != PARTNER_ONLY:
            own[seller].add(place[segment])

    def by_area(seller: str, regions: set[int]) -> Areas:
        everywhere, abroad = tuple(sorted(regions)), tuple(sorted(regions - {CHINA}))
        if market.firms[seller].origin != "CN":
            return {GLOBAL: everywhere} if everywhere else {}
        home = {REGIONS[CHINA]: (CHINA,)} if CHINA in regions else {}
        return home | ({ABROAD: abroad} if abroad else {})

    return (
        {name: by_area(name, regions) for name, regions in own.items()},
        {name: by_area(name, regions) for name, regions in partners.items()},
    )


def _apis(market: Market, reach: dict[str, Areas]) -> list[Terms]:
    """What vendors sell through their own interfaces."""
    found: list[Terms] = []
    for vendor in market.vendors.values():
        if vendor.active and vendor.models and reach[vendor.name] and vendor.has_host:
            host, name = vendor.host(), vendor.name
            for model in vendor.models:
                found += [(model, "api", name, name, host, *place) for place in reach[name].items()]
    return found


def _resales(market: Market, reach: dict[str, Areas]) -> list[Terms]:
    """What clouds sell of their partners' proprietary models."""
    found: list[Terms] = []
    for vendor in market.vendors.values():
        closed = [model for model in vendor.models if not model.open_weights]
        if not vendor.active or not closed:
            continue
        for cloud in market.graph.targets(vendor.name, "hosting"):
            if market.graph.terms(vendor.name, cloud, "hosting").get("role") != "resells":
                continue
            for model in closed:
                found += [
                    (model, "managed", cloud, vendor.name, cloud, *place) for place in reach[cloud].items()
                ]
    return found


def _hosted(market: Market, models: list[Model], reach: dict[str, Areas]) -> list[Terms]:
    """Open models on every cloud and venue that has decided to host them, and the edges along which they came.

    What is known of it rests on the version of these edges, so that one that is gone is permitted again.
    """
    found: list[Terms] = []
    for name, owner in market.clouds.items():
        for model in models:
            if model.name not in owner.hosted:
                continue
            if not market.graph.permitted(model.vendor, name, "hosting"):
                market.graph.permit(model.vendor, name, "hosting", role="open weights")
            found += [(model, owner.channel, name, name, name, *place) for place in reach[name].items()]
    return found


def _within_rules(market: Market, wanted: list[Terms]) -> list[Terms]:
    """What may be sold where export rules reach models: a confined vendor's are sold at home by firms of its own."""
    if not market.confined:
        return wanted
    allowed = []
    for terms in wanted:
        model, seller, regions = terms[0], terms[2], terms[-1]
        if model.vendor in market.confined:
            vendor = market.vendors[model.vendor]
            home = REGION_INDEX[vendor.region]
            if market.firms[seller].origin != vendor.origin or home not in regions:
                continue
            terms = (*terms[:-1], (home,))
        allowed.append(terms)
    return allowed


def _cost_sheet(market: Market, models: list[Model]) -> CostSheet:
    rate = delivered_rates(models, market.catalogue, market.outlook.maturity)
    units = market.fleets.serving_units(market.parameters.ceiling_utilisation)
    row = np.full(len(market.catalogue.models), -1, dtype=np.int64)
    row[[model.number for model in models]] = np.arange(len(models))
    return CostSheet(models, row, token_costs(units, market.hour_costs, models, rate))


def _transfer(resource: Amount, p: Parameters) -> Amount:
    """What a host charges a vendor for the hours of a million tokens and the traffic, USD/Mtok."""
    return resource * (1.0 + p.hosting_markup) + p.serving_overhead_usd_per_mtok
