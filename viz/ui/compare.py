"""The page that puts two worlds side by side, from ensembles that are made beside the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

import solara
from solara.server.kernel_context import PageStatus, get_current_context

from scenarios.plan import Plan
from studies.comparison import compare
from viz.option.panel import Panel
from viz.stored import course, pair, shelf, table
from viz.stored.maker import FAILED, STOPPING, Maker, State
from viz.stored.pair import Pair
from viz.ui.part import SENTENCES, Form, Pending, Read, Sheet, Trouble, use_read
from viz.ui.widget import Chart, Packed, pack


@dataclass(frozen=True)
class Contrast:
    """Everything that the page shows of a complete batch, ready for the browser."""

    batch: str
    panels: tuple[tuple[Panel, Packed], ...]
    chances: Packed
    differences: Packed
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """What an address asks for: its plan, or why it makes none."""

    pair: Pair
    plan: Plan | None = None
    error: str = ""


@solara.component
def Compare() -> None:
    """The page."""
    router = solara.use_router()
    search = router.search or ""
    state = solara.use_reactive(State())
    maker = solara.use_memo(lambda: Maker(state.set, _connected()), [])
    # A page that is closed or left stops its work.
    solara.use_effect(lambda: maker.close, [])
    choice = solara.use_memo(lambda: choose(pair.read(search)), [search])
    ended = "" if state.value.busy else state.value.phase
    name = choice.plan.name if choice.plan else ""
    found = use_read(lambda: read(choice.plan), [name, ended])
    now, contrast = state.value, found.value

    def move(form: Mapping[str, Any]) -> None:
        if not now.busy:
            state.set(State())
            router.push(f"/compare?{pair.query(pair.from_form(form))}")

    def run(form: Mapping[str, Any]) -> None:
        asked = choose(pair.from_form(form))
        move(form)
        if asked.plan is not None:
            maker.start(asked.plan, shelf.place())

    with solara.Div(classes=["uc-frame"]):
        with solara.Div(classes=["uc-side"]), solara.Div(classes=["uc-panel"]):
            Form(
                scenarios=_scenarios(),
                pair=pack(asdict(choice.pair)),
                busy=now.busy,
                stopping=now.phase == STOPPING,
                stored=contrast is not None,
                share=now.share,
                words=now.words() or _offer(choice, found),
                phase=now.phase,
                event_choose=move,
                event_run=run,
                event_stop=lambda _: maker.stop(),
            )
        with solara.Div(classes=["uc-main-column"]):
            trouble = choice.error or found.error or (now.text if now.phase == FAILED else "")
            if trouble:
                Trouble(trouble)
            if contrast is not None:
                _Contrast(contrast)
            elif choice.plan is not None and found.pending:
                Pending()
            elif not trouble:
                _Explain()


def _connected() -> Callable[[], bool]:
    """Whether a browser shows this session, at any time later: one that crashes closes no page."""
    context = get_current_context()
    return lambda: PageStatus.CONNECTED in list(context.page_status.values())


def choose(asked: Pair) -> Choice:
    """The plan of a pair, or the sentence on why there is none."""
    try:
        return Choice(asked, asked.plan())
    except SENTENCES as error:
        return Choice(asked, error=str(error))


def read(plan: Plan | None) -> Contrast | None:
    """What the store has of a plan; None until all of it is there. Raises StoreError for a damaged store."""
    if plan is None:
        return None
    batch = next((each for each in shelf.batches() if each.name == plan.name), None)
    if batch is None or not batch.complete:
        return None
    reference, other = batch.labels
    frames = {label: batch.table("quarters", label) for label in (reference, other)}
    (comparison,) = compare(batch, [reference, other], every=True)
    drawn = {label: frame for label, frame in frames.items() if len(frame)}
    return Contrast(
        batch=batch.name,
        panels=tuple((panel, pack(panel.option)) for panel in (course.compared(drawn) if drawn else [])),
        chances=pack(table.chances(comparison)),
        differences=pack(table.differences(comparison)),
        notes=tuple(table.notes(comparison)),
    )


def _offer(choice: Choice, found: Read[Contrast | None]) -> str:
    if choice.plan is None or found.pending or found.value is not None:
        return ""
    return f"{sum(1 for _ in choice.plan.runs())} runs in all; those that are stored are not made again"


@solara.component
def _Explain() -> None:
    with solara.Div(classes=["uc-panel"], attributes={"data-panel": "explain"}):
        solara.HTML("h2", "Two worlds, the same luck")
        solara.Text(
            "Choose two scenarios, or one of them twice with a parameter changed, and press Run. Both get the same "
            "seeds, so that what differs between them is what was chosen and not chance. The runs are made beside "
            "this page and stored: the results also appear on the page Results, and the address of this page leads "
            "back to the comparison. Leaving the page stops the runs; those that are stored are kept."
        )


@solara.component
def _Contrast(contrast: Contrast) -> None:
    router = solara.use_router()

    def opened(event: Mapping[str, Any]) -> None:
        router.push(f"/claims?{urlencode({'claim': event['name'], 'batch': contrast.batch})}")

    with solara.Div(
        classes=["uc-grid", "uc-three"], attributes={"data-panel": "contrast", "data-batch": contrast.batch}
    ):
        for panel, option in contrast.panels:
            Chart(
                name=panel.name,
                title=panel.title,
                subtitle=panel.subtitle,
                option=option,
                stamp=contrast.batch,
                height=280,
            )
    with solara.Div(classes=["uc-panel"], attributes={"data-panel": "notes"}):
        for note in contrast.notes:
            with solara.v.Html(tag="p", class_="uc-soft"):
                solara.Text(note)
        with solara.Link(f"/results?{urlencode({'batch': contrast.batch})}"):
            solara.Text("Everything on these runs, and their tables")
    Sheet(
        name="chances",
        title="How probable the claims are",
        subtitle="over the pairs of runs, with intervals",
        sheet=contrast.chances,
        noun="claims",
        opens=True,
        event_open=opened,
    )
    Sheet(
        name="differences",
        title="What changes, seed by seed",
        subtitle="the clearest first; headline series in the last year",
        sheet=contrast.differences,
        noun="quantities",
    )


@cache
def _scenarios() -> Packed:
    return pack([{"name": name, "title": title} for name, title in pair.scenarios().items()])
