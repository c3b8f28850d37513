"""`undercut study causes`: which cause does how much of each predicted change?"""

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
from undercut.study.options import HtmlOption, OutcomeOption
from undercut.terminal import one_thread


def causes(
    scenario: ScenarioArgument = "baseline",
    seeds: SeedsOption = "4",
    over: Annotated[
        str,
        typer.Option(
            "--causes", metavar="NAMES", help="Causes to share the change among, with commas; else all."
        ),
    ] = "",
    outcome: OutcomeOption = None,
    assignments: SetOption = None,
    without: WithoutOption = None,
    enterprises: EnterprisesOption = None,
    workers: WorkersOption = None,
    out: OutOption = RUNS,
    html: HtmlOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Share out each predicted change among the causes that can be turned off: Shapley values over all coalitions.

    The causes are the switches open_weights, sparse_architectures, export_rules, domestic_learning,
    domestic_capacity_growth, demand_elasticity, cloud_ownership and algorithmic_progress of the parameter table.

    \b
    Examples:
      undercut study causes baseline --seeds 8
      undercut study causes --causes sparse-architectures,export-rules --outcome p1-nvidia-2027-ai
      undercut study causes --outcome holds:p1-nvidia-2027 --enterprises 100

    Eight causes have 256 coalitions, each of which runs with every seed; a subset of n causes has 2 to the n.
    """
    one_thread()
    from scenarios.scenario import load
    from scenarios.seeds import parse
    from studies.causes import CHANGES
    from studies.causes import causes as study
    from studies.ensemble import overrides
    from undercut.study.duration import displays
    from undercut.study.options import end, outcomes

    # Of a claim about a cause it is the outcome itself that is shared out here, before any comparison of worlds.
    claims = outcomes(outcome, beside=True) if outcome else CHANGES
    setting = load(scenario, overrides(assignments or (), without or (), enterprises))
    names = [name for name in over.split(",") if name.strip()]
    made, found = study(
        setting, parse(seeds), out, over=names, claims=claims, workers=workers, progress=displays(quiet)
    )
    end(made, out, html, as_json, found.batch, found.by_chance)
