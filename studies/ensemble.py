"""The plan of an ensemble: which worlds and seeds a choice of scenarios asks for, and how its runs are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model.parameters import ParameterError, parse_assignment
from model.quotation import brief
from scenarios.counterfactual import cause
from scenarios.plan import KEEP_DEFAULT, Plan, PlanError, members_of
from scenarios.scenario import load, resolve
from scenarios.seeds import COMPARED, parse

if TYPE_CHECKING:
    from scenarios.design import Point
    from scenarios.runner import Job

SEEDS = "32"
"""The seeds of a batch where neither the user nor the scenario says which."""

ENTERPRISES = "enterprises"
"""The parameter that `--enterprises` sets."""

Values = Mapping[str, float | str]


def overrides(
    assignments: Iterable[str] = (), without: Iterable[str] = (), enterprises: int | None = None
) -> dict[str, float | str]:
    """Overrides of parameters from the options of the command line.

    Raises ParameterError or ScenarioError, with the mend, for what cannot be read, and for a parameter that
    is given two values.
    """
    given: list[tuple[str, float | str]] = [parse_assignment(text) for text in assignments]
    given += [(cause(text), 0.0) for text in without]
    if enterprises is not None:
        given.append((ENTERPRISES, float(enterprises)))
    values: dict[str, float | str] = {}
    for name, value in given:
        if values.setdefault(name, value) != value:
            raise ParameterError(
                f"{brief(name)} is given two values, {brief(str(values[name]))} and {brief(str(value))}; give it one"
            )
    return values


def settled(scenarios: Sequence[str | Path], overrides: Values) -> set[str]:
    """The parameters that scenario files or overrides give a value, which a sample leaves alone unless told."""
    own = (resolve(scenario).setting.parameters.overridden for scenario in scenarios)
    return {*overrides, *(name for values in own for name in values)}


def drawn(scenarios: Sequence[str | Path], count: int) -> tuple[list[Point], str]:
    """So many of the draws that come with a scenario, and a sentence when they are out of date.

    Raises PlanError for several scenarios; ScenarioError, DesignError or ParameterError as
    :func:`scenarios.draws.read` does.
    """
    from scenarios import draws

    if len(scenarios) != 1:
        raise PlanError("--draws are of one scenario; name it alone")
    found = draws.read(scenarios[0])
    return found.first(count), found.stale()


def job() -> Job:
    """How the runs of the market are made and measured."""
    from evidence.metrics import outcomes
    from scenarios.runner import Job

    return Job(measure=outcomes)


def plan(
    scenarios: Sequence[str | Path] = ("baseline",),
    seeds: int | str | Sequence[int] = 8,
    *,
    overrides: Values | None = None,
    design: Sequence[Point] = ({},),
    sampled: str = "",
    compared: int | None = None,
    keep: str = KEEP_DEFAULT,
) -> Plan:
    """The plan of a batch: every scenario at every point of a design with every seed.

    ``sampled`` says how a sample was drawn, in the words of the command line; its points are numbered.
    ``compared`` is how many of the seeds, the first ones, are run in the counterfactual worlds that claims about
    causes need; by default some for one world and none for several.

    Raises ScenarioError, ParameterError, SeedsError, DesignError or PlanError for what makes no sense.
    """
    from evidence.metrics import needed_worlds
    from scenarios.design import refuse_overlap

    refuse_overlap(design, overrides or {})
    chosen = parse(str(seeds)) if isinstance(seeds, (int, str)) else tuple(dict.fromkeys(seeds))
    settings = [(load(scenario, overrides), resolve(scenario).title) for scenario in scenarios]
    if compared is None:
        compared = COMPARED if len(settings) * len(design) == 1 else 0
    causes = needed_worlds() if compared else ()
    members = members_of(settings, design, causes, bool(sampled))
    return Plan(members, chosen, min(compared, len(chosen)), keep, job().simulation, sampled)


def seeds_of(scenarios: Sequence[str | Path]) -> str:
    """The seeds that scenario files ask for, or some where they ask for none.

    Raises PlanError when they ask for different ones, since scenarios are compared over the same seeds.
    """
    asked = {str(name): resolve(name).seeds for name in scenarios}
    found = {seeds for seeds in asked.values() if seeds is not None}
    if len(found) > 1:
        words = ", ".join(f"{name} for {seeds}" for name, seeds in asked.items() if seeds is not None)
        raise PlanError(f"the scenarios ask for different seeds ({words}); say which with --seeds")
    return found.pop() if found else SEEDS
