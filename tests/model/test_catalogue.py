"""Tests of model/catalogue.py: rates are the same whenever and for whomever they are asked."""

from dataclasses import replace

import numpy as np
import pytest

from agents.facts import chip_of, given_chips, given_models
from agents.founding import catalogue
from model.parameters import Parameters

P = Parameters.resolve({})
ROWS = [row for _, rows in sorted(given_chips(P).items()) for row in rows]


def stocked(chips, models):
    book = catalogue(P)
    for index, row in enumerate(ROWS[:chips]):
        book.add_chip(chip_of(row, index, P))
    for model in given_models_of(models):
        book.add_model(model)
    return book


def given_models_of(count):
    return [model for _, models in sorted(given_models(P).items()) for model in models][:count]


def test_rates_do_not_depend_on_when_chips_and_models_came():
    whole = stocked(12, 9)
    at_once = whole.mtok_per_hour(list(whole.models.values()))
    grown = stocked(4, 3)
    grown.mtok_per_hour(list(grown.models.values())[:2])
    for index, row in enumerate(ROWS[4:12], start=4):
        grown.add_chip(chip_of(row, index, P))
    for model in given_models_of(9)[3:]:
        grown.add_model(model)
    np.testing.assert_array_equal(grown.mtok_per_hour(list(grown.models.values())), at_once)
    np.testing.assert_array_equal(
        whole.mtok_per_hour(list(whole.models.values())[::-1], 5), at_once[::-1, :5]
    )
    assert at_once.shape == (9, 12) and (at_once > 0.0).any()


def test_what_was_considered_has_the_rates_that_it_would_have_had():
    plain, considering = stocked(10, 0), stocked(10, 0)
    some = np.array([1, 4, 7])
    new = given_models_of(3)
    seen = considering.rates([model.architecture for model in new], some)
    for model, twin in zip(new, given_models_of(3), strict=True):
        plain.add_model(model)
        considering.add_model(twin)
    rates = considering.mtok_per_hour(list(considering.models.values()))
    np.testing.assert_array_equal(rates[:, some], seen)
    np.testing.assert_array_equal(rates, plain.mtok_per_hour(list(plain.models.values())))


def test_a_catalogue_holds_more_than_it_first_has_room_for():
    book = stocked(3, 2)
    for index in range(3, 140):
        book.add_chip(chip_of(ROWS[index % 3], index, P))
    rates = book.mtok_per_hour(list(book.models.values()))
    assert rates.shape == (2, 140)
    np.testing.assert_array_equal(rates[:, 3:6], rates[:, :3])


def test_a_model_that_is_not_in_the_catalogue_has_no_rates():
    (stranger,) = given_models_of(1)
    with pytest.raises(ValueError, match="not in the catalogue"):
        stocked(2, 1).mtok_per_hour([replace(stranger, number=-1)])
