"""A market whose books somebody else keeps as well, in plain loops over what the public names show."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from model.fleet import HOURS_PER_QUARTER
from model.ledger import Kind
from model.market import Market
from model.place import CAPTIVE, DENSE, PURPOSES, REGIONS, SPARSE, TRAINING
from model.records import schema

EXACT = 1e-9
SINGLE = 1e-5  # columns of the population are kept in single precision
OF_TOKENS = (Kind.TOKENS, Kind.HOSTING, Kind.PARTNER_HOSTING)
OF_HOURS = (Kind.COMPUTE, Kind.TRAINING, Kind.ROYALTY)
ALONG = {"tokens": OF_TOKENS, "hosting": OF_HOURS, "chips": (Kind.CHIPS,), "services": (Kind.SERVICES,)}
# Where the schema lets a cell be empty: a share of nothing, or a column that is not for this kind of firm.
MAY_BE_EMPTY = {("firms", "operating_margin"), ("firms", "capability"), ("firms", "service_effort")}
MAY_BE_NEGATIVE = {"log10 effective FLOP", "log points"}
OWES = {("firms", "cash_usd"), ("edges", "money_usd")}


def close(left: float, right: float, scale: float = 0.0) -> bool:
    return abs(left - right) <= EXACT * max(abs(left), abs(right), scale)


def same(left: Mapping[Any, float], right: Mapping[Any, float]) -> bool:
    """Equal sums under every key; a missing key counts as zero."""
    return all(close(left.get(key, 0.0), right.get(key, 0.0)) for key in left.keys() | right.keys())


class Audited(Market):
    """A market whose books are checked by somebody else before each quarter is closed."""

    cash_before: dict[str, float] | None = None

    def open_quarter(self) -> None:
        super().open_quarter()
        self.units_before = {name: cloud.fleet.units.copy() for name, cloud in self.clouds.items()}
        self.due = {
            name: cloud.fleet.pipeline[0].copy() if cloud.fleet.pipeline else np.zeros_like(cloud.fleet.units)
            for name, cloud in self.clouds.items()
        }
        self.on_order = {name: cloud.fleet.on_order() for name, cloud in self.clouds.items()}

    def close_quarter(self) -> None:
        audit_money(self)
        audit_tokens(self)
        audit_hours(self)
        audit_chips(self)
        audit_shares(self)
        super().close_quarter()
        self.cash_before = {name: self.ledger.balance(name) for name in self.ledger.accounts}


def audit_money(market: Audited) -> None:
    flows = market.ledger.flows()
    paid: defaultdict[str, float] = defaultdict(float)
    received: defaultdict[str, float] = defaultdict(float)
    for flow in flows:
        assert 0.0 < flow.amount < math.inf
        paid[flow.payer] += flow.amount
        received[flow.payee] += flow.amount
    turnover = math.fsum(flow.amount for flow in flows)
    assert close(math.fsum(paid.values()), turnover)
    assert close(math.fsum(received.values()), turnover)
    balances = {name: market.ledger.balance(name) for name in market.ledger.accounts}
    for name, cash in balances.items():
        opening = 0.0 if market.cash_before is None else market.cash_before[name]
        moved = abs(opening) + paid[name] + received[name]
        assert close(cash, opening + received[name] - paid[name], moved), name
    assert close(math.fsum(balances.values()), 0.0, math.fsum(map(abs, balances.values())))
    for edge, kinds in ALONG.items():
        on_edges = {(r.source, r.target): r.money for r in market.graph.rows() if r.kind == edge}
        in_books: defaultdict[tuple[str, str], float] = defaultdict(float)
        for flow in flows:
            if flow.kind in kinds:
                in_books[flow.payee, flow.payer] += flow.amount
        assert same(on_edges, in_books), edge


def node_of(market: Market, cell: int) -> str:
    place = market.population.cells[cell]
    return f"{REGIONS[place.region]}/{place.sector}"


def audit_tokens(market: Audited) -> None:
    demand, offers = market.demand, market.offers.offers
    price = np.array([offer.price for offer in offers])
    assert np.isfinite(price).all() and (price > 0.0).all()
    assert (demand.demanded >= 0.0).all() and np.isfinite(demand.demanded).all()
    assert (demand.served >= 0.0).all()
    assert (demand.served <= demand.demanded * (1.0 + EXACT)).all()
    sold: defaultdict[tuple[str, str], float] = defaultdict(float)
    spent: defaultdict[tuple[str, str], float] = defaultdict(float)
    for j, offer in enumerate(offers):
        assert close(offer.served, float(demand.served[:, j].sum()))
        for cell in np.flatnonzero(demand.served[:, j]).tolist():
            key = offer.seller, node_of(market, cell)
            sold[key] += demand.served[cell, j]
            spent[key] += demand.served[cell, j] * offer.price
            assert market.population.cells[cell].region in offer.regions
            assert market.graph.permitted(*key, "tokens")
    rows = [row for row in market.graph.rows() if row.kind == "tokens"]
    assert same({(r.source, r.target): r.units for r in rows}, sold)
    assert same({(r.source, r.target): r.money for r in rows}, spent)


def audit_hours(market: Audited) -> None:
    """Every hour that a fleet worked was for somebody, and no fleet worked more than it can."""
    ceiling = market.parameters.ceiling_utilisation
    training: defaultdict[str, float] = defaultdict(float)
    rented: defaultdict[tuple[str, str], float] = defaultdict(float)
    owners, vendors, bought = list(market.clouds), list(market.vendors), market.traffic.training
    for vendor, host, served in zip(bought.vendor, bought.host, bought.served, strict=True):
        training[owners[host]] += served
        rented[owners[host], vendors[vendor]] += served
    for offer in market.offers:
        if offer.served > 0.0:
            hours = offer.served * offer.hours_per_mtok
            if offer.seller != offer.setter:
                rented[offer.setter, offer.seller] += hours
            elif offer.host != offer.seller:
                rented[offer.host, offer.seller] += hours
            elif offer.model.vendor != offer.seller:
                rented[offer.model.vendor, offer.seller] += hours
    on_edges = {(r.source, r.target): r.units for r in market.graph.rows() if r.kind == "hosting"}
    assert same(on_edges, rented)
    for name, cloud in market.clouds.items():
        fleet = cloud.fleet
        own_training, captive = market.traffic.captive_hours[fleet.number]
        tokens = math.fsum(
            o.served * o.hours_per_mtok for o in market.offers if o.host == name and o.served > 0.0
        )
        used = fleet.hours_used
        assert (used >= 0.0).all()
        assert close(used[DENSE] + used[SPARSE], tokens), name
        assert close(used[TRAINING], training[name] + own_training), name
        assert close(used[CAPTIVE], captive), name
        can = fleet.units.sum(axis=0) * HOURS_PER_QUARTER * ceiling
        room = 1.0 + EXACT
        assert used[TRAINING] <= can[TRAINING] * room
        assert used[CAPTIVE] <= can[CAPTIVE] * room
        assert used[DENSE] + used[SPARSE] <= (can[DENSE] + can[SPARSE]) * room


def audit_chips(market: Audited) -> None:
    """Chips are neither made nor lost on the way from makers' capacity to the fleets that retire them."""
    p, chips = market.parameters, market.catalogue.chips
    received: defaultdict[tuple[str, str], float] = defaultdict(float)
    shipped: defaultdict[tuple[str, str], float] = defaultdict(float)
    for name, cloud in market.clouds.items():
        fleet = cloud.fleet
        assert np.isfinite(fleet.units).all() and (fleet.units >= 0.0).all(), name
        assert (cloud.fleet.delivered >= 0.0).all() and (cloud.fleet.wanted >= 0.0).all()
        before = padded(market.units_before[name], len(chips)).sum(axis=1)
        arrived = cloud.fleet.delivered.sum(axis=1)
        expected = before * (1.0 - p.retirement_rate) + arrived
        np.testing.assert_allclose(fleet.units.sum(axis=1), expected, rtol=EXACT, atol=EXACT)
        due = padded(market.due[name], len(chips))
        assert (cloud.fleet.delivered <= due * (1.0 + EXACT)).all()
        accepted = fleet.on_order() - padded(market.on_order[name], len(chips)) + due
        for index, chip in enumerate(chips):
            received[chip.spec.maker, name] += float(arrived[index])
            shipped[chip.spec.maker, chip.grade] += float(accepted[index].sum())
            assert accepted[index].min() >= -EXACT * max(1.0, float(fleet.on_order()[index].max()))
    on_edges = {(r.source, r.target): r.units for r in market.graph.rows() if r.kind == "chips"}
    assert same(on_edges, received)
    for (maker, grade), units in shipped.items():
        capacity = max(market.chipmakers[maker].capacity[grade], 0.0)
        assert units <= capacity * (1.0 + EXACT) + EXACT, maker


def padded(units: np.ndarray, chips: int) -> np.ndarray:
    return np.concatenate([units, np.zeros((chips - len(units), len(PURPOSES)))])


def audit_shares(market: Audited) -> None:
    population = market.population
    assert (population.adoption >= 0.0).all() and (population.adoption <= 1.0 + SINGLE).all()
    assert (population.portfolio >= 0.0).all()
    held = population.portfolio.sum(axis=1)
    assert ((np.abs(held - 1.0) <= SINGLE) | (held == 0.0)).all()
    buys = market.demand.demanded.sum(axis=1) > 0.0
    assert (np.abs(held[buys[population.cell]] - 1.0) <= SINGLE).all()
    stakes: defaultdict[str, float] = defaultdict(float)
    for owner, owned, rights, control in market.graph.stakes():
        assert owner != owned and 0.0 <= rights <= 1.0 and 0.0 <= control <= 1.0
        stakes[owned] += rights
    assert all(total <= 1.0 + EXACT for total in stakes.values())
    for firm in [*market.vendors.values(), *market.clouds.values()]:
        assert 0.0 <= firm.service_effort <= 1.0
    for offer in market.offers:
        assert offer.unit_cost > 0.0 and offer.resource > 0.0 and offer.full_cost > 0.0


def audit_records(market: Market) -> None:
    """Nothing is NaN or negative that cannot be, and shares lie between none and all."""
    frames = market.frames()
    for column in schema():
        values = frames[column.table][column.column]
        where = f"{column.table}.{column.column}"
        if column.dtype == "str":
            assert values.notna().all(), where
        if column.dtype != "float":
            continue
        numbers = values.to_numpy(dtype=float)
        assert not np.isinf(numbers).any(), where
        headline = column.table == "quarters"  # a share or a price of nothing is empty
        if not headline and column.table != "events" and (column.table, column.column) not in MAY_BE_EMPTY:
            assert not np.isnan(numbers).any(), where
        known = numbers[~np.isnan(numbers)]
        if column.column == "operating_margin" or column.table == "events":
            continue
        if column.unit == "share":
            assert (known >= -EXACT).all() and (known <= 1.0 + EXACT).all(), where
        elif column.unit not in MAY_BE_NEGATIVE and (column.table, column.column) not in OWES:
            assert (known >= -EXACT * np.abs(known).max(initial=1.0)).all(), where
    for column_name in ("tokens_mtok", "adoption", "unserved_share", "market_revenue_usd"):
        assert frames["quarters"][column_name].notna().all(), column_name
