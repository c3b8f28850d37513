"""Mandates on orders: the shadow price is the lowest that keeps to the share, and nobody else is touched."""

from __future__ import annotations

import copy

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
    price = np.array([world.catalogue.chips[j].price for j in needs.chips])
    wanted = mandate.orders(world, needs, price, True, procurement.decide_chips)
    domestic = np.array([world.catalogue.chips[j].spec.origin == "CN" for j in needs.chips])
    buyers = np.array(needs.buyer)
    return {
        name: (wanted[buyers == name][:, domestic].sum(), wanted[buyers == name].sum())
        for name in dict.fromkeys(needs.buyer)
    }


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


def test_what_is_accepted_is_cut_to_the_share(market):
    world = copy.deepcopy(market)
    world.interventions.mandates.append(Mandate("China", "CN", 0.5, value=False, waiver=False))
    needs = procurement.chip_needs(world)
    price = np.ones(len(needs.chips))
    domestic = np.array([world.catalogue.chips[j].spec.origin == "CN" for j in needs.chips])
    shipped = np.where(domestic, 1.0, 3.0) * np.ones_like(needs.home)
    left = mandate.accepted(world, needs, price, shipped)
    for name in dict.fromkeys(needs.buyer):
        rows = left[np.array(needs.buyer) == name]
        if market.clouds[name].region == "China" and not market.clouds[name].venue:
            assert rows[:, domestic].sum() == pytest.approx(rows[:, ~domestic].sum())
        else:
            assert (rows[:, ~domestic] == 3.0).all()
    assert (left[:, domestic] == 1.0).all()
