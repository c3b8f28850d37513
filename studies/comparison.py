"""Puts worlds side by side over common random numbers: paired differences of outcomes, and of chances of claims."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evidence.claims import Claim, claims
from evidence.ensemble import values
from evidence.facts import constants
from evidence.judge import judge, wilson
from evidence.metrics import METRICS
from model.records import tables
from scenarios.folder import StoreError
from studies.ablation import paired_interval
from studies.proportion import paired_proportions

if TYPE_CHECKING:
    from pandas import DataFrame

    from scenarios.batch import Batch

OUTCOME, SERIES = "outcome", "series"
FLOWS = ("USD", "Mtok", "units")
"""Units of headline columns that are amounts of a quarter, so that a year is their sum."""

EVENT = "0/1"
"""The unit of what happens or does not."""

QUARTERS_A_YEAR = 4

BySeed = Mapping[int, float]
Values = Mapping[str, BySeed]
"""Values by name and seed; nan where undefined."""


@dataclass(frozen=True)
class Quantity:
    """A number that every run has: the outcome of a claim, or a headline column in one year.

    ``period`` is when it is measured, ``unit`` as in the registry of claims or in model/schema.csv. ``claim`` is
    the first of the claims that speak of it.
    """

    kind: str
    name: str
    statement: str
    unit: str
    period: str
    claim: Claim | None = None


@dataclass(frozen=True)
class Difference:
    """A quantity in one world less in the reference world, seed by seed.

    ``reference_mean`` and ``mean`` are over the ``pairs`` seeds in which both are defined; ``change`` is the mean
    of the differences, ``change_low`` and ``change_high`` its interval by Student's t, all in the quantity's unit. A
    change that is the same in every pair, as of a dated event, has an interval without width: luck has no part in it.
    """

    quantity: Quantity
    reference_mean: float
    mean: float
    change: float
    change_low: float
    change_high: float
    pairs: int
    same: bool

    @property
    def moves(self) -> bool:
        """Whether the interval of the change leaves zero out."""
        return self.change_low > 0.0 or self.change_high < 0.0

    @property
    def alike(self) -> bool:
        """Whether it moves by the same amount in every pair."""
        low, high = self.change_low, self.change_high
        return self.moves and math.isclose(low, high, rel_tol=constants()["rounding"])


@dataclass(frozen=True)
class Chance:
    """How probable a claim is in one world and in the reference world, over the seeds that tested it in both.

    Each probability has its Wilson interval and the IPCC's word (``evidence.judge``), ``change`` the interval of
    :func:`studies.proportion.paired_proportions`.
    """

    claim: Claim
    reference_probability: float
    reference_low: float
    reference_high: float
    reference_word: str
    probability: float
    low: float
    high: float
    word: str
    change: float
    change_low: float
    change_high: float
    pairs: int
    same: bool

    @property
    def moves(self) -> bool:
        """Whether the interval of the change leaves zero out."""
        return self.change_low > 0.0 or self.change_high < 0.0

    @property
    def turns(self) -> bool:
        """Whether the verdict is another one."""
        return self.word != self.reference_word


@dataclass(frozen=True)
class Looks:
    """How many intervals were looked at, and what chance alone would do to them.

    ``intervals`` of which ``same`` belong to what is the same in every pair and cannot move; ``moving`` leave zero
    out, ``alike`` of them by the same amount in every pair, and ``by_chance`` of all but the same would, on average, if
    nothing moved at all.
    """

    intervals: int
    same: int
    moving: int
    alike: int
    by_chance: float
    level: float


@dataclass(frozen=True)
class Comparison:
    """One world against the reference, the clearest changes first.

    ``seeds`` ran to their end in both worlds, ``alone`` in only one of them. ``untested`` claims name a cause that
    was not turned off in both worlds.
    """

    world: str
    reference: str
    differences: tuple[Difference, ...]
    chances: tuple[Chance, ...]
    seeds: int
    alone: int
    untested: int

    @property
    def moving(self) -> tuple[Difference, ...]:
        """The differences whose intervals leave zero out."""
        return tuple(difference for difference in self.differences if difference.moves)

    @property
    def turning(self) -> tuple[Chance, ...]:
        """The claims whose verdict is another one."""
        return tuple(chance for chance in self.chances if chance.turns)

    def rows(self) -> list[dict[str, Any]]:
        """Everything as plain data: a row a quantity, then a row a claim."""
        both = {"scenario": self.world, "reference": self.reference}
        found = []
        for difference in self.differences:
            numbers = {key: value for key, value in vars(difference).items() if key != "quantity"}
            quantity = {key: getattr(difference.quantity, key) for key in ("kind", "name", "statement")}
            place = {"unit": difference.quantity.unit, "period": difference.quantity.period}
            found.append({**both, **quantity, **place, **numbers, "moves": difference.moves})
        for chance in self.chances:
            numbers = {key: value for key, value in vars(chance).items() if key != "claim"}
            claim = chance.claim
            about = {"kind": "probability", "name": claim.id, "statement": claim.statement, "unit": "share"}
            found.append(
                {**both, **about, "period": claim.period, **numbers, "moves": chance.moves}
                | {"verdict_changes": chance.turns}
            )
        return found


def compare(
    batch: Batch, labels: Sequence[str] | None = None, every: bool = False, year: str | None = None
) -> tuple[Comparison, ...]:
    """Each world of a stored batch against the first, over the seeds that ended well in both.

    Args:
        batch: where the runs are stored.
        labels: the worlds, the reference first; by default all that the batch was asked for.
        every: take every reading of every claim, not the headline readings alone.
        year: of which year to compare the headline columns, as ``"2027"``; by default the last whole one.

    Raises StoreError when there are not two worlds, or the batch has none of that name.
    """
    names = list(dict.fromkeys(batch.labels if labels is None else labels))
    if len(names) < 2:
        raise StoreError(f"comparing needs two worlds; {batch.name} has {', '.join(batch.labels)}")
    asked = tuple(claim for claim in claims() if every or claim.headline)
    found, quarters = values(batch, names, asked), batch.table("quarters", names[0])
    return tuple(
        compare_values(
            (names[0], name),
            (found[names[0]], found[name]),
            (quarters, batch.table("quarters", name)),
            asked,
            year,
        )
        for name in names[1:]
    )


def compare_values(
    names: tuple[str, str],
    outcomes: tuple[Values, Values],
    quarters: tuple[DataFrame, DataFrame],
    asked: Iterable[Claim],
    year: str | None = None,
) -> Comparison:
    """One world against the reference: :func:`compare` for values that are at hand, each pair reference first.

    Args:
        names: labels of the worlds.
        outcomes: values of claims by id and seed, as ``evidence.ensemble.values`` gives them.
        quarters: their tables ``quarters``, with the column ``seed``.
        asked: the claims; those without values in both worlds count as untested.
        year: see :func:`compare`.
    """
    asked = tuple(asked)
    seeds = [set(map(int, frame["seed"])) for frame in quarters]
    shown = year or last_year(quarters)
    tested = [claim for claim in asked if all(claim.id in side for side in outcomes)]
    # Of an event it is the chance alone that says something.
    counted = _distinct(claim for claim in tested if claim.unit != EVENT)
    found = [(_outcome(claim), [side[claim.id] for side in outcomes]) for claim in counted]
    if shown:
        series = [yearly(frame, shown) for frame in quarters]
        found += [(column, [side[column.name] for side in series]) for column in headline(shown)]
    differences = [difference(quantity, *sides) for quantity, sides in found]
    chances = [chance(claim, *(side[claim.id] for side in outcomes)) for claim in tested]
    return Comparison(
        world=names[1],
        reference=names[0],
        differences=tuple(sorted((d for d in differences if d.pairs), key=lambda d: -clearness(d))),
        chances=tuple(sorted((c for c in chances if c.pairs), key=lambda c: -clearness(c))),
        seeds=len(seeds[0] & seeds[1]),
        alone=len(seeds[0] ^ seeds[1]),
        untested=len(asked) - len(tested),
    )


def difference(quantity: Quantity, reference: BySeed, other: BySeed) -> Difference:
    """The paired difference of a quantity, over the seeds in which it is a finite number in both worlds."""
    pairs = [(reference[s], other[s]) for s in sorted(reference.keys() & other.keys())]
    pairs = [pair for pair in pairs if all(map(math.isfinite, pair))]
    changes = [_less(b, a) for a, b in pairs]
    change, low, high = paired_interval(changes, constants()["interval_level"])
    means = [math.fsum(side) / len(pairs) for side in zip(*pairs, strict=True)] or [math.nan, math.nan]
    return Difference(quantity, means[0], means[1], change, low, high, len(pairs), not any(changes))


def chance(claim: Claim, reference: BySeed, other: BySeed) -> Chance:
    """How probable a claim is in both worlds, over the seeds that tested it in both.

    A seed where its metric is undefined is one where it does not hold, as in its verdict.
    """
    level = constants()["interval_level"]
    seeds = sorted(reference.keys() & other.keys())
    if not seeds:
        nothing = (math.nan, 0.0, 1.0, "")
        return Chance(claim, *nothing, *nothing, math.nan, -1.0, 1.0, 0, True)
    held = [[claim.holds(side[seed]) for seed in seeds] for side in (reference, other)]
    cells = Counter(zip(*held, strict=True))
    change, low, high = paired_proportions(
        cells[True, True], cells[False, True], cells[True, False], cells[False, False], level
    )
    sides: list[tuple[float, float, float, str]] = []
    for side, truth in zip((reference, other), held, strict=True):
        word = judge({claim.id: [side[seed] for seed in seeds]}, [claim])[0].word
        sides.append((sum(truth) / len(seeds), *wilson(sum(truth), len(seeds), level), word))
    same = held[0] == held[1]
    return Chance(claim, *sides[0], *sides[1], change, low, high, len(seeds), same)


def looks(comparisons: Sequence[Comparison]) -> Looks:
    """How many intervals comparisons show, and how many would leave zero out if nothing moved at all."""
    shown: list[Difference | Chance] = []
    for comparison in comparisons:
        shown += [*comparison.differences, *comparison.chances]
    level, same = constants()["interval_level"], sum(interval.same for interval in shown)
    moving = sum(interval.moves for interval in shown)
    alike = sum(difference.alike for comparison in comparisons for difference in comparison.differences)
    return Looks(len(shown), same, moving, alike, (1.0 - level) * (len(shown) - same), level)


def clearness(found: Difference | Chance) -> float:
    """How many times as far from zero a change is as its interval reaches towards zero; 0 without a change."""
    if not math.isfinite(found.change) or found.change == 0.0:
        return 0.0
    towards = found.change - found.change_low if found.change > 0.0 else found.change_high - found.change
    return abs(found.change) / towards if towards > 0.0 else math.inf


def headline(year: str) -> tuple[Quantity, ...]:
    """The headline columns of model/schema.csv as quantities of one year."""
    columns = [column for column in tables()["quarters"] if column.dtype == "float"]
    return tuple(
        Quantity(
            SERIES,
            column.column,
            column.description[:1].upper() + column.description[1:],
            f"{column.unit} a year" if column.unit in FLOWS else column.unit,
            year,
        )
        for column in columns
    )


def yearly(quarters: DataFrame, year: str) -> dict[str, dict[int, float]]:
    """Headline columns over one year by column and seed: amounts summed, everything else averaged.

    nan where a quarter of the year is missing or undefined.
    """
    rows = quarters[quarters["quarter"].str.startswith(year)]
    groups = rows.groupby("seed")
    found = {}
    for column in (column for column in tables()["quarters"] if column.dtype == "float"):
        sums = groups[column.column].sum(min_count=QUARTERS_A_YEAR)
        whole = sums if column.unit in FLOWS else sums / QUARTERS_A_YEAR
        # A sum of four needs four, and skips none.
        whole = whole.where(groups[column.column].count() == QUARTERS_A_YEAR)
        found[column.column] = {int(seed): float(value) for seed, value in whole.items()}  # type: ignore[call-overload]
    return found


def last_year(quarters: Iterable[DataFrame]) -> str:
    """The last year that is whole in all tables; an empty text where there is none."""
    years: list[set[str]] = []
    for frame in quarters:
        counts = Counter(str(quarter)[:4] for quarter in frame["quarter"].unique())
        years.append({year for year, count in counts.items() if count == QUARTERS_A_YEAR})
    return max(set.intersection(*years), default="")


def _outcome(claim: Claim) -> Quantity:
    return Quantity(OUTCOME, claim.id, _words(claim), claim.unit, claim.period, claim)


def _words(claim: Claim) -> str:
    """What a claim's outcome is: the start of its metric's definition, its subject, and what it is compared with."""
    words = _START.split(_ASIDE.sub("", METRICS[claim.metric].description), maxsplit=1)[0].rstrip(".")
    if claim.subject:
        words += f" ({claim.subject})"
    if claim.effect:
        words += f"; {claim.effect}: {' and '.join(claim.worlds).replace('_', ' ')}"
    return words


_ASIDE, _START = re.compile(r" \([^)]*\)"), re.compile(r"[.;:] ")


def _distinct(asked: Iterable[Claim]) -> Iterable[Claim]:
    """Claims whose outcomes are different numbers: of several on one number, the first."""
    found: dict[tuple[object, ...], Claim] = {}
    for claim in asked:
        found.setdefault((claim.metric, claim.subject, claim.period, claim.effect, claim.worlds), claim)
    return found.values()


def _less(value: float, other: float) -> float:
    """A difference, 0 where it is no more than the rounding of sums."""
    change = value - other
    return 0.0 if abs(change) <= constants()["rounding"] * max(abs(value), abs(other)) else change
