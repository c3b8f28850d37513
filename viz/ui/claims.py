"""The page of claims: what the articles assert, how it is measured and judged, and what the model rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode

import solara

from evidence.ensemble import verdicts
from evidence.judge import Verdict
from scenarios.folder import StoreError
from viz.stored import dossier, shelf
from viz.ui.part import About, Evidence, Pending, Picks, Sheet, Trouble, use_read
from viz.ui.widget import Packed, pack

NO_BATCH = "no batch yet: run `make demo`, or compare two worlds on the page Compare"


@dataclass(frozen=True)
class Judged:
    """The verdicts of one world of a batch, and what else could be chosen; all empty without a batch."""

    batch: str = ""
    label: str = ""
    batches: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    seeds: int = 0
    verdicts: Mapping[str, Verdict] | None = None

    @property
    def where(self) -> str:
        """Whose verdict it is."""
        return f"{self.label} in {self.batch}, {self.seeds} seeds" if self.batch else NO_BATCH


@solara.component
def Claims() -> None:
    """The page."""
    router = solara.use_router()
    query = parse_qs((router.search or "").removeprefix("?"))
    name, batch, label = (query.get(key, [""])[0] for key in ("claim", "batch", "world"))
    found = use_read(lambda: judged(batch, label), [batch, label])
    # A batch that cannot be read takes no claim away.
    now = found.value or Judged()

    def go(**keys: str) -> None:
        asked = {"claim": name, "batch": batch, "world": label, **keys}
        router.push(f"/claims?{urlencode({key: value for key, value in asked.items() if value})}")

    def pick(event: Mapping[str, Any]) -> None:
        if event["key"] == "batch":
            go(batch=str(event["value"]), world="")
        else:
            go(batch=now.batch, world=str(event["value"]))

    listed = solara.use_memo(lambda: pack(dossier.claim_list(now.verdicts or {})), [found.value])
    with solara.Div(classes=["uc-main-column"]):
        if found.error:
            Trouble(found.error)
        with solara.Div(classes=["uc-panel"], attributes={"data-panel": "judged", "data-batch": now.batch}):
            if found.pending:
                Pending("reading the verdicts…")
            elif now.batch:
                Picks(
                    picks=pack(
                        [
                            _pick("batch", "Verdicts of the batch", now.batches, now.batch),
                            _pick("world", "world", now.labels, now.label),
                        ]
                    ),
                    event_choose=pick,
                )
            else:
                solara.Text(f"Verdicts: {NO_BATCH}.")
        with solara.Div(classes=["uc-claims"]):
            with solara.Div():
                Sheet(
                    name="claims",
                    title="Claims of both articles",
                    subtitle="choose one for its definition, source and verdict",
                    sheet=listed,
                    noun="claims",
                    focus=name,
                    opens=True,
                    height=720,
                    event_open=lambda event: go(claim=str(event["name"])),
                )
            with solara.Div(classes=["uc-detail"]):
                _One(name, now, found.pending, go)
        Sheet(
            name="unjudged",
            title="What the model cannot judge",
            subtitle="assertions of the articles that no run can bear out or refute",
            sheet=_beyond(),
            noun="assertions",
            height=300,
        )
        Evidence(tables=_evidence())


def judged(name: str, label: str) -> Judged:
    """The verdicts of a world of a batch, by default of the newest complete one.

    Raises StoreError for a batch or a world that is not in the list.
    """
    there = shelf.batches()
    batch = shelf.named(name, there) if name else shelf.newest()
    if batch is None:
        return Judged()
    chosen = shelf.world(batch, label)
    found = verdicts(batch, [chosen])[chosen]
    return Judged(
        batch=batch.name,
        label=chosen,
        batches=tuple(each.name for each in there),
        labels=tuple(batch.labels if chosen in batch.labels else shelf.labels(batch)),
        seeds=max(verdict.seeds for verdict in found),
        verdicts={verdict.id: verdict for verdict in found},
    )


def _pick(key: str, title: str, names: Sequence[str], chosen: str) -> dict[str, Any]:
    return {"key": key, "title": title, "options": [[each, each] for each in names], "chosen": chosen}


@solara.component
def _One(name: str, now: Judged, pending: bool, go: Any) -> None:
    """The claim that the address names."""
    if not name:
        with solara.Div(classes=["uc-panel"], attributes={"data-panel": "no-claim"}):
            solara.Text("Choose a claim from the list.")
        return
    try:
        of = dossier.claim(name)
    except StoreError as error:
        Trouble(str(error))
        return
    About(
        claim=pack(dossier.about(of, now.verdicts or {})),
        where="reading the verdict…" if pending else now.where,
        event_open=lambda event: go(claim=str(event["name"])),
        event_close=lambda _: go(claim=""),
    )


@cache
def _beyond() -> Packed:
    return pack(dossier.beyond())


@cache
def _evidence() -> Packed:
    return pack(dossier.evidence())
