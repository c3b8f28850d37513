"""A shock changes the graph or a parameter in its quarter, and says so in the log of events."""

import pytest

from model.market import Market
from model.parameters import Parameters
from model.setting import Setting
from scenarios.shocks import Capture, Consortium, SetParameter

QUARTER = "2022Q2"


def market(*shocks):
    setting = Setting(
        "t", Parameters.resolve({"enterprises": 56}), shocks, record_from="2022Q1", last="2022Q3"
    )
    world = Market(setting, seed=1)
    world.step()
    return world


def stake(world, owner):
    edges = world.graph.network
    key = next((k for k in edges.get_edge_data(owner, "DeepSeek", default={}) if str(k) == "equity"), None)
    return None if key is None else world.graph.terms(owner, "DeepSeek", "equity")["rights"]


def test_a_consortium_gives_each_member_its_stake_from_its_quarter_on():
    world = market(Consortium(QUARTER, "DeepSeek", ("Huawei", "Tencent"), stake_each=0.2))
    assert stake(world, "Huawei") is None
    world.step()
    assert [stake(world, name) for name in ("Huawei", "Tencent", "Alibaba")] == [0.2, 0.2, None]
    events = world.frames()["events"]
    assert "consortium" in set(events.loc[events["quarter"] == QUARTER, "kind"])


def test_members_buy_the_stake_of_the_parameter_table_unless_the_scenario_says_another():
    world = market(Consortium(QUARTER))
    world.step()
    assert stake(world, "Alibaba") == world.parameters["consortium_stake"]


def test_capture_makes_the_backer_the_parent():
    world = market(Capture(QUARTER, "DeepSeek", "Alibaba", 0.51))
    assert world.parent_of("DeepSeek") == "DeepSeek"
    world.step()
    assert world.parent_of("DeepSeek") == "Alibaba"
    events = world.frames()["events"]
    shocks = events[events["kind"] == "shock"]
    assert shocks["note"].tolist() == ["Alibaba takes 51% of DeepSeek"]
    assert shocks["quarter"].tolist() == [QUARTER]


def test_the_others_sell_to_the_captor_in_proportion_when_they_hold_too_much():
    world = market(
        Consortium("2022Q1", "DeepSeek", ("Huawei", "Tencent"), stake_each=0.4),
        Capture(QUARTER, "DeepSeek", "Alibaba", 0.6),
    )
    assert [stake(world, name) for name in ("Huawei", "Tencent", "Alibaba")] == [0.4, 0.4, None]
    world.step()
    assert [stake(world, name) for name in ("Huawei", "Tencent", "Alibaba")] == pytest.approx([0.2, 0.2, 0.6])


def test_a_stake_that_does_not_control_captures_nothing():
    with pytest.raises(ValueError, match=r"control takes more than 0\.5"):
        Capture(QUARTER, "DeepSeek", "Alibaba", 0.5).check()


def test_a_parameter_changes_from_its_quarter_on():
    world = market(SetParameter(QUARTER, "chip_alpha", 3.0))
    assert world.parameters["chip_alpha"] != 3.0
    world.step()
    assert world.parameters["chip_alpha"] == 3.0
    world.step()
    assert world.parameters["chip_alpha"] == 3.0
