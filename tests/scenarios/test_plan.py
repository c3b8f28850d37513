"""A plan names every run once, by what decides its numbers and nothing else."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.parameters import table
from scenarios.design import sample
from scenarios.plan import Plan, PlanError, members_of
from scenarios.scenario import load, names
from scenarios.world import describe, identify, restore

SIMULATION = "scenarios.runner.simulate"


def plan(*scenarios: str, **more: object) -> Plan:
    return Plan(members_of([(load(name), "") for name in scenarios]), (1, 2, 3), **more)  # type: ignore[arg-type]


def test_a_worlds_name_says_nothing_of_its_scenario_and_everything_of_its_inputs() -> None:
    baseline = load("baseline")
    known = identify(baseline, SIMULATION)
    assert identify(replace(baseline, name="other", notes="other"), SIMULATION) == known
    others = [
        load("baseline", {"alpha_mean": 2.5}),
        replace(baseline, last="2028Q3"),
        load("consortium"),
    ]
    ids = {identify(setting, SIMULATION) for setting in others} | {identify(baseline, "another.simulation")}
    assert len(ids | {known}) == 5


@given(st.dictionaries(st.sampled_from(sorted(table())), st.floats(0.0, 1.0), max_size=5))
def test_a_world_can_be_told_as_data_and_restored(shares: dict[str, float]) -> None:
    values = {}
    for name, share in shares.items():
        parameter = table()[name]
        value = parameter.low + share * (parameter.high - parameter.low)
        values[name] = float(round(value)) if parameter.distribution in ("integer", "switch") else value
    values = {name: v for name, v in values.items() if table()[name].low <= v <= table()[name].high}
    setting = load("consortium", values)
    again = restore(describe(setting))
    assert again == setting
    assert identify(again, SIMULATION) == identify(setting, SIMULATION)


@pytest.mark.parametrize("name", names())
def test_every_scenario_of_the_library_is_restored_from_its_description(name: str) -> None:
    assert restore(describe(load(name))) == load(name)


def test_values_that_differ_in_a_late_digit_have_labels_of_their_own() -> None:
    points = [{"alpha_mean": value} for value in (2.0, 2.0000001, 2.0000002)]
    labels = [member.label for member in members_of([(load("baseline"), "")], points)]
    assert labels == [f"baseline alpha_mean={value}" for value in ("2", "2.0000001", "2.0000002")]


def test_the_longest_name_of_a_scenario_leaves_room_for_the_batchs() -> None:
    setting = replace(load("baseline"), name="w" * 248)
    name = Plan(members_of([(setting, "")]), (1,)).name
    assert len(name) < 120
    assert name.startswith("w" * 50)


def test_counterfactuals_are_runs_like_others_and_made_once() -> None:
    settings = [(load("baseline"), ""), (load("consortium"), "")]
    made = Plan(members_of(settings, causes=("open_weights", "consortium")), (1, 2, 3), compared=2)
    labels = [member.label for member in made.members]
    assert labels == [
        "baseline",
        "consortium",
        "baseline / open_weights",
        "baseline / consortium",
        "consortium / open_weights",
    ]
    runs = [(world, seed) for _, world, seed, _ in made.runs()]
    assert len(runs) == len(set(runs)) == 2 * 3 + 2 * 2  # the consortium's world is asked for already


def test_a_cause_that_varies_is_off_in_its_counterfactual() -> None:
    points = [{"open_weights": 0.0}, {"open_weights": 1.0}]
    made = members_of([(load("baseline"), "")], points, causes=("open_weights",))
    assert [(m.label, m.setting.parameters["open_weights"]) for m in made] == [
        ("baseline open_weights=0", 0.0),
        ("baseline open_weights=1", 1.0),
        ("baseline open_weights=1 / open_weights", 0.0),  # the other one has it off already
    ]


def test_ten_thousand_worlds_take_little_memory() -> None:
    points = sample("lhs:500")
    tracemalloc.start()
    made = Plan(members_of([(load("baseline"), "")], points, numbered=True), (1, 2))
    assert len(set(made.ids)) == 500
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 500 < 15_000  # bytes a world, beside its point; all its numbers would take 90,000


def test_full_tables_are_kept_of_asked_worlds_only() -> None:
    made = Plan(members_of([(load("baseline"), "")], causes=("open_weights",)), (1, 2, 3), 3, "sample:2")
    kept = [(place, seed) for place, _, seed, full in made.runs() if full]
    assert kept == [(0, 1), (0, 2)]


def test_a_batch_is_named_by_all_that_it_runs() -> None:
    batches = [
        plan("baseline"),
        plan("baseline", keep="all"),
        plan("consortium"),
        plan("baseline", "consortium"),
        Plan(plan("baseline").members, (1, 2)),
    ]
    assert len({batch.name for batch in batches}) == 5
    assert plan("baseline").name == plan("baseline").name
    assert plan("baseline", "consortium").name.startswith("baseline+1-")


def test_a_name_that_is_no_file_name_becomes_one() -> None:
    odd = replace(load("baseline"), name="../my world: Ω/x")
    name = Plan(members_of([(odd, "")]), (1,)).name
    assert name.startswith("my-world-x-")


@pytest.mark.parametrize("keep", ["some", "sample", "sample:-1", "sample:x", "ALL", ""])
def test_what_to_keep_is_checked(keep: str) -> None:
    with pytest.raises(PlanError, match="write all, headline, or sample:N"):
        plan("baseline", keep=keep)


def test_a_scenario_twice_is_refused() -> None:
    with pytest.raises(PlanError, match="baseline is asked for twice"):
        plan("baseline", "baseline")
