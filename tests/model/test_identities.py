"""The identities of the accounts hold when they should and stop the run when they do not."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from model import identities
from model.identities import BrokenIdentity

QUARTER = "2024Q3"
quantities = arrays.arrays(np.float64, st.integers(1, 8), elements=st.floats(min_value=1e-6, max_value=1e15))

balances = pytest.mark.parametrize(
    "check", [identities.tokens_balance, identities.chips_balance, identities.hours_balance]
)


@balances
@given(quantities, st.data())
def test_what_is_sold_is_bought_up_to_rounding(
    check: Callable[..., None], sold: Any, data: st.DataObject
) -> None:
    noise = data.draw(arrays.arrays(np.float64, sold.shape, elements=st.floats(-9e-10, 9e-10)))
    check(QUARTER, sold, sold * (1 + noise))
    check(QUARTER, float(sold.sum()), math.fsum(sold))


@balances
@given(quantities, st.data())
def test_a_leak_of_one_part_in_a_million_stops_the_run_and_names_where(
    check: Callable[..., None], sold: Any, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(sold) - 1))
    bought = sold.copy()
    bought[at] *= 1 + 1e-6
    labels = [f"line {i}" for i in range(len(sold))]
    with pytest.raises(BrokenIdentity) as caught:
        check(QUARTER, sold, bought, labels=labels)
    assert caught.value.quarter == QUARTER
    assert caught.value.where == f"line {at}"
    assert caught.value.size == pytest.approx(1e-6 * sold[at], rel=1e-3)


@balances
def test_what_is_unknown_or_endless_never_balances(check: Callable[..., None]) -> None:
    for wrong in (math.nan, math.inf, -math.inf):
        with pytest.raises(BrokenIdentity):
            check(QUARTER, [1.0, wrong], [1.0, wrong])
        with pytest.raises(BrokenIdentity):
            check(QUARTER, [1.0, wrong], [1.0, 2.0])
    check(QUARTER, [0.0, 0.0], [0.0, 0.0])
    check(QUARTER, [], [])
    with pytest.raises(BrokenIdentity):
        check(QUARTER, [0.0], [1e-30])


def test_the_tolerance_is_the_callers() -> None:
    identities.tokens_balance(QUARTER, 100.0, 101.0, tolerance=0.02)
    with pytest.raises(BrokenIdentity):
        identities.tokens_balance(QUARTER, 100.0, 101.0, tolerance=0.005)
    with pytest.raises(BrokenIdentity):
        identities.tokens_balance(QUARTER, 1.0, 1.0 + 1e-15, tolerance=0.0)


def test_small_differences_of_large_sums_are_judged_by_the_sums() -> None:
    identities.check_equal("cash is what is left", QUARTER, [1e-3], [0.0], scale=[1e9])
    with pytest.raises(BrokenIdentity):
        identities.check_equal("cash is what is left", QUARTER, [10.0], [0.0], scale=[1e9])


def test_arrays_of_different_shapes_are_no_identity() -> None:
    with pytest.raises(ValueError, match="one shape"):
        identities.chips_balance(QUARTER, [1.0, 1.0], [1.0])


def test_the_message_says_what_should_hold_where_when_and_by_how_much() -> None:
    with pytest.raises(BrokenIdentity) as caught:
        identities.chips_balance("2025Q4", [5.0, 7.0], [5.0, 4.0], labels=["H20", "Ascend 910B"])
    assert str(caught.value) == (
        "In 2025Q4 it does not hold that chips shipped equal chips received at Ascend 910B: off by 3."
    )


@given(arrays.arrays(np.float64, (3, 5), elements=st.floats(min_value=0.0, max_value=1.0)))
def test_shares_with_the_outside_option_sum_to_one(weights: Any) -> None:
    shares = (weights + 0.01) / (weights + 0.01).sum(axis=1, keepdims=True)
    identities.shares_sum_to_one(QUARTER, shares)
    identities.shares_sum_to_one(QUARTER, shares[0])
    with pytest.raises(BrokenIdentity, match="shares sum to one at Europe") as caught:
        broken = shares.copy()
        broken[1, 0] += 0.25
        identities.shares_sum_to_one(QUARTER, broken, labels=["China", "Europe", "Asia"])
    assert caught.value.size == pytest.approx(0.25)


def test_a_negative_share_is_not_made_good_by_a_larger_one() -> None:
    with pytest.raises(BrokenIdentity, match="negative"):
        identities.shares_sum_to_one(QUARTER, [-0.2, 0.7, 0.5])
    with pytest.raises(BrokenIdentity):
        identities.shares_sum_to_one(QUARTER, [math.nan, 0.5, 0.5])


def test_a_fleet_may_be_full_and_not_fuller() -> None:
    fleets = ["Alibaba", "Huawei"]
    identities.within_capacity(QUARTER, [100.0, 0.0], [100.0, 0.0], labels=fleets)
    identities.within_capacity(QUARTER, [100.0 + 1e-8, 3.0], [100.0, 90.0], labels=fleets)
    with pytest.raises(
        BrokenIdentity, match="no fleet serves beyond its capacity at Huawei: off by 2"
    ) as caught:
        identities.within_capacity(QUARTER, [100.0, 92.0], [100.0, 90.0], labels=fleets)
    assert caught.value.size == 2.0
    for used, capacity in ((math.nan, 1.0), (1.0, math.nan), (-1.0, 1.0), (1e-3, 0.0)):
        with pytest.raises(BrokenIdentity):
            identities.within_capacity(QUARTER, [used], [capacity])


def test_the_worst_of_several_overloads_is_named_by_its_place_in_a_matrix() -> None:
    with pytest.raises(BrokenIdentity) as caught:
        identities.within_capacity(QUARTER, [[1.0, 2.0], [9.0, 1.0]], np.ones((2, 2)))
    assert caught.value.where == "position 1, 0"
    with pytest.raises(BrokenIdentity) as caught:
        identities.within_capacity(QUARTER, [[1.0, 2.0], [9.0, 1.0]], np.ones((2, 2)), labels=["a", "b"])
    assert caught.value.where == "b, 0"


def test_the_graph_and_the_ledger_tell_of_the_same_money() -> None:
    edges = {("NVIDIA", "AWS"): 3.0, ("Alibaba", "China/education"): 4.0}
    identities.edges_carry_ledger(QUARTER, edges, dict(edges))
    identities.edges_carry_ledger(QUARTER, {"tokens": 4.0, "chips": 0.0}, {"tokens": 4.0 + 1e-12})
    identities.edges_carry_ledger(QUARTER, dict[str, float](), dict[str, float]())
    swapped = {("NVIDIA", "AWS"): 4.0, ("Alibaba", "China/education"): 3.0}
    with pytest.raises(BrokenIdentity, match=r"flows at (NVIDIA to AWS|Alibaba to China)"):
        identities.edges_carry_ledger(QUARTER, edges, swapped)
    with pytest.raises(BrokenIdentity, match="NVIDIA to Alibaba"):
        identities.edges_carry_ledger(QUARTER, edges, {**edges, ("NVIDIA", "Alibaba"): 1.0})


def test_no_number_of_the_market_is_unknown_or_endless() -> None:
    identities.nothing_nan(QUARTER, prices=[0.1, 2.0], tokens=np.zeros((2, 2)), empty=[])
    for wrong in (math.nan, math.inf, -math.inf):
        with pytest.raises(BrokenIdentity, match="every number is finite at tokens") as caught:
            identities.nothing_nan(QUARTER, prices=[0.1], tokens=[[1.0, wrong]])
        assert caught.value.quarter == QUARTER


def test_no_quantity_is_negative_beyond_rounding() -> None:
    identities.nothing_negative(QUARTER, units=[0.0, 5.0], hours=[1e9, -1e-3], empty=[])
    with pytest.raises(BrokenIdentity, match="no quantity is negative at hours: off by -3"):
        identities.nothing_negative(QUARTER, units=[0.0, 5.0], hours=[1e9, -3.0])
    with pytest.raises(BrokenIdentity):
        identities.nothing_negative(QUARTER, units=[math.nan])
    for endless in (math.inf, -math.inf):
        with pytest.raises(BrokenIdentity):
            identities.nothing_negative(QUARTER, units=[endless, -5.0])
