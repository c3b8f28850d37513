"""The articles' figures are drawn from what the frames say, the same each time."""

import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from viz import figures
from viz.fan import ChartError

OPTIONS = ("proprietary API", "hosted open weights", "self-hosting")
WORKLOADS = {"open inference": 0.55, "proprietary API": 0.25, "training": 0.15, "other": 0.05}


def interval(frame, column):
    return frame.assign(**{f"{column}_low": 0.9 * frame[column], f"{column}_high": 1.1 * frame[column]})


def costs():
    """An API that costs 10 million a year, a host 5, and own chips 2 of depreciation and 1 of power."""
    parts = {
        OPTIONS[0]: {"fees": 10e6},
        OPTIONS[1]: {"fees": 5e6},
        OPTIONS[2]: {"depreciation": 2e6, "power": 1e6},
    }
    rows = [
        (
            option,
            year,
            component,
            year * (sum(split.values()) if component == "total" else split.get(component, 0.0)),
        )
        for option, split in parts.items()
        for year in (1, 2, 3)
        for component in (*figures.COSTS, "total")
    ]
    return interval(
        pd.DataFrame(rows, columns=["option", "year", "component", "cumulative_usd"]), "cumulative_usd"
    )


def racks():
    row = {
        "main_chip": "H20",
        "chips_per_rack": 20.0,
        "kw_per_rack": 30.0,
        "link_gb_per_s": 900.0,
        "racks": 5.0,
    }
    shares = {"ethernet_share": 0.25, "liquid_share": 0.5}
    empty = dict.fromkeys((*row, *shares), float("nan")) | {"main_chip": ""}
    return pd.DataFrame([{"kind": "training", **row, **shares}, {"kind": "inference", **empty}])


def revenue():
    rows = [
        (year, name, share * 1e9, share, 0.5 if year == "2024" else float("nan"))
        for year in ("2023", "2024")
        for name, share in (WORKLOADS | {"all": 1.0}).items()
    ]
    columns = ["year", "workload", "revenue_usd", "share", "growth_share"]
    return interval(pd.DataFrame(rows, columns=columns), "revenue_usd")


def cells():
    rows = [
        ("growth", "2024", "market", "2.1 bn", 2.1e9, 2.1e8, "market-2024"),
        ("growth", "2024", "words", "lower", float("nan"), 1.0, "compute-sparse"),
        ("growth", "2024", "share", "5 %", 0.05, float("nan"), "deepseek-share-2024"),
    ]
    columns = ["table", "row", "quantity", "claimed", "claimed_value", "model", "claim"]
    return interval(pd.DataFrame(rows, columns=columns), "model")


CLAIMED = {kind: {"cooling": "air"} for kind in ("training", "inference")}
DRAWN = {
    "tco": lambda: figures.tco(costs(), "title", (0.6, 0.75)),
    "racks": lambda: figures.racks(racks(), CLAIMED, "title"),
    "workloads": lambda: figures.workloads(revenue(), WORKLOADS, "title"),
    "ratios": lambda: figures.ratios(cells(), {"growth": "Growth"}, "title"),
}


def rectangles(axes):
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def texts(drawn):
    return [text.get_text() for axes in drawn.axes for text in axes.texts]


@pytest.mark.parametrize("name", DRAWN)
def test_two_drawings_are_the_same_bytes(name, tmp_path):
    for file in ("a.svg", "b.svg"):
        figures.save(DRAWN[name](), tmp_path / file)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_bars_of_an_option_add_up_to_its_cost():
    bars = rectangles(DRAWN["tco"]().axes[0])
    tops = sorted(round(bar.get_y() + bar.get_height(), 6) for bar in bars if bar.get_hatch() is None)
    assert tops[-1] == 30.0  # three years of the API, in millions
    assert 9.0 in tops  # three years of one's own chips


def test_the_claimed_saving_is_a_box_of_what_self_hosting_would_cost():
    (box,) = [patch for patch in rectangles(DRAWN["tco"]().axes[0]) if patch.get_hatch()]
    assert (box.get_y(), box.get_y() + box.get_height()) == pytest.approx((7.5, 12.0))


def test_a_rack_has_a_square_for_each_chip_and_an_empty_one_none():
    full, empty = DRAWN["racks"]().axes
    squares = [
        [p for p in rectangles(panel) if (p.get_width(), p.get_height()) == (0.7, 0.7)]
        for panel in (full, empty)
    ]
    assert [len(found) for found in squares] == [20, 0]


def test_shares_and_growth_are_written_into_the_bars():
    found = texts(DRAWN["workloads"]())
    assert "55 %" in found
    assert any("+50 %" in text for text in found)


def test_only_cells_with_a_number_on_both_sides_are_compared():
    labels = [label.get_text() for label in DRAWN["ratios"]().axes[0].get_yticklabels()]
    assert labels == ["2024: market, claimed 2.1 bn"]


def test_an_ending_that_says_nothing_is_refused(tmp_path):
    with pytest.raises(ChartError, match=r"\.svg"):
        figures.save(DRAWN["tco"](), tmp_path / "figure")
    with pytest.raises(ChartError, match="cannot write"):
        figures.save(DRAWN["tco"](), tmp_path / "nowhere" / "figure.svg")
