"""Verdicts, comparisons, failures and batches as tables for the browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evidence.claims import ARTICLES, KINDS, Claim
from evidence.judge import STANDINGS, Verdict, standing
from studies.comparison import Chance, Comparison, Difference, clearness, looks
from viz.findings import SIGNS
from viz.number import number, scale, signed
from viz.stored.sheet import Column, Filter, Plain, cell, row, sheet

HEADLINE, OTHER = "headline", "other"
READINGS = Filter("reading", "Readings", {HEADLINE: "headline readings", OTHER: "other readings"}, HEADLINE)
ARTICLE = Filter("article", "Article", ARTICLES)
KIND = Filter("kind", "Kind", {kind: f"{kind}s" for kind in KINDS})
STANDING = Filter("standing", "Verdict", STANDINGS)
MOVES = Filter("moves", "Change", {"yes": "moves", "no": "does not move"})
LETTERS = 400
"""How much of a failure's reason is shown."""


def about(claim: Claim | Verdict) -> dict[str, str]:
    """What every table of claims can be filtered by."""
    return {"reading": HEADLINE if claim.headline else OTHER, "article": claim.article, "kind": claim.kind}


def statement(claim: Claim | Verdict) -> Plain:
    """The cell of a claim: what it says, and under which name and reading."""
    return cell(claim.statement, claim.id + (f", read as: {claim.reading}" if claim.reading else ""))


def claimed(claim: Claim | Verdict) -> Plain:
    """The cell of what is claimed, with unit and period."""
    figure = claim.figure if isinstance(claim, Claim) else claim.claimed
    return cell(figure, f"{unit(claim.unit)}{', ' if unit(claim.unit) else ''}{claim.period}")


def unit(text: str) -> str:
    """A unit as people read it."""
    return "" if text in ("1", "0/1") else text


def chance(probability: float | None, low: float | None, high: float | None, word: str = "") -> Plain:
    """The cell of a probability with its interval."""
    if probability is None or low is None or high is None:
        return cell("–", word)
    return cell(f"{probability:.2f}", f"{low:.2f} to {high:.2f}", word, by=probability)


def word(verdict: Verdict) -> Plain:
    """The cell of a verdict: a sign and the word."""
    kind = standing(verdict)
    return cell(f"{SIGNS[kind]} {verdict.word}", kind=kind)


def middle(verdict: Verdict) -> Plain:
    """The cell of the median with the 5 to 95 % interval."""
    if verdict.median is None:
        return cell("–")
    return cell(number(verdict.median), f"{number(verdict.low)} to {number(verdict.high)}", by=verdict.median)


def verdicts(found: Iterable[Verdict]) -> Plain:
    """The verdict table of one world."""
    columns = (
        Column("Claim"),
        Column("The article"),
        Column("Median, 5 to 95 %", True),
        Column("Probability", True),
        Column("Verdict"),
    )
    rows = [
        row(
            verdict.id,
            [
                statement(verdict),
                claimed(verdict),
                middle(verdict),
                chance(verdict.probability, verdict.probability_low, verdict.probability_high),
                word(verdict),
            ],
            f"{verdict.section} {verdict.metric} {verdict.subject}",
            **about(verdict),
            standing=standing(verdict),
        )
        for verdict in found
    ]
    return sheet(columns, rows, (READINGS, ARTICLE, KIND, STANDING))


def chances(comparison: Comparison) -> Plain:
    """Claims of both worlds side by side, and the change of their probability over pairs of runs."""
    columns = (
        Column("Claim"),
        Column("The article"),
        Column(comparison.reference, True),
        Column(comparison.world, True),
        Column("Change, interval", True),
        Column("Moves"),
    )
    rows = [_chance(found) for found in comparison.chances]
    return sheet(columns, rows, (READINGS, ARTICLE, KIND, MOVES))


def _chance(found: Chance) -> Plain:
    claim = found.claim
    reference = (found.reference_probability, found.reference_low, found.reference_high, found.reference_word)
    return row(
        claim.id,
        [
            statement(claim),
            claimed(claim),
            chance(*reference),
            chance(found.probability, found.low, found.high, found.word),
            cell(
                f"{found.change:+.2f}",
                f"{found.change_low:+.2f} to {found.change_high:+.2f}",
                by=found.change,
            ),
            _moves(found, "verdict changes" if found.turns else ""),
        ],
        **about(claim),
        moves="yes" if found.moves else "no",
    )


def differences(comparison: Comparison) -> Plain:
    """The paired differences of outcomes and headline series, the clearest first."""
    columns = (
        Column("Quantity"),
        Column("Unit"),
        Column(comparison.reference, True),
        Column(comparison.world, True),
        Column("Change, interval", True),
        Column("Moves"),
    )
    kinds = Filter("of", "Of", {"outcome": "what claims measure", "series": "headline series"})
    return sheet(columns, [_difference(found) for found in comparison.differences], (READINGS, kinds, MOVES))


def _difference(found: Difference) -> Plain:
    quantity = found.quantity
    size, words = scale(max(abs(found.reference_mean), abs(found.mean)), quantity.unit)
    low, high = signed(found.change_low / size), signed(found.change_high / size)
    claim = quantity.claim
    return row(
        claim.id if claim else quantity.name,
        [
            cell(quantity.statement, f"{quantity.name}, {quantity.period}"),
            unit(words),
            cell(number(found.reference_mean / size), by=found.reference_mean),
            cell(number(found.mean / size), by=found.mean),
            cell(signed(found.change / size), f"{low} to {high}", by=found.change),
            _moves(found),
        ],
        reading=HEADLINE if claim is None or claim.headline else OTHER,
        of=quantity.kind,
        moves="yes" if found.moves else "no",
    )


def _moves(found: Difference | Chance, more: str = "") -> Plain:
    said = "▲ up" if found.change > 0.0 else "▽ down"
    text = "the same" if found.same else said if found.moves else "● open"
    kind = "untested" if not found.moves else "likely" if found.change > 0.0 else "unlikely"
    return cell(text, more, kind=kind, by=min(clearness(found), MOST_CLEAR))


MOST_CLEAR = 1e9
"""JSON has no infinity: a change without any spread sorts as this clear."""


def notes(comparison: Comparison) -> list[str]:
    """What a reader has to know of a comparison, a sentence each."""
    seen = looks([comparison])
    lines = [
        f"{comparison.seeds} pairs of runs with the same seed and thus the same luck. A change is the mean of the "
        f"differences seed by seed, its {100 * seen.level:.0f} % interval Student's, of a probability Newcombe's for "
        "pairs; it moves where that leaves zero out.",
        f"Of {seen.intervals} intervals {seen.same} are of what is the same in every pair; of the "
        f"{seen.intervals - seen.same} others {seen.moving} leave zero out, and about {seen.by_chance:.0f} would by "
        "chance if nothing moved.",
    ]
    if comparison.alone:
        lines.append(f"{comparison.alone} seeds ended well in one of the worlds only, and are left out.")
    if comparison.untested:
        lines.append(
            f"{comparison.untested} claims about causes are not compared: they need worlds of their own, which "
            "`undercut run` makes with --counterfactual-seeds."
        )
    return lines


def failures(frame: Any) -> Plain:
    """The runs that failed."""
    rows = [
        row(f"{world} {seed}", [str(world), cell(str(seed), by=float(seed)), str(reason)[:LETTERS]])
        # Without a failure the table has no columns either.
        for world, seed, reason in zip(
            *(frame.get(name, ()) for name in ("scenario", "seed", "reason")), strict=True
        )
    ]
    return sheet((Column("World"), Column("Seed", True), Column("Why")), rows)


NAMES_SHOWN = 4


def batches(summaries: Sequence[Mapping[str, Any]]) -> Plain:
    """The batches of a store."""
    rows = []
    for each in summaries:
        names = each["scenarios"]
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        done = f"{each['runs']}" if each["done"] == each["runs"] else f"{each['done']} of {each['runs']}"
        failed = f"{each['failed']} failed" if each["failed"] else ""
        rows.append(
            row(
                each["batch"],
                [
                    each["batch"],
                    ", ".join(names[:NAMES_SHOWN]) + more,
                    cell(str(each["worlds"]), by=each["worlds"]),
                    str(each["seeds"]),
                    cell(done, failed, by=each["runs"]),
                    str(each["state"]),
                ],
                " ".join(names),
            )
        )
    columns = ("Batch", "Scenarios", "Worlds", "Seeds", "Runs", "State")
    return sheet([Column(title, title in ("Worlds", "Runs")) for title in columns], rows)
