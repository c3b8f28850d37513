"""Settlement: what firms sold and earned, against the same in plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import settlement
from model.contracts import SOLD_AS, Bill
from model.fleet import HOURS_PER_QUARTER
from model.ledger import Kind, Ledger
from model.market import Market
from model.parameters import Parameters
from model.place import CAPTIVE, TRAINING
from model.setting import Setting
from model.work import Work

QUARTERS = 9  # models with open weights are hosted, and partners resell others


class Open(Market):
    """A market whose last quarter stays open, with all that flowed in it, before anybody learns from it."""

    def learn(self) -> None:
        if self.t < QUARTERS:
            super().learn()

    def close_quarter(self) -> None:
        if self.t < QUARTERS:
            super().close_quarter()


@pytest.fixture(scope="module")
def market() -> Market:
    found = Open(Setting("small", Parameters.resolve({"enterprises": 60})), seed=1)
    while found.t < QUARTERS:
        found.step()
    found.step()
    return found


def test_a_bill_is_paid_in_the_amounts_of_the_quarter():
    ledger = Ledger(["a", "b"], ["c"])
    bill = Bill.of((np.array([0, 1]), 2, Kind.POWER), (2, np.array([0]), Kind.TOKENS))
    first, second = bill.parts
    first[:], second[:] = (3.0, 4.0), 5.0
    bill.pay(ledger)
    first[:], second[:] = (0.0, 1.0), 0.0
    bill.pay(ledger)
    assert (ledger.paid("a", Kind.POWER), ledger.paid("b"), ledger.received("a")) == (3.0, 5.0, 5.0)
    ledger.close()


def test_segments_pay_sellers_for_their_own_tokens_open_models_and_partners(market):
    paid = dict.fromkeys(SOLD_AS, 0.0)
    for offer in market.offers:
        kind = Kind.HOSTING if offer.setter == offer.seller else Kind.PARTNER_HOSTING
        paid[Kind.TOKENS if offer.channel == "api" else kind] += offer.served * offer.price
    assert all(paid.values())
    for kind, money in paid.items():
        assert sum(market.ledger.received(name, kind) for name in market.firms) == pytest.approx(money)


def test_royalties_and_fees_are_what_sellers_do_not_keep(market):
    royalty, fee = 0.0, 0.0
    for offer in market.offers:
        if offer.seller != offer.setter:
            royalty += max(offer.price - offer.transfer, 0.0) * offer.served
        elif offer.seller != offer.host:
            fee += (offer.transfer - market.parameters.serving_overhead_usd_per_mtok) * offer.served
    assert royalty > 0.0 and fee > 0.0
    for kind, money in ((Kind.ROYALTY, royalty), (Kind.COMPUTE, fee)):
        assert sum(market.ledger.paid(name, kind) for name in market.firms) == pytest.approx(money)


def test_margins_are_added_up_over_the_lines(market):
    token, owners = dict.fromkeys(market.firms, 0.0), dict.fromkeys(market.firms, 0.0)
    for offer in market.offers:
        if offer.served > 0.0:
            earned = (offer.price - offer.unit_cost) * offer.served
            token[offer.setter] += earned
            if offer.host != offer.setter:
                token[offer.host] += (offer.transfer - offer.resource) * offer.served
            if offer.model.open_weights and market.parent_of(offer.model.vendor) == offer.setter:
                owners[offer.model.vendor] += earned
    for name, firm in market.firms.items():
        assert firm.token_margin == pytest.approx(token[name])
        assert firm.owners_margin == pytest.approx(owners[name])
        sold = market.ledger.received(name, Kind.SERVICES)
        assert firm.service_margin == pytest.approx(sold * market.parameters.service_margin)


def test_other_businesses_pay_the_full_cost_of_captive_work_and_a_mark_up(market):
    p, fleets = market.parameters, market.fleets
    for fleet, hours in zip(fleets, market.traffic.captive_hours, strict=True):
        full, units = market.hour_costs.of(fleet).full, fleet.units
        money = sum(
            done * (units[:, purpose] @ full / units[:, purpose].sum()) * (1.0 + p.captive_markup)
            for done, purpose in zip(hours, (TRAINING, CAPTIVE), strict=True)
            if done > 0.0
        )
        assert market.ledger.received(fleet.owner, Kind.CAPTIVE) == pytest.approx(money)


def test_idle_hours_cost_power_and_staff_too(market):
    for fleet, hours in zip(market.fleets, Work.of(market).hours_per_unit(), strict=True):
        costs = market.hour_costs.of(fleet)
        installed = fleet.units.sum(axis=1) * HOURS_PER_QUARTER
        working = fleet.units @ hours
        power = working @ costs.working_power + installed @ costs.idle_power
        everything = working @ costs.avoidable + installed @ costs.standing
        assert market.ledger.paid(fleet.owner, Kind.POWER) == pytest.approx(power)
        assert market.ledger.paid(fleet.owner, Kind.STAFF) == pytest.approx(max(everything - power, 0.0))


shares = st.integers(0, 10_000).map(lambda seed: np.random.default_rng(seed))


@given(shares, st.floats(0.0, 1.0))
def test_only_the_contested_part_of_services_is_up_for_choice(chance, contested):
    before, weight = chance.random((2, 4, 3)) * (chance.random((2, 4, 3)) < 0.7)
    sells = chance.random(4) < 0.8
    found = settlement.service_shares(before, weight, sells, contested)
    np.testing.assert_array_equal(found[~sells], before[~sells])
    for n in range(3):
        total, kept = weight[sells, n].sum(), before[sells, n].sum()
        chosen = weight[sells, n] / total if total else np.zeros(sells.sum())
        stayed = before[sells, n] / kept if kept else chosen
        np.testing.assert_allclose(found[sells, n], (1.0 - contested) * stayed + contested * chosen)
        if total:
            assert found[sells, n].sum() == pytest.approx(1.0)
