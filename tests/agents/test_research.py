"""Research: money within a vendor's means, what its owner and investors pay, and how that grows."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.research import Purse, RaiseTerms, decide_draw, decide_raise, decide_research, growth_of_funding
from model import calendar

money = st.floats(0.0, 1e10)
signed = st.floats(-1e10, 1e10)
PURSE = Purse(reinvested=0.8, drawdown_quarters=8.0)


@given(money, signed, money, signed, st.floats(0.0, 1e9))
def test_research_stays_within_a_vendors_means_and_rises_with_each_of_them(plan, margin, support, cash, more):
    spent = decide_research(plan, margin, support, cash, PURSE)
    means = support + max(margin, 0.0) + max(cash, 0.0) / PURSE.drawdown_quarters
    assert 0.0 <= spent <= means * (1.0 + 1e-12)
    assert decide_research(plan + more, margin, support, cash, PURSE) >= spent
    assert decide_research(plan, margin + more, support, cash, PURSE) >= spent
    assert decide_research(plan, margin, support + more, cash, PURSE) >= spent
    assert decide_research(plan, margin, support, cash + more, PURSE) >= spent


def test_a_vendor_without_margin_owner_or_cash_does_no_research():
    assert decide_research(1e8, -5e6, 0.0, -1e6, PURSE) == 0.0
    assert decide_research(1e8, 0.0, 0.0, 8e6, PURSE) == pytest.approx(1e6)


@given(money, money, signed, signed)
def test_nobody_draws_more_than_was_committed_nor_more_than_the_plan_lacks(committed, plan, margin, cash):
    drawn = decide_draw(committed, plan, margin, cash, PURSE)
    assert 0.0 <= drawn <= committed
    own = margin + max(cash, 0.0) / PURSE.drawdown_quarters
    assert drawn <= max(plan - own, 0.0)


TERMS = RaiseTerms(runway=4.0, quarters=6.0, gap=0.8, appetite=1.0)


@given(signed, signed, money, st.floats(0.0, 2.0))
def test_investors_pay_only_a_vendor_that_is_short_and_near_the_frontier(cash, loss, plan, gap):
    raised = decide_raise(cash, loss, plan, gap, TERMS)
    assert raised in (0.0, TERMS.appetite * TERMS.quarters * plan)
    if loss <= 0.0 or gap > TERMS.gap or cash >= TERMS.runway * loss:
        assert raised == 0.0


def test_a_vendor_with_a_short_runway_raises_and_one_far_behind_cannot():
    assert decide_raise(cash=10.0, loss=5.0, plan=100.0, gap=0.1, terms=TERMS) == 600.0
    assert decide_raise(cash=30.0, loss=5.0, plan=100.0, gap=0.1, terms=TERMS) == 0.0
    assert decide_raise(cash=10.0, loss=5.0, plan=100.0, gap=0.9, terms=TERMS) == 0.0


def test_money_for_research_grows_at_its_rate_to_the_end_of_the_facts_and_fades_afterwards(small):
    market = small()
    market.t = calendar.index("2023Q1")
    assert growth_of_funding(market) == pytest.approx(1.0)
    market.t = calendar.index("2024Q1")
    assert growth_of_funding(market) == pytest.approx(1.0 + market.parameters.funding_growth)
    levels = []
    for quarter in ("2025Q1", "2026Q1", "2027Q1", "2028Q1"):
        market.t = calendar.index(quarter)
        levels.append(growth_of_funding(market))
    growth = [later / sooner for sooner, later in pairwise(levels)]
    assert growth == sorted(growth, reverse=True) and growth[-1] > 1.0
