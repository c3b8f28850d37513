"""Loads the registry of claims, and checks that every band follows from its tolerance rule."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from types import MappingProxyType

from evidence.effects import EFFECTS, WORLDS, unit_of
from evidence.facts import EvidenceError, constants, rows
from evidence.period import period

ARTICLES: Mapping[str, str] = {row["article"]: row["name"] for row in rows("texts")}
"""What the texts that claims are from are called."""

KINDS = ("observation", "prediction", "mechanism")
TOLERANCE_KINDS = ("band", "absolute", "factor", "floor", "above", "below", "exact")
RANGE = ".."


@dataclass(frozen=True)
class Tolerance:
    """How a figure of an article becomes a band in which the claim holds; see ``evidence/tolerances.csv``."""

    rule: str
    kind: str
    width: float
    description: str

    def band(self, claimed: str) -> tuple[float, float]:
        """Low and high of the band of a claimed figure, written ``"0.31"`` or ``"0.05..0.07"``; infinite if
        open.

        Raises:
            EvidenceError: the figure cannot be read, or does not fit the rule.
        """
        low_text, dots, high_text = claimed.partition(RANGE)
        try:
            figures = [float(low_text)] + ([float(high_text)] if dots else [])
        except ValueError:
            raise EvidenceError(f"{claimed!r} is not a figure: write a number, or two as low..high") from None
        if (self.kind == "band") != bool(dots):
            raise EvidenceError(
                f"{claimed!r} does not fit the rule {self.rule!r}: only bands are written low..high"
            )
        figure = figures[0]
        return {
            "band": lambda: (figures[0], figures[-1]),
            "absolute": lambda: (figure - self.width, figure + self.width),
            "factor": lambda: (figure / self.width, figure * self.width),
            "floor": lambda: (figure - self.width, math.inf),
            "above": lambda: (figure, math.inf),
            "below": lambda: (-math.inf, figure),
            "exact": lambda: (figure, figure),
        }[self.kind]()

    @property
    def strict(self) -> bool:
        """Whether the bound itself fails: a rise of zero is no rise."""
        return self.kind in ("above", "below")


@dataclass(frozen=True)
class Claim:
    """One assertion of an article, in one reading, with what would make it true.

    ``claimed`` is the figure as the article has it; the claim holds where the metric lies between
    ``claimed_low`` and ``claimed_high`` (infinite where one side is open; strict where the tolerance says
    so). ``effect`` and ``worlds`` compare the metric with counterfactual runs (``evidence/effects.py``).
    Claims of one ``claim_group`` are readings of the same sentence, one of them the ``headline``.
    """

    id: str
    claim_group: str
    reading: str
    headline: bool
    article: str
    section: str
    kind: str
    statement: str
    quotation: str
    claimed: str
    claimed_low: float
    claimed_high: float
    unit: str
    tolerance: Tolerance
    metric: str
    subject: str
    period: str
    effect: str
    worlds: tuple[str, ...]
    driven_by_assumption: str
    notes: str
    source: str

    def holds(self, value: float) -> bool:
        """Whether a value of the metric lies in the band; an undefined value never does."""
        if math.isnan(value):
            return False
        if self.tolerance.strict:
            margin = constants()["rounding"]
            return self.claimed_low + margin < value < self.claimed_high - margin
        return self.claimed_low <= value <= self.claimed_high

    @property
    def figure(self) -> str:
        """The band in words, as a table of verdicts shows it."""
        if self.tolerance.kind == "exact":
            return f"{self.claimed_low:g}"
        if math.isinf(self.claimed_high):
            return f"{'>' if self.tolerance.strict else '>='} {self.claimed_low:g}"
        if math.isinf(self.claimed_low):
            return f"{'<' if self.tolerance.strict else '<='} {self.claimed_high:g}"
        return f"{self.claimed_low:g} to {self.claimed_high:g}"

    def row(self) -> dict[str, object]:
        """Plain data for JSON: an open side of the band is None."""
        entry = asdict(self)
        entry["tolerance"] = self.tolerance.rule
        entry["worlds"] = list(self.worlds)
        for side in ("claimed_low", "claimed_high"):
            if math.isinf(entry[side]):
                entry[side] = None
        return entry


@lru_cache(maxsize=1)
def tolerances() -> Mapping[str, Tolerance]:
    """The tolerance rules by name. Raises EvidenceError for one of an unknown kind."""
    found: dict[str, Tolerance] = {}
    for row in rows("tolerances"):
        if row["kind"] not in TOLERANCE_KINDS:
            raise EvidenceError(
                f"tolerance {row['rule']!r} has kind {row['kind']!r}, not one of {TOLERANCE_KINDS}"
            )
        found[row["rule"]] = Tolerance(
            row["rule"], row["kind"], float(row["width"] or 0.0), row["description"]
        )
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def claims() -> tuple[Claim, ...]:
    """Every claim of ``evidence/claims.csv``, in its order.

    Raises:
        EvidenceError: a row is inconsistent: an unknown article, kind, rule, effect or world, a band that
            does not follow from its rule, an id used twice, or a group without exactly one headline.
    """
    found = tuple(_claim(row) for row in rows("claims"))
    twice = [name for name, count in Counter(claim.id for claim in found).items() if count > 1]
    if twice:
        raise EvidenceError(f"claims.csv uses the id {twice[0]!r} twice")
    headlines = Counter(claim.claim_group for claim in found if claim.headline)
    for group in {claim.claim_group for claim in found}:
        if headlines[group] != 1:
            raise EvidenceError(
                f"claim group {group!r} has {headlines[group]} headlines; mark exactly one reading"
            )
    return found


def by_id() -> Mapping[str, Claim]:
    """The claims by id."""
    return MappingProxyType({claim.id: claim for claim in claims()})


def unjudged() -> tuple[Mapping[str, str], ...]:
    """What the articles assert and the model cannot judge, each with the reason."""
    return rows("unjudged")


def _claim(row: Mapping[str, str]) -> Claim:
    where = f"claims.csv, {row['id']}"
    _among(where, "article", row["article"], ARTICLES)
    _among(where, "kind", row["kind"], KINDS)
    _among(where, "tolerance_rule", row["tolerance_rule"], tolerances())
    worlds = tuple(row["cause"].split()) if row["cause"] else ()
    for world in worlds:
        _among(where, "cause", world, WORLDS)
    if row["effect"]:
        _among(where, "effect", row["effect"], EFFECTS)
    if len(worlds) != (EFFECTS[row["effect"]][0] if row["effect"] else 0):
        raise EvidenceError(
            f"{where}: the effect {row['effect']!r} does not go with the causes {row['cause']!r}"
        )
    try:
        period(row["period"])
    except ValueError as error:
        raise EvidenceError(f"{where}: {error}") from None
    rule = tolerances()[row["tolerance_rule"]]
    low = float(row["claimed_low"]) if row["claimed_low"] else -math.inf
    high = float(row["claimed_high"]) if row["claimed_high"] else math.inf
    expected = rule.band(row["claimed"])
    if not all(
        a == b or math.isclose(a, b, rel_tol=ROUNDING) for a, b in zip((low, high), expected, strict=True)
    ):
        raise EvidenceError(
            f"{where}: the rule {rule.rule!r} makes {expected} of {row['claimed']}, not {(low, high)}"
        )
    return Claim(
        id=row["id"],
        claim_group=row["claim_group"],
        reading=row["reading"],
        headline=row["headline"] == "1",
        article=row["article"],
        section=row["section"],
        kind=row["kind"],
        statement=row["statement"],
        quotation=row["quotation"],
        claimed=row["claimed"],
        claimed_low=low,
        claimed_high=high,
        unit=row["unit"],
        tolerance=rule,
        metric=row["metric"],
        subject=row["subject"],
        period=row["period"],
        effect=row["effect"],
        worlds=worlds,
        driven_by_assumption=row["driven_by_assumption"],
        notes=row["notes"],
        source=row["source"],
    )


ROUNDING = 1e-3
"""Bands in the table are written with four digits."""


def _among(where: str, column: str, value: str, allowed: Mapping[str, object] | tuple[str, ...]) -> None:
    if value not in allowed:
        raise EvidenceError(f"{where}: {column} is {value!r}, not one of {', '.join(allowed)}")


def expected_unit(claim: Claim, unit: str) -> str:
    """The unit that a claim must declare, given its metric's unit."""
    return unit_of(claim.effect, unit) if claim.effect else unit
