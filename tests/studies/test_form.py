"""Robustness of form on a function of the switches whose verdicts are known, on the path that runs the market."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from evidence.claims import by_id
from evidence.facts import constants
from evidence.judge import judge, wilson
from model.place import FORMS
from scenarios.plan import PlanError
from scenarios.runner import Job
from scenarios.scenario import load
from studies import form as forms
from studies.form import DEFAULT, EVEN, FLIPS, NAMES, SAME, SURVIVES, TOGETHER, UNDEFINED, UNJUDGED
from tests.studies.functions import CLAIM, measure, tables_of
from viz.study.report import html

SEEDS = tuple(range(1, 13))
LEVEL = constants()["interval_level"]
BROKEN = (3, 7)
"""Seeds that fail with fixed expectations."""


def noise(seed: int) -> float:
    return float(np.random.default_rng(seed).uniform(-0.15, 0.15))


def switched(setting, seed):
    """0.3 and noise of the seed; plain logit adds 0.4 and linear price takes the value away; the claim holds to 0.5."""
    p = setting.parameters
    if not p.adaptive_expectations and seed in BROKEN:
        raise ArithmeticError("tokens sold are not tokens bought")
    value = 0.3 + noise(seed) + 0.4 * (1.0 - p.nested_logit) + 0.05 * (1.0 - p.forward_prices)
    return tables_of(value if p.log_price else math.nan)


def always_fails(setting, seed):
    raise ArithmeticError("tokens sold are not tokens bought")


def study(out, job=switched, seeds=SEEDS, **overrides):
    world = load("baseline", overrides)
    return forms.form(world, seeds, out, claims=(CLAIM,), job=Job(job, measure), workers=1)[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return study(tmp_path_factory.mktemp("form"))


def by_form(made, table):
    return {row["form"]: row for row in made.tables[table].to_dict("records")}


def test_a_verdict_flips_survives_or_loses_its_value_as_the_function_says(made):
    found = by_form(made, "changes")
    fates = {name: (row["fate"], row["clear"]) for name, row in found.items()}
    assert fates["myopic prices"] == (SAME, True)
    assert fates["plain logit"] == (FLIPS, True)
    assert fates["linear price"] == (UNDEFINED, True)
    assert fates["fixed expectations"][0] in (SAME, SURVIVES)
    assert by_form(made, "verdicts")["plain logit"]["probability"] == 0.0
    assert by_form(made, "verdicts")[DEFAULT]["probability"] == 1.0


def test_differences_are_paired_by_seed(made):
    found = by_form(made, "changes")
    # The noise of the seed is common: what is left of the difference has no spread.
    for name, change in (("plain logit", 0.4), ("myopic prices", 0.05), ("fixed expectations", 0.0)):
        row = found[name]
        ends = row["metric_change_low"], row["metric_change"], row["metric_change_high"]
        assert ends == pytest.approx((change,) * 3, abs=1e-12)
    assert found["plain logit"]["probability_change"] == -1.0
    assert -1.0 <= found["plain logit"]["probability_change_low"] < -0.5
    assert found["linear price"]["defined_pairs"] == 0


def test_failed_runs_are_counted_named_and_left_out_of_both_sides(made):
    counts = by_form(made, "forms")
    assert counts["fixed expectations"]["failed"] == counts[TOGETHER]["failed"] == len(BROKEN)
    assert counts[DEFAULT]["failed"] == 0
    assert by_form(made, "changes")["fixed expectations"]["pairs"] == len(SEEDS) - len(BROKEN)
    assert by_form(made, "verdicts")["fixed expectations"]["seeds"] == len(SEEDS) - len(BROKEN)
    assert any("2 of 12 runs failed under the form 'fixed expectations'" in note for note in made.notes)


def test_every_claim_has_one_fate_under_each_form(made):
    for row in by_form(made, "forms").values():
        fates = sum(row[fate] for fate in forms.FATES)
        assert fates == (0 if row["form"] == DEFAULT else row["claims"])


def test_a_form_in_which_every_run_fails_is_not_judged(tmp_path):
    broken = study(tmp_path, always_fails, (1, 2))
    assert set(broken.tables["changes"]["fate"]) == {UNJUDGED}
    assert broken.tables["verdicts"]["probability"].isna().all()
    assert "Which conclusions survive" in html(broken)


def test_the_same_question_gives_the_same_tables(made, tmp_path):
    again = study(tmp_path)
    assert again.name == made.name
    for name, table in made.tables.items():
        assert table.equals(again.tables[name])


def test_a_form_that_is_switched_already_is_left_out(tmp_path):
    found = study(tmp_path, seeds=(1, 2), nested_logit=0.0)
    assert list(found.tables["forms"]["form"]) == [
        DEFAULT, "myopic prices", "linear price", "fixed expectations", TOGETHER
    ]  # fmt: skip
    assert by_form(found, "verdicts")[DEFAULT]["median"] > 0.5
    with pytest.raises(PlanError, match="every form is switched already; leave"):
        forms.designs(load("baseline", dict.fromkeys(FORMS, 0.0)))
    one = forms.designs(load("baseline", dict.fromkeys(FORMS[1:], 0.0)))
    assert list(one) == [DEFAULT, NAMES[FORMS[0]]]


def verdict(held: int, seeds: int = 20):
    """A verdict of so many seeds in which the claim holds."""
    return judge({CLAIM: [0.1] * held + [0.9] * (seeds - held)}, [by_id()[CLAIM]])[0]


@pytest.mark.parametrize(
    ("default", "other", "fate"),
    [
        (20, 20, (SAME, True)),
        (20, 15, (SURVIVES, True)),
        (20, 11, (SURVIVES, False)),
        (20, 10, (EVEN, False)),
        (20, 9, (FLIPS, False)),
        (20, 2, (FLIPS, True)),
        (11, 2, (FLIPS, False)),
        (0, 20, (FLIPS, True)),
    ],
)
def test_the_fate_of_a_verdict_is_its_side_of_one_half(default, other, fate):
    assert forms.fate(verdict(default), verdict(other)) == fate


def test_no_value_is_undefined_and_no_run_is_not_judged():
    claim = by_id()[CLAIM]
    nowhere = judge({CLAIM: [math.nan] * 4}, [claim])[0]
    untested = judge({}, [claim])[0]
    assert forms.fate(verdict(20), nowhere) == (UNDEFINED, True)
    assert forms.fate(verdict(20), untested) == (UNJUDGED, False)
    assert forms.fate(nowhere, verdict(20)) == (UNJUDGED, False)
    assert forms.fate(replace(verdict(20), probability=None), verdict(20)) == (UNJUDGED, False)


@pytest.mark.parametrize("held", [0.55, 0.6, 0.75, 0.9])
def test_the_seeds_that_are_said_to_be_needed_are_enough_and_few_less_are_not(held):
    needed = forms.seeds_needed(held, LEVEL)
    assert needed == forms.seeds_needed(1.0 - held, LEVEL)
    # At shares that a whole number of seeds can have: a multiple of twenty.
    enough = 20 * math.ceil(needed / 20)
    assert wilson(round(held * enough), enough, LEVEL)[0] > 0.5
    less = 20 * math.floor((needed - 1) / 20)
    assert less == 0 or wilson(round(held * less), less, LEVEL)[0] < 0.5
    assert math.isinf(forms.seeds_needed(0.5, LEVEL))


def test_a_claim_on_2027_is_not_one_on_the_past():
    assert not forms.past(by_id()["p1-nvidia-2027"])
    assert forms.past(by_id()["p1-nvidia-2023"])


def test_the_report_says_in_words_which_conclusions_survive(made):
    page = html(made)
    assert "<script" not in page
    for name in by_form(made, "forms"):
        assert name in page.lower()
    assert "probability 1.00 by default, 0.00 with plain logit" in page
    assert "change sides" in page
    assert page.count("<svg") == 2
    for note in made.notes:
        assert note.split("'")[0][:60] in page


def test_the_switches_have_a_name_each():
    assert tuple(NAMES) == FORMS
