"""What a stored batch says on the claims: values by seed, compared over worlds, and the verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from evidence.claims import Claim, claims
from evidence.effects import effect_of
from evidence.judge import Verdict, judge
from scenarios.tables import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from scenarios.batch import Batch

Values = dict[str, dict[int, float]]
"""The value of each claim by seed, only of the seeds that tested it; nan where undefined."""


def outcomes(batch: Batch, worlds: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The outcomes of claims in some worlds of a batch, given by their ids: seeds by claim ids.

    Only seeds that the batch asked for and whose run ended well are there; a world without any has an empty frame.
    """
    import pandas as pd

    wanted = dict.fromkeys(worlds)
    rows = batch.rows(METRICS, dict.fromkeys(wanted, ""), batch.seeds)
    found = {str(world): of for world, of in rows.groupby("world")} if len(rows) else {}
    return {
        world: found[world].pivot(index="seed", columns="metric", values="value")
        if world in found
        else pd.DataFrame()
        for world in wanted
    }


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
    return {
        label: _values(
            known[ids[label]], {cause: known[world] for cause, world in others[label].items()}, wanted
        )
        for label in chosen
    }


def verdicts(
    batch: Batch, labels: Sequence[str] | None = None, asked: Iterable[Claim] | None = None
) -> dict[str, list[Verdict]]:
    """Verdicts on claims over the seeds of some worlds of a batch (by default every asked one), by label."""
    wanted = tuple(claims() if asked is None else asked)
    return {
        label: judge({name: list(by_seed.values()) for name, by_seed in found.items()}, wanted)
        for label, found in values(batch, labels, wanted).items()
    }


def _values(own: pd.DataFrame, worlds: Mapping[str, pd.DataFrame], asked: Iterable[Claim]) -> Values:
    found: Values = {}
    for claim in asked:
        given = [worlds[world] for world in claim.worlds if world in worlds]
        if len(given) < len(claim.worlds) or any(claim.id not in frame for frame in (own, *given)):
            continue
        seeds = [int(seed) for seed in own.index if all(seed in other.index for other in given)]
        columns = [frame.loc[seeds, claim.id].to_numpy(float) for frame in (own, *given)]
        if claim.effect:
            rows = zip(*columns, strict=True)
            by_seed = {s: effect_of(claim.effect, r[0], r[1:]) for s, r in zip(seeds, rows, strict=True)}
        else:
            by_seed = dict(zip(seeds, map(float, columns[0]), strict=True))
        if by_seed:
            found[claim.id] = by_seed
    return found
