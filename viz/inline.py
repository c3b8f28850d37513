"""Drawings of Matplotlib as elements of a page: SVG without ids that clash, addresses or dates."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from viz.chart import STYLE
from viz.fan import ChartError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONTS: Any = {
    "svg.fonttype": "none",  # letters stay letters: smaller, searchable, and read aloud
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
}
_NAMESPACE = re.compile(r"\{[^}]*\}")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")


@contextmanager
def drawing() -> Iterator[None]:
    """The style in which a page's figures are made. Raises ChartError without Matplotlib."""
    try:
        import matplotlib
    except ImportError:
        raise ChartError(
            "a report needs Matplotlib: write `make install`, or install Undercut with its extra `ui`"
        ) from None
    with matplotlib.rc_context({**STYLE, **FONTS}):
        yield


def plain(text: str) -> str:
    """A text in which Matplotlib finds no formula: a dollar in the name of a scenario is a dollar."""
    return text.replace("$", r"\$")


def inline(figure: Figure, name: str, label: str) -> Element:
    """A figure as an element of a page.

    Args:
        figure: what was drawn.
        name: unique on the page; every id begins with it.
        label: what it shows, for those who cannot see it.
    """
    written = io.StringIO()
    with drawing():
        figure.savefig(written, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(written.getvalue())
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
        for key in list(element.attrib):
            element.set(_NAMESPACE.sub("", key), _renamed(key, element.attrib.pop(key), name))
        if element.text and not element.text.strip():
            element.text = None
        element.tail = None
    for parent in list(root.iter()):
        for child in list(parent):
            # The style of the file would hold for the whole page; the rest says who wrote it.
            if child.tag in ("metadata", "style"):
                parent.remove(child)
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    width = figure.get_size_inches()[0]
    root.set("style", f"stroke-linejoin: round; stroke-linecap: butt; max-width: {width:g}in")
    root.set("role", "img")
    root.set("aria-label", label)
    return root


def _renamed(key: str, value: str, name: str) -> str:
    """An attribute with the name of the figure in front of the id that it gives or refers to."""
    if key == "id":
        return f"{name}-{value}"
    if key.endswith("href") and value.startswith("#"):
        return f"#{name}-{value[1:]}"
    return _REFERENCE.sub(lambda found: f"url(#{name}-{found[1]})", value)
