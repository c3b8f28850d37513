"""Shares on the live page: who keeps which place and colour."""

from __future__ import annotations

from typing import Any

from viz.live.frame import OWN, Frame
from viz.option import share

NAMES = ["2024Q1", "2024Q2"]
HOME = ["Alibaba", "Baidu", "Tencent"]
ABROAD = [f"Cloud {place}" for place in range(9)]


def frame(quarter: str, **sales: float) -> Frame:
    """A quarter with what sellers take in China."""
    firms = {
        name: {"kind": "cloud", "region": "China" if name in HOME else "Europe"} for name in HOME + ABROAD
    }
    took = {name.replace("_", " "): revenue for name, revenue in sales.items()}
    return Frame(quarter, {}, (), {"China": {OWN: 5.0, **took}}, {}, firms, (), ())


def look(frames: list[Frame]) -> dict[str, Any]:
    series = share.clouds(frames, NAMES, "China")["series"]
    return {each["name"]: (each["lineStyle"]["color"], each["data"]) for each in series}


def test_a_cloud_keeps_its_place_and_colour_when_another_overtakes_it() -> None:
    first = frame("2024Q1", Tencent=3.0, Baidu=1.0)
    before = look([first])
    after = look([first, frame("2024Q2", Tencent=1.0, Baidu=8.0, Alibaba=1.0)])
    assert list(before) == ["Baidu", "Tencent"]
    assert list(after) == ["Alibaba", "Baidu", "Tencent"]
    assert all(after[name][0] == colour for name, (colour, _) in before.items())
    assert after["Baidu"][1] == [0.25, 0.8]


def test_eight_sellers_have_a_colour_each_and_the_others_are_one() -> None:
    sales = {name.replace(" ", "_"): 1.0 + place for place, name in enumerate(HOME + ABROAD)}
    drawn = look([frame("2024Q1", **sales)])
    assert len(drawn) == share.SHOWN_SELLERS + 1
    assert len({colour for colour, _ in drawn.values()}) == len(drawn)
    whole = sum(data[0] for _, data in drawn.values())
    assert abs(whole - 1.0) < 1e-9
    assert "Alibaba" not in drawn
