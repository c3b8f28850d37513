"""The table of measurements: a row each, with median and quartiles, as text, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

DIGITS = 3
"""Significant digits of a printed number."""

WIDTHS = (40, 30, 10, 22, 5, 24, 8)
HEADS = ("measure", "size", "median", "quartiles", "n", "unit", "ratio")
FIELDS = ("part", "measure", "size", "unit", "median", "quartile1", "quartile3", "n", "ratio", "load")


@dataclass(frozen=True)
class Row:
    """One measure: its values in a unit, and its ratio to the reference of its part where there is one."""

    what: str
    size: str
    unit: str
    values: tuple[float, ...]
    ratio: float | None = None

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """First quartile, median and third quartile."""
        low, middle, high = np.quantile(self.values, [0.25, 0.5, 0.75])
        return float(low), float(middle), float(high)

    @property
    def median(self) -> float:
        """The median of the values."""
        return self.quartiles[1]

    def cells(self) -> tuple[str, ...]:
        """What the table says, under HEADS; one value has no spread."""
        low, middle, high = self.quartiles
        several = len(self.values) > 1
        spread = f"{number(low)} to {number(high)}" if several else ""
        ratio = "" if self.ratio is None else number(self.ratio)
        return self.what, self.size, number(middle), spread, str(len(self.values)), self.unit, ratio


Line = Row | str
"""What a part yields: a row, or a sentence that belongs to the table."""


@dataclass
class Part:
    """What one part of the benchmarks gave, and the load of the machine when it began."""

    name: str
    about: str
    load: float
    lines: list[Line] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        """Its measurements without its sentences."""
        return [line for line in self.lines if isinstance(line, Row)]


def number(value: float) -> str:
    """A number with DIGITS significant digits and commas, never in powers of ten above one."""
    if value == 0.0 or not np.isfinite(value):
        return f"{value:g}"
    places = DIGITS - 1 - int(np.floor(np.log10(abs(value))))
    return f"{round(value, places):,.{max(places, 0)}f}"


def text(line: Line) -> str:
    """A line for the screen."""
    if isinstance(line, str):
        return line
    what, size, middle, spread, n, unit, ratio = line.cells()
    return "".join(
        f"{cell:{side}{wide}}  "
        for cell, side, wide in zip(
            (what, size, middle, spread, n, unit, ratio), "<<>>><>", WIDTHS, strict=True
        )
    ).rstrip()


def heads() -> str:
    """The heads of the columns for the screen."""
    return "".join(
        f"{head:{side}{wide}}  " for head, side, wide in zip(HEADS, "<<>>><>", WIDTHS, strict=True)
    ).rstrip()


def markdown(machine: Sequence[str], parts: Sequence[Part]) -> str:
    """The whole as one document."""
    lines = ["# Benchmarks", "", *(f"- {said}" for said in machine)]
    for part in parts:
        lines += ["", f"## {part.name}", "", f"{part.about} Load of the machine before: {part.load:.2f}.", ""]
        if part.rows:
            lines += ["| " + " | ".join(HEADS) + " |", "| --- | --- | ---: | ---: | ---: | --- | ---: |"]
            lines += ["| " + " | ".join(row.cells()) + " |" for row in part.rows]
        lines += [f"\n{line}" for line in part.lines if isinstance(line, str)]
    return "\n".join(lines) + "\n"


def comma_separated(parts: Sequence[Part]) -> str:
    """The rows of all parts with all digits."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(FIELDS)
    for part in parts:
        for row in part.rows:
            low, middle, high = row.quartiles
            ratio = "" if row.ratio is None else row.ratio
            kept = (row.what, row.size, row.unit, middle, low, high, len(row.values), ratio)
            writer.writerow((part.name, *kept, part.load))
    return file.getvalue()


def power(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The exponent of the power law that fits values at several sizes best, by least squares of logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def grows(what: str, of: str, sizes: Sequence[float], values: Sequence[float]) -> str:
    """The sentence on growth: the exponent over all sizes, and that between the two largest."""
    said = f"{what} grows with the power {power(sizes, values):.2f} of {of} from {sizes[0]:,.0f} to {sizes[-1]:,.0f}"
    if len(sizes) > 2:
        said += f", {power(sizes[-2:], values[-2:]):.2f} between the two largest"
    return said
