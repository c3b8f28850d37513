"""`undercut study pawn`: which parameters move the whole distribution of an outcome."""

from __future__ import annotations

from typing import Annotated

import typer

from undercut.study.sensitivity import Shared, sharing


@sharing(seeds="2")
def pawn(
    shared: Shared,
    samples: Annotated[
        int,
        typer.Option("--samples", metavar="N", help="Points of the sample, however many parameters vary."),
    ] = 512,
) -> None:
    """Compare whole distributions: how far knowing a parameter moves that of an outcome, whatever its shape.

    \b
    Examples:
      undercut study pawn baseline --outcome holds:p1-nvidia-2027 --samples 1024
      undercut study pawn baseline --from morris-1a2b3c4d --top 20

    Use it for whether a claim holds, for counts, and for outcomes with rare extremes, of which variance says little; the
    report of `undercut study sobol` says which those are. It makes as many runs as points, with each seed.
    """
    from studies.sensitivity.pawn import pawn as study

    shared.run(study, samples=samples)
