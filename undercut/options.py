"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BatchArgument = Annotated[
    str,
    typer.Argument(
        metavar="[BATCH]",
        help="Name of a batch (undercut ls) or how it begins, or its folder; else the newest. Those of studies come last.",
    ),
]
StoreOption = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="The store to look in; by default ./runs.")
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", help="The store for the results, made if need be; by default ./runs."
    ),
]
SeedsOption = Annotated[
    str,
    typer.Option("--seeds", metavar="N|LIST", help="How many, as 32, or which, as 1,2,5-8 (7-7 is seed 7)."),
]
OwnSeedsOption = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        metavar="N|LIST",
        help="How many, as 32, or which, as 1,2,5-8 (7-7 is seed 7); else what the scenario says, or 32.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Give a parameter another value; may be repeated."),
]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="CAUSE", help="Turn a cause off, as export-rules; may be repeated."),
]
EnterprisesOption = Annotated[
    int | None, typer.Option("--enterprises", min=1, metavar="N", help="How many enterprises to simulate.")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, metavar="N", help="Processes; by default one a processor.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a JSON list of objects.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
RUNS = Path("runs")
