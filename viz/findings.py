"""What a batch says, as sections of a page: verdicts on claims, and worlds compared with the first of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from evidence.claims import ARTICLES
from evidence.facts import constants
from evidence.judge import LIKELY, OPEN, STANDINGS, UNLIKELY, UNTESTED, Verdict, standing, standings, terms
from studies.comparison import Comparison, Difference, looks
from viz.number import number, scale, signed
from viz.page import Cell, Section, details, element, heading, paragraph, table

SIGNS = {LIKELY: "\u25b2", OPEN: "\u25cf", UNLIKELY: "\u25bd", UNTESTED: "\u2013"}
"""A sign for each class of verdict, beside the word: nothing is told by colour alone."""

CLEAREST = 30
"""Quantities that move, of one world, that are shown before the others fold away."""

NAMED = 12
"""How many of the worlds that are left out are named."""

CLAIMED_WIDTH, WORLD_WIDTHS = 0.1, (0.32, 0.25, 0.2, 0.16)
"""Shares of the width of a table of claims: the article's figure, and a world where there are so many."""

FEW_WORLDS = len(WORLD_WIDTHS)
"""Of more worlds than this, it is also counted over the worlds how each claim fares."""


def overview(judged: Mapping[str, Sequence[Verdict]]) -> Section:
    """How many headline claims each world bears out; of many worlds also how each claim fares over them."""
    rows: list[dict[str, Cell]] = []
    for label, found in judged.items():
        headlines = [verdict for verdict in found if verdict.headline]
        seeds = max((verdict.seeds for verdict in headlines), default=0)
        said = {kind: str(count) for kind, count in standings(headlines).items()}
        rows.append({"world": label, "seeds": str(seeds), **said})
    bounds = {term.word: term for term in terms()}
    names = {kind: f"{SIGNS[kind]} {text}" for kind, text in STANDINGS.items()}
    content = [
        paragraph(
            "Headline readings of all claims of both articles, counted by the share of a world's seeds in which they "
            f"hold: likely from {100 * bounds[LIKELY].low:.0f} % up, unlikely to {100 * bounds[UNLIKELY].high:.0f} %. "
            "The words further down also weigh how sure that share is."
        ),
        table({"world": "World", "seeds": "Seeds", **names}, rows, numbers=f"seeds {' '.join(names)}"),
    ]
    if len(judged) > FEW_WORLDS:
        content.append(details("Every headline claim over all worlds", _over_worlds(judged)))
    return Section("overview", "The verdicts at a glance", content, flows=True)


def _over_worlds(judged: Mapping[str, Sequence[Verdict]]) -> Element:
    by_claim: dict[str, list[Verdict]] = {}
    for found in judged.values():
        for verdict in found:
            if verdict.headline:
                by_claim.setdefault(verdict.id, []).append(verdict)
    rows = [
        {"claim": _name(found[0]), **{kind: str(count) for kind, count in standings(found).items()}}
        for found in by_claim.values()
    ]
    names = {kind: f"{SIGNS[kind]} {text}" for kind, text in STANDINGS.items()}
    title = "In how many worlds each claim is likely, open, unlikely or not judged"
    return table({"claim": "Claim", **names}, rows, title, " ".join(names))


def claims(judged: Mapping[str, Sequence[Verdict]], left_out: Sequence[str] = ()) -> Section:
    """The headline verdicts of some worlds side by side, by article and kind; other readings folded away.

    ``left_out`` are the worlds of which the report shows no more than how many claims they bear out.
    """
    groups: dict[tuple[str, str], list[Sequence[Verdict]]] = {}
    for found in zip(*judged.values(), strict=True):
        groups.setdefault((found[0].article, found[0].kind), []).append(found)
    content: list[Element] = [paragraph(_rest(len(judged), left_out))] if left_out else []
    for article in dict.fromkeys(article for article, _ in groups):
        content.append(heading(_capital(ARTICLES[article])))
        for (of, kind), members in groups.items():
            if of == article:
                content += _group(f"{_capital(kind)}s", list(judged), members)
    return Section("claims", "The claims and what the model says", content)


def _rest(shown: int, left_out: Sequence[str]) -> str:
    named = ", ".join(left_out[:NAMED]) + (
        f" and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
    )
    return (
        f"Here and in the charts are the first {shown} of {shown + len(left_out)} worlds. Left out: {named}; the "
        "command undercut claims prints the verdicts of any world."
    )


def _group(title: str, labels: Sequence[str], members: Sequence[Sequence[Verdict]]) -> list[Element]:
    """The claims of one kind; of each the verdicts of all worlds."""
    headings = {"claim": "Claim", "claimed": "The article"}
    headings |= {str(place): label for place, label in enumerate(labels)}
    if len(labels) == 1:
        headings |= {"0": "Verdict, probability, the model\u2019s median"}
    widths = {"claimed": CLAIMED_WIDTH} | dict.fromkeys(
        map(str, range(len(labels))), WORLD_WIDTHS[len(labels) - 1]
    )
    shown = [found for found in members if found[0].headline]
    rest = [found for found in members if not found[0].headline]
    content = [table(headings, map(_line, shown), title, widths=widths)] if shown else []
    if rest:
        said = f"{len(rest)} other readings of these sentences"
        content.append(details(said, table(headings, map(_line, rest), widths=widths)))
    return content


def _line(found: Sequence[Verdict]) -> dict[str, Cell]:
    first = found[0]
    name: list[str | Element] = [first.statement]
    name.append(element("small", first.id + (f", read as: {first.reading}" if first.reading else "")))
    notes = dict.fromkeys(verdict.note for verdict in found if verdict.note)
    name += [element("small", note) for note in notes]
    claimed: Cell = [first.claimed, element("small", first.unit)]
    cells: dict[str, Cell] = {str(place): _verdict(verdict) for place, verdict in enumerate(found)}
    return {"claim": name, "claimed": claimed, **cells}


def _verdict(verdict: Verdict) -> list[str | Element]:
    """The word with its sign, the probability with its interval, and the median with its own."""
    kind = standing(verdict)
    said: list[str | Element] = [element("span", f"{SIGNS[kind]} {verdict.word}", class_=kind)]
    if verdict.probability is not None:
        chance = (
            f"{verdict.probability:.2f} ({verdict.probability_low:.2f} to {verdict.probability_high:.2f})"
        )
        median, low, high = (number(_rounded(value)) for value in (verdict.median, verdict.low, verdict.high))
        middle = f"{median} ({low} to {high})"
        said += [element("small", f"probability {chance}"), element("small", f"model {middle}")]
    return said


def _rounded(value: float | None) -> float | None:
    """A number, and 0 for what is left of a sum by rounding."""
    return value if value is None or abs(value) >= constants()["rounding"] else 0.0


def _name(verdict: Verdict) -> Cell:
    return [verdict.statement, element("small", verdict.id)]


# ------------------------------------------------------------------------------------------ worlds compared


def compared(comparisons: Sequence[Comparison], shown_of: int) -> Section:
    """What moves against the first world, and which verdicts change. ``shown_of`` is how many worlds there are."""
    seen = looks(comparisons)
    reference = comparisons[0].reference
    level = f"{100 * seen.level:.0f} %"
    content = [
        paragraph(
            f"Every world against {reference}, over the seeds that ended well in both. A change is the mean of "
            f"the differences seed by seed, with its {level} interval: Student's t for amounts, Newcombe's method "
            "10 for the probability of a claim in pairs of runs."
        ),
        paragraph(
            f"{seen.intervals} intervals were looked at, {seen.same} of them of what is the same in every pair. "
            f"Of the {seen.intervals - seen.same} others {seen.moving} leave zero out; about "
            f"{seen.by_chance:.0f} would by chance alone if nothing moved."
            + (
                f" {seen.alike} of those that leave zero out are changes by the same amount in every pair: their "
                "intervals have no width."
                if seen.alike
                else ""
            )
        ),
    ]
    if len(comparisons) < shown_of - 1:
        rest = shown_of - 1 - len(comparisons)
        content.append(
            paragraph(
                f"{rest} more worlds are not shown here; the command undercut compare shows all of them."
            )
        )
    for comparison in comparisons:
        content += _comparison(comparison)
    return Section("compared", "The worlds compared", content)


def _comparison(comparison: Comparison) -> list[Element]:
    left = f"; {comparison.alone} seeds ended well in one of them only" if comparison.alone else ""
    untested = (
        f"; {comparison.untested} claims about causes are not compared, since the worlds that they need were not "
        "run in both"
        if comparison.untested
        else ""
    )
    content = [
        heading(f"{comparison.world} against {comparison.reference}"),
        paragraph(
            f"{comparison.seeds} pairs of runs{left}. {len(comparison.moving)} of {len(comparison.differences)} "
            f"quantities move, {len(comparison.turning)} of {len(comparison.chances)} claims change their verdict"
            f"{untested}."
        ),
    ]
    headings = {
        "quantity": "What moves, the clearest first",
        "unit": "Unit",
        "reference": comparison.reference,
        "world": comparison.world,
        "change": "Change, interval",
    }
    rows = [_moving(difference) for difference in comparison.moving]
    if rows:
        content.append(table(headings, rows[:CLEAREST], numbers="reference world change"))
    if len(rows) > CLEAREST:
        rest = table(headings, rows[CLEAREST:], numbers="reference world change")
        content.append(details(f"{len(rows) - CLEAREST} more that move, less clearly", rest))
    headings = {
        "claim": "Claims whose verdict changes",
        "reference": comparison.reference,
        "world": comparison.world,
        "change": "Change of probability, interval",
    }
    rows = [
        {
            "claim": [c.claim.statement, element("small", c.claim.id)],
            "reference": _chance(
                c.reference_probability, c.reference_low, c.reference_high, c.reference_word
            ),
            "world": _chance(c.probability, c.low, c.high, c.word),
            "change": [
                f"{c.change:+.2f}",
                element("small", f"{c.change_low:+.2f} to {c.change_high:+.2f}"),
            ],
        }
        for c in comparison.turning
    ]
    if rows:
        content.append(table(headings, rows, numbers="change"))
    return content


def _moving(difference: Difference) -> dict[str, Cell]:
    quantity = difference.quantity
    size, unit = scale(max(abs(difference.reference_mean), abs(difference.mean)), quantity.unit)
    low, high = signed(difference.change_low / size), signed(difference.change_high / size)
    return {
        "quantity": [f"{quantity.statement}, {quantity.period}", element("small", quantity.name)],
        "unit": unit,
        "reference": number(difference.reference_mean / size),
        "world": number(difference.mean / size),
        "change": [signed(difference.change / size), element("small", f"{low} to {high}")],
    }


def _chance(probability: float, low: float, high: float, word: str) -> list[str | Element]:
    return [f"{probability:.2f} ({low:.2f} to {high:.2f})", element("small", word)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
