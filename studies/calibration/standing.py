"""What a calibration is for: verdicts under prior, hand calibration and posterior, and the posterior as a scenario."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scenarios import draws
from scenarios.design import unit_points
from scenarios.document import SUFFIX
from scenarios.folder import as_store_error
from scenarios.plan import PlanError
from studies.calibration.observables import LAST
from studies.calibration.pooled import beside
from studies.calibration.waves import Design, runner, spread_out

if TYPE_CHECKING:
    from model.setting import Setting
    from scenarios.progress import Progress
    from scenarios.runner import Job
    from studies.calibration.calibration import Calibration

PRIOR, HAND, POSTERIOR = "prior", "hand", "posterior"

HAND_SEEDS = 16
"""Seeds of the defaults: they are one world, of which only chance is to be told."""


def judged(
    found: Calibration,
    setting: Setting,
    count: int,
    design: Design,
    out: str | Path,
    workers: int | None = None,
    progress: Callable[[], Progress] | None = None,
    job: Job | None = None,
) -> Calibration:
    """The calibration with a table ``verdicts``: the headline claims under prior, hand calibration and posterior.

    So many draws of prior and posterior run to the end of the setting with the design's seeds, over the same
    parameters; all others are at their defaults in all three. Claims that compare with another world are not judged.
    """
    from studies.ensemble import job as market_job

    run = runner(setting, out, workers, progress, job or market_job())
    space, seeds = found.space, range(1, design.seeds + 1)
    over_prior = space.points(unit_points("lhs", count, len(space), design.random))
    drawn = found.study.tables["draws"]
    picked = drawn.iloc[spread_out(len(drawn), count)].to_dict("records")
    ensembles = {
        PRIOR: run(over_prior, seeds, "calibration, verdicts under the prior"),
        HAND: run([{}], range(1, HAND_SEEDS + 1), "calibration, verdicts under the hand calibration"),
        POSTERIOR: run([dict(row) for row in picked], seeds, "calibration, verdicts under the posterior"),  # type: ignore[arg-type]
    }
    table = beside(ensembles)
    failed = sum(int(each.failed.sum()) for each in ensembles.values())
    notes = [
        f"Verdicts: {count} draws of prior and posterior with {design.seeds} seeds, and {HAND_SEEDS} seeds of the defaults."
    ]
    if failed:
        notes.append(f"{failed} of the runs behind the verdicts failed; they test nothing.")
    study = replace(
        found.study,
        tables={**found.study.tables, "verdicts": table},
        batches=tuple(
            dict.fromkeys([*found.study.batches, *(each.batch.name for each in ensembles.values())])
        ),
        notes=(*found.study.notes, *notes),
    )
    return replace(found, study=study, evaluations=(*found.evaluations, *ensembles.values()))


def ship(found: Calibration, scenario: str, file: Path) -> tuple[Path, Path]:
    """Write the posterior as a scenario: a TOML file at its central draw, and all draws in a CSV file beside it.

    The central draw is the one nearest to the medians, by the largest distance in quantiles of the prior.

    Raises PlanError when the file's name does not end in ``.toml``, StoreError when it cannot be written.
    """
    if file.suffix != SUFFIX:
        raise PlanError(f"--write {file}: let the name end in {SUFFIX}")
    unit = found.study.tables["quantiles"].to_numpy()
    drawn: pd.DataFrame = found.study.tables["draws"]
    nearest = int(np.abs(unit - np.median(unit, axis=0)).max(1).argmin())
    sizes = found.study.tables["waves"]
    about = {
        "made": f"undercut study calibration {scenario}, on observations to {LAST}, {datetime.date.today().isoformat()}",
        "study": found.study.name,
        "asked": json.dumps(dict(found.study.asked), sort_keys=True),
        "runs": (
            f"{len(sizes)} waves of {int(sizes['points'].iloc[0])} points with {int(sizes['seeds'].iloc[0])} seeds; "
            f"{len(found.learned.observables)} observables"
        ),
        "means": "equally weighted draws of an emulated posterior; parameters not named are at their defaults",
    }
    lines = [
        'extends = "baseline"' if scenario == "baseline" else f'extends = "{scenario}"',
        'title = "The posterior of a calibration on observations to the end of 2024"',
        'notes = """',
        f"Parameters as a Bayesian calibration on observations to {LAST} leaves them (docs/studies.md, Calibration). This",
        "file holds its central draw; the draws are in the table beside it, and --draws runs a world for each of them:",
        f"undercut run {file.stem} --draws 200. Parameters that are not fitted stay at the hand calibration.",
        '"""',
        "seeds = 2",
        "",
        "[parameters]",
        *(f"{name} = {float(drawn[name].iloc[nearest]):.6g}" for name in found.space.names),
    ]
    points = [{str(k): float(v) for k, v in row.items()} for row in drawn.to_dict("records")]
    beside_it = file.with_suffix(draws.ENDING)
    with as_store_error(file):
        file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    draws.write(beside_it, points, about)
    return file, beside_it
