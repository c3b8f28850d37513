"""Shocks to who owns and backs a model maker: a consortium's end, a foundation, copies, lost funding."""

from __future__ import annotations

import pytest

from model.market import Market
from scenarios.contradiction import contradiction
from scenarios.scenario import load
from scenarios.shocks import Breakup, Capture, Consortium, Copies, Foundation, FundingCut
from tests.scenarios.branches import branch

QUARTER = "2026Q1"
MEMBERS = ("Huawei", "Tencent", "Alibaba")


def backers(market):
    return list(market.graph.sources("DeepSeek", "equity"))


def test_when_a_consortium_breaks_up_stakes_and_payments_end_and_founders_own_all_again():
    market = branch(QUARTER, Consortium(QUARTER), Breakup("2026Q3"), quarters=2)
    assert set(MEMBERS) <= set(backers(market))
    own = market.vendors["Tencent Hunyuan"]
    assert market.support_left(own) < 1.0
    market.step()
    assert not set(MEMBERS) & set(backers(market))
    assert market.support_left(own) == 1.0
    assert market.institutions.of_target("DeepSeek") is None
    market.step()
    flows = market.frames()["firms"]
    last = flows[(flows["quarter"] == "2026Q4") & (flows["firm"] == "DeepSeek")]
    first = flows[(flows["quarter"] == "2026Q2") & (flows["firm"] == "DeepSeek")]
    assert last["funding_usd"].iloc[0] < first["funding_usd"].iloc[0]


@pytest.mark.parametrize("name", ["consortium", "backer_capture"])
def test_where_clouds_own_no_vendors_a_scenario_gives_them_none(name):
    market = Market(load(name, {"enterprises": 56.0, "cloud_ownership": 0.0}), seed=1)
    events = market.run()["events"]
    assert not any(s.owner in market.clouds and s.owned in market.vendors for s in market.graph.stakes())
    assert market.institutions.consortia == []
    assert events["note"].str.contains("clouds own no model vendors here").any()


def test_none_forms_again_around_a_vendor_whose_consortium_broke_up():
    # Clouds that would share any model for nothing.
    market = branch(QUARTER, Breakup(QUARTER))
    for name in ("independence_value", "consortium_diversion"):
        market.set_parameter(name, {"independence_value": 0.0, "consortium_diversion": 0.9}[name])
    for vendor in market.vendors.values():
        if vendor.name != "DeepSeek":
            market.interventions.apart.add(vendor.name)
    for _ in range(3):
        market.step()
    assert market.institutions.consortia == []


def test_a_breakup_of_nothing_is_said_to_be_one():
    market = branch(QUARTER, Breakup(QUARTER), quarters=1)
    events = market.frames()["events"]
    assert "no consortium around DeepSeek" in events[events["kind"] == "shock"]["note"].iloc[-1]


def test_a_foundation_sells_at_cost_and_stays_one_without_its_backers():
    market = branch(QUARTER, Consortium(QUARTER), Foundation("2026Q2"), Breakup("2026Q4"), quarters=8)
    assert market.vendors["DeepSeek"].foundation
    lines = [o for o in market.offers if o.setter == "DeepSeek" and o.since < market.t - 5]
    free = branch(QUARTER, quarters=8)
    dear = {o.key: o.price / o.unit_cost for o in free.offers if o.setter == "DeepSeek"}
    assert lines
    for offer in lines:
        assert offer.price / offer.unit_cost < dear[offer.key]


def test_a_foundation_is_neutral_to_its_rivals_hosts():
    joint = branch(QUARTER, Consortium(QUARTER), quarters=1)
    neutral = branch(QUARTER, Consortium(QUARTER), Foundation(QUARTER), quarters=1)
    assert joint.institutions.affinity(joint, "Baidu", "DeepSeek") < 0.0
    assert neutral.institutions.affinity(neutral, "Baidu", "DeepSeek") == 0.0


def test_copies_win_buyers_of_their_region():
    def tokens(*shocks):
        offers = branch(QUARTER, *shocks, quarters=4).frames()["offers"]
        chosen = (offers["quarter"] == "2026Q4") & (offers["seller"] == "European champions")
        return offers.loc[chosen, "tokens_mtok"].sum()

    assert tokens(Copies(QUARTER, ("Europe and rest",))) > 1.1 * tokens()
    assert tokens(Copies(QUARTER, ("Asia-Pacific",))) == pytest.approx(tokens(), rel=0.05)


def test_lost_funding_is_not_drawn_and_those_with_a_parent_keep_theirs():
    market = branch(QUARTER, FundingCut(QUARTER, 1.0), quarters=1)
    for name, vendor in market.vendors.items():
        assert (vendor.support == 0.0) == (not vendor.owned), name
    market.step()
    firms = market.frames()["firms"]
    last = firms[(firms["quarter"] == "2026Q2") & (firms["firm"] == "DeepSeek")]
    assert last["funding_usd"].iloc[0] == 0.0
    one = branch(QUARTER, FundingCut(QUARTER, 0.5, ("Zhipu",)), quarters=1)
    free = branch(QUARTER, quarters=1)
    assert one.vendors["Zhipu"].support == pytest.approx(0.5 * free.vendors["Zhipu"].support)
    assert one.vendors["Mistral"].support == free.vendors["Mistral"].support


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (Consortium(QUARTER), Breakup(QUARTER), "let the breakup come later"),
        (Foundation(QUARTER), Capture(QUARTER, "DeepSeek", "Huawei", 0.6), "write one of the two"),
        (
            Capture(QUARTER, "DeepSeek", "Huawei", 0.6),
            Capture(QUARTER, "DeepSeek", "Alibaba", 0.6),
            "cannot both control",
        ),
    ],
)
def test_shocks_to_one_vendor_that_undo_one_another_are_refused(one, other, said):
    assert said in contradiction(one, other)
    assert said in contradiction(other, one)


def test_pooled_funding_is_paid_by_members_only_while_there_is_a_consortium():
    market = branch(QUARTER, Consortium(QUARTER), Breakup("2026Q3"))
    pooled = []
    for _ in range(4):
        market.step()
        firms = market.frames()["firms"]
        pooled.append(
            firms[firms["quarter"] == firms["quarter"].max()].set_index("firm")["funding_usd"]["DeepSeek"]
        )
    assert pooled[3] < pooled[1]
