"""A sample of `make draws`: worlds over all ranges, and those that once went wrong."""

import pytest

from tests.draws import failures, outcome
from tests.model.drawn import happenings, world

MARKET_THAT_GROWS = (
    190  # utility linear in price, and prices that fall from 48 USD to 1: volume was infinite by 2025Q4
)
MARKET_WITHOUT_OFFERS = 2  # every vendor but one is out of business by 2024Q4


@pytest.mark.parametrize(
    ("number", "last"),
    [(0, "2024Q1"), (MARKET_WITHOUT_OFFERS, "2025Q1"), (MARKET_THAT_GROWS, "2025Q4"), (20, "2024Q1")],
)
def test_the_books_of_a_drawn_world_balance(number, last):
    assert outcome(number, last) == (number, "")


def test_a_draw_is_the_same_world_again_and_has_shocks_of_many_kinds():
    assert world(7) == world(7)
    kinds = {type(shock) for number in range(20) for shock in world(number).setting.shocks}
    assert len(kinds) > 5
    assert kinds <= {type(shock) for shock in happenings()}


@pytest.mark.slow
def test_a_hundred_draws_in_processes_of_their_own():
    assert [said for _, said in failures(100, 100, 2) if said] == []
