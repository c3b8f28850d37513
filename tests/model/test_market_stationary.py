"""No cobweb: a world in which nothing happens from outside settles, in prices, orders, use and demand."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from agents.seller import decide_prices, price_list
from model.market import Market
from model.parameters import Parameters
from model.place import PURPOSES
from model.setting import Setting

NEVER = 1e6
NOBODY = 1e18
STILL = {
    # Nothing grows, ages or falls from heaven once the facts end with 2024.
    "captive_growth": 0.0,
    "workload_growth": 0.0,
    "outside_drift": 0.0,
    "funding_growth": 0.0,
    "luck_spread": 0.0,
    "business_spread": 0.0,
    "research_luck": 0.0,
    "work_value_decline": 0.0,
    "hardware_price_decline": 0.0,
    # Nobody learns, launches or founds anything.
    "chip_learning_rate": 0.0,
    "software_scale_units": NOBODY,
    "chip_cadence_quarters": NEVER,
    "launch_shortest_quarters": NEVER,
    "launch_longest_quarters": NEVER,
    "consortium_least_members": NEVER,
    "copy_cost_usd_per_quarter": NOBODY,
    "raise_gap": NEVER,
    # Every change of price is worth posting.
    "price_threshold": 0.0,
    "enterprises": 60.0,
}
QUARTERS_WATCHED = 12
SWING = 0.01
DRIFT = 0.01


def still() -> Parameters:
    """Parameters that no study draws: the table does not allow a world without progress."""
    usual = Parameters.resolve({})
    assert STILL.keys() <= usual.keys()
    return Parameters({**usual, **STILL}, STILL)


@pytest.fixture(scope="module")
def settled() -> tuple[Market, dict[tuple[str, ...], list[float]]]:
    """A still world run for twenty years after the facts end, and what was seen in its last quarters."""
    market = Market(Setting("still", still(), last="2046Q4"), seed=1)
    seen: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
    while not market.finished:
        market.step()
        if market.t <= market.last + 1 - QUARTERS_WATCHED:
            continue
        seen["tokens",].append(float(market.demand.served.sum()))
        seen["adopters",].append(float(market.demand.adopters.sum()))
        seen["orders",].append(sum(float(c.fleet.wanted.sum()) for c in market.clouds.values()))
        seen["deliveries",].append(sum(float(c.fleet.delivered.sum()) for c in market.clouds.values()))
        for offer in market.offers:
            seen["price", *offer.key].append(offer.price)
        for chip in market.catalogue.chips:
            seen["chip", chip.name].append(chip.price)
        for name, cloud in market.clouds.items():
            seen["use", name].append(market.fleets.mean_use()[cloud.fleet.number])
            seen["fleet", name].append(float(cloud.fleet.units.sum()))
            for w, purpose in enumerate(PURPOSES):
                seen["order", name, purpose].append(float(cloud.fleet.wanted[:, w].sum()))
    return market, dict(seen)


def swing(series: list[float], scale: float | None = None) -> float:
    """The largest turn of a series from the mean of its neighbours, relative to its size or to ``scale``."""
    values = np.array(series)
    turn = np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2.0)
    size = float(np.abs(values).mean()) if scale is None else scale
    return float(turn.max()) / size if size > 0.0 else float(turn.max())


def drift(series: list[float]) -> float:
    """The largest change from quarter to quarter, relative to the size of the series."""
    values = np.array(series)
    return float(np.abs(np.diff(values)).max() / np.abs(values).mean())


def test_a_still_world_is_alive(settled):
    market, seen = settled
    assert market.demand.served.sum() > 0.0
    assert seen["orders",][-1] > 0.0 and seen["deliveries",][-1] > 0.0
    prices = [key for key, series in seen.items() if key[0] == "price" and len(series) == QUARTERS_WATCHED]
    assert len(prices) == len(market.offers) > 50


def test_prices_of_tokens_and_of_chips_settle_in_a_still_world(settled):
    _, seen = settled
    restless = {k: (swing(v), drift(v)) for k, v in seen.items() if k[0] in ("price", "chip")}
    assert {k: v for k, v in restless.items() if not (v[0] <= SWING and v[1] <= DRIFT)} == {}


def test_orders_make_no_cobweb_in_a_still_world(settled):
    _, seen = settled
    for total in ("orders", "deliveries"):
        assert swing(seen[total,]) <= SWING
        assert drift(seen[total,]) <= DRIFT
    fleet = {key[1]: float(np.mean(series)) for key, series in seen.items() if key[0] == "fleet"}
    # A purpose that one buyer hardly buys for is measured by the buyer's fleet.
    restless = {k: swing(v, fleet[k[1]]) for k, v in seen.items() if k[0] == "order"}
    assert {k: v for k, v in restless.items() if not v <= SWING} == {}


def test_demand_and_the_use_of_fleets_settle_in_a_still_world(settled):
    _, seen = settled
    for key, series in seen.items():
        if key[0] in ("tokens", "adopters", "use", "fleet"):
            assert swing(series) <= SWING, key
            assert drift(series) <= DRIFT, key


def test_settled_prices_are_best_responses_to_each_other(settled):
    market, _ = settled
    p, known = market.parameters, price_list(market)
    checked = 0
    for firm in [*market.vendors.values(), *market.clouds.values()]:
        lines = np.array(
            [
                j
                for j, offer in enumerate(market.offers)
                if offer.setter == firm.name
                and not offer.at_cost
                and np.isfinite(offer.unit_cost)
                and np.isfinite(market.offset[:, j]).any()
            ],
            dtype=np.int64,
        )
        if len(lines) == 0 or getattr(firm, "foundation", False):
            continue
        if firm.name in market.vendors and not market.vendors[firm.name].owned:
            continue  # what it can afford to lose on a price changes within the quarter, with its cash
        setter = np.full(len(known.price), -1)
        setter[lines] = market.firm_number[firm.name]
        best = decide_prices(known, setter, p.price_floor_usd_per_mtok)[lines]
        best = np.clip(best, p.price_floor_usd_per_mtok, p.price_ceiling_usd_per_mtok)
        np.testing.assert_allclose(known.price[lines], best, rtol=2.0 * DRIFT, err_msg=firm.name)
        checked += len(lines)
    assert checked > 50
