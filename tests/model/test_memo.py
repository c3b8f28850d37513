"""What is kept until something changes: never stale, whatever a scenario changes, and copied with its market."""

from __future__ import annotations

import copy
import gc
import itertools

import pandas as pd
import pytest

from model.market import Market
from model.memo import Memo
from scenarios.scenario import load

SMALL = {"enterprises": 56.0}
CHANGING = ("consortium_breakup", "open_weights_export_ban", "nvidia_china_discount", "deepseek_closes")
"""Worlds in which stakes, hosts, openness, access and terms change midway."""


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name in one:
        pd.testing.assert_frame_equal(one[name], other[name], check_exact=True, obj=name)


def test_a_memo_makes_again_only_what_rests_on_something_else():
    times = itertools.count(1)
    memo: Memo[int] = Memo()
    seen = [
        memo.of(lambda: next(times), *rests) for rests in ((1, "a"), (1, "a"), (2, "a"), (2, "a"), (1, "a"))
    ]
    assert seen == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("scenario", CHANGING)
def test_forgetting_everything_before_each_quarter_changes_nothing(scenario, monkeypatch):
    kept = Market(load(scenario, SMALL), 1).run()
    memos = [thing for thing in gc.get_objects() if isinstance(thing, Memo)]
    begin = Memo.__init__

    def noted(memo):
        begin(memo)
        memos.append(memo)

    monkeypatch.setattr(Memo, "__init__", noted)
    market = Market(load(scenario, SMALL), 1)
    while not market.finished:
        assert memos
        for memo in memos:
            memo._known = None
        market.step()
    same(kept, market.frames())


def test_a_copy_goes_on_as_its_original_and_each_as_if_the_other_were_not_there():
    alone = Market(load("consortium", SMALL), 2).run()
    market = Market(load("consortium", SMALL), 2)
    while market.quarter < "2025Q3":
        market.step()
    twin = copy.deepcopy(market)
    other = Market(load("full_chip_ban", SMALL | {"eta": 0.2}), 3)
    while not market.finished:
        twin.step()
        market.step()
        if not other.finished:
            other.step()
    same(alone, market.frames())
    same(alone, twin.frames())
