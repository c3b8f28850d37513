"""What a stored batch says on the claims: values by seed, compared over worlds, and the verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from evidence.claims import Claim, claims
from evidence.effects import effect_of
from evidence.judge import Verdict, judge
from scenarios.tables import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from scenarios.batch import Batch


def outcomes_by_world(batch: Batch, worlds: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """The outcomes of claims in some worlds of a batch, seeds by claim ids.

    Args:
        batch: where the runs are stored.
        worlds: names to give to worlds by their ids.

    Returns:
        A frame a name, with only the seeds that the batch asked for and whose run ended well.
    """
    rows = batch.rows(METRICS, worlds, batch.seeds)
    return {
        name: rows[rows["world"] == world].pivot(index="seed", columns="metric", values="value")
        for world, name in worlds.items()
    }


def values(batch: Batch, label: str, asked: Iterable[Claim] | None = None) -> dict[str, dict[int, float]]:
    """The value of each claim by seed in one world of a batch, in the claim's unit; nan where it is undefined.

    Only seeds that tested a claim are in it: one about a cause needs the seed's run in the world without it.
    """
    frame = batch.worlds()
    own_id = str(frame.loc[frame["label"] == label, "world"].iloc[0])
    own = outcomes_by_world(batch, {own_id: ""})[""]
    others = {world: cause for cause, world in batch.counterfactuals(label).items()}
    worlds = outcomes_by_world(batch, others) if others else {}
    found: dict[str, dict[int, float]] = {}
    for claim in claims() if asked is None else asked:
        given = [worlds[world] for world in claim.worlds if world in worlds]
        if claim.id not in own or len(given) < len(claim.worlds) or any(claim.id not in g for g in given):
            continue
        seeds = [seed for seed in own.index if all(seed in other.index for other in given)]
        columns = [frame.loc[seeds, claim.id].to_numpy(float) for frame in (own, *given)]
        if claim.effect:
            rows = zip(*columns, strict=True)
            found[claim.id] = {
                s: effect_of(claim.effect, r[0], r[1:]) for s, r in zip(seeds, rows, strict=True)
            }
        else:
            found[claim.id] = dict(zip(seeds, map(float, columns[0]), strict=True))
    return {name: by_seed for name, by_seed in found.items() if by_seed}


def verdicts(batch: Batch, label: str, asked: Iterable[Claim] | None = None) -> list[Verdict]:
    """Verdicts on claims over the seeds of one world of a batch."""
    wanted = tuple(claims() if asked is None else asked)
    found = values(batch, label, wanted)
    return judge({name: list(by_seed.values()) for name, by_seed in found.items()}, wanted)
