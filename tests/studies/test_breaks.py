"""Break points on functions whose crossing is known in closed form, on the path that runs the market."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evidence.claims import by_id
from evidence.facts import constants
from evidence.judge import wilson
from model.parameters import table
from scenarios.plan import PlanError
from scenarios.runner import Job
from scenarios.scenario import load
from studies.breaks.breaks import FLIPS, STAYS, breaks
from studies.breaks.curve import DECIDED, UNDECIDED, UNDEFINED, crossing
from studies.breaks.line import DOWN, UP, Line
from studies.space import Space
from tests.studies.functions import AXES, CLAIM, JOBS, NOISE, SLOPES, arguments, linear, measure, tables_of
from viz.study.breaks import sections
from viz.study.report import html

LEVEL = constants()["interval_level"]


def value_at(place: float, name: str) -> float:
    parameter = table()[name]
    return parameter.low + place * (parameter.high - parameter.low)


def toy(tmp_path, places, seeds=range(12), job=JOBS["linear"], over=AXES, **options):
    """The study on a world in which the arguments of the function have some values."""
    world = load("baseline", {name: value_at(place, name) for name, place in zip(AXES, places, strict=True)})
    return breaks(world, Space.over(over), (CLAIM,), tuple(seeds), tmp_path, job=job, workers=1, **options)


def median_noise(seeds) -> float:
    return float(np.median([np.random.default_rng(seed).normal(0.0, NOISE) for seed in seeds]))


def crossing_of(places, axis: int, noise: float) -> float:
    """Where the linear function reaches the claim's bound, solved for one argument."""
    rest = sum(b * (x - 0.5) for i, (b, x) in enumerate(zip(SLOPES, places, strict=True)) if i != axis)
    return float(0.5 + (by_id()[CLAIM].claimed_high - noise - rest) / SLOPES[axis])


def test_known_break_points_are_found_and_lie_in_their_intervals(tmp_path) -> None:
    places, seeds = (0.45, 0.45, 0.5, 0.5), range(15)
    study, parts = toy(tmp_path, places, seeds)
    found = study.tables["breaks"].set_index("parameter")
    assert study.tables["claims"]["standing"].tolist() == [DECIDED]
    for axis, name in enumerate(AXES[:2]):
        row, known = found.loc[name], crossing_of(places, axis, median_noise(seeds))
        assert row["status"] == FLIPS and row["side"] == UP and row["holds"]
        # The bracket is known to the grid's step halved four times.
        assert row["value"] == pytest.approx(
            value_at(known, name), abs=value_at(1.0 / 128, name) - table()[name].low
        )
        assert row["distance"] == pytest.approx(known - places[axis], abs=1.0 / 128)
        assert row["distance_low"] < row["distance"] < row["distance_high"] or not row["sure"]
        # Without the luck of these seeds the break is where the noise has its median, 0.
        true = value_at(crossing_of(places, axis, 0.0), name)
        assert row["value_low"] <= true
        assert math.isnan(row["value_high"]) or true <= row["value_high"]
    # The steeper one is the more fragile, and the first of the ranking.
    assert found.index[0] == AXES[0]
    # One batch for the grid, one for each round; all with the same seeds.
    assert len(parts) == len(study.batches) == 5
    assert {part.seeds for part in parts} == {tuple(seeds)}


def test_a_parameter_that_cannot_flip_a_claim_says_so(tmp_path) -> None:
    study, _ = toy(tmp_path, (0.1, 0.2, 0.2, 0.5), seeds=range(4), rounds=1)
    found = study.tables["breaks"].set_index("parameter")
    for name in AXES[2:]:
        row = found.loc[name]
        assert row["status"] == STAYS and row["sure"]
        assert math.isnan(row["distance"]) and math.isnan(row["value"])
    both = study.tables["sides"].query("parameter == 'price_adjustment'")
    assert both["side"].tolist() == [UP, DOWN]
    assert study.tables["claims"]["flipped_by"].tolist() == [1]


def test_a_claim_that_fails_can_come_to_hold_on_the_other_side(tmp_path) -> None:
    places, seeds = (0.9, 0.5, 0.5, 0.5), range(7)
    study, _ = toy(tmp_path, places, seeds, over=AXES[:1])
    row = study.tables["breaks"].iloc[0]
    assert not row["holds"] and row["side"] == DOWN
    assert row["distance"] == pytest.approx(0.9 - crossing_of(places, 0, median_noise(seeds)), abs=1.0 / 128)


def test_what_chance_decides_at_the_default_has_no_break_point(tmp_path) -> None:
    study, parts = toy(tmp_path, (0.625, 0.5, 0.5, 0.5), seeds=range(8))
    assert study.tables["claims"]["standing"].tolist() == [UNDECIDED]
    assert study.tables["breaks"].empty and len(parts) == 1
    assert "already undecided at the default" in html(study)


def test_too_few_seeds_say_how_many_it_takes(tmp_path) -> None:
    study, _ = toy(tmp_path, (0.1, 0.1, 0.1, 0.5), seeds=(1, 2), over=AXES[:1])
    assert study.tables["claims"]["standing"].tolist() == [UNDECIDED]
    assert "at least 3 seeds" in study.notes[0]


def undefined_below(setting, seed):
    """The linear function, which has no value where the first argument is below a quarter."""
    return tables_of(math.nan) if arguments(setting, 0.0, 1.0)[0] < 0.25 else linear(setting, seed)


def test_an_undefined_claim_has_no_break_point_and_a_defined_one_counts_it_as_not_holding(tmp_path) -> None:
    job = Job(undefined_below, measure)
    study, _ = toy(tmp_path, (0.1, 0.5, 0.5, 0.5), seeds=range(4), job=job, over=AXES[:1])
    assert study.tables["claims"]["standing"].tolist() == [UNDEFINED]
    assert study.tables["breaks"].empty
    study, _ = toy(tmp_path, (0.35, 0.3, 0.3, 0.5), seeds=range(4), job=job, over=AXES[:1])
    row = study.tables["breaks"].iloc[0]
    assert row["side"] == DOWN and row["undefined"] == 4
    assert row["distance"] == pytest.approx(0.1, abs=1.0 / 128)


def wavers(setting, seed):
    """At the default the claim holds, elsewhere with two seeds of three, and not with the same ones everywhere."""
    x = arguments(setting, 0.0, 1.0)
    drawn = np.random.default_rng([seed, *(round(1e9 * v) for v in x)]).random()
    return tables_of(0.25 if drawn < 2.0 / 3.0 or x == pytest.approx([0.45, 0.45, 0.5, 0.5]) else 0.75)


def test_flips_that_chance_alone_may_make_are_counted_and_head_no_report(tmp_path) -> None:
    study, _ = toy(tmp_path, (0.45, 0.45, 0.5, 0.5), range(9), Job(wavers, measure), rounds=0)
    flips = study.tables["breaks"].query("status == @FLIPS")
    # No parameter does anything; some cross one half all the same, and at no value beyond chance.
    assert len(flips) and not flips["sure"].any()
    assert any(f"{len(flips)} of {len(flips)} flips are not beyond chance" in note for note in study.notes)
    text = html(study)
    assert "None of them is beyond chance" in text
    # What steepens towards the end of its range is beyond chance, and is named.
    study, _ = toy(tmp_path, (0.45, 0.45, 0.5, 0.5), range(15), rounds=0)
    assert study.tables["breaks"].query("status == @FLIPS")["sure"].any()
    assert "The most fragile beyond chance" in html(study)


def test_failed_runs_are_counted_and_the_values_without_a_run_passed_over(tmp_path) -> None:
    study, parts = toy(tmp_path, (0.1, 0.1, 0.1, 0.5), range(5), JOBS["fails_in_a_corner"], AXES[:1])
    assert sum(int(part.failed.sum()) for part in parts) == 5
    assert "5 of" in study.notes[0] and "failed" in study.notes[0]
    # The end of the range failed, so that it is not known whether the claim flips there.
    row = study.tables["breaks"].iloc[0]
    assert row["status"] == FLIPS or not row["sure"]
    points = study.tables["curves"]
    assert points.loc[points["runs"] == 0, "probability"].isna().all()
    with pytest.raises(PlanError, match="every run at the defaults failed"):
        toy(tmp_path, (0.95, 0.1, 0.1, 0.5), (1,), JOBS["fails_in_a_corner"])


def test_the_same_arguments_give_the_same_bytes_and_the_report_says_it_in_words(tmp_path) -> None:
    first, _ = toy(tmp_path / "a", (0.45, 0.45, 0.5, 0.5), over=AXES[:2], rounds=2)
    again, _ = toy(tmp_path / "b", (0.45, 0.45, 0.5, 0.5), over=AXES[:2], rounds=2)
    assert first.name == again.name
    assert all(first.tables[name].equals(again.tables[name]) for name in first.tables)
    text = html(first)
    assert "no longer holds once" in text and "goes up from" in text
    assert [section.name for section in sections(first)] == [
        "answer",
        "ranking",
        "charts",
        "claims",
        "reading",
    ]


def test_a_crossing_is_the_first_one_outward_and_its_interval_is_wilsons() -> None:
    held = [10, 10, 7, 4, 1, 9]
    found = crossing(held, [10] * 6, LEVEL)
    assert (found.inner, found.outer, found.safe, found.sure) == (2, 3, 1, 4)
    assert wilson(7, 10, LEVEL)[0] < 0.5 < wilson(10, 10, LEVEL)[0]
    # Exactly one half has crossed; a crossing of which no value beyond is sure stays open.
    assert crossing([10, 5], [10, 10], LEVEL).outer == 1
    assert crossing([10, 5], [10, 10], LEVEL).sure is None
    assert crossing([0, 0, 0], [9, 9, 9], LEVEL).outer is None


def test_a_line_covers_its_range_in_steps_of_its_own_scale() -> None:
    line = Line(table()["nuisance_usd_per_mtok"], table()["nuisance_usd_per_mtok"].default)
    up, down = line.grid(UP, 8), line.grid(DOWN, 8)
    assert up[-1] == line.parameter.high and down[-1] == line.parameter.low
    assert line.default not in up + down
    values = sorted([*up, *down, line.default])
    ratios = np.diff(np.log(values))
    assert ratios.max() <= math.log(line.parameter.high / line.parameter.low) / 8.0 + 1e-9
    # The default is in the middle of the range's logarithm: on a linear scale the lower end would look ten times nearer.
    assert line.distance(line.parameter.high) == pytest.approx(0.5)
    assert line.distance(line.parameter.low) == pytest.approx(0.5)
    # Half of a log-uniform distribution lies below the middle of its logarithm.
    assert line.mass(line.parameter.high) == pytest.approx(0.5, abs=1e-3)


def test_switches_and_whole_numbers_take_only_the_values_that_they_can() -> None:
    switch = Line(table()["export_rules"], 1.0)
    assert switch.grid(DOWN, 8) == [0.0] and switch.grid(UP, 8) == []
    assert switch.between(1.0, 0.0) in (0.0, 1.0)
    rounds = Line(table()["order_rounds"], table()["order_rounds"].default)
    values = [*rounds.grid(DOWN, 8), *rounds.grid(UP, 8)]
    assert all(value == int(value) for value in values) and len(set(values)) == len(values)
