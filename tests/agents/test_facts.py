"""Chips and models of the facts as they enter the market."""

import math

import pytest

from agents.facts import chip_of, given_chips, given_models, quarter_of
from model import calendar
from model.parameters import Parameters, table


@pytest.mark.parametrize("quarter", ["2019Q2", "2022Q1", "2022Q4", "2024Q3"])
def test_quarters_of_the_facts_are_those_of_the_calendar(quarter):
    assert quarter_of(quarter) == calendar.index(quarter)


def test_an_empty_date_is_no_date():
    assert quarter_of("") is None and quarter_of(float("nan")) is None


def test_every_chip_of_the_facts_has_a_price_above_its_cost_unless_its_maker_keeps_it():
    p = Parameters.resolve({})
    chips = [chip_of(row, 0, p) for rows in given_chips(p).values() for row in rows]
    assert len(chips) > 20
    for chip in chips:
        assert chip.price > 0.0 and chip.unit_cost > 0.0
        if not chip.captive_owner:
            assert chip.price > chip.unit_cost, chip.name
        assert chip.grade in ("ai", "mid-range")


def test_chips_come_in_the_quarter_of_their_release():
    for quarter, rows in given_chips(Parameters.resolve({})).items():
        for row in rows:
            assert max(calendar.index(row["release"]), 0) == quarter


def test_models_come_in_their_quarter_with_the_capability_that_their_score_implies():
    models = given_models(Parameters.resolve({}))
    by_name = {model.name: model for group in models.values() for model in group}
    for quarter, group in models.items():
        assert all(max(model.launched, 0) == quarter for model in group)
    assert by_name["gpt-4"].capability > by_name["gpt-3-davinci"].capability
    assert by_name["deepseek-v3"].architecture.sparse and by_name["deepseek-v3"].open_weights
    assert not by_name["gpt-4"].open_weights


def test_without_sparse_architectures_each_model_is_the_dense_one_of_equal_quality():
    usual = given_models(Parameters.resolve({}))
    dense = given_models(Parameters.resolve({"sparse_architectures": 0}))
    changed = 0
    for quarter, group in usual.items():
        for model, twin in zip(group, dense[quarter], strict=True):
            assert (twin.name, twin.capability) == (model.name, model.capability)
            total, active = model.architecture.total_params_b, model.architecture.active_params_b
            assert not twin.architecture.sparse
            assert twin.architecture.total_params_b == twin.architecture.active_params_b
            if model.architecture.sparse:
                changed += 1
                assert active <= twin.architecture.active_params_b <= total
                assert twin.architecture.active_params_b == pytest.approx(math.sqrt(total * active), rel=1e-6)
            else:
                assert twin.architecture == model.architecture
    assert changed > 3


def test_without_open_weights_every_model_is_closed():
    models = given_models(Parameters.resolve({"open_weights": 0}))
    assert not any(model.open_weights for group in models.values() for model in group)


def test_a_dense_model_has_one_size_whatever_a_study_draws():
    name = "launches.gpt-3-davinci"
    known = table()
    least, most = known[f"{name}.total_params_b"].low, known[f"{name}.active_params_b"].high
    assert least < most
    drawn = Parameters.resolve({f"{name}.total_params_b": least, f"{name}.active_params_b": most})
    models = [m for group in given_models(drawn).values() for m in group]
    davinci = next(m for m in models if m.name == "gpt-3-davinci")
    assert davinci.architecture.total_params_b == davinci.architecture.active_params_b == most
    assert not davinci.architecture.sparse
