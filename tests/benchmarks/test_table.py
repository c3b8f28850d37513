"""The table of measurements, and what measures by turns. Nothing here looks at a clock."""

import itertools
import time

import pytest

from benchmarks.table import Part, Row, comma_separated, grows, markdown, number, power, text
from benchmarks.turns import by_turns, streamed


def counting(upto):
    yield from range(upto)
    raise ValueError("enough")


def test_a_row_says_median_quartiles_and_ratio():
    row = Row("ours", "100 offers", "ms", (4.0, 1.0, 2.0, 3.0, 5.0), 312.4)
    assert row.median == 3.0
    assert row.cells() == ("ours", "100 offers", "3.00", "2.00 to 4.00", "5", "ms", "312")
    assert Row("one", "", "MB", (7.0,)).cells() == ("one", "", "7.00", "", "1", "MB", "")
    part = Part("sizes", "About sizes.", 0.25, [row, "A sentence."])
    document = markdown(["a machine"], [part])
    assert "| ours | 100 offers | 3.00 | 2.00 to 4.00 | 5 | ms | 312 |" in document
    assert document.endswith("\nA sentence.\n")
    assert comma_separated([part]).splitlines()[1] == "sizes,ours,100 offers,ms,3.0,2.0,4.0,5,312.4,0.25"
    assert text("A sentence.") == "A sentence."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (0.01234, "0.0123"),
        (12.345, "12.3"),
        (1234.5, "1,230"),
        (1e6, "1,000,000"),
        (-2.5, "-2.50"),
    ],
)
def test_numbers_have_three_digits(value, said):
    assert number(value) == said


def test_growth_is_the_exponent_of_a_power_law():
    sizes = [10, 100, 1000]
    assert power(sizes, [3.0 * n**1.5 for n in sizes]) == pytest.approx(1.5)
    said = grows("It", "offers", sizes, [1.0, 1.0, 10.0])
    assert said == "It grows with the power 0.50 of offers from 10 to 1,000, 1.00 between the two largest"


def test_calls_take_turns_and_the_first_of_each_does_not_count(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    called = []
    calls = {name: lambda name=name: called.append(name) for name in "ab"}
    taken = by_turns(calls, 2, clock=lambda: float(next(ticks)))
    assert called == list("ababab")
    assert taken == {"a": [1.0, 1.0], "b": [1.0, 1.0]}


def test_what_another_process_yields_comes_as_it_is_made_and_so_does_its_error():
    stream = streamed(counting, 2)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(RuntimeError, match="ValueError: enough"):
        next(stream)
