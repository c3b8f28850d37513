"""The tables of the two articles with a run's figures beside the claimed ones, cell by cell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evidence.claims import RANGE, Claim, by_id
from evidence.facts import rows as facts
from evidence.metrics import evaluate
from evidence.products import product
from evidence.record import Record

if TYPE_CHECKING:
    from pandas import DataFrame

    from evidence.figures.spread import Tables
    from model.parameters import Parameters

TITLES = {
    "benchmarks": "Second article: DeepSeek against competitors",
    "offers": "Second article: cloud AI offerings",
    "growth": "Second article: market growth projections",
    "hardware": "First article: dense against sparse models",
}
"""The tables that can be asked for, by name."""

SLUGS = {
    "DeepSeek-V2": "deepseek-v2",
    "GPT-4": "gpt-4",
    "Llama 3 70B": "llama-3-70b",
    "Qwen2-72B": "qwen2-72b",
}
ACTIVE = "active parameters"
COLUMNS = ["table", "row", "quantity", "unit", "claimed", "claimed_value", "model", "claim", "note"]


@dataclass(frozen=True)
class Cell:
    """One figure of a table as the article prints it, and the claim that judges it.

    ``reason`` says why the model has no figure where no claim does; ``value`` is the claimed number in the
    unit of the model's, nan where the article gives a range or words.
    """

    table: str
    row: str
    quantity: str
    claimed: str
    claim: str = ""
    reason: str = ""

    @property
    def judged(self) -> Claim | None:
        """The claim, if one judges the cell."""
        return by_id()[self.claim] if self.claim else None

    @property
    def value(self) -> float:
        """The claimed number, in the claim's unit."""
        judged = self.judged
        try:
            return math.nan if judged is None else float(judged.claimed)
        except ValueError:
            return math.nan


def printed(claim: Claim) -> str:
    """A claim's figure as the article has it, shares in percent; one without a figure says what must hold."""
    one_sided = math.isinf(claim.claimed_low) or math.isinf(claim.claimed_high)
    words = (claim.figure if one_sided else claim.claimed.replace(RANGE, " to ")).split()
    if claim.unit == "share":
        words = [f"{100 * float(word):g}" if word[0].isdigit() else word for word in words] + ["%"]
    return " ".join(words)


def note_of(claim: Claim) -> str:
    """What the registry notes on a claim, and what is an input of the model rather than its result."""
    given = claim.driven_by_assumption
    return "; ".join(part for part in (claim.notes, given and f"an input: {given}") if part)


def claims_beside(tables: Tables, ids: Iterable[str]) -> DataFrame:
    """Single claims with the run's figure beside: ``quantity``, ``unit``, ``claimed``, ``model``, ``note``."""
    asked = [by_id()[name] for name in ids]
    values = evaluate(tables, asked=asked)
    rows = [(c.statement, c.unit, printed(c), values[c.id], note_of(c)) for c in asked]
    return pd.DataFrame(rows, columns=["quantity", "unit", "claimed", "model", "note"])


def _unjudged(words: str) -> str:
    return next(row["reason"] for row in facts("unjudged") if words in row["assertion"])


def benchmarks() -> tuple[Cell, ...]:
    """Parameters, scores, prices and training costs of four models."""
    cells = []
    for row in facts("articles/benchmarks"):
        name, slug = row["model"], SLUGS[row["model"]]
        table = "benchmarks"
        cells.append(Cell(table, name, "MMLU", row["mmlu_percent"], f"table-mmlu-{slug}"))
        cells.append(Cell(table, name, "price, blended", row["cost_usd_per_mtok"], f"table-price-{slug}"))
        reading = f"table-price-{slug}-input"
        if reading in by_id():
            cells.append(Cell(table, name, "price, input", row["cost_usd_per_mtok"], reading))
        score, dear = row["humaneval_pass_at_1_percent"], row["training_cost"]
        cells.append(Cell(table, name, "HumanEval", score, reason=_unjudged("HumanEval")))
        cells.append(Cell(table, name, "training cost", dear, reason=_unjudged("Training costs")))
        size = row["active_parameters"]
        cells.append(Cell(table, name, ACTIVE, size, reason="an input: evidence/launches.csv"))
    for claim, what in (("takeaway-mmlu", "MMLU over GPT-4's"), ("takeaway-price", "price over GPT-4's")):
        cells.append(Cell("benchmarks", "DeepSeek-V2", what, printed(by_id()[claim]), claim))
    return tuple(cells)


def offers() -> tuple[Cell, ...]:
    """What three clouds ask for DeepSeek-V2, and whether that is near cost."""
    cells = []
    for row in facts("articles/hosting"):
        cloud = row["provider"].removesuffix(" Cloud")
        shown, slug = row["deepseek_v2_usd_per_mtok"], cloud.lower()
        name = row["provider"]
        cells.append(Cell("offers", name, "DeepSeek-V2 in 2024", shown, f"hosting-{slug}"))
        cells.append(Cell("offers", name, "DeepSeek's flagship, 2026-04", shown, f"hosting-{slug}-2026"))
    cells.append(Cell("offers", "all three", "price over full cost, 2026Q1", "near cost", "near-cost"))
    cells.append(
        Cell("offers", "Huawei Cloud", "price over full cost, 2026Q1", "subsidized", "huawei-subsidised")
    )
    return tuple(cells)


def growth() -> tuple[Cell, ...]:
    """Size of China's market, DeepSeek's share, price and applications, by year and over two years."""
    cells = []
    for row in facts("articles/market"):
        year = row["year"]
        shown = {
            "China LLM market": (f"{row['china_llm_market_usd_bn']} bn", f"market-{year}"),
            "DeepSeek's share, revenue": (f"{row['deepseek_share_percent']} %", f"deepseek-share-{year}"),
            "DeepSeek's share, tokens": (
                f"{row['deepseek_share_percent']} %",
                f"deepseek-share-{year}-tokens",
            ),
            "average price": (row["average_cost_usd_per_mtok"], f"average-cost-{year}"),
            "applications": (row["deployed_applications"], f"applications-{year}"),
            "tokens implied by size over price": ("", f"implied-tokens-{year}"),
        }
        for quantity, (text, claim) in shown.items():
            cells.append(Cell("growth", year, quantity, text or printed(by_id()[claim]), claim))
    over = {
        "China LLM market": "market-growth",
        "DeepSeek's share, revenue": "deepseek-sixfold",
        "DeepSeek's share, tokens": "deepseek-sixfold-tokens",
        "fall of the average price": "average-cost-fall",
        "applications, as the text says": "applications-growth",
        "applications, as the table says": "applications-growth-table",
    }
    for quantity, claim in over.items():
        cells.append(Cell("growth", "2024 to 2026", quantity, printed(by_id()[claim]), claim))
    return tuple(cells)


def hardware() -> tuple[Cell, ...]:
    """Memory, compute and ideal chips of dense and of sparse models."""
    memory, compute, chips = facts("articles/hardware")
    dense, sparse = "proprietary_dense_gpt4_class", "open_moe_deepseek_v2_class"
    table = "hardware"
    return (
        Cell(table, "proprietary, GPT-4 class", "memory of a replica", memory[dense], "memory-dense"),
        Cell(table, "open, DeepSeek-V2 class", "memory of a replica", memory[sparse], "memory-sparse"),
        Cell(
            table,
            "open, DeepSeek-V2 class",
            "compute a token over GPT-4 class",
            compute[sparse],
            "compute-sparse",
        ),
        Cell(
            table,
            "open, DeepSeek-V2 class",
            "lead of listed inference chips",
            chips[sparse],
            "ideal-chips-listed",
        ),
        Cell(
            table,
            "open, DeepSeek-V2 class",
            "lead of chips with bandwidth per FLOP",
            chips[sparse],
            "ideal-chips-physical",
        ),
    )


CELLS = {"benchmarks": benchmarks, "offers": offers, "growth": growth, "hardware": hardware}


def _active_b(record: Record, name: str) -> float:
    """Active parameters of a model as the run has it on sale, billions."""
    return product(record, record.quarters, name).mean("active_params_b")


def beside(p: Parameters, tables: Tables) -> DataFrame:
    """Every cell of the articles' tables with the run's figure, nan where the model has none.

    Columns: ``table`` (a key of TITLES), ``row``, ``quantity``, ``unit``, ``claimed`` as printed, ``claimed_value``
    and ``model`` in that unit, ``claim`` (id of the registry), ``note``: what contradicts what, or why the model
    has no figure.
    """
    record = Record(tables)
    cells = [cell for make in CELLS.values() for cell in make()]
    values = evaluate(tables, asked=[cell.judged for cell in cells if cell.judged is not None])
    rows = []
    for cell in cells:
        judged = cell.judged
        unit, note = ("", cell.reason) if judged is None else (judged.unit, note_of(judged))
        model = values.get(cell.claim, math.nan)
        if cell.quantity == ACTIVE:
            unit, model = "billion", _active_b(record, cell.row)
        rows.append(
            (cell.table, cell.row, cell.quantity, unit, cell.claimed, cell.value, model, cell.claim, note)
        )
    return pd.DataFrame(rows, columns=COLUMNS)
