"""The book of chips: numbers in columns that are the chips' own."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from model.chip import ANYBODY, NOBODY, ROOM, Chip, ChipBook
from model.serving import ChipSpec


def chip(number: int, maker: str = "one", owner: str = "", grade: str = "ai") -> Chip:
    spec = ChipSpec(f"chip {number}", maker, "CN", "2024Q1", 100.0, 200.0, 64.0, 2.0, 400.0, 300.0)
    return Chip(spec, number, 0, "line", grade, True, owner, 10.0 + number, 5.0, given=True)


def test_a_chip_on_the_book_lives_in_its_columns_however_many_there_are():
    book = ChipBook({"one": 0, "two": 1}, {"owner": 3})
    chips = [chip(number) for number in range(2 * ROOM + 1)]
    for each in chips:
        book.append(each)
    assert len(book) == len(book.price) == 2 * ROOM + 1
    assert book[-1] is chips[-1] and list(book) == chips
    book.price[:] *= 2.0
    assert [each.price for each in chips] == [2.0 * (10.0 + number) for number in range(len(chips))]
    chips[3].until = 7.0
    assert book.until[3] == 7.0 and np.isinf(np.delete(book.until, 3)).all()


def test_makers_processes_and_owners_are_numbers():
    book = ChipBook({"one": 0, "two": 1}, {"owner": 3})
    for each in (chip(0), chip(1, "two", "owner"), chip(2, "two", "stranger", "mid-range")):
        book.append(each)
    assert book.maker.tolist() == [0, 1, 1]
    assert book.process.tolist() == [0, 2, 3]
    assert book.captive.tolist() == [ANYBODY, 3, NOBODY]
    assert book.chinese.all() and book.given.all()


def test_a_chip_of_a_maker_that_the_book_lacks_is_refused():
    book = ChipBook({"one": 0})
    with pytest.raises(ValueError, match="chip 0 is of stranger, which is no maker of this book"):
        book.append(chip(0, "stranger"))
    assert len(book) == 0


def test_a_copy_of_the_book_is_another_book():
    book = ChipBook({"one": 0})
    book.append(chip(0))
    other = copy.deepcopy(book)
    other.price[0] = 1.0
    assert (book[0].price, other[0].price) == (10.0, 1.0)
