"""What is compared, as an address says it."""

import pytest

from model.parameters import ParameterError
from scenarios.design import DesignError
from scenarios.plan import PlanError
from scenarios.scenario import ScenarioError
from scenarios.seeds import SeedsError
from studies.ensemble import plan
from viz.stored.pair import MOST_LETTERS, MOST_SEEDS, Pair, changes, from_form, query, read


def test_an_address_and_its_pair_are_each_others_inverse():
    for pair in (
        Pair(),
        Pair(
            "consortium", "consortium", other_set="sigma2=0.8, alpha_mean=2", seeds="1,4-6", enterprises="100"
        ),
    ):
        assert read("?" + query(pair)) == pair


def test_an_empty_address_is_the_usual_pair_and_strange_keys_are_left_alone():
    assert read("") == read("?nonsense=1&__class__=x") == Pair()


def test_what_is_typed_is_cut_to_what_can_be_meant():
    assert len(from_form({"other_set": "x" * 10_000}).other_set) == MOST_LETTERS
    assert from_form({"enterprises": 300, "seeds": " 8 "}) == Pair()


def test_two_scenarios_make_the_batch_of_the_command_line():
    pair = Pair("baseline", "consortium", seeds="3", enterprises="100")
    asked = plan(["baseline", "consortium"], "3", overrides={"enterprises": 100.0})
    assert pair.plan().name == asked.name
    assert list(pair.plan().runs()) == list(asked.runs())


def test_a_changed_parameter_makes_another_world_of_the_same_scenario():
    made = Pair("baseline", "baseline", other_set="sigma2=0.8", seeds="2").plan()
    assert [member.label for member in made.members] == ["baseline", "baseline sigma2=0.8"]
    assert made.members[1].setting.parameters["sigma2"] == 0.8
    assert len(set(made.ids)) == 2


@pytest.mark.parametrize(
    "text", ["sigma2=0.8,alpha_mean=2", " sigma2 = 0.8 ; alpha_mean=2 ", "sigma2=0.8\nalpha_mean=2"]
)
def test_changes_are_parted_by_commas_or_blanks(text):
    assert changes(text) == {"sigma2": 0.8, "alpha_mean": 2.0}


@pytest.mark.parametrize(
    ("pair", "error", "said"),
    [
        (Pair(other="baseline"), PlanError, "the same"),
        (Pair(other="no_such"), ScenarioError, "no scenario called 'no_such'"),
        (Pair(other="../../etc/passwd"), ScenarioError, "no scenario called"),
        (Pair(other="scenarios/library/consortium.toml"), ScenarioError, "no scenario called"),
        (Pair(other_set="sigma2"), ParameterError, "not an assignment"),
        (Pair(other_set="sigma2=lots"), ParameterError, "sigma2"),
        (Pair(other_set="sigma3=1"), ParameterError, "sigma3"),
        (Pair(other_set="enterprises=50"), ParameterError, "enterprises"),
        (Pair(other_set="enterprises=100"), DesignError, "enterprises"),
        (Pair(seeds="many"), SeedsError, "many"),
        (Pair(seeds=str(MOST_SEEDS + 1)), PlanError, "undercut run"),
        (Pair(enterprises="many"), PlanError, "whole number"),
        (Pair(enterprises="0"), PlanError, "whole number"),
        (Pair(enterprises="99999999999999"), PlanError, "whole number"),
        (Pair(enterprises="1"), ParameterError, "enterprises"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(pair, error, said):
    with pytest.raises(error) as raised:
        pair.plan()
    assert said in str(raised.value)
