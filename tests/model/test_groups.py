"""The parameter table in parts."""

from __future__ import annotations

import pytest

from model.groups import GROUPS, grouped
from model.parameters import scalars


def test_every_parameter_stands_in_one_group() -> None:
    names = list(scalars())
    assert [name for group in grouped(names, GROUPS).values() for name in group] == names


def test_a_group_of_parameters_ends_where_the_next_begins() -> None:
    assert grouped(["a", "b", "c"], {"one": "a", "two": "c"}) == {"one": ["a", "b"], "two": ["c"]}


@pytest.mark.parametrize(
    "groups", [{"one": "a", "two": "gone"}, {"one": "b"}, {"one": "a", "two": "c", "three": "b"}]
)
def test_a_group_that_lost_its_place_in_the_table_is_refused(groups: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"begin"):
        grouped(["a", "b", "c"], groups)
