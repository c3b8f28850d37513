"""The Vue components of the pages on batches and claims, and how these pages read what takes a while."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import solara
from solara.lab import use_task

from evidence.facts import EvidenceError
from model.parameters import ParameterError
from scenarios.design import DesignError
from scenarios.folder import StoreError
from scenarios.plan import PlanError
from scenarios.scenario import ScenarioError
from scenarios.seeds import SeedsError
from viz.fan import ChartError
from viz.ui.widget import Handler, Packed, ignore

T = TypeVar("T")

SENTENCES = (
    ChartError,
    DesignError,
    EvidenceError,
    ParameterError,
    PlanError,
    ScenarioError,
    SeedsError,
    StoreError,
)
"""Errors that say in a sentence what is wrong and how to go on."""

logger = logging.getLogger(__name__)


@solara.component_vue("sheet.vue")
def Sheet(
    name: str,
    sheet: Packed,
    title: str = "",
    subtitle: str = "",
    noun: str = "rows",
    empty: str = "",
    focus: str = "",
    opens: bool = False,
    height: int = 460,
    event_open: Handler = ignore,
) -> None:
    """A table (``viz.stored.sheet``); with ``opens`` the first cell of a row is a link that sends its name."""


@solara.component_vue("pair.vue")
def Form(
    scenarios: Packed,
    pair: Packed,
    busy: bool,
    stopping: bool,
    stored: bool,
    share: float,
    words: str,
    phase: str,
    event_choose: Handler = ignore,
    event_run: Handler = ignore,
    event_stop: Handler = ignore,
) -> None:
    """What to compare, and the progress of its runs."""


@solara.component_vue("dial.vue")
def Dial(name: str, title: str, names: list[str], shown: str, event_choose: Handler = ignore) -> None:
    """A slider over names."""


@solara.component_vue("picks.vue")
def Picks(picks: Packed, event_choose: Handler = ignore) -> None:
    """Choices in a row: lists of ``key``, ``title``, ``options`` (value and text) and what is ``chosen``."""


@solara.component_vue("claim.vue")
def About(claim: Packed, where: str, event_open: Handler = ignore, event_close: Handler = ignore) -> None:
    """Everything on one claim; ``where`` says which batch judged it."""


@solara.component_vue("evidence.vue")
def Evidence(tables: Packed) -> None:
    """The tables of evidence."""


@dataclass(frozen=True)
class Read(Generic[T]):
    """What was read: a value, or the sentence on why there is none; neither while it is being read."""

    value: T | None = None
    error: str = ""
    pending: bool = False


def use_read(read: Callable[[], T], key: Sequence[Any]) -> Read[T]:
    """Read something beside the page, anew whenever the key changes; errors become sentences."""
    wanted = tuple(key)

    def carefully() -> tuple[tuple[Any, ...], Read[T]]:
        try:
            return wanted, Read(read())
        except SENTENCES as error:
            return wanted, Read(error=str(error))
        except Exception:
            logger.exception("something stored could not be shown")
            return wanted, Read(
                error="This could not be shown, a fault of Undercut: the server's log says why."
            )

    task = use_task(carefully, dependencies=list(key), raise_error=False)
    if task.finished and task.value is not None:
        of, found = task.value
        if of == wanted:  # what was read before the key changed says nothing now
            return cast("Read[T]", found)
    return Read(pending=True)


@solara.component
def Trouble(text: str) -> None:
    """A sentence on what went wrong."""
    with solara.Div(classes=["uc-error"], attributes={"role": "alert"}):
        solara.Text(text)


@solara.component
def Pending(text: str = "reading…") -> None:
    """While something is being read."""
    # As a text: solara.HTML would take what an address says for markup, and run it.
    with solara.Div(classes=["uc-soft"], attributes={"data-shown": "pending"}):
        solara.Text(text)
