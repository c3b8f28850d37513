"""The page of stored batches and studies: the lists of them, and one of them with the charts of its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

import solara

from evidence.ensemble import verdicts
from scenarios.batch import Batch
from viz.option.panel import Panel
from viz.report import html
from viz.stored import archive, course, graph, shelf, table
from viz.stored.graph import Graph
from viz.ui.part import Dial, Pending, Picks, Sheet, Trouble, use_read
from viz.ui.studies import Studies
from viz.ui.take import FORMS
from viz.ui.widget import Chart, Packed, pack

MOST_WORLDS = 400
"""How many worlds of a batch can be chosen from a list."""


@dataclass(frozen=True)
class Opened:
    """Everything that the page shows of one world of a batch, ready for the browser."""

    batch: Batch
    label: str
    labels: tuple[str, ...]
    state: str
    seeds: int
    panels: tuple[tuple[Panel, Packed], ...]
    verdicts: Packed
    failures: Packed
    failed: int
    graph: Graph | None
    facts: tuple[tuple[str, str], ...]


@solara.component
def Results() -> None:
    """The page."""
    router = solara.use_router()
    name, label, study, subject = asked(router.search or "")
    listed = use_read(
        lambda: pack(table.batches([shelf.summary(batch) for batch in shelf.batches()])), [name]
    )
    with solara.Div(classes=["uc-main-column"]):
        if listed.error:
            Trouble(listed.error)
        elif listed.value is None:
            Pending("reading the store…")
        else:
            Sheet(
                name="batches",
                title="Batches in the store",
                subtitle="the newest first",
                sheet=listed.value,
                noun="batches",
                empty="No batch yet: run one with `make demo`, `undercut run baseline`, or on the page Compare.",
                focus=name,
                opens=True,
                height=220,
                event_open=lambda event: router.push(f"/results?{urlencode({'batch': event['name']})}"),
            )
        Studies(study, subject)
        if name:
            _Batch(name, label)


def asked(search: str) -> tuple[str, str, str, str]:
    """The batch, the world, the study and its subject that an address asks for; empty where it names none."""
    found = parse_qs(search.removeprefix("?"))
    batch, world, study, subject = (found.get(key, [""])[0] for key in ("batch", "world", "study", "subject"))
    return batch, world, study, subject


def read(name: str, label: str) -> Opened:
    """A world of a batch. Raises StoreError for a batch or a world that is not in the list, or a damaged file."""
    batch = shelf.named(name)
    chosen = shelf.world(batch, label)
    quarters = batch.table("quarters", chosen)
    failures = batch.failures()
    panels = course.alone(quarters) if len(quarters) else []
    return Opened(
        batch=batch,
        label=chosen,
        labels=tuple(shelf.labels(batch)[:MOST_WORLDS]),
        state=shelf.state(batch),
        seeds=int(quarters["seed"].nunique()),
        panels=tuple((panel, pack(panel.option)) for panel in panels),
        verdicts=pack(table.verdicts(verdicts(batch, [chosen])[chosen])),
        failures=pack(table.failures(failures)),
        failed=len(failures),
        graph=graph.read(batch, chosen),
        facts=tuple(shelf.facts(batch)),
    )


@solara.component
def _Batch(name: str, label: str) -> None:
    router = solara.use_router()
    found = use_read(lambda: read(name, label), [name, label])
    if found.error:
        Trouble(found.error)
        return
    opened = found.value
    if opened is None:
        Pending(f"reading {name}…")
        return
    with solara.Div(
        classes=["uc-panel"],
        attributes={"data-panel": "opened", "data-batch": opened.batch.name, "data-world": opened.label},
    ):
        with solara.v.Html(tag="h2"):
            solara.Text(opened.batch.name)
        said = f"{opened.label}: {opened.seeds} runs that ended well; the batch is {opened.state}"
        with solara.v.Html(tag="div", class_="uc-soft"):
            solara.Text(said)
        worlds = [(each, each) for each in opened.labels]
        Picks(
            picks=pack([{"key": "world", "title": "World", "options": worlds, "chosen": opened.label}]),
            event_choose=lambda event: router.push(
                f"/results?{urlencode({'batch': opened.batch.name, 'world': event['value']})}"
            ),
        )
        _Take(opened.batch)
    if not opened.panels:
        Trouble(f"No run of {opened.label} has ended well yet: there is nothing to draw.")
    with solara.Div(classes=["uc-grid"]):
        for panel, option in opened.panels:
            Chart(
                name=panel.name,
                title=panel.title,
                subtitle=panel.subtitle,
                option=option,
                stamp=f"{opened.batch.name} {opened.label}",
                height=panel.height,
            )
    _Graph(opened.graph)

    def claim(event: Mapping[str, Any]) -> None:
        router.push(
            f"/claims?{urlencode({'claim': event['name'], 'batch': opened.batch.name, 'world': opened.label})}"
        )

    Sheet(
        name="verdicts",
        title="Verdicts",
        subtitle=f"{opened.label}, over {opened.seeds} seeds",
        sheet=opened.verdicts,
        noun="claims",
        opens=True,
        height=560,
        event_open=claim,
    )
    if opened.failed:
        Sheet(name="failures", title="Runs that failed", sheet=opened.failures, noun="runs", height=240)
    with solara.Div(classes=["uc-panel"], attributes={"data-panel": "manifest"}):
        solara.HTML("h2", "What made it")
        with solara.v.Html(tag="table"), solara.v.Html(tag="tbody"):
            for what, value in opened.facts:
                with solara.v.Html(tag="tr"):
                    with solara.v.Html(tag="th", attributes={"scope": "row"}):
                        solara.Text(what)
                    with solara.v.Html(tag="td"):
                        solara.Text(value)


@solara.component
def _Take(batch: Batch) -> None:
    """The downloads; made when they are asked for."""
    if len(batch.planned()) > archive.MOST_RUNS:
        solara.Text(
            f"Too many runs for a browser: `undercut export {batch.name}` writes the tables into a folder."
        )
        return
    with solara.Div(classes=["uc-buttons"]):
        for form, words in FORMS.items():
            with solara.FileDownload(
                lambda form=form: archive.tables(batch, form),
                filename=f"{batch.name}-{form}.zip",
                mime_type="application/zip",
            ):
                solara.Button(
                    f"Tables ({words})", small=True, outlined=True, attributes={"data-do": f"tables-{form}"}
                )
        with solara.FileDownload(
            lambda: archive.claims(batch), filename=f"{batch.name}-verdicts.csv", mime_type="text/csv"
        ):
            solara.Button("Verdicts (CSV)", small=True, outlined=True, attributes={"data-do": "verdicts-csv"})
        # With what a page has no room for: the articles' own figures and tables beside the runs.
        with solara.FileDownload(lambda: html(batch), filename=f"{batch.name}.html", mime_type="text/html"):
            solara.Button("Report (HTML)", small=True, outlined=True, attributes={"data-do": "report"})


@solara.component
def _Graph(of: Graph | None) -> None:
    """The supply graph of a kept run, quarter by quarter."""
    quarter, choose = solara.use_state("")
    focus, look = solara.use_state("")
    shown = (
        quarter if of is not None and quarter in of.quarters else of.quarters[-1] if of is not None else ""
    )
    option = solara.use_memo(lambda: "" if of is None else pack(of.option(shown, focus)), [of, shown, focus])
    if of is None:
        with solara.Div(classes=["uc-panel"], attributes={"data-panel": "no-graph"}):
            solara.HTML("h2", "Who supplies whom")
            solara.Text(
                "No run of this world has its full tables in the store; `undercut run --keep sample:1` keeps one."
            )
        return
    with solara.Div(classes=["uc-main-column"]):
        with solara.Div(classes=["uc-panel"]):
            Dial(
                name="quarter",
                title="Quarter of the graph",
                names=list(of.quarters),
                shown=shown,
                event_choose=lambda event: choose(str(event["name"])),
            )
        Chart(
            name="supply",
            title="Who supplies whom",
            subtitle=f"{shown}, seed {of.seed}; lines as wide as the root of the money; click a firm to single it out",
            option=option,
            stamp=shown,
            height=520,
            event_click=lambda event: look(
                "" if event.get("type") != "node" or event.get("name") == focus else str(event.get("name"))
            ),
        )
