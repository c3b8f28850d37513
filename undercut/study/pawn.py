"""`undercut study pawn`: which parameters move the whole distribution of an outcome."""

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
from undercut.study.sensitivity import DesignOption, FromOption, TopOption, chosen
from undercut.terminal import one_thread


def pawn(
    scenario: ScenarioArgument = "baseline",
    over: OverOption = "",
    outcome: OutcomeOption = None,
    samples: Annotated[
        int,
        typer.Option("--samples", metavar="N", help="Points of the sample, however many parameters vary."),
    ] = 512,
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
    """Compare whole distributions: how far knowing a parameter moves that of an outcome, whatever its shape.

    \b
    Examples:
      undercut study pawn baseline --outcome holds:p1-nvidia-2027 --samples 1024
      undercut study pawn baseline --from morris-1a2b3c4d --top 20

    Use it for whether a claim holds, for counts, and for outcomes with rare extremes, of which variance says little; the
    report of `undercut study sobol` says which those are. It makes as many runs as points, with each seed.
    """
    one_thread()
    from scenarios.seeds import parse
    from studies.sensitivity.pawn import pawn as study
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
        samples=samples,
        seed=design_seed,
        workers=workers,
        progress=lambda: displays(quiet),
        told=analysed(quiet),
    )
    end(made, out, html, as_json, parts[0].batch, parts[0].by_chance)
