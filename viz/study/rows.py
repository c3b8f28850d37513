"""Rows of a study's tables as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each by column."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))
