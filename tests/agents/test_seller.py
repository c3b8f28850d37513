"""Sellers of tokens: best responses with ownership, prices at cost, and what they can afford to lose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.seller import PriceList, chip_margins, decide_cost_price, decide_prices, patience, price_list
from model.catalogue import Model
from model.offer import Offer
from model.pricing import buyers
from model.serving import Architecture

LAST = "2024Q3"

FLOOR = 1e-3


def duopoly(stake: float = 0.0, earned: float = 0.0, sigma2: float = 0.6, cost: float = 1.0) -> PriceList:
    """Two firms with an offer each of different models; ``stake`` of the first in the second's margin."""
    return PriceList(
        firms={"one": 0, "two": 1},
        own=np.array([[1.0, stake], [0.0, 1.0]]),
        other=np.array([[earned, 0.0], [0.0, 0.0]]),
        cost=np.array([cost, 1.0]),
        price=np.array([3.0, 3.0]),
        buyers=buyers(
            np.array([2.0, 3.0]), np.zeros(2), np.ones(2), np.zeros(2), np.array([0, 1]), 0.3, sigma2, h=0.05
        ),
    )  # fmt: skip


def response(known: PriceList) -> float:
    return float(decide_prices(known, np.array([0, 1]), FLOOR)[0])


def test_a_seller_charges_more_than_its_cost():
    assert response(duopoly()) > 1.0


@given(st.floats(0.0, 0.9), st.floats(0.01, 0.1))
def test_a_stake_in_a_rival_never_lowers_ones_own_price(stake, more):
    assert response(duopoly(stake=stake + more)) >= response(duopoly(stake=stake)) * (1.0 - 1e-9)


@given(st.floats(0.0, 0.5), st.floats(0.01, 0.3))
def test_who_earns_on_chips_and_services_under_its_tokens_sells_them_cheaper(earned, more):
    assert response(duopoly(earned=earned + more)) <= response(duopoly(earned=earned)) * (1.0 + 1e-9)


@given(st.floats(0.05, 5.0), st.floats(1.01, 3.0))
def test_a_dearer_service_has_a_higher_price(cost, factor):
    assert response(duopoly(cost=cost * factor)) > response(duopoly(cost=cost))


def test_a_merger_raises_the_prices_of_both():
    apart, merged = duopoly(), duopoly(stake=1.0)
    alone = response(apart)
    together = decide_prices(merged, np.array([0, 0]), FLOOR)
    rival = float(decide_prices(apart, np.array([0, 1]), FLOOR)[1])
    assert together[0] > alone
    assert together[1] > rival


def test_no_price_falls_below_the_floor_however_much_is_earned_elsewhere():
    known = duopoly(earned=100.0)
    assert decide_prices(known, np.array([0, -1]), 0.25)[0] == pytest.approx(0.25)


def offer(full_cost: float, channel: str) -> Offer:
    model = Model("m", "v", "small", 1, "CN", 0, 25.0, Architecture(7.0, 7.0, 1e5), True, True)
    return Offer(model, channel, "s", "s", "s", "global", (0,), 0, full_cost=full_cost)


def test_a_venue_of_the_buyers_own_charges_its_full_cost_and_its_markup():
    assert decide_cost_price(np.array([2.0]), 0.1)[0] == pytest.approx(2.2)
    assert decide_cost_price(np.array([2.0]), 0.0)[0] == 2.0
    assert offer(2.0, "colocation").at_cost and offer(2.0, "on-premises").at_cost
    assert not offer(2.0, "api").at_cost and not offer(2.0, "managed").at_cost


money = st.floats(-1e10, 1e10)


@given(money, st.floats(0.0, 1e9), st.floats(1.0, 8.0), st.floats(0.0, 1e9))
def test_patience_is_a_share_that_cash_never_shortens(cash, burn, quarters, more):
    now = patience(cash, burn, False, quarters)
    assert 0.0 <= now <= patience(cash + more, burn, False, quarters) <= 1.0
    assert patience(cash, burn + more, False, quarters) <= now
    assert patience(cash, burn, True, quarters) == 1.0


def test_an_independent_seller_without_cash_cannot_price_for_tomorrow():
    assert patience(-1.0, 5.0, owned=False, quarters=4.0) == 0.0
    assert patience(10.0, 5.0, owned=False, quarters=4.0) == pytest.approx(0.5)
    assert patience(1.0, 0.0, owned=False, quarters=4.0) == 1.0


# ----------------------------------------------------------------------------------------- in the market


def test_everybody_cares_for_its_own_margins_in_full(market):
    known = price_list(market)
    for k, line in enumerate(market.offers):
        weight = known.own[known.firms[line.setter], k]
        assert weight == (0.0 if line.at_cost else 1.0)
    assert (known.own >= 0.0).all() and np.isfinite(known.other).all()
    assert (known.cost > 0.0).all() and (known.price > 0.0).all()


def test_an_owner_counts_what_its_vendors_tokens_earn_its_cloud(market):
    known = price_list(market)
    lines = [
        k
        for k, o in enumerate(market.offers)
        if o.setter == "Alibaba Qwen" and o.host == "Alibaba" and np.isfinite(o.unit_cost)
    ]
    assert lines
    for k in lines:
        line = market.offers.offers[k]
        upstream = line.transfer - line.resource
        assert upstream > 0.0
        # The vendor is the cloud's own: the cloud's margin on the hours is as good as its own.
        assert known.other[known.firms["Alibaba Qwen"], k] >= upstream * (1.0 - 1e-9)


def test_a_chipmaker_earns_nothing_on_an_hour_that_nobody_misses(market):
    now = market.hour_costs
    idle, full, short = (
        replace(now, rental_factor=np.full_like(now.rental_factor, f)) for f in (0.0, 1.0, 3.0)
    )
    lines = [k for k, o in enumerate(market.offers) if o.host == "Huawei" and np.isfinite(o.unit_cost)]
    assert lines
    earned = {}
    for name, costs in (("idle", idle), ("full", full), ("short", short)):
        market.hour_costs = costs
        known = price_list(market)
        earned[name] = known.other[known.firms["Huawei"], lines]
    own_chips = chip_margins(market)[
        market.clouds["Huawei"].fleet.number, list(market.chipmakers).index("Huawei Ascend")
    ]
    hours = np.array([market.offers.offers[k].hours_per_mtok for k in lines])
    # Huawei owns the maker of its chips; what else it earns on these lines is the same in all three.
    np.testing.assert_allclose(earned["full"] - earned["idle"], own_chips * hours, rtol=1e-9)
    # Above its target use the scarcity rent is the host's, not the chipmaker's.
    np.testing.assert_array_equal(earned["short"], earned["full"])


def test_posted_prices_keep_within_floor_and_ceiling(market):
    p = market.parameters
    prices = market.offers.price.copy()
    assert (prices >= p.price_floor_usd_per_mtok * (1.0 - 1e-9)).all()
    assert (prices <= p.price_ceiling_usd_per_mtok * (1.0 + 1e-9)).all()


def test_no_posted_price_moves_by_more_than_the_cap_in_a_quarter(small):
    world = small(price_move_cap=0.5)
    before: dict[tuple[str, str, str, str], float] = {}
    moves: list[float] = []
    for _ in range(9):
        world.step()
        now = {o.key: o.price for o in world.offers}
        moves += [abs(np.log(now[key] / before[key])) for key in now.keys() & before.keys()]
        before = now
    assert 0.0 < max(moves) <= 0.5 + 1e-9


def test_a_gap_below_the_threshold_is_not_worth_posting(small):
    world = small(price_threshold=0.2)
    before: dict[tuple[str, str, str, str], float] = {}
    speed = world.parameters.price_adjustment
    still = 0
    for _ in range(9):
        world.step()
        now = {o.key: o.price for o in world.offers}
        for key in now.keys() & before.keys():
            move = abs(np.log(now[key] / before[key]))
            assert move == 0.0 or move >= speed * 0.2 * (1.0 - 1e-9)
            still += move == 0.0
        before = now
    assert still > 0
