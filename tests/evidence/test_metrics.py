"""Metrics tell apart what the articles run together: averages, readings, causes, and what is undefined."""

import math

import pytest

from evidence.claims import by_id
from evidence.effects import effect_of, unit_of
from evidence.facts import EvidenceError, recorded
from evidence.metrics import evaluate, evaluate_metric
from evidence.record import Record
from tests.evidence.cases_chips import fall
from tests.evidence.cases_prices import TURBO, offers
from tests.evidence.handmade import Lines, World, frames, offer, rows


def measured(world: World, name: str, when: str, subject: str = "") -> float:
    return evaluate_metric(Record(frames(world)), name, when, subject)


def test_buyers_who_move_to_a_cheaper_model_lower_the_unit_value_and_not_the_indices() -> None:
    def market(when: str, dear: float, cheap: float) -> Lines:
        place = {"region": "China"}
        return offer(when, 10.0, dear, model="dear", **place) + offer(
            when, 1.0, cheap, model="cheap", **place
        )

    world = offers(market("..2024Q4", 9.0, 1.0), market("2025Q1..", 1.0, 9.0))
    change = "2024 -> by 2027"
    assert measured(world, "price_fall", change, "unit value, China") == pytest.approx(1.0 - 1.9 / 9.1)
    assert measured(world, "price_fall", change, "Fisher, China") == pytest.approx(0.0)
    assert measured(world, "price_fall", change, "fixed basket, China") == pytest.approx(0.0)


def test_the_fixed_basket_keeps_the_buyers_of_2024() -> None:
    def market(when: str, prices: tuple[float, float], tokens: tuple[float, float]) -> Lines:
        first, second = (
            offer(when, p, t, model=m, region="China")
            for m, p, t in zip(("a", "b"), prices, tokens, strict=True)
        )
        return first + second

    world = offers(market("..2024Q4", (10.0, 10.0), (3.0, 1.0)), market("2025Q1..", (10.0, 2.0), (1.0, 3.0)))
    # Laspeyres: (3 x 10 + 1 x 2) / 40; Paasche: (1 x 10 + 3 x 2) / 40.
    assert measured(world, "price_fall", "2024 -> by 2027", "fixed basket, China") == pytest.approx(0.2)
    fisher = 1.0 - math.sqrt(0.8 * 0.4)
    assert measured(world, "price_fall", "2024 -> by 2027", "Fisher, China") == pytest.approx(fisher)


def test_the_same_product_and_the_same_tier_tell_different_stories() -> None:
    new = offer("2024Q2..", 2.5, **{**TURBO, "model": "gpt-4o", "generation": 6})
    world = offers(offer("..", 10.0, **TURBO), new)
    change = "2024Q1 -> by 2024Q3"
    assert measured(world, "list_price_fall", change, "GPT-4 Turbo") == 0.0
    assert measured(world, "list_price_fall", change, "OpenAI flagship") == 0.75
    assert measured(world, "list_price_fall", change, "OpenAI flagship unit value") == pytest.approx(0.375)


def test_a_product_that_left_the_market_has_no_price() -> None:
    world = offers(offer("2024Q1", 10.0, **TURBO))
    assert math.isnan(measured(world, "list_price_fall", "2024Q1 -> by 2024Q3", "GPT-4 Turbo"))


def test_a_list_price_is_the_vendor_s_own_where_it_sells() -> None:
    resold = offer("2024Q2", 20.0, tokens=99.0, **{**TURBO, "channel": "managed", "seller": "Azure"})
    world = offers(offer("2024Q2", 10.0, **TURBO), resold)
    assert measured(world, "list_price_blended", "2024Q2", "GPT-4 Turbo") == 10.0


def test_a_part_of_nothing_is_undefined() -> None:
    assert math.isnan(effect_of("part", 0.0, (0.0,)))
    assert math.isnan(effect_of("part", -0.5, (0.2,)))
    assert math.isnan(effect_of("part", math.nan, (0.2,)))
    assert effect_of("part", 0.4, (0.1,)) == pytest.approx(0.75)
    assert unit_of("part", "USD") == "share of outcome"


def test_an_effect_compares_as_many_worlds_as_it_names() -> None:
    assert effect_of("less", 3.0, (1.0,)) == 2.0
    assert effect_of("more", 3.0, (1.0,)) == -2.0
    assert effect_of("against", 3.0, (1.0, 2.0)) == 1.0
    with pytest.raises(ValueError, match="compares 2 other worlds"):
        effect_of("against", 3.0, (1.0,))


def test_a_claim_is_left_out_where_its_counterfactual_was_not_run() -> None:
    claim = by_id()["p1-cause"]
    run = frames(fall(40.0, "units_ordered"))
    assert evaluate(run, {}, [claim]) == {}
    assert set(evaluate(run, {"sparse_architectures": run}, [claim])) == {claim.id}


def test_a_cause_that_changes_nothing_takes_no_part() -> None:
    claim = by_id()["p1-cause"]
    run = frames(fall(40.0, "units_ordered"))
    assert evaluate(run, {"sparse_architectures": run}, [claim])[claim.id] == 0.0


def test_a_share_of_no_purchases_is_undefined() -> None:
    assert math.isnan(measured({}, "nvidia_share", "2027", "units, all"))
    assert math.isnan(measured({}, "unit_value", "2027", "China"))
    assert math.isnan(measured({}, "regional_dispersion", "2024 -> by 2027", "unit value"))


def test_the_four_readings_of_nvidia_s_share_differ_on_one_market() -> None:
    def bought(maker: str, grade: str, units: float, value: float, ordered: float) -> Lines:
        money = {"units_delivered": units, "value_usd": value, "units_ordered": ordered, "class": grade}
        return rows("2027", maker=maker, buyer_region="China", **money)

    chips = bought("NVIDIA", "ai", 10.0, 90.0, 30.0)
    chips += bought("Cambricon", "ai", 10.0, 10.0, 10.0)
    chips += bought("Cambricon", "mid-range", 20.0, 50.0, 10.0)
    readings = {
        "units, all": 0.25, "value, all": 0.6, "units, AI": 0.5, "value, AI": 0.9,
        "ordered units, all": 0.6, "ordered units, AI": 0.75,
    }  # fmt: skip
    for reading, expected in readings.items():
        assert measured({"chips": chips}, "nvidia_share", "2027", reading) == pytest.approx(expected)


def test_a_lessor_s_hall_is_no_cloud() -> None:
    firms = [
        *rows("2025", firm="Alibaba", kind="cloud", origin="CN", revenue_compute_usd=30.0),
        *rows("2025", firm="Baidu", kind="cloud", origin="CN", revenue_compute_usd=10.0),
        *rows("2025", firm="Colocation China", kind="cloud", origin="CN", revenue_compute_usd=999.0),
    ]
    assert measured({"firms": firms}, "lead_among_chinese_clouds", "2025", "Alibaba") == pytest.approx(3.0)


def test_names_of_the_articles_are_names_of_firms_and_launches() -> None:
    from evidence.facts import rows as facts

    launches = {row["model"] for row in facts("launches")}
    firms = {row["firm"] for row in facts("firms")}
    sectors = {row["sector"] for row in facts("segments")}
    for row in facts("names"):
        names = recorded(row["kind"], row["word"])
        known = {"model": launches, "sector": sectors}.get(row["kind"], firms)
        if row["kind"] == "institution" and row["word"] != "DeepSeek":
            known = {"Asia-Pacific", "Europe and rest"}
        assert set(names) <= known, row


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EvidenceError, match="DeepSeek"):
        recorded("vendor", "Nobody")
