"""Fleets side by side: what is delivered, to whom, from whom, and what is not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.fleet import HOURS_PER_QUARTER, Fleets
from model.place import PURPOSES

FLEETS, CHIPS, W, MAKERS = 3, 5, len(PURPOSES), 3
MAKER = np.array([0, 2, 2, 0, 1])
COST, TDP = np.linspace(100.0, 900.0, CHIPS), np.linspace(70.0, 1000.0, CHIPS)
orders = arrays(float, (FLEETS, CHIPS, W), elements=st.one_of(st.just(0.0), st.floats(0.1, 1e5)))


def fleets() -> Fleets:
    return Fleets([(name, 0, "US") for name in "abc"], CHIPS)


@given(orders, arrays(bool, (FLEETS, CHIPS)))
def test_what_arrives_is_delivered_and_paid_where_it_is_legal_and_lost_elsewhere(placed, legal):
    owned = fleets()
    price = np.linspace(1e3, 5e4, FLEETS * CHIPS).reshape(FLEETS, CHIPS)
    owned.place(placed, placed.sum(axis=2) * price, 1)
    came = owned.deliver(legal, MAKER, MAKERS, COST, TDP)
    expected = np.where(legal[:, :, None], placed, 0.0)
    count = expected.sum(axis=2)
    of_maker = (MAKER[:, None] == np.arange(MAKERS)).astype(float)
    np.testing.assert_array_equal(owned.delivered, expected)
    np.testing.assert_allclose(owned.units, expected, atol=1e-9)
    np.testing.assert_allclose(owned.paid, np.where(count > 0.0, price, 0.0))
    np.testing.assert_allclose(came.units, count @ of_maker)
    np.testing.assert_allclose(came.price, (count * price) @ of_maker)
    np.testing.assert_allclose(came.make, (count * COST).sum(axis=0) @ of_maker)
    np.testing.assert_allclose(came.count, expected.sum(axis=1))
    np.testing.assert_allclose(came.watts, TDP @ expected)
    np.testing.assert_allclose(came.value, (expected * price[:, :, None]).sum(axis=1))


@given(orders)
def test_units_are_added_up_by_the_maker_of_the_chip(units):
    owned = fleets()
    owned.units[:] = units
    found = owned.units_by_maker(MAKER, MAKERS)
    for maker in range(MAKERS):
        np.testing.assert_allclose(found[:, maker], units[:, maker == MAKER].sum(axis=(1, 2)))


def test_orders_arrive_after_the_lead_time_at_the_price_of_the_order():
    owned = fleets()
    placed, legal = np.ones((FLEETS, CHIPS, W)), np.ones((FLEETS, CHIPS), dtype=bool)
    owned.place(placed, np.full((FLEETS, CHIPS), 4.0 * W), 2)
    assert owned.on_order().sum() == placed.sum()
    assert owned.deliver(legal, MAKER, MAKERS, COST, TDP).count.sum() == 0.0
    assert owned.deliver(legal, MAKER, MAKERS, COST, TDP).count.sum() == placed.sum()
    assert owned.on_order().sum() == 0.0
    np.testing.assert_array_equal(owned.paid, 4.0)


@given(orders, st.floats(0.0, 0.5))
def test_racks_and_ports_leave_with_the_chips_in_them(placed, share):
    owned = fleets()
    owned.units += placed
    owned.racks += 10.0
    owned.ports += 20.0
    owned.retire(share)
    np.testing.assert_allclose(owned.units, placed * (1.0 - share))
    np.testing.assert_allclose(owned.racks, 10.0 * (1.0 - share))
    np.testing.assert_allclose(owned.ports, 20.0 * (1.0 - share))


def test_mean_use_is_hours_over_all_hours_and_none_without_chips():
    owned = fleets()
    owned.units[0, 0, 0], owned.units[1, 2, 1] = 10.0, 4.0
    owned.hours_demanded[0, 0] = 5.0 * HOURS_PER_QUARTER
    owned.hours_demanded[1, 1] = 8.0 * HOURS_PER_QUARTER
    np.testing.assert_allclose(owned.mean_use(), [0.5, 2.0, 0.0])
