"""Stored studies: the list of them, and one of them with its report and its tables."""

from __future__ import annotations

from urllib.parse import urlencode

import solara

from viz.stored import studies
from viz.ui.part import Pending, Sheet, Trouble, use_read
from viz.ui.widget import pack

REPORT_STYLE = "border: 0; height: 80vh; width: 100%"


@solara.component
def Studies(name: str) -> None:
    """The list of studies where there are any, and the one that the address names."""
    router = solara.use_router()
    listed = use_read(studies.listed, [name])
    if listed.value is not None and (listed.value["rows"] or name):
        Sheet(
            name="studies",
            title="Studies in the store",
            subtitle="the newest first; `undercut study --help` lists the kinds",
            sheet=pack(listed.value),
            noun="studies",
            empty="No study yet.",
            focus=name,
            opens=True,
            height=180,
            event_open=lambda event: router.push(f"/results?{urlencode({'study': event['name']})}"),
        )
    if name:
        _Study(name)


@solara.component
def _Study(name: str) -> None:
    found = use_read(lambda: studies.read(name), [name])
    if found.error:
        Trouble(found.error)
        return
    shown = found.value
    if shown is None:
        Pending(f"reading {name}…")
        return
    study = shown.study
    with solara.Div(classes=["uc-panel"], attributes={"data-panel": "study", "data-study": study.name}):
        with solara.v.Html(tag="h2"):
            solara.Text(study.title)
        for note in study.notes:
            with solara.v.Html(tag="p", class_="uc-soft"):
                solara.Text(note)
        # A document of its own, that may run nothing and ask for nothing.
        solara.v.Html(
            tag="iframe",
            attributes={"srcdoc": shown.report, "sandbox": "", "title": study.title, "style": REPORT_STYLE},
        )
    for title, table, left_out in shown.tables:
        Sheet(
            name=f"table-{title}",
            title=title.replace("_", " ").capitalize(),
            subtitle=f"{left_out:,} more rows in the store" if left_out > 0 else "",
            sheet=pack(table),
            noun="rows",
            height=420,
        )
