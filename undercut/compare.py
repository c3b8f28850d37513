"""The command `compare`: scenarios side by side over common random numbers."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from undercut.hint import command
from undercut.options import (
    RUNS,
    EnterprisesOption,
    JsonOption,
    OutOption,
    OwnSeedsOption,
    QuietOption,
    SetOption,
    WithoutOption,
    WorkersOption,
)
from undercut.terminal import end_with_failures, one_thread, print_json, say
from undercut.text import Field, console, number, print_table, signed
from viz.number import scale

if TYPE_CHECKING:
    from scenarios.batch import Batch
    from scenarios.runner import Failure
    from studies.comparison import Chance, Comparison, Difference

CLEAREST = 20
"""How many of the quantities that move are printed of one world without --all."""

WORLDS_SHOWN = 8
"""How many worlds are printed without --all."""


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]...",
            help="The reference first, then others: names or TOML files; with --batch, labels of its worlds.",
        ),
    ] = None,
    seeds: OwnSeedsOption = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="BATCH", help="Compare the worlds of a stored batch; run nothing."),
    ] = None,
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = None,
    out: OutOption = RUNS,
    workers: WorkersOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="Print also what does not move, and every reading.")
    ] = False,
    as_json: JsonOption = False,
    file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write every row into a CSV file too.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Put scenarios side by side with the first of them, seed by seed.

    Makes the runs that the store lacks. Each other scenario is compared with the first over the seeds that both
    have: the paired difference of every outcome and of every headline column in the last year, and how probable
    each claim is in both.

    \b
    Examples:
      undercut compare baseline consortium --seeds 32
      undercut compare baseline consortium model_export_rules --set sigma2=0.8 --csv differences.csv
      undercut compare --batch baseline+1 --all
    """
    from scenarios.folder import StoreError
    from studies.comparison import compare as paired

    by_chance: Sequence[Failure] = ()
    if batch is not None:
        if assignments or without or enterprises is not None:
            raise StoreError("--set, --without and --enterprises say what to run; --batch runs nothing")
        from scenarios.batch import Batch

        made = Batch.open(batch, out)
    else:
        made, by_chance = _made(names or [], seeds, assignments, without, enterprises, out, workers, quiet)
    labels = names if batch is not None and names else made.labels
    shown = labels if every or as_json or file is not None else labels[: 1 + WORLDS_SHOWN]
    comparisons = paired(made, shown, every)
    if as_json:
        print_json([row for comparison in comparisons for row in comparison.rows()])
    else:
        print_comparison(made, comparisons, every, len(set(labels)) - 1)
    if file is not None:
        say(f"wrote {file}: {write_csv(comparisons, file)} rows")
    end_with_failures(made, by_chance)


def _made(
    scenarios: Sequence[str],
    seeds: str | None,
    assignments: Sequence[str] | None,
    without: Sequence[str] | None,
    enterprises: int | None,
    out: Path,
    workers: int | None,
    quiet: bool,
) -> tuple[Batch, Sequence[Failure]]:
    """The batch of some scenarios, made as far as the store lacks it, and what failed by chance."""
    from scenarios.plan import PlanError
    from scenarios.progress import shown_on

    if len(scenarios) < 2:
        raise PlanError("comparing needs two scenarios at least: undercut compare baseline consortium")
    # BLAS on one thread in this process too, before NumPy is loaded, as workers do: sums must agree.
    one_thread()
    from undercut import batch

    values = batch.overrides(assignments or (), without or (), enterprises)
    plan = batch.plan(list(scenarios), seeds or batch.seeds_of(scenarios), overrides=values, compared=0)
    made, by_chance = batch.carry_out(plan, out, workers=workers, progress=shown_on(sys.stderr, quiet))
    if not quiet:
        say(f"stored in {out} as {made.name}")
    return made, by_chance


def print_comparison(
    batch: Batch, comparisons: Sequence[Comparison], every: bool = False, worlds: int = 0
) -> None:
    """Print what moves against the first world and which verdicts change; everything with ``every``.

    ``worlds`` is how many there are to compare, where not all of them were.
    """
    out = console()
    shown = comparisons if every else comparisons[:WORLDS_SHOWN]
    for comparison in shown:
        _print_one(comparison, every)
    if len(shown) < worlds:
        out.print(f"{worlds - len(shown)} more worlds: add --all, or name some of them.")
    for line in notes(shown):
        out.print(line)
    if not every:
        out.print("What does not move, and other readings of the same sentences: add --all.")
    out.print(f"With pictures: {command(batch.store.path, 'report', batch.name)}")


def notes(comparisons: Sequence[Comparison]) -> list[str]:
    """What a reader has to know about the intervals, a line each."""
    from studies.comparison import looks

    seen = looks(comparisons)
    level = f"{seen.level:.0%}".replace("%", " %")
    lines = [
        "A change is the mean over seeds of the world less the reference with the same seed; its interval is "
        f"Student's, {level}, of a probability Newcombe's for pairs.",
        f"Of {seen.intervals} intervals {seen.same} are of what is the same in every pair; of the "
        f"{seen.intervals - seen.same} others {seen.moving} leave zero out, and about {seen.by_chance:.0f} would "
        "by chance if nothing moved.",
    ]
    if seen.alike:
        lines.append(
            f"{seen.alike} of those that leave zero out are changes by the same amount in every pair: their intervals "
            "have no width."
        )
    if any(comparison.untested for comparison in comparisons):
        untested = max(comparison.untested for comparison in comparisons)
        lines.append(
            f"{untested} claims about causes are not compared: their worlds were not run (undercut run "
            "--counterfactual-seeds N)."
        )
    return lines


def write_csv(comparisons: Sequence[Comparison], file: Path) -> int:
    """Write every row of comparisons into a CSV file; returns how many. Raises StoreError where it cannot."""
    from scenarios.folder import StoreError

    rows = [row for comparison in comparisons for row in comparison.rows()]
    names = dict.fromkeys(name for row in rows for name in row)
    try:
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, list(names), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise StoreError(f"cannot write {file}: {(error.strerror or str(error)).lower()}") from None
    return len(rows)


def _print_one(comparison: Comparison, every: bool) -> None:
    pair = f"{comparison.world} against {comparison.reference}"
    pairs = f"{comparison.seeds} seeds in both"
    if comparison.alone:
        pairs += f", {comparison.alone} in one of them only are left out"
    moving = comparison.differences if every else comparison.moving[:CLEAREST]
    counted = f"{len(comparison.moving)} of {len(comparison.differences)} quantities move"
    fields = (
        Field("quantity", "quantity", 6),
        Field("unit", "unit", wide=True),
        Field("reference", comparison.reference, number=True),
        Field("world", comparison.world, number=True),
        Field("change", "change", number=True),
        Field("interval", "interval", number=True),
    )
    print_table(map(_difference, moving), fields, f"{pair}: {counted} ({pairs})")
    if not every and len(comparison.moving) > CLEAREST:
        console().print(f"{len(comparison.moving) - CLEAREST} more move, less clearly: add --all.\n")
    turning = comparison.chances if every else comparison.turning
    columns = (
        Field("claim", "claim", 6),
        Field("reference", comparison.reference, 3),
        Field("world", comparison.world, 3),
        Field("change", "change of\nprobability", number=True),
        Field("interval", "interval", number=True),
    )
    counted = f"{len(comparison.turning)} of {len(comparison.chances)} claims change their verdict"
    print_table(map(_chance, turning), columns, f"{pair}: {counted}")


def _difference(difference: Difference) -> dict[str, Any]:
    quantity = difference.quantity
    size, unit = scale(max(abs(difference.reference_mean), abs(difference.mean)), quantity.unit)
    return {
        "quantity": f"{quantity.statement}, {quantity.period}\n{quantity.name}",
        "unit": unit,
        "reference": number(difference.reference_mean / size),
        "world": number(difference.mean / size),
        "change": signed(difference.change / size),
        "interval": f"{signed(difference.change_low / size)} to {signed(difference.change_high / size)}",
    }


def _chance(chance: Chance) -> dict[str, Any]:
    before = f"({chance.reference_low:.2f}-{chance.reference_high:.2f})"
    after = f"({chance.low:.2f}-{chance.high:.2f})"
    return {
        "claim": f"{chance.claim.statement}\n{chance.claim.id}",
        "reference": f"{chance.reference_probability:.2f} {before}\n{chance.reference_word}",
        "world": f"{chance.probability:.2f} {after}\n{chance.word}",
        "change": f"{chance.change:+.2f}",
        "interval": f"{chance.change_low:+.2f} to {chance.change_high:+.2f}",
    }
