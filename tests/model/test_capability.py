"""Tests of model/capability.py: the benchmark link and its fit, compute, spillover and research."""

import csv
import io
from datetime import date
from importlib import resources

import numpy as np
import pytest
from scipy.optimize import least_squares

from model.calendar import DAYS_PER_YEAR, QUARTERS_PER_YEAR
from model.capability import (
    BenchmarkLink,
    active_params_from_compute,
    capability,
    capability_from_score,
    dense_equivalent,
    efficiency_growth,
    score,
    spillover,
)
from model.parameters import scalars

LINK = BenchmarkLink(floor=25.0, ceiling=93.5, slope=1.0, midpoint=23.7)
MARGIN = 0.02
BASE_YEAR = 2023  # at its start an effective FLOP is a FLOP


def default(name):
    """The default of a parameter, as the table declares it."""
    return scalars()[name].default


def published_pairs():
    """Log10 effective training FLOP at the table's growth of algorithmic efficiency, and MMLU, by model."""
    text = resources.files("evidence").joinpath("benchmark_link.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    days = [date.fromisoformat(row["date"]).toordinal() for row in rows]
    start = date(BASE_YEAR, 1, 1).toordinal()
    years = (np.array(days) - start) / DAYS_PER_YEAR
    flop = np.array([float(row["training_flop"]) for row in rows])
    scores = np.array([float(row["mmlu"]) for row in rows])
    return capability(flop, years * np.log10(default("algorithmic_efficiency_growth"))), scores


def test_least_squares_on_published_compute_and_mmlu_reproduces_the_link_of_the_parameter_table():
    latent, scores = published_pairs()
    floor, ceiling = default("mmlu_floor"), default("mmlu_ceiling")

    def residuals(shape):
        return score(latent, BenchmarkLink(floor, ceiling, shape[0], shape[1])) - scores

    fitted = least_squares(residuals, (1.5, 23.5))
    assert default("mmlu_slope") == pytest.approx(fitted.x[0], abs=0.01)
    assert default("mmlu_midpoint") == pytest.approx(fitted.x[1], abs=0.01)
    # Training compute and date explain most of MMLU; data quality and contamination are the rest.
    assert np.sqrt(np.mean(fitted.fun**2)) < 6.5
    assert 1.0 - fitted.fun.var() / scores.var() > 0.8


def test_the_evidence_of_the_link_is_dated_to_the_end_of_2024_and_inside_the_link():
    text = resources.files("evidence").joinpath("benchmark_link.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) >= 25
    assert len({row["model"] for row in rows}) == len(rows)
    for row in rows:
        assert row["date"] < "2025"
        assert row["training_flop_source"] and row["mmlu_source"]
        assert default("mmlu_floor") < float(row["mmlu"]) < default("mmlu_ceiling")


def test_the_score_runs_from_floor_to_ceiling_through_the_middle():
    assert score(23.7, LINK) == pytest.approx((25.0 + 93.5) / 2.0)
    assert score(0.0, LINK) == pytest.approx(25.0, abs=1e-6)
    assert score(60.0, LINK) == pytest.approx(93.5, abs=1e-6)
    assert np.all(np.diff(score(np.linspace(20.0, 28.0, 50), LINK)) > 0.0)


def test_saturation_hides_capability_near_the_ceiling():
    tenfold = [float(score(c + 1.0, LINK) - score(c, LINK)) for c in (23.5, 25.0, 27.0)]
    assert tenfold == sorted(tenfold, reverse=True)


def test_capability_from_score_inverts_the_link():
    latent = np.linspace(21.0, 26.5, 23)
    np.testing.assert_allclose(capability_from_score(score(latent, LINK), LINK, MARGIN), latent)


def test_scores_beyond_the_link_are_moved_inside_it():
    low, high = capability_from_score([0.0, 100.0], LINK, MARGIN)
    assert np.isfinite([low, high]).all()
    assert score(low, LINK) == pytest.approx(25.0 + MARGIN * 68.5)
    assert score(high, LINK) == pytest.approx(93.5 - MARGIN * 68.5)
    assert capability_from_score(99.0, LINK, MARGIN) == high


@pytest.mark.parametrize("margin", [0.0, 0.5, -0.1])
def test_a_margin_that_cannot_clip_is_refused(margin):
    with pytest.raises(ValueError, match="margin"):
        capability_from_score(50.0, LINK, margin)


def test_a_link_that_is_not_increasing_is_refused():
    with pytest.raises(ValueError, match="floor"):
        BenchmarkLink(90.0, 25.0, 1.0, 24.0)
    with pytest.raises(ValueError, match="slope"):
        BenchmarkLink(25.0, 90.0, 0.0, 24.0)


def test_better_algorithms_stretch_the_compute_that_a_budget_buys():
    assert capability(1e24, 0.0) == pytest.approx(24.0)
    assert capability(1e24, 1.0) == capability(1e25, 0.0)
    np.testing.assert_allclose(capability([1e24, 1e25], np.log10(3.0)), np.log10([3e24, 3e25]))


def test_chinchilla_is_the_optimum_of_its_own_budget():
    # Hoffmann et al. (2022): 5.76e23 FLOP, 70 billion parameters, 1.4 trillion tokens, 20 tokens a parameter.
    assert active_params_from_compute(5.76e23, 20.0) == pytest.approx(70.0, rel=0.02)


def test_training_longer_on_more_tokens_makes_a_smaller_model_of_the_same_compute():
    sizes = active_params_from_compute(6.3e24, np.array([20.0, 100.0, 215.0]))
    assert np.all(np.diff(sizes) < 0.0)
    assert sizes[2] == pytest.approx(70.0, rel=0.02)  # Llama 3 70B: 15 trillion tokens


def test_a_mixture_of_experts_is_worth_a_dense_model_between_its_two_sizes():
    assert dense_equivalent(236.0, 21.0) == pytest.approx(70.4, abs=0.1)
    assert dense_equivalent(70.0, 70.0) == 70.0


def test_followers_close_part_of_the_gap_and_leaders_learn_nothing():
    assert spillover(0.0, 1.2, 0.25) == pytest.approx(0.3)
    assert spillover(1.3, 1.2, 0.25) == spillover(1.2, 1.2, 0.25) == 0.0
    assert spillover(0.0, 1.2, 0.0) == 0.0
    assert spillover(0.2, 1.2, 1.0) == pytest.approx(1.0)


def test_no_follower_overtakes_the_frontier_by_learning_from_it():
    own = 0.0
    for _ in range(40):
        own += spillover(own, 1.2, 0.3)
        assert own <= 1.2
    assert own == pytest.approx(1.2, rel=1e-4)


def test_twice_the_researchers_make_less_than_twice_the_progress():
    one, two = efficiency_growth(50.0, 100.0, 3.0, 0.5, 1.5), efficiency_growth(100.0, 100.0, 3.0, 0.5, 1.5)
    assert one < two < 2.0 * one
    assert efficiency_growth(0.0, 100.0, 3.0, 0.5, 1.5) == 0.0


def test_no_crowd_of_researchers_is_faster_than_ideas_can_be_tried():
    assert efficiency_growth(1e4, 100.0, 3.0, 0.5, 1.5) == pytest.approx(
        1.5 * efficiency_growth(100.0, 100.0, 3.0, 0.5, 1.5)
    )


def test_four_quarters_of_the_largest_vendors_growth_compound_to_the_yearly_rate():
    a_year = sum(efficiency_growth(100.0, 100.0, 3.0, 0.5, 1.5) for _ in range(QUARTERS_PER_YEAR))
    assert 10.0**a_year == pytest.approx(3.0)
