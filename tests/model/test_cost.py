"""Tests of model/cost.py: capital recovery, full and avoidable cost, user cost and the shadow rental."""

from dataclasses import replace

import numpy as np
import pytest

from model.calendar import HOURS_PER_YEAR, QUARTERS_PER_YEAR
from model.cost import (
    Installation,
    Site,
    avoidable_cost_per_hour,
    capital_cost_per_hour,
    capital_recovery,
    full_cost_per_hour,
    power_kw,
    shadow_rental,
    standing_cost_per_hour,
    user_cost_per_hour,
)
from model.fleet import HOURS_PER_QUARTER

RACK = Installation(
    chip_price_usd=30000.0,
    server_share=0.2,
    network_usd=3000.0,
    cooling_usd=1000.0,
    power_kw=1.2,
    idle_power_share=0.25,
)
SITE = Site(
    power_price_usd_per_kwh=0.08,
    pue=1.3,
    network_usd_per_hour=0.02,
    fixed_staff_usd_per_hour=0.05,
    variable_staff_usd_per_hour=0.01,
)


def test_capital_recovery_matches_the_annuity_table():
    assert capital_recovery(0.10, 5.0) == pytest.approx(0.2637975, abs=1e-7)
    assert capital_recovery(0.0, 4.0) == 0.25
    assert capital_recovery(1e-12, 4.0) == pytest.approx(0.25, rel=1e-9)


def test_payments_at_capital_recovery_repay_the_capital():
    for rate in (0.03, 0.08, 0.2):
        payment = capital_recovery(rate, 6.0)
        assert sum(payment / (1.0 + rate) ** year for year in range(1, 7)) == pytest.approx(1.0)


@pytest.mark.parametrize(("rate", "life"), [(0.1, 0.0), (0.1, -1.0), (-1.0, 4.0)])
def test_an_impossible_annuity_is_refused(rate, life):
    with pytest.raises(ValueError, match=r"life_years|cost_of_capital"):
        capital_recovery(rate, life)


def test_full_cost_by_hand():
    capital = 30000.0 * 1.2 + 3000.0 + 1000.0
    assert RACK.capital_usd == pytest.approx(capital)
    yearly = capital * 0.2637975
    standing = yearly / HOURS_PER_YEAR + 1.2 * 0.25 * 1.3 * 0.08 + 0.05
    avoidable = 1.2 * 0.75 * 1.3 * 0.08 + 0.02 + 0.01
    full = full_cost_per_hour(RACK, SITE, 0.10, 5.0, 0.5)
    assert full == pytest.approx(standing / 0.5 + avoidable, rel=1e-6)
    assert avoidable_cost_per_hour(RACK, SITE) == pytest.approx(avoidable)
    assert power_kw(700.0, 0.5) == pytest.approx(1.05)


def test_capital_enters_full_cost_and_never_avoidable_cost():
    dear = replace(RACK, chip_price_usd=60000.0)
    assert avoidable_cost_per_hour(dear, SITE) == avoidable_cost_per_hour(RACK, SITE)
    assert full_cost_per_hour(dear, SITE, 0.1, 5.0, 0.6) > full_cost_per_hour(RACK, SITE, 0.1, 5.0, 0.6)


def test_idle_fleets_have_dear_hours_in_the_accounts():
    costs = [full_cost_per_hour(RACK, SITE, 0.1, 5.0, use) for use in (0.2, 0.5, 1.0)]
    assert costs == sorted(costs, reverse=True)
    at_full_use = full_cost_per_hour(RACK, SITE, 0.1, 5.0, 1.0)
    parts = capital_cost_per_hour(RACK, 0.1, 5.0) + standing_cost_per_hour(RACK, SITE)
    assert at_full_use == pytest.approx(parts + avoidable_cost_per_hour(RACK, SITE))


def test_the_hours_of_four_quarters_carry_a_year_of_capital():
    hours = HOURS_PER_QUARTER * QUARTERS_PER_YEAR
    assert hours * capital_cost_per_hour(RACK, 0.0, 4.0) == pytest.approx(RACK.capital_usd / 4.0)


@pytest.mark.parametrize("use", [0.0, -0.1, 1.01])
def test_cost_over_impossible_use_is_refused(use):
    with pytest.raises(ValueError, match="utilisation"):
        full_cost_per_hour(RACK, SITE, 0.1, 5.0, use)
    with pytest.raises(ValueError, match="utilisation"):
        user_cost_per_hour(1e4, 0.1, 0.05, 0.3, use)


def test_costs_of_many_chips_are_the_costs_of_each():
    prices, powers = np.array([5000.0, 30000.0]), np.array([0.4, 1.2])
    many = replace(RACK, chip_price_usd=prices, power_kw=powers)
    together = full_cost_per_hour(many, SITE, 0.1, 5.0, 0.6)
    each = [
        full_cost_per_hour(replace(RACK, chip_price_usd=float(p), power_kw=float(w)), SITE, 0.1, 5.0, 0.6)
        for p, w in zip(prices, powers, strict=True)
    ]
    np.testing.assert_allclose(np.asarray(together), np.array(each))


def test_user_cost_is_interest_wear_and_the_loss_of_price():
    # Jorgenson: q (r + delta - dq/q) to first order.
    hourly = user_cost_per_hour(HOURS_PER_YEAR, 0.10, 0.05, 0.30, 1.0)
    assert hourly == pytest.approx(1.10 - 0.95 * 0.70)
    assert hourly == pytest.approx(0.10 + 0.05 + 0.30, abs=0.02)
    assert user_cost_per_hour(HOURS_PER_YEAR, 0.0, 0.0, 0.0, 1.0) == 0.0


def test_expected_price_decline_of_hardware_raises_its_user_cost():
    costs = [user_cost_per_hour(30000.0, 0.1, 0.05, decline, 0.6) for decline in (0.0, 0.15, 0.3, 0.45)]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_user_cost_covers_standing_cost_over_the_hours_worked():
    without = user_cost_per_hour(30000.0, 0.1, 0.05, 0.3, 0.5)
    assert user_cost_per_hour(30000.0, 0.1, 0.05, 0.3, 0.5, 0.2) == pytest.approx(without + 0.4)


def test_shadow_rental_is_nothing_when_idle_and_the_user_cost_at_target():
    assert shadow_rental(0.0, 2.0, 0.7, 4.0) == 0.0
    assert shadow_rental(0.1, 2.0, 0.7, 4.0) < 0.01 * 2.0
    assert shadow_rental(0.7, 2.0, 0.7, 4.0) == pytest.approx(2.0)
    assert shadow_rental(-0.2, 2.0, 0.7, 4.0) == 0.0


def test_shadow_rental_rises_convexly_and_stays_finite_in_a_shortage():
    use = np.linspace(0.0, 1.5, 151)
    rental = shadow_rental(use, 2.0, 0.7, 4.0)
    assert np.all(np.diff(rental) > 0.0)
    assert np.all(np.diff(rental, 2) > 0.0)
    assert np.all(np.isfinite(rental))
    assert rental[100] > 4.0 * 2.0


def test_convexity_is_the_elasticity_of_the_rental_to_use():
    low, high = shadow_rental(np.array([0.5, 0.5 * 1.01]), 2.0, 0.7, 5.0)
    assert np.log(high / low) / np.log(1.01) == pytest.approx(5.0)


def test_a_rental_that_would_not_be_convex_is_refused():
    with pytest.raises(ValueError, match="convexity"):
        shadow_rental(0.5, 2.0, 0.7, 0.5)
    with pytest.raises(ValueError, match="utilisation"):
        shadow_rental(0.5, 2.0, 0.0, 4.0)


def test_a_chip_that_earns_its_user_cost_pays_back_its_price():
    price, rate, wear, decline, use = 30000.0, 0.1, 0.05, 0.3, 0.6
    yearly = user_cost_per_hour(price, rate, wear, decline, use) * use * HOURS_PER_YEAR
    kept = (1.0 - wear) * (1.0 - decline)
    for life in (1, 4, 40):
        earned = sum(yearly * kept ** (year - 1) / (1.0 + rate) ** year for year in range(1, life + 1))
        assert earned + price * (kept / (1.0 + rate)) ** life == pytest.approx(price)
