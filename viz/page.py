"""A page of HTML that needs nothing else: elements, the style sheet, and the whole document as text.

Elements are those of ElementTree, which escapes every text that it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from scenarios.folder import replacing
from viz.fan import ChartError

Content = str | Element
Cell = Content | Sequence[Content]

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may do for the page: nothing beyond its own style. No script runs, nothing is fetched."""

STYLE = """
:root { --ink: #1a1a1a; --soft: #595959; --line: #d0d0d0; --pale: #f4f4f4; }
* { box-sizing: border-box; }
html { background: #fff; color: var(--ink); }
body { font: 15px/1.45 "DejaVu Sans", Verdana, Arial, sans-serif; margin: 0 auto; max-width: 1180px; padding: 24px; }
h1 { font-size: 1.7em; margin: 0 0 0.2em; }
h2 { border-bottom: 2px solid var(--ink); font-size: 1.3em; margin: 2em 0 0.6em; padding-bottom: 0.15em; }
h3 { font-size: 1.08em; margin: 1.6em 0 0.4em; }
p { margin: 0.5em 0; max-width: 52em; }
nav ul { columns: 2; margin: 0.6em 0; padding-left: 1.2em; }
a { color: #004a80; }
small, .soft { color: var(--soft); font-size: 0.84em; }
code { background: var(--pale); font: 0.88em "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--pale); overflow-x: auto; padding: 0.6em; white-space: pre-wrap; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.87em; margin: 0.5em 0 1em; width: 100%; }
caption { font-weight: bold; padding: 0.4em 0; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: 0.3em 0.6em 0.3em 0; text-align: left; vertical-align: top; }
thead th { border-bottom: 1.5px solid var(--ink); vertical-align: bottom; }
tbody th { font-weight: normal; }
.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
td small, th small { display: block; overflow-wrap: anywhere; }
td ul { margin: 0; padding-left: 1.1em; }
.likely { color: #00563f; }
.unlikely { color: #8a3700; }
.untested { color: var(--soft); }
details { margin: 0.4em 0 1em; }
summary { color: #004a80; cursor: pointer; }
figure { margin: 0.8em 0 1.4em; }
figure svg { display: block; height: auto; width: 100%; }
figcaption { color: var(--soft); font-size: 0.84em; max-width: 62em; }
@page { margin: 14mm 12mm; size: A4; }
@media print {
  body { font-size: 9.5pt; max-width: none; padding: 0; }
  a { color: inherit; text-decoration: none; }
  h2 { break-before: page; }
  h2.flows { break-before: auto; }
  h2, h3, caption { break-after: avoid; }
  tr, figure, pre { break-inside: avoid; }
  thead { display: table-header-group; }
  .wide { overflow: visible; }
}
"""


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading: ``name`` is its anchor; one that ``flows`` begins no new page in print."""

    name: str
    title: str
    content: Sequence[Element]
    flows: bool = False


def element(tag: str, *content: Content, **attributes: str) -> Element:
    """An element with texts and elements in it; an attribute may end in _ where Python has a word of that name."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()})
    add(made, content)
    return made


def add(parent: Element, content: Iterable[Content]) -> None:
    """Append texts and elements."""
    for part in content:
        if isinstance(part, Element):
            parent.append(part)
        elif len(parent):
            parent[-1].tail = (parent[-1].tail or "") + part
        else:
            parent.text = (parent.text or "") + part


def paragraph(*content: Content) -> Element:
    """A paragraph."""
    return element("p", *content)


def spans(text: str) -> list[Content]:
    """A text whose parts between backticks are code; as it stands where a backtick is without its pair."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [text]
    return [element("code", part) if place % 2 else part for place, part in enumerate(parts) if part]


def heading(text: str) -> Element:
    """The heading of a part of a section."""
    return element("h3", text)


def table(
    headings: Mapping[str, str],
    rows: Iterable[Mapping[str, Cell]],
    title: str = "",
    numbers: str = "",
    widths: Mapping[str, float] | None = None,
) -> Element:
    """A table with a heading for each key of its rows, the first of which names the row.

    ``numbers`` lists the keys, by blank, that are set to the right and do not wrap; ``widths`` are shares of the
    table's, where the content is not to decide.
    """
    wide = {key: {"style": f"width: {100.0 * share:.0f}%"} for key, share in (widths or {}).items()}
    right = set(numbers.split())
    made = element("table")
    if title:
        made.append(element("caption", title))
    top = [
        element("th", text, scope="col", **_look(key in right), **wide.get(key, {}))
        for key, text in headings.items()
    ]
    made.append(element("thead", element("tr", *top)))
    body = element("tbody")
    first = next(iter(headings))
    for row in rows:
        line = element("tr")
        for key in headings:
            cell = row.get(key, "")
            parts: Sequence[Content] = [cell] if isinstance(cell, str | Element) else cell
            if key == first:
                line.append(element("th", *parts, scope="row"))
            else:
                line.append(element("td", *parts, **_look(key in right)))
        body.append(line)
    made.append(body)
    return element("div", made, class_="wide")


def details(summary: str, *content: Content) -> Element:
    """What a reader opens when it matters."""
    return element("details", element("summary", summary), *content)


def picture(drawing: Element, caption: str = "") -> Element:
    """A drawing with the sentence that says what it shows, where the drawing does not say it."""
    return element("figure", drawing, *([element("figcaption", caption)] if caption else []))


def listing(items: Iterable[Content]) -> Element:
    """A list."""
    return element("ul", *(element("li", item) for item in items))


def page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", STYLE),
    )
    contents = listing(element("a", section.title, href=f"#{section.name}") for section in sections)
    body = element(
        "body", element("h1", title), element("p", subtitle, class_="soft"), element("nav", contents)
    )
    for section in sections:
        look = {"class_": "flows"} if section.flows else {}
        body.append(
            element("section", element("h2", section.title, **look), *section.content, id=section.name)
        )
    written = ElementTree.tostring(element("html", head, body, lang="en"), encoding="unicode", method="html")
    return f"<!DOCTYPE html>\n{written}\n"


def save(out: str | Path, made: Callable[[], str]) -> None:
    """Make a document and write it into a file, whole or not at all where that is a file of a disk and no pipe.

    Raises ChartError where it cannot be written.
    """
    file = Path(out)
    if not file.absolute().parent.is_dir():  # said before the work and not after it
        raise ChartError(f"cannot write {out}: there is no folder {file.parent}")
    text = made()
    # No other file may take the place of a link, as /dev/stdout, or a pipe.
    plain = not file.is_symlink() and (file.is_file() or not file.exists())
    try:
        with replacing(file) if plain else nullcontext(file) as place:
            place.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ChartError(f"cannot write {out}: {(error.strerror or str(error)).lower()}") from None


def _look(number: bool) -> dict[str, str]:
    return {"class_": "number"} if number else {}
