"""Writes the generated parts of the documents, what code and tables declare, and the schema of scenario files.

    python docs/generate.py            write them
    python docs/generate.py --check    write nothing; say which are out of date, and end with status 1

A part stands between ``<!-- generated:NAME -->`` and ``<!-- /generated -->`` in any document of this folder.
To add one, add a function to ``PARTS`` and the two markers to a document.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
if str(ROOT) not in sys.path:  # so that it runs from anywhere, installed or not
    sys.path.insert(0, str(ROOT))

OPEN, CLOSE = "<!-- generated:{} -->", "<!-- /generated -->"
BLOCK = re.compile(r"<!-- generated:(?P<name>[^>]*?) -->\n(?P<body>.*?)<!-- /generated -->", re.DOTALL)
EVENT = re.compile(r"^\s*(?P<call>[\w.]+)\(.*\)\s*# (?P<number>\d)\. (?P<what>.+)$")


def cell(value: object) -> str:
    """One cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines)


def code(name: str) -> str:
    """A name as code; nothing stays nothing."""
    return f"`{name}`" if name else ""


def quarter() -> str:
    """The events of a quarter, read from the step of the market."""
    from model import market

    rows = []
    for line in inspect.getsource(market.Market.step).splitlines():
        found = EVENT.match(line)
        if not found:
            continue
        owner, _, name = found["call"].rpartition(".")
        module = market if owner == "self" else getattr(market, owner)
        name = f"Market.{name}" if owner == "self" else name
        place = Path(str(module.__file__)).relative_to(ROOT).as_posix()
        rows.append((found["number"], found["what"], f"`{place} {name}`"))
    if [number for number, _, _ in rows] != [str(n + 1) for n in range(len(rows))] or not rows:
        raise ValueError("Market.step should mark its events in order, as `call(self)  # 1. what happens`")
    return table(("event", "what happens", "where"), rows)


def firms() -> str:
    """The firms at the start by kind, from the table of facts."""
    from model.parameters import Parameters

    facts = Parameters.resolve().facts("firms")
    kinds = list(dict.fromkeys(str(row["kind"]) for row in facts))
    rows = []
    for kind in kinds:
        names = [f"{row['firm']} ({row['origin']})" for row in facts if row["kind"] == kind]
        rows.append((kind, len(names), ", ".join(names)))
    return table(("kind", "firms", "names (jurisdiction)"), rows)


def parameters() -> str:
    """Every scalar of ``model/parameters.csv`` by group, with its range, unit and source."""
    from model.groups import GROUPS, grouped
    from model.parameters import Parameter, scalars

    def row(p: Parameter) -> tuple[str, ...]:
        span = "fixed" if p.distribution == "fixed" else f"{p.low:g} to {p.high:g}, {p.distribution}"
        return code(p.name), f"{p.default:g}", span, p.unit, p.description, f"{p.source} ({p.date})"

    header = ("parameter", "default", "range and distribution", "unit", "what it is", "source (date)")
    known = scalars()
    return "\n\n".join(
        f"**{title}**\n\n{table(header, (row(known[name]) for name in names))}"
        for title, names in grouped(list(known), GROUPS).items()
    )


def facts() -> str:
    """The numbers in the tables of facts: how a cell is named, its unit, and what a study may make of it."""
    from model.parameters import described_columns, fact_table

    rows = []
    for name, columns in described_columns().items():
        cells = fact_table(name)
        for column in columns:
            count = sum(names.get(column["column"], "") != "" for names in cells.names)
            low, high = float(column["low_factor"] or 1.0), float(column["high_factor"] or 1.0)
            span = "fixed" if low == high == 1.0 else f"x {low:g} to {high:g}"
            key = f"`{name}.<{column['key_columns'].replace('/', '>.<')}>.{column['column']}`"
            rows.append((key, count, column["unit"], span, column["description"]))
    return table(("parameter", "cells", "unit", "study range", "what it is"), rows)


def tables() -> str:
    """The recorded tables with the unit of every column, from ``model/schema.csv``."""
    from model.records import tables as recorded

    parts = []
    for name, columns in recorded().items():
        rows = ((code(c.column), c.dtype, c.unit, c.description) for c in columns)
        parts.append(f"**{code(name)}**\n\n{table(('column', 'type', 'unit', 'what it is'), rows)}")
    return "\n\n".join(parts)


def metrics() -> str:
    """Every metric that claims and observations are judged by."""
    from evidence.metrics import METRICS

    rows = (
        (code(m.name), m.unit, m.description, ", ".join(code(t) for t in m.tables)) for m in METRICS.values()
    )
    return table(("metric", "unit", "definition", "reads"), rows)


def claims() -> str:
    """Every claim of the two articles with the metric and the band that judge it."""
    from evidence.claims import ARTICLES, KINDS, Claim
    from evidence.claims import claims as registry

    def row(claim: Claim) -> tuple[str, ...]:
        statement = f"{claim.statement} ({claim.reading})" if claim.reading else claim.statement
        measured = f"{code(claim.metric)}, {claim.subject}" if claim.subject else code(claim.metric)
        measured += f", {claim.period}"
        if claim.effect:
            measured += f"; {code(claim.effect)} of {', '.join(code(world) for world in claim.worlds)}"
        if claim.driven_by_assumption:
            measured += f"; driven by assumption: {claim.driven_by_assumption}"
        return code(claim.id), statement, f"{claim.figure} {claim.unit}", measured

    header = ("claim", "statement (reading)", "holds if", "measured as")
    return "\n\n".join(
        f"**{ARTICLES[article].capitalize()}: {kind}s**\n\n{table(header, map(row, members))}"
        for article in ARTICLES
        for kind in KINDS
        if (members := [c for c in registry() if (c.article, c.kind) == (article, kind)])
    )


def effects() -> str:
    """How a claim about a cause compares a run with the same seed in another world."""
    from evidence.effects import DESCRIPTIONS

    return table(("effect", "what it measures"), ((code(name), text) for name, text in DESCRIPTIONS.items()))


def shocks() -> str:
    """The kinds of shock that a scenario file can name, with the keys that they take."""
    from scenarios.shocks import KINDS

    rows = (
        (code(name), first_sentence(kind), ", ".join(map(shock_key, dataclasses.fields(kind))))  # type: ignore[arg-type]
        for name, kind in KINDS.items()
    )
    return table(("kind", "what it does", "keys (with defaults)"), rows)


def shock_key(field: dataclasses.Field[object]) -> str:
    """A key of a shock, as a file would write its default."""
    from scenarios.toml import value

    if field.default_factory is not dataclasses.MISSING:
        return code(f"{field.name} = {value(field.default_factory())}")
    if field.default is dataclasses.MISSING:
        return code(field.name)
    return code(field.name) + (
        " (may be left out)" if field.default is None else f" = {code(value(field.default))}"
    )


def scenarios() -> str:
    """The scenarios that come with Undercut."""
    from scenarios.scenario import library

    rows = ((code(s.name), s.title, ", ".join(str(k["kind"]) for k in s.shocks) or "none") for s in library())
    return table(("scenario", "title", "shocks"), rows)


def first_sentence(thing: object) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]


PARTS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        part.__name__: part
        for part in (quarter, firms, parameters, facts, tables, metrics, claims, effects, shocks, scenarios)
    }
)
"""What a document may ask to be generated, by the name in its marker."""


def render(text: str, parts: Mapping[str, Callable[[], str]] = PARTS) -> str:
    """A document with its generated parts as the code now has them.

    Raises:
        ValueError: a marker names an unknown part, or is not closed.
    """

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in parts:
            raise ValueError(f"nothing generates {name!r}; write one of {', '.join(parts)}")
        return f"{OPEN.format(name)}\n\n{parts[name]()}\n\n{CLOSE}"

    whole = BLOCK.findall(text)
    if not len(whole) == text.count("<!-- generated:") == text.count(CLOSE) or any(
        "<!-- generated:" in body for _, body in whole
    ):
        raise ValueError(f"each <!-- generated:NAME --> needs its own {CLOSE} after it")
    return BLOCK.sub(block, text)


def documents() -> Iterator[Path]:
    """The documents with generated parts."""
    for path in sorted(DOCS.glob("*.md")):
        if "<!-- generated:" in path.read_text(encoding="utf-8"):
            yield path


def files() -> Iterator[tuple[Path, str]]:
    """Every file with something generated, and what it should hold: the documents, the schema of scenarios."""
    from scenarios import schema

    for path in documents():
        yield path, render(path.read_text(encoding="utf-8"))
    yield ROOT / "scenarios" / schema.FILE, schema.text()


def main(arguments: Sequence[str]) -> int:
    """Write the files, or check them; returns the exit status."""
    if set(arguments) - {"--check"}:
        print(f"{Path(__file__).name} takes --check and nothing else", file=sys.stderr)
        return 2
    stale = []
    for path, fresh in files():
        if path.is_file() and fresh == path.read_text(encoding="utf-8"):
            continue
        stale.append(path.name)
        if "--check" not in arguments:
            path.write_text(fresh, encoding="utf-8")
            print(f"wrote {path.name}")
    if "--check" in arguments and stale:
        print(f"out of date: {', '.join(stale)}; run `python docs/generate.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
