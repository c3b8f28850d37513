"""A verdict is a probability with an interval, in words that the number of seeds warrants."""

import json
import math

import pandas as pd
import pytest

from evidence.claims import by_id, claims
from evidence.judge import judge, likelihood, quantile, terms, verdicts, wilson

NVIDIA = by_id()["p1-nvidia-2027"]
CAUSE = by_id()["p1-cause"]


def verdict(values: list[float]):
    return judge({NVIDIA.id: values}, [NVIDIA])[0]


def test_the_probability_is_the_share_of_seeds_in_which_the_claim_holds() -> None:
    result = verdict([0.4, 0.45, 0.49, 0.6])
    assert result.probability == 0.75
    assert (result.seeds, result.undefined) == (4, 0)
    assert result.claimed == "< 0.5"


def test_the_interval_of_a_metric_runs_from_the_5_to_the_95_per_cent_quantile() -> None:
    result = verdict([i / 100.0 for i in range(101)])
    assert (result.low, result.median, result.high) == pytest.approx((0.05, 0.5, 0.95))
    assert quantile([1.0, 2.0], 0.5) == 1.5
    assert quantile([7.0], 0.95) == 7.0


def test_wilson_s_interval_agrees_with_published_values() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29 at 95 %.
    assert wilson(81, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148, 0.95) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20, 0.95) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29, 0.95) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    with pytest.raises(ValueError, match="no interval"):
        wilson(1, 0, 0.9)


def test_the_words_are_the_ipcc_s_and_cover_every_probability() -> None:
    assert {term.word for term in terms()} == {
        "virtually certain", "very likely", "likely", "about as likely as not",
        "unlikely", "very unlikely", "exceptionally unlikely",
    }  # fmt: skip
    for i in range(1001):
        assert any(term.holds(i / 1000.0, i / 1000.0) for term in terms())


@pytest.mark.parametrize(
    ("interval", "word"),
    [
        ((1.0, 0.995, 1.0), "virtually certain"),
        ((0.95, 0.92, 0.98), "very likely"),
        ((1.0, 0.95, 1.0), "at least very likely"),
        ((1.0, 0.75, 1.0), "at least likely"),
        ((0.80, 0.70, 0.88), "likely"),
        ((0.50, 0.40, 0.60), "about as likely as not"),
        ((0.50, 0.20, 0.80), "undetermined (about as likely as not)"),
        ((0.80, 0.60, 0.90), "undetermined (likely)"),
        ((0.20, 0.10, 0.30), "unlikely"),
        ((0.0, 0.0, 0.25), "at most unlikely"),
        ((0.0, 0.0, 0.005), "exceptionally unlikely"),
    ],
)
def test_a_word_is_warranted_by_the_whole_interval(interval: tuple[float, float, float], word: str) -> None:
    assert likelihood(*interval) == word


def test_eight_seeds_cannot_make_anything_virtually_certain() -> None:
    assert verdict([0.3] * 8).word == "at least likely"
    assert verdict([0.7] * 8).word == "at most unlikely"
    assert verdict([0.3] * 32).word == "at least very likely"
    assert verdict([0.3] * 1000).word == "virtually certain"


def test_an_undefined_run_never_counts_as_holding_and_is_reported() -> None:
    result = verdict([0.3, 0.3, math.nan, math.nan])
    assert result.probability == 0.5
    assert (result.seeds, result.undefined) == (4, 2)
    assert result.median == 0.3
    assert "undefined in 2 of 4 seeds" in result.note


def test_a_claim_undefined_in_every_run_has_no_probability() -> None:
    result = verdict([math.nan, math.nan])
    assert result.probability is None
    assert result.median is None
    assert result.word == "undefined"
    assert "undefined in every seed" in result.note


def test_a_claim_without_its_counterfactual_runs_is_not_tested() -> None:
    result = judge({}, [CAUSE])[0]
    assert result.word == "not tested"
    assert result.seeds == 0
    assert result.probability is None
    assert "sparse_architectures" in result.note


def test_a_claim_driven_by_assumption_is_flagged() -> None:
    flagged = {v.id: v.driven_by_assumption for v in judge({})}
    assert flagged["p1-inference"]
    assert not flagged["p1-inference-no-nvidia"]
    assert flagged["benchmark-best"]
    assert not flagged["benchmark-2027"]


def test_every_claim_gets_a_verdict_that_can_be_written_as_json() -> None:
    values = {claim.id: [math.nan, 0.5, 1.0] for claim in claims()}
    rows = [verdict.row() for verdict in judge(values)]
    assert [row["id"] for row in rows] == [claim.id for claim in claims()]
    json.dumps(rows, allow_nan=False)
    json.dumps([claim.row() for claim in claims()], allow_nan=False)


def test_verdicts_do_not_depend_on_the_order_of_seeds() -> None:
    frame = pd.DataFrame(
        {
            "seed": [1, 2, 3, 1],
            "metric": [NVIDIA.id, NVIDIA.id, NVIDIA.id, "p3-price"],
            "value": [0.4, 0.6, math.nan, 0.7],
        }
    )
    shuffled = frame.sample(frac=1.0, random_state=7)
    results = verdicts(frame, [NVIDIA])
    assert results == verdicts(shuffled, [NVIDIA])
    assert results[0].probability == pytest.approx(1.0 / 3.0)


def test_two_scenarios_are_not_judged_as_one() -> None:
    frame = pd.DataFrame({"seed": [1, 1], "metric": [NVIDIA.id] * 2, "value": [0.4, 0.6]})
    with pytest.raises(ValueError, match="one scenario at a time"):
        verdicts(frame)
