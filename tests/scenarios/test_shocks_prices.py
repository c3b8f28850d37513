"""Shocks to how firms set prices: at cost there is no margin, a match is a ceiling, a discount is paid for."""

from __future__ import annotations

import numpy as np
import pytest

from agents.price_rule import Match, avoidable_cost
from scenarios.contradiction import contradiction
from scenarios.shocks import ChipDiscount, HostingAtCost, PriceMatch
from tests.scenarios.branches import branch

QUARTER = "2026Q1"


def hosted(market, clouds):
    return [
        offer
        for offer in market.offers
        if offer.seller in clouds and offer.setter in clouds and np.isfinite(offer.unit_cost)
    ]


def test_hosts_at_cost_ask_what_one_more_token_takes_and_earn_nothing_on_it():
    market = branch(QUARTER, HostingAtCost(QUARTER, ("Alibaba", "Tencent"), "avoidable"), quarters=3)
    lines = hosted(market, ("Alibaba", "Tencent"))
    assert lines
    for offer in lines:
        assert offer.price <= offer.unit_cost
    # At the costs that prices were posted on: those of now would be next quarter's.
    market = branch(QUARTER, HostingAtCost(QUARTER, ("Alibaba",), "resource"), quarters=3)
    for offer in hosted(market, ("Alibaba",)):
        assert offer.price == pytest.approx(offer.unit_cost)


def test_the_three_kinds_of_cost_are_in_order():
    market = branch(QUARTER, quarters=1)
    for offer in hosted(market, ("Alibaba", "AWS")):
        assert 0.0 < avoidable_cost(market, offer) <= offer.resource


def test_hosting_at_cost_moves_the_price_of_nobody_by_decree_but_of_those_clouds():
    market = branch(QUARTER, HostingAtCost(QUARTER, ("Alibaba",), "avoidable"), quarters=1)
    free = branch(QUARTER, quarters=1)
    own = {offer.key: offer.price for offer in hosted(free, ("Alibaba",))}
    assert own
    assert all(offer.price != own[offer.key] for offer in hosted(market, ("Alibaba",)) if offer.key in own)
    others = {o.key: o.price for o in free.offers if o.setter != "Alibaba"}
    assert all(o.price == others[o.key] for o in market.offers if o.setter != "Alibaba")


def test_cheap_hosts_win_customers():
    def tokens(*shocks):
        offers = branch(QUARTER, *shocks, quarters=4).frames()["offers"]
        chosen = (offers["seller"] == "Alibaba") & (offers["quarter"] == "2026Q3")
        return offers.loc[chosen, "tokens_mtok"].sum()

    assert tokens(HostingAtCost(QUARTER, ("Alibaba",), "avoidable")) > 2.0 * tokens()


AMERICAN = ("AWS", "Azure", "GCP")


def test_those_who_match_ask_no_more_than_the_price_they_saw_and_never_less_than_their_cost():
    at_cost = HostingAtCost(QUARTER, cost="avoidable")
    market = branch(QUARTER, at_cost, PriceMatch(QUARTER), quarters=3)
    rule = next(rule for rule in market.interventions.price_rules if isinstance(rule, Match))
    ceilings = {}
    market.step()
    free = branch(QUARTER, at_cost, quarters=4)
    before = {offer.key: offer.price for offer in hosted(free, AMERICAN)}
    lowered = 0
    for offer in hosted(market, AMERICAN):
        low, high = rule.bounds(market, offer)
        ceilings[offer.key] = high
        assert low == 0.0
        assert high >= avoidable_cost(market, offer)
        lowered += offer.key in before and offer.price < 0.9 * before[offer.key]
    assert lowered > 0
    assert min(ceilings.values()) < np.inf


def test_a_match_of_rivals_who_are_dearer_changes_nothing():
    free, matched = branch(QUARTER, quarters=2), branch(QUARTER, PriceMatch(QUARTER, gap=0.0), quarters=2)
    assert np.allclose(
        [offer.price for offer in hosted(free, AMERICAN)],
        [offer.price for offer in hosted(matched, AMERICAN)],
    ) or sum(o.price for o in hosted(matched, AMERICAN)) < sum(o.price for o in hosted(free, AMERICAN))


def test_a_discount_is_what_buyers_of_its_region_pay_less():
    market = branch(QUARTER, ChipDiscount(QUARTER, 0.4), quarters=1)
    free = branch(QUARTER, quarters=1)
    price = {chip.name: chip.price for chip in market.catalogue.chips}
    for _ in range(2):
        market.step()
        free.step()
    for name, share in (("Alibaba", 0.6), ("AWS", 1.0)):
        owner = market.clouds[name]
        got = [
            c
            for c in market.catalogue.chips
            if c.spec.maker == "NVIDIA" and owner.fleet.delivered[c.index].sum() > 0
        ]
        assert got
        for chip in got:
            assert owner.fleet.paid[chip.index] == pytest.approx(share * price[chip.name])


def test_a_discount_wins_orders_and_its_maker_does_not_raise_the_posted_price_for_it():
    discounted, free = (branch(QUARTER, *s, quarters=1) for s in ((ChipDiscount(QUARTER, 0.4),), ()))
    for one, other in zip(discounted.catalogue.chips, free.catalogue.chips, strict=True):
        if one.spec.maker == "NVIDIA":
            assert one.price == other.price

    def share(market):
        for _ in range(2):
            market.step()
        quarters = market.frames()["quarters"].set_index("quarter")
        return quarters.loc[QUARTER:, "nvidia_share_china_ordered_units_all"].mean()

    assert share(discounted) > share(free) + 0.05


def test_a_discount_of_nothing_is_none_and_ends_an_earlier_one():
    free, none = branch(QUARTER, quarters=3), branch(QUARTER, ChipDiscount(QUARTER, 0.0), quarters=3)
    assert free.frames()["chips"].equals(none.frames()["chips"])
    ended = branch(QUARTER, ChipDiscount(QUARTER, 0.4), ChipDiscount("2026Q2", 0.0), quarters=2)
    assert ended.graph.terms("NVIDIA", "Alibaba", "chips")["discount"] == 0.0


def test_a_cloud_sells_at_one_kind_of_cost():
    one, other = HostingAtCost(QUARTER, ("Alibaba",), "full"), HostingAtCost(QUARTER, ("Alibaba", "Huawei"))
    assert "two kinds of cost" in contradiction(one, other)
