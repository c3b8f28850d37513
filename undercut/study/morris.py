"""`undercut study morris`: which parameters matter at all."""

from __future__ import annotations

from typing import Annotated

import typer

from undercut.options import (
    RUNS,
    EnterprisesOption,
    JsonOption,
    OutOption,
    QuietOption,
    SeedsOption,
    SetOption,
    WithoutOption,
    WorkersOption,
)
from undercut.runs import ScenarioArgument
from undercut.study.options import HtmlOption, OutcomeOption, OverOption
from undercut.study.sensitivity import ByOption, DesignOption, FromOption, TopOption, chosen, way
from undercut.terminal import one_thread


def morris(
    scenario: ScenarioArgument = "baseline",
    over: OverOption = "",
    outcome: OutcomeOption = None,
    by: ByOption = None,
    trajectories: Annotated[
        int,
        typer.Option(
            "--trajectories", metavar="N", help="Each moves every parameter or group once; 10 to 50."
        ),
    ] = 20,
    seeds: SeedsOption = "2",
    source: FromOption = None,
    top: TopOption = 20,
    design_seed: DesignOption = 0,
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = None,
    workers: WorkersOption = None,
    out: OutOption = RUNS,
    html: HtmlOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
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
    one_thread()
    from scenarios.seeds import parse
    from studies.sensitivity.morris import morris as study
    from undercut.study.duration import analysed, displays
    from undercut.study.options import asked, end, outcomes

    names = outcomes(outcome)
    over = chosen(over, source, top, outcome or (), out)
    world = asked(scenario, over, assignments, without, enterprises)
    made, parts = study(
        world.setting,
        world.space,
        names,
        parse(seeds),
        out,
        trajectories=trajectories,
        by=way(by, over),
        seed=design_seed,
        workers=workers,
        progress=lambda: displays(quiet),
        told=analysed(quiet),
    )
    end(made, out, html, as_json, parts[0].batch, parts[0].by_chance)
