"""`undercut study form`: do the conclusions survive the mechanisms that a referee would ask for?"""

from __future__ import annotations

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


def form(
    scenario: ScenarioArgument = "baseline",
    seeds: SeedsOption = "16",
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
    """Judge the claims under other forms of the mechanisms, over the same seeds, and say which conclusions survive.

    The forms are myopic prices, plain logit, utility linear in price, and fixed expectations, each alone and all together:
    the switches forward_prices, nested_logit, log_price and adaptive_expectations of the parameter table.

    \b
    Examples:
      undercut study form baseline --seeds 32
      undercut study form baseline --set linear_price_reference=0.5 --outcome p1-nvidia-2027 --outcome p3-price

    It makes 6 runs with each seed, fewer where --set switches a form already.
    """
    one_thread()
    from scenarios.scenario import load
    from scenarios.seeds import parse
    from studies.ensemble import overrides
    from studies.form import form as study
    from undercut.study.duration import displays
    from undercut.study.options import end, outcomes

    claims = tuple(dict.fromkeys(name.rpartition(":")[2] for name in outcomes(outcome)))
    setting = load(scenario, overrides(assignments or (), without or (), enterprises))
    made, found = study(setting, parse(seeds), out, claims=claims, workers=workers, progress=displays(quiet))
    end(made, out, html, as_json, found.batch, found.by_chance)
