"""Rules on posted prices: each bounds its own offers, and where they clash the higher price holds."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from agents.price_rule import AtCost, Match, Minimum, within
from model.place import CHINA

LAST = "2024Q4"


def under(market, *rules):
    """All posted prices as these rules leave them, by offer."""
    world = copy.deepcopy(market)
    world.interventions.price_rules += rules
    price = world.offers.price.copy()
    return dict(zip([offer.key for offer in world.offers], within(world, price), strict=True))


def test_without_rules_prices_are_left_alone(market):
    price = market.offers.price.copy()
    assert within(market, price) is price


def test_a_legal_minimum_holds_against_hosts_that_sell_at_cost(market):
    at_cost = AtCost(("Alibaba",), "avoidable")
    cheap, legal = under(market, at_cost), under(market, at_cost, Minimum(CHINA, 50.0))
    lines = [
        o for o in market.offers if o.seller == "Alibaba" and o.model.open_weights and CHINA in o.regions
    ]
    assert lines
    for offer in lines:
        assert cheap[offer.key] < 50.0 == legal[offer.key]
    assert under(market, Minimum(CHINA, 50.0), at_cost) == legal


def test_one_may_match_below_cost_if_one_says_so(market):
    floor, none = (under(market, Match(("AWS",), "CN", 5.0, cost)) for cost in ("full", "none"))
    free = dict(zip([offer.key for offer in market.offers], market.offers.price.copy(), strict=True))
    own = [o.key for o in market.offers if o.seller == "AWS" and o.model.open_weights]
    assert own
    assert all(none[key] <= floor[key] + 1e-12 and none[key] <= free[key] for key in own)
    assert all(none[key] == free[key] for key in free if key not in own)


def test_a_minimum_spares_ones_own_chips(market):
    prices = under(market, Minimum(CHINA, 50.0))
    own = [o for o in market.offers if o.at_cost and CHINA in o.regions]
    assert own
    assert all(prices[offer.key] == pytest.approx(offer.price) for offer in own)
    assert np.isfinite(list(prices.values())).all()


def test_only_models_about_as_good_are_matched(market):
    def seen(gap):
        """Capability of what AWS looks at, less that of its own offer."""
        rule = Match(("AWS",), "CN", gap, "none")
        own = [o for o in market.offers if o.seller == "AWS" and o.model.open_weights]
        return [
            rival.model.capability - offer.model.capability
            for offer in own
            for rival in market.offers
            if rule._comparable(market, offer, rival)
        ]

    every = seen(99.0)
    assert min(every) < -0.2 < max(every)
    for gap in (0.0, 0.2):
        assert seen(gap) == [ahead for ahead in every if ahead >= -gap]
