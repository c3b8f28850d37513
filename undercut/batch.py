"""From the names of scenarios to a stored and judged batch: what `undercut run` and `undercut.run` do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.parameters import ParameterError, parse_assignment
from scenarios import batch as store
from scenarios.batch import Batch
from scenarios.counterfactual import cause
from scenarios.plan import KEEP_DEFAULT, Plan, PlanError, members_of
from scenarios.scenario import load, resolve
from scenarios.seeds import COMPARED, parse
from scenarios.store import DEFAULT

if TYPE_CHECKING:
    from scenarios.design import Point
    from scenarios.progress import Progress
    from scenarios.runner import Failure, Job

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
            raise ParameterError(f"{name} is given two values, {values[name]} and {value}; give it one")
    return values


def settled(scenarios: Sequence[str | Path], overrides: Values) -> set[str]:
    """The parameters that scenario files or overrides give a value, which a sample leaves alone unless told."""
    own = (resolve(scenario).setting.parameters.overridden for scenario in scenarios)
    return {*overrides, *(name for values in own for name in values)}


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
    causes need; by default some for one world and none for several. Raises what :func:`run` raises.
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


def run(
    scenarios: str | Path | Sequence[str | Path] = "baseline",
    seeds: int | str | Sequence[int] = 8,
    *,
    overrides: Values | None = None,
    design: Sequence[Point] = ({},),
    compared: int | None = None,
    keep: str = KEEP_DEFAULT,
    out: str | Path = DEFAULT,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Batch:
    """Run scenarios over seeds into a store, and return the batch: tables and metrics of every run.

    >>> import undercut
    >>> batch = undercut.run(["baseline", "consortium"], seeds=8)
    >>> batch.table("quarters")      # a DataFrame with scenario, world and seed in front
    >>> undercut.verdicts(batch, "baseline")

    Runs that the store has already are not made again; after an interruption the same call makes the rest.

    Args:
        scenarios: names of the library or paths of TOML files.
        seeds: how many, or which, in words as ``"1,2,5-8"`` or as numbers.
        overrides: values of parameters by name, for all scenarios.
        design: values of parameters that vary, one world a point: see :mod:`scenarios.design`; ``overrides`` gives
            none of them a value.
        compared: how many of the seeds, the first ones, to run also in the worlds that claims about causes
            compare with; 0 leaves such claims untested. By default 8 for one world, 0 for several.
        keep: of which runs all tables are stored: ``"all"``, ``"headline"``, or ``"sample:N"``.
        out: the folder of the store.
        workers: processes, by default one a processor. In a script, call this under
            ``if __name__ == "__main__":``, because workers import the script.
        scheduler: the address of a Dask scheduler to run on instead.
        progress: what to show; nothing by default.

    Raises:
        ScenarioError, ParameterError, SeedsError, DesignError, PlanError, StoreError: what is wrong with the
            arguments and how to mend it. A run that fails raises nothing: see :meth:`Batch.failures`.
    """
    names = [scenarios] if isinstance(scenarios, (str, Path)) else list(scenarios)
    planned = plan(names, seeds, overrides=overrides, design=design, compared=compared, keep=keep)
    made, _ = carry_out(planned, out, workers=workers, scheduler=scheduler, progress=progress)
    return made


def carry_out(
    planned: Plan,
    out: str | Path = DEFAULT,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> tuple[Batch, tuple[Failure, ...]]:
    """Make what the store lacks of a plan; returns the batch and the runs that failed by chance."""
    return store.run(planned, job(), out, workers=workers, scheduler=scheduler, progress=progress)


def verdicts(batch: Batch, label: str | None = None) -> list[dict[str, Any]]:
    """Verdicts on every claim in one world of a batch (by default its first), as plain data."""
    from evidence.ensemble import verdicts as judge

    chosen = label or batch.labels[0]
    return [verdict.row() for verdict in judge(batch, [chosen])[chosen]]


def verdict_rows(batch: Batch, labels: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The same of several worlds (by default every asked one), with the label of each in ``scenario``."""
    from evidence.ensemble import verdicts as judge

    return [
        {"scenario": label, **verdict.row()}
        for label, found in judge(batch, labels).items()
        for verdict in found
    ]


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
