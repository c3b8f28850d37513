"""Calibration on simulations whose parameters are known: what it finds, how surely, and what it must not find."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from evidence import fit
from scenarios.plan import PlanError
from scenarios.runner import Job
from scenarios.scenario import load
from scenarios.store import Store
from studies.calibration import observables as table
from studies.calibration.calibration import calibrate, check
from studies.calibration.emulator import Emulator
from studies.calibration.likelihood import between_seeds
from studies.calibration.ranks import THINNED, bins_of, uniformity
from studies.calibration.tempering import sample
from studies.calibration.waves import Design, luck_of
from studies.space import Space
from tests.studies import observed
from tests.studies.functions import AXES, arguments
from tests.studies.observed import FRAGILE, JOB, NOISE, measure, observables, response

TRUTHS = 48
TRUTH = np.array([0.6, 0.4, 0.5, 0.8])
SMALL = Design(points=24, waves=2, seeds=2, chance_seeds=24, chance_points=2, draws=200, particles=400)


def fitted(folder, asked, design=SMALL, **options):
    options = {"job": JOB, "workers": 1, **options}
    return calibrate(load("baseline"), Space.over(AXES), folder, design, asked=asked, **options)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A calibration on what the simulation says at the truth."""
    return fitted(tmp_path_factory.mktemp("store"), observables(response(TRUTH)), met=10, checks=TRUTHS)


def chance(design=SMALL) -> np.ndarray:
    """Standard deviations between the seeds that tell chance: what there is to know of it."""
    luck = np.array([np.random.default_rng(s).normal(0.0, NOISE) for s in range(1, design.chance_seeds + 1)])
    found: np.ndarray = luck.std(axis=0, ddof=1)
    return found


def by_name(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.set_index(column)


# ------------------------------------------------------------------------------------ parts with closed forms


def test_the_sampler_gives_a_correlated_posterior_and_its_evidence() -> None:
    slopes = np.array([[3.0, 1.0], [1.0, 2.0], [0.0, 0.5]])
    seen = slopes @ [0.1, -0.1]

    def log_likelihood(unit):
        return -0.5 * np.square((unit - 0.5) @ slopes.T - seen).sum(1) / 0.2**2

    drawn = sample(log_likelihood, 2, 3000, np.random.default_rng(1))
    axis = (np.arange(400) + 0.5) / 400
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    weights = np.exp(log_likelihood(grid))
    evidence = math.log(weights.mean())
    weights = weights / weights.sum()
    mean: np.ndarray = weights @ grid
    spread = np.sqrt(weights @ np.square(grid - mean))
    assert drawn.settled
    assert drawn.unit.mean(0) == pytest.approx(mean, abs=4.0 * spread.max() / math.sqrt(1000))
    assert drawn.unit.std(0) == pytest.approx(spread, rel=0.08)
    assert np.atleast_2d(np.corrcoef(drawn.unit.T))[0, 1] < -0.3
    assert drawn.log_evidence == pytest.approx(evidence, abs=0.15)


def test_an_emulator_predicts_a_point_from_all_others_as_if_it_had_never_seen_it() -> None:
    generator = np.random.default_rng(2)
    inputs = generator.random((20, 2))
    outputs = np.sin(4.0 * inputs[:, 0]) + inputs[:, 1] + generator.normal(0.0, 0.05, 20)
    whole = Emulator.fit(inputs, outputs)
    rest = np.arange(20) != 7
    # The same covariance, centre and spread; only the point is gone.
    again = Emulator._of(
        inputs[rest],
        outputs[rest],
        *(whole.centre, whole.spread, whole.trend, whole.level, whole.rough, whole.lengths, whole.noise),
    )
    mean, variance = (part[7] for part in whole.left_out())
    assert np.ravel(again.predict(inputs[7:8])) == pytest.approx([mean, variance])
    assert whole.explained > 0.8


def test_points_without_an_output_are_left_out_and_too_few_are_refused() -> None:
    inputs = np.random.default_rng(3).random((20, 1))
    outputs = np.where(np.arange(20) < 5, np.nan, inputs[:, 0])
    assert len(Emulator.fit(inputs, outputs).outputs) == 15
    with pytest.raises(ValueError, match="too few"):
        Emulator.fit(inputs, np.where(np.arange(20) < 15, np.nan, outputs))


def test_chance_is_the_covariance_within_points() -> None:
    generator = np.random.default_rng(4)
    covariance = np.array([[0.04, 0.01], [0.01, 0.02]])
    points = generator.normal(0.0, 9.0, (50, 1, 2))  # where points lie says nothing of chance
    values = points + generator.multivariate_normal([0.0, 0.0], covariance, (50, 40))
    assert between_seeds(values) == pytest.approx(covariance, rel=0.1)
    values[0, 3, 1] = np.nan
    assert np.isfinite(between_seeds(values)).all()
    with pytest.raises(ValueError, match="two seeds"):
        between_seeds(values[:, :1])


def test_the_luck_of_common_seeds_is_taken_off_also_where_a_run_is_missing() -> None:
    luck = np.array([0.3, -0.1, 0.4, -0.6])
    told = np.arange(3.0)[:, None, None] + luck[None, :, None]
    told[2, 3] = np.nan
    found = luck_of(told, 2)[:, 0]
    # Seen from a point without its worst seed, the others look less lucky.
    assert found == pytest.approx(luck[:2] - np.array([0.0, 0.0, 0.2]).mean())


# ----------------------------------------------------------------------------------------- what is found


def test_the_posterior_covers_what_made_the_observations_and_says_what_they_do_not_tell(found) -> None:
    rows = by_name(found.study.tables["parameters"], "parameter")
    truth = dict(zip(AXES, Space.over(AXES).values(TRUTH[None])[0].tolist(), strict=True))
    for name, value in truth.items():
        assert rows["posterior_low"][name] <= value <= rows["posterior_high"][name]
    assert set(rows["informed"][list(AXES[:3])]) == {"well"}
    assert rows["informed"][AXES[3]] == "not"
    assert rows["contraction_low"][AXES[3]] < 0.1 < rows["contraction_low"][AXES[0]]
    assert rows["divergence"][AXES[0]] > 1.0 > rows["divergence"][AXES[3]]


def test_the_width_of_a_posterior_is_what_errors_discrepancy_and_chance_leave_open(found) -> None:
    # The second observable is linear in the second argument alone.
    variance = 0.05**2 + 0.05**2 + chance()[1] ** 2 * (1.0 + 1.0 / SMALL.chance_seeds)
    width = found.posterior.unit[:, 1].std()
    assert width == pytest.approx(math.sqrt(variance) / 1.5, rel=0.2)


def test_chance_between_seeds_is_not_fitted(tmp_path) -> None:
    """Were the same luck in simulation and observation, or more seeds, the posterior would close on one point."""
    exact = observables(response(TRUTH), error=1e-3, discrepancy=0.0)
    wide = fitted(tmp_path, exact, Design(24, 1, 8, 8, 2, 200, 400))
    least = chance(Design(chance_seeds=8)) / np.array([2.0, 1.5, math.inf])
    assert wide.posterior.unit[:, 0].std() > 0.75 * least[0]
    assert wide.posterior.unit[:, 1].std() > 0.9 * least[1]


def uniform(ranks: pd.DataFrame) -> pd.DataFrame:
    """The test of each parameter's ranks; one in a hundred such sets is refused by chance (Bonferroni)."""
    tested = uniformity(ranks)
    assert (tested["p_value"] > 0.01 / len(tested)).all()
    return tested


def test_posteriors_of_data_that_the_simulation_made_have_uniform_ranks(found) -> None:
    ranks = found.study.tables["ranks"]
    assert len(ranks) == TRUTHS * len(AXES)
    tested = uniform(ranks)
    assert tested["covered_50"].between(0.3, 0.7).all()
    assert tested["covered_90"].mean() > 0.8


@pytest.mark.slow
def test_many_posteriors_of_data_that_the_simulation_made_have_uniform_ranks(tmp_path) -> None:
    made = fitted(tmp_path, observables(response(TRUTH)), checks=256)
    tested = uniform(made.study.tables["ranks"])
    assert tested["covered_50"].between(0.41, 0.59).all()  # three standard deviations of a share of 256
    assert tested["covered_90"].between(0.83, 0.96).all()


def test_ranks_that_are_exactly_uniform_are_covered_as_often_as_intervals_say_whatever_the_bins() -> None:
    every = range(THINNED + 1)
    for times in (1, 2, 5):  # of as many bins as these ranks fill, from a few to the most
        even = pd.DataFrame({"truth": 0, "parameter": "x", "rank": [*every] * times, "draws": THINNED})
        row = uniformity(even).iloc[0]
        assert row["covered_50"] == 0.5
        assert row["covered_90"] == 0.9
    for truths in range(5, 60):
        # Bins of unlike width would refuse what is uniform, or pass what is not.
        assert (THINNED + 1) % bins_of(truths) == 0
        assert truths / bins_of(truths) >= 5.0 or bins_of(truths) == 2


def test_ranks_that_are_not_uniform_are_found_out() -> None:
    narrow = pd.DataFrame({"truth": range(60), "parameter": "x", "rank": [0, 39] * 30, "draws": 39})
    assert uniformity(narrow)["p_value"][0] < 1e-6
    assert uniformity(narrow)["covered_90"][0] == 0.0


def test_an_observation_held_out_is_predicted_unless_it_contradicts_the_others(found, tmp_path) -> None:
    rows = found.study.tables["held_out"]
    assert rows["inside"].all()
    assert (rows["predicted_low"] < rows["observed"]).all()
    # The first and the third share an argument; of four a first observable of 3 is out of all reach.
    wrong = fitted(tmp_path, observables(response(TRUTH) + np.array([3.0, 0.0, 0.0])))
    held = by_name(wrong.study.tables["held_out"], "observable")
    assert not held["inside"][observed.NAMES[0]]
    assert held["inside"][observed.NAMES[1]]
    assert any("compromise" in note for note in wrong.study.notes)
    assert wrong.study.tables["waves"]["allowed"].iloc[-1] == 0.0


def test_waves_rule_out_what_observations_do_not_allow(found) -> None:
    waves = found.study.tables["waves"]
    assert 0.0 < waves["allowed"].iloc[-1] < 0.5
    assert waves["nearest"].iloc[-1] < 1.0
    met = found.study.tables["met"]
    inside = met["run"].between(met["emulated_low"], met["emulated_high"]).mean()
    assert inside > 0.8


def test_parameters_that_move_nothing_are_not_fitted_and_what_others_could_add_is_an_error(tmp_path) -> None:
    asked = observables(response(TRUTH))
    some = fitted(tmp_path, asked, among=2, met=0)
    listed = some.study.tables["shortlist"]
    # The third argument moves an observable by 2.5, the first two by 2, the second one by 1.5, the last nothing.
    assert listed["parameter"].tolist()[-1] == AXES[3]
    assert listed["influence"].iloc[-1] == 0.0
    assert some.space.names == tuple(listed["parameter"][:2])
    left = 1.5**2 / 12.0  # the variance of 1.5 times a uniform argument
    assert some.learned.likelihood.unfitted[1, 1] == pytest.approx(left, rel=1e-6)
    assert some.learned.likelihood.errors.tolist() == pytest.approx([each.variance for each in asked])


def test_what_one_parameter_that_is_not_fitted_adds_to_two_observables_is_one_error_and_not_two(
    tmp_path,
) -> None:
    asked = observables(response(TRUTH))
    some = fitted(tmp_path, asked, Design(24, 1, 2, 8, 2, 100, 200), among=1, met=0)
    assert some.space.names == (AXES[2],)
    # The first argument moves the first observable by 2 and the third by 1, the second one the second by 1.5.
    known = np.array([[4.0, 0.0, 2.0], [0.0, 2.25, 0.0], [2.0, 0.0, 1.0]]) / 12.0
    likelihood = some.learned.likelihood
    assert likelihood.unfitted == pytest.approx(known, abs=1e-6)
    whole = likelihood.covariance(np.zeros((1, 3)))[0]
    assert whole - likelihood.luck == pytest.approx(
        known + np.diag([each.variance for each in asked]), abs=1e-6
    )
    # So the first observation tells what is to be taken off the third: both of them together tell more.
    assert likelihood.without(1).unfitted == pytest.approx(known[np.ix_([0, 2], [0, 2])], abs=1e-6)
    seen = some.study.tables["observables"].set_index("observable")
    assert seen["others"].tolist() == pytest.approx(np.sqrt(np.diag(known)).tolist(), abs=1e-6)


def test_a_parameter_whose_end_has_no_value_is_measured_further_in_and_never_taken_for_idle(tmp_path) -> None:
    # The first argument moves an observable by 2, the most of all, and every run fails where it is above 0.9.
    asked = observables(response(TRUTH))
    some = fitted(tmp_path, asked, Design(40, 1, 2, 8, 2, 100, 200), among=2, met=0, job=FRAGILE)
    listed = some.study.tables["shortlist"].set_index("parameter")
    assert AXES[0] in some.space.names
    whole = fitted(tmp_path, asked, Design(40, 1, 2, 8, 2, 100, 200), among=2, met=0)
    linear = whole.study.tables["shortlist"].set_index("parameter")
    assert listed["influence"][AXES[0]] == pytest.approx(linear["influence"][AXES[0]], rel=1e-6)
    assert listed["undefined"].tolist() == [0] * 4


def test_a_parameter_without_a_value_also_further_in_is_said(tmp_path) -> None:
    job = Job(fails_above_a_half, measure)
    some = fitted(
        tmp_path, observables(response(TRUTH)), Design(60, 1, 2, 8, 1, 100, 200), among=3, met=0, job=job
    )
    assert some.study.tables["shortlist"].set_index("parameter")["undefined"][AXES[0]] == 3
    said = next(note for note in some.study.notes if "could not be measured" in note)
    assert AXES[0] in said and "--over" in said


def fails_above_a_half(setting, seed):
    if arguments(setting, 0.0, 1.0)[0] > 0.5:
        raise ArithmeticError("tokens sold are not tokens bought")
    return observed.simulate(setting, seed)


def test_the_same_arguments_give_the_same_bytes(tmp_path) -> None:
    files = []
    for name in ("one", "two"):
        asked, tiny = observables(response(TRUTH)), Design(10, 2, 2, 4, 1, 50, 100)
        made = fitted(tmp_path / name, asked, tiny, met=2, checks=2)
        files.append(made.study.write(Store.make(tmp_path / name)))
    one, two = files
    assert one.name == two.name
    assert len(list(one.iterdir())) == len(list(two.iterdir())) == 10
    for file in sorted(one.iterdir()):
        assert file.read_bytes() == (two / file.name).read_bytes()


def test_a_run_that_fails_is_counted_and_its_point_left_out(tmp_path) -> None:
    made = fitted(tmp_path, observables(response(TRUTH)), Design(40, 1, 2, 8, 2, 100, 200), job=FRAGILE)
    failed = sum(int(each.failed.sum()) for each in made.evaluations)
    assert failed > 0
    assert any(note.startswith(f"{failed} of ") for note in made.study.notes)
    assert len(made.learned.likelihood.emulators[0].outputs) < 40
    assert np.isfinite(made.study.tables["draws"].to_numpy()).all()


# --------------------------------------------------------------------------------------- what is asked


def test_every_observable_has_members_errors_and_sources_and_ends_with_2024() -> None:
    known = {each.id: each for each in fit.observations()}
    rows = table.observables()
    assert 8 <= len(rows) <= 20
    used = [name for each in rows for name in each.members]
    assert len(used) == len(set(used))
    for each in rows:
        assert each.discrepancy > 0.0 and each.error_source and each.discrepancy_source
        assert all("2025" not in known[name].period for name in each.members)
    assert table.to_the_last(load("baseline")).last == "2024Q4"


def test_an_observable_is_the_mean_log_ratio_of_what_is_defined() -> None:
    two = table.Observable("p", "p", ("a", "b"), "log", (1.0, 2.0), 0.1, 0.1)
    runs = {"a": np.array([math.e, np.nan, np.nan]), "b": np.array([2.0 * math.e, 2.0, 0.0])}
    found = two.value(runs)
    assert found[:2].tolist() == pytest.approx([1.0, 0.0])
    assert np.isnan(found[2])
    with pytest.raises(PlanError, match="leave"):
        two.value({"a": runs["a"]})


def test_too_small_a_design_says_what_to_change() -> None:
    with pytest.raises(PlanError, match="--points"):
        Design(points=3)
    with pytest.raises(PlanError, match="--chance-seeds"):
        Design(seeds=4, chance_seeds=2)
    with pytest.raises(PlanError, match="--points"):
        check(Design(points=10), Space.over(), 0)
    with pytest.raises(PlanError, match="--leave-out"):
        table.remaining(["china-token-2024q1"])
