"""Break points: how far each parameter must move from its default, alone, before a claim's probability crosses one half."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence.claims import by_id
from evidence.facts import constants
from scenarios.plan import PlanError
from scenarios.store import DEFAULT
from studies.breaks.curve import AT_DEFAULT, DECIDED, EVEN, UNDECIDED, UNDEFINED, Curves, Key, interval
from studies.breaks.line import SIDES, Line
from studies.evaluation import Evaluation, evaluate
from studies.study import Study

if TYPE_CHECKING:
    from model.setting import Setting
    from scenarios.progress import Progress
    from scenarios.runner import Job
    from studies.space import Space

    Display = Callable[[], Progress]

STEPS, ROUNDS = 8, 4
"""A grid of an eighth of the range, whose nearest bracket is halved four times: to a 128th of the range."""

FLIPS, STAYS = "flips", "does not flip"
"""What becomes of a claim as a parameter moves."""


def brackets(curves: Curves, lines: Sequence[Line], level: float) -> Iterator[tuple[Line, float, float]]:
    """The brackets that can hold the break nearest to the default, of each decided claim and parameter."""
    decided = [i for i in range(len(curves.claims)) if curves.standing(i, level) == DECIDED]
    for line in lines:
        ways = [curves.way(line, side) for side in SIDES]
        for claim in decided:
            found = []
            for values, places in ways:
                at = curves.crossing(claim, places, level)
                if at.outer is not None:
                    found.append((values[at.inner], values[at.outer]))
            nearest = min((line.distance(outer) for _, outer in found), default=math.inf)
            yield from ((line, a, b) for a, b in found if line.distance(a) < nearest)


def refined(curves: Curves, lines: Sequence[Line], level: float) -> list[Key]:
    """The middles of the brackets that are worth halving, each once: the next values to run."""
    wanted: dict[Key, None] = {}
    for line, inner, outer in brackets(curves, lines, level):
        value = line.between(inner, outer)
        if value not in (inner, outer, line.default) and (line.name, value) not in curves.places:
            wanted[line.name, value] = None
    return list(wanted)


def grid(lines: Sequence[Line], steps: int) -> list[Key]:
    """The values of each parameter that are run first, on both sides of its default."""
    return [(line.name, value) for line in lines for side in SIDES for value in line.grid(side, steps)]


def lines_of(setting: Setting, space: Space) -> list[Line]:
    """The lines of a space's parameters through the values that they have in a world."""
    return [Line(parameter, setting.parameters[parameter.name]) for parameter in space.parameters]


def breaks(
    setting: Setting,
    space: Space,
    outcomes: Sequence[str],
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    *,
    steps: int = STEPS,
    rounds: int = ROUNDS,
    workers: int | None = None,
    progress: Display | None = None,
    job: Job | None = None,
) -> tuple[Study, tuple[Evaluation, ...]]:
    """Find how far each parameter must move, alone, before each claim flips.

    A grid over the range of each parameter comes first; then, ``rounds`` times, the bracket nearest to the default in
    which a claim's probability crosses one half is halved. All claims share the runs, all values the seeds (common
    random numbers), and each round is a batch of its own.

    Args:
        setting: the world whose values are the defaults.
        space: the parameters.
        outcomes: claims by id; ``holds:`` before one changes nothing.
        seeds: the same at every value.
        out: the store.
        steps: no two values of the grid are further apart than the range over this.
        rounds: how often brackets are halved.
        workers, progress, job: as of :func:`studies.evaluation.evaluate`; a display is made for each batch.

    Raises:
        PlanError: there is no step, or every run of the default failed.
        StoreError, Interrupted: as :func:`studies.evaluation.evaluate` does.
    """
    if steps < 1 or rounds < 0:
        raise PlanError(
            f"--steps {steps} and --rounds {rounds}: write at least one step, and no fewer than 0 rounds"
        )
    claims = tuple(dict.fromkeys(name.rpartition(":")[2] for name in outcomes))
    lines, level = lines_of(setting, space), constants()["interval_level"]
    curves, parts = Curves(claims), []
    keys = [AT_DEFAULT, *grid(lines, steps)]
    for made in range(rounds + 1):
        if not keys:
            break
        points: list[dict[str, float]] = [{name: value} if name else {} for name, value in keys]
        words = f"break points, {'grid' if not made else f'round {made}'}, steps {steps}"
        shown = progress() if progress else None
        found = evaluate(setting, points, seeds, out, sampled=words, workers=workers, progress=shown, job=job)
        parts.append(found)
        curves.add(found, keys)
        if not curves.ended[0]:
            raise PlanError(
                "every run at the defaults failed, so nothing can be said of moving away from them"
            )
        keys = refined(curves, lines, level) if made < rounds else []
    asked = {
        "scenario": setting.name,
        "overrides": setting.parameters.overridden,
        "claims": list(claims),
        "over": list(space.names),
        "seeds": list(seeds),
        "steps": steps,
        "rounds": rounds,
    }
    tables = _tables(curves, lines, level)
    study = Study(
        "breaks",
        f"Break points of {len(claims)} claims over {len(lines)} parameters",
        asked,
        tables,
        tuple(part.batch.name for part in parts),
        (*_notes(curves, parts, seeds, level), *_by_chance(tables["breaks"])),
    )
    return study, tuple(parts)


def _tables(curves: Curves, lines: Sequence[Line], level: float) -> dict[str, pd.DataFrame]:
    """The tables of the study; see docs/studies.md for what the columns mean."""
    standing = [curves.standing(i, level) for i in range(len(curves.claims))]
    ways = {(line.name, side): curves.way(line, side) for line in lines for side in SIDES}
    sides = [
        _side(curves, line, side, ways[line.name, side], claim, level)
        for claim, state in enumerate(standing)
        if state == DECIDED
        for line in lines
        for side in SIDES
        if line.end(side) != line.default
    ]
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sides:
        pairs.setdefault((row["claim"], row["parameter"]), []).append(row)
    ranked = sorted((_nearest(rows) for rows in pairs.values()), key=lambda row: row["distance"])
    return {
        "breaks": pd.DataFrame([*map(_finite, ranked)], columns=list(COLUMNS)),
        "sides": pd.DataFrame([*map(_finite, sides)], columns=list(COLUMNS)),
        "claims": pd.DataFrame(_claims(curves, standing, ranked, level)),
        "curves": pd.DataFrame(list(_points(curves, lines, level))),
    }


def _nearest(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The side on which a claim flips first; where it flips on none, what holds of both."""
    first = min(rows, key=lambda row: (row["distance"], row["sure"], row["distance_low"]))
    return {**first, "side": ""} if first["status"] == STAYS and first["sure"] else first


COLUMNS = (
    "claim", "statement", "parameter", "description", "unit", "default", "low", "high", "side", "status", "sure",
    "holds", "value", "value_low", "value_high", "distance", "distance_low", "distance_high", "reach", "mass",
    "undefined", "gap",
)  # fmt: skip


def _side(
    curves: Curves, line: Line, side: str, way: tuple[list[float], list[int]], claim: int, level: float
) -> dict[str, Any]:
    """What becomes of one claim as one parameter moves to one side, on the way of :meth:`Curves.way`."""
    parameter, name = line.parameter, curves.claims[claim]
    values, places = way
    at = curves.crossing(claim, places, level)
    row = {
        "claim": name,
        "statement": by_id()[name].statement,
        "parameter": parameter.name,
        "description": parameter.description,
        "unit": parameter.unit,
        "default": line.default,
        "low": parameter.low,
        "high": parameter.high,
        "side": side,
        "status": STAYS,
        "sure": at.safe == len(values) - 1 and values[-1] == line.end(side),
        "holds": curves.share(claim, 0) > EVEN,
        "value": math.nan,
        # Up to here no flip can be; for a claim that flips nowhere, chance leaves the rest open.
        "value_low": values[at.safe],
        "value_high": math.nan,
        "distance": math.inf,
        "distance_low": line.distance(values[at.safe]),
        "distance_high": math.inf,
        "reach": line.distance(line.end(side)),
        "mass": math.nan,
        "undefined": 0,
        "gap": max((line.gap(a, b) for a, b in itertools.pairwise(values)), default=0.0),
    }
    if at.outer is None:
        return row
    inner, outer = values[at.inner], values[at.outer]
    p, q = curves.share(claim, places[at.inner]), curves.share(claim, places[at.outer])
    # Half a whole number makes no sense: the break is the first value at which the claim has flipped.
    value = outer if line.whole else line.between(inner, outer, (p - EVEN) / (p - q))
    row |= {
        "status": FLIPS,
        "sure": at.sure is not None,
        "value": value,
        "distance": line.distance(value),
        "mass": line.mass(value),
        "undefined": int(curves.undefined[places[at.outer]][claim]),
        "gap": line.gap(inner, outer),
    }
    if at.sure is not None:
        row |= {"value_high": values[at.sure], "distance_high": line.distance(values[at.sure])}
    return row


def _finite(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing is stored as infinite: what does not come within the range is missing."""
    return {key: math.nan if value == math.inf else value for key, value in row.items()}


def _claims(
    curves: Curves, standing: Sequence[str], ranked: Sequence[Mapping[str, Any]], level: float
) -> Iterator[dict[str, Any]]:
    """A row a claim: how it stands at the default, and the parameter that flips it first."""
    for claim, (name, state) in enumerate(zip(curves.claims, standing, strict=True)):
        own = [row for row in ranked if row["claim"] == name]
        flips = [row for row in own if row["status"] == FLIPS]
        low, high = interval(int(curves.held[0][claim]), curves.ended[0], level)
        yield {
            "claim": name,
            "statement": by_id()[name].statement,
            "standing": state,
            "probability": curves.share(claim, 0),
            "probability_low": low,
            "probability_high": high,
            "undefined": int(curves.undefined[0][claim]),
            "runs": curves.ended[0],
            "flipped_by": len(flips),
            "parameters": len(own),
            "nearest": flips[0]["parameter"] if flips else "",
            "distance": flips[0]["distance"] if flips else math.nan,
        }


def _points(curves: Curves, lines: Sequence[Line], level: float) -> Iterator[dict[str, Any]]:
    """A row a claim and value that was run: the probability along each line."""
    for line in lines:
        keys = [AT_DEFAULT, *sorted(key for key in curves.places if key[0] == line.name)]
        for key in keys:
            place = curves.places[key]
            for claim, name in enumerate(curves.claims):
                held, ended = int(curves.held[place][claim]), curves.ended[place]
                low, high = interval(held, ended, level) if ended else (math.nan, math.nan)
                yield {
                    "claim": name,
                    "parameter": line.name,
                    "value": key[1] if key[0] else line.default,
                    "probability": held / ended if ended else math.nan,
                    "probability_low": low,
                    "probability_high": high,
                    "undefined": int(curves.undefined[place][claim]),
                    "runs": ended,
                }


def _notes(curves: Curves, parts: Sequence[Evaluation], seeds: Sequence[int], level: float) -> Iterator[str]:
    failed, runs = sum(int(p.failed.sum()) for p in parts), sum(p.failed.size for p in parts)
    if failed:
        gone = sum(not ended for ended in curves.ended)
        yield (
            f"{failed} of {runs} runs failed: probabilities are over the runs that ended, and {gone} values "
            "without one are passed over."
        )
    needed = least_seeds(level)
    if len(seeds) < needed:
        yield (
            f"{len(seeds)} seed{'s decide' if len(seeds) > 1 else ' decides'} nothing: even where all agree, the interval "
            f"contains one half. Take at least {needed} seeds."
        )
    states = [curves.standing(i, level) for i in range(len(curves.claims))]
    for state, said in (
        (UNDECIDED, "already undecided at the default"),
        (UNDEFINED, "undefined at the default"),
    ):
        if states.count(state):
            yield f"{states.count(state)} of {len(states)} claims are {said}; for them there is nothing to flip."
    rest = max((ended for ended in curves.ended), default=0)
    if rest >= needed:
        yield (
            "Each parameter moves alone, with all others at their defaults; a flip and a flip back between two "
            "neighbouring values of the grid goes unseen."
        )


def _by_chance(ranked: pd.DataFrame) -> list[str]:
    """The sentence on flips that many looks at few seeds make, each by itself."""
    flips = ranked[ranked["status"] == FLIPS]
    doubtful = int((~flips["sure"].astype(bool)).sum())
    if not doubtful:
        return []
    return [
        f"{doubtful} of {len(flips)} flips are not beyond chance: the share of seeds crosses one half, but at no value "
        "further out does its interval leave one half out. Of many claims and values some cross by luck; more --seeds "
        "tell which."
    ]


def least_seeds(level: float) -> int:
    """The smallest number of runs which, when all agree, decide a claim at a level."""
    return next(n for n in range(1, MOST_SEEDS) if interval(n, n, level)[0] > EVEN)


MOST_SEEDS = 1000
