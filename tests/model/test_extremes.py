"""Worlds at the edge: hardly anybody in them, nothing to buy with or to sell, one quarter, a million enterprises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.market import Market
from model.parameters import ParameterError, Parameters
from model.setting import Setting
from scenarios.scenario import load
from tests.model.audited import Audited, audit_records

FIRM_COLUMNS = ("firm", "vendor", "vendor_or_cloud", "cloud", "owner", "owned", "maker")


class Remade(Parameters):
    """Parameters whose facts are changed before anybody reads them; unlike any others, so that nothing is shared."""

    def facts(self, name):
        return self.__dict__["_remake"](name, super().facts(name))

    def __eq__(self, other):
        return self is other

    def __hash__(self):
        return id(self)


def ended(remake=lambda name, rows: rows, last="2024Q4", kind=Audited, shocks=(), **values):
    plain = Parameters.resolve({"enterprises": 60, **values})
    parameters = Remade(dict(plain), plain.overridden)
    parameters.__dict__["_remake"] = remake
    market = kind(Setting("extreme", parameters, tuple(shocks), last=last), 1)
    while not market.finished:
        market.step()
    audit_records(market)
    return market


def only(*firms):
    """The facts of a world in which there is nobody but these firms."""

    def remake(name, rows):
        return [row for row in rows if all(row.get(c, "") in ("", *firms) for c in FIRM_COLUMNS)]

    return remake


def at(amount, **columns):
    """The facts with columns of some tables at one amount, as ``fleets=["units"]``."""

    def remake(name, rows):
        return [row | dict.fromkeys(columns.get(name, ()), amount) for row in rows]

    return remake


def test_one_vendor_on_one_cloud_is_a_monopoly_that_earns_on_its_tokens():
    market = ended(only("OpenAI", "Azure", "NVIDIA"))
    quarters = market.frames()["quarters"]
    assert list(market.vendors) == ["OpenAI"]
    assert "Azure" in market.clouds
    assert (quarters["tokens_mtok"] > 0.0).all()
    offers = market.frames()["offers"]
    assert set(offers["vendor"]) == {"OpenAI"}
    served = offers[offers["tokens_mtok"] > 0.0]
    assert (served["price_usd_per_mtok"] > served["unit_cost_usd_per_mtok"]).mean() > 0.5


def test_nobody_buys_what_a_world_without_chips_cannot_serve():
    market = ended(at(0.0, fleets=["units"], capacity=["units_per_quarter", "ai_units_per_quarter"]))
    quarters = market.frames()["quarters"]
    assert (market.frames()["fleets"]["units"] == 0.0).all()
    assert (quarters["tokens_mtok"] == 0.0).all()
    assert quarters["price_usd_per_mtok"].isna().all()
    assert (quarters["market_revenue_usd"] >= 0.0).all()


def test_where_there_is_next_to_nothing_to_do_next_to_nothing_is_sold():
    next_to_nothing = 1e-9  # Mtok; nought itself is refused
    with pytest.raises(ParameterError, match="allowed is"):
        Parameters.resolve({"workload_scale": 0.0})
    market = ended(at(next_to_nothing, segments=["workload_mtok_per_quarter"]))
    quarters = market.frames()["quarters"]
    assert quarters["tokens_mtok"].between(0.0, 1.0).all()
    assert (market.frames()["offers"]["price_usd_per_mtok"] > 0.0).all()


def test_one_quarter_is_a_whole_run():
    market = ended(last="2023Q1")
    assert list(market.frames()["quarters"]["quarter"]) == ["2023Q1"]


@pytest.mark.slow
def test_a_million_enterprises_are_the_market_of_a_thousand():
    """Enterprises are a sample: more of them are less chance, not more demand."""
    few, many = (
        Market(replace(load("baseline", {"enterprises": count}), last="2024Q4"), 1)
        for count in (1_000, 1_000_000)
    )
    for market in (few, many):
        market.run()
    left, right = (market.frames()["quarters"]["tokens_mtok"].to_numpy() for market in (few, many))
    assert np.abs(np.log(right / left)).max() < 0.2
