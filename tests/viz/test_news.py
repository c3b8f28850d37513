"""What the log of the live page says of two quarters, and how it writes numbers."""

from __future__ import annotations

from dataclasses import replace

from viz.live.frame import Event, Flow, Frame, Price
from viz.option.supply import short, traded, usd
from viz.ui import account
from viz.ui.news import MOVES, log, news


def frame(quarter: str, share: float, **prices: float) -> Frame:
    """A quarter with NVIDIA's share, and the price in China of the flagship of some vendors."""
    offers = tuple(
        Price(f"{vendor} flagship", vendor, "CN", "flagship", True, "China", price, vendor, 1.0)
        for vendor, price in prices.items()
    )
    small = Price("small", "Tiny", "CN", "small", True, "China", 0.01, "Tiny", 1.0)
    return Frame(quarter, {"nvidia_share_china_units_all": share}, (*offers, small), {}, {}, {}, (), ())


def test_the_log_says_who_undercuts_whom() -> None:
    was, now = frame("2024Q1", 0.8, DeepSeek=2.0, Zhipu=3.0), frame("2024Q2", 0.8, DeepSeek=1.9, Zhipu=1.5)
    (entry,) = news(was, now)
    assert (entry["quarter"], entry["kind"], entry["firm"]) == ("2024Q2", "price war", "Zhipu")
    assert entry["text"] == (
        "undercuts DeepSeek in China: flagship at $1.5 a million tokens; the cheapest flagship was flagship at $2"
    )
    # Who is the cheapest because the other has become dearer has undercut nobody; nor has who was it before.
    assert news(was, frame("2024Q2", 0.8, DeepSeek=4.0, Zhipu=3.0)) == []
    assert news(was, frame("2024Q2", 0.8, DeepSeek=1.0, Zhipu=3.0)) == []


def test_the_log_says_when_nvidias_share_crosses_a_half() -> None:
    above, below, none = frame("2024Q1", 0.51), frame("2024Q2", 0.49), frame("2024Q2", float("nan"))
    (fall,) = news(above, below)
    assert (fall["kind"], fall["firm"]) == ("half", "NVIDIA")
    assert fall["text"] == "below a half of the accelerators delivered in China: 49 %"
    (rise,) = news(below, above)
    assert rise["text"].startswith("at or above a half")
    assert news(above, none) == news(none, below) == news(above, above) == []


def test_a_shock_stands_on_top_of_its_quarter_and_many_moves_leave_room_for_it() -> None:
    moves = tuple(
        Event("2024Q2", "price move", "Meta", f"m{place}", -0.01 * place, "relative change")
        for place in range(90)
    )
    shock = Event(
        "2024Q1", "shock", "", "ChipBan", float("nan"), "no American accelerator may be sold to China"
    )
    launch = Event("2024Q1", "launch", "Meta", "Meta small 5", 26.9, "capability")
    was = replace(frame("2024Q1", 0.8), events=(launch, shock))
    now = replace(frame("2024Q2", 0.3), events=moves)
    told = log([was, now])
    assert [entry["kind"] for entry in told] == ["half", *["price move"] * MOVES, "shock", "launch"]
    assert told[1]["text"] == "of m89: -89 %"
    assert told[-1]["text"].startswith("small 5")


def test_numbers_are_short() -> None:
    assert [short(each) for each in (1.466e7, 515_300, 999_960, 12, 0.0251)] == [
        "14.7M", "515k", "1000k", "12", "0.0251",
    ]  # fmt: skip
    assert usd(-1.2e6) == "-$1.2M"
    assert traded(Flow("a", "b", "hosting", 1.466e7, "h", 3.6e7)) == "14.7M h, $36M"
    assert traded(Flow("a", "b", "services", 9797.0, "USD", 9797.0)) == "$9.8k"
    entry = Event("2024Q1", "entry", "DeepSeek", "research begins", 2e7, "USD a quarter planned")
    assert account.words(entry) == "entry research begins, USD a quarter planned: 20M"
    opened = Event("2024Q1", "weights opened", "Meta", "Meta small 5", 26.86, "open weights")
    assert account.words(opened) == "weights opened Meta small 5"
