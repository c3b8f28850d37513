"""The worlds whose headline is kept in ``headline.csv``; run as a module it writes the file anew.

    python -m tests.golden.worlds

Do so only for a change that is meant to change results, and say why in its message and in ``docs/performance.md``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from model.market import Market
from scenarios.scenario import load

FILE = Path(__file__).with_name("headline.csv")
WORLDS = ("baseline", "consortium", "domestic_chip_mandate", "hosting_at_cost", "nvidia_china_discount")
ENTERPRISES, SEED = 100, 1
DIGITS = "%.12g"


def headline(world: str) -> pd.DataFrame:
    """The table ``quarters`` of one world."""
    market = Market(load(world, {"enterprises": float(ENTERPRISES)}), SEED)
    try:
        return market.run()["quarters"]
    finally:
        market.release()


def kept() -> pd.DataFrame:
    """The file's content, with the world in the first column."""
    return pd.read_csv(FILE)


if __name__ == "__main__":
    tables = [headline(world).assign(world=world) for world in WORLDS]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "world", table.pop("world"))
    table.to_csv(FILE, index=False, float_format=DIGITS)
