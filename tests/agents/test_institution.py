"""Institutions: a consortium's stakes and money, its foundation, and copies elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.institution import decide, decide_copy, decide_foundation
from agents.seller import decide_prices, price_list
from model import calendar
from model.ledger import Kind
from model.market import Market
from model.parameters import Parameters
from model.setting import Setting
from scenarios.shocks import Capture, Consortium

MEMBERS = ("Huawei", "Tencent", "Alibaba")


def world(*shocks, last: str = "2024Q4", **overrides: float) -> Market:
    parameters = Parameters.resolve({"enterprises": 60, **overrides})
    return Market(Setting("x", parameters, tuple(shocks), last=last), seed=1)


def kappa(market: Market, firm: str, other: str) -> float:
    names = list(market.firms)
    return float(market.kappa()[names.index(firm), names.index(other)])


@pytest.fixture(scope="module")
def apart() -> Market:
    market = world()
    market.run()
    return market


@pytest.fixture(scope="module")
def together() -> Market:
    market = world(Consortium("2023Q4", stake_each=0.2))
    market.run()
    return market


def test_a_consortium_gives_each_member_its_stake_and_nobody_control():
    market = world()
    line = market.form_consortium("DeepSeek", MEMBERS, 0.2)
    for member in MEMBERS:
        assert market.graph.terms(member, "DeepSeek", "equity") == {"rights": 0.2, "control": 0.2}
    assert market.parent_of("DeepSeek") == "DeepSeek"
    assert all(member in line for member in MEMBERS)


def test_members_and_the_vendor_that_they_share_mind_each_others_profits():
    market = world()
    before = {(f, k): kappa(market, f, k) for f in (*MEMBERS, "DeepSeek") for k in (*MEMBERS, "DeepSeek")}
    market.form_consortium("DeepSeek", MEMBERS, 0.2)
    for member in MEMBERS:
        assert before[member, "DeepSeek"] == before["DeepSeek", member] == 0.0
        assert kappa(market, member, "DeepSeek") == pytest.approx(0.2)
        assert kappa(market, "DeepSeek", member) > 0.0
        assert kappa(market, member, member) == 1.0
    # Members remain rivals of each other: none owns a share of another.
    assert kappa(market, "Huawei", "Tencent") == 0.0
    outsider = kappa(market, "Baidu", "DeepSeek")
    assert outsider == 0.0


@given(st.floats(0.02, 0.24), st.floats(0.01, 0.09))
def test_a_larger_stake_means_more_regard(stake, more):
    small, large = world(), world()
    small.form_consortium("DeepSeek", MEMBERS, stake)
    large.form_consortium("DeepSeek", MEMBERS, stake + more)
    assert kappa(large, "Huawei", "DeepSeek") > kappa(small, "Huawei", "DeepSeek")
    assert kappa(large, "DeepSeek", "Huawei") > kappa(small, "DeepSeek", "Huawei")


def test_nobody_can_buy_more_of_a_vendor_than_there_is():
    market = world()
    market.form_consortium("DeepSeek", (*MEMBERS, "Baidu", "ByteDance"), 0.3)
    stakes = [
        market.graph.terms(o, "DeepSeek", "equity")["rights"]
        for o in market.graph.sources("DeepSeek", "equity")
    ]
    assert stakes == pytest.approx([0.2] * 5)
    owned = world()
    owned.step()
    owned.form_consortium("Alibaba Qwen", ("Tencent",), 0.3)
    assert owned.graph.terms("Tencent", "Alibaba Qwen", "equity")["rights"] == 0.0
    assert owned.parent_of("Alibaba Qwen") == "Alibaba"


def test_who_controls_a_vendor_keeps_control_when_others_join():
    market = world()
    Capture("2022Q1", "DeepSeek", "Tencent", 0.6).apply(market)
    market.form_consortium("DeepSeek", MEMBERS, 0.2)
    assert market.parent_of("DeepSeek") == "Tencent"
    stakes = {o: market.graph.terms(o, "DeepSeek", "equity")["rights"] for o in MEMBERS}
    assert stakes == {"Tencent": 0.6, "Huawei": 0.2, "Alibaba": 0.2}


def test_newcomers_join_a_consortium_that_exists():
    market = world()
    market.form_consortium("DeepSeek", ("Huawei", "Tencent"), 0.3)
    market.form_consortium("DeepSeek", ("Tencent", "Alibaba", "Baidu"), 0.3)
    joint = market.institutions.of_target("DeepSeek")
    assert joint is not None and joint.members == ("Huawei", "Tencent", "Alibaba", "Baidu")
    stakes = {o: market.graph.terms(o, "DeepSeek", "equity")["rights"] for o in joint.members}
    assert stakes == pytest.approx({"Huawei": 0.3, "Tencent": 0.3, "Alibaba": 0.2, "Baidu": 0.2})


def test_a_consortium_of_strangers_is_refused():
    with pytest.raises(ValueError, match="no firm is called 'Nobody'"):
        world().form_consortium("DeepSeek", ("Nobody",), 0.2)


def test_members_pay_the_shared_model_what_they_take_from_their_own(apart, together):
    def money(market: Market, firm: str) -> float:
        firms = market.frames()["firms"]
        mine = firms[(firms["firm"] == firm) & (firms["quarter"] >= "2024Q1")]
        return float(mine["funding_usd"].sum())

    def research(market: Market, firm: str) -> float:
        firms = market.frames()["firms"]
        return float(
            firms.loc[(firms["firm"] == firm) & (firms["quarter"] >= "2024Q1"), "research_usd"].sum()
        )

    assert money(together, "DeepSeek") > money(apart, "DeepSeek")
    assert research(together, "DeepSeek") > research(apart, "DeepSeek")
    for own in ("Huawei Pangu", "Tencent Hunyuan", "Alibaba Qwen"):
        assert money(together, own) < money(apart, own)


def test_a_vendor_that_has_left_is_not_funded():
    market = world(Consortium("2023Q4"), last="2024Q3")
    while market.quarter != "2024Q1":
        market.step()
    market.step()
    market.vendors["DeepSeek"].leave()
    while not market.finished:
        market.step()
    firms = market.frames()["firms"]
    funded = firms[firms["firm"] == "DeepSeek"].set_index("quarter")["funding_usd"]
    assert funded["2024Q1"] > 0.0
    assert funded["2024Q3"] == 0.0


def test_an_equity_edge_is_on_record_with_its_stake(together):
    edges = together.frames()["edges"]
    equity = edges[(edges["kind"] == "equity") & (edges["target"] == "DeepSeek")]
    assert set(equity["source"]) == set(MEMBERS)
    assert (equity["units"] == 0.2).all()
    assert set(equity["quarter"]) == {"2023Q4", "2024Q1", "2024Q2", "2024Q3", "2024Q4"}


def test_a_member_likes_to_host_the_shared_model_and_outsiders_a_rivals_less(together):
    joint, p = together.institutions, together.parameters
    assert joint.affinity(together, "Huawei", "DeepSeek") == p.affiliate_taste
    assert joint.affinity(together, "Baidu", "DeepSeek") == -p.rivalry_distaste
    assert joint.affinity(together, "Alibaba", "Alibaba Qwen") == p.affiliate_taste
    assert joint.affinity(together, "Baidu", "Alibaba Qwen") == -p.rivalry_distaste
    consortium = joint.of_target("DeepSeek")
    assert consortium is not None
    consortium.foundation = True
    try:
        assert joint.affinity(together, "Baidu", "DeepSeek") == 0.0
    finally:
        consortium.foundation = False


def test_all_else_equal_members_never_charge_less_for_the_model_that_they_share():
    # Stakes among rivals soften competition; what a consortium saves is another matter, seen over the years.
    market = world(lock_in_share=0.0, last="2024Q2")
    market.run()

    def wanted() -> dict[tuple[str, int], float]:
        known, found = price_list(market), {}
        for member in MEMBERS:
            lines = [
                j for j, o in enumerate(market.offers) if o.setter == member and np.isfinite(o.unit_cost)
            ]
            setter = np.full(len(known.price), -1)
            setter[lines] = market.firm_number[member]
            best = decide_prices(known, setter, market.parameters.price_floor_usd_per_mtok)
            found.update({(member, j): float(best[j]) for j in lines})
        return found

    before = wanted()
    market.form_consortium("DeepSeek", MEMBERS, 0.2)
    after = wanted()
    shared = [k for k in before if market.offers.offers[k[1]].model.vendor == "DeepSeek"]
    assert shared
    assert all(after[key] >= before[key] * (1.0 - 1e-6) for key in shared)
    assert max(after[key] / before[key] for key in shared) > 1.0


def test_members_host_the_shared_model(together):
    sellers = {o.seller for o in together.offers if o.model.vendor == "DeepSeek"}
    assert sellers & set(MEMBERS)


money = st.floats(0.0, 1e10)


@given(st.integers(0, 6), money, money)
def test_a_foundation_takes_several_backers_to_whom_neutral_hosts_matter_more(backers, neutrality, control):
    assert decide_foundation(backers, neutrality, control) == (backers > 1 and neutrality > control)


@given(money, st.floats(0.0, 1.0), money, money)
def test_local_champions_copy_when_the_margin_that_they_win_pays_for_it(margin, gain, cost, more):
    assert decide_copy(margin, gain, cost) == (margin * gain > cost)
    if decide_copy(margin, gain, cost):
        assert decide_copy(margin + more, gain, cost)
        assert decide_copy(margin, gain, cost / 2.0)


def test_a_capture_leaves_others_what_the_backer_leaves():
    market = world()
    market.form_consortium("DeepSeek", MEMBERS, 0.2)
    Capture("2022Q1", "DeepSeek", "Baidu", 0.7).apply(market)
    stakes = {
        o: market.graph.terms(o, "DeepSeek", "equity")["rights"]
        for o in market.graph.sources("DeepSeek", "equity")
    }
    assert stakes["Baidu"] == 0.7
    assert sum(stakes.values()) == pytest.approx(1.0)
    assert market.parent_of("DeepSeek") == "Baidu"
    np.testing.assert_allclose([stakes[m] for m in MEMBERS], 0.1)


def test_pooled_money_is_spent_once_and_is_no_cash_of_former_quarters():
    market = world()
    market.form_consortium("DeepSeek", MEMBERS, 0.2)
    vendor, pooled = market.vendors["DeepSeek"], 1e8
    market.ledger.pay("DeepSeek", "staff", Kind.RESEARCH_PEOPLE, vendor.cash)
    vendor.plan, vendor.support, vendor.margin = 1e12, 0.0, 0.0
    market.ledger.pay("Alibaba", "DeepSeek", Kind.POOLED_FUNDING, pooled)
    vendor.spend()
    assert vendor.research == pytest.approx(pooled)


def test_clouds_share_a_model_unless_having_their_own_is_worth_more_than_they_would_save():
    free, proud = (world(last="2025Q1", independence_value=worth) for worth in (0.0, 2.0))
    for market in (free, proud):
        market.run()
    assert [joint.target for joint in free.institutions.consortia] == ["DeepSeek"]
    assert len(free.institutions.consortia[0].members) >= free.parameters.consortium_least_members
    assert proud.institutions.consortia == []


@pytest.mark.parametrize("delay", [0, 2])
def test_a_foundation_is_judged_after_its_delay_by_what_members_and_others_host(delay):
    market = world(
        Consortium("2025Q1", stake_each=0.2),
        last="2025Q4",
        foundation_delay_quarters=delay,
        neutrality_value=3.0,
        control_value=0.0,
    )
    market.run()
    (joint,) = market.institutions.consortia
    events = market.frames()["events"]
    made = events.loc[events["kind"] == "foundation", "quarter"]
    assert made.tolist() == [calendar.name(joint.since + delay)]


def test_nobody_hands_over_a_model_that_one_backer_alone_serves():
    """Neutral hosts are worth what is served outside: nothing where there is none."""
    market = world(
        Consortium("2025Q1", stake_each=0.2), last="2025Q4", neutrality_value=3.0, control_value=0.0
    )
    while market.quarter != "2025Q3":
        market.step()
    (joint,) = market.institutions.consortia
    joint.foundation = market.vendors["DeepSeek"].foundation = False
    for offer in market.offers:
        if offer.model.vendor == "DeepSeek" and offer.seller != joint.members[0]:
            offer.served = 0.0
    outside = [o for o in market.offers if o.model.vendor != "DeepSeek" and o.seller not in joint.members]
    assert any(o.served > 0.0 for o in outside)
    decide(market)
    assert not joint.foundation
