"""The kinds of `undercut study`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from undercut.options import RUNS, StoreOption
from undercut.study.breaks import breaks
from undercut.study.calibration import calibration
from undercut.study.causes import causes
from undercut.study.discovery import discovery
from undercut.study.form import form
from undercut.study.morris import morris
from undercut.study.options import HtmlOption
from undercut.study.pawn import pawn
from undercut.study.sobol import sobol
from undercut.terminal import say


def report(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="Its name or how it begins, or its folder.")],
    html: HtmlOption = None,
    store: StoreOption = RUNS,
) -> None:
    """Write the report of a stored study again."""
    from scenarios.store import Store
    from studies.study import Study
    from viz.study.report import write

    study = Study.open(name, Store(store))
    file = html or Path(f"{study.name}.html")
    write(study, file)
    say(f"wrote {file}")


def listed(store: StoreOption = RUNS) -> None:
    """List the studies of a store."""
    from scenarios.store import Store
    from studies.study import folders, head

    found = folders(Store(store))
    for folder in found:
        print(f"{folder.name}\t{head(folder)['title']}")
    if not found:
        say(f"{store} has no study yet; `undercut study --help` lists the kinds")


app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Study which assumptions carry the result."
)
# A kind a line: its command, its name, what --help says.
for command, called, short in (
    (morris, "morris", "Screen parameters or groups: which matter at all."),
    (sobol, "sobol", "Decompose variance: which share each of them takes."),
    (pawn, "pawn", "Compare distributions, for outcomes far from normal."),
    (form, "form", "Judge the claims under other forms of the mechanisms."),
    (causes, "causes", "Share out each predicted change among its causes."),
    (breaks, "breaks", "Find how far each parameter must move before a claim flips."),
    (calibration, "calibration", "Fit parameters to what was observed to the end of 2024."),
    (discovery, "discovery", "Find the worlds in which a claim fails, as boxes."),
    (report, "report", "Write the report of a stored study again."),
    (listed, "ls", "List the studies of a store."),
):
    app.command(called, short_help=short)(command)
