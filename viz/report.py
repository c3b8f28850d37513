"""The report of a batch: one HTML file that works without a network, prints, and is the same each time it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from evidence.ensemble import verdicts
from studies.comparison import compare
from viz import chart, findings, network, origin, overlay, plates
from viz.fan import ChartError
from viz.inline import drawing, inline, plain
from viz.page import Section, heading, page, paragraph, picture, save

if TYPE_CHECKING:
    import pandas as pd

    from scenarios.batch import Batch

SHOWN = 4
"""Of how many worlds a report shows everything; of the others it has the counts of verdicts."""

TITLE = "Undercut: the market for LLM inference"


def write(batch: Batch, out: str | Path, quarter: str = "") -> None:
    """Write the report of a batch into a file.

    Args:
        batch: what to report on, finished or not.
        out: the file to write.
        quarter: of which quarter to draw the supply graph, as ``"2026Q4"``; by default the last one.

    Raises ChartError when Matplotlib is missing, no run has ended well, the quarter is not on record or the file
    cannot be written; StoreError when a file of the store is damaged.
    """
    save(out, lambda: html(batch, quarter))


def html(batch: Batch, quarter: str = "") -> str:
    """The report of a batch as a document. Raises ChartError and StoreError as :func:`write` does."""
    return page(TITLE, subtitle(batch), sections(batch, quarter))


def subtitle(batch: Batch) -> str:
    """One line on what was run."""
    labels = batch.labels
    named = ", ".join(labels[:SHOWN]) + (
        f" and {len(labels) - SHOWN} more worlds" if len(labels) > SHOWN else ""
    )
    return f"{named}; {len(batch.seeds)} seeds each; batch {batch.name}"


def sections(batch: Batch, quarter: str = "") -> list[Section]:
    """The parts of the report, in order; a part that this batch cannot have is left out."""
    with drawing():  # says at once when Matplotlib is missing
        labels = batch.labels[:SHOWN]
        quarters = {label: batch.table("quarters", label) for label in labels}
    if all(frame.empty for frame in quarters.values()):
        raise ChartError(f"no run of {batch.name} has ended well; there is nothing to report")
    judged = verdicts(batch)
    parts = [origin.asked(batch), findings.overview(judged)]
    parts.append(findings.claims({label: judged[label] for label in labels}, batch.labels[SHOWN:]))
    parts.append(courses(quarters))
    if len(labels) > 1:
        parts.append(findings.compared(compare(batch, labels), len(batch.labels)))
    parts.append(graphs(batch, labels, quarter))
    parts.append(plates.section(batch, labels[0]))
    parts += [origin.failures(batch), origin.methods(), origin.manifest(batch)]
    return parts


def courses(quarters: Mapping[str, pd.DataFrame]) -> Section:
    """How prices, shares and the market run over the quarters: worlds over one another, then each by itself."""
    drawn = {label: frame for label, frame in quarters.items() if not frame.empty}
    content: list[Element] = []
    if len(drawn) > 1:
        with drawing():
            figure = overlay.figure({plain(label): frame for label, frame in drawn.items()})
        said = f"{', '.join(drawn)}: median over seeds and the band from 5 to 95 % of runs."
        content.append(picture(inline(figure, "overlay", said), said))
    for place, (label, frame) in enumerate(drawn.items(), start=1):
        with drawing():
            figure = chart.figure(frame, plain(label))
        said = (
            f"{label}, {frame['seed'].nunique()} seeds: the line is the median, the darker band the middle half, "
            "the lighter one 5 to 95 % of runs. Hatched boxes are the articles' claims."
        )
        content += [heading(label), picture(inline(figure, f"fan-{place}", said))]
    missing = [label for label in quarters if label not in drawn]
    if missing:
        content.append(paragraph(f"No run has ended well in {', '.join(missing)}."))
    return Section("courses", "Prices, shares and the market over time", content)


def graphs(batch: Batch, labels: Sequence[str], quarter: str) -> Section:
    """The supply graph of one run of each world, of those whose full tables are kept."""
    content: list[Element] = []
    for place, label in enumerate(labels, start=1):
        seeds = plates.kept(batch, label)
        if not seeds:
            continue
        edges, firms = (_of(batch.table(name, label), seeds[0]) for name in ("edges", "firms"))
        when = quarter or str(edges["quarter"].max())
        shown = network.graph(edges, firms, when)
        with drawing():
            figure = network.figure(shown, plain(f"{label}, seed {seeds[0]}, {when}"))
        said = (
            f"Who sold to whom in {label} in {when}, in the one run with seed {seeds[0]}: other seeds differ. A line "
            "is as wide as the root of the money paid; buyers are all segments of a region together."
        )
        content.append(picture(inline(figure, f"graph-{place}", said), said))
    return Section("graph", "The supply graph", content or [plates.no_tables(batch)])


def _of(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    return frame[frame["seed"] == seed]
