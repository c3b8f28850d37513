"""Each part of the benchmarks says what it is, and its references give the results of ours. No clock is looked at."""

import importlib
import inspect

import numpy as np
import pytest

from benchmarks import demand_step, growth, start_up, store, whole_run
from benchmarks.demand_world import World
from benchmarks.parts import PARTS
from benchmarks.table import Row
from benchmarks.turns import Disagreement
from model.market import Market
from model.parameters import Parameters
from scenarios.scenario import load


@pytest.mark.parametrize("name", PARTS)
def test_a_part_says_what_it_measures(name):
    part = importlib.import_module(f"benchmarks.{name}")
    assert part.__doc__
    assert inspect.isgeneratorfunction(part.measure)


def test_every_variant_of_the_demand_step_asks_for_the_same_tokens():
    assert demand_step.agree(300, None) < demand_step.AGREEMENT


def test_c_asks_for_the_same_tokens(tmp_path):
    kernel = demand_step.compiled(tmp_path)
    if kernel is None:
        pytest.skip("no C compiler: apt-get install gcc")
    assert demand_step.agree(300, kernel) < demand_step.AGREEMENT


def test_traits_are_below_a_hundred_bytes_an_enterprise():
    assert 24.0 <= demand_step.traits(5_000) < 100.0


def test_every_event_of_the_quarter_has_a_name():
    found = whole_run.events()
    assert "enterprise.consume" in found
    assert found.index("research.carry_out") < found.index("settlement.settle") < found.index("close_quarter")
    assert found[-1] == whole_run.OUTSIDE
    assert "enterprise.consume" in found


def test_the_modules_of_the_books_exist():
    assert [name for name in whole_run.BOOKS if not (whole_run.ROOT / name).exists()] == []


def test_lines_of_the_profile_add_up():
    spent = {("enterprise.consume", "model/demand.py"): 0.03, ("settlement.settle", "model/ledger.py"): 0.01}
    *rows, said = whole_run.lines([0.04], spent, lambda key: key[0], [])
    shares = [row.ratio for row in rows if isinstance(row, Row)]
    assert shares == [pytest.approx(0.75), pytest.approx(0.25), None]
    assert rows[-1] == Row("a run", "", "ms of processor", (40.0,))
    assert str(said).startswith("25% of a run writes down")


def test_copied_firms_have_names_and_launches_of_their_own():
    facts = growth.copied(3)
    parameters = Parameters.resolve({})
    firms = [row["firm"] for row in facts(parameters, "firms")]
    assert len(set(firms)) == len(firms)
    assert [name for name in firms if str(name).startswith("NVIDIA")] == ["NVIDIA"]
    assert {"Alibaba", "Alibaba 2", "Alibaba 3"} <= set(firms)
    models = [row["model"] for row in facts(parameters, "launches")]
    assert len(set(models)) == len(models) == 3 * len(parameters.facts("launches"))
    assert facts(parameters, "chips") == parameters.facts("chips")


def test_all_commands_are_started():
    found = start_up.commands()
    assert {"undercut run", "undercut study", "undercut study sobol"} <= set(found)
    with pytest.raises(RuntimeError, match="ended with status 3"):
        start_up.Taken().start(["-c", "raise SystemExit(3)"])


def test_what_the_store_gives_back_is_what_it_was_given(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ENTERPRISES", 60)
    store.one_run.cache_clear()
    try:
        taken, made, megabytes = store.written("headline", 4, tmp_path / "store")
        assert all(seconds > 0.0 for seconds in taken.values())
        assert megabytes > 0.0
        _, _, rows = store.read(made, "headline")
        assert rows == len(made.table("quarters")) + len(made.table("metrics"))
        monkeypatch.setattr(store, "SPREAD", 0.2)
        with pytest.raises(Disagreement):
            store.read(made, "headline")
    finally:
        store.one_run.cache_clear()


def test_numbers_drawn_around_a_run_stay_missing_where_they_were():
    frames, _ = store.one_run()
    names = store.stored("all")
    found = store.drawn(frames, names, 5)
    assert list(found) == list(names)
    for name in names:
        before, after = frames[name], found[name]
        assert list(after.columns) == list(before.columns)
        assert np.array_equal(before.isna(), after.isna())
    assert not found["quarters"].equals(frames["quarters"])


def test_a_world_of_the_benchmark_has_as_many_offers_as_asked_for():
    world = World.draw(50, offers=6, models=3)
    assert world.offset.shape[1] == world.price.size == world.portfolio.shape[1] == 6
    assert set(world.model) == {0, 1, 2}


def test_the_stopwatch_knows_the_line_of_the_quarter_it_interrupts():
    seen = []

    class Watched(Market):
        def learn(self):
            seen.append(whole_run.place(inspect.currentframe()))

    market = Watched(load("baseline", {"enterprises": 60.0}), 1)
    market.step()
    assert [event for event, _ in seen] == ["learn"]
