"""Designs cover what they say: a grid every combination, a sample every slice of every range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from model.parameters import Parameter, ParameterError, table
from scenarios.design import DesignError, at_quantiles, drawn, grid, sample


def test_a_grid_holds_every_combination_the_last_varying_fastest() -> None:
    points = grid(["sigma2=0.7,0.8", "alpha_mean=1.5,2,2.5"])
    assert len(points) == 6
    assert points[0] == {"sigma2": 0.7, "alpha_mean": 1.5}
    assert points[1] == {"sigma2": 0.7, "alpha_mean": 2.0}
    assert len({tuple(point.values()) for point in points}) == 6
    assert grid([]) == [{}]


AXES = (("sigma2", "0."), ("alpha_mean", "2."))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sigma2", "write a parameter and its values"),
        ("sigma2=", "write a parameter and its values"),
        ("sigma2=0.7,0.7", "the same value twice"),
    ],
)
def test_a_grid_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(DesignError, match=said):
        grid([text])


def test_a_grid_too_large_to_mean_it_is_refused() -> None:
    with pytest.raises(DesignError, match="more than 1,000,000"):
        grid([f"{name}=" + ",".join(f"{whole}{i:04d}" for i in range(7001, 8002)) for name, whole in AXES])


def test_a_latin_hypercube_has_one_point_in_every_slice_of_every_range() -> None:
    points = sample("lhs:64", ["sigma2", "alpha_mean", "launch_shortest_quarters"])
    for name in ("sigma2", "alpha_mean"):
        parameter = table()[name]
        values = np.array([point[name] for point in points])
        if parameter.distribution == "loguniform":
            shares = np.log(values / parameter.low) / np.log(parameter.high / parameter.low)
        else:
            shares = (values - parameter.low) / (parameter.high - parameter.low)
        assert sorted(np.floor(64 * shares).astype(int)) == list(range(64))


@pytest.mark.parametrize("method", ["lhs", "sobol", "random"])
def test_a_sample_is_the_same_for_the_same_words_and_another_for_another_seed(method: str) -> None:
    assert sample(f"{method}:8", ["sigma2"]) == sample(f"{method}:8:0", ["sigma2"])
    assert sample(f"{method}:8", ["sigma2"]) != sample(f"{method}:8:1", ["sigma2"])


def test_a_sample_varies_what_is_uncertain_and_never_the_resolution() -> None:
    varied = {p.name for p in drawn()}
    assert {"sigma2", "alpha_mean"} <= varied
    assert not varied & {"enterprises", "consumer_groups", "open_weights", "export_rules"}
    (point,) = sample("random:1")
    assert set(point) == varied
    for name, value in point.items():
        assert table()[name].accept(value) == value


def test_a_sample_leaves_alone_what_has_a_value_unless_it_is_told_to_vary_it() -> None:
    varied = {p.name for p in drawn()}
    (point,) = sample("random:1", settled=["sigma2", "enterprises"])
    assert set(point) == varied - {"sigma2"}
    (point,) = sample("random:1", ["sigma2"], settled=["sigma2"])
    assert set(point) == {"sigma2"}
    with pytest.raises(DesignError, match="has a value already"):
        sample("random:1", settled=varied)


@pytest.mark.parametrize("text", ["lhs", "lhs:0", "lhs:x", "saltelli:8", "lhs:99999999", ""])
def test_a_sample_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DesignError, match="--sample"):
        sample(text)


def test_unknown_parameters_are_answered_with_the_nearest() -> None:
    with pytest.raises(ParameterError, match="did you mean alpha_mean"):
        sample("lhs:4", ["alpha_men"])
    with pytest.raises(DesignError, match="has no range"):
        sample("lhs:4", [next(p.name for p in table().values() if p.low == p.high)])


@given(
    st.sampled_from(["uniform", "loguniform", "triangular", "normal", "integer"]),
    st.floats(0.01, 0.99),
    st.integers(0, 1000),
)
def test_draws_follow_the_distribution_of_the_table(distribution: str, share: float, seed: int) -> None:
    parameter = Parameter("x", 4.0, "1", 1.0, 9.0, distribution, "", "", "2024-12-31")
    quantiles = np.linspace(0.0, 1.0, 2001)
    values = at_quantiles(parameter, quantiles)
    assert values.min() >= 1.0
    assert values.max() <= 9.0
    assert (np.diff(values) >= 0.0).all()
    if distribution == "integer":
        assert set(values) == set(range(1, 10))
        return
    known = {
        "uniform": stats.uniform(1.0, 8.0),
        "loguniform": stats.loguniform(1.0, 9.0),
        "triangular": stats.triang(3.0 / 8.0, 1.0, 8.0),
        "normal": stats.truncnorm(-3.0 / 2.0409, 5.0 / 2.0409, 4.0, 2.0409),
    }[distribution]
    at = float(at_quantiles(parameter, np.array([share]))[0])
    assert known.cdf(at) == pytest.approx(share, abs=2e-4)
