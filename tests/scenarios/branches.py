"""Small markets that part ways at a quarter: the same past, then with shocks and without."""

from __future__ import annotations

import copy
from functools import cache

from model.market import Market
from model.parameters import Parameters
from model.setting import Setting
from model.shock import Shock


@cache
def _trunk(quarter: str) -> Market:
    """The baseline of a few enterprises before a quarter; it is copied, never stepped."""
    market = Market(Setting("branch", Parameters.resolve({"enterprises": 60})), seed=1)
    while market.quarter != quarter:
        market.step()
    return market


def branch(quarter: str, *shocks: Shock, quarters: int = 0) -> Market:
    """A market with that past and these shocks, after so many quarters from ``quarter`` on."""
    market = copy.deepcopy(_trunk(quarter))
    for shock in shocks:
        market.shock(shock)
    for _ in range(quarters):
        market.step()
    return market
