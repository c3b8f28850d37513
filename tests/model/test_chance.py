"""Streams of random numbers."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import chance
from model.chance import PURPOSES, Chance

seeds = st.integers(min_value=0, max_value=2**64)


@given(seeds, st.permutations(PURPOSES))
def test_luck_does_not_depend_on_who_draws_first(seed: int, order: list[str]) -> None:
    usual, other = Chance(seed), Chance(seed)
    expected = {purpose: usual.stream(purpose).random(3).tolist() for purpose in PURPOSES}
    drawn = {purpose: other.stream(purpose).random(3).tolist() for purpose in order}
    assert drawn == expected


@given(seeds, st.sampled_from(PURPOSES), st.integers(min_value=1, max_value=50))
def test_more_luck_in_one_purpose_leaves_the_others_theirs(seed: int, busy: str, draws: int) -> None:
    quiet, market = Chance(seed), Chance(seed)
    market.stream(busy).normal(size=draws)
    for purpose in PURPOSES:
        same = market.stream(purpose).random(2).tolist() == quiet.stream(purpose).random(2).tolist()
        assert same == (purpose != busy)


def test_a_new_purpose_leaves_the_others_their_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {purpose: Chance(7).stream(purpose).random(4).tolist() for purpose in PURPOSES}
    monkeypatch.setattr(chance, "PURPOSES", ("weather", *reversed(PURPOSES)))
    market = Chance(7)
    weather = market.stream("weather").random(4).tolist()
    assert {purpose: market.stream(purpose).random(4).tolist() for purpose in PURPOSES} == before
    assert weather not in before.values()


def test_purposes_and_seeds_have_luck_of_their_own() -> None:
    draws = [tuple(Chance(seed).stream(purpose).random(4)) for seed in range(20) for purpose in PURPOSES]
    assert len(set(draws)) == len(draws)


def test_neighbouring_seeds_are_not_correlated() -> None:
    draws = np.array([Chance(seed).stream("demand").normal(size=2000) for seed in range(5)])
    between = np.corrcoef(draws)[np.triu_indices(5, 1)]
    # Five standard errors of the correlation of independent samples.
    assert np.abs(between).max() < 5 / np.sqrt(2000)


def test_a_stream_goes_on_where_it_was() -> None:
    market, whole = Chance(3), Chance(3).stream("supply").random(6)
    parts = [market.stream("supply").random(3), market.stream("supply").random(3)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_luck_is_the_same_in_another_process() -> None:
    """Python salts the hash of text in each process, which must not reach the streams."""
    program = (
        "from model.chance import Chance\n"
        "print([Chance(11).stream(purpose).random() for purpose in ('traits', 'supply')])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for salt in ("1", "2")
    }
    assert printed == {str([Chance(11).stream(purpose).random() for purpose in ("traits", "supply")])}


def test_an_unknown_purpose_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"traits, research, demand, supply\."):
        Chance(1).stream("luck")


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.5, TypeError), ("1", TypeError)])
def test_a_seed_is_a_whole_number(seed: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        Chance(seed)  # type: ignore[arg-type]
