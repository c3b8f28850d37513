"""What a stored batch says on the claims: values by seed, compared over worlds, and the verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from evidence.claims import Claim, claims
from evidence.judge import Verdict, judge
from evidence.metrics import compare
from scenarios.tables import METRICS

if TYPE_CHECKING:
    from scenarios.batch import Batch

Values = dict[str, dict[int, float]]
"""The value of each claim by seed, only of the seeds that tested it; nan where undefined."""

Outcomes = dict[int, dict[str, float]]
"""The outcomes of claims in the runs of one world: by seed, then by claim id; nan where undefined."""


def outcomes(batch: Batch, worlds: Iterable[str]) -> dict[str, Outcomes]:
    """The outcomes of claims in some worlds of a batch, given by their ids.

    Only seeds that the batch asked for and whose run ended well are there.
    """
    found: dict[str, Outcomes] = {world: {} for world in worlds}
    rows = batch.rows(METRICS, dict.fromkeys(found, ""), batch.seeds)
    # Plain numbers in one pass: looked up in a frame, world by world, they took a hundred times as long.
    columns = (rows[name].tolist() for name in ("world", "seed", "metric", "value"))
    for world, seed, metric, value in zip(*columns, strict=True):
        found[world].setdefault(seed, {})[metric] = value
    return found


def values(
    batch: Batch, labels: Sequence[str] | None = None, asked: Iterable[Claim] | None = None
) -> dict[str, Values]:
    """The value of each claim by seed in some worlds of a batch (by default every asked one), by label.

    Values are in the claim's unit. A claim about a cause is tested by the seeds that ran in the world without it.
    Raises StoreError when the batch has no world of a label.
    """
    wanted = tuple(claims() if asked is None else asked)
    chosen = batch.labels if labels is None else labels
    ids = {label: batch.world(label) for label in chosen}
    others = {label: batch.counterfactuals(label) for label in chosen}
    known = outcomes(batch, [*ids.values(), *(world for of in others.values() for world in of.values())])
    found: dict[str, Values] = {}
    for label in chosen:
        by_claim: Values = {claim.id: {} for claim in wanted}
        for seed, own in known[ids[label]].items():
            beside = {
                cause: known[world][seed] for cause, world in others[label].items() if seed in known[world]
            }
            for name, value in compare(own, beside, wanted).items():
                by_claim[name][seed] = value
        found[label] = {name: by_seed for name, by_seed in by_claim.items() if by_seed}
    return found


def verdicts(
    batch: Batch, labels: Sequence[str] | None = None, asked: Iterable[Claim] | None = None
) -> dict[str, list[Verdict]]:
    """Verdicts on claims over the seeds of some worlds of a batch (by default every asked one), by label."""
    wanted = tuple(claims() if asked is None else asked)
    return {
        label: judge({name: list(by_seed.values()) for name, by_seed in found.items()}, wanted)
        for label, found in values(batch, labels, wanted).items()
    }
