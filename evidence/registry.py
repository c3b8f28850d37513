"""The registry of metrics: what each one measures, in which unit, and from which recorded tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from evidence.period import Period
from evidence.record import Record

Measure = Callable[[Record, Period, str], float]


@dataclass(frozen=True)
class Metric:
    """A number that the recorded tables of one run define.

    ``subjects`` lists what it can be asked about; where ``open_subject`` describes them instead, any name
    of ``evidence/names.csv`` that fits will do. ``change`` says that its period has two moments.
    """

    name: str
    unit: str
    description: str
    tables: tuple[str, ...]
    subjects: tuple[str, ...]
    open_subject: str
    change: bool
    function: Measure

    def __call__(self, record: Record, period: Period, subject: str) -> float:
        """The value in :attr:`unit`; nan where it is undefined."""
        return float(self.function(record, period, subject))

    def accepts(self, subject: str) -> bool:
        """Whether it can be asked about a subject (an open one is checked when it is measured)."""
        return bool(subject) if self.open_subject else subject in (self.subjects or ("",))

    def row(self) -> dict[str, object]:
        """Its entry for a reader, as plain data."""
        entry = asdict(self)
        del entry["function"]
        entry["tables"] = list(self.tables)
        entry["subjects"] = list(self.subjects)
        return entry


METRICS: dict[str, Metric] = {}
"""All metrics by name; filled when ``evidence.metrics`` is imported."""


def metric(
    unit: str,
    tables: tuple[str, ...] | str,
    subjects: tuple[str, ...] = (),
    *,
    open_subject: str = "",
    change: bool = False,
) -> Callable[[Measure], Measure]:
    """Enter a function in the registry under its own name, with its docstring as the description.

    Raises:
        ValueError: the name is taken, or the function has no docstring.
    """

    def enter(function: Measure) -> Measure:
        name = str(getattr(function, "__name__", ""))
        description = " ".join((function.__doc__ or "").split())
        if not description:
            raise ValueError(f"metric {name} needs a docstring: it is its definition")
        if name in METRICS:
            raise ValueError(f"metric {name} is defined twice")
        sources = (tables,) if isinstance(tables, str) else tables
        METRICS[name] = Metric(name, unit, description, sources, subjects, open_subject, change, function)
        return function

    return enter
