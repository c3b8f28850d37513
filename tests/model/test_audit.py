"""Tests of model/audit.py: an account of the quarter that is wrong anywhere stops the run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from model.audit import Audit, find
from model.identities import BrokenIdentity
from model.ledger import Kind
from model.market import Market
from model.parameters import Parameters
from model.place import CAPTIVE, DENSE, TRAINING
from model.setting import Setting

QUARTERS = 3  # orders have arrived by then


class Open(Market):
    """A market whose last quarter stays open, with all that flowed in it."""

    def close_quarter(self) -> None:
        if self.t < QUARTERS:
            super().close_quarter()


@pytest.fixture
def market() -> Market:
    found = Open(Setting("small", Parameters.resolve({"enterprises": 60})), seed=1)
    while found.t < QUARTERS:
        found.step()
    found.step()
    return found


def lose_a_chip(market: Market) -> None:
    name = next(name for name, cloud in market.clouds.items() if cloud.fleet.delivered.any())
    market.clouds[name].fleet.delivered *= 1.0 - 1e-6


def hold_a_little_more(market: Market) -> None:
    market.population.portfolio[7] *= np.float32(1.001)


def lose_a_portfolio_in_part(market: Market) -> None:
    row = market.population.portfolio[7]
    row[int(row.argmax())] = 0.0


def owe_an_offer(market: Market) -> None:
    market.population.portfolio[7, 0] = -0.5


def adopt_twice(market: Market) -> None:
    market.population.adoption[7] = 2.0


def work_unpaid(purpose: int) -> Callable[[Market], None]:
    def work(market: Market) -> None:
        fleet = max((cloud.fleet for cloud in market.clouds.values()), key=lambda f: f.hours_used[purpose])
        assert fleet.hours_used[purpose] > 0.0
        fleet.hours_used[purpose] *= 1.0 - 1e-6

    return work


def lend_a_chip(market: Market) -> None:
    units = market.clouds["AWS"].fleet.units
    chip = int(units[:, TRAINING].argmax())
    units[chip, CAPTIVE] += units[chip, TRAINING] + 1.0
    units[chip, TRAINING] = -1.0


def pay_beside_the_graph(market: Market) -> None:
    market.ledger.pay("investors", "AWS", Kind.COMPUTE, 5.0)


def pay_twice(market: Market) -> None:
    payer = next(pair[1] for pair in market.graph.money("tokens") if pair[0] == "OpenAI")
    market.ledger.pay(payer, "OpenAI", Kind.TOKENS, 5.0)


def carry_unpaid(market: Market) -> None:
    source, target = next(iter(market.graph.money("hosting")))
    market.graph.flow(source, target, "hosting", 0.0, 5.0)


def serve_unasked(market: Market) -> None:
    market.demand.served[0] += 1.0


def serve_less_than_nothing(market: Market) -> None:
    market.demand.served[3, 1] -= 1e30
    market.offers.served[1] -= 1e30


def ask_for_the_unknown(market: Market) -> None:
    market.demand.demanded[3, 1] = np.nan


def forget_a_price(market: Market) -> None:
    market.offers.price[1] = np.nan


def overwork(market: Market) -> None:
    market.fleets.hours_used *= 1e6


def tear_down_racks(market: Market) -> None:
    market.clouds["AWS"].fleet.racks[TRAINING, 0] = -5.0


def ship_on_paper(market: Market) -> None:
    source, target = next(iter(market.graph.units("chips")))
    market.graph.flow(source, target, "chips", 5.0, 0.0)


def order_less_than_nothing(market: Market) -> None:
    market.clouds["AWS"].fleet.pipeline[-1][0, DENSE] = -1e9


def test_an_honest_quarter_passes(market: Market) -> None:
    assert all(sound(market) for sound in parts(market))
    find(market)


def parts(market: Market) -> list[Callable[[Market], bool]]:
    audit = Audit(market)
    return [audit._tokens, audit._money, audit._work, audit._chips, audit._shares]


@pytest.mark.parametrize(
    ("wrong", "identity"),
    [
        (lose_a_chip, "chips shipped equal chips received at .* to "),
        (hold_a_little_more, "shares sum to one at position 7: off by 0.001"),
        (lose_a_portfolio_in_part, "shares sum to one at position 7"),
        (owe_an_offer, "no quantity is negative at shares"),
        (lend_a_chip, "no quantity is negative at units of AWS: off by -1"),
        (pay_beside_the_graph, "the hosting edges carry the ledger at AWS to investors: off by 5"),
        (pay_twice, "the tokens edges carry the ledger at OpenAI to .*: off by 5"),
        (carry_unpaid, "the hosting edges carry the ledger at .* to .*: off by 5"),
        (serve_unasked, "tokens sold equal tokens bought at .*: off by 1"),
        (serve_less_than_nothing, "no quantity is negative at served"),
        (ask_for_the_unknown, "every number is finite at demanded"),
        (forget_a_price, "every number is finite at prices"),
        (overwork, "no fleet serves beyond its capacity at "),
        (tear_down_racks, "no quantity is negative at racks of AWS: off by -5"),
        (ship_on_paper, "chips shipped equal chips received at .* to .*: off by 5"),
        (order_less_than_nothing, "no quantity is negative at orders of AWS"),
        (adopt_twice, "nobody adopts for more than all of its work at position 7: off by 1"),
        (work_unpaid(TRAINING), "chip hours used equal the hours of work served"),
        (work_unpaid(CAPTIVE), "chip hours used equal the hours of work served"),
        (work_unpaid(DENSE), "chip hours used equal the hours of work served"),
    ],
)
def test_a_leak_anywhere_in_the_quarter_stops_the_run(
    market: Market, wrong: Callable[[Market], None], identity: str
) -> None:
    wrong(market)
    with pytest.raises(BrokenIdentity, match=identity):
        Audit(market).check(market)


def test_enterprises_that_cannot_buy_yet_hold_nothing_and_stop_nobody(market: Market) -> None:
    market.population.portfolio[7] = 0.0
    assert Audit(market)._shares(market)
    find(market)
