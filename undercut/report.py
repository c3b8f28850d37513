"""The command `report`: one HTML file on a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from undercut.options import RUNS, BatchArgument, StoreOption
from undercut.terminal import open_batch, say


def report(
    batch: BatchArgument = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="By default the batch's name and .html.")
    ] = None,
    quarter: Annotated[
        str,
        typer.Option("--quarter", metavar="QUARTER", help="Of the supply graph, as 2026Q4; else the last."),
    ] = "",
    store: StoreOption = RUNS,
) -> None:
    """Write one HTML file on a batch: verdicts, charts, the supply graph, worlds compared, how it was made.

    The file needs no network and no script, and prints on A4.

    \b
    Examples:
      undercut report
      undercut report baseline+1 --out report.html --quarter 2026Q4
    """
    from viz.report import write

    opened = open_batch(batch, store)
    file = out or Path(f"{opened.name}.html")
    write(opened, file, quarter)
    say(f"wrote {file}")
