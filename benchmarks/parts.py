"""The parts of the benchmarks: modules with a function ``measure(quick)`` that yields rows and sentences."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from benchmarks.table import Line

PARTS = (
    "demand_step",
    "batch",
    "whole_run",
    "growth",
    "start_up",
    "store",
    "step_to_paint",
)


def measure(name: str, quick: bool) -> Iterator[Line]:
    """What a part yields."""
    part = importlib.import_module(f"benchmarks.{name}")
    yield " ".join((part.__doc__ or "").split())
    yield from part.measure(quick)
