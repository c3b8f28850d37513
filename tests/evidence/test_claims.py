"""Every claim holds in a run made by hand where it should, and fails in one where it should not."""

from __future__ import annotations

import math
import re

import pytest

from evidence.claims import ARTICLES, KINDS, Claim, by_id, claims, expected_unit, tolerances, unjudged
from evidence.effects import WORLDS
from evidence.facts import rows as facts
from evidence.metrics import METRICS, evaluate, needed_worlds
from evidence.period import Quarters, period
from evidence.record import Column
from model.records import Tables
from model.records import tables as schema_tables
from tests.evidence import cases_chips, cases_clouds, cases_contest, cases_models, cases_prices
from tests.evidence.handmade import Case, Cases, frames

CASES: Cases = {
    **cases_prices.CASES,
    **cases_chips.CASES,
    **cases_clouds.CASES,
    **cases_contest.CASES,
    **cases_models.CASES,
}
ALL = pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)


def value(claim: Claim, case: Case) -> float:
    others = {world: frames(other) for world, other in case.others.items()}
    return evaluate(frames(case.world), others, [claim])[claim.id]


@ALL
def test_a_claim_holds_in_a_run_made_to_bear_it_out(claim: Claim) -> None:
    case = CASES[claim.id][0]
    assert value(claim, case) == pytest.approx(case.value)
    assert claim.holds(case.value)
    assert claim.holds(value(claim, case))


@ALL
def test_a_claim_fails_in_a_run_made_to_refute_it(claim: Claim) -> None:
    case = CASES[claim.id][1]
    assert value(claim, case) == pytest.approx(case.value)
    assert not claim.holds(case.value)
    assert not claim.holds(value(claim, case))


@ALL
def test_a_claim_that_no_recorded_metric_can_judge_fails(claim: Claim) -> None:
    metric = METRICS[claim.metric]
    assert metric.accepts(claim.subject)
    assert metric.change == ("->" in claim.period)
    assert expected_unit(claim, metric.unit) == claim.unit
    nothing = evaluate(frames({}), {world: frames({}) for world in claim.worlds}, [claim])[claim.id]
    # With nothing on record a claim is undefined; a count of events or a sum is then zero.
    assert not claim.holds(nothing)


def test_hand_made_runs_are_for_claims_of_the_registry() -> None:
    assert set(CASES) == set(by_id())


def test_the_registry_holds_at_least_forty_sentences_of_both_articles() -> None:
    groups = {(claim.article, claim.claim_group) for claim in claims()}
    assert len(groups) >= 40
    assert {article for article, _ in groups} == set(ARTICLES)
    assert {claim.kind for claim in claims()} == set(KINDS)


def test_metrics_read_the_tables_they_declare_and_columns_of_the_schema(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schema = {table: {column.column for column in columns} for table, columns in schema_tables().items()}
    read: set[tuple[str, str]] = set()
    column = Tables.column

    def spy(run: Tables, table: str, name: str, quarters: Quarters | None = None) -> Column:
        read.add((table, name))
        return column(run, table, name, quarters)

    monkeypatch.setattr(Tables, "column", spy)
    for claim in claims():
        for case in CASES[claim.id]:
            read.clear()
            value(claim, case)
            used = {table for table, _ in read}
            assert used <= set(METRICS[claim.metric].tables), claim.id
            assert used, claim.id
            assert all(name in schema[table] for table, name in read), claim.id


def test_an_observation_is_dated_to_the_past_of_its_article() -> None:
    last = {"quiet-revolution": "2024Q4", "infrastructure": "2026Q2"}
    for claim in claims():
        if claim.kind == "observation":
            assert max(period(claim.period).needed) <= last[claim.article], claim.id


def test_a_mechanism_is_tested_against_a_world_without_its_cause_or_by_its_own_parts() -> None:
    by_parts = {"alibaba-growth-cause", "liquid-cause"}
    for claim in claims():
        if claim.kind == "mechanism" and claim.claim_group not in by_parts:
            assert claim.worlds, claim.id
    # Two causes stand in no claim: `undercut study causes` asks about them all the same.
    assert set(needed_worlds()) == set(WORLDS) - {"cloud_ownership", "algorithmic_progress"}


def test_a_band_follows_from_its_tolerance_rule() -> None:
    rules = tolerances()
    assert rules["points-5"].band("0.31") == pytest.approx((0.26, 0.36))
    assert rules["level"].band("100") == pytest.approx((80.0, 125.0))
    assert rules["band"].band("0.05..0.07") == (0.05, 0.07)
    assert rules["below"].band("0.5") == (-math.inf, 0.5)
    assert {claim.tolerance.rule for claim in claims()} == set(rules)


def test_a_share_of_exactly_one_half_is_not_below_one_half() -> None:
    claim = by_id()["p1-nvidia-2027"]
    assert not claim.holds(0.5)
    assert claim.holds(0.4999)
    assert not claim.holds(math.nan)


def test_a_rise_by_rounding_is_no_rise() -> None:
    claim = by_id()["ethernet-2027"]
    assert not claim.holds(0.0)
    assert not claim.holds(2.2e-16)
    assert claim.holds(1e-4)


def test_what_cannot_be_judged_is_listed_with_its_reason() -> None:
    for row in unjudged():
        assert row["article"] in ARTICLES
        assert row["assertion"]
        assert row["reason"]
    assert any("latency" in row["assertion"] for row in unjudged())


def test_a_claim_says_where_it_was_made_in_words_of_the_article() -> None:
    for claim in claims():
        assert claim.quotation, claim.id
        assert claim.source.startswith(ARTICLES[claim.article]), claim.id
        assert re.fullmatch(r"[a-z0-9-]+", claim.id)


def test_implied_tokens_are_noted_as_inconsistent_with_measured_tokens() -> None:
    for year in (2024, 2025, 2026):
        assert "inconsistent" in by_id()[f"implied-tokens-{year}"].notes


def test_the_level_of_the_second_quarter_of_2023_is_no_claim() -> None:
    levels = [c for c in claims() if c.metric == "inference_chip_share" and c.period.startswith("2023")]
    assert levels == []
    assert any("initial condition" in row["reason"] for row in unjudged())


def test_figures_of_claims_come_from_the_tables_of_the_articles() -> None:
    registry = by_id()
    for row in facts("articles/market"):
        year = row["year"]
        assert float(registry[f"market-{year}"].claimed) == pytest.approx(
            1e9 * float(row["china_llm_market_usd_bn"])
        )
        assert float(registry[f"deepseek-share-{year}"].claimed) == pytest.approx(
            float(row["deepseek_share_percent"]) / 100
        )
        assert float(registry[f"average-cost-{year}"].claimed) == float(row["average_cost_usd_per_mtok"])
        assert float(registry[f"applications-{year}"].claimed) == float(row["deployed_applications"])
    for row in facts("articles/benchmarks"):
        key = row["model"].lower().replace(" ", "-")
        assert float(registry[f"table-mmlu-{key}"].claimed) == float(row["mmlu_percent"])
        assert float(registry[f"table-price-{key}"].claimed) == float(row["cost_usd_per_mtok"])
    for row in facts("articles/hosting"):
        cloud = row["provider"].split()[0].lower()
        assert row["deepseek_v2_usd_per_mtok"].startswith(registry[f"hosting-{cloud}"].claimed)


DESIGN = {
    "DeepSeek-V2 against GPT-4 Turbo": "v2-against-gpt4-turbo v2-price-input v2-price-output",
    "three-year TCO of self-hosting": "self-hosting",
    "Western premium over Chinese open models": "western-premium",
    "GPT-4 Turbo price, by Q3 2024": "gpt4-turbo-cut gpt4-cut-cause",
    "HBM per replica": "memory-dense memory-sparse",
    "inference-optimised share": "inference-chips-rise inference-chips-level inference-chips-cause",
    "liquid cooling": "liquid-2024 liquid-2025 liquid-rise liquid-cause",
    "where open models run": "venue-cloud venue-colocation venue-premises",
    "AI revenue growth": "alibaba-growth huawei-growth",
    "Alibaba Cloud hosting price against AWS": "alibaba-discount",
    "Chinese cloud AI revenue": "workload-open workload-proprietary workload-training workload-other",
    "average inference price, January to September 2024": "fall-asia fall-america",
    "price advantage and benchmark performance": "price-advantage benchmark-parity",
    "P1: NVIDIA's share": "p1-nvidia-2023 p1-nvidia-2027 p1-cause p1-domestic-learning p1-domestic-capacity",
    "P1: inference on domestic and mid-range": "p1-inference",
    "P2: Asia-Pacific": "p2-asia",
    "P2: Western clouds' choice": "p2-choice p2-match-price p2-match-margin p2-differentiate",
    "P3: global price": "p3-price p3-converge-regions p3-converge-origins p3-cause",
    "P3: adoption": "p3-adoption-sme p3-adoption-education p3-adoption-government p3-adoption-price",
    "value moves": "isv-squeeze integrators up-the-stack ethernet",
    "benchmark and price table": "table-price-deepseek-v2 table-price-gpt-4 table-price-llama-3-70b "
    "table-price-qwen2-72b table-mmlu-deepseek-v2 table-mmlu-gpt-4 table-mmlu-llama-3-70b "
    "table-mmlu-qwen2-72b",
    "hosting on three clouds": "hosting-huawei hosting-alibaba hosting-tencent",
    "within six months": "below-ten-cents",
    "China LLM market": "market-2024 market-2025 market-2026",
    "DeepSeek's share": "deepseek-share-2024 deepseek-share-2025 deepseek-share-2026",
    "average cost": "average-cost-2024 average-cost-2025 average-cost-2026",
    "deployed applications": "applications-2024 applications-2025 applications-2026 applications-growth",
    "most deployed by Q3 2025": "a2-most-deployed",
    "a DeepSeek Foundation": "a2-foundation",
    "contest shifts to customisation": "a2-customisation",
    "ERNIE and Doubao lose share": "a2-ernie-loses a2-doubao-loses a2-ernie-niche a2-doubao-niche",
    "the consortium is copied": "a2-copy-asia a2-copy-europe",
    "zero margins starve the maker": "zero-margins starved-research",
    "export rules reach the model; capture": "model-export-rules capture",
    "implied tokens": "implied-tokens-2024 implied-tokens-2025 implied-tokens-2026",
}


@pytest.mark.parametrize("row", DESIGN)
def test_every_row_of_the_design_s_tables_is_a_claim(row: str) -> None:
    groups = {claim.claim_group for claim in claims()}
    assert set(DESIGN[row].split()) <= groups
