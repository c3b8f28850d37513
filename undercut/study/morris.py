"""`undercut study morris`: which parameters matter at all."""

from __future__ import annotations

from typing import Annotated

import typer

from undercut.study.sensitivity import ByOption, Shared, sharing, way


@sharing(seeds="2")
def morris(
    shared: Shared,
    by: ByOption = None,
    trajectories: Annotated[
        int,
        typer.Option(
            "--trajectories", metavar="N", help="Each moves every parameter or group once; 10 to 50."
        ),
    ] = 20,
) -> None:
    """Screen the parameters: what moving each of them alone does to an outcome, from many places of the space.

    \b
    Examples:
      undercut study morris baseline
      undercut study morris baseline --by parameter --trajectories 10 --outcome p1-nvidia-2027
      undercut study morris baseline --from morris-1a2b3c4d --top 5 --by parameter

    It makes trajectories x (parameters or groups + 1) runs with each seed. Its report ranks them; `undercut study
    sobol --from` takes the first ones.
    """
    from studies.sensitivity.morris import morris as study

    shared.run(study, by=way(by, shared), trajectories=trajectories)
