"""A chart with its place on a page."""

from __future__ import annotations

from typing import NamedTuple

from viz.option.palette import Option


class Panel(NamedTuple):
    """A chart: its name, title and subtitle, the option that draws it, its height in pixels, and whether it takes a row."""

    name: str
    title: str
    subtitle: str
    option: Option
    height: int = 330
    wide: bool = False
