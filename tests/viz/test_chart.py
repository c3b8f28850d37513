"""The figure of a run shows the quantiles of the ensemble beside the articles' claims."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from evidence.claims import by_id
from model import calendar
from model.records import tables
from scenarios import batch
from scenarios.plan import Plan, members_of
from scenarios.runner import Job
from scenarios.scenario import load
from viz.chart import CLAIMS, NVIDIA, PRICES, SHARES, draw, figure
from viz.fan import ChartError, fan, yearly

QUARTERS = [calendar.name(q) for q in range(calendar.index("2023Q1"), calendar.index("2028Q4") + 1)]


def ensemble(seeds=9):
    """Quarters of several seeds: seed s lies at s in every series, shares at s over ten."""
    frames = []
    for seed in range(1, seeds + 1):
        columns = {c.column: 0.1 * seed for c in tables()["quarters"] if c.dtype == "float"}
        columns |= {c: float(seed) for c in PRICES} | {"china_llm_market_usd": seed * 1e9}
        frames.append(pd.DataFrame({"seed": seed, "quarter": QUARTERS, **columns}))
    return pd.concat(frames)


def three_seeds(setting, seed):
    frame = ensemble(3)
    return {"quarters": frame[frame["seed"] == seed].drop(columns="seed")}


def store(folder):
    job = Job(three_seeds)
    plan = Plan(members_of([(load("baseline"), "")]), (1, 2, 3), keep="headline", simulation=job.simulation)
    return batch.run(plan, job, folder, workers=1)[0]


def extent(patch):
    """The bounding box of a patch in the units of its panel."""
    return patch.get_path().transformed(patch.get_patch_transform()).get_extents()


def test_a_fan_holds_the_quantiles_over_seeds():
    levels = fan(ensemble(), "price_china_usd_per_mtok", (0.0, 0.5, 1.0))
    assert list(levels.index) == QUARTERS
    assert list(levels.loc["2025Q3"]) == [1.0, 5.0, 9.0]


def test_a_fan_leaves_out_runs_that_cannot_tell():
    frame = ensemble(3)
    frame.loc[frame["seed"] == 3, "price_china_usd_per_mtok"] = np.nan
    assert fan(frame, "price_china_usd_per_mtok", (0.5,)).iloc[0, 0] == 1.5


def test_years_that_are_not_whole_are_not_summed():
    frame = ensemble(2)
    frame = frame[frame["quarter"] <= "2025Q2"]
    sums = yearly(frame, "china_llm_market_usd")
    assert sorted(sums["year"].unique()) == [2023, 2024]
    assert sums.loc[(sums["seed"] == 2) & (sums["year"] == 2024), "china_llm_market_usd"].item() == 8e9


def test_each_panel_draws_the_median_of_each_series_and_the_claims_in_their_place():
    drawn = figure(ensemble(), "baseline")
    prices, nvidia, shares, size = drawn.axes
    assert prices.get_yscale() == "log"
    for panel, series in ((prices, PRICES), (nvidia, NVIDIA), (shares, SHARES)):
        assert [line.get_label() for line in panel.get_lines()] == [label for label, _, _ in series.values()]
        assert panel.get_title(loc="left")
    assert all(list(np.asarray(line.get_ydata())) == [5.0] * len(QUARTERS) for line in prices.get_lines())
    first, last = map(extent, nvidia.patches)
    claim = by_id()[CLAIMS["nvidia"][0]]
    assert (first.y0, first.y1) == pytest.approx((claim.claimed_low, claim.claimed_high))
    assert first.x0 == -0.5
    assert last.x0 == QUARTERS.index("2027Q4") - 0.5
    assert (last.y0, last.y1) == (0.0, by_id()[CLAIMS["nvidia"][1]].claimed_high)
    bars = [extent(patch) for patch in size.patches if patch.get_hatch() is None]
    assert [bar.y1 for bar in bars] == [20.0] * 6


def test_a_short_run_is_drawn_without_the_claims_that_it_does_not_reach():
    frame = ensemble(2)
    drawn = figure(frame[frame["quarter"] <= "2023Q3"], "short")
    assert len(drawn.axes[1].patches) == 1


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_one_run_drawn_twice_gives_the_same_bytes(tmp_path, ending):
    stored = store(tmp_path / "run")
    digests = []
    for name in ("a", "b"):
        draw(stored, "baseline", tmp_path / f"{name}.{ending}")
        digests.append(hashlib.sha256((tmp_path / f"{name}.{ending}").read_bytes()).hexdigest())
    assert digests[0] == digests[1]


def test_a_picture_is_wide_enough_to_read(tmp_path):
    import matplotlib.image

    draw(store(tmp_path / "run"), "baseline", tmp_path / "a.png")
    assert matplotlib.image.imread(tmp_path / "a.png").shape[1] >= 1200


@pytest.mark.parametrize(
    ("name", "said"), [("a.xyz", "end it in .png"), ("a", "end it in .png"), ("no/a.png", "cannot write")]
)
def test_a_file_that_cannot_be_drawn_is_refused(tmp_path, name, said):
    with pytest.raises(ChartError, match=said):
        draw(store(tmp_path / "run"), "baseline", tmp_path / name)
