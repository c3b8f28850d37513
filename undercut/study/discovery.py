"""`undercut study discovery`: in which worlds a claim fails."""

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
from undercut.terminal import one_thread, say


def discovery(
    scenario: ScenarioArgument = "baseline",
    over: OverOption = "",
    outcome: OutcomeOption = None,
    where: Annotated[
        str, typer.Option("--where", metavar="WHAT", help="Seek the worlds in which a claim fails, or holds.")
    ] = "fails",
    points: Annotated[
        int, typer.Option("--points", metavar="N", help="Worlds; half are peeled, half are fresh.")
    ] = 512,
    method: Annotated[
        str, typer.Option("--sample", metavar="METHOD", help="How worlds are drawn: lhs or sobol.")
    ] = "lhs",
    box: Annotated[
        int | None,
        typer.Option(
            "--box", min=0, metavar="N", help="Take this box of the first peeling, not the best one."
        ),
    ] = None,
    boxes: Annotated[
        int, typer.Option("--boxes", min=1, metavar="N", help="Boxes to seek, one after another, at most.")
    ] = 2,
    design_seed: Annotated[
        int, typer.Option("--design-seed", min=0, metavar="N", help="Seed of the sample and of the tree.")
    ] = 0,
    seeds: SeedsOption = "3",
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = None,
    workers: WorkersOption = None,
    out: OutOption = RUNS,
    html: HtmlOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find the worlds in which a claim fails, as boxes of few parameters (scenario discovery by PRIM and CART).

    \b
    Examples:
      undercut study discovery baseline --outcome p1-nvidia-2027 --points 512 --seeds 3
      undercut study discovery baseline --outcome p3-price --where holds --over eta,sigma2,alpha_mean,workload_growth
      undercut study discovery baseline --outcome p1-nvidia-2027 --box 12

    It makes points x seeds runs. --box chooses again from the same runs, which the store has. After Ctrl-C the same
    command goes on.
    """
    one_thread()
    from scenarios.plan import PlanError
    from scenarios.seeds import parse
    from studies.discovery.discovery import discovery as study
    from studies.discovery.question import Question
    from undercut.study.duration import analysed, displays
    from undercut.study.options import asked, end, outcomes
    from viz.study.discovery import answer
    from viz.study.rows import records

    if not outcome:
        raise PlanError("a discovery is about a claim; say which with --outcome, as --outcome p1-nvidia-2027")
    question = Question(where, box, boxes, design_seed)
    names = outcomes(outcome)
    world = asked(scenario, over, assignments, without, enterprises)
    made, found = study(
        world.setting,
        world.space,
        names,
        parse(seeds),
        out,
        points=points,
        method=method,
        question=question,
        workers=workers,
        progress=displays(quiet),
        told=analysed(quiet),
    )
    for row in records(made.tables["claims"]):
        say(answer(made, row))
    end(made, out, html, as_json, found.batch, found.by_chance)
