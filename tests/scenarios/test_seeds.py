"""Seeds are written as a count or as a list, and read back as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.seeds import SeedsError, parse, words


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("3", (1, 2, 3)),
        ("1,2,5-8", (1, 2, 5, 6, 7, 8)),
        ("7-7", (7,)),
        ("9,", (9,)),
        ("5, 0, 5", (0, 5)),
        ("2-4,3", (2, 3, 4)),
    ],
)
def test_a_plain_number_is_a_count_and_a_list_names_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse(text) == seeds


@given(st.sets(st.integers(0, 200), min_size=1))
def test_words_name_exactly_the_seeds_that_parse_reads(seeds: set[int]) -> None:
    assert parse(words(seeds)) == tuple(sorted(seeds))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "name none"),
        ("", "neither a number"),
        ("a", "'a' is neither"),
        ("8-5", "write 5-8"),
        ("-3", "neither"),
        ("1-99999999999", "more than"),
        ("99999999999", "more than"),
        ("99999999999999999999", "at most 18 digits"),
        ("99999999999999999999-99999999999999999999", "at most 18 digits"),
        ("9" * 5000, "at most 18 digits"),
    ],
)
def test_seeds_that_make_no_sense_are_refused_with_the_mend(text: str, said: str) -> None:
    with pytest.raises(SeedsError, match=said) as refused:
        parse(text)
    assert len(str(refused.value)) < 300
