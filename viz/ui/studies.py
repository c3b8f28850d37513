"""Stored studies: the list of them, and one of them with its charts, its report and its tables."""

from __future__ import annotations

from urllib.parse import urlencode

import solara

from viz.stored import studies
from viz.stored.studies import Shown
from viz.study.report import html
from viz.ui.part import Pending, Picks, Sheet, Trouble, use_read
from viz.ui.widget import Chart, pack

REPORT_STYLE = "border: 0; height: 80vh; width: 100%"


@solara.component
def Studies(name: str, subject: str) -> None:
    """The list of studies where there are any, and the one that the address names, with its charts of a subject."""
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
        _Study(name, subject)


@solara.component
def _Study(name: str, subject: str) -> None:
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
        _Report(shown)
    _Charts(shown, subject)
    for title, table, left_out in shown.tables:
        Sheet(
            name=f"table-{title}",
            title=title.replace("_", " ").capitalize(),
            subtitle=f"{left_out:,} more rows in the store" if left_out > 0 else "",
            sheet=pack(table),
            noun="rows",
            height=420,
        )


@solara.component
def _Report(shown: Shown) -> None:
    """The report in words: to read here or to take, drawn when it is asked for."""
    reading, read = solara.use_state(False)
    study = shown.study
    found = use_read(lambda: html(study) if reading else "", [study.name, reading])
    with solara.Div(classes=["uc-buttons"]):
        words = "Close the report" if reading else "Read the report"
        solara.Button(
            words,
            small=True,
            outlined=True,
            attributes={"data-do": "read"},
            on_click=lambda: read(not reading),
        )
        with solara.FileDownload(lambda: html(study), filename=f"{study.name}.html", mime_type="text/html"):
            solara.Button("Report (HTML)", small=True, outlined=True, attributes={"data-do": "report"})
    if not reading:
        return
    if found.error:
        Trouble(found.error)
    elif not found.value:
        Pending("drawing the report…")
    else:
        # A document of its own, that may run nothing and ask for nothing.
        solara.v.Html(
            tag="iframe",
            attributes={"srcdoc": found.value, "sandbox": "", "title": study.title, "style": REPORT_STYLE},
        )


@solara.component
def _Charts(shown: Shown, subject: str) -> None:
    """The charts of what is chosen of a study."""
    router, study = solara.use_router(), shown.study
    found = use_read(lambda: studies.drawn(shown, subject), [study.name, subject])
    if found.error:
        Trouble(found.error)
        return
    if found.value is None:
        Pending("drawing…")
        return
    chosen, panels = found.value
    if shown.choices:
        options = [list(each) for each in shown.choices]
        with solara.Div(classes=["uc-panel"]):
            Picks(
                picks=pack([{"key": "subject", "title": "Show", "options": options, "chosen": chosen}]),
                event_choose=lambda event: router.push(
                    f"/results?{urlencode({'study': study.name, 'subject': event['value']})}"
                ),
            )
    if not panels:
        Trouble("There is nothing to draw of this study: its report says why.")
    with solara.Div(classes=["uc-grid"]):
        for panel in panels:
            with solara.Div(classes=["uc-wide"] if panel.wide else []):
                Chart(
                    name=panel.name,
                    title=panel.title,
                    subtitle=panel.subtitle,
                    option=pack(panel.option),
                    stamp=f"{study.name} {chosen}".strip(),
                    height=panel.height,
                )
