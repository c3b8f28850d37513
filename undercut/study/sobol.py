"""`undercut study sobol`: which share of an outcome's variance each parameter takes."""

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


def sobol(
    scenario: ScenarioArgument = "baseline",
    over: OverOption = "",
    outcome: OutcomeOption = None,
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
    seeds: SeedsOption = "1",
    chance_seeds: Annotated[
        int,
        typer.Option(
            "--chance-seeds",
            min=1,
            metavar="N",
            help="Seeds with which chance is measured, more than --seeds at some points only; 1 for none.",
        ),
    ] = 8,
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
    """Decompose the variance of an outcome: what each parameter takes alone, and what with all others.

    \b
    Examples:
      undercut study sobol baseline --from morris-1a2b3c4d --top 20 --base 1024
      undercut study sobol baseline --over sigma2,eta,alpha_mean --outcome p1-nvidia-2027 --pairs
      undercut study sobol baseline --by group --base 512

    It makes base x (parameters or groups + 2) runs with each seed, and some with more seeds, to tell chance from
    parameters. It says how long that takes once the first runs are made; after Ctrl-C the same command goes on.
    """
    one_thread()
    from scenarios.seeds import parse
    from studies.sensitivity.sobol import sobol as study
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
        base=base,
        by=way(by, over),
        pairs=pairs,
        tolerance=tolerance,
        chance_seeds=chance_seeds,
        seed=design_seed,
        workers=workers,
        progress=lambda: displays(quiet),
        told=analysed(quiet),
    )
    end(made, out, html, as_json, parts[0].batch, [lost for part in parts for lost in part.by_chance])
