"""The articles' own figures and tables, from the runs of a world whose full tables are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from evidence.figures import article, rack, tco, workload
from evidence.figures.spread import Run, over_runs
from model.records import tables
from viz import figures
from viz.inline import drawing, inline, plain
from viz.number import number
from viz.page import Cell, Section, details, element, heading, paragraph, picture, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from scenarios.batch import Batch

REGION, YEAR = "China", "2024"
"""The region and the year of which the first article draws its racks."""


def kept(batch: Batch, label: str) -> tuple[int, ...]:
    """The seeds of a world whose full tables are kept."""
    return tuple(sorted(int(seed) for seed in batch.table("kept", label)["seed"].unique()))


def runs_of(batch: Batch, label: str) -> list[Run]:
    """Parameters and tables of the runs of a world whose full tables are kept."""
    parameters = batch.setting(label).parameters
    stored = {name: batch.table(name, label) for name in tables()}
    found: list[Run] = []
    for seed in kept(batch, label):
        rows = {name: frame[frame["seed"] == seed] for name, frame in stored.items()}
        own = {
            name: frame.drop(columns=["scenario", "world", "seed"]).reset_index(drop=True)
            for name, frame in rows.items()
        }
        found.append((parameters, own))
    return found


def section(batch: Batch, label: str) -> Section:
    """Cost of ownership, racks, workloads and the articles' tables, or how to get the runs that they need."""
    runs, title = runs_of(batch, label), "The articles' own figures"
    if not runs:
        return Section("articles", title, [no_tables(batch)])
    seeds = ", ".join(map(str, kept(batch, label)))
    content = [
        paragraph(
            f"From the runs of {label} whose full tables are kept (seed {seeds}): medians over these runs, with "
            "the 5 to 95 % interval where there are several."
        )
    ]
    for name, text, draw in FIGURES:
        content += _plate(name, text, draw, runs, label)
    content += _tables(runs)
    return Section("articles", title, content)


def no_tables(batch: Batch) -> Element:
    """What a reader is told where no run has its full tables."""
    return paragraph(
        "No run of this world has its full tables in the store, and this needs one. Run the batch again with ",
        element("code", "--keep sample:1"),
        f"; it has {batch.manifest['asked']['keep']!r}.",
    )


def _tco(runs: list[Run], title: str) -> Figure:
    from evidence.claims import claims

    asked = tco.Workload()
    band = next((c.claimed_low, c.claimed_high) for c in claims() if c.claim_group == tco.CLAIM_GROUP)
    return figures.tco(over_runs(runs, lambda p, frames: tco.cost(p, frames, asked)), title, band)


def _racks(runs: list[Run], title: str) -> Figure:
    installed = over_runs(runs, lambda p, frames: rack.racks(p, frames, REGION, YEAR), ["kind"])
    return figures.racks(installed, rack.claimed(), title)


def _workloads(runs: list[Run], title: str) -> Figure:
    return figures.workloads(over_runs(runs, workload.workloads), workload.claimed_shares(), title)


FIGURES: tuple[tuple[str, str, Callable[[list[Run], str], Figure]], ...] = (
    ("tco", "Three years of ten million queries of 800 tokens a day in China, from 2024Q2", _tco),
    ("racks", f"Racks installed in {REGION} in {YEAR}", _racks),
    ("workloads", "AI revenue of Chinese clouds by workload", _workloads),
)
"""Each figure: its name, what it shows, and what draws it from runs."""


def _plate(
    name: str, text: str, draw: Callable[[list[Run], str], Figure], runs: list[Run], label: str
) -> list[Element]:
    """A figure, or a sentence where these runs cannot tell it, as when they end before it begins."""
    try:
        with drawing():
            drawn = draw(runs, plain(f"{text} ({label})"))
    except (ValueError, KeyError, IndexError, StopIteration, ZeroDivisionError) as error:
        reason = str(error).strip("'\"") or type(error).__name__
        return [heading(text), paragraph(f"These runs do not have what the figure needs ({reason}).")]
    return [picture(inline(drawn, name, text), f"{text}: what the articles say is hatched or grey.")]


def _tables(runs: list[Run]) -> list[Element]:
    """The articles' tables, each figure beside the model's."""
    try:
        cells = over_runs(runs, article.beside)
    except (ValueError, KeyError, IndexError) as error:
        return [paragraph(f"The articles' tables cannot be filled from these runs ({error}).")]
    headings = {"row": "Of", "quantity": "Figure", "claimed": "The article", "model": "The model"}
    content = []
    for name, title in article.TITLES.items():
        lines = [_line(row) for row in _rows(cells) if row["table"] == name]
        content.append(details(f"Table: {title}", table(headings, lines, numbers="model")))
    return content


def _line(row: Mapping[str, Any]) -> dict[str, Cell]:
    middle, low, high = (number(row[f"model{end}"]) for end in ("", "_low", "_high"))
    unit = str(row["unit"])
    model: list[str | Element] = [f"{middle} {unit}".strip() if middle else "\u2013"]
    if middle and low != high and not math.isnan(row["model_low"]):
        model.append(element("small", f"{low} to {high}"))
    figure: list[str | Element] = [str(row["quantity"])]
    if row["note"]:
        figure.append(element("small", str(row["note"])))
    return {"row": str(row["row"]), "quantity": figure, "claimed": str(row["claimed"]), "model": model}


def _rows(frame: DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
