"""The kinds of `undercut study`, and what they share: their options, and how each of them ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from undercut.options import StoreOption
from undercut.terminal import end_with_failures, print_json, say

if TYPE_CHECKING:
    from model.setting import Setting
    from scenarios.batch import Batch
    from scenarios.runner import Failure
    from studies.space import Space
    from studies.study import Study

OverOption = Annotated[
    str,
    typer.Option("--over", metavar="NAMES", help="Parameters to vary, with commas; else all with a range."),
]
OutcomeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--outcome",
        metavar="CLAIM",
        help="What is explained: the value of a claim's metric, or holds:CLAIM; may be repeated. Else the headline claims.",
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="The report; by default the study's name and .html."),
]


@dataclass(frozen=True)
class Asked:
    """The world that a study is about, and the parameters that it varies."""

    setting: Setting
    space: Space


def asked(
    scenario: str,
    over: str,
    assignments: Sequence[str] | None,
    without: Sequence[str] | None,
    enterprises: int | None,
) -> Asked:
    """The setting and the space of a study's options. Raises ScenarioError, ParameterError or DesignError."""
    from scenarios.scenario import load
    from studies.ensemble import overrides, settled
    from studies.space import Space

    values = overrides(assignments or (), without or (), enterprises)
    names = tuple(name.strip() for name in over.split(",") if name.strip())
    given = settled([scenario], values)
    clash = [name for name in names if name in values]
    if clash:
        from scenarios.design import DesignError

        raise DesignError(
            f"{clash[0]} is given one value by --set and varied by --over; leave one of them out"
        )
    return Asked(load(scenario, values), Space.over(names, given))


def outcomes(wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The outcomes that are asked for, or the headline claims that name no cause.

    Raises PlanError, with the nearest name, for one that is no claim or that needs another world.
    """
    from evidence.claims import by_id
    from scenarios.fault import nearest
    from scenarios.plan import PlanError
    from studies.ablation import outcomes as headline
    from studies.evaluation import HOLDS

    for name in wanted or ():
        kind, _, claim = name.rpartition(":")
        if claim not in by_id() or kind not in ("", HOLDS):
            hint = nearest(claim, by_id()) or "`undercut show claims` lists them"
            raise PlanError(f"--outcome {name!r} is no claim; {hint}")
        if by_id()[claim].worlds:
            raise PlanError(f"--outcome {name!r} compares with another world; choose a claim on one world")
    return tuple(dict.fromkeys(wanted)) if wanted else tuple(claim.id for claim in headline())


def end(
    study: Study,
    store: Path,
    html: Path | None,
    as_json: bool,
    batch: Batch | None = None,
    by_chance: Sequence[Failure] = (),
) -> None:
    """Store a study, write its report, say its notes, and fail if runs of its batch did."""
    from scenarios.store import Store
    from viz.study.report import write

    folder = study.write(Store.make(store))
    if as_json:
        print_json({name: frame.to_dict("records") for name, frame in study.tables.items()})
    for note in study.notes:
        say(note)
    file = html or Path(f"{study.name}.html")
    write(study, file)
    say(f"stored in {folder}; wrote {file}")
    if batch is not None:
        end_with_failures(batch, by_chance)


def report(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="Its name or how it begins, or its folder.")],
    html: HtmlOption = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Write the report of a stored study again."""
    from scenarios.store import Store
    from studies.study import Study
    from viz.study.report import write

    study = Study.open(name, Store(store))
    file = html or Path(f"{study.name}.html")
    write(study, file)
    say(f"wrote {file}")


def listed(store: StoreOption = Path("runs")) -> None:
    """List the studies of a store."""
    from scenarios.store import Store
    from studies.study import Study, folders

    home = Store(store)
    for folder in folders(home):
        study = Study.open(folder, home)
        print(f"{study.name}\t{study.title}")
    if not folders(home):
        say(f"{store} has no study yet; `undercut study --help` lists the kinds")


# The kinds take their shared options from above.
from undercut.study.breaks import breaks  # noqa: E402
from undercut.study.calibration import calibration  # noqa: E402
from undercut.study.discovery import discovery  # noqa: E402
from undercut.study.form import form  # noqa: E402
from undercut.study.morris import morris  # noqa: E402
from undercut.study.pawn import pawn  # noqa: E402
from undercut.study.sobol import sobol  # noqa: E402

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Study which assumptions carry the result."
)
# A kind a line: its command, its name, what --help says.
for command, called, short in (
    (morris, "morris", "Screen parameters or groups: which matter at all."),
    (sobol, "sobol", "Decompose variance: which share each of them takes."),
    (pawn, "pawn", "Compare distributions, for outcomes far from normal."),
    (form, "form", "Judge the claims under other forms of the mechanisms."),
    (breaks, "breaks", "Find how far each parameter must move before a claim flips."),
    (calibration, "calibration", "Fit parameters to what was observed to the end of 2024."),
    (discovery, "discovery", "Find the worlds in which a claim fails, as boxes."),
    (report, "report", "Write the report of a stored study again."),
    (listed, "ls", "List the studies of a store."),
):
    app.command(called, short_help=short)(command)
