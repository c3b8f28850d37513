"""An ensemble is summed up by medians and intervals, row by row."""

import pandas as pd
import pytest

from evidence.figures.spread import over_runs, spread
from model.parameters import Parameters


def frame(value, text="a"):
    return pd.DataFrame({"name": ["x", "y"], "amount_usd": [value, 10.0 * value], "chip": text})


def test_every_number_becomes_its_median_with_the_interval():
    found = spread([frame(float(value)) for value in range(101)]).set_index("name")
    columns = ["amount_usd", "amount_usd_low", "amount_usd_high"]
    assert found.loc[["x"], columns].to_numpy()[0] == pytest.approx([50.0, 5.0, 95.0])
    assert found.loc["y", "amount_usd"] == 500.0
    assert set(found["runs"]) == {101}


def test_one_run_is_its_own_interval():
    found = spread([frame(3.0)])
    assert (found["amount_usd_low"] == found["amount_usd_high"]).all()


def test_texts_that_differ_between_runs_are_listed():
    found = spread([frame(1.0, "L20"), frame(2.0, "H20"), frame(3.0, "L20")], ["name"])
    assert list(found["chip"]) == ["L20, H20"] * 2
    assert len(spread([frame(1.0, "L20"), frame(2.0, "H20")], [])) == 1


def test_a_number_that_a_run_lacks_does_not_count():
    found = spread([frame(1.0), frame(float("nan")), frame(3.0)])
    assert found["amount_usd"].tolist() == [2.0, 20.0]


def test_what_an_article_says_has_no_interval():
    claims = pd.DataFrame({"row": ["a", "b"], "claimed_value": [1.0, float("nan")], "model": [2.0, 3.0]})
    found = spread([claims, claims])
    assert list(found["claimed_value"].fillna(0.0)) == [1.0, 0.0]
    assert "claimed_value_low" not in found
    assert len(found) == 2


def test_runs_are_given_one_by_one_to_the_figure():
    p = Parameters.resolve()
    runs = [(p, {"t": frame(value)}) for value in (1.0, 2.0, 3.0)]
    assert over_runs(iter(runs), lambda _, tables: tables["t"])["amount_usd"].tolist() == [2.0, 20.0]


def test_without_a_run_there_is_no_figure():
    with pytest.raises(ValueError, match="one seed at least"):
        spread([])
