"""Discounts on edges: what buyers weigh, what they pay, and who sees them."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from agents import procurement, rebate

LAST = "2024Q4"


@pytest.fixture
def granted(market):
    """The market with a quarter off NVIDIA's chips for Alibaba."""
    world = copy.deepcopy(market)
    world.graph.permit("NVIDIA", "Alibaba", "chips", **{rebate.TERM: 0.25})
    world.interventions.rebates.add("NVIDIA")
    return world


def test_without_discounts_nothing_is_touched(market):
    needs = procurement.chip_needs(market)
    assert rebate.applied(market, needs) is needs
    price = market.catalogue.chips.price
    assert np.array_equal(rebate.paid(market, price), np.broadcast_to(price, market.fleets.paid.shape))


def test_a_discount_is_weighed_as_the_price_that_is_paid(granted):
    needs = procurement.chip_needs(granted)
    seen = rebate.applied(granted, needs)
    price = granted.catalogue.chips.price[needs.chips]
    alpha = granted.parameters.chip_alpha
    alibaba = granted.clouds["Alibaba"].fleet.number
    row = needs.buyer.tolist().index(alibaba)
    weighed = seen.home[row] - alpha * np.log(price + seen.opex[row])
    paid = rebate.paid(granted, granted.catalogue.chips.price)[alibaba, needs.chips]
    expected = needs.home[row] - alpha * np.log(paid + needs.opex[row])
    finite = np.isfinite(expected)
    assert weighed[finite] == pytest.approx(expected[finite])
    nvidia = np.array([granted.catalogue.chips[j].spec.maker == "NVIDIA" for j in needs.chips])
    assert paid[nvidia] == pytest.approx(0.75 * price[nvidia])
    assert paid[~nvidia] == pytest.approx(price[~nvidia])


def test_the_maker_itself_prices_as_if_there_were_none(granted):
    needs = procurement.chip_needs(granted)
    assert rebate.applied(granted, needs, but_of="NVIDIA") is needs
    assert rebate.applied(granted, needs, but_of="AMD") is not needs


def test_a_maker_leaves_out_its_own_discounts_and_sees_those_of_others(granted):
    granted.graph.permit("Huawei Ascend", "Alibaba", "chips", **{rebate.TERM: 0.5})
    granted.interventions.rebates.add("Huawei Ascend")
    needs = procurement.chip_needs(granted)
    row = needs.buyer.tolist().index(granted.clouds["Alibaba"].fleet.number)
    maker = np.array([granted.catalogue.chips[j].spec.maker for j in needs.chips])
    seen = rebate.applied(granted, needs, but_of="NVIDIA")
    able = np.isfinite(needs.home[row])
    raised = np.where(able, seen.home[row], 0.0) - np.where(able, needs.home[row], 0.0)
    own, other = (able & (maker == name) for name in ("NVIDIA", "Huawei Ascend"))
    assert own.any() and other.any()
    assert raised[own] == pytest.approx(0.0)
    assert raised[other] == pytest.approx(granted.parameters.chip_alpha * np.log(2.0))
    np.testing.assert_array_equal(seen.opex[row, own], needs.opex[row, own])
    assert seen.opex[row, other] == pytest.approx(2.0 * needs.opex[row, other])
