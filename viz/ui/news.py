"""What a reader of the log would look for and no firm writes down: who undercuts whom, and when a share crosses a half."""

from __future__ import annotations

from collections.abc import Sequence

from viz.live.frame import Frame, Price, finite
from viz.option.price import TIERS
from viz.option.share import HALF, NVIDIA
from viz.option.supply import usd

Entry = dict[str, str]

MAKER = "NVIDIA"
SHARE, *_ = NVIDIA["NVIDIA, all units"]


def news(before: Frame, now: Frame) -> list[Entry]:
    """What happened between two quarters, as lines of the log: ``quarter``, ``kind``, ``firm`` and ``text``."""
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
