"""What the kinds of `undercut study` share: options, what they are asked, and how each of them ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.quotation import quoted
from undercut.hint import command
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


def outcomes(wanted: Sequence[str] | None, beside: bool = False) -> tuple[str, ...]:
    """The outcomes that are asked for, or the headline claims that name no cause.

    ``beside`` takes claims that compare with another world too, for their metric in one world.

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
            raise PlanError(f"--outcome {quoted(name)} is no claim; {hint}")
        if by_id()[claim].worlds and (kind or not beside):
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
    """Store a study, write its report, say its notes, and fail if runs of its batch did.

    Raises ChartError where the report cannot be written, with the command that writes it from what is stored.
    """
    from scenarios.store import Store
    from viz.fan import ChartError
    from viz.study.report import write

    folder = study.write(Store.make(store))
    if as_json:
        print_json({name: frame.to_dict("records") for name, frame in study.tables.items()})
    for note in study.notes:
        say(note)
    file = html or Path(f"{study.name}.html")
    try:
        write(study, file)
    except ChartError as error:
        again = command(store, "study", "report", study.name)
        raise ChartError(f"stored in {folder}, without a page: {error}; then `{again}` writes it") from None
    say(f"stored in {folder}; wrote {file}")
    if batch is not None:
        end_with_failures(batch, by_chance)
