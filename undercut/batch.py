"""From the name of a scenario to a stored and judged run: what `undercut run` and `undercut.run` do."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.parameters import ParameterError, parse_assignment
from scenarios import rundir
from scenarios.counterfactual import cause, worlds
from scenarios.rundir import RunFolder, StoredRun
from scenarios.runner import Failure, Job, run_job
from scenarios.scenario import load
from scenarios.seeds import COMPARED, parse, words

if TYPE_CHECKING:
    from model.setting import Setting
    from scenarios.progress import Progress

ENTERPRISES = "enterprises"
"""The parameter that `--enterprises` sets."""


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


def run(
    scenario: str | Path = "baseline",
    seeds: int | str | Sequence[int] = 8,
    *,
    workers: int | None = None,
    out: str | Path | None = None,
    overrides: Mapping[str, float | str] | None = None,
    compared: int = COMPARED,
    progress: Progress | None = None,
) -> StoredRun:
    """Run a scenario over seeds, store tables and metrics, judge every claim, and return the stored run.

    >>> import undercut
    >>> stored = undercut.run("baseline", seeds=8)
    >>> stored.table("quarters")     # a DataFrame with scenario, seed and quarter in front
    >>> stored.claims()              # the verdicts, a list of objects

    Args:
        scenario: a name of the library or the path of a TOML file.
        seeds: how many, or which, in words as ``"1,2,5-8"`` or as numbers.
        workers: processes, by default one a processor. In a script, call this under
            ``if __name__ == "__main__":``, because workers import the script.
        out: a new or empty folder; by default the next one under ``./runs``.
        overrides: values of parameters by name.
        compared: how many of the seeds, the first ones, to run also in the worlds that claims about causes
            compare with; each costs a run for each of these worlds. 0 leaves such claims untested.
        progress: what to show; nothing by default.

    Raises:
        ScenarioError, ParameterError, SeedsError, RunFolderError: what is wrong with the arguments and how to
            mend it. A run that fails raises nothing: see :meth:`StoredRun.failures`.
    """
    from evidence.metrics import evaluate, needed_worlds

    setting = load(scenario, overrides)
    chosen = parse(str(seeds)) if isinstance(seeds, (int, str)) else tuple(seeds)
    others = worlds(setting, needed_worlds()) if compared else ()
    job = Job(setting, others, frozenset(chosen[:compared]), measure=evaluate)
    began = time.monotonic()
    failures: list[Failure] = []
    metrics: list[dict[str, Any]] = []
    with RunFolder(out, setting.name) as folder:
        for outcome in run_job(job, chosen, workers, progress):
            folder.write(outcome)
            failures += outcome.failures
            metrics += ({"seed": outcome.seed, "metric": k, "value": v} for k, v in outcome.metrics.items())
        failed = [failure.seed for failure in failures if not failure.world]
        names = [name for name, _ in job.worlds]
        manifest = rundir.manifest(setting, chosen, names, failed, time.monotonic() - began)
        replays = [
            rundir.describe_failure(failure, setting, replay(scenario, setting, failure, job))
            for failure in failures
        ]
        folder.commit(manifest, verdicts(metrics), replays)
    return StoredRun.open(folder.path)


def verdicts(metrics: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Verdicts on every claim from rows with ``seed``, ``metric`` and ``value``, as plain data."""
    import pandas as pd

    from evidence.judge import verdicts as judge

    return [verdict.row() for verdict in judge(pd.DataFrame(metrics, columns=["seed", "metric", "value"]))]


def replay(scenario: str | Path, setting: Setting, failure: Failure, job: Job) -> str:
    """The command that repeats a failed run alone, in one process."""
    from model.place import CAUSES

    changed = setting.parameters.overridden
    command = ["undercut", "run", str(scenario), "--seeds", words([failure.seed]), "--workers", "1"]
    if failure.world in CAUSES:
        changed = {**changed, failure.world: 0.0}
    elif failure.world:
        command[2] = failure.world
    for name, value in changed.items():
        command += ["--set", f"{name}={value!r}"]
    # What failed in a run of its own may be its comparison with others; a counterfactual is run by itself.
    compared = job.worlds and failure.seed in (job.compared or ()) and not failure.world
    return shlex.join(command if compared else [*command, "--no-counterfactuals"])
