"""The price list: who may offer what where, and what each line costs."""

from __future__ import annotations

import numpy as np

from agents.listing import areas
from model.place import CHINA
from scenarios.shocks import Confine

LAST = "2024Q4"


def test_chinese_sellers_price_abroad_apart_and_others_once_for_all(market):
    assert areas(market)[0]["Alibaba"].keys() == {"China", "abroad"}
    assert CHINA not in areas(market)[0]["Alibaba"]["abroad"]
    assert areas(market)[0]["OpenAI"].keys() == {"global"}
    assert CHINA not in areas(market)[0]["OpenAI"]["global"]


def test_a_partner_of_closed_models_may_not_host_others_in_china(market):
    assert CHINA not in areas(market)[0]["Azure"].get("global", ())
    assert CHINA in areas(market)[1]["Azure"]["global"]
    in_china = [o for o in market.offers if o.seller == "Azure" and CHINA in o.regions]
    assert "OpenAI" in {offer.model.vendor for offer in in_china}
    for offer in in_china:
        assert not offer.model.open_weights
        assert offer.setter == offer.model.vendor


def test_a_closed_model_is_sold_by_its_vendor_and_its_partners_only(market):
    closed = [o for o in market.offers if not o.model.open_weights]
    assert closed
    for offer in closed:
        assert offer.setter == offer.model.vendor
        assert offer.seller == offer.model.vendor or market.graph.permitted(
            offer.model.vendor, offer.seller, "hosting"
        )


def test_an_open_model_may_be_hosted_by_many_within_their_slots(market):
    p = market.parameters
    hosted = [o for o in market.offers if o.model.open_weights and o.seller in market.clouds]
    assert len({o.seller for o in hosted}) >= 3
    for name, cloud in market.clouds.items():
        slots = p.venue_slots if cloud.venue else p.hosting_slots
        for tier in ("flagship", "small"):
            models = {o.model.name for o in hosted if o.seller == name and o.model.tier == tier}
            assert len(models) <= slots


def test_nobody_sells_a_model_before_its_launch_or_after_its_end(market):
    for offer in market.offers:
        assert offer.model.launched <= market.t - 1
        assert offer.model.until is None or offer.model.until >= market.t - 1
        assert offer.since >= max(offer.model.launched, 0)


def test_what_a_line_costs_is_in_order(market):
    p = market.parameters
    for offer in market.offers:
        if np.isfinite(offer.unit_cost):
            assert p.serving_overhead_usd_per_mtok < offer.resource <= offer.transfer
            expected = offer.resource if offer.host == offer.setter else offer.transfer
            assert offer.unit_cost == expected
            assert offer.full_cost > p.serving_overhead_usd_per_mtok
            assert 0.0 < offer.hours_per_mtok < np.inf


def test_every_line_of_the_list_is_found_by_its_key_and_has_its_own(market):
    keys = [offer.key for offer in market.offers]
    assert len(set(keys)) == len(keys)
    assert all(market.offers.get(offer.key) is offer for offer in market.offers)


def test_a_vendor_that_export_rules_confine_is_sold_at_home_by_firms_of_its_own(small):
    world = small(Confine("2024Q3"), last="2024Q4")
    offers = world.run()["offers"]
    deepseek = offers[offers["vendor"] == "DeepSeek"]
    before, after = deepseek[deepseek["quarter"] < "2024Q3"], deepseek[deepseek["quarter"] >= "2024Q3"]
    assert set(before["region"]) > {"China"}
    assert set(after["region"]) == {"China"}
    assert set(after["seller_origin"]) == {"CN"}
    others = offers[(offers["vendor"] == "Alibaba Qwen") & (offers["quarter"] >= "2024Q3")]
    assert set(others["region"]) > {"China"}
