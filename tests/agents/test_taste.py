"""What enterprises feel about an offer beside its price and capability."""

import numpy as np
import pytest

from agents.taste import channel_taste, home_bias, look, standing_of
from model.parameters import Parameters
from model.place import ASIA_PACIFIC, CHINA, EUROPE, NORTH_AMERICA, REGIONS

LAST = "2024Q3"
P = Parameters.resolve({})


def test_buyers_prefer_what_comes_from_home():
    assert home_bias(CHINA, "CN", P) == 0.0
    for foreign in ("US", "EU"):
        assert home_bias(CHINA, foreign, P) == -P.home_bias_china < 0.0
    for region in (ASIA_PACIFIC, NORTH_AMERICA, EUROPE):
        assert home_bias(region, "CN", P) < 0.0
        assert home_bias(region, "US", P) == home_bias(region, "EU", P) == 0.0


def test_small_firms_like_running_their_own_chips_less():
    small = np.array([False, True])
    for channel in ("colocation", "on-premises"):
        large, little = channel_taste(channel, small, P)
        assert large - little == pytest.approx(P.self_hosting_size_penalty)
    assert (channel_taste("managed", small, P) == 0.0).all()
    assert (channel_taste("api", small, P) == P.channel_api).all()


def test_customers_buy_where_they_are(small):
    market = small()
    china = {name: standing_of(market, name, CHINA) for name in ("Alibaba", "Tencent", "AWS")}
    assert china["Alibaba"] > china["Tencent"] > china["AWS"]
    west = {name: standing_of(market, name, NORTH_AMERICA) for name in ("AWS", "GCP", "Alibaba")}
    assert west["AWS"] > west["GCP"] > west["Alibaba"]
    assert standing_of(market, "OpenAI", NORTH_AMERICA) == 0.0


def test_an_offer_is_worth_something_exactly_where_a_tokens_edge_leads(market):
    table, _ = look(market)
    assert table.shape == (len(market.population.cells), len(market.offers))
    for j, offer in enumerate(market.offers):
        for s, cell in enumerate(market.population.cells):
            node = f"{REGIONS[cell.region]}/{cell.sector}"
            sold = (
                cell.region in offer.regions
                and np.isfinite(offer.unit_cost)
                and market.graph.permitted(offer.seller, node, "tokens")
            )
            assert np.isfinite(table[s, j]) == sold


def test_tasks_get_harder_as_the_easy_ones_are_done(market):
    now, quarter = look(market)[0], market.t
    try:
        market.t = quarter + 4
        later = look(market)[0]
    finally:
        market.t = quarter
    sold = np.isfinite(now)
    np.testing.assert_allclose(now[sold] - later[sold], market.parameters.outside_drift)


def test_open_weights_on_a_trusted_server_are_distrusted_less_than_their_makers_interface(market):
    p = market.parameters
    hosted = [
        (j, o) for j, o in enumerate(market.offers)
        if o.model.vendor == "DeepSeek" and o.seller in ("Azure", "AWS", "GCP", "European champions")
    ]  # fmt: skip
    assert p.open_weights_distrust < 1.0
    for _, offer in hosted:
        assert market.firms[offer.seller].origin != "CN"
    own = home_bias(NORTH_AMERICA, "CN", p)
    through_host = p.model_origin_weight * own * p.open_weights_distrust
    assert through_host > own


def test_a_market_without_offers_has_no_tastes(small):
    market = small()
    by_cell, by_type = look(market)
    assert by_cell.shape == (len(market.population.cells), 0)
    assert by_type.shape == (len(market.types.weight), 0)


def test_what_a_type_sees_is_the_mean_over_its_cells_of_the_exponential(market):
    by_cell, by_type = look(market)
    with np.errstate(divide="ignore"):
        mean = np.log(market.types.mixture @ np.exp(by_cell))
    np.testing.assert_allclose(by_type, mean, rtol=1e-12)
    assert np.isneginf(by_type).any()


def test_every_channel_has_its_own_utility():
    p = P.changed({"channel_colocation": -1.5, "channel_on_premises": -0.7})
    large = np.array([False])
    assert channel_taste("colocation", large, p) == [-1.5]
    assert channel_taste("on-premises", large, p) == [-0.7]


def test_buyers_prefer_the_cloud_on_which_they_spend_more(small):
    """The same model, in the same region and channel: the utility differs by the standing of its seller."""
    market = small(last="2024Q3")
    market.run()
    table, _ = look(market)
    offers, cells = list(market.offers), market.population.cells
    pairs = [
        (i, j)
        for i, one in enumerate(offers)
        for j, other in enumerate(offers)
        if one.seller != other.seller
        and (one.model, one.channel) == (other.model, other.channel)
        and {one.seller, other.seller} == {"AWS", "GCP"}
    ]
    assert pairs
    for i, j in pairs:
        for s, cell in enumerate(cells):
            if np.isfinite(table[s, [i, j]]).all():
                gap = standing_of(market, offers[i].seller, cell.region) - standing_of(
                    market, offers[j].seller, cell.region
                )
                assert table[s, i] - table[s, j] == pytest.approx(gap, abs=1e-9)
