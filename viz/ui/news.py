"""The log as the live page tells it, with what no firm writes down: who undercuts whom, and when a share crosses a half."""

from __future__ import annotations

from collections.abc import Sequence

from viz.live.frame import Event, Frame, Price, finite
from viz.option.price import TIERS
from viz.option.share import HALF, NVIDIA
from viz.option.supply import usd
from viz.ui import account

Entry = dict[str, str]
"""A line of the log: ``quarter``, ``kind``, ``firm`` and ``text``."""

SHOCK = "shock"
FREQUENT = ("price move", "hosting started", "hosting ended")
"""Events that come by the dozen: in a quarter the others stand above them."""

MOVES = 12
"""Of each of these kinds so many a quarter are told, the largest: all of them would leave room for one quarter alone."""

SHOWN = 200

MAKER = "NVIDIA"
SHARE, *_ = NVIDIA["NVIDIA, all units"]


def log(frames: Sequence[Frame]) -> list[Entry]:
    """The lines of some quarters, the newest quarter first; in a quarter shocks come first."""
    found: list[Entry] = []
    for place in range(len(frames) - 1, -1, -1):
        told = [_entry(event) for event in _told(frames[place].events)]
        shocks = [entry for entry in told if entry["kind"] == SHOCK]
        between = news(frames[place - 1], frames[place]) if place else []
        found += [*shocks, *between, *(entry for entry in told if entry["kind"] != SHOCK)]
        if len(found) >= SHOWN:
            break
    return found[:SHOWN]


def _told(events: Sequence[Event]) -> list[Event]:
    told = [event for event in events if event.kind not in FREQUENT]
    for kind in FREQUENT:
        of = [event for event in events if event.kind == kind]
        told += sorted(of, key=lambda event: -abs(finite(event.value) or 0.0))[:MOVES]
    return told


def _entry(event: Event) -> Entry:
    text = account.words(event).removeprefix(event.kind).lstrip(" ,")
    if event.firm:  # who it was stands before the text
        text = text.removeprefix(f"{event.firm} ")
    return {"quarter": event.quarter, "kind": event.kind, "firm": event.firm, "text": text}


def news(before: Frame, now: Frame) -> list[Entry]:
    """What happened between two quarters."""
    return [*_crossings(before, now), *_undercuts(before, now)]


def _crossings(before: Frame, now: Frame) -> list[Entry]:
    was, share = finite(before.headline[SHARE]), finite(now.headline[SHARE])
    if was is None or share is None or (was < HALF) == (share < HALF):
        return []
    side = "below" if share < HALF else "at or above"
    text = f"{side} a half of the accelerators delivered in China: {100 * share:.0f} %"
    return [{"quarter": now.quarter, "kind": "half", "firm": MAKER, "text": text}]


def _undercuts(before: Frame, now: Frame) -> list[Entry]:
    """Vendors whose flagship is now the cheapest in a region, below what another's was."""
    was = _cheapest(before.prices)
    found = []
    for region, price in _cheapest(now.prices).items():
        other = was.get(region)
        if other is not None and other.vendor != price.vendor and price.price < other.price:
            text = (
                f"undercuts {other.vendor} in {region}: {_own(price)} at {usd(price.price)} a million tokens; the cheapest "
                f"flagship was {_own(other)} at {usd(other.price)}"
            )
            found.append({"quarter": now.quarter, "kind": "price war", "firm": price.vendor, "text": text})
    return found


def _own(price: Price) -> str:
    return price.model.removeprefix(f"{price.vendor} ")


def _cheapest(prices: Sequence[Price]) -> dict[str, Price]:
    """The cheapest flagship of each region."""
    found: dict[str, Price] = {}
    for price in prices:
        best = found.get(price.region)
        if price.tier == TIERS[0] and (best is None or price.price < best.price):
            found[price.region] = price
    return found
