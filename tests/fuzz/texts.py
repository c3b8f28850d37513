"""Strategies for what users write: right, nearly right, and nothing like it."""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from importlib import resources
from urllib.parse import urlencode

from hypothesis import strategies as st

from model.parameters import scalars, table
from scenarios.document import library_files, names
from scenarios.part import fields
from scenarios.shocks import KINDS

NUMBERS = (
    *(
        "0",
        "1",
        "-1",
        "2.5",
        "1e3",
        "1e308",
        "1e400",
        "-0.0",
        "nan",
        "inf",
        "1_0",
        "0x10",
        "٣",
        "1.",
        ".5",
        "+1",
        "",
    ),
    *("9" * 18, "9" * 19, "9" * 40, "9" * 5000, "1e-400", " 1 ", "true", "True", "None", "1,5", "½"),
)
SIGNS = (
    *(
        '"',
        "'",
        "=",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "#",
        ",",
        ".",
        "\n",
        "\r",
        "\t",
        " ",
        "\0",
        "\x1b[31m",
        "\ufeff",
    ),
    *(
        "\ud800",
        "\u202e",
        "é",
        "😀",
        "../",
        "/etc/passwd",
        "\\",
        "%s",
        "{0}",
        "${HOME}",
        "$(true)",
        '"""',
        "'''",
    ),
    *("<script>", "</script>", "&amp;", "1979-05-27", "[" * 2000, "a." * 2000),
)
WORDS = (
    *(
        "title",
        "notes",
        "seeds",
        "extends",
        "horizon",
        "parameters",
        "shocks",
        "drop",
        "kind",
        "quarter",
        "name",
    ),
    *("value", "first", "record_from", "last", '"2024Q1"', '"2026Q2"', '"1999Q9"', "__import__", "__class__"),
)

raw = st.text(max_size=60)
number = st.one_of(
    st.sampled_from(NUMBERS),
    st.floats().map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.integers(1, 40).map(str),
)


@cache
def parameter_names() -> list[str]:
    """Scalars, some cells of tables, and names of none."""
    cells = [name for name in table() if name not in scalars()]
    return [*scalars(), *cells[:: max(1, len(cells) // 50)], "alpha_maen", "", "__class__", "ALPHA_MEAN"]


name = st.one_of(st.sampled_from(parameter_names()), raw)
token = st.one_of(st.sampled_from((*SIGNS, *WORDS, *NUMBERS)), raw, st.sampled_from(parameter_names()))


@st.composite
def edited(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text after a few slips: something inserted, deleted, replaced, doubled or cut off."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 40)))
        what = draw(st.integers(0, 4))
        if what == 0:
            text = text[:at] + draw(token) + text[at:]
        elif what == 1:
            text = text[:at] + text[until:]
        elif what == 2:
            text = text[:at] + draw(token) + text[until:]
        elif what == 3:
            text = text[:until] + text[at:]
        else:
            text = text[:at]
    return text


part = st.one_of(number, st.tuples(number, number).map("-".join), raw)
seeds = edited(st.one_of(st.lists(part, max_size=5).map(",".join), st.sampled_from(["32", "1,2,5-8", "7-7"])))


def _in_range(names: list[str]) -> st.SearchStrategy[tuple[str, str]]:
    """A parameter with a value that it can take."""
    known = table()

    def values(of: str) -> st.SearchStrategy[tuple[str, str]]:
        p = known[of]
        low, high = sorted((p.low, p.high))
        return st.floats(low, high, allow_nan=False).map(lambda x: (of, repr(x)))

    return st.sampled_from([n for n in names if n in known]).flatmap(values)


pair = st.one_of(_in_range(parameter_names()), st.tuples(name, number))
assignments = st.lists(edited(pair.map("=".join)), max_size=4)
grids = st.lists(
    edited(st.tuples(name, st.lists(number, max_size=4).map(",".join)).map("=".join)), min_size=1, max_size=3
)
samples = st.tuples(
    edited(
        st.tuples(
            st.sampled_from(["lhs", "sobol", "random", "LHS", ""]),
            st.one_of(st.integers(0, 40).map(str), st.sampled_from(NUMBERS)),
            st.one_of(st.just(""), number.map(":{}".format)),
        ).map(lambda m: f"{m[0]}:{m[1]}{m[2]}")
    ),
    st.lists(name, max_size=3),
)

# ------------------------------------------------------------------------------------------------- files


@cache
def library_texts() -> list[str]:
    """The library, and every scenario as a file that stands alone."""
    return [file.read_text(encoding="utf-8") for file in library_files()]


quarter = st.one_of(
    st.builds("{}Q{}".format, st.integers(2022, 2029), st.integers(1, 4)),
    st.sampled_from(["2024Q5", "2024q1", "Q1", "9999Q4", "0000Q1", "2024Q1 "]),
)
scalar = st.one_of(
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    raw,
    quarter,
    st.sampled_from([1.0, 0.5, "China"]),
)


def toml(value: object) -> str:
    """A value as TOML, also those that no scenario may have."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


FIELDS = sorted({key for kind in KINDS for key in fields(kind)})


@st.composite
def shocks(draw: st.DrawFn) -> str:
    """A shock of a known kind with keys of its own and others, and values of all types."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    own = fields(kind)
    keys = draw(st.lists(st.sampled_from(own + own + FIELDS), max_size=6, unique=True))
    values = st.one_of(scalar, st.lists(scalar, max_size=3))
    lines = [f"{key} = {toml(draw(values))}" for key in keys if key != "quarter"]
    return "\n".join([f'[[shocks]]\nkind = "{kind}"\nquarter = "{draw(quarter)}"', *lines])


@st.composite
def written(draw: st.DrawFn) -> str:
    """A scenario as somebody writes it."""
    head = [f"title = {toml(draw(raw))}"]
    if draw(st.booleans()):
        head.append(f"extends = {toml(draw(st.one_of(st.sampled_from(names()), raw)))}")
    if draw(st.booleans()):
        head.append(f"seeds = {toml(draw(st.one_of(seeds, scalar)))}")
    values = [f"{toml(n)} = {v or 0}" for n, v in draw(st.lists(pair, max_size=4))]
    horizon = [
        f'{key} = "{draw(quarter)}"'
        for key in draw(st.sets(st.sampled_from(["first", "record_from", "last"])))
    ]
    made = draw(st.lists(shocks(), max_size=3))
    return "\n".join([*head, "[parameters]", *values, "[horizon]", *horizon, *made])


scenarios = edited(st.one_of(st.sampled_from(library_texts()), written(), st.text(max_size=200)))


@cache
def posterior() -> str:
    """The head of the draws that come with the library, and a few of them."""
    text = resources.files("scenarios").joinpath("library", "posterior.csv").read_text(encoding="utf-8")
    return "\n".join(text.splitlines()[:12]) + "\n"


@st.composite
def tables_of_draws(draw: st.DrawFn) -> str:
    """Columns of parameters, with rows that may not fit."""
    columns = draw(st.lists(name, min_size=1, max_size=4))
    rows = draw(st.lists(st.lists(number, max_size=5), max_size=4))
    return "\n".join(",".join(row) for row in [columns, *rows])


draws = st.one_of(
    edited(st.one_of(st.builds(posterior), tables_of_draws())).map(
        lambda t: t.encode("utf-8", "surrogatepass")
    ),
    st.binary(max_size=80),
)

# --------------------------------------------------------------------------------------------- addresses


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode()


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """The query of a link: keys of the page with values of all kinds, files in it among them."""
    values = {
        "scenario": st.one_of(st.sampled_from(names()), raw, st.just("mine.toml")),
        "seed": seeds,
        "value": pair.map(":".join),
        "next": pair.map(":".join),
        "act": st.one_of(
            st.fixed_dictionaries({"kind": st.sampled_from(sorted(KINDS)), "quarter": quarter}).map(
                json.dumps
            ),
            edited(st.just('{"kind":"set","quarter":"2024Q1","name":"alpha_mean","value":2}')),
        ),
        "change": edited(st.just('{"kind":"set","quarter":"2024Q1","name":"alpha_mean","value":2}')),
        "file": st.one_of(scenarios.map(_packed), raw),
        "quarter": quarter,
        "firm": raw,
        "region": raw,
    }
    keys = draw(st.lists(st.sampled_from(sorted(values)), max_size=5))
    query = [(key, draw(values[key])) for key in keys]
    return urlencode([(key, text.encode("utf-8", "replace")) for key, text in query])


queries = st.one_of(addresses(), edited(addresses()))
