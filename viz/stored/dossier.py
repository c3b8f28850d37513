"""Everything there is on a claim, and on what the claims rest, as plain data for the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from evidence.claims import ARTICLES, Claim, by_id, claims, unjudged
from evidence.facts import rows
from evidence.judge import Verdict, standing
from evidence.metrics import METRICS
from model.quotation import quoted
from scenarios.fault import nearest
from scenarios.folder import StoreError
from viz.number import number
from viz.stored import table
from viz.stored.sheet import Column, Plain, cell, row, sheet

EVIDENCE: Mapping[str, str] = {
    "observations": "What was observed to the end of 2024, with sources: what the calibration is judged by",
    "prices": "List prices of tokens, with the date and the source of each",
    "chips": "Accelerators: rates, memory, power, prices",
    "export_rules": "Export rules on accelerators",
    "launches": "Models that are given, with size, capability and date",
    "firms": "Firms at the start",
    "fleets": "Accelerators at the start, by cloud",
    "capacity": "What foundries and packaging could deliver, by maker and quarter",
    "captive": "Work that clouds do for themselves",
    "segments": "Enterprises by region, sector and size",
    "access": "What enterprises pay for access to a model",
    "partners": "Who hosts whose models",
    "stakes": "Who owns whom",
    "benchmark_link": "Benchmarks on one scale",
    "targets": "Observations beside the metric that measures them",
    "names": "What the articles' names are called in the records",
    "constants": "Constants of definitions",
    "tolerances": "How a figure of an article becomes a band",
    "likelihood": "The IPCC's words for probabilities",
}
"""The tables of evidence/ that a reader can search, and what is in them."""


def claim(name: str) -> Claim:
    """A claim by its id. Raises StoreError for an id that no claim has."""
    known = by_id()
    if name not in known:
        hint = nearest(name, known) or "search the list for it"
        raise StoreError(f"there is no claim called {quoted(name)}; {hint}")
    return known[name]


def about(of: Claim, verdicts: Mapping[str, Verdict]) -> Plain:
    """A claim with its definition, source, contradictions, other readings and verdict."""
    metric = METRICS[of.metric]
    verdict = verdicts.get(of.id)
    return {
        "id": of.id,
        "statement": of.statement,
        "reading": of.reading,
        "headline": of.headline,
        "quotation": of.quotation,
        "facts": [[name, text] for name, text in _facts(of) if text],
        "definition": metric.description,
        "tables": ", ".join(metric.tables),
        "contradictions": of.notes,
        "assumption": of.driven_by_assumption,
        "source": of.source,
        "readings": [_reading(other, verdicts) for other in claims() if other.claim_group == of.claim_group],
        "verdict": _verdict(verdict) if verdict else None,
    }


def _facts(of: Claim) -> Sequence[tuple[str, str]]:
    unit = table.unit(of.unit)
    causes = " and ".join(of.worlds).replace("_", " ")
    return (
        ("Article", f"{ARTICLES[of.article]}, section {of.section}"),
        ("Kind", of.kind),
        ("Claimed", f"{of.claimed} {unit}".strip()),
        ("Holds where", f"{of.figure} {unit}".strip()),
        ("Tolerance", f"{of.tolerance.rule}: {of.tolerance.description}"),
        ("Period", of.period),
        ("Metric", of.metric + (f" of {of.subject}" if of.subject else "")),
        ("Compared with", f"{of.effect}, the same seed with {causes} changed" if of.effect else ""),
    )


def _reading(of: Claim, verdicts: Mapping[str, Verdict]) -> Plain:
    verdict = verdicts.get(of.id)
    return {
        "id": of.id,
        "text": of.reading or "as it stands",
        "headline": of.headline,
        "word": verdict.word if verdict else "",
        "kind": standing(verdict) if verdict else "",
    }


def _verdict(verdict: Verdict) -> Plain:
    kind = standing(verdict)
    chance = table.chance(verdict.probability, verdict.probability_low, verdict.probability_high)
    middle = table.middle(verdict)
    return {
        "kind": kind,
        "word": table.word(verdict)["text"],
        "facts": [
            [
                "Probability",
                _of(chance),
                f"the share of {verdict.seeds} seeds in which it holds, with Wilson's interval",
            ],
            [
                "Median",
                _of(middle),
                f"{table.unit(verdict.unit)}; 5 to 95 % of seeds in brackets".lstrip("; "),
            ],
            [
                "Band",
                f"{number(verdict.claimed_low) or 'open'} to {number(verdict.claimed_high) or 'open'}",
                "in which the claim holds",
            ],
        ],
        "note": verdict.note if verdict.probability is None or verdict.undefined else "",
    }


def _end(bound: float | None) -> str:
    return "open" if bound is None else number(bound)


def _of(found: Plain) -> str:
    small = f" ({found['small'][0]})" if found["small"] else ""
    return f"{found['text']}{small}"


def claim_list(verdicts: Mapping[str, Verdict]) -> Plain:
    """The table of all claims, with their verdicts where there are any."""
    columns = [Column("Claim"), Column("The article"), Column("Verdict")]
    listed = []
    for each in claims():
        verdict = verdicts.get(each.id)
        said = cell("–")
        if verdict is not None:
            probability = "" if verdict.probability is None else f"probability {verdict.probability:.2f}"
            said = table.word(verdict) | {"small": [probability] if probability else []}
        words = " ".join(
            [each.section, each.quotation, each.metric, each.subject, each.notes, each.source, each.kind]
        )
        keys = table.about(each) | {"standing": standing(verdict) if verdict else ""}
        listed.append(row(each.id, [table.statement(each), table.claimed(each), said], words, **keys))
    filters = [table.READINGS, table.ARTICLE, table.KIND]
    if verdicts:
        filters.append(table.STANDING)
    return sheet(columns, listed, filters)


@cache
def beyond() -> Plain:
    """What the model cannot judge, and why."""
    listed = []
    for place, each in enumerate(unjudged()):
        where = cell(ARTICLES[each["article"]], each["section"])
        listed.append(row(f"{place}", [each["assertion"], where, each["reason"]], article=each["article"]))
    columns = [Column("What the article asserts"), Column("Where"), Column("Why the model cannot judge it")]
    return sheet(columns, listed, [table.ARTICLE])


@cache
def evidence() -> list[dict[str, Any]]:
    """The tables of evidence, each with its columns and rows as text."""
    found = []
    for name, text in EVIDENCE.items():
        content = rows(name)
        columns = list(content[0]) if content else []
        found.append(
            {
                "name": name,
                "about": text,
                "columns": columns,
                "rows": [list(each.values()) for each in content],
            }
        )
    return found
