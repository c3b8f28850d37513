"""A counterfactual world differs from its run by one cause or one what-if, and by nothing else."""

import pytest

from model.place import CAUSES
from scenarios.counterfactual import cause, with_scenario, without, worlds
from scenarios.scenario import ScenarioError, load
from scenarios.shocks import Consortium


@pytest.mark.parametrize("name", CAUSES)
def test_a_world_without_a_cause_differs_by_its_switch_alone(name: str) -> None:
    setting = load("consortium", {"alpha_mean": 2.5})
    other = without(setting, name)
    assert other.shocks == setting.shocks
    changed = {n: v for n, v in other.parameters.items() if v != setting.parameters[n]}
    assert changed == {name: 0.0}


def test_the_consortium_is_a_what_if_added_to_any_world() -> None:
    setting = load("baseline", {"alpha_mean": 2.5})
    other = with_scenario(setting, "consortium")
    assert [type(shock) for shock in other.shocks] == [Consortium]
    assert other.parameters == setting.parameters
    assert (other.first, other.last) == (setting.first, setting.last)


def test_a_world_that_the_run_already_is_serves_no_comparison() -> None:
    assert [name for name, _ in worlds(load("consortium"), ("consortium", "open_weights"))] == [
        "open_weights"
    ]
    closed = load("baseline", {"open_weights": 0})
    assert [name for name, _ in worlds(closed, ("consortium", "open_weights"))] == ["consortium"]


def test_a_what_if_that_no_scenario_describes_is_left_out() -> None:
    assert worlds(load("baseline"), ("an asteroid",)) == ()


def test_causes_are_understood_as_people_write_them() -> None:
    assert cause("export-rules") == cause("Export rules") == cause("export_rules") == "export_rules"
    with pytest.raises(ScenarioError, match="did you mean export_rules"):
        cause("exprot_rules")
