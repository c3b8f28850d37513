"""The parameter table: every number the model uses, its range, unit and source; and its resolved values."""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, NoReturn

from model.quotation import brief, quoted

DISTRIBUTIONS = ("uniform", "loguniform", "normal", "triangular", "integer", "switch", "fixed")
COLUMNS = ("name", "default", "unit", "low", "high", "distribution", "description", "source", "date")
FACT_COLUMNS = ("table", "key_columns", "column", "unit", "low_factor", "high_factor", "description")
# Units that bound a value whatever the factors of evidence/columns.csv say.
UNIT_BOUNDS = {"share": (0.0, 1.0), "percent": (0.0, 100.0)}
SWITCH_UNIT = "0/1"
SWITCH_WORDS = {"true": 1.0, "on": 1.0, "yes": 1.0, "false": 0.0, "off": 0.0, "no": 0.0}


class ParameterError(ValueError):
    """A parameter that does not exist, or a value that it cannot take."""


@dataclass(frozen=True)
class Parameter:
    """One row of the parameter table.

    ``low`` and ``high`` bound what a run accepts and what a study draws: ``uniform`` and ``loguniform``
    between them, ``triangular`` with its mode at ``default``, ``normal`` around ``default`` and truncated at
    them, ``integer`` whole numbers, ``switch`` 0 or 1; ``fixed`` is not drawn.
    """

    name: str
    default: float
    unit: str
    low: float
    high: float
    distribution: str
    description: str
    source: str
    date: str

    def __post_init__(self) -> None:
        if self.distribution not in DISTRIBUTIONS:
            raise ParameterError(
                f"{self.name}: unknown distribution {self.distribution!r}; "
                f"write one of {', '.join(DISTRIBUTIONS)}"
            )
        if not all(math.isfinite(x) for x in (self.default, self.low, self.high)):
            raise ParameterError(f"{self.name}: default, low and high must be finite numbers")
        if self.distribution == "switch" and (self.low, self.high) != (0.0, 1.0):
            raise ParameterError(f"{self.name}: a switch ranges from 0 to 1")
        if self.distribution == "loguniform" and self.low <= 0.0:
            raise ParameterError(f"{self.name}: a loguniform parameter needs low above 0")
        self.accept(self.default)

    @property
    def allowed(self) -> str:
        """What a value may be, in words, with the unit."""
        unit = "" if self.unit in ("", "1", SWITCH_UNIT) else f" {self.unit}"
        if self.distribution == "switch":
            return "0 (off) or 1 (on)"
        whole = "a whole number from " if self.distribution == "integer" else ""
        return f"{whole}{self.low:g} to {self.high:g}{unit}"

    def accept(self, value: float | str) -> float:
        """Return ``value`` as a float if this parameter can take it; raise ParameterError otherwise."""
        if isinstance(value, str) and self.distribution == "switch":
            value = SWITCH_WORDS.get(value.strip().lower(), value)
        if isinstance(value, bool) and self.distribution != "switch":
            self._refuse(value, "is not a number")
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            self._refuse(value, "is not a number")
        if not math.isfinite(number):
            self._refuse(value, "is not finite")
        if not self.low <= number <= self.high:
            self._refuse(value, "is impossible")
        if self.distribution in ("integer", "switch") and number != math.floor(number):
            self._refuse(value, "is not a whole number")
        return number

    def _refuse(self, value: object, what: str) -> NoReturn:
        shown = brief(value if isinstance(value, str) else repr(value))
        raise ParameterError(
            f"{self.name} = {shown} {what}: allowed is {self.allowed}; the default is {self.default:g}"
        )


@dataclass(frozen=True)
class FactTable:
    """A wide table of evidence/: its rows, and for each numeric cell the name of its parameter."""

    rows: tuple[Mapping[str, str | float], ...]
    names: tuple[Mapping[str, str], ...]
    parameters: tuple[Parameter, ...]


class Parameters(Mapping[str, float]):
    """Resolved values of all parameters: a frozen mapping by name; scalars are attributes too.

    Made by :meth:`resolve`. Equal and hashed by value, and pickled as its overrides.
    """

    _values: dict[str, float]
    _overridden: dict[str, float]

    def __init__(self, values: Mapping[str, float], overridden: Mapping[str, float]) -> None:
        # Scalars sit in the instance's own dictionary: reading one costs a plain attribute look-up.
        space = self.__dict__
        space["_values"] = dict(values)
        space["_overridden"] = dict(overridden)
        space.update((name, values[name]) for name in scalars())

    @classmethod
    def resolve(cls, overrides: Mapping[str, float | str] | None = None) -> Parameters:
        """The table's defaults with ``overrides`` in their place.

        Raises ParameterError for a name that the table does not have (with the nearest names) and for a
        value that its parameter cannot take (with the allowed range and unit).
        """
        values = dict(_defaults())
        overridden: dict[str, float] = {}
        for name, value in (overrides or {}).items():
            number = declared(name).accept(value)
            if number != values[name]:
                overridden[name] = values[name] = number
        return cls(values, dict(sorted(overridden.items())))

    def changed(self, overrides: Mapping[str, float | str]) -> Parameters:
        """These values with ``overrides`` on top of their own; raises what :meth:`resolve` raises."""
        return Parameters.resolve({**self._overridden, **overrides})

    @property
    def overridden(self) -> dict[str, float]:
        """The values that differ from their defaults, by name, sorted."""
        return dict(self._overridden)

    def facts(self, name: str) -> list[dict[str, str | float]]:
        """The rows of the table ``evidence/<name>.csv`` with overrides applied.

        Columns that evidence/columns.csv describes are floats (an empty cell is nan), all others text.
        Raises ParameterError when there is no such table.
        """
        facts = fact_table(name)
        rows = [dict(row) for row in facts.rows]
        if self._overridden:
            for row, names in zip(rows, facts.names, strict=True):
                row.update((c, self._overridden[n]) for c, n in names.items() if n in self._overridden)
        return rows

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> float:
        # Reached only when the instance has no such scalar.
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(_unknown("parameter", name, scalars()))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"parameters are frozen: write Parameters.resolve({{{name!r}: {value!r}}})")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("parameters are frozen")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Parameters):
            return self._values == other._values
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._overridden.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameters.resolve, (self._overridden,)

    def __repr__(self) -> str:
        changed = ", ".join(f"{n}={v:g}" for n, v in self._overridden.items())
        return f"Parameters({changed or 'defaults'})"


@cache
def table() -> Mapping[str, Parameter]:
    """Every parameter by name: the scalars of model/parameters.csv, then the numeric cells of evidence/."""
    rows = dict(scalars())
    for name in described_columns():
        for parameter in fact_table(name).parameters:
            if parameter.name in rows:
                raise ParameterError(f"{parameter.name} is declared twice")
            rows[parameter.name] = parameter
    return MappingProxyType(rows)


def declared(name: str) -> Parameter:
    """The parameter of a name. Raises ParameterError, with the nearest names, where there is none."""
    known = table()
    if name not in known:
        raise ParameterError(_unknown("parameter", name, known))
    return known[name]


@cache
def scalars() -> Mapping[str, Parameter]:
    """The rows of model/parameters.csv by name. Raises ParameterError when a row is wrong."""
    rows: dict[str, Parameter] = {}
    for line, row in enumerate(_read("model", "parameters.csv", COLUMNS), start=2):
        where = f"model/parameters.csv line {line}"
        name = row["name"]
        if not name.isidentifier() or hasattr(Parameters, name):
            raise ParameterError(f"{where}: {name!r} cannot be the name of a parameter")
        if name in rows:
            raise ParameterError(f"{where}: {name} is declared twice")
        try:
            default, low, high = (float(row[c]) for c in ("default", "low", "high"))
        except ValueError as error:
            raise ParameterError(
                f"{where}: {name}: default, low and high must be numbers ({error})"
            ) from None
        texts = {c: row[c] for c in ("unit", "distribution", "description", "source", "date")}
        rows[name] = Parameter(name=name, default=default, low=low, high=high, **texts)
    return MappingProxyType(rows)


@cache
def fact_table(name: str) -> FactTable:
    """The table ``evidence/<name>.csv``. Raises ParameterError when there is none, or a cell is wrong."""
    known = {path.name.removesuffix(".csv"): path for path in resources.files("evidence").iterdir()}
    if f"{name}.csv" not in {path.name for path in known.values()}:
        raise ParameterError(_unknown("table of facts", name, known))
    return _fact_table(name, described_columns().get(name, ()))


@cache
def described_columns() -> Mapping[str, tuple[Mapping[str, str], ...]]:
    """The rows of evidence/columns.csv by table: which columns are numbers, in what unit and range."""
    described: dict[str, tuple[Mapping[str, str], ...]] = {}
    for row in _read("evidence", "columns.csv", FACT_COLUMNS):
        described[row["table"]] = (*described.get(row["table"], ()), row)
    return MappingProxyType(described)


def parse_assignment(text: str) -> tuple[str, str]:
    """Split ``"name=value"``. Raises ParameterError when either side is missing."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise ParameterError(f"{quoted(text)} is not an assignment: write name=value, as alpha_mean=2.5")
    return name, value


@cache
def _defaults() -> Mapping[str, float]:
    return MappingProxyType({name: parameter.default for name, parameter in table().items()})


def _fact_table(name: str, columns: Sequence[Mapping[str, str]]) -> FactTable:
    """Read one table and make a parameter of each filled cell of the columns described."""
    keys = columns[0]["key_columns"].split("/") if columns else []
    needed = (*keys, *(c["column"] for c in columns))
    raw = _read("evidence", f"{name}.csv", needed)
    rows: list[dict[str, str | float]] = [dict(row) for row in raw]
    names: list[dict[str, str]] = [{} for _ in raw]
    parameters: list[Parameter] = []
    for column in columns:
        cells = [_number(f"evidence/{name}.csv, {column['column']}", row[column["column"]]) for row in raw]
        largest = max((abs(x) for x in cells if not math.isnan(x)), default=0.0)
        for i, (row, cell) in enumerate(zip(raw, cells, strict=True)):
            rows[i][column["column"]] = cell
            if math.isnan(cell):
                continue
            cell_name = ".".join((name, *(row[k] for k in keys), column["column"]))
            names[i][column["column"]] = cell_name
            parameters.append(_cell_parameter(cell_name, cell, largest, column, row))
    return FactTable(tuple(rows), tuple(names), tuple(parameters))


def _cell_parameter(
    name: str, value: float, largest: float, column: Mapping[str, str], row: Mapping[str, str]
) -> Parameter:
    """The parameter of one cell; its range is the value times the factors, within what the unit allows."""
    low_factor, high_factor = (float(column[c] or 1.0) for c in ("low_factor", "high_factor"))
    low, high = sorted((value * low_factor, value * high_factor))
    if value == 0.0 and high_factor > 1.0:
        high = largest  # factors cannot scale nothing: it may be as large as the column's largest
    bounds = UNIT_BOUNDS.get(column["unit"], (-math.inf, math.inf))
    low, high = max(low, bounds[0]), min(high, bounds[1])
    if column["unit"] == SWITCH_UNIT:
        low, high, distribution = 0.0, 1.0, "switch"
    elif low == high:
        distribution = "fixed"
    else:
        distribution = "loguniform" if low > 0.0 else "uniform"
    return Parameter(
        name=name,
        default=value,
        unit=column["unit"],
        low=low,
        high=high,
        distribution=distribution,
        description=column["description"],
        source=row.get("source", ""),
        date=row.get("source_date") or row.get("date", ""),
    )


def _number(where: str, text: str) -> float:
    if not text.strip():
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"{where}: {text!r} is not a number") from None


def _read(package: str, file: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file of a package. Raises ParameterError for a missing column or a row too long."""
    text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    reader = csv.DictReader(io.StringIO(text), restval="")
    missing = [c for c in columns if c not in (reader.fieldnames or ())]
    if missing:
        raise ParameterError(f"{package}/{file} has no column {', '.join(missing)}")
    rows = []
    for line, row in enumerate(reader, start=2):
        if None in row:
            raise ParameterError(f"{package}/{file} line {line} has more cells than the header; quote commas")
        rows.append(row)
    return rows


def _unknown(kind: str, name: str, known: Mapping[str, object]) -> str:
    """One line that says ``name`` does not exist and what was probably meant."""
    by_lower = {k.lower(): k for k in known}
    close = [by_lower[k] for k in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)]
    hint = f"did you mean {' or '.join(close)}?" if close else "`undercut show parameters` lists them all"
    return f"no {kind} is named {quoted(name)}; {hint}"
