"""`undercut study breaks`: how far each parameter must move before a claim flips."""

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


def breaks(
    scenario: ScenarioArgument = "baseline",
    over: OverOption = "",
    outcome: OutcomeOption = None,
    steps: Annotated[
        int,
        typer.Option(
            "--steps", min=1, metavar="N", help="Steps of the grid over a parameter's range, at least."
        ),
    ] = 8,
    rounds: Annotated[
        int,
        typer.Option("--rounds", min=0, metavar="N", help="How often the bracket around a break is halved."),
    ] = 4,
    seeds: SeedsOption = "8",
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = None,
    workers: WorkersOption = None,
    out: OutOption = RUNS,
    html: HtmlOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find how far each parameter must move, alone, before each claim's probability crosses one half.

    \b
    Examples:
      undercut study breaks baseline --over sigma2,eta,alpha_mean --seeds 16
      undercut study breaks baseline --over eta --outcome p1-nvidia-2027 --steps 16 --rounds 5
      undercut study breaks consortium --seeds 8 --enterprises 200

    It makes about (1 + parameters x (steps + 1)) x seeds runs, and says how many; then a few for each break. With all
    parameters that is thousands of runs. After Ctrl-C the same command goes on.
    """
    one_thread()
    from scenarios.seeds import parse
    from studies.breaks.breaks import breaks as study
    from studies.breaks.breaks import grid, lines_of
    from undercut.study.duration import displays
    from undercut.study.options import asked, end, outcomes

    names = outcomes(outcome)
    world = asked(scenario, over, assignments, without, enterprises)
    chosen = parse(seeds)
    first = (1 + len(grid(lines_of(world.setting, world.space), steps))) * len(chosen)
    say(
        f"{len(names)} claims, {len(world.space)} parameters, {len(chosen)} seeds: {first:,} runs for the grid, then up to "
        f"{rounds} rounds of a few more where something flips"
    )
    made, parts = study(
        world.setting,
        world.space,
        names,
        chosen,
        out,
        steps=steps,
        rounds=rounds,
        workers=workers,
        progress=lambda: displays(quiet),
    )
    worst = max(parts, key=lambda part: part.lost)
    end(made, out, html, as_json, worst.batch, [lost for part in parts for lost in part.by_chance])
