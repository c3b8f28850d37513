"""Downloads of a batch: its tables as files in an archive, and its verdicts as one file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evidence.ensemble import verdicts
from scenarios.folder import StoreError, to_json
from scenarios.journal import DATA
from scenarios.tables import stored_tables
from viz.parcel import parcel

if TYPE_CHECKING:
    import pandas as pd

    from scenarios.batch import Batch

MOST_RUNS = 2_000
"""The tables of larger batches do not go through a browser."""

CLAIMS, WORLDS = "claims", "worlds"


def tables(batch: Batch, form: str) -> bytes:
    """Every table of a batch, its verdicts and its worlds, as files of a form (csv or parquet) in a ZIP archive.

    Raises StoreError for a batch that is too large.
    """
    if len(batch.planned()) > MOST_RUNS:
        raise StoreError(
            f"more than {MOST_RUNS:,} runs; `undercut export {batch.name}` writes them into a folder"
        )
    return parcel(_frames(batch), form)


def claims(batch: Batch) -> bytes:
    """The verdicts of every asked world as CSV."""
    return _claims(batch).to_csv(index=False).encode()


def _frames(batch: Batch) -> Iterator[tuple[str, pd.DataFrame]]:
    yield CLAIMS, _claims(batch)
    worlds = batch.worlds()
    for column in DATA:
        worlds[column] = worlds[column].map(to_json)
    yield WORLDS, worlds
    for name in stored_tables():
        yield name, batch.table(name)


def _claims(batch: Batch) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {"scenario": label, **verdict.row(), "worlds": " ".join(verdict.worlds)}
        for label, found in verdicts(batch).items()
        for verdict in found
    )
