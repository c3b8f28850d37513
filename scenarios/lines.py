"""Where in a TOML file each key stands, which the parser of the standard library does not say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

Keys = tuple[str | int, ...]
"""The way to a value: names of keys, and numbers of elements counted from 0, as ``("shocks", 0, "kind")``."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
# A multi-line string may end in one or two quotes of its own before the three that close it.
_STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL
)
# A number, a word or a date; dates may hold a space.
_BARE = re.compile(r"[^,\[\]{}#\n]+")


def lines(text: str) -> dict[Keys, int]:
    """The line, counted from 1, of every key, table and element of a text that tomllib has accepted.

    A table has the line of the first header or dotted key that makes it, an element of an array of tables
    that of its header. Give it nothing that tomllib refuses: the answer would mean nothing.
    """
    return _Scan(text).run()


class _Scan:
    """One pass over a text, with the place that it has reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Keys, int] = {}
        self.tables: dict[Keys, int] = {}  # how many elements each array of tables has so far
        self.line = 1
        self.counted = 0  # up to where lines are counted

    def run(self) -> dict[Keys, int]:
        prefix: Keys = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                prefix = self.header()
            else:
                self.pair(prefix)
            self.skip(_BLANK)
        return self.found

    def header(self) -> Keys:
        """Read ``[a.b]`` or ``[[a.b]]``; returns the way to the table that it opens."""
        line = self.here()
        is_array = self.text.startswith("[[", self.at)
        self.at += 1 + is_array
        way: Keys = ()
        keys = list(self.dotted())
        for i, key in enumerate(keys, start=1):
            way = (*way, key)
            self.found.setdefault(way, line)
            if is_array and i == len(keys):
                self.tables[way] = self.tables.get(way, 0) + 1
            if way in self.tables:
                way = (*way, self.tables[way] - 1)
                self.found.setdefault(way, line)
        self.at += 1 + is_array
        return way

    def pair(self, prefix: Keys) -> None:
        """Read ``a.b = value``."""
        line = self.here()
        way = prefix
        for key in self.dotted():
            way = (*way, key)
            self.found.setdefault(way, line)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(way)

    def value(self, way: Keys) -> None:
        if self.text.startswith("[", self.at):
            self.elements(way)
        elif self.text.startswith("{", self.at):
            self.inline(way)
        elif not self.skip(_STRING) and not self.skip(_BARE):
            self.at += 1  # never stand still, whatever the text

    def elements(self, way: Keys) -> None:
        """Read ``[value, ...]``."""
        self.at += 1
        self.skip(_BLANK)
        number = 0
        while self.at < len(self.text) and self.text[self.at] != "]":
            self.found[*way, number] = self.here()
            self.value((*way, number))
            number += 1
            self.comma()
        self.at += 1

    def inline(self, way: Keys) -> None:
        """Read ``{a = value, ...}``."""
        self.at += 1
        self.skip(_BLANK)
        while self.at < len(self.text) and self.text[self.at] != "}":
            self.pair(way)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.skip(_BLANK)
        if self.text.startswith(",", self.at):
            self.at += 1
            self.skip(_BLANK)

    def dotted(self) -> Iterator[str]:
        """Read ``a . "b" . c`` with the space around it."""
        while True:
            self.skip(_SPACE)
            part = _KEY.match(self.text, self.at)
            if part is None:
                self.at += 1  # never stand still, whatever the text
                return
            self.at = part.end()
            yield _name(part[0])
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return
            self.at += 1

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Step over what a pattern matches here; returns whether that is anything."""
        match = pattern.match(self.text, self.at)
        before, self.at = self.at, match.end() if match else self.at
        return self.at > before

    def here(self) -> int:
        """The line that the scan has reached."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line


def _name(token: str) -> str:
    """The name that a bare or quoted key stands for."""
    if token[0] not in "\"'":
        return token
    name: str = tomllib.loads(f"name = {token}")["name"]
    return name
