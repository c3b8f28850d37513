"""The kinds of `undercut study`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from undercut.group import Group, Place
from undercut.options import RUNS, StoreOption
from undercut.study.options import HtmlOption
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
    from scenarios.fault import printable
    from scenarios.store import Store
    from studies.study import folders, head

    found = folders(Store(store))
    for folder in found:
        print(f"{folder.name}\t{printable(head(folder)['title'])}")
    if not found:
        say(f"{store} has no study yet; `undercut study --help` lists the kinds")


KINDS = {
    "morris": Place("undercut.study.morris", "morris", "Screen parameters or groups: which matter at all."),
    "sobol": Place("undercut.study.sobol", "sobol", "Decompose variance: which share each of them takes."),
    "pawn": Place("undercut.study.pawn", "pawn", "Compare distributions, for outcomes far from normal."),
    "form": Place("undercut.study.form", "form", "Judge the claims under other forms of the mechanisms."),
    "causes": Place("undercut.study.causes", "causes", "Share out each predicted change among its causes."),
    "breaks": Place(
        "undercut.study.breaks", "breaks", "Find how far each parameter must move before a claim flips."
    ),
    "calibration": Place(
        "undercut.study.calibration",
        "calibration",
        "Fit parameters to what was observed to the end of 2024.",
    ),
    "discovery": Place(
        "undercut.study.discovery", "discovery", "Find the worlds in which a claim fails, as boxes."
    ),
    "report": Place("undercut.study.app", "report", "Write the report of a stored study again."),
    "ls": Place("undercut.study.app", "listed", "List the studies of a store."),
}
"""A kind a line: its name, where it is, what --help says."""


class Studies(Group):
    """The commands of ``undercut study``."""

    places = KINDS


app = typer.Typer(
    cls=Studies,
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    help="Study which assumptions carry the result.",
)


@app.callback()
def root(context: typer.Context) -> None:
    """Study which assumptions carry the result."""
    if context.invoked_subcommand is None:
        print(context.get_help())
