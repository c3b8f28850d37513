"""What everybody sees at the start of a quarter: software, work, and what work is worth."""

from __future__ import annotations

import numpy as np

from agents.outlook import Outlook, value_of_work

LAST = "2023Q4"


def test_a_chip_does_what_its_physics_and_its_makers_software_allow(market):
    view = Outlook.of(market)
    assert view.maturity.shape == view.work.shape == view.suitability.shape
    assert ((view.maturity > 0.0) & (view.maturity <= 1.0)).all()
    np.testing.assert_allclose(view.work, market.catalogue.work * view.maturity)
    assert (view.suitability >= 0.0).all() and (view.suitability <= 1.0 + 1e-12).all()
    np.testing.assert_allclose(view.suitability.max(axis=0), 1.0)


def test_a_chip_off_the_market_is_replaced_at_a_falling_price(market):
    view = Outlook.of(market)
    for chip in market.catalogue.chips:
        if chip.until is not None and market.t > chip.until:
            assert view.replacement[chip.index] < chip.price
        else:
            assert view.replacement[chip.index] == chip.price


def test_work_is_worth_less_every_year(market):
    now, quarter = value_of_work(market), market.t
    try:
        market.t = quarter + 4
        later = value_of_work(market)
    finally:
        market.t = quarter
    assert (now > 0.0).all()
    np.testing.assert_allclose(later / now, 1.0 - market.parameters.work_value_decline)
