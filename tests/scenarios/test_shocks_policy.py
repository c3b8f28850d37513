"""Shocks by a state at home: a quota on orders of chips holds, a minimum price binds."""

from __future__ import annotations

import pytest

from scenarios.contradiction import contradiction
from scenarios.shocks import ChipQuota, PriceFloor
from tests.scenarios.branches import branch

QUARTER = "2026Q1"


def domestic_share(market, column, since, weight=None):
    """Domestic share of what each cloud and venue in China ordered or got, by buyer and quarter."""
    chips = market.frames()["chips"]
    chips = chips[(chips["buyer_region"] == "China") & (chips["quarter"] >= since)]
    chips = chips.assign(domestic=chips[column].where(chips["maker_origin"] == "CN", 0.0))
    found = chips.groupby(["buyer", "quarter"])[[column, "domestic"]].sum()
    found = found[found[column] > 1.0]
    return (found["domestic"] / found[column]).unstack("buyer")


VENUES = ["Colocation China", "On-premises China"]


def test_a_quota_holds_in_what_every_cloud_orders_and_after_the_lead_time_in_what_it_gets():
    market = branch(QUARTER, ChipQuota(QUARTER, 0.8), quarters=7)
    ordered = domestic_share(market, "units_ordered", QUARTER)
    got = domestic_share(market, "units_delivered", "2026Q3")
    for share in (ordered, got):
        assert (share.drop(columns=VENUES).min() > 0.8 - 1e-6).all()
        assert (share[VENUES].max() < 0.8).all()
    free = domestic_share(branch(QUARTER, quarters=7), "units_ordered", QUARTER)
    assert (free.drop(columns=VENUES).min() < 0.8).any()


def test_with_a_waiver_what_domestic_makers_refuse_may_come_from_abroad():
    strict = domestic_share(branch(QUARTER, ChipQuota(QUARTER, 0.8), quarters=7), "units_delivered", "2026Q3")
    market = branch(QUARTER, ChipQuota(QUARTER, 0.8, waiver=True), quarters=7)
    ordered = domestic_share(market, "units_ordered", QUARTER)
    got = domestic_share(market, "units_delivered", "2026Q3")
    assert (ordered.drop(columns=VENUES).min() > 0.8 - 1e-6).all()
    assert got["Alibaba"].mean() < 0.79
    assert strict["Alibaba"].mean() > 0.8 - 1e-6


def test_a_quota_by_value_counts_money():
    market = branch(QUARTER, ChipQuota(QUARTER, 0.7, by="value"), quarters=6)
    got = domestic_share(market, "value_usd", "2026Q3")
    # Price changes between order and delivery do not matter: an order is paid at its own price.
    assert (got.drop(columns=VENUES).min() > 0.7 - 1e-6).all()


def test_a_quota_that_is_met_anyway_changes_nothing():
    free, bound = branch(QUARTER, quarters=3), branch(QUARTER, ChipQuota(QUARTER, 1e-4), quarters=3)
    assert free.frames()["chips"].equals(bound.frames()["chips"])
    assert set(bound.interventions.mandates[0].shadow.values()) == {0.0}


def test_the_shadow_price_of_a_quota_rises_with_it_and_makers_at_home_charge_more():
    shadows, prices = [], []
    for shocks in ((), (ChipQuota(QUARTER, 0.6),), (ChipQuota(QUARTER, 0.9),)):
        market = branch(QUARTER, *shocks, quarters=4)
        shadows += [mandate.shadow["Alibaba"] for mandate in market.interventions.mandates]
        prices.append(market.catalogue.chips[market.chip_index["Ascend 910C"]].price)
    assert 0.0 < shadows[0] < shadows[1]
    assert prices[0] < prices[1] < prices[2]


def test_a_later_quota_replaces_an_earlier_one():
    market = branch(QUARTER, ChipQuota(QUARTER, 0.9), ChipQuota("2026Q2", 0.5), quarters=3)
    (mandate,) = market.interventions.mandates
    assert mandate.share == 0.5


def test_a_state_has_one_quota_at_a_time():
    assert contradiction(ChipQuota(QUARTER, 0.5), ChipQuota(QUARTER, 0.6))
    assert "two quotas" in contradiction(ChipQuota(QUARTER, 0.5), ChipQuota(QUARTER, 0.5, by="value"))


@pytest.mark.parametrize("usd", [0.2, 0.6])
def test_a_minimum_price_binds_from_its_quarter_on_and_where_it_holds(usd):
    market = branch(QUARTER, PriceFloor(QUARTER, usd), quarters=3)
    offers = market.frames()["offers"]
    covered = (offers["quarter"] >= QUARTER) & (offers["region"] == "China")
    sold = offers[covered & ~offers["channel"].isin(["colocation", "on-premises"])]
    assert sold["price_usd_per_mtok"].min() == pytest.approx(usd)
    abroad = offers[(offers["quarter"] >= QUARTER) & (offers["region"] != "China")]
    assert abroad["price_usd_per_mtok"].min() < usd
    own = offers[covered & offers["channel"].isin(["colocation", "on-premises"])]
    assert own["price_usd_per_mtok"].min() < usd


def test_a_higher_minimum_price_means_fewer_tokens():
    tokens = []
    for shocks in ((), (PriceFloor(QUARTER, 0.2),), (PriceFloor(QUARTER, 0.6),)):
        quarters = branch(QUARTER, *shocks, quarters=4).frames()["quarters"]
        tokens.append(quarters.loc[quarters["quarter"] == "2026Q3", "china_tokens_mtok"].sum())
    assert tokens[0] > tokens[1] > tokens[2]
