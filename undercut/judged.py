"""The verdicts of a run and the effects of causes, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from undercut.hint import command
from undercut.text import Field, console, number, print_table, signed

if TYPE_CHECKING:
    from evidence.judge import Verdict
    from scenarios.batch import Batch
    from studies.ablation import Ablation

NOTE_LETTERS = 90
"""How much of a note the table shows; `--json` and `undercut show claims` have all of it."""

FIELDS = (
    Field("claim", "claim", 9),
    Field("claimed", "claimed", 4),
    Field("model", "model: median\n5 to 95 %", 4),
    Field("probability", "probability\nin words", 5),
    Field("note", "note", 6, wide=True),
)
SUMMARY = (
    Field("article", "article"),
    Field("kind", "kind"),
    Field("claims", "claims", number=True),
    Field("likely", "likely", number=True),
    Field("open", "open", number=True),
    Field("unlikely", "unlikely", number=True),
    Field("untested", "not judged", number=True),
)


def print_verdicts(batch: Batch, label: str, every: bool = False) -> None:
    """Print the verdicts of one world of a batch by article and kind, headline readings only unless ``every``."""
    from evidence.ensemble import verdicts

    found = verdicts(batch, [label])[label]
    seeds = max((verdict.seeds for verdict in found), default=0)
    _print_found(
        found,
        f"{label}, {seeds} seed{'' if seeds == 1 else 's'}",
        f"A probability is the share of seeds in which the claim holds, with its {_level()} interval; "
        "it says nothing on doubts about the parameters.",
        every,
        more=_claims_command(batch, label),
    )


def _claims_command(batch: Batch, label: str) -> str:
    """The command that prints every reading of every claim in one world of a batch."""
    label_too = [] if label == batch.labels[0] else ["--scenario", label]
    return command(batch.store.path, "claims", batch.name, *label_too, "--all")


def print_pooled(batch: Batch, every: bool = False) -> None:
    """Print the verdicts over all worlds of a batch, which are draws; headline readings only unless ``every``."""
    from studies.calibration.pooled import verdicts

    found = verdicts(batch)
    seeds, name = len(batch.seeds), ", ".join(batch.manifest["asked"]["scenarios"])
    _print_found(
        found,
        f"{name}, {len(batch.labels)} draws, {seeds} seed{'s' if seeds > 1 else ''}",
        f"A probability is the share of draws and seeds in which the claim holds, with its {_level()} interval, which "
        "counts runs of one draw, and runs of one seed, as alike. It holds doubts about the parameters that are drawn, "
        "and about no others."
        + (
            "" if seeds > 1 else " One seed tells nothing of what chance adds to the interval: add --seeds 4."
        ),
        every,
        more=command(batch.store.path, "claims", batch.name, "--all"),
    )


def _print_found(found: Sequence[Verdict], of: str, says: str, every: bool = False, *, more: str) -> None:
    from evidence.claims import ARTICLES

    shown = [verdict for verdict in found if every or verdict.headline]
    groups = _grouped(shown)
    out = console()
    for (article, kind), members in groups.items():
        title = f"{ARTICLES[article]}: {kind}s ({of})"
        print_table((_line(verdict) for verdict in members), FIELDS, title[0].upper() + title[1:])
    print_table((_counts(article, kind, members) for (article, kind), members in groups.items()), SUMMARY)
    out.print(says)
    if len(shown) < len(found):
        out.print(f"{len(found) - len(shown)} other readings of the same sentences: {more}.")


WORLD_FIELDS = (
    Field("scenario", "scenario", 5),
    Field("seeds", "seeds", number=True),
    Field("likely", "likely", number=True),
    Field("open", "open", number=True),
    Field("unlikely", "unlikely", number=True),
    Field("untested", "not judged", number=True),
)


def print_outcome(batch: Batch) -> None:
    """Print how many claims each world of a batch bears out, and how to see more."""
    from evidence.ensemble import verdicts

    rows = []
    for label, found in verdicts(batch, batch.labels[:WORLDS_SHOWN]).items():
        judged = [verdict for verdict in found if verdict.headline]
        seeds = max((verdict.seeds for verdict in judged), default=0)
        rows.append({"scenario": label, "seeds": str(seeds), **_standings(judged)})
    print_table(rows, WORLD_FIELDS, "Headline claims of both articles by world")
    out = console()
    store, name = batch.store.path, batch.name
    if len(batch.labels) > WORLDS_SHOWN:
        exported = command(store, "export", name, "--tables", "claims")
        out.print(f"{len(batch.labels) - WORLDS_SHOWN} more worlds: {exported}")
    one = command(store, "claims", name, "--scenario", batch.labels[0])
    out.print(f"The verdicts of one world: {one}")
    out.print(f"Side by side, with pictures: {command(store, 'report', name)}")


WORLDS_SHOWN = 40


def print_effects(ablation: Ablation, every: bool = False) -> None:
    """Print, for each cause, the outcomes that move when it is turned off; all of them with ``every``."""
    out = console()
    rows = ablation.rows()
    for cause in ablation.causes:
        effects = [row for row in rows if row["cause"] == cause]
        shown = [row for row in effects if every or row["moves"]]
        moved = f"{len(shown)} of {len(effects)} outcomes"
        title = f"Without {cause.replace('_', ' ')}: {moved}, {ablation.seeds} seeds"
        print_table((_effect(row) for row in shown), EFFECT_FIELDS, title)
    out.print(
        "A change is the outcome without the cause less the outcome with it, paired by seed and averaged, "
        f"with its {_level()} interval."
    )
    if not every:
        out.print("Outcomes whose interval includes zero are left out: add --all.")


EFFECT_FIELDS = (
    Field("outcome", "outcome", 6),
    Field("unit", "unit", wide=True),
    Field("with", "with it", number=True),
    Field("without", "without", number=True),
    Field("change", "change", number=True),
    Field("interval", "interval", number=True),
)


def _effect(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "outcome": f"{row['statement']}\n{row['claim']}",
        "unit": row["unit"],
        "with": number(row["with_cause"]),
        "without": number(row["without_cause"]),
        "change": signed(row["change"]),
        "interval": f"{signed(row['change_low'])} to {signed(row['change_high'])}",
    }


def _level() -> str:
    from evidence.facts import constants

    return f"{constants()['interval_level']:.0%}".replace("%", " %")


def _grouped(found: Iterable[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    """Verdicts by article and kind, in the order in which these first appear."""
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in found:
        groups.setdefault((verdict.article, verdict.kind), []).append(verdict)
    articles = list(dict.fromkeys(article for article, _ in groups))
    kinds = list(dict.fromkeys(kind for _, kind in groups))
    return {(a, k): groups[a, k] for a in articles for k in kinds if (a, k) in groups}


def _line(verdict: Verdict) -> dict[str, str]:
    tested = verdict.probability is not None
    chance = ""
    if tested:
        interval = f"{verdict.probability_low:.2f}-{verdict.probability_high:.2f}"
        chance = f"{verdict.probability:.2f} ({interval})\n"
    note = verdict.note
    if len(note) > NOTE_LETTERS:
        note = note[:NOTE_LETTERS].rpartition(" ")[0].rstrip(",;:") + " ..."
    spread = f"{number(verdict.median)}\n{number(verdict.low)} to {number(verdict.high)}"
    return {
        "claim": f"{verdict.statement}\n{verdict.id}",
        "claimed": f"{verdict.claimed} {verdict.unit}",
        "model": spread if tested else "",
        "probability": chance + verdict.word,
        "note": note,
    }


def _counts(article: str, kind: str, found: Sequence[Verdict]) -> dict[str, str]:
    from evidence.claims import ARTICLES

    return {
        "article": ARTICLES.get(article, article),
        "kind": f"{kind}s",
        "claims": str(len(found)),
        **_standings(found),
    }


def _standings(found: Iterable[Verdict]) -> dict[str, str]:
    from evidence.judge import standings

    return {kind: str(count) for kind, count in standings(found).items()}
