"""A sample of `make draws`: worlds over all ranges."""

import pytest

from tests.draws import failures, outcome
from tests.model.drawn import happenings, world


@pytest.mark.parametrize("number", [0, 7])
def test_the_books_of_a_drawn_world_balance(number):
    assert outcome(number, "2024Q1") == (number, "")


def test_a_draw_is_the_same_world_again_and_has_shocks_of_many_kinds():
    assert world(7) == world(7)
    kinds = {type(shock) for number in range(8) for shock in world(number).setting.shocks}
    assert len(kinds) > 5
    assert kinds <= {type(shock) for shock in happenings()}


@pytest.mark.slow
def test_a_hundred_draws_in_processes_of_their_own():
    assert [said for _, said in failures(100, 100, 2) if said] == []
