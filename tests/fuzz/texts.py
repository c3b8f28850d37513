"""Strategies for what users write: right, nearly right, and nothing like it."""

from __future__ import annotations

import base64
import json
import os
import zlib
from functools import cache
from importlib import resources
from urllib.parse import urlencode

from hypothesis import strategies as st

from model.parameters import scalars, table
from scenarios.document import library_files, names
from scenarios.part import fields
from scenarios.shocks import KINDS
from tests.fuzz.damage import damaged

ODD_NUMBERS = """
0 1 -1 2.5 1e3 1e308 1e400 1e-400 -0.0 nan inf -inf 1_0 0x10 ٣ ½ 1. .5 +1 1,5 true True None on
"""
ODD_SIGNS = """
" ' = [ ] [[ ]] { } # , . é 😀 ../ /etc/passwd \\ %s {0} ${HOME} $(true) \""" ''' &amp; 1979-05-27
<script> </script> javascript:alert(1) ![x](//x) =cmd()
"""
ODD_WORDS = """
title notes seeds extends horizon parameters shocks drop kind quarter name value first record_from last
"2024Q1" "2026Q2" "1999Q9" __import__ __class__
"""
NUMBERS = (*ODD_NUMBERS.split(), "", " ", " 1 ", "9" * 18, "9" * 19, "9" * 40, "9" * 5000)
SIGNS = (
    *ODD_SIGNS.split(),
    *("\n", "\r", "\t", " ", "\0", "\x1b[31m", "\ufeff", "\ud800", "\u202e", "[" * 2000, "a." * 2000),
)
WORDS = ODD_WORDS.split()

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
    wrong = ["alpha_maen", "", "..", "__class__", "ALPHA_MEAN"]
    return [*scalars(), *cells[:: max(1, len(cells) // 50)], *wrong]


name = st.one_of(st.sampled_from(parameter_names()), raw)
token = st.one_of(st.sampled_from((*SIGNS, *WORDS, *NUMBERS)), raw, st.sampled_from(parameter_names()))


@st.composite
def edited(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text after a few slips: something inserted, deleted, replaced, doubled or cut off."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 40)))
        put = draw(st.one_of(st.just(""), token))
        after = (text[at:], text[until:], "")
        text = draw(st.sampled_from([*(text[:at] + put + rest for rest in after), text[:until] + text[at:]]))
    return text


part = st.one_of(number, st.tuples(number, number).map("-".join), raw)
seeds = edited(st.one_of(st.lists(part, max_size=5).map(",".join), st.sampled_from(["32", "1,2,5-8", "7-7"])))


def _in_range(of: str) -> st.SearchStrategy[tuple[str, str]]:
    """A parameter with a value that it can take."""
    low, high = sorted((table()[of].low, table()[of].high))
    return st.floats(low, high, allow_nan=False).map(lambda x: (of, repr(x)))


pair = st.one_of(
    st.sampled_from([name for name in parameter_names() if name in table()]).flatmap(_in_range),
    st.tuples(name, number),
)
assignment = edited(pair.map("=".join))
values = edited(st.tuples(name, st.lists(number, max_size=4).map(",".join)).map("=".join))
assignments = st.lists(assignment, max_size=4)
grids = st.lists(values, min_size=1, max_size=3)
method = edited(
    st.builds(
        "{}:{}{}".format,
        st.sampled_from(["lhs", "sobol", "random", "LHS", ""]),
        st.one_of(st.integers(0, 40).map(str), st.sampled_from(NUMBERS)),
        st.one_of(st.just(""), number.map(":{}".format)),
    )
)
samples = st.tuples(method, st.lists(name, max_size=3))

# ------------------------------------------------------------------------------------------------- options

odd_scenarios = st.sampled_from(["baseline", "base", "..", "/", ".", "a/b.toml", "\0", "con"])
scenario = st.one_of(odd_scenarios, edited(st.sampled_from(names())))
kept = st.one_of(number, number.map("sample:{}".format), st.sampled_from(["all", "headline", "none"]))
option = st.one_of(
    *(
        st.tuples(st.just(f"--{key}"), text).map("=".join)
        for key, text in {
            "set": assignment,
            "grid": values,
            "seeds": seeds,
            "sample": method,
            "over": st.lists(name, max_size=3).map(",".join),
            "draws": number,
            "enterprises": number,
            "keep": kept,
            "without": st.one_of(name, st.just("export-rules")),
            "counterfactual-seeds": number,
            "workers": number,
        }.items()
    )
)
scenario_arguments = st.lists(scenario.map(lambda text: text.lstrip("-")), max_size=2)  # or they are options
options = st.builds(list.__add__, scenario_arguments, st.lists(option, max_size=3))

# ------------------------------------------------------------------------------------------------- files

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
    any_value = st.one_of(scalar, st.lists(scalar, max_size=3))
    lines = [f"{key} = {toml(draw(any_value))}" for key in keys if key != "quarter"]
    return "\n".join([f'[[shocks]]\nkind = "{kind}"\nquarter = "{draw(quarter)}"', *lines])


@st.composite
def written(draw: st.DrawFn) -> str:
    """A scenario as somebody writes it."""
    head = [f"title = {toml(draw(raw))}"]
    if draw(st.booleans()):
        head.append(f"extends = {toml(draw(st.one_of(st.sampled_from(names()), raw)))}")
    if draw(st.booleans()):
        head.append(f"seeds = {toml(draw(st.one_of(seeds, scalar)))}")
    held = [f"{toml(n)} = {v or 0}" for n, v in draw(st.lists(pair, max_size=4))]
    ends = draw(st.sets(st.sampled_from(["first", "record_from", "last"])))
    horizon = [f'{key} = "{draw(quarter)}"' for key in sorted(ends)]
    made = draw(st.lists(shocks(), max_size=3))
    return "\n".join([*head, "[parameters]", *held, "[horizon]", *horizon, *made])


library = st.deferred(lambda: st.sampled_from([file.read_bytes() for file in library_files()]))
scenarios = edited(st.one_of(library.map(bytes.decode), written(), st.text(max_size=200)))


def encoded(text: str) -> bytes:
    """The bytes of a text, also of what is no Unicode."""
    return text.encode("utf-8", "surrogatepass")


files = st.one_of(scenarios.map(encoded), damaged(library))
file_names = edited(
    st.sampled_from(["mine.toml", "../../x.toml", "a\0.toml", "<script>.toml", "x.TOML", ".toml"])
)
# A name on a disk is bytes, but for zeros and slashes.
path_names = st.binary(max_size=20).map(
    lambda raw: f"{os.fsdecode(raw.translate(None, bytes([0]) + b'/'))}.toml"
)


@cache
def posterior() -> str:
    """The head of the draws that come with the library, and a few of them."""
    text = resources.files("scenarios").joinpath("library", "posterior.csv").read_text(encoding="utf-8")
    return "\n".join(text.splitlines()[:12]) + "\n"


columns = st.lists(name, min_size=1, max_size=4)
rows = st.lists(st.lists(number, max_size=5), max_size=4)
tables = st.builds(lambda head, body: "\n".join(map(",".join, [head, *body])), columns, rows)
draws = st.one_of(edited(st.one_of(st.builds(posterior), tables)).map(encoded), st.binary(max_size=80))

# --------------------------------------------------------------------------------------------- addresses


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode()


CHANGE = '{"kind":"set","quarter":"2024Q1","name":"alpha_mean","value":2}'
KEYS = {
    "scenario": st.one_of(st.sampled_from(names()), raw, st.just("mine.toml")),
    "seed": seeds,
    "value": pair.map(":".join),
    "next": pair.map(":".join),
    "act": st.one_of(
        st.fixed_dictionaries({"kind": st.sampled_from(sorted(KINDS)), "quarter": quarter}).map(json.dumps),
        edited(st.just(CHANGE)),
    ),
    "change": edited(st.just(CHANGE)),
    "file": st.one_of(scenarios.map(_packed), raw),
    "quarter": quarter,
    "firm": raw,
    "region": raw,
}
"""What the query of a link holds; a file among it."""

query = st.lists(
    st.sampled_from(sorted(KEYS)).flatmap(lambda key: st.tuples(st.just(key), KEYS[key])), max_size=5
).map(lambda parts: urlencode([(key, text.encode("utf-8", "replace")) for key, text in parts]))
queries = st.one_of(
    query, edited(query), damaged(query.map(str.encode)).map(lambda raw: raw.decode("utf-8", "replace"))
)
