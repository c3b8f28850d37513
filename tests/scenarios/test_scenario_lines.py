"""Every key of a TOML file is found on the line where it stands, however the file is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.lines import Keys, lines
from scenarios.toml import key, value


def ways(content: Any, way: Keys = ()) -> Iterator[Keys]:
    """The way to every value that the parser of the standard library finds."""
    inner = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for name, each in inner:
        yield (*way, name)
        yield from ways(each, (*way, name))


KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), st.sampled_from(["a.b", "", "ü #", '"', "="])
)
LONG = st.sampled_from(
    [
        '"""\n[no]\nx = 1\n"""',
        "'''\n# no\n[[no]]'''",
        '"""ends in quotes \\""""',
        '""""two"" \\\n\n  joined"""',
        "'''it''s'''''",
    ]
)
SHORT = st.one_of(
    st.integers(-9, 9).map(str),
    st.text(max_size=8).map(value),
    st.sampled_from(
        ["1979-05-27 07:32:00", "07:32:00.5", "1e-5", "nan", "true", "'[x] # \"'", '"a\\"]"', "[]", "{}"]
    ),
)
ARRAY = st.lists(st.one_of(SHORT, LONG), max_size=4)
SPACE = st.sampled_from(["", "\n", '# a = 1 [x] """ \'\n', "\n\n  # \n", "\t\n"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[Keys, int]]:
    """A TOML text, and where its author put each key and each header."""
    text, placed = "", {}

    def line() -> int:
        return text.count("\n") + 1

    def pairs(prefix: Keys) -> None:
        nonlocal text
        for name in draw(st.lists(KEYS, max_size=3, unique=True)):
            text += draw(SPACE) + draw(st.sampled_from(["", "  "]))
            placed[*prefix, name] = line()
            dotted = draw(st.booleans())
            if dotted:
                placed[*prefix, name, "in side"] = line()
            written = f"{key(name)} . 'in side'" if dotted else key(name)
            text += f"{written} = {draw(values(line(), (*prefix, name, *(['in side'] if dotted else []))))}"
            text += draw(st.sampled_from(["\n", " # why\n", "\t\n"]))

    @st.composite
    def values(draw: st.DrawFn, at: int, way: Keys) -> str:
        shape = draw(st.sampled_from(["plain", "array", "table"]))
        if shape == "plain":
            return draw(st.one_of(SHORT, LONG))
        if shape == "table":
            placed[*way, "k"] = placed[*way, "l"] = placed[*way, "l", 0] = at
            return "{ k = 1, l = ['}'] }"
        written = "["
        for i, element in enumerate(draw(ARRAY)):
            written += draw(SPACE)
            placed[*way, i] = at + written.count("\n")
            written += f"{element} ,"
        return written + draw(SPACE) + "]"

    pairs(())
    top = {way[0] for way in placed}
    for number in range(draw(st.integers(0, 3))):
        name = f"table {number}"
        assert name not in top
        text += draw(SPACE)
        placed[name,] = line()
        if draw(st.booleans()):
            text += f"[ {key(name)} ]\n"
            pairs((name,))
            continue
        for element in range(draw(st.integers(1, 3))):
            text += draw(SPACE) if element else ""
            placed[name, element] = line()
            text += f"[[{key(name)}]] # an element\n"
            pairs((name, element))
            if draw(st.booleans()):
                text += draw(SPACE)
                placed[name, element, "under"] = line()
                text += f"[{key(name)}.under]\n"
                pairs((name, element, "under"))
    return text, placed


@given(files())
def test_every_key_is_found_on_the_line_where_its_author_put_it(file: tuple[str, dict[Keys, int]]) -> None:
    text, placed = file
    content = tomllib.loads(text)
    found = lines(text)
    assert set(found) == set(ways(content))
    assert placed.items() <= found.items()


@given(st.text(alphabet="ab.=[]{},\"'\\# \n1", max_size=40))
def test_no_key_is_lost_in_an_odd_text(text: str) -> None:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines(text)) == set(ways(content))


@pytest.mark.parametrize(
    ("text", "way", "line"),
    [
        ("a = 1\n\nb = 2", ("b",), 3),
        ("[[shocks]]\nk = 1\n[[shocks]]\nk = 2", ("shocks", 1, "k"), 4),
        ("shocks = [\n{k = 1},\n{k = 2}]", ("shocks", 1, "k"), 3),
        ("[a]\n[a.b]\n[a.b.c]\nd = 1", ("a", "b", "c", "d"), 4),
        ('"a.b" = 1\na.b = 2', ("a", "b"), 2),
        ("x = '''\n\n\n'''\ny = 1", ("y",), 5),
    ],
)
def test_keys_are_counted_over_what_lies_between(text: str, way: Keys, line: int) -> None:
    assert lines(text)[way] == line
