"""What a calibration compares with: observations to the end of 2024 as a moderate number of scalars, with their errors."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from evidence import fit
from evidence.fit import DIFFERENCE, LOG
from model.quotation import quoted
from scenarios import runner
from scenarios.plan import PlanError
from scenarios.runner import Job

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.setting import Setting

LAST = "2024Q4"
"""The last quarter of a run that is only compared with observations."""

FILE = "observables.csv"
POINT, UNIFORM, INTERVAL = "point", "uniform", "interval"

INTERVAL_WIDTH = 2.0 * 1.6449
"""Standard deviations between the 5 and 95 % points of a normal distribution."""

LEAST_DEFINED = 0.5
"""An aggregate is undefined when less than this share of its members is defined."""


@dataclass(frozen=True)
class Observable:
    """A number that a run gives and that was observed: the mean of members, each less its observation.

    Members are observations of ``evidence/fit.py``, taken as logarithms where the scale says so, so that a value of 0
    meets the observation and 0.69 is twice as much. Standard deviations are in the same terms.

    Attributes:
        members: ids of observations.
        observed: of each member, in its own unit.
        error: what is not known of the observation.
        discrepancy: how far the model may be from the truth with the best of parameters: a judgement.
    """

    id: str
    statement: str
    members: tuple[str, ...]
    scale: str
    observed: tuple[float, ...]
    error: float
    discrepancy: float
    error_source: str = ""
    discrepancy_source: str = ""

    @property
    def variance(self) -> float:
        """Of the observation and the discrepancy together."""
        return self.error**2 + self.discrepancy**2

    def value(self, table: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """The observable of runs, from what they say on each observation; nan where too few members are defined.

        Raises PlanError when the runs did not measure a member.
        """
        if missing := [name for name in self.members if name not in table]:
            raise PlanError(f"no run measured {missing[0]}, which {self.id} needs; leave {self.id} out")
        parts = np.stack(
            [
                _scaled(table[name], self.scale) - (math.log(seen) if self.scale == LOG else seen)
                for name, seen in zip(self.members, self.observed, strict=True)
            ]
        )
        known = np.isfinite(parts)
        count = known.sum(0)
        total = np.where(known, parts, 0.0).sum(0)
        enough = count >= LEAST_DEFINED * len(self.members)
        return np.where(enough, total / np.maximum(count, 1), np.nan)


@cache
def observables() -> tuple[Observable, ...]:
    """The observables of ``observables.csv``, in its order.

    A member's centre is the middle of its bounds on the scale of the observable. A row's ``reading`` says what
    bounds stand for, as an error besides its own: nothing (``point``), equal chances between them (``uniform``: the
    width over the root of 12, JCGM 100:2008, 4.3.7), or a 5 to 95 % interval.
    """
    known = {each.id: each for each in fit.observations()}
    file = resources.files("studies.calibration").joinpath(FILE)
    with file.open(encoding="utf-8") as opened:
        return tuple(_observable(row, known) for row in csv.DictReader(opened))


def remaining(left_out: Sequence[str] = ()) -> tuple[Observable, ...]:
    """All observables but some. Raises PlanError for a name that is none, and where none remains."""
    from scenarios.fault import nearest

    known = {each.id: each for each in observables()}
    for name in left_out:
        if name not in known:
            hint = nearest(name, known) or f"there are {', '.join(known)}"
            raise PlanError(f"--leave-out {quoted(name)} is no observable; {hint}")
    found = tuple(each for each in observables() if each.id not in left_out)
    if not found:
        raise PlanError("--leave-out leaves no observable to fit; name fewer")
    return found


def simulate(setting: Setting, seed: int) -> runner.Tables:
    """Run the market. A name of its own keeps these runs, of which no claim is measured, apart in a store."""
    return runner.simulate(setting, seed)


def job() -> Job:
    """How the runs of a calibration are made, and measured: what each says on every observation."""
    return Job(simulate, fit.observe)


def to_the_last(setting: Setting) -> Setting:
    """A setting whose runs end with the last observation; what they say to then is what longer ones say."""
    return replace(setting, last=LAST)


def values(table: Mapping[str, NDArray[np.float64]], asked: Sequence[Observable]) -> NDArray[np.float64]:
    """All observables of runs, shape (points, seeds, observables)."""
    return np.stack([each.value(table) for each in asked], axis=-1)


def _observable(row: Mapping[str, str], known: Mapping[str, fit.Observation]) -> Observable:
    members = tuple(row["members"].split(";"))
    scale = row["scale"]
    observed, widths = [], []
    for name in members:
        low = float(row["low"]) if row["low"] else known[name].low
        high = float(row["high"]) if row["high"] else known[name].high
        ends = [math.log(end) if scale == LOG else end for end in (low, high)]
        middle = sum(ends) / 2.0
        observed.append(math.exp(middle) if scale == LOG else middle)
        widths.append(ends[1] - ends[0])
    width = sum(widths) / len(widths)
    bounds = {POINT: 0.0, UNIFORM: width / math.sqrt(12.0), INTERVAL: width / INTERVAL_WIDTH}[row["reading"]]
    return Observable(
        row["id"],
        row["statement"],
        members,
        scale,
        tuple(observed),
        math.hypot(float(row["error"]), bounds),
        float(row["discrepancy"]),
        row["error_source"],
        row["discrepancy_source"],
    )


def _scaled(value: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    if scale == DIFFERENCE:
        return value
    return np.log(value, out=np.full(value.shape, np.nan), where=value > 0.0)
