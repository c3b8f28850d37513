"""All kinds of shock in one world: the identities of money, tokens and chips hold, which the market checks itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from model import calendar
from model.market import Market
from scenarios.scenario import load
from scenarios.shocks import (
    KINDS,
    Breakthrough,
    Breakup,
    CapacityLoss,
    Capture,
    ChipBan,
    ChipDiscount,
    ChipQuota,
    ChipRelief,
    Confine,
    Consortium,
    Copies,
    DemandSwing,
    Foundation,
    FundingCut,
    HostingAtCost,
    Openness,
    PowerPrice,
    PriceFloor,
    PriceMatch,
    SetParameter,
    SoftwareStall,
    Sovereignty,
    WeightsBan,
)
from tests.scenarios.branches import branch

FIRST = "2026Q1"
Q = ""
ALL = (
    Consortium(Q),
    DemandSwing(Q, 20.0, work="both"),
    ChipQuota(Q, 0.9),
    Openness(Q, "OpenAI", "open", existing=True),
    HostingAtCost(Q, cost="avoidable"),
    PriceMatch(Q, cost="none"),
    CapacityLoss(Q, 0.9),
    PowerPrice(Q, 10.0),
    ChipDiscount(Q, 0.9),
    PriceFloor(Q, 1.0),
    Sovereignty(Q),
    WeightsBan(Q, recalled=True),
    Breakup(Q),
    ChipBan(Q),
    FundingCut(Q, 1.0),
    Copies(Q),
    Foundation(Q, "Zhipu"),
    SoftwareStall(Q),
    Breakthrough(Q, "Meta", 3.0),
    Confine(Q, "Alibaba Qwen"),
    DemandSwing(Q, 0.02, quarters=2),
    ChipRelief(Q, listed=True),
    Capture(Q, "DeepSeek", "Tencent", 1.0),
    SetParameter(Q, "lead_time_quarters", 4.0),
)


def test_every_kind_is_there():
    assert {type(shock) for shock in ALL} == set(KINDS.values())


@pytest.mark.parametrize("seed", [0, 1])
def test_whatever_happens_in_whatever_order_the_identities_hold(seed):
    order = np.random.default_rng(seed).permutation(len(ALL))
    start, quarters = calendar.index(FIRST), calendar.index("2028Q4") - calendar.index(FIRST) + 1
    market = branch(FIRST)
    for place, index in enumerate(order):
        when = calendar.name(start + place * (quarters - 2) // len(ALL))
        market.shock(type(ALL[index])(**{**vars(ALL[index]), "quarter": when}))
    market.run()  # a broken identity stops the run and says which
    assert market.finished


def test_what_happens_in_one_market_reaches_no_other():
    """What the facts say is shared by all markets of a process: a shock that wrote into it would change the next run."""
    setting = load("baseline", {"enterprises": 60})
    before = Market(setting, 1).run()
    market = Market(setting, 1)
    for place in range(len(ALL)):  # early, while there are facts to come that they could change
        when = ("2023Q2", "2023Q3", "2023Q4")[place % 3]
        market.shock(type(ALL[place])(**{**vars(ALL[place]), "quarter": when}))
    market.run()
    after = Market(setting, 1).run()
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, after[name], check_exact=True, obj=name)
