"""Judges claims over an ensemble of seeds: how often each holds, how surely, and in which of the IPCC's
words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from evidence.claims import Claim, claims
from evidence.facts import constants, rows

if TYPE_CHECKING:
    from pandas import DataFrame

NOT_TESTED = "not tested"
UNDEFINED = "undefined"
UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class Term:
    """A word of the IPCC's calibrated language and the probabilities that it stands for."""

    word: str
    low: float
    high: float

    def holds(self, low: float, high: float) -> bool:
        """Whether a whole interval of probabilities lies in the term's range."""
        return self.low <= low and high <= self.high


@lru_cache(maxsize=1)
def terms() -> tuple[Term, ...]:
    """The terms of ``evidence/likelihood.csv``, narrowest first: the ranges are nested, and the narrowest
    that fits says most."""
    found = [Term(row["word"], float(row["low"]), float(row["high"])) for row in rows("likelihood")]
    return tuple(sorted(found, key=lambda term: term.high - term.low))


@dataclass(frozen=True)
class Verdict:
    """What an ensemble says on one claim.

    ``median``, ``low`` and ``high`` (the 5 and 95 % quantiles) are of the metric over the seeds where it is
    defined. ``probability`` is the share of all ``seeds`` in which the claim holds: a seed where the metric
    is undefined counts as one where it does not. ``probability_low`` and ``probability_high`` bound it
    (Wilson). It is a probability over the chance of the runs under their parameters, not over doubts on the
    parameters. ``word`` is the IPCC's term that the interval warrants, see :func:`likelihood`. Numbers are
    None when no seed tested the claim or the metric is defined in none.
    """

    id: str
    claim_group: str
    reading: str
    headline: bool
    article: str
    section: str
    kind: str
    statement: str
    claimed: str
    claimed_low: float | None
    claimed_high: float | None
    unit: str
    metric: str
    subject: str
    period: str
    effect: str
    worlds: list[str]
    median: float | None
    low: float | None
    high: float | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    word: str
    seeds: int
    undefined: int
    driven_by_assumption: bool
    note: str

    def row(self) -> dict[str, object]:
        """Plain data for JSON."""
        return asdict(self)


LIKELY, OPEN, UNLIKELY, UNTESTED = "likely", "open", "unlikely", "untested"
STANDINGS = {LIKELY: "likely", OPEN: "open", UNLIKELY: "unlikely", UNTESTED: "not judged"}
"""How a claim stands by its probability alone, and the words for it."""


def standing(verdict: Verdict) -> str:
    """Whether a claim is likely, open, unlikely or untested, by its probability without its interval."""
    if verdict.probability is None:
        return UNTESTED
    bounds = {term.word: term for term in terms()}
    for word in (LIKELY, UNLIKELY):
        if bounds[word].holds(verdict.probability, verdict.probability):
            return word
    return OPEN


def standings(found: Iterable[Verdict]) -> dict[str, int]:
    """How many verdicts stand in each way."""
    kinds = [standing(verdict) for verdict in found]
    return {kind: kinds.count(kind) for kind in STANDINGS}


def wilson(successes: int, trials: int, level: float) -> tuple[float, float]:
    """The score interval of a probability (Wilson 1927) at a confidence level between 0 and 1.

    Raises:
        ValueError: there are no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes in {trials} trials have no interval")
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2.0) / (1.0 + spread)
    half = z / (1.0 + spread) * math.sqrt(share * (1.0 - share) / trials + spread / (4.0 * trials))
    # At the ends the formula is exact only up to rounding.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def likelihood(probability: float, low: float, high: float) -> str:
    """The IPCC's word for a probability known up to an interval (Mastrandrea et al. 2010, table 1).

    The terms overlap: the narrowest one that fits is used. Where the whole interval lies in the term of the
    probability, it is that word. Where it lies only in a wider one, the word says what is warranted: ``at
    least likely`` when more seeds could show more, ``at most unlikely`` on the other side. Where it lies in
    none, ``undetermined``, with the probability's own term in brackets. So 8 seeds of 8 are at least likely,
    not virtually certain.
    """
    point = next(term for term in terms() if term.holds(probability, probability))
    warranted = next((term for term in terms() if term.holds(low, high)), None)
    if warranted is None:
        return f"{UNDETERMINED} ({point.word})"
    if warranted == point:
        return point.word
    # Wider terms share the outer end with the narrower ones that they hold.
    return f"at {'least' if warranted.high == point.high else 'most'} {warranted.word}"


def judge(values: Mapping[str, Sequence[float]], asked: Iterable[Claim] | None = None) -> list[Verdict]:
    """Verdicts on claims, in their order.

    Args:
        values: for each claim id the values of its metric, one a seed that tested it, nan where undefined. A
            claim without values was not tested, and its verdict says so.
        asked: the claims to judge; all of them by default.
    """
    return [_verdict(claim, values.get(claim.id, ())) for claim in (claims() if asked is None else asked)]


def verdicts(frame: DataFrame, asked: Iterable[Claim] | None = None) -> list[Verdict]:
    """Verdicts from a tidy frame of one scenario with columns ``seed``, ``metric`` (a claim id) and
    ``value``.

    Raises:
        ValueError: a seed has two values of one claim, as when two scenarios are in the frame.
    """
    if frame.duplicated(["seed", "metric"]).any():
        raise ValueError("a seed has two values of one claim: judge one scenario at a time")
    ordered = frame.sort_values(["metric", "seed"])
    values = {str(name): [float(v) for v in group] for name, group in ordered.groupby("metric")["value"]}
    return judge(values, asked)


def _verdict(claim: Claim, values: Sequence[float]) -> Verdict:
    tested, undefined = len(values), sum(math.isnan(value) for value in values)
    median, low, high = quantiles(values)
    probability = p_low = p_high = None
    word = UNDEFINED if tested else NOT_TESTED
    if undefined < tested:
        held = sum(claim.holds(value) for value in values)
        probability = held / tested
        p_low, p_high = wilson(held, tested, constants()["interval_level"])
        word = likelihood(probability, p_low, p_high)
    return Verdict(
        id=claim.id,
        claim_group=claim.claim_group,
        reading=claim.reading,
        headline=claim.headline,
        article=claim.article,
        section=claim.section,
        kind=claim.kind,
        statement=claim.statement,
        claimed=claim.figure,
        claimed_low=_finite(claim.claimed_low),
        claimed_high=_finite(claim.claimed_high),
        unit=claim.unit,
        metric=claim.metric,
        subject=claim.subject,
        period=claim.period,
        effect=claim.effect,
        worlds=list(claim.worlds),
        median=median,
        low=low,
        high=high,
        probability=probability,
        probability_low=p_low,
        probability_high=p_high,
        word=word,
        seeds=tested,
        undefined=undefined,
        driven_by_assumption=bool(claim.driven_by_assumption),
        note=_note(claim, tested, undefined),
    )


def _note(claim: Claim, tested: int, undefined: int) -> str:
    parts = []
    if not tested:
        needs = f": needs runs with {', '.join(claim.worlds)} changed" if claim.worlds else ""
        parts.append(NOT_TESTED + needs)
    elif undefined == tested:
        parts.append(f"{UNDEFINED} in every seed")
    elif undefined:
        parts.append(f"undefined in {undefined} of {tested} seeds, counted as not holding")
    if claim.driven_by_assumption:
        parts.append(f"driven by assumption: {claim.driven_by_assumption}")
    if claim.notes:
        parts.append(claim.notes)
    return "; ".join(parts)


def quantiles(values: Sequence[float]) -> tuple[float, float, float] | tuple[None, None, None]:
    """Median and the ends of the interval (5 and 95 % quantiles) of the values that are defined, None where none is."""
    defined = sorted(value for value in values if not math.isnan(value))
    if not defined:
        return None, None, None
    tail = (1.0 - constants()["interval_level"]) / 2.0
    return quantile(defined, 0.5), quantile(defined, tail), quantile(defined, 1.0 - tail)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Quantile of sorted values, not empty, linear between order statistics (definition 7 of Hyndman and
    Fan 1996)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
