"""Shocks to trade across borders: what may be sold where, and what still may."""

from __future__ import annotations

from agents.intervention import open_to
from model.place import REGION_INDEX
from scenarios.contradiction import contradiction
from scenarios.shocks import ChipBan, ChipRelief, Confine, Sovereignty, WeightsBan
from tests.scenarios.branches import branch

QUARTER = "2026Q1"


def deliveries(market, since=QUARTER):
    chips = market.frames()["chips"]
    return chips[chips["quarter"] >= since]


def test_after_a_ban_no_american_chip_is_ordered_or_delivered_in_china_and_all_else_goes_on():
    chips = deliveries(branch(QUARTER, ChipBan(QUARTER), quarters=5))
    american, here = chips["maker_origin"] == "US", chips["buyer_region"] == "China"
    assert chips[american & here].empty
    assert chips[american & ~here]["units_delivered"].sum() > 0
    assert chips[~american & here]["units_delivered"].sum() > 0


def test_nobody_designs_a_chip_for_a_market_that_is_closed():
    def china_lines(*shocks):
        market = branch(QUARTER, *shocks, quarters=5)
        return [c.name for c in market.catalogue.chips if c.made_for_rules and c.launched >= market.t - 5]

    assert china_lines()
    assert china_lines(ChipBan(QUARTER)) == []


def test_when_the_rules_are_lifted_china_buys_the_best_chips_again_and_listed_buyers_only_if_they_are_freed():
    def bought(*shocks):
        chips = deliveries(branch(QUARTER, *shocks, quarters=5))
        american = chips[(chips["maker"] == "NVIDIA") & (chips["units_ordered"] > 0)]
        return {buyer: set(rows["product"]) for buyer, rows in american.groupby("buyer")}

    ruled, lifted = bought(), bought(ChipRelief(QUARTER))
    assert not {chip for chip in ruled["Alibaba"] if chip in ruled["AWS"] and "flagship" in chip} - {"A10"}
    assert lifted["Alibaba"] & lifted["AWS"] - ruled["Alibaba"]
    assert "Huawei" not in lifted
    assert "Huawei" in bought(ChipRelief(QUARTER, listed=True))


def test_rules_cannot_be_tightened_and_lifted_in_one_quarter():
    assert "write one of the two" in contradiction(ChipRelief(QUARTER), ChipBan(QUARTER))
    assert not contradiction(ChipRelief("2026Q2"), ChipBan(QUARTER))


def test_hosts_abroad_give_the_place_of_a_confined_model_to_another():
    free, confined = (branch(QUARTER, *shocks, quarters=2) for shocks in ((), (Confine(QUARTER),)))
    vendor = {model.name: model.vendor for model in free.catalogue.models.values()}
    for name in ("AWS", "European champions"):
        assert "DeepSeek" not in {vendor[model] for model in confined.clouds[name].hosted}
        assert len(confined.clouds[name].hosted) == len(free.clouds[name].hosted)


def open_abroad(market):
    """Chinese open models on sale from hosts of other origins, by name."""
    return {
        offer.model
        for offer in market.offers
        if offer.model.open_weights
        and offer.model.origin == "CN"
        and market.firms[offer.seller].origin != "CN"
    }


def test_kept_weights_are_hosted_at_home_only_while_their_makers_go_on_selling_tokens_abroad():
    kept = branch(QUARTER, WeightsBan(QUARTER, recalled=True), quarters=2)
    assert open_abroad(branch(QUARTER, quarters=2))
    assert not open_abroad(kept)
    abroad = [o for o in kept.offers if o.model.origin == "CN" and REGION_INDEX["Asia-Pacific"] in o.regions]
    assert {kept.firms[offer.seller].origin for offer in abroad} == {"CN"}
    assert any(offer.channel == "api" for offer in abroad)


def test_weights_that_are_out_already_stay_out():
    kept = branch(QUARTER, WeightsBan(QUARTER), quarters=4)
    assert all(model.launched < kept.t - 4 for model in open_abroad(kept))
    assert any(model.launched >= kept.t - 4 for model in open_abroad(branch(QUARTER, quarters=4)))


def test_nobody_abroad_builds_on_kept_weights_and_at_home_all_is_as_before():
    market = branch(QUARTER, WeightsBan(QUARTER, recalled=True), quarters=2)
    abroad = [
        model.capability
        for vendor in market.vendors.values()
        if vendor.origin != "CN" and vendor.name != "OpenAI"
        for model in vendor.models
        if model.open_weights
    ]
    assert open_to(market, market.vendors["OpenAI"]) == max(abroad)
    assert open_to(market, market.vendors["Zhipu"]) == market.research.open_to("Zhipu")


def test_in_a_world_of_blocs_tokens_come_from_sellers_at_home_or_from_ones_own_chips():
    market = branch(QUARTER, Sovereignty(QUARTER, (("North America", "Europe and rest"),)), quarters=2)
    bloc = {"China": 0, "Asia-Pacific": 1, "North America": 2, "Europe and rest": 2}
    edges = market.frames()["edges"]
    traded = edges[(edges["quarter"] >= QUARTER) & edges["kind"].isin(["tokens", "services"])]
    assert not traded.empty
    for seller, node in zip(traded["source"], traded["target"], strict=True):
        cloud = market.clouds.get(seller)
        home, buyer = market.firms[seller].region, market.graph.node(node).region
        assert bloc[home] == bloc[buyer] or (cloud is not None and cloud.venue)


def test_blocs_cost_those_most_who_have_no_sellers_at_home():
    free = branch(QUARTER, quarters=4).frames()["segments"]
    cut = branch(QUARTER, Sovereignty(QUARTER), quarters=4).frames()["segments"]

    def tokens(segments, region):
        chosen = (segments["quarter"] == "2026Q3") & (segments["region"] == region)
        return segments.loc[chosen, "tokens_mtok"].sum()

    assert tokens(cut, "Asia-Pacific") < 0.8 * tokens(free, "Asia-Pacific")
    assert tokens(cut, "China") > 0.9 * tokens(free, "China")


def test_facts_that_were_still_to_come_do_not_open_a_closed_border():
    market = branch("2023Q1", Sovereignty("2023Q1"), quarters=6)
    assert all(
        market.graph.node(node).region == "China" for node in market.graph.targets("DeepSeek", "tokens")
    )
    assert market.graph.targets("DeepSeek", "tokens")
