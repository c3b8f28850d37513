"""Mandates on orders: the shadow price is the lowest that keeps to the share, and nobody else is touched."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest

from agents import mandate, procurement
from agents.mandate import Mandate

LAST = "2024Q4"


def ordered(market, *mandates):
    """Orders of first choice by buyer at the prices of now: of domestic chips and of all."""
    world = copy.deepcopy(market)
    world.interventions.mandates += mandates
    needs = procurement.chip_needs(world)
    price = world.catalogue.chips.price[needs.chips]
    home, _ = mandate.weighed(world, needs, price, procurement.decide_chips)
    wanted = procurement.decide_chips(dataclasses.replace(needs, home=home), price, world.parameters)
    domestic = np.array([world.catalogue.chips[j].spec.origin == "CN" for j in needs.chips])
    return {
        name: (wanted[rows][:, domestic].sum(), wanted[rows].sum())
        for name, rows in rows_of(world, needs).items()
    }


def rows_of(market, needs):
    """Rows of a table of needs by the name of the buyer."""
    names = np.array(list(market.clouds))[needs.buyer]
    return {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names)}


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_orders_just_keep_to_the_share_and_those_outside_are_free(market, share):
    free, bound = ordered(market), ordered(market, Mandate("China", "CN", share, value=False, waiver=False))
    for name, (domestic, total) in bound.items():
        home = market.clouds[name].region == "China" and not market.clouds[name].venue
        if not home or free[name][0] >= share * free[name][1]:
            assert (domestic, total) == free[name]
        else:
            assert domestic / total == pytest.approx(share, abs=1e-6)
            assert total < free[name][1]


@pytest.mark.parametrize("value", [False, True])
def test_what_is_accepted_is_cut_to_the_share_of_units_or_of_their_value(market, value):
    world = copy.deepcopy(market)
    world.interventions.mandates.append(Mandate("China", "CN", 0.5, value=value, waiver=False))
    needs = procurement.chip_needs(world)
    domestic = np.array([world.catalogue.chips[j].spec.origin == "CN" for j in needs.chips])
    price = np.where(domestic, 2e3, 3e4)
    weight = price if value else np.ones(len(price))
    shipped = np.where(domestic, 1.0, 3.0) * np.ones_like(needs.home)
    left = mandate.accepted(world, needs, price, shipped)
    for name, numbers in rows_of(world, needs).items():
        rows = left[numbers]
        if market.clouds[name].region == "China" and not market.clouds[name].venue:
            counted = rows * weight
            assert counted[:, domestic].sum() == pytest.approx(counted[:, ~domestic].sum())
        else:
            assert (rows[:, ~domestic] == 3.0).all()
    assert (left[:, domestic] == 1.0).all()


def test_what_makers_refuse_is_ordered_anew_under_the_same_shadow_price_or_none_with_a_waiver(market):
    for waiver in (False, True):
        world = copy.deepcopy(market)
        world.interventions.mandates.append(Mandate("China", "CN", 0.9, value=False, waiver=waiver))
        needs = procurement.chip_needs(world)
        price = world.catalogue.chips.price[needs.chips]
        first, later = mandate.weighed(world, needs, price, procurement.decide_chips)
        foreign = np.array([world.catalogue.chips[j].spec.origin != "CN" for j in needs.chips])
        finite = np.isfinite(needs.home)
        burden = np.where(finite, needs.home - np.where(finite, first, 0.0), 0.0)
        assert (burden[:, foreign] >= 0.0).all() and burden[:, foreign].max() > 0.1
        assert (burden[:, ~foreign] == 0.0).all()
        np.testing.assert_allclose(later[finite], (needs.home if waiver else first)[finite], atol=1e-12)
