"""Who and what shocks may name: firms at the start of a market, regions and jurisdictions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from functools import cache
from importlib import resources

from model.place import REGIONS
from model.quotation import quoted

STATES = {"United States": "US", "China": "CN"}
"""States that make rules, with the origin of their firms."""


@cache
def _rows() -> tuple[dict[str, str], ...]:
    text = resources.files("evidence").joinpath("firms.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))


def firms(kind: str, origin: str | None = None) -> tuple[str, ...]:
    """Names of the firms of a kind at the start, from ``evidence/firms.csv``; of one origin where it is given."""
    return tuple(row["firm"] for row in _rows() if row["kind"] == kind and origin in (None, row["origin"]))


def check_vendor(name: str) -> None:
    """Raise ValueError for a firm that makes no models."""
    if name not in firms("vendor"):
        raise ValueError(
            f"target = {quoted(name)} makes no models; write one of {', '.join(firms('vendor'))}"
        )


def check_clouds(names: Iterable[str]) -> None:
    """Raise ValueError for a firm that is no cloud."""
    for name in names:
        if name not in firms("cloud"):
            raise ValueError(f"{quoted(name)} is no cloud; write one of {', '.join(firms('cloud'))}")


def check_makers(names: Iterable[str]) -> None:
    """Raise ValueError for a firm that makes no chips."""
    for name in names:
        if name not in firms("chipmaker"):
            raise ValueError(f"{quoted(name)} makes no chips; write one of {', '.join(firms('chipmaker'))}")


def check_regions(names: Iterable[str]) -> None:
    """Raise ValueError for a region that the market lacks."""
    for name in names:
        if name not in REGIONS:
            raise ValueError(f"there is no region {quoted(name)}; write one of {', '.join(REGIONS)}")


def check_state(name: str) -> None:
    """Raise ValueError for a state that makes no rules here."""
    if name not in STATES:
        raise ValueError(f"{quoted(name)} makes no rules here; write one of {', '.join(STATES)}")


def check_named_once(key: str, names: tuple[str, ...]) -> None:
    """Raise ValueError for a list that is empty or names something twice."""
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{key} = {list(names)}: name at least one, and each once")


def check_share(key: str, value: float) -> None:
    """Raise ValueError for a share that is not above 0 and at most 1."""
    if not 0.0 < value <= 1.0:
        raise ValueError(f"{key} = {value:g}: write a share above 0 and at most 1")
