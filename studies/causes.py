"""Which cause does how much of a predicted change: Shapley values over all coalitions of switches, with common seeds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evidence.claims import Claim
from evidence.facts import constants
from evidence.metrics import METRICS
from model.place import CAUSES
from scenarios.counterfactual import cause as named
from scenarios.plan import PlanError
from scenarios.store import DEFAULT
from studies.ablation import paired_interval
from studies.evaluation import HOLDS, Evaluation, evaluate
from studies.holding import outcome_of, undefined_note
from studies.scale import claim_of, on_scale, scale_of
from studies.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.progress import Progress
    from scenarios.runner import Job

    Array = NDArray[np.float64]

CHANGES = (
    "p3-price",
    "p3-converge-regions",
    "p3-converge-origins",
    "p1-cause",
    "p1-cause-delivered",
    "p1-nvidia-2027-ai",
    "p1-nvidia-2027-value",
    "p2-asia",
    "deepseek-sixfold",
    "deepseek-share-2026",
)
"""The predicted changes: the fall of the world price, its convergence between regions and between origins, NVIDIA's
decline in China by units ordered before rationing and by units delivered, and the growth of DeepSeek's share in China; and
where they are to end: NVIDIA's share by AI-class units and by value, Chinese clouds' share in Asia, DeepSeek's in China. Of
a share at the end, what is shared out is not its way there but what causes make of it."""

_REST = re.compile(r"[.;:] |, (?:read|averages) as ")
"""Where the first clause of a metric's definition ends."""

MOST_CAUSES = 12
"""Of more causes nobody waits for the coalitions."""

MOST_SEEDS = 1000
"""What needs more seeds than these to be told from chance is too small to matter."""

RIVALS = ("sparse_architectures", "export_rules")
"""The two causes between which the first article decides: it says that the architecture carries NVIDIA's decline."""

DECLINE = "p1-cause-delivered"
"""The outcome about which it says so."""


def coalitions(count: int) -> NDArray[np.bool_]:
    """All subsets of ``count`` causes, shape (2^count, count): row r has cause i where bit i of r is set."""
    rows = np.arange(2**count)[:, None]
    return np.asarray((rows >> np.arange(count)[None, :]) & 1, dtype=np.bool_)


def shapley(values: Array) -> Array:
    """Shapley values of a game (Shapley 1953): each player's average marginal contribution over all orders.

    Args:
        values: of every coalition in the order of :func:`coalitions`, shape (2^n, ...).

    Returns shape (n, ...), which sums over the players to the value of all less that of none. Raises ValueError when the
    number of coalitions is no power of two.
    """
    count = _players(values)
    size = coalitions(count).sum(axis=1)
    weight = np.array([1.0 / (count * math.comb(count - 1, s)) for s in range(count)])
    found = np.zeros((count, *values.shape[1:]))
    rows = np.arange(len(values))
    for i in range(count):
        without = rows[(rows >> i) & 1 == 0]
        marginal = values[without + (1 << i)] - values[without]
        found[i] = np.tensordot(weight[size[without]], marginal, axes=1)
    return found


def interactions(values: Array) -> Array:
    """Shapley interaction index of every pair (Grabisch and Roubens 1999), shape (n, n, ...), zero on the diagonal.

    Above zero where two causes do more together than the sum of what each does alone. Raises ValueError as
    :func:`shapley` does.
    """
    count = _players(values)
    size = coalitions(count).sum(axis=1)
    rows = np.arange(len(values))
    found = np.zeros((count, count, *values.shape[1:]))
    for i in range(count):
        for j in range(i):
            rest = rows[((rows >> i) & 1 == 0) & ((rows >> j) & 1 == 0)]
            weight = np.array([1.0 / ((count - 1) * math.comb(count - 2, s)) for s in size[rest]])
            both, one, other = rest + (1 << i) + (1 << j), rest + (1 << i), rest + (1 << j)
            more = values[both] - values[one] - values[other] + values[rest]
            found[i, j] = found[j, i] = np.tensordot(weight, more, axes=1)
    return found


def _players(values: Array) -> int:
    count = len(values).bit_length() - 1
    if len(values) != 2**count:
        raise ValueError(f"{len(values)} coalitions are not all subsets of anything")
    return count


def quantity(claim: Claim) -> str:
    """What is shared out: the metric of a claim and not what the claim says of it."""
    subject = f" ({claim.subject})" if claim.subject else ""
    words = f"{claim.metric.replace('_', ' ')}{subject}, {claim.period}"
    return words[0].upper() + words[1:]


def about(name: str) -> dict[str, str]:
    """What an outcome is, in words. Of a claim about a cause it is the number itself, before any comparison of worlds."""
    claim = claim_of(name)
    metric = METRICS[claim.metric]
    holds = name.startswith(HOLDS)
    return {
        "outcome": name,
        "quantity": f"Whether it holds: {claim.statement}" if holds else quantity(claim),
        "definition": _REST.split(metric.description, maxsplit=1)[0].rstrip("."),
        "unit": "probability" if holds else metric.unit,
        "scale": scale_of(name),
    }


def conditions(outcome: Array, failed: NDArray[np.bool_]) -> tuple[int, ...]:
    """Causes without which an outcome does not exist, as shares of open models' tokens where weights are closed.

    Those it is undefined without in every run that ended, though it is defined somewhere with them. They can have no
    part in it: what there is to share out begins with them.

    Args:
        outcome: shape (coalitions, seeds), nan where undefined.
        failed: whether the run ended in an error, the same shape.
    """
    on = coalitions(_players(outcome))
    missing = np.isnan(outcome)
    return tuple(
        i
        for i in range(on.shape[1])
        if missing[~on[:, i]].all() and not missing[on[:, i]].all() and not failed[~on[:, i]].all()
    )


def seeds_to_tell(values: Array, level: float) -> float:
    """How many seeds Student's interval would need to leave zero out, were mean and spread those of the values.

    inf where :data:`MOST_SEEDS` are too few; nan of fewer than two values, which show no spread.
    """
    from scipy.special import stdtrit

    if len(values) < 2:
        return math.nan
    counts = np.arange(2, MOST_SEEDS + 1)
    half = stdtrit(counts - 1, (1.0 + level) / 2.0) * values.std(ddof=1) / np.sqrt(counts)
    enough = counts[half < abs(values.mean())]
    return float(enough[0]) if len(enough) else math.inf


def chosen(texts: Sequence[str], setting: Setting) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The causes that play, and those that are asked for but turned off by the setting already.

    Raises ScenarioError for what is no cause, PlanError when none is left or there are too many.
    """
    asked = tuple(dict.fromkeys(named(text) for text in texts)) or CAUSES
    plays = tuple(cause for cause in asked if setting.parameters[cause])
    if not plays:
        raise PlanError("the scenario has turned every one of these causes off; name others with --causes")
    if len(plays) > MOST_CAUSES:
        raise PlanError(f"{len(plays)} causes have {2 ** len(plays):,} coalitions; name fewer with --causes")
    return plays, tuple(cause for cause in asked if cause not in plays)


def causes(
    setting: Setting,
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    *,
    over: Sequence[str] = (),
    claims: Sequence[str] = CHANGES,
    workers: int | None = None,
    progress: Progress | None = None,
    job: Job | None = None,
) -> tuple[Study, Evaluation]:
    """Run a setting with every coalition of causes on and the others off, and share out each claim's outcome.

    Common random numbers: a seed gives the same luck in every coalition, and a Shapley value for each seed, whose mean
    has Student's interval. A seed with an undefined or failed run in some coalition does not count for the outcome. An
    outcome that does not exist without a cause is shared out among the others, with that cause on (:func:`conditions`);
    of ``holds:CLAIM`` it is counted as not holding there (:func:`studies.holding.holding`).

    Args:
        over: names of causes; else all.
        claims: ids of claims, or ``holds:`` and the id of one that compares no worlds.

    Raises as :func:`chosen`, and StoreError or Interrupted as :func:`studies.evaluation.evaluate`.
    """
    import pandas as pd

    plays, idle = chosen(over, setting)
    subsets = coalitions(len(plays))
    points = [dict(zip(plays, map(float, row), strict=True)) for row in subsets]
    found = evaluate(
        setting,
        points,
        seeds,
        out,
        sampled=f"study causes over {', '.join(plays)}",
        workers=workers,
        progress=progress,
        job=job,
    )
    rows: dict[str, list[dict[str, Any]]] = {
        "outcomes": [], "attribution": [], "interactions": [], "coalitions": [], "rivals": []
    }  # fmt: skip
    notes = []
    for name in claims:
        outcome = on_scale(outcome_of(found, name), scale_of(name))
        given = conditions(outcome, found.failed)
        rows_of = subsets[:, list(given)].all(axis=1)
        players = [cause for i, cause in enumerate(plays) if i not in given]
        outcome, failed = outcome[rows_of], found.failed[rows_of].any(axis=0)
        whole = np.asarray(np.isfinite(outcome).all(axis=0))
        game = outcome[:, whole]
        needs = ", ".join(plays[i] for i in given)
        what = about(name)
        lost = int((~whole).sum())
        rows["outcomes"].append({**what, **_outcome(game), "lost": lost, "given": needs})
        notes += _noted(what, len(whole) - lost, int((~whole & ~failed).sum()), needs)
        if not whole.any():
            continue
        parts = shapley(game)
        rows["attribution"] += [{**what, **row} for row in _attribution(players, idle, game, parts)]
        rows["interactions"] += [{"outcome": name, **row} for row in _pairs(players, interactions(game))]
        rows["coalitions"] += [
            {"outcome": name, **dict(zip(plays, map(bool, on), strict=True)), "mean": float(mean)}
            for on, mean in zip(subsets[rows_of], game.mean(axis=1), strict=True)
        ]
        if set(RIVALS) <= set(players):
            rows["rivals"].append({"outcome": name, **_against(players, parts)})
    asked = {
        "scenario": setting.name,
        "parameters": dict(setting.parameters.overridden),
        "seeds": list(seeds),
        "causes": list(plays),
        "outcomes": list(claims),
    }
    title = f"what causes how much in {setting.name}"
    tables = {name: pd.DataFrame(content) for name, content in rows.items() if content}
    said = (*_notes(found, idle), *undefined_note(found, claims), *notes)
    study = Study("causes", title, asked, tables, (found.batch.name,), said)
    return study, found


def _outcome(game: Array) -> dict[str, float]:
    """The outcome with no cause on and with all, and the change between them over seeds."""
    change, low, high = _over_seeds(game[-1] - game[0])
    none, all_ = (float(game[row].mean()) if game.shape[1] else math.nan for row in (0, -1))
    return {"none": none, "all": all_, "change": change, "low": low, "high": high, "seeds": game.shape[1]}


def _attribution(
    plays: Sequence[str], idle: Sequence[str], game: Array, parts: Array
) -> list[dict[str, Any]]:
    """What each cause does: its Shapley value, and beside it what it does alone and what is lost without it."""
    rows = []
    for i, cause in enumerate(plays):
        value, low, high = _over_seeds(parts[i])
        alone = float((game[1 << i] - game[0]).mean())
        last = float((game[-1] - game[len(game) - 1 - (1 << i)]).mean())
        needed = seeds_to_tell(parts[i], constants()["interval_level"])
        rows.append(
            {
                "cause": cause, "value": value, "low": low, "high": high, "needed": needed, "alone": alone,
                "last": last,
            }
        )  # fmt: skip
    # A cause that is off everywhere is no player: by definition it adds nothing.
    zero = {**dict.fromkeys(("value", "low", "high", "alone", "last"), 0.0), "needed": math.nan}
    return [*rows, *({"cause": cause, **zero} for cause in idle)]


def _pairs(plays: Sequence[str], index: Array) -> list[dict[str, Any]]:
    """The interaction of each pair over seeds, the strongest first."""
    rows = []
    for i, one in enumerate(plays):
        for j, other in enumerate(plays[:i]):
            value, low, high = _over_seeds(index[i, j])
            rows.append({"one": other, "other": one, "value": value, "low": low, "high": high})
    return sorted(rows, key=lambda row: -abs(row["value"]))


def _against(plays: Sequence[str], parts: Array) -> dict[str, Any]:
    """How much more of a change the first of the rivals carries than the second, seed by seed."""
    one, other = (parts[plays.index(cause)] for cause in RIVALS)
    value, low, high = _over_seeds(one - other)
    needed = seeds_to_tell(one - other, constants()["interval_level"])
    return {
        "one": RIVALS[0], "other": RIVALS[1], "difference": value, "low": low, "high": high, "needed": needed
    }  # fmt: skip


def _over_seeds(values: Array) -> tuple[float, float, float]:
    return paired_interval(values.tolist(), constants()["interval_level"])


def _noted(what: dict[str, str], count: int, undefined: int, needs: str) -> list[str]:
    """What a reader must know of one outcome: which causes it needs, and the seeds in which it is undefined."""
    notes = []
    if needs:
        notes.append(
            f"{what['outcome']} does not exist without {needs}: it is shared out among the others, with {needs} on."
        )
    if undefined:
        seeds = f"{count} of {count + undefined} seeds count" if count else "No seed counts"
        notes.append(f"{seeds} for {what['outcome']}: in {undefined} it is undefined in some coalition.")
    return notes


def _notes(found: Evaluation, idle: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if found.failed.any():
        notes.append(
            f"{int(found.failed.sum())} of {found.failed.size} runs failed; a seed counts for an outcome only where "
            "all its coalitions ran."
        )
    if len(found.seeds) == 1:
        notes.append(
            "One seed says nothing about chance: intervals are without bounds; give more with --seeds."
        )
    if idle:
        notes.append(f"Off in the scenario already, so that they cause nothing in it: {', '.join(idle)}.")
    return tuple(notes)
