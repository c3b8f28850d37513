"""The market as a whole: its records, its graph as the only way to trade, and its use in a notebook."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass

import mesa
import numpy as np
import pandas as pd
import pytest

from agents.policy import ExportTerms
from model import calendar
from model.market import Market
from model.parameters import Parameters
from model.place import REGIONS
from model.records import tables
from model.setting import Setting
from scenarios.shocks import Capture, Consortium, SetParameter

EXACT = 1e-9
KEYS = {
    "quarters": ["quarter"],
    "offers": ["quarter", "model", "channel", "seller", "region"],
    "chips": ["quarter", "product", "buyer", "purpose"],
    "fleets": ["quarter", "owner", "product", "purpose"],
    "firms": ["quarter", "firm"],
    "segments": ["quarter", "region", "sector", "size"],
    "edges": ["quarter", "source", "target", "kind"],
}


def setting(*shocks, last: str = "2024Q4", **overrides: float) -> Setting:
    return Setting("short", Parameters.resolve({"enterprises": 60, **overrides}), tuple(shocks), last=last)


@dataclass(frozen=True)
class Cut:
    """Takes an edge away."""

    quarter: str
    source: str
    target: str
    kind: str

    def apply(self, market: Market) -> str:
        market.graph.forbid(self.source, self.target, self.kind)
        return f"{self.source} no longer trades with {self.target}"


@dataclass(frozen=True)
class Embargo:
    """The United States ban all chips to a region."""

    quarter: str
    region: str

    def apply(self, market: Market) -> str:
        market.states["United States"].restrict(ExportTerms(banned=True), self.region)
        return f"no chips for {self.region}"


@pytest.fixture(scope="module")
def market() -> Market:
    """The baseline to the end of the facts, with a few dated shocks that change little."""
    world = Market(setting(Consortium("2024Q3"), SetParameter("2024Q2", "output_price_ratio", 4.0)), seed=3)
    world.run()
    return world


@pytest.fixture(scope="module")
def frames(market: Market) -> dict[str, pd.DataFrame]:
    return market.frames()


# ------------------------------------------------------------------------------------------------- records


def test_every_table_of_the_schema_is_filled_with_the_columns_that_it_declares(frames):
    assert frames.keys() == tables().keys()
    kinds = {"str": "object", "float": "f", "int": "i", "bool": "b"}
    for name, columns in tables().items():
        assert len(frames[name]) > 0, name
        assert list(frames[name].columns) == [column.column for column in columns]
        for column in columns:
            if column.dtype != "str":
                assert frames[name][column.column].dtype.kind == kinds[column.dtype], column


def test_every_row_of_a_table_has_a_key_of_its_own(frames):
    assert KEYS.keys() | {"events"} == frames.keys()
    for name, key in KEYS.items():
        assert not frames[name].duplicated(key).any(), name


def test_records_hold_every_quarter_from_the_first_recorded_one(frames):
    wanted = [calendar.name(t) for t in range(calendar.index("2023Q1"), calendar.index("2024Q4") + 1)]
    assert list(frames["quarters"]["quarter"]) == wanted
    for name in KEYS:
        assert sorted(frames[name]["quarter"].unique()) == wanted, name
    assert set(frames["events"]["quarter"]) <= set(wanted)


def test_quantities_and_prices_on_record_are_positive(frames):
    for table, column in (
        ("offers", "price_usd_per_mtok"),
        ("offers", "unit_cost_usd_per_mtok"),
        ("offers", "full_cost_usd_per_mtok"),
        ("offers", "active_params_b"),
        ("offers", "memory_gb"),
        ("fleets", "units"),
        ("segments", "firms"),
        ("quarters", "tokens_mtok"),
        ("quarters", "price_usd_per_mtok"),
        ("quarters", "h100_rental_usd_per_hour"),
    ):
        assert (frames[table][column] > 0.0).all(), (table, column)
    offers = frames["offers"]
    assert (offers["active_params_b"] <= offers["total_params_b"] * (1.0 + EXACT)).all()


def test_input_and_output_prices_make_the_posted_blend(frames):
    offers = frames["offers"]
    price_in, price_out = offers["input_price_usd_per_mtok"], offers["output_price_usd_per_mtok"]
    np.testing.assert_allclose((3.0 * price_in + price_out) / 4.0, offers["price_usd_per_mtok"], rtol=EXACT)
    before = offers["quarter"] < "2024Q2"
    np.testing.assert_allclose((price_out / price_in)[before], 3.0)
    np.testing.assert_allclose((price_out / price_in)[~before], 4.0)


def test_the_tables_tell_of_the_same_tokens_and_money(frames):
    by = {name: frame.groupby("quarter") for name, frame in frames.items()}
    tokens = frames["quarters"].set_index("quarter")["tokens_mtok"]
    edges = frames["edges"]
    along = {kind: edges[edges["kind"] == kind].groupby("quarter") for kind in edges["kind"].unique()}
    sold = by["offers"]["revenue_usd"].sum()
    for other in (
        by["offers"]["tokens_mtok"].sum(),
        by["segments"]["tokens_mtok"].sum(),
        along["tokens"]["units"].sum(),
    ):
        np.testing.assert_allclose(other, tokens, rtol=EXACT)
    received = frames["firms"].groupby("quarter")[
        ["revenue_api_usd", "revenue_open_hosting_usd", "revenue_partner_hosting_usd"]
    ]
    for other in (
        by["segments"]["spend_usd"].sum(),
        along["tokens"]["money_usd"].sum(),
        received.sum().sum(axis=1),
    ):
        np.testing.assert_allclose(other, sold, rtol=EXACT)
    services = frames["quarters"].set_index("quarter")["services_usd"]
    np.testing.assert_allclose(by["firms"]["revenue_services_usd"].sum(), services, rtol=EXACT)
    np.testing.assert_allclose(by["segments"]["services_usd"].sum(), services, rtol=EXACT)
    revenue = frames["quarters"].set_index("quarter")["market_revenue_usd"]
    np.testing.assert_allclose(revenue, sold + services, rtol=EXACT)


def test_the_tables_tell_of_the_same_chips(frames):
    chips = frames["chips"].groupby(["quarter", "maker", "buyer"])[["units_delivered", "value_usd"]].sum()
    chips = chips[chips["units_delivered"] > 0.0].sort_index()
    edges = frames["edges"][frames["edges"]["kind"] == "chips"]
    flows = edges.set_index(["quarter", "source", "target"])[["units", "money_usd"]].sort_index()
    flows = flows[flows["units"] > 0.0]
    assert list(chips.index) == list(flows.index)
    np.testing.assert_allclose(chips.to_numpy(), flows.to_numpy(), rtol=EXACT)
    spent = frames["firms"].groupby("quarter")["chip_purchases_usd"].sum()
    np.testing.assert_allclose(chips["value_usd"].groupby("quarter").sum(), spent, rtol=EXACT)


def test_nvidias_headline_shares_are_those_of_the_deliveries_in_china(frames):
    chips = frames["chips"][frames["chips"]["buyer_region"] == "China"]
    for column, what, of_class in (
        ("nvidia_share_china_units_all", "units_delivered", ("ai", "mid-range")),
        ("nvidia_share_china_value_all", "value_usd", ("ai", "mid-range")),
        ("nvidia_share_china_units_ai", "units_delivered", ("ai",)),
        ("nvidia_share_china_value_ai", "value_usd", ("ai",)),
        ("nvidia_share_china_ordered_units_all", "units_ordered", ("ai", "mid-range")),
        ("nvidia_share_china_ordered_units_ai", "units_ordered", ("ai",)),
    ):
        counted = chips[chips["class"].isin(of_class)]
        total = counted.groupby("quarter")[what].sum()
        own = counted[counted["maker"] == "NVIDIA"].groupby("quarter")[what].sum()
        np.testing.assert_allclose(frames["quarters"].set_index("quarter")[column], own / total, rtol=EXACT)


def test_fleets_on_record_work_within_their_hours_and_serve_what_was_sold(frames):
    fleets = frames["fleets"]
    pool = fleets["purpose"].replace({"dense": "inference", "sparse": "inference"})
    hours = fleets.groupby(["quarter", "owner", pool])[["hours_used", "hours_available"]].sum()
    assert (hours["hours_used"] <= hours["hours_available"] * (1.0 + EXACT)).all()
    served = fleets.groupby("quarter")["tokens_mtok"].sum()
    sold = frames["offers"].groupby("quarter")["tokens_mtok"].sum()
    # Holdings of less than a chip are not written down.
    np.testing.assert_allclose(served, sold, rtol=0.01)
    assert (served <= sold * (1.0 + EXACT)).all()


def test_shocks_launches_and_consortia_are_in_the_log(frames):
    events = frames["events"]
    shocks = events[events["kind"] == "shock"]
    assert list(shocks["quarter"]) == ["2024Q2", "2024Q3"]
    assert list(shocks["subject"]) == ["SetParameter", "Consortium"]
    assert (events["kind"] == "launch").any()
    formed = events[events["kind"] == "consortium"]
    assert list(formed["firm"]) == ["DeepSeek"]
    stake = Parameters.resolve({})["consortium_stake"]
    assert formed["value"].to_list() == [stake]


# --------------------------------------------------------------------------------------------------- graph


def delivered(world: Market, buyer: str, maker: str) -> float:
    made = [chip.index for chip in world.catalogue.chips if chip.spec.maker == maker]
    return float(world.clouds[buyer].fleet.delivered[made].sum())


def on_order(world: Market, buyer: str, maker: str) -> float:
    made = [chip.index for chip in world.catalogue.chips if chip.spec.maker == maker]
    return float(world.clouds[buyer].fleet.on_order()[made].sum())


def test_no_chip_reaches_a_cloud_without_an_edge_from_its_maker(market, frames):
    pairs = {(r.source, r.target) for r in market.graph.rows(idle=True) if r.kind == "chips"}
    chips = frames["chips"][frames["chips"]["units_delivered"] > 0.0]
    assert set(zip(chips["maker"], chips["buyer"], strict=True)) <= pairs
    # Huawei is on the entity list, and captive makers sell to their owners alone.
    assert ("NVIDIA", "Huawei") not in pairs
    assert {buyer for maker, buyer in pairs if maker == "Google TPU"} == {"GCP"}


def test_an_edge_cut_today_cancels_the_chips_that_are_on_their_way(market):
    world = Market(setting(Cut("2023Q3", "NVIDIA", "Tencent", "chips")), seed=3)
    while world.quarter != "2023Q3":
        world.step()
    assert on_order(world, "Tencent", "NVIDIA") > 0.0
    made_before = world.chipmakers["NVIDIA"].made
    held = world.clouds["Tencent"].fleet.units.copy()
    for _ in range(4):
        world.step()
        assert delivered(world, "Tencent", "NVIDIA") == 0.0
    assert on_order(world, "Tencent", "NVIDIA") == 0.0
    assert delivered(world, "Alibaba", "NVIDIA") > 0.0
    assert world.chipmakers["NVIDIA"].made > made_before
    made = [chip.index for chip in world.catalogue.chips if chip.spec.maker == "NVIDIA"]
    left = (1.0 - world.parameters.retirement_rate) ** 4
    kept = [index for index in made if index < len(held)]
    np.testing.assert_allclose(
        world.clouds["Tencent"].fleet.units[kept].sum(axis=1), held[kept].sum(axis=1) * left, rtol=1e-6
    )
    edges = world.frames()["edges"]
    after = edges[(edges["quarter"] >= "2023Q3") & (edges["source"] == "NVIDIA")]
    assert "Tencent" not in set(after["target"])


def test_an_embargo_ends_orders_and_deliveries_in_the_region_and_in_no_other():
    # To 2024Q3: the rules of 2024Q1 and 2024Q2 do not lift it.
    world = Market(setting(Embargo("2023Q2", "China"), last="2024Q3"), seed=3)
    chips = world.run()["chips"]
    american = chips["maker_origin"] == "US"
    here, after = chips["buyer_region"] == "China", chips["quarter"] >= "2023Q2"
    amounts = ["units_delivered", "units_ordered"]
    assert (chips.loc[american & here & ~after, amounts].sum() > 0.0).all()
    assert (chips.loc[american & here & after, amounts].sum() == 0.0).all()
    assert (chips.loc[american & ~here & after, amounts].sum() > 0.0).all()
    assert (chips.loc[~american & here & after, amounts].sum() > 0.0).all()


def test_a_segment_buys_only_from_sellers_that_reach_it():
    node = "North America/technology"
    cut = Cut("2023Q3", "OpenAI", node, "tokens")
    world = Market(setting(cut, last="2023Q4"), seed=3)
    edges = world.run()["edges"]
    tokens = edges[(edges["kind"] == "tokens") & (edges["source"] == "OpenAI")]
    before, after = tokens[tokens["quarter"] < "2023Q3"], tokens[tokens["quarter"] >= "2023Q3"]
    assert node in set(before["target"])
    assert node not in set(after["target"])
    assert "North America/finance" in set(after["target"])
    others = edges[(edges["kind"] == "tokens") & (edges["target"] == node) & (edges["quarter"] >= "2023Q3")]
    assert others["units"].sum() > 0.0


def test_money_flows_where_goods_do(frames):
    edges = frames["edges"]
    trade = edges[edges["kind"].isin(["chips", "tokens", "services"])]
    assert (trade["units"] > 0.0).all() and (trade["money_usd"] >= 0.0).all()
    assert (trade.groupby("kind")["money_usd"].sum() > 0.0).all()


def test_chips_are_paid_at_the_price_of_their_order_whatever_becomes_of_lead_times():
    longer = Market(setting(SetParameter("2023Q2", "lead_time_quarters", 4), last="2024Q2"), seed=3)
    shorter = Market(setting(SetParameter("2023Q2", "lead_time_quarters", 1), last="2024Q2"), seed=3)
    for world in (longer, shorter):
        chips = world.run()["chips"]
        bought = chips[chips["units_delivered"] > 0.0]
        price = bought["value_usd"] / bought["units_delivered"]
        assert (price >= world.parameters.chip_price_floor_usd / 2.0).all()


# ------------------------------------------------------------------------------------------------ notebook


def test_a_market_is_stepped_quarter_by_quarter_to_its_end():
    world = Market(setting(last="2022Q3"), seed=1)
    seen = []
    while not world.finished:
        seen.append(world.quarter)
        world.step()
    assert seen == ["2022Q1", "2022Q2", "2022Q3"]
    assert world.finished
    assert all(len(frame) == 0 for frame in world.frames().values())  # the burn-in leaves no record


def test_everybody_can_be_looked_at_by_name(market):
    assert market.clouds["Alibaba"].region == REGIONS[0]
    assert market.clouds["Alibaba"].fleet.units.sum() > 0.0
    assert market.vendors["DeepSeek"].latest("flagship").open_weights
    assert {"NVIDIA", "AMD", "Huawei Ascend"} <= market.chipmakers.keys()
    assert market.graph.node("DeepSeek").kind == "vendor"
    assert market.clouds["Alibaba"].cash == market.ledger.balance("Alibaba")
    assert market.firms.keys() == market.chipmakers.keys() | market.clouds.keys() | market.vendors.keys()
    names = set(market.graph.names("segment"))
    assert "China/finance" in names and len(names) == len(market.nodes)


def test_a_shock_is_felt_in_its_quarter_and_one_of_the_past_at_once():
    world = Market(setting(last="2023Q4"), seed=1)
    world.step()
    world.shock(SetParameter("2022Q4", "eta", 1.0))
    usual = Parameters.resolve({})["eta"]
    for _ in range(2):
        world.step()
        assert world.parameters["eta"] == usual
    world.step()
    assert world.parameters["eta"] == 1.0
    world.shock(SetParameter("2022Q1", "eta", 0.5))
    assert world.parameters["eta"] == 0.5


def test_a_shock_that_comes_from_outside_does_what_the_scenario_would_have_done():
    told = Market(setting(Consortium("2023Q2"), last="2023Q4"), seed=2)
    shocked = Market(setting(last="2023Q4"), seed=2)
    shocked.step()
    shocked.shock(Consortium("2023Q2"))
    for name, frame in told.run().items():
        pd.testing.assert_frame_equal(frame, shocked.run()[name])


def test_looking_changes_nothing():
    watched, alone = Market(setting(last="2023Q2"), seed=4), Market(setting(last="2023Q2"), seed=4)
    while not watched.finished:
        watched.step()
        watched.frames()
        list(watched.graph.rows(idle=True))
        _ = [watched.enterprises[i].portfolio for i in range(len(watched.enterprises))]
        _ = [firm.cash for firm in watched.firms.values()]
    for name, frame in alone.run().items():
        pd.testing.assert_frame_equal(frame, watched.frames()[name])


def test_what_comes_later_does_not_change_what_was_before():
    short = Market(setting(last="2023Q4"), seed=5).run()
    longer = Market(setting(Capture("2024Q1", "DeepSeek", "Tencent", 0.6), last="2024Q2"), seed=5).run()
    indices = [column for column in longer["quarters"].columns if "index" in column and "hhi" not in column]
    for name, frame in short.items():
        past = longer[name][longer[name]["quarter"] <= "2023Q4"].reset_index(drop=True)
        drop = indices if name == "quarters" else []  # relative to 2024
        pd.testing.assert_frame_equal(frame.drop(columns=drop), past.drop(columns=drop))


@pytest.mark.parametrize("counts_in_class", [True, False])
def test_a_released_market_is_forgotten_by_any_mesa(monkeypatch, counts_in_class):
    """Mesa to 3.3 keeps every model in a dictionary of the class of agents, later ones have none."""
    market = Market(setting(last="2023Q1"), seed=1)
    if not counts_in_class:
        monkeypatch.delattr(mesa.Agent, "_ids", raising=False)
    market.release()
    known = weakref.ref(market)
    assert market not in getattr(mesa.Agent, "_ids", {})
    del market
    if counts_in_class:
        gc.collect()
        assert known() is None
