"""Every cell of the articles' tables stands beside what the run says, in one unit, with what contradicts it."""

import pytest

from evidence.claims import by_id
from evidence.facts import rows as facts
from evidence.figures import article
from evidence.metrics import evaluate
from model.parameters import Parameters
from tests.evidence.handmade import frames, offer

DEFAULTS = Parameters.resolve()
CELLS = [cell for make in article.CELLS.values() for cell in make()]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.row}: {cell.quantity}")
def test_a_cell_is_judged_or_says_why_not(cell):
    assert bool(cell.claim) != bool(cell.reason)
    assert cell.claimed
    assert cell.judged is None or cell.judged.claimed


def test_every_figure_of_the_articles_tables_is_shown():
    shown = {(cell.row, cell.claimed) for cell in CELLS}
    for row in facts("articles/benchmarks"):
        for column in ("mmlu_percent", "cost_usd_per_mtok", "humaneval_pass_at_1_percent", "training_cost"):
            assert (row["model"], row[column]) in shown
    for row in facts("articles/hosting"):
        assert (row["provider"], row["deepseek_v2_usd_per_mtok"]) in shown
    for row in facts("articles/market"):
        assert (row["year"], row["deployed_applications"]) in shown
        assert (row["year"], f"{row['china_llm_market_usd_bn']} bn") in shown


def test_the_claimed_number_is_in_the_unit_of_the_models():
    market = next(cell for cell in CELLS if cell.claim == "market-2024")
    assert market.claimed == "2.1 bn"
    assert market.value == 2.1e9
    share = next(cell for cell in CELLS if cell.claim == "deepseek-share-2025")
    assert (share.claimed, share.value) == ("18 %", 0.18)


def test_contradictions_are_noted_beside_the_figure():
    notes = {cell.claim: article.note_of(cell.judged) for cell in CELLS if cell.judged}
    assert "8 times" in notes["applications-growth"]
    assert "236 billion" in notes["memory-sparse"]
    assert "inconsistent" in notes["implied-tokens-2024"]


def test_what_is_given_to_the_model_is_not_sold_as_its_result():
    assert "input" in article.note_of(by_id()["table-mmlu-gpt-4"])


def test_a_price_of_the_run_stands_beside_the_claimed_one():
    world = {"offers": offer("2024", 0.2, model="deepseek-v2", vendor="DeepSeek", active_params_b=21.0)}
    found = article.beside(DEFAULTS, frames(world)).set_index(["row", "quantity"])["model"]
    assert found["DeepSeek-V2", "price, blended"] == pytest.approx(0.2)
    assert found["DeepSeek-V2", "active parameters"] == pytest.approx(21.0)
    assert found.isna()["GPT-4", "price, blended"]


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("market-growth", "3.81"),
        ("memory-sparse", "80 to 100"),
        ("average-cost-fall", "84 %"),
        ("liquid-cause", "> 50 %"),
    ],
)
def test_figures_are_printed_as_people_write_them(claim, text):
    assert article.printed(by_id()[claim]) == text


def test_in_a_run_every_judged_cell_has_the_value_of_its_claim(small_run):
    p, tables = small_run
    found = article.beside(p, tables)
    values = evaluate(tables, asked=[cell.judged for cell in CELLS if cell.judged])
    for _, row in found[found["claim"] != ""].iterrows():
        assert row["model"] == pytest.approx(values[row["claim"]], nan_ok=True)
    assert set(found["table"]) == set(article.TITLES)
