"""What every page shares: the bar on top, the style sheet, and where errors end."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import reacton
import solara

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
TITLE = "Undercut"

left = solara.reactive("")
"""The query of the run that was left for another page of the session: the bar leads back to it."""

logger = logging.getLogger(__name__)


@solara.component
def House(children: list[Any] | None = None) -> None:
    """The bar with the pages, and the page below it."""
    route, routes = solara.use_route(peek=True)
    error, clear = reacton.use_exception()
    solara.Style(STYLE)
    solara.Title(f"{TITLE}: {route.label if route else 'no such page'}")
    with solara.Div(classes=["uc-page"]):
        with solara.Div(classes=["uc-top"]):
            solara.HTML("h1", TITLE)
            solara.HTML("span", "the market for LLM inference, 2023 to 2028", classes=["uc-soft"])
            with solara.v.Html(tag="nav"):
                for each in routes:
                    here = route is not None and each.path == route.path
                    back = f"/?{left.value}" if each.path == "/" and left.value and not here else each
                    with solara.Link(back):
                        solara.HTML("span", str(each.label), classes=["uc-here"] if here else [])
        if error is None:
            solara.Div(children=children or [])
            return
        logger.error("a page could not be shown", exc_info=error)
        with solara.Div(classes=["uc-error"], attributes={"role": "alert"}):
            solara.Text(
                "This page could not be shown, which is a fault of Undercut: what went wrong is in the server's log. "
                "Load the page again without what follows the question mark in its address, or "
            )
            solara.Button("try again", on_click=clear, small=True, outlined=True)
