"""What the pages' components make of texts, and the formats that charts name."""

from __future__ import annotations

import re
from pathlib import Path

import solara

from viz.ui.part import Pending

VIZ = Path(__file__).parents[2] / "viz"


def test_what_an_address_says_is_never_markup() -> None:
    box, context = solara.render(Pending("reading <img src=x onerror=alert(1)>"), handle_error=False)
    try:
        made = [box]
        for widget in made:
            made += [child for child in getattr(widget, "children", ()) if not isinstance(child, str)]
        assert [widget for widget in made if hasattr(widget, "unsafe_innerHTML")] == []
        assert any("<img" in child for widget in made for child in widget.children if isinstance(child, str))
    finally:
        context.close()


def test_every_format_that_a_chart_names_exists() -> None:
    known = (VIZ / "ui" / "chart.vue").read_text(encoding="utf-8")
    named = {
        name
        for file in (VIZ / "option").glob("*.py")
        for name in re.findall(r'"=(\w+)"', file.read_text(encoding="utf-8"))
    }
    assert named
    formats = known[known.index("formats()") :]
    assert {name for name in named if not re.search(rf"\b{name}(:|,)", formats)} == set()
