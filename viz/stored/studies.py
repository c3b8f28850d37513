"""The studies of the server's store, and what the pages show of one of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from model.quotation import quoted
from scenarios.folder import StoreError
from scenarios.store import Store
from studies.study import Study, folders, head
from viz.number import number
from viz.option.panel import Panel
from viz.stored import shelf
from viz.stored.sheet import Column, Plain, cell, row, sheet
from viz.study.report import module_of, reading

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 2_000
"""How many rows of a table go to the browser."""


class Kind(Protocol):
    """A module of ``viz.panel``, named as the kind of study that it draws."""

    def choices(self, study: Study) -> Sequence[tuple[str, str]]:
        """What can be chosen of a study, and its words; nothing where all is shown at once."""
        ...

    def panels(self, study: Study, subject: str) -> Sequence[Panel]:
        """The charts of one choice."""
        ...


@dataclass(frozen=True)
class Shown:
    """A study ready for the browser: what can be chosen of it, and its tables."""

    study: Study
    choices: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, Plain, int], ...]


def there() -> list[Path]:
    """The folders of the studies, the newest first. Raises StoreError as :func:`viz.stored.shelf.batches` does."""
    if not shelf.batches():  # says what is wrong with the store, and a study rests on batches
        return []
    return sorted(folders(Store(shelf.place())), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def listed() -> Plain:
    """The table of studies."""
    rows = []
    for folder in there():
        said = head(folder)
        rows.append(row(folder.name, [folder.name, said["title"], said["kind"]]))
    return sheet([Column("Study"), Column("What it is about"), Column("Kind")], rows)


def read(name: str) -> Shown:
    """A study of the list. Raises StoreError for a name that is not in it, ChartError for a kind unknown to this version."""
    found = next((folder for folder in there() if folder.name == name), None)
    if found is None:
        raise StoreError(f"there is no study called {quoted(name)} in the store; choose one of the list")
    study = Study.open(found, Store(shelf.place()))
    tables = tuple(
        (title, table(frame.head(MOST_ROWS)), len(frame) - MOST_ROWS) for title, frame in study.tables.items()
    )
    with reading(study):
        return Shown(study, tuple(_charts(study).choices(study)), tables)


def drawn(shown: Shown, subject: str) -> tuple[str, Sequence[Panel]]:
    """The charts of one subject of a study, by default its first, and which one that is.

    Raises StoreError for a subject that the study does not have, ChartError where its tables lack what charts show.
    """
    study, known = shown.study, dict(shown.choices)
    if subject and subject not in known:
        raise StoreError(f"{study.name} says nothing of {quoted(subject)}; choose from its list")
    chosen = subject or next(iter(known), "")
    with reading(study):
        return chosen, _charts(study).panels(study, chosen)


def _charts(study: Study) -> Kind:
    return cast("Kind", module_of(study, "viz.panel", "panels"))


def table(frame: pd.DataFrame) -> Plain:
    """A table of a study as it is, numbers to be sorted as numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    numeric = [is_numeric_dtype(kind) and not is_bool_dtype(kind) for kind in frame.dtypes]
    columns = [Column(str(name).replace("_", " "), of) for name, of in zip(frame, numeric, strict=True)]
    rows = [
        row(str(place), [_cell(value, of) for value, of in zip(values, numeric, strict=True)])
        for place, values in enumerate(frame.itertuples(index=False, name=None))
    ]
    return sheet(columns, rows)


def _cell(value: Hashable, numeric: bool) -> dict[str, Any]:
    if not numeric:
        return cell("" if value is None or value != value else str(value))
    amount = float(value)  # type: ignore[arg-type]
    return cell(number(amount), by=amount)
