"""What the commands of screening and of variance share: their options, and the parameters that they take on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="WHAT",
        help="Ask about each parameter, or each group (a subject of the table); else parameter where --over or "
        "--from names some, and group for all.",
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="STUDY", help="Vary the most influential parameters or groups of an earlier study."
    ),
]
TopOption = Annotated[int, typer.Option("--top", min=1, metavar="N", help="How many of them --from takes.")]
DesignOption = Annotated[
    int, typer.Option("--design-seed", min=0, metavar="N", help="Seed of the sample and of the bootstrap.")
]


def chosen(over: str, source: str | None, top: int, outcomes: Sequence[str], store: Path) -> str:
    """What --over holds, or what an earlier study found most influential, in the same notation.

    Raises PlanError where both are given or the study ranks nothing, StoreError where there is no such study.
    """
    if source is None:
        return over
    from scenarios.plan import PlanError
    from scenarios.store import Store
    from studies.sensitivity.ranking import most
    from studies.study import Study

    if over:
        raise PlanError("--over and --from both say what varies; leave one of them out")
    return ",".join(most(Study.open(source, Store(store)), top, outcomes))


def way(by: str | None, over: str) -> str:
    """What --by says, or parameters where some are named and groups for all of them."""
    from studies.sensitivity.units import GROUP, PARAMETER

    return by or (PARAMETER if over else GROUP)
