"""The Vue components of the pages as Solara components: data goes to the browser, events come back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import solara

Data = dict[str, Any]
Handler = Callable[[Data], None]
Packed = str
"""Data as JSON text: Reacton walks through every list and dictionary that it is given, at each render, but not
through a text; with plain data a step took three times as long."""


def ignore(_: Data) -> None:
    """Take no notice of an event."""


def pack(data: Any) -> Packed:
    """Plain data for the browser, as the components below take it. Raises ValueError for a number that is not finite."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@solara.component_vue("chart.vue")
def Chart(
    name: str,
    title: str,
    option: Packed,
    subtitle: str = "",
    stamp: str = "",
    height: int = 320,
    event_click: Handler = ignore,
) -> None:
    """A panel with an ECharts option.

    A text ``"=name"`` in the option stands for a function of ``chart.vue``; ``stamp`` says which state is drawn, for the
    file name of a download.
    """


@solara.component_vue("player.vue")
def Player(
    quarters: list[str],
    cursor: int,
    head: int,
    busy: bool,
    painted: int,
    stopped: int,
    query: str,
    event_command: Handler = ignore,
) -> None:
    """Play, pause, step, back, reset, speed and time line; keeps the address of the page at ``query``.

    ``painted`` counts the states that were shown, and lets the next quarter be asked for; a new ``stopped`` ends play.
    """


@solara.component_vue("controls.vue")
def Controls(groups: Packed, values: Packed, stopped: int, event_change: Handler = ignore) -> None:
    """The parameters in groups; ``values`` are those that differ from their defaults.

    A new ``stopped`` follows a value that was refused.
    """


@solara.component_vue("board.vue")
def Board(claims: Packed, settled: Packed, quarter: str, event_open: Handler = ignore) -> None:
    """The claims and what holds by now; ``settled`` has ``[value, holds]`` by claim id."""


@solara.component_vue("feed.vue")
def Feed(entries: Packed, quarter: str, event_focus: Handler = ignore) -> None:
    """The log of events, the newest first."""


@solara.component_vue("firm.vue")
def Firm(firm: Packed, event_close: Handler = ignore) -> None:
    """A firm's accounts, flows and decisions."""


@solara.component_vue("shots.vue")
def Shots(
    shots: Packed,
    kinds: Packed,
    fired: list[str],
    quarter: str,
    event_fire: Handler = ignore,
) -> None:
    """Buttons that fire shocks: ``keys`` of a usual one, or the ``kind`` and the ``text`` of any other."""


@solara.component_vue("source.vue")
def Source(
    scenarios: Packed,
    scenario: str,
    uploaded: bool,
    notes: str,
    seed: int,
    most: int,
    stopped: int,
    event_choose: Handler = ignore,
) -> None:
    """The scenario and the seed; an uploaded file comes as its name and text, or its size where it is too long.

    A new ``stopped`` follows a choice that was refused.
    """


@solara.component_vue("tiles.vue")
def Tiles(tiles: Packed, quarter: str) -> None:
    """Rows of a title, a number, what it counts, and the number without what was fired, if anything was."""


@solara.component_vue("look.vue")
def Look(groups: Data, now: Data, event_choose: Handler = ignore) -> None:
    """Choices by key, and which one holds."""
