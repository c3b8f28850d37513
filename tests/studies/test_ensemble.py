"""The plan of an ensemble: what a choice of scenarios asks for."""

import pytest

from model.parameters import ParameterError
from scenarios.design import DesignError
from scenarios.plan import PlanError
from studies import ensemble


def test_options_become_values_and_two_values_of_one_parameter_are_refused():
    assert ensemble.overrides(["sigma2=0.8"], [], 100) == {"sigma2": "0.8", "enterprises": 100.0}
    with pytest.raises(ParameterError, match="two values"):
        ensemble.overrides(["enterprises=200"], [], 100)


def test_one_world_is_compared_with_those_without_its_causes_and_several_are_not():
    one, two = (ensemble.plan(names, 2) for names in (["baseline"], ["baseline", "consortium"]))
    assert one.compared == 2
    assert any(member.of == "baseline" for member in one.members)
    assert two.compared == 0
    assert [member.label for member in two.members] == ["baseline", "consortium"]


def test_a_design_does_not_vary_what_has_one_value():
    with pytest.raises(DesignError, match="sigma2"):
        ensemble.plan(["baseline"], 2, overrides={"sigma2": 0.8}, design=[{"sigma2": 0.7}])


def test_a_scenario_asked_for_twice_is_refused():
    with pytest.raises(PlanError, match="twice"):
        ensemble.plan(["baseline", "baseline"], 2)


def test_seeds_are_those_that_scenarios_ask_for_or_some():
    assert ensemble.seeds_of(["baseline"]) == ensemble.SEEDS
