"""States: which chips may be shipped where, under which terms."""

import copy
import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import policy
from agents.facts import chip_of, given_chips
from agents.policy import BANNED, FREE, LIFTED, ExportTerms, State
from model import calendar, export
from model.chip import Chip, ChipBook
from model.market import Market
from model.parameters import Parameters

P = Parameters.resolve({})
CHIPS = {row["chip"]: chip_of(row, 0, P) for rows in given_chips(P).values() for row in rows}
FOREVER = math.inf
quarters = st.integers(0, calendar.index("2028Q4"))
chips = st.sampled_from(sorted(CHIPS))
ABROAD, HERE = False, True


def later(name: str, tflops: float, interconnect: float) -> Chip:
    """A chip that its maker decided on after the facts end."""
    chip = copy.copy(CHIPS[name])
    chip.spec = dataclasses.replace(chip.spec, bf16_tflops=tflops, interconnect_gbs=interconnect)
    chip.given, chip.window_from, chip.window_until = False, FOREVER, FOREVER
    return chip


def may_ship(chip: Chip, terms: ExportTerms, restricted: bool, quarter: int, ahead: int, rules: bool) -> bool:
    """Of one chip alone."""
    book = ChipBook({chip.spec.maker: 0})
    book.append(copy.copy(chip))
    spec = chip.spec
    return bool(
        export.may_ship(
            (chip.given, chip.made_for_rules, spec.origin == "CN", spec.bf16_tflops, spec.interconnect_gbs),
            bool(policy.in_window(book, quarter, ahead)[0]),
            dataclasses.astuple(terms),
            restricted,
            rules,
        )
    )


@given(chips, quarters, st.integers(0, 4))
def test_what_the_rules_allow_is_allowed_without_them_but_for_chips_made_for_them(name, quarter, ahead):
    chip = CHIPS[name]
    with_rules = may_ship(chip, FREE, HERE, quarter, ahead, rules=True)
    without = may_ship(chip, FREE, HERE, quarter, ahead, rules=False)
    assert without == (not chip.made_for_rules)
    assert without or not with_rules or chip.made_for_rules


@given(chips, quarters, st.booleans(), st.booleans())
def test_a_ban_is_a_ban(name, quarter, restricted, rules):
    assert not may_ship(CHIPS[name], ExportTerms(banned=True), restricted, quarter, 0, rules)


@given(chips, quarters)
def test_rules_bind_nobody_outside_the_restricted_region(name, quarter):
    chip = CHIPS[name]
    assert may_ship(chip, FREE, ABROAD, quarter, 0, rules=True) == (not chip.made_for_rules)


@given(quarters)
def test_chinese_chips_are_free_of_american_rules(quarter):
    strict = ExportTerms(max_tflops=1.0, max_interconnect_gbs=1.0)
    chinese = [chip for chip in CHIPS.values() if chip.spec.origin == "CN"]
    assert chinese
    assert all(may_ship(chip, strict, HERE, quarter, 0, rules=True) for chip in chinese)


@pytest.mark.parametrize(
    ("name", "quarter", "allowed"),
    [
        ("A100", "2022Q2", True),
        ("A100", "2023Q1", False),
        ("H100", "2023Q2", False),
        ("H100", "2024Q2", False),
        ("A800", "2023Q2", True),
        ("A800", "2024Q2", False),
        ("H20", "2023Q2", False),
        ("H20", "2024Q4", True),
        ("L20", "2024Q4", True),
    ],
)
def test_the_rules_of_2022_and_2023_decide_what_nvidia_sells_in_china(name, quarter, allowed):
    assert may_ship(CHIPS[name], FREE, HERE, calendar.index(quarter), 0, rules=True) is allowed


@given(st.floats(1.0, 5000.0), st.floats(1.0, 2000.0), st.floats(1.0, 5000.0), st.floats(1.0, 2000.0))
def test_a_later_chip_may_be_sold_if_it_fits_the_terms(tflops, interconnect, cap, links):
    chip = later("H100", tflops, interconnect)
    allowed = may_ship(chip, ExportTerms(cap, links), HERE, calendar.index("2026Q1"), 0, rules=True)
    if tflops <= cap and interconnect <= links:
        assert allowed
    if tflops > cap * 1.001 or interconnect > links * 1.001:
        assert not allowed


@given(chips, quarters, st.floats(1.0, 2000.0), st.floats(1.0, 2000.0))
def test_stricter_terms_never_allow_more(name, quarter, one, other):
    chip = later(name, CHIPS[name].spec.bf16_tflops, CHIPS[name].spec.interconnect_gbs)
    strict, mild = sorted((one, other))
    if may_ship(chip, ExportTerms(strict), HERE, quarter, 0, rules=True):
        assert may_ship(chip, ExportTerms(mild), HERE, quarter, 0, rules=True)


def test_a_chip_made_for_a_market_can_be_ordered_before_it_is_there():
    h20 = CHIPS["H20"]
    assert math.isfinite(h20.window_from)
    before = int(h20.window_from) - 2
    assert not may_ship(h20, FREE, HERE, before, 0, rules=True)
    assert may_ship(h20, FREE, HERE, before, 2, rules=True)


def terms_for(market: Market, buyer: str) -> ExportTerms:
    terms: ExportTerms = market.graph.terms("NVIDIA", buyer, "chips")["export"]
    return terms


def after(state: State, quarter: str) -> None:
    """Put all rules of the facts up to a quarter into force."""
    for t in range(calendar.index(quarter) + 1):
        state.decree(t)


def test_a_later_rule_of_the_facts_does_not_lift_what_a_scenario_has_imposed(small):
    market = small()
    state = market.states["United States"]
    after(state, "2022Q4")
    of_2022 = terms_for(market, "Alibaba")
    assert of_2022 != FREE
    ban = ExportTerms(banned=True)
    state.restrict(ban)
    after(state, "2024Q4")
    assert terms_for(market, "Alibaba") == ban
    assert terms_for(market, "AWS") == FREE
    state.restrict(FREE)
    assert terms_for(market, "Alibaba") == FREE
    state.lift()
    assert terms_for(market, "Alibaba") not in (FREE, ban, of_2022)  # that of 2024, which came meanwhile


def test_a_region_without_rules_of_the_facts_is_free_again_once_a_scenario_lifts_its_own(small):
    market = small()
    state = market.states["United States"]
    state.restrict(ExportTerms(banned=True), "North America")
    after(state, "2024Q4")
    assert terms_for(market, "AWS").banned and not terms_for(market, "Alibaba").banned
    state.lift("North America")
    assert terms_for(market, "AWS") == FREE


def test_without_export_rules_those_of_the_facts_never_come_into_force(small):
    market = small(export_rules=0)
    after(market.states["United States"], "2024Q4")
    assert terms_for(market, "Alibaba") == FREE


@pytest.mark.parametrize("on_order", [False, True])
@pytest.mark.parametrize("rules", [0, 1])
@pytest.mark.parametrize("terms", [FREE, LIFTED, BANNED, ExportTerms(300.0, 500.0)])
def test_what_owners_may_buy_is_what_each_edge_permits(small, on_order, rules, terms):
    market = small(last="2024Q4", export_rules=rules)
    market.run()
    market.states["United States"].restrict(terms)
    found = policy.may_buy(market, on_order)
    ahead = 0 if on_order else int(market.parameters.lead_time_quarters)
    for owner, bought in zip(market.clouds.values(), found, strict=True):
        for chip, allowed in zip(market.catalogue.chips, bought, strict=True):
            maker = chip.spec.maker
            here = owner.region == policy.RESTRICTED
            expected = (
                market.graph.permitted(maker, owner.name, "chips")
                and chip.captive_owner in ("", owner.name)
                and (on_order or market.t < chip.until)
                and may_ship(
                    chip,
                    market.graph.terms(maker, owner.name, "chips")["export"],
                    here,
                    market.t,
                    ahead,
                    bool(rules),
                )
            )
            assert allowed == expected, (owner.name, chip.name)
