"""`undercut study calibration`: which worlds the observations to the end of 2024 allow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from undercut.options import (
    RUNS,
    EnterprisesOption,
    JsonOption,
    OutOption,
    QuietOption,
    SetOption,
    WithoutOption,
    WorkersOption,
)
from undercut.runs import ScenarioArgument
from undercut.study.options import HtmlOption, OverOption
from undercut.terminal import one_thread, say


def _count(name: str, text: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(name, min=0, metavar="N", help=text)
    return found


def calibration(
    scenario: ScenarioArgument = "baseline",
    over: OverOption = "",
    among: Annotated[
        int, _count("--among", "Fit those of the parameters that move the observables most; 0 fits them all.")
    ] = 16,
    points: Annotated[
        int, _count("--points", "Points of each wave, of which ten a parameter in all are few.")
    ] = 130,
    waves: Annotated[
        int, _count("--waves", "The first over the prior, each later one where points are likely.")
    ] = 3,
    seeds: Annotated[int, _count("--seeds", "Seeds of every point, 1 to N.")] = 2,
    chance_seeds: Annotated[
        int, _count("--chance-seeds", "Seeds that tell how far chance moves an observable.")
    ] = 12,
    draws: Annotated[int, _count("--draws", "Draws of the posterior that are kept.")] = 300,
    met: Annotated[int, _count("--met", "Draws to run, to compare with what emulators say of them.")] = 40,
    checks: Annotated[
        int, _count("--checks", "Truths of a simulation-based calibration; 40 or more say something.")
    ] = 0,
    verdicts: Annotated[
        int,
        _count(
            "--verdicts", "Draws of prior and posterior to run to the end, and judge beside the defaults."
        ),
    ] = 0,
    leave_out: Annotated[
        str, typer.Option("--leave-out", metavar="NAMES", help="Observables not to fit, with commas.")
    ] = "",
    design_seed: Annotated[int, _count("--design-seed", "Of designs and draws; no run sees it.")] = 0,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FILE",
            help="Write the posterior as a scenario FILE.toml, with its draws beside it.",
        ),
    ] = None,
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = 200,
    workers: WorkersOption = None,
    out: OutOption = RUNS,
    html: HtmlOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fit parameters to what was observed to the end of 2024, and say what the evidence tells and what it does not.

    \b
    Examples:
      undercut study calibration baseline
      undercut study calibration baseline --over alpha_mean,eta,llm_constant --points 60 --checks 40
      undercut study calibration baseline --verdicts 100 --write my-posterior.toml

    It makes two runs of each parameter for the choice, then waves x points, each with every seed, to the end of 2024.
    `undercut run posterior --draws 200` runs the posterior that comes with Undercut, and
    `undercut run my-posterior.toml --draws 200` one of your own.
    """
    one_thread()
    from studies.calibration.calibration import calibrate, check
    from studies.calibration.observables import remaining
    from studies.calibration.waves import Design
    from undercut.study.duration import analysed, displays
    from undercut.study.options import asked, end

    world = asked(scenario, over, assignments, without, enterprises)
    design = Design(points, waves, seeds, chance_seeds, draws=draws, random=design_seed)
    chosen = remaining([name.strip() for name in leave_out.split(",") if name.strip()])
    check(design, world.space, among, checks)
    about = {
        "scenario": scenario,
        "over": over,
        "among": among,
        "points": points,
        "waves": waves,
        "seeds": seeds,
        "chance_seeds": chance_seeds,
        "draws": draws,
        "met": met,
        "checks": checks,
        "verdicts": verdicts,
        "leave_out": leave_out,
        "design_seed": design_seed,
        "set": list(assignments or ()),
        "without": list(without or ()),
        "enterprises": enterprises,
    }
    found = calibrate(
        world.setting,
        world.space,
        out,
        design,
        asked=chosen,
        among=among,
        checks=checks,
        met=min(met, draws),
        about=about,
        workers=workers,
        progress=lambda: displays(quiet),
        told=analysed(quiet),
    )
    if verdicts:
        from studies.calibration.standing import judged

        found = judged(
            found, world.setting, min(verdicts, draws), design, out, workers, lambda: displays(quiet)
        )
    if write is not None:
        from studies.calibration.standing import ship

        for file in ship(found, scenario, write):
            say(f"wrote {file}")
    lost = [failure for each in found.evaluations for failure in each.by_chance]
    end(found.study, out, html, as_json, found.evaluations[-1].batch, lost)
