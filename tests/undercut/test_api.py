"""In a notebook a market is made from the name of a scenario, stepped, looked at, and gives DataFrames."""

from pathlib import Path

import networkx
import numpy as np
import pandas as pd
import pytest

import undercut
from model import market
from model.parameters import ParameterError
from model.records import tables
from scenarios.scenario import ScenarioError
from scenarios.shocks import SetParameter

SMALL = {"enterprises": 60}


@pytest.fixture
def world():
    return undercut.Market("baseline", seed=1, overrides=SMALL)


def test_a_market_runs_by_the_name_of_a_scenario_and_gives_the_tables_as_dataframes(tmp_path):
    file = tmp_path / "short.toml"
    file.write_text('title = "t"\n[horizon]\nlast = "2023Q2"\n')
    frames = undercut.Market(file, seed=1, overrides=SMALL).run()
    assert frames.keys() == tables().keys()
    for name, columns in tables().items():
        assert isinstance(frames[name], pd.DataFrame)
        assert list(frames[name].columns) == [column.column for column in columns]
    assert list(frames["quarters"]["quarter"]) == ["2023Q1", "2023Q2"]


def test_a_market_can_be_stepped_and_inspected(world):
    assert isinstance(world, market.Market)
    assert world.quarter == "2022Q1"
    world.step()
    assert world.quarter == "2022Q2"
    assert not world.finished
    assert world.clouds["Alibaba"].name == "Alibaba"
    assert isinstance(world.graph.network, networkx.MultiDiGraph)
    assert world.graph.network.number_of_edges() > 0


def test_a_market_can_be_shocked_from_outside(world):
    before = world.parameters["chip_alpha"]
    world.shock(SetParameter("2022Q1", "chip_alpha", before + 0.5))
    world.step()
    assert world.parameters["chip_alpha"] == before + 0.5


def test_a_setting_makes_the_same_world_as_its_name(world):
    other = undercut.Market(undercut.load("baseline", SMALL), seed=1)
    for _ in range(2):
        world.step()
        other.step()
    prices = [[offer.price for offer in each.offers] for each in (world, other)]
    assert prices[0]
    np.testing.assert_array_equal(prices[0], prices[1])


def test_wrong_names_are_answered_as_on_the_command_line():
    with pytest.raises(ScenarioError, match=r"did you mean baseline\?"):
        undercut.Market("basline")
    with pytest.raises(ParameterError, match="did you mean enterprises"):
        undercut.Market("baseline", overrides={"enterprise": 60})
    with pytest.raises(ValueError, match="a setting is resolved already"):
        undercut.Market(undercut.load("baseline"), overrides=SMALL)
    with pytest.raises(AttributeError, match=r"undercut has no 'Markt'; it has .*Market"):
        _ = undercut.Markt


def test_a_batch_from_python_returns_its_tables_and_verdicts(tmp_path):
    file = tmp_path / "short.toml"
    file.write_text('title = "t"\n[horizon]\nlast = "2023Q2"\n')
    batch = undercut.run(file, seeds=[4, 9], workers=1, out=tmp_path / "runs", overrides=SMALL, compared=0)
    assert batch.seeds == (4, 9)
    assert list(batch.table("quarters")["seed"].unique()) == [4, 9]
    assert undercut.verdicts(batch)
    assert undercut.Batch.open(tmp_path / "runs").manifest == batch.manifest


def test_every_public_name_is_there():
    for name in undercut.__all__:
        assert getattr(undercut, name) is not None
    assert dir(undercut) == undercut.__all__


def test_no_module_has_the_name_of_something_public():
    """Once it is imported, it would stand in its place."""
    modules = {file.stem for file in Path(undercut.__file__).parent.glob("*.py")}
    assert not modules & set(undercut.__all__)
