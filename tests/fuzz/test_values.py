"""Values, designs, draws, files and links that are taken mean what was written, and all others get a sentence."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import checks, damage, texts

INPUTS = int(os.environ.get("UNDERCUT_FUZZ", "40"))
SLOW = 40
"""So many times fewer stores than texts: each is read in twenty ways."""


def many(inputs: int = INPUTS) -> settings:
    """Settings for so many inputs; the sample of `make test` is the same every time."""
    return settings(
        max_examples=max(1, inputs),
        derandomize=INPUTS < 1000,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@many()
@given(texts.seeds)
def test_seeds_are_those_that_were_written(text):
    checks.check_seeds(text)


@many()
@given(texts.assignments)
def test_a_parameter_takes_the_value_that_was_written_or_none(given):
    checks.check_assignments(given)


@many()
@given(texts.grids)
def test_a_grid_has_a_world_a_combination(given):
    checks.check_grid(given)


@many(INPUTS // 4)
@given(texts.samples)
def test_a_sample_stays_within_the_ranges(given):
    checks.check_sample(given)


@many()
@given(texts.scenarios)
def test_a_scenario_says_the_same_when_it_is_written_out_in_full(text):
    checks.check_scenario(text)


@many()
@given(texts.draws)
def test_draws_are_the_numbers_of_their_file(content):
    checks.check_draws(content)


@many()
@given(texts.queries)
def test_a_link_comes_back_from_the_page_that_it_opens(text):
    checks.check_address(text)


@many(INPUTS // SLOW)
@given(damage.damages)
def test_a_store_that_came_to_harm_gives_what_it_gave_or_a_sentence_whoever_reads(given):
    damage.check_store(given)


@pytest.mark.parametrize(
    "given", ["--grid=alpha_mean=,", "--sample=lhs:" + "9" * 5000, "--keep=sample:" + "9" * 5000]
)
def test_what_once_broke_is_refused(given, capfd):
    from undercut.cli import main

    assert main(["run", given]) == 2
    assert len(capfd.readouterr().err.strip().splitlines()) == 1
