"""Shocks to what firms can make and know: lost capacity, stalled software, a breakthrough, weights."""

from __future__ import annotations

import numpy as np
import pytest

from model.place import DENSE
from scenarios.contradiction import contradiction
from scenarios.shocks import Breakthrough, CapacityLoss, Openness, SoftwareStall
from tests.scenarios.branches import branch

QUARTER = "2026Q1"


def test_makers_that_lose_capacity_ship_that_much_less_and_others_as_before():
    free, lost = branch(QUARTER, quarters=1), branch(QUARTER, CapacityLoss(QUARTER, 0.5), quarters=1)
    for name, maker in lost.chipmakers.items():
        for grade, units in maker.capacity.items():
            share = 0.5 if maker.domestic else 1.0
            assert units == pytest.approx(share * free.chipmakers[name].capacity[grade])
    for market in (free, lost):
        market.step()
        market.step()
    chips = lost.frames()["chips"]
    chinese = chips[(chips["maker_origin"] == "CN") & (chips["quarter"] == "2026Q3")]
    shipped = chinese.groupby("maker")["units_delivered"].sum()
    for seller, units in shipped.items():
        assert units <= sum(lost.chipmakers[str(seller)].capacity.values())


def test_capacity_that_is_lost_before_the_facts_end_stays_lost():
    lost = branch("2023Q1", CapacityLoss("2023Q1", 0.5, ("NVIDIA",)), quarters=4)
    free = branch("2023Q1", quarters=4)
    for grade, units in lost.chipmakers["NVIDIA"].capacity.items():
        assert units == pytest.approx(0.5 * free.chipmakers["NVIDIA"].capacity[grade])


def test_stalled_software_stays_as_it_is_while_that_of_others_matures():
    market = branch(QUARTER, SoftwareStall(QUARTER), quarters=1)
    p = market.parameters
    before = {name: maker.maturity(p)[DENSE] for name, maker in market.chipmakers.items()}
    free = branch(QUARTER, quarters=6)
    for _ in range(5):
        market.step()
    for name, maker in market.chipmakers.items():
        now = maker.maturity(p)[DENSE]
        assert (now == before[name]) == (
            maker.domestic or now == free.chipmakers[name].maturity(p)[DENSE] == 1.0
        )
    ascend = "Huawei Ascend"
    assert free.chipmakers[ascend].maturity(p)[DENSE] > market.chipmakers[ascend].maturity(p)[DENSE]


def test_a_breakthrough_shows_with_the_next_launch_and_others_learn_of_it_slowly():
    free, jumped = (
        branch(QUARTER, quarters=6),
        branch(QUARTER, Breakthrough(QUARTER, "OpenAI", 1.0), quarters=6),
    )
    assert jumped.vendors["OpenAI"].best > free.vendors["OpenAI"].best + 0.7
    gains = {
        name: jumped.vendors[name].programme.efficiency - vendor.programme.efficiency
        for name, vendor in free.vendors.items()
        if name != "OpenAI"
    }
    assert 0.0 < np.mean(list(gains.values())) < 0.7


def launched(market, vendor):
    since = market.frames()["events"].set_index("quarter").loc[QUARTER:]
    names = since[(since["kind"] == "launch") & (since["firm"] == vendor)]["subject"]
    return [market.catalogue.models[name] for name in names]


def test_a_vendor_that_closes_its_weights_launches_closed_models_and_hosts_keep_the_old_ones():
    market = branch(QUARTER, Openness(QUARTER, "DeepSeek", "closed"), quarters=6)
    new = launched(market, "DeepSeek")
    assert new
    assert not any(model.open_weights for model in new)
    assert any(model.open_weights for model in launched(branch(QUARTER, quarters=6), "DeepSeek"))
    old = [model for model in market.catalogue.models_of("DeepSeek") if model not in new]
    assert any(model.open_weights for model in old)


def test_opened_weights_are_hosted_by_those_who_like_and_earn_their_maker_nothing_there():
    market = branch(QUARTER, Openness(QUARTER, "OpenAI", "open", existing=True), quarters=3)
    assert all(model.open_weights for model in market.vendors["OpenAI"].models)
    offers = [offer for offer in market.offers if offer.model.vendor == "OpenAI"]
    hosts = {offer.seller for offer in offers if offer.seller in market.clouds}
    assert len(hosts) > 4
    assert all(offer.setter == offer.seller for offer in offers)
    assert market.research.open_models["OpenAI"] == market.vendors["OpenAI"].best


def test_without_the_existing_ones_only_new_models_are_open():
    market = branch(QUARTER, Openness(QUARTER, "OpenAI", "open"), quarters=5)
    new = launched(market, "OpenAI")
    assert new
    assert all(model.open_weights for model in new)
    assert not any(m.open_weights for m in market.catalogue.models_of("OpenAI") if m not in new)


def test_weights_are_not_opened_and_closed_at_once():
    one, other = Openness(QUARTER, "Zhipu", "open"), Openness(QUARTER, "Zhipu", "closed")
    assert "both opened and closed" in contradiction(one, other)
