"""The smallest batch that has everything a page shows: two worlds, two seeds, 100 enterprises."""

from pathlib import Path

from scenarios.batch import Batch, run
from studies.ensemble import job
from viz.stored.pair import Pair

SMALL = Pair(other="consortium", seeds="2", enterprises="100")


def small_batch(store: Path) -> Batch:
    """The batch, made where the store does not have it."""
    return run(SMALL.plan(), job(), store, workers=1)[0]
