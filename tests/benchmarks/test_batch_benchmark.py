"""Both sides of the batch benchmark make the same runs. Nothing here looks at a clock."""

import itertools
import time

import numpy as np
import pandas as pd
import pytest

from benchmarks import batch, sides, trivial
from benchmarks.clock import Clock, since

ENTERPRISES = 60
SEEDS = (1, 3)
SHORT = 'title = "Short"\n[horizon]\nlast = "2023Q4"\n'


def test_both_sides_give_the_same_headline_for_the_same_seeds(tmp_path):
    scenario = tmp_path / "short.toml"
    scenario.write_text(SHORT, encoding="utf-8")
    ours = sides.ours(str(scenario), SEEDS, ENTERPRISES, compared=SEEDS)
    mesas = sides.mesas(str(scenario), SEEDS, ENTERPRISES, compared=SEEDS)
    for made in (ours, mesas):
        assert list(made.quarters) == list(SEEDS)
        assert len(made.runs_took) == len(SEEDS)
        assert made.in_workers[sides.DEMAND] > (0.0, 0.0)
    for seed in SEEDS:
        far = batch.difference(ours.quarters[seed], mesas.quarters[seed])
        assert list(far.index) == ["2023Q1", "2023Q2", "2023Q3", "2023Q4"]
        assert far.max() < batch.AGREEMENT
    pair = batch.Pair(ours, mesas)
    assert list(batch.account([pair]))
    assert list(batch.pace([pair], ENTERPRISES))
    assert list(batch.memory([pair]))
    assert batch.paths([pair]).startswith("2 of 2 runs")


def test_a_difference_is_found_wherever_it_is():
    ours = pd.DataFrame(
        {"quarter": ["2023Q1", "2023Q2"], "seed": 1, "price": [1.0, 2.0], "index": [np.nan, 1.0]}
    )
    other = ours.drop(columns="seed")
    assert batch.difference(ours, other).max() == 0.0
    assert batch.difference(ours, other.assign(price=[1.0, 2.2]))["2023Q2"] == pytest.approx(0.1)
    assert batch.difference(ours, other.assign(index=1.0))["2023Q1"] == np.inf
    with pytest.raises(ValueError, match="different quarters"):
        batch.difference(ours, other.iloc[:1])


def test_trivial_runs_are_all_stored():
    assert trivial.overhead(50, workers=1).runs == 50


def test_a_clock_charges_each_moment_to_the_innermost_label(monkeypatch):
    ticks = itertools.count()
    for name in ("perf_counter", "process_time"):
        monkeypatch.setattr(time, name, lambda: next(ticks) // 2)
    clock = Clock()
    before = clock.spent()
    with clock.on("outer"):
        clock.timed("inner", lambda: None)()
    assert since(before, clock.spent()) == {"elsewhere": (2.0, 2.0), "outer": (2.0, 2.0), "inner": (1.0, 1.0)}
