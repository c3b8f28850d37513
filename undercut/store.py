"""The commands on a store: `claims`, `plot`, `ls`, `rm`, `repair` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from undercut.options import RUNS, BatchArgument, JsonOption, QuietOption, StoreOption
from undercut.terminal import open_batch, print_json, say

EveryOption = Annotated[bool, typer.Option("--all", help="Print every reading of every claim.")]
ScenarioOption = Annotated[
    str | None,
    typer.Option(
        "--scenario", metavar="LABEL", help="Which world of the batch; else the first, or all draws together."
    ),
]


def claims(
    batch: BatchArgument = "",
    scenario: ScenarioOption = None,
    store: StoreOption = RUNS,
    every: EveryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the verdicts of a stored batch again.

    \b
    Examples:
      undercut claims                         the newest batch
      undercut claims baseline --all
      undercut claims baseline+1 --scenario consortium --json
      undercut claims posterior               pooled over its draws, as undercut run had it
    """
    from undercut.batch import pooled_rows, verdict_rows
    from undercut.judged import print_pooled, print_verdicts

    opened = open_batch(batch, store)
    label, pooled = scenario or opened.labels[0], opened.drawn and scenario is None
    if as_json:
        print_json(pooled_rows(opened) if pooled else verdict_rows(opened, [label]))
    elif pooled:
        print_pooled(opened, every)
    else:
        print_verdicts(opened, label, every)


def list_batches(store: StoreOption = RUNS, as_json: JsonOption = False) -> None:
    """List the batches of a store, with how far each has come.

    \b
    Example:
      undercut ls --store runs
    """
    from undercut.stored import batches, print_batches

    rows = batches(store)
    if as_json:
        print_json(rows)
    else:
        print_batches(rows, store)


def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="BATCH...", help="Full names, as undercut ls shows them.")
    ],
    store: StoreOption = RUNS,
) -> None:
    """Remove batches, and the runs that no other batch asked for.

    \b
    Example:
      undercut rm baseline-1a2b3c4d
    """
    from undercut.stored import removed

    for line in removed(names, store):
        say(line)


def repair(store: StoreOption = RUNS) -> None:
    """Check every file of a store against its checksum, and drop what is damaged, so that it is made again.

    \b
    Example:
      undercut repair --store runs
    """
    from scenarios import batch
    from scenarios.store import Store

    files, runs = batch.repair(Store(store))
    again = "; run their batches again to make the lost runs" if files else ""
    say(f"{files} damaged files dropped, and {runs} runs that they were part of{again}")


def export(
    batch: BatchArgument = "",
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="A new or empty folder; by default the batch's name.")
    ] = Path(),
    tables: Annotated[
        str, typer.Option("--tables", metavar="NAMES", help="By comma, as quarters,claims; else all of them.")
    ] = "",
    form: Annotated[str, typer.Option("--format", metavar="FORM", help="csv or parquet.")] = "csv",
    store: StoreOption = RUNS,
    quiet: QuietOption = False,
) -> None:
    """Write the tables of a batch into a folder, a file a table, and its verdicts as claims.

    \b
    Examples:
      undercut export baseline --out results
      undercut export baseline --tables quarters,claims --format parquet
    """
    from undercut.stored import write

    opened = open_batch(batch, store)
    folder = out if out != Path() else Path(opened.name)
    for file, rows in write(opened, folder, tables, form):
        if not quiet:
            say(f"{file}: {rows} rows")


def plot(
    batch: BatchArgument = "",
    scenario: ScenarioOption = None,
    store: StoreOption = RUNS,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="PNG, SVG or PDF, by its ending.")
    ] = Path("undercut.png"),
) -> None:
    """Draw a stored world: prices by region, NVIDIA's share in China, shares and market size, as fans.

    \b
    Example:
      undercut plot baseline --out prices.svg
    """
    from viz.chart import draw

    opened = open_batch(batch, store)
    draw(opened, scenario or opened.labels[0], out)
    say(f"drew {out}")
