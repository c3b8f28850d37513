"""`undercut study sobol`: which share of an outcome's variance each parameter takes."""

from __future__ import annotations

from typing import Annotated

import typer

from undercut.study.sensitivity import ByOption, Shared, sharing, way


@sharing(seeds="1")
def sobol(
    shared: Shared,
    by: ByOption = None,
    base: Annotated[
        int,
        typer.Option(
            "--base", metavar="N", help="Base samples, a power of two; the report says if it is enough."
        ),
    ] = 256,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Second-order indices too; it nearly doubles the runs.")
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", min=0.001, max=1.0, metavar="WIDTH", help="Width of an interval that will do."
        ),
    ] = 0.1,
    chance_seeds: Annotated[
        int,
        typer.Option(
            "--chance-seeds",
            min=1,
            metavar="N",
            help="Seeds with which chance is measured, more than --seeds at some points only; 1 for none.",
        ),
    ] = 8,
) -> None:
    """Decompose the variance of an outcome: what each parameter takes alone, and what with all others.

    \b
    Examples:
      undercut study sobol baseline --from morris-1a2b3c4d --top 20 --base 1024
      undercut study sobol baseline --over sigma2,eta,alpha_mean --outcome p1-nvidia-2027 --pairs
      undercut study sobol baseline --by group --base 512

    It makes base x (parameters or groups + 2) runs with each seed, and some with more seeds, to tell chance from
    parameters. It says how long that takes once the first runs are made; after Ctrl-C the same command goes on.
    """
    from studies.sensitivity.sobol import sobol as study

    shared.run(
        study,
        by=way(by, shared),
        base=base,
        pairs=pairs,
        tolerance=tolerance,
        chance_seeds=chance_seeds,
    )
