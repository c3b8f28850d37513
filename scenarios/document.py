"""Scenario files before their meaning: where they are found, what may be read, and the TOML in them."""

from __future__ import annotations

import datetime
import io
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO, Any

from model.quotation import quoted
from scenarios.fault import Fault, ScenarioError, nearest, printable
from scenarios.lines import Keys, lines

SUFFIX = ".toml"
MOST_BYTES = 200_000
"""A longer file is no scenario."""

DEEPEST = 8
"""No key of a scenario lies so many tables deep."""

WHOLE_NUMBERS = 2**63
"""TOML's whole numbers have 64 bits."""

PLAIN_NAME = re.compile(r"\w[\w. -]*")
"""A name of a scenario, or of a file without its folder."""


@dataclass(frozen=True)
class Document:
    """A scenario file as TOML: its content, and the line of every key."""

    file: Traversable
    content: Mapping[str, Any]
    lines: Mapping[Keys, int]

    @property
    def name(self) -> str:
        """The name of the scenario: that of the file without its ending, with what is no text written out."""
        return printable(Path(self.file.name).stem)

    def line(self, keys: Keys) -> int:
        """The line of a key, or of the nearest table around it that stands in the file; 0 for the whole file."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 0)

    def fault(self, keys: Keys, text: str) -> Fault:
        """A fault of this file at a key."""
        return Fault(self.file.name, self.line(keys), text)


class Text(Traversable):
    """A file that came as text, as an upload does: it lies in no folder."""

    def __init__(self, name: str, text: str) -> None:
        # Half a character, as a browser may send, is refused where the text is read.
        self._name, self._raw = name, text.encode("utf-8", "surrogatepass")

    @property
    def name(self) -> str:
        """What faults call it."""
        return self._name

    def open(self, mode: str = "r", *arguments: Any, **options: Any) -> IO[Any]:
        """Its bytes, or its text."""
        raw = io.BytesIO(self._raw)
        return raw if "b" in mode else io.TextIOWrapper(raw, encoding="utf-8")

    def read_bytes(self) -> bytes:
        """Its bytes."""
        return self._raw

    def read_text(self, encoding: str | None = None, *arguments: Any) -> str:
        """Its text."""
        return self._raw.decode(encoding or "utf-8")

    def is_file(self) -> bool:
        """It is one."""
        return True

    def is_dir(self) -> bool:
        """It is none."""
        return False

    def iterdir(self) -> Iterator[Traversable]:
        """Nothing lies in it."""
        return iter(())

    def joinpath(self, *descendants: Any) -> Traversable:
        """Nothing lies in it. Raises FileNotFoundError."""
        raise FileNotFoundError(self._name)

    __truediv__ = joinpath


def library_files() -> list[Traversable]:
    """The files that come with Undercut, the baseline first and then by name."""
    folder = resources.files("scenarios").joinpath("library")
    files = [file for file in folder.iterdir() if file.name.endswith(SUFFIX)]
    return sorted(files, key=lambda file: (file.name != f"baseline{SUFFIX}", file.name))


def names() -> list[str]:
    """Names of the scenarios that come with Undercut."""
    return [Path(file.name).stem for file in library_files()]


def find(name_or_path: str | Path) -> Traversable:
    """The file that a user means by a name of the library or by a path. Raises ScenarioError."""
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(SUFFIX) or "/" in text or "\\" in text:
        path = Path(name_or_path)
        if not _is_file(path):
            raise ScenarioError(f"there is no scenario file {text}; give the path of a {SUFFIX} file")
        return path
    return in_library(text)


def in_library(name: str) -> Traversable:
    """The file of a scenario of the library. Raises ScenarioError, with the nearest name, when there is none."""
    for file in library_files():
        if file.name == name + SUFFIX:
            return file
    hint = nearest(name, names()) or "`undercut scenario list` lists them all"
    raise ScenarioError(f"no scenario is named {quoted(name)}; {hint}")


def extended(name: str, folder: Path | None) -> Traversable:
    """The file that ``extends = name`` means in a file of ``folder`` (None for the library).

    A file can reach the library and its own folder, and nothing else: the name is plain, and a link that
    leads out of the folder is refused.

    Raises:
        ScenarioError: the name is not plain, or nothing is called so; the sentence has no file and no line.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise ScenarioError(
            f"extends = {quoted(name)}: write the name of a scenario of the library, or of a {SUFFIX} file in the "
            "same folder, without a path"
        )
    if folder is None:
        return in_library(name.removesuffix(SUFFIX))
    if not name.endswith(SUFFIX):
        if name not in names() and _is_file(folder / (name + SUFFIX)):
            raise ScenarioError(
                f"no scenario of the library is named {quoted(name)}; for the file in the same folder write "
                f"extends = {quoted(name + SUFFIX)}"
            )
        return in_library(name)
    path = folder / name
    if not _is_file(path):
        beside = sorted(p.name for p in folder.iterdir() if p.suffix == SUFFIX)
        hint = f"; {said}" if (said := nearest(name, beside)) else ""
        raise ScenarioError(f"there is no file {name} in the same folder{hint}")
    if path.resolve().parent != folder.resolve():
        raise ScenarioError(f"{name} is a link out of the folder: a scenario can extend files beside it only")
    return path


def read(file: Traversable) -> Document:
    """The TOML of a file. Raises ScenarioError when it cannot be read, or holds what no scenario can."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ScenarioError(f"{file.name} is longer than {MOST_BYTES:,} bytes: that is no scenario")
        # Editors of Windows put a mark at the start, and end lines in two characters.
        return parse(file, raw.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{file.name} is not TOML: it is not UTF-8 text ({error.reason})") from None
    except OSError as error:
        raise ScenarioError(f"cannot read {file.name}: {error.strerror}") from None


def parse(file: Traversable, text: str) -> Document:
    """The TOML of a text that stands in ``file``. Raises ScenarioError as :func:`read` does."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{file.name} is not TOML: {str(error)[0].lower()}{str(error)[1:]}") from None
    except (RecursionError, ValueError):
        # tomllib itself gives up on brackets in brackets without end, and on numbers of thousands of digits.
        raise ScenarioError(
            f"{file.name} nests too deep or has too long a number: that is no scenario"
        ) from None
    _check_depth(file.name, content)
    document = Document(file, content, lines(text))
    _check_values(document)
    return document


def loose(name: str, content: Mapping[str, Any]) -> Document:
    """What a file could hold and no file does, so that it has no lines. Raises ScenarioError as :func:`read` does."""
    _check_depth(name, content)
    document = Document(Text(name, ""), content, {keys: 0 for keys, _ in _values(content)})
    _check_values(document)
    return document


def _check_depth(name: str, content: Mapping[str, Any]) -> None:
    deep = next((keys for keys, _ in _values(content) if len(keys) >= DEEPEST), None)
    if deep is not None:
        raise ScenarioError(f"{name}: {quoted(deep[0])} nests too deep: that is no scenario")


def _check_values(document: Document) -> None:
    faults = [
        document.fault(keys, f"{keys[-1]}: {said}")
        for keys, value in _values(document.content)
        if (said := _strange(value))
    ]
    if faults:
        raise ScenarioError(*map(str, faults))


def _strange(value: object) -> str:
    """Why a value of TOML has no place in a scenario, if so."""
    if isinstance(value, (datetime.date, datetime.time)):
        return f'{value} is a date, expected a quarter in quotes, as "2026Q2"'
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is not finite, expected a number"
    if isinstance(value, int) and not -WHOLE_NUMBERS <= value < WHOLE_NUMBERS:
        return "expected a number of at most 64 bits"
    if isinstance(value, str) and any("\ud800" <= each <= "\udfff" for each in value):
        return "half of a character, expected text"
    return ""


def _values(content: Mapping[str, Any]) -> Iterator[tuple[Keys, Any]]:
    """Every value in the order of the file, with the way to it, no deeper than a scenario may nest."""
    waiting: list[tuple[Keys, Any]] = [((), content)]
    while waiting:
        keys, value = waiting.pop()
        if keys:
            yield keys, value
        if len(keys) >= DEEPEST:
            continue
        if isinstance(value, Mapping):
            waiting += [((*keys, key), inner) for key, inner in reversed(list(value.items()))]
        elif isinstance(value, list):
            waiting += [((*keys, i), inner) for i, inner in reversed(list(enumerate(value)))]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # names that no file can have, as one with a zero byte
        return False
