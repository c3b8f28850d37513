"""What `undercut show` shows: parameters, claims, metrics, scenarios and the schema, as rows to filter."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from model.quotation import quoted
from undercut.text import Field, print_record, print_table

Row = dict[str, Any]


class Shown(StrEnum):
    """What there is to show."""

    PARAMETERS = "parameters"
    CLAIMS = "claims"
    METRICS = "metrics"
    SCENARIOS = "scenarios"
    SCHEMA = "schema"


class NothingFound(ValueError):
    """No row matches what was asked for."""


def parameters() -> list[Row]:
    """Every parameter with its range, unit and source."""
    from model.parameters import table

    return [dataclasses.asdict(parameter) for parameter in table().values()]


def claims() -> list[Row]:
    """Every claim of the two articles with the metric and the band that judge it."""
    from evidence.claims import claims as registry

    return [{**claim.row(), "figure": claim.figure} for claim in registry()]


def metrics() -> list[Row]:
    """Every metric with its definition, unit and the tables that it reads."""
    from evidence.metrics import METRICS

    return [metric.row() for metric in METRICS.values()]


def scenarios() -> list[Row]:
    """The scenarios of the library with the question that each asks."""
    from scenarios.scenario import library

    return [
        {**scenario.model_dump(), "shocks": [shock["kind"] for shock in scenario.shocks]}
        for scenario in library()
    ]


def schema() -> list[Row]:
    """Every column of the recorded tables with its unit."""
    from model.records import schema as columns

    return [{"name": f"{column.table}.{column.column}", **column._asdict()} for column in columns()]


ROWS: dict[Shown, Callable[[], list[Row]]] = {
    Shown.PARAMETERS: parameters,
    Shown.CLAIMS: claims,
    Shown.METRICS: metrics,
    Shown.SCENARIOS: scenarios,
    Shown.SCHEMA: schema,
}
UNSEARCHED = ("source", "quotation")
KEYS = {Shown.CLAIMS: "id"}
FIELDS: dict[Shown, Sequence[Field]] = {
    Shown.PARAMETERS: (
        Field("name", "parameter", 5),
        Field("default", "default", number=True),
        Field("unit", "unit"),
        Field("low", "low", number=True, wide=True),
        Field("high", "high", number=True, wide=True),
        Field("description", "what it is", 5),
        Field("source", "source", 3, wide=True, brief=True),
    ),
    Shown.CLAIMS: (
        Field("id", "claim", 3),
        Field("kind", "kind"),
        Field("statement", "statement", 5),
        Field("figure", "holds if", 2),
        Field("unit", "unit", wide=True),
        Field("period", "period", wide=True),
    ),
    Shown.METRICS: (
        Field("name", "metric", 2),
        Field("unit", "unit"),
        Field("description", "definition", 5),
        Field("tables", "tables", 1, wide=True),
    ),
    Shown.SCENARIOS: (
        Field("name", "scenario"),
        Field("title", "title", 2),
        Field("notes", "what it asks", 5),
    ),
    Shown.SCHEMA: (
        Field("name", "column", 3),
        Field("dtype", "type"),
        Field("unit", "unit"),
        Field("description", "description", 5),
    ),
}


def select(what: Shown, wanted: str = "", source: str = "") -> list[Row]:
    """The rows that mention every word of ``wanted``, and whose source mentions ``source``.

    A row that is named exactly ``wanted`` stands alone. Sources and quotations are searched by ``source``
    alone, because half of them would mention any firm.
    """
    rows = ROWS[what]()
    key = KEYS.get(what, "name")
    exact = [row for row in rows if row[key] == wanted]
    if exact and not source:
        return exact
    words = wanted.lower().split()
    found = [row for row in rows if all(word in _text(row) for word in words)]
    return [row for row in found if source.lower() in str(row.get("source", "")).lower()]


def kind_of(text: str) -> Shown:
    """What a word asks to be shown. Raises NothingFound, with the nearest word, when it is none of them."""
    try:
        return Shown(text)
    except ValueError:
        close = difflib.get_close_matches(text, list(Shown), n=1)
        hint = f"did you mean {close[0]}?" if close else f"write one of {', '.join(Shown)}"
        raise NothingFound(f"there is no {quoted(text)} to show; {hint}") from None


def present(what: Shown, rows: list[Row], wanted: str = "") -> str:
    """Print rows as a table, or one alone with all that is known of it; returns what was left out, if any.

    Raises NothingFound, with the nearest names, when there are none.
    """
    key = KEYS.get(what, "name")
    if not rows:
        known = [str(row[key]) for row in ROWS[what]()]
        close = difflib.get_close_matches(wanted, known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"`undercut show {what}` lists them all"
        raise NothingFound(f"none of the {what} matches {quoted(wanted)}; {hint}")
    if len(rows) == 1:
        print_record(rows[0])
        return ""
    left_out = ""
    if what is Shown.PARAMETERS and not wanted:
        cells = [row for row in rows if "." in row["name"]]
        rows = [row for row in rows if "." not in row["name"]]
        tables = sorted({row["name"].partition(".")[0] for row in cells})
        left_out = (
            f"and {len(cells):,} cells of the tables {', '.join(tables)}: `undercut show parameters chips`"
        )
    if what is Shown.SCENARIOS:
        rows = [{**row, "notes": " ".join(str(row["notes"]).split())} for row in rows]
    print_table(rows, FIELDS[what])
    return left_out


def _text(row: Row) -> str:
    return " ".join(str(value) for key, value in row.items() if key not in UNSEARCHED).lower()
