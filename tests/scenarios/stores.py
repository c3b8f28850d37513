"""Small plans of toy runs, and what a store holds to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scenarios.plan import Plan, members_of
from scenarios.runner import Job
from scenarios.scenario import load

SLOW_BATCH = """
from scenarios import batch, journal
from scenarios.runner import Job
from tests.scenarios import toys
from tests.scenarios.stores import plan_of
if __name__ == "__main__":
    import sys
    journal.PART_SECONDS = 0.2
    job = Job(toys.slow, toys.mean_price)
    batch.run(plan_of(job, seeds=range(1, 41), keep="sample:3"), job, sys.argv[1], workers=2)
"""
"""A program that makes a batch in two workers, into the store that it is given; it takes some seconds."""


def plan_of(
    job: Job,
    scenarios: Sequence[str] = ("baseline",),
    seeds: Sequence[int] = (1, 2, 3),
    keep: str = "sample:1",
    points: Sequence[dict[str, float]] = ({},),
    causes: Sequence[str] = (),
    compared: int = 0,
) -> Plan:
    """A plan over scenarios of the library."""
    settings = [(load(name), name.title()) for name in scenarios]
    return Plan(members_of(settings, points, causes), tuple(seeds), compared, keep, job.simulation)


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store by name within it, but its locks and what it says of the code, which may be changing."""
    return {
        file.relative_to(store).as_posix(): file.read_bytes()
        for file in sorted(store.rglob("*"))
        if file.is_file() and not file.name.endswith("lock") and file.parent.name != "code"
    }
