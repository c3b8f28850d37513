"""Ownership: profit weights from equity edges, as O'Brien and Salop (2000) derive them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ownership import Stake, kappa, ownership_matrix

FIRMS = ["Alibaba", "Zhipu", "Tencent"]


def test_without_stakes_every_firm_minds_its_own_profit():
    assert (kappa(FIRMS, []) == np.eye(3)).all()


def test_a_sole_outside_owner_of_one_firm_changes_nothing():
    assert (kappa(FIRMS, [("founder", "Zhipu", 1.0, 1.0)]) == np.eye(3)).all()


def test_full_ownership_makes_two_firms_one():
    weights = kappa(FIRMS, [Stake("Alibaba", "Zhipu", 1.0, 1.0)])
    np.testing.assert_allclose(weights, [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def test_one_owner_of_both_firms_makes_them_one():
    weights = kappa(FIRMS, [("state", "Alibaba", 1.0, 1.0), ("state", "Tencent", 1.0, 1.0)])
    np.testing.assert_allclose(weights, [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])


def test_a_silent_stake_moves_the_owner_and_not_the_owned():
    weights = kappa(FIRMS, [("Alibaba", "Zhipu", 0.0, 0.3)])
    np.testing.assert_allclose(weights, [[1.0, 0.3, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def test_a_controlling_minority_stake_moves_both_and_not_alike():
    # Zhipu's owners: the rest with control and rights 0.7, Alibaba's owners with 0.3 and all of Alibaba
    weights = kappa(FIRMS, [("Alibaba", "Zhipu", 0.3, 0.3)])
    assert weights[0, 1] == pytest.approx(0.3)
    assert weights[1, 0] == pytest.approx(0.3 * 1.0 / (0.7 * 0.7 + 0.3 * 0.3))


def test_common_owners_follow_the_formula_by_hand():
    stakes = [("fund", "Alibaba", 0.2, 0.1), ("fund", "Tencent", 0.3, 0.4)]
    weights = kappa(FIRMS, stakes)
    assert weights[0, 2] == pytest.approx(0.2 * 0.4 / (0.2 * 0.1 + 0.8 * 0.9))
    assert weights[2, 0] == pytest.approx(0.3 * 0.1 / (0.3 * 0.4 + 0.7 * 0.6))


def test_rights_pass_along_a_chain_of_holdings():
    chain = [("Alibaba", "Zhipu", 0.0, 0.5), ("Zhipu", "Tencent", 0.0, 0.4)]
    weights = kappa(FIRMS, chain)
    np.testing.assert_allclose(weights[0], [1.0, 0.5, 0.2])
    # and Zhipu's own outside owners see their share of it
    assert weights[1, 2] == pytest.approx(0.4)


def test_circular_holdings_are_traced_to_the_owners_outside():
    weights = kappa(["A", "B"], [("A", "B", 0.0, 0.5), ("B", "A", 0.0, 0.2)])
    # A's outside owners hold 0.8 of A; (I - S)^-1 = [[1, 0.5], [0.2, 1]] / 0.9
    assert weights[0, 1] == pytest.approx(0.5)
    assert weights[1, 0] == pytest.approx(0.2)


@given(st.floats(0.01, 0.49), st.floats(0.0, 0.49))
def test_a_larger_stake_never_weighs_the_owned_firm_less(rights, more):
    low = kappa(["A", "B"], [("A", "B", 0.1, rights)])
    high = kappa(["A", "B"], [("A", "B", 0.1, rights + more)])
    assert high[0, 1] >= low[0, 1] - 1e-12


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.floats(0, 0.15), st.floats(0, 0.15)), max_size=8
    )
)
def test_weights_are_never_negative_and_one_at_home(drawn):
    firms = ["A", "B", "C", "D"]
    names = [*firms, "fund", "state"]
    edges = {(names[o], firms[f]): (names[o], firms[f], c, r) for o, f, c, r in drawn if names[o] != firms[f]}
    weights = kappa(firms, edges.values())
    assert (weights >= 0.0).all()
    assert (np.diag(weights) == 1.0).all()


def test_offers_take_the_weights_of_their_sellers():
    weights = kappa(FIRMS, [("Alibaba", "Zhipu", 0.0, 0.3)])
    matrix = ownership_matrix(weights, [0, 1, 1, 2])
    np.testing.assert_allclose(matrix[0], [1.0, 0.3, 0.3, 0.0])
    np.testing.assert_allclose(matrix[1], [0.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("stakes", "message"),
    [
        ([("Alibaba", "Mistral", 0.1, 0.1)], "not among the firms"),
        ([("Zhipu", "Zhipu", 0.1, 0.1)], "cannot own itself"),
        ([("fund", "Zhipu", 0.1, 1.2)], "rights of fund in Zhipu is 1.2"),
        ([("fund", "Zhipu", 0.7, 0.1), ("Alibaba", "Zhipu", 0.7, 0.1)], "control of Zhipu add up to 1.4"),
        ([("Alibaba", "Zhipu", 1.0, 1.0), ("Zhipu", "Alibaba", 1.0, 1.0)], "in a circle"),
        ([("Alibaba", "Zhipu", 1.0, 0.0)], "nobody who controls Zhipu has rights"),
    ],
)
def test_impossible_ownership_is_refused(stakes, message):
    with pytest.raises(ValueError, match=message):
        kappa(FIRMS, stakes)


def test_a_firm_listed_twice_is_refused():
    with pytest.raises(ValueError, match="listed twice: A"):
        kappa(["A", "B", "A"], [])
