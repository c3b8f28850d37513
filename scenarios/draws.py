"""Draws beside a scenario: points over some of its parameters, such as a posterior, in a CSV file of its name."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.parameters import Parameters, table
from model.quotation import quoted
from scenarios.design import DesignError, Point
from scenarios.document import SUFFIX, find
from scenarios.folder import as_store_error
from scenarios.version import results_hash
from scenarios.world import digest

ENDING = ".csv"
MOST_BYTES = 50_000_000
"""A longer file is a slip; ten thousand draws of a hundred parameters take 10 MB."""

COMMENT, COLON = "# ", ": "
CODE, TABLE = "code", "parameters"


@dataclass(frozen=True)
class Draws:
    """Equally weighted points, and what the head of their file says of them.

    Attributes:
        points: values by parameter.
        about: lines of the head by key: how and when they were made, with which code and parameter table.
    """

    points: tuple[Point, ...]
    about: Mapping[str, str] = field(default_factory=dict)

    def first(self, count: int) -> list[Point]:
        """So many of the draws, evenly spaced. Raises DesignError when there are not so many."""
        if not 1 <= count <= len(self.points):
            raise DesignError(
                f"--draws {count}: there are {len(self.points)} draws; ask for 1 to {len(self.points)}"
            )
        return [self.points[(2 * place + 1) * len(self.points) // (2 * count)] for place in range(count)]

    def stale(self) -> str:
        """A sentence when the parameter table or the code is no longer what they were made with; else nothing."""
        if self.about.get(TABLE, "") != table_hash(self.points[0]):
            return "the ranges of these parameters have changed since the draws were made; calibrate again"
        if self.about.get(CODE, "") != results_hash():
            return "the code has changed since the draws were made; they may no longer fit the observations as well"
        return ""


def read(scenario: str | Path) -> Draws:
    """The draws beside a scenario, by name or by the path of its TOML file.

    Raises ScenarioError when there is no such scenario, DesignError when it has no draws or these cannot be read, and
    ParameterError for a parameter that does not exist or cannot take a value.
    """
    file = find(scenario)
    name = file.name.removesuffix(SUFFIX) + ENDING
    beside = Path(str(file)).parent / name
    if not beside.is_file():
        raise DesignError(f"{scenario} has no draws: there is no {name} beside {file.name}")
    try:
        with beside.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise DesignError(f"{name} is longer than {MOST_BYTES:,} bytes: these are no draws")
        return _parsed(raw.decode("utf-8-sig"), name)
    except UnicodeDecodeError:
        raise DesignError(f"{name} is not UTF-8 text: these are no draws") from None
    except OSError as error:
        raise DesignError(f"cannot read {name}: {error.strerror}") from None


def write(path: Path, points: Sequence[Mapping[str, float]], about: Mapping[str, str]) -> None:
    """Write draws into a CSV file whose head says how they were made. Raises StoreError when it cannot be written."""
    head = {**about, CODE: results_hash(), TABLE: table_hash(points[0])}
    written = io.StringIO()
    for key, text in head.items():
        written.write(f"{COMMENT}{key}{COLON}{' '.join(text.split())}\n")
    rows = csv.DictWriter(written, list(points[0]), lineterminator="\n")
    rows.writeheader()
    rows.writerows({name: f"{value:.6g}" for name, value in point.items()} for point in points)
    with as_store_error(path):
        path.write_text(written.getvalue(), encoding="utf-8", newline="\n")


def table_hash(names: Mapping[str, float]) -> str:
    """A hash of what the parameter table says of some parameters: ranges and distributions."""
    known = table()
    return digest([[n, known[n].low, known[n].high, known[n].distribution] for n in names if n in known])


def _parsed(text: str, name: str) -> Draws:
    lines = text.splitlines()
    head = [line.removeprefix(COMMENT) for line in lines if line.startswith(COMMENT)]
    about = dict(line.split(COLON, 1) for line in head if COLON in line)
    try:
        names, *rows = list(csv.reader(line for line in lines if line and not line.startswith("#"))) or [[]]
    except csv.Error as error:
        raise DesignError(f"{name} is no CSV file: {error}") from None
    if not rows:
        raise DesignError(f"{name} holds no draws; calibrate again")
    twice = [each for each in names if names.count(each) > 1]
    if twice:
        raise DesignError(f"{name} has two columns {quoted(twice[0])}; leave one of them out")
    try:
        points = [dict(zip(names, map(float, row), strict=True)) for row in rows]
    except ValueError:
        raise DesignError(
            f"{name} holds a cell that is no number, or a row of another length; calibrate again"
        ) from None
    for point in points:
        Parameters.resolve(point)  # says which parameter does not exist, or cannot take its value
    return Draws(tuple(points), about)
